//! Master data that documents point at: suppliers, items, accounts. Items and accounts are remembered for a
//! while; whether a supplier is open is asked every time.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::Date;

use super::client::{self, mi};
use super::reply::Row;
use crate::contract::Session;
use crate::domain::fault::Fault;

/// Master data changes seldom; a blocked account is refused by M3 itself in the meantime.
const REMEMBERED: Duration = Duration::from_secs(15 * 60);

/// What is missing or closed is asked for again after this.
const MOMENT: Duration = Duration::from_secs(3);

/// An item as far as lines need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Item {
    pub name: String,
    /// Its purchase unit, else its basic one.
    pub unit: String,
    pub status: String,
}

/// A value of an accounting dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Account {
    pub name: String,
    pub is_blocked: bool,
    pub is_blocked_for_entry: bool,
    /// `YYYYMMDD`; empty = open.
    pub valid_from: String,
    pub valid_to: String,
    /// Dimensions that an account demands beside itself.
    pub demands: Vec<u8>,
}

impl Account {
    /// Why nothing can be booked on it that day, in words; nothing when it can.
    pub(super) fn closed(&self, day: Date) -> Option<String> {
        let day = date(day);
        let is_set = |text: &str| text.chars().any(|digit| digit != '0');
        if self.is_blocked {
            Some("is blocked".to_owned())
        } else if self.is_blocked_for_entry {
            Some("is blocked for entry by hand".to_owned())
        } else if is_set(&self.valid_from) && day < self.valid_from {
            Some(format!("is valid from {} only", self.valid_from))
        } else if is_set(&self.valid_to) && day > self.valid_to {
            Some(format!("was valid until {}", self.valid_to))
        } else {
            None
        }
    }
}

/// A day as M3 spells it. Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (data formats).
pub(super) fn date(day: Date) -> String {
    format!(
        "{:04}{:02}{:02}",
        day.year(),
        u8::from(day.month()),
        day.day()
    )
}

/// A supplier's basic data, as they are now.
pub(super) async fn supplier(session: &Session, number: &str) -> Result<Option<Row>, Fault> {
    let call = mi("CRS620MI", "GetBasicData", [("SUNO", number.to_owned())]);
    client::get(session, &call).await
}

/// An item, if there is one.
pub(super) async fn item(session: &Session, number: &str) -> Result<Option<Item>, Fault> {
    let key = format!("item/{number}");
    if let Some(known) = recall(session, &key) {
        return Ok(Some(known));
    }
    let call = mi("MMS200MI", "GetItmBasic", [("ITNO", number.to_owned())]);
    let found = client::get(session, &call).await?.map(|row| Item {
        name: row.text_or_blank("ITDS").to_owned(),
        unit: row
            .text("PUUN")
            .or_else(|| row.text("UNMS"))
            .unwrap_or_default()
            .to_owned(),
        status: row.text_or_blank("STAT").to_owned(),
    });
    remember(session, &key, found.as_ref());
    Ok(found)
}

/// A value of dimension 1 to 7 in a division, else at the company's own level.
pub(super) async fn account(
    session: &Session,
    dimension: u8,
    value: &str,
    division: &str,
) -> Result<Option<Account>, Fault> {
    let key = account_key(dimension, value, division);
    if let Some(known) = known_account(session, &key) {
        return Ok(known);
    }
    let mut found = None;
    for level in levels(division) {
        let fields = [
            ("AITP", dimension.to_string()),
            ("AITM", value.to_owned()),
            ("DIVI", level.to_owned()),
        ];
        let call = mi("CRS630MI", "GetAccountID", fields).in_division(level);
        found = client::get(session, &call)
            .await?
            .map(|row| read_account(&row));
        if found.is_some() {
            break;
        }
    }
    let kept = serde_json::to_value(&found).unwrap_or_default();
    session.facts.remember(&key, session.clock.now(), kept);
    Ok(found)
}

fn account_key(dimension: u8, value: &str, division: &str) -> String {
    format!("account/{dimension}/{division}/{value}")
}

/// A value was seen in a list: dimension, value and division.
pub(super) fn learn(
    session: &Session,
    (dimension, value, division): (u8, &str, &str),
    found: &Account,
) {
    let key = account_key(dimension, value, division);
    let kept = serde_json::to_value(Some(found)).unwrap_or_default();
    session.facts.remember(&key, session.clock.now(), kept);
}

/// What was found a while ago, and what was missing or closed a moment ago: many records ask for one value at once,
/// and its opening must be seen soon.
fn known_account(session: &Session, key: &str) -> Option<Option<Account>> {
    let now = session.clock.now();
    let recall = |age_max| {
        let value = session.facts.recall(key, now, age_max)?;
        serde_json::from_value::<Option<Account>>(value).ok()
    };
    let known = recall(REMEMBERED)?;
    let is_open = known
        .as_ref()
        .is_some_and(|account| account.closed(now.to_utc().date()).is_none());
    if is_open { Some(known) } else { recall(MOMENT) }
}

/// Accounts may exist in the division or for the whole company: both are asked.
pub(super) fn levels(division: &str) -> Vec<&str> {
    if division.is_empty() {
        vec![""]
    } else {
        vec![division, ""]
    }
}

pub(super) fn read_account(row: &Row) -> Account {
    const RULES: [(u8, &str); 6] = [
        (2, "ACR2"),
        (3, "ACR3"),
        (4, "ACR4"),
        (5, "ACR5"),
        (6, "ACR6"),
        (7, "ACR7"),
    ];
    Account {
        name: row
            .text("TX40")
            .or_else(|| row.text("TX15"))
            .unwrap_or_default()
            .to_owned(),
        is_blocked: row.is_on("LCCD"),
        is_blocked_for_entry: row.is_on("AT13"),
        valid_from: digits(row.text_or_blank("VFDT")),
        valid_to: digits(row.text_or_blank("VTDT")),
        // Assumed: 1 = mandatory; other values demand nothing.
        demands: RULES
            .iter()
            .filter(|(_, rule)| row.text(rule) == Some("1"))
            .map(|(dimension, _)| *dimension)
            .collect(),
    }
}

/// A date without separators, which some users' settings put in.
fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn recall<T: for<'de> Deserialize<'de>>(session: &Session, key: &str) -> Option<T> {
    let value = session.facts.recall(key, session.clock.now(), REMEMBERED)?;
    serde_json::from_value(value).ok()
}

/// Only what was found is remembered: what is missing is asked for again, so that it is seen as soon as it is there.
fn remember<T: Serialize>(session: &Session, key: &str, found: Option<&T>) {
    if let Some(value) = found.and_then(|found| serde_json::to_value(found).ok()) {
        session.facts.remember(key, session.clock.now(), value);
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn account(pairs: &[(&str, &str)]) -> Account {
        read_account(&Row::from_pairs(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        ))
    }

    #[test]
    fn an_account_is_open_or_says_why_not() {
        let day = date!(2026 - 11 - 24);
        for (fields, want) in [
            (vec![("TX40", "Costs")], None),
            (
                vec![("LCCD", "0"), ("VFDT", "0"), ("VTDT", "0"), ("AT13", "0")],
                None,
            ),
            (vec![("VFDT", "20261124"), ("VTDT", "20261124")], None),
            (vec![("LCCD", "1")], Some("is blocked")),
            (vec![("AT13", "1")], Some("is blocked for entry by hand")),
            (
                vec![("VFDT", "2026-11-25")],
                Some("is valid from 20261125 only"),
            ),
            (vec![("VTDT", "20261123")], Some("was valid until 20261123")),
        ] {
            assert_eq!(account(&fields).closed(day).as_deref(), want, "{fields:?}");
        }
        assert_eq!(
            account(&[("ACR2", "1"), ("ACR3", "2"), ("ACR4", "0")]).demands,
            [2]
        );
    }
}
