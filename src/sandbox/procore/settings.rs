//! The simulator's switches, changed through `POST /_sandbox/settings`.

use serde::{Deserialize, Serialize};

/// What may be switched while the simulator runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Calls are refused with 429 beyond the two windows.
    pub limits: bool,
    /// Calls per 10 seconds.
    pub spike_limit: u64,
    /// Calls per 60 minutes.
    pub hourly_limit: u64,
    /// A 429 carries `Retry-After` beside the rate headers; the vendor's pages disagree.
    pub retry_after_on_429: bool,
    pub page_size_default: usize,
    pub page_size_max: usize,
    /// A change of a line also changes its contract's `updated_at`.
    pub lines_touch_head: bool,
    /// Approved contracts stay editable.
    pub relaxed_locks: bool,
    /// WBS codes show their segments; a sample of the vendor's shows none.
    pub wbs_segments: bool,
    /// Seconds that a token lives.
    pub token_seconds: i64,
    /// Resources (the path's word, e.g. `vendors`) that answer 403.
    pub forbidden: Vec<String>,
    /// Resources that answer as if nothing were there: empty lists and 404.
    pub hidden: Vec<String>,
    /// The only projects that the service account may see; all when null.
    pub permitted_projects: Option<Vec<i64>>,
}

impl Settings {
    /// Source: Procore rate limiting and pagination pages, read 2026-11-22: the spike window's
    /// sample figure is 25. Assumed: 3,600 an hour, 1,000 rows a page at most.
    pub(super) fn new(limits: bool) -> Self {
        Self {
            limits,
            spike_limit: 25,
            hourly_limit: 3600,
            retry_after_on_429: true,
            page_size_default: 100,
            page_size_max: 1000,
            lines_touch_head: false,
            relaxed_locks: false,
            wbs_segments: true,
            token_seconds: 5400,
            forbidden: Vec::new(),
            hidden: Vec::new(),
            permitted_projects: None,
        }
    }

    pub(super) fn permits_project(&self, id: i64) -> bool {
        let permitted = self.permitted_projects.as_ref();
        permitted.is_none_or(|ids| ids.contains(&id))
    }
}
