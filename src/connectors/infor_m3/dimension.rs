//! Values of the accounting dimensions that documents are coded with: is one there, and may it be posted to?
//!
//! Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (CRS630MI): blocked, valid from and to, and
//! blocked for manual entry; in the division, else for the whole company.

use super::lookup;
use crate::contract::Session;
use crate::domain::fault::Fault;
use crate::domain::record::WaitingFor;

/// A value of a dimension as a document names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Coded<'a> {
    pub dimension: u8,
    pub value: &'a str,
    pub division: &'a str,
}

impl<'a> Coded<'a> {
    /// What waits are kept under. The connection's own division goes without saying.
    fn key(self, session: &Session) -> String {
        let own = own_division(session);
        if self.division.eq_ignore_ascii_case(own) {
            format!("{}/{}", self.dimension, self.value)
        } else {
            format!("{}@{}/{}", self.dimension, self.division, self.value)
        }
    }

    /// Reads such a key again.
    fn of_key(key: &'a str, session: &'a Session) -> Option<Self> {
        let (place, value) = key.split_once('/')?;
        let (dimension, division) = match place.split_once('@') {
            Some((dimension, division)) => (dimension, division),
            None => (place, own_division(session)),
        };
        Some(Self {
            dimension: dimension.parse().ok()?,
            value,
            division,
        })
    }
}

fn own_division(session: &Session) -> &str {
    session.settings.text("divi").unwrap_or_default()
}

/// What is waited for, if nothing can be posted to it today.
pub(super) async fn closed(
    session: &Session,
    coded: Coded<'_>,
) -> Result<Option<WaitingFor>, Fault> {
    let name = format!("{} {}", name(session, coded.dimension), coded.value);
    let found = lookup::account(session, coded.dimension, coded.value, coded.division).await?;
    let label = match found {
        None => format!("{name} in M3"),
        Some(account) => match account.closed(today(session)) {
            None => return Ok(None),
            Some(why) => format!("{name}, which {why} in M3"),
        },
    };
    Ok(Some(WaitingFor::new(
        "dimension",
        coded.key(session),
        label,
    )))
}

/// Whether what is waited for under a key may be posted to by now. A key that says nothing is not.
pub(super) async fn is_open(session: &Session, key: &str) -> Result<bool, Fault> {
    let Some(coded) = Coded::of_key(key, session) else {
        return Ok(false);
    };
    let found = lookup::account(session, coded.dimension, coded.value, coded.division).await?;
    Ok(found.is_some_and(|account| account.closed(today(session)).is_none()))
}

fn today(session: &Session) -> time::Date {
    session.clock.now().to_utc().date()
}

/// What people call a dimension here.
pub(super) fn name(session: &Session, dimension: u8) -> String {
    let own = session
        .settings
        .entry("dimension_names", &format!("ait{dimension}"));
    match (own, dimension) {
        (Some(own), _) => own.to_lowercase(),
        (None, 1) => "account".to_owned(),
        (None, _) => format!("dimension {dimension} value"),
    }
}
