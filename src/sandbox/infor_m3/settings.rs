//! The simulator's switches, changed through `POST /_sandbox/settings`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::seed;

/// What may be switched while the simulator runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// `v1` and `v2` of the REST interface answer; else 404.
    pub v1: bool,
    pub v2: bool,
    /// A refused single call of v2 is HTTP 200 instead of 400; both were seen.
    pub v2_errors_in_200: bool,
    /// Values come padded to their width with blanks, but for v2 calls with `righttrim=true`.
    pub padded: bool,
    /// Numbers come with a decimal comma, as the user's settings may have it.
    pub decimal_comma: bool,

    /// Seconds that a token lives.
    pub token_seconds: i64,
    /// Refresh tokens are given and taken.
    pub refresh_tokens: bool,
    /// 0 = no limit, as for all limits here.
    pub logins_per_minute: u64,
    pub logins_per_day: u64,
    pub tokens_per_day: u64,
    /// Calls to M3; more are answered with 429.
    pub calls_per_minute: u64,
    /// A 429 carries `Retry-After`; the vendor's pages are silent.
    pub retry_after_on_429: bool,

    /// `EXPORTMI` may be used by the service user.
    pub exportmi: bool,
    /// Programs (`CRS111MI`) or transactions (`CRS111MI/Add`) that the user may not run.
    pub withheld: Vec<String>,
    /// The HTTP status for those.
    pub withheld_status: u16,
    /// Programs or transactions that this tenant does not have at all.
    pub missing: Vec<String>,

    /// Seconds until a written supplier or order is found by the search transactions.
    pub search_lag_seconds: i64,
    /// Seconds between FinishEntry and the batch being worked on.
    pub batch_delay_seconds: i64,
    /// Batch origins with their automatic level: 1 stops at status 20, 2 goes on to 90.
    pub batch_origins: BTreeMap<String, u8>,
    /// A batch may add lines to an order that is there (PPS090 parameter 50).
    pub lines_for_existing: bool,
    /// AddHead and AddLine look their codes up at once; else only the batch does, silently.
    pub strict_entry: bool,
    /// Files whose custom fields are set up, e.g. `CIDMAS`; others refuse CUSEXTMI.
    pub custom_fields: Vec<String>,
}

impl Settings {
    /// Source: Infor OS usage limits (log-ins, tokens), ION API token page (7200 s) and PPS090
    /// batch origin parameters, read 2026-11-22. Assumed: the two delays.
    pub(super) fn new() -> Self {
        let origins = [(seed::BATCH_ORIGIN, 2), (seed::WAITING_BATCH_ORIGIN, 1)];
        Self {
            v1: true,
            v2: true,
            v2_errors_in_200: false,
            padded: false,
            decimal_comma: false,
            token_seconds: 7200,
            refresh_tokens: false,
            logins_per_minute: 20,
            logins_per_day: 1000,
            tokens_per_day: 100,
            calls_per_minute: 0,
            retry_after_on_429: false,
            exportmi: true,
            withheld: Vec::new(),
            withheld_status: 403,
            missing: Vec::new(),
            search_lag_seconds: 10,
            batch_delay_seconds: 2,
            batch_origins: origins.map(|(name, level)| (name.to_owned(), level)).into(),
            lines_for_existing: true,
            strict_entry: true,
            custom_fields: Vec::new(),
        }
    }

    pub(super) fn is_withheld(&self, program: &str, transaction: &str) -> bool {
        (program == "EXPORTMI" && !self.exportmi) || names(&self.withheld, program, transaction)
    }

    pub(super) fn is_missing(&self, program: &str, transaction: &str) -> bool {
        names(&self.missing, program, transaction)
    }
}

/// Whether the list names the program, or this transaction of it.
fn names(list: &[String], program: &str, transaction: &str) -> bool {
    list.iter().any(|name| match name.split_once('/') {
        Some((named, one)) => named == program && one == transaction,
        None => name == program,
    })
}
