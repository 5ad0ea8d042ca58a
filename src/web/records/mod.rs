//! Records: the list with its filters, one record with everything about it, and what people do with them.

pub mod act;
pub mod bulk;
pub mod filter;
mod lines;
pub mod list;
pub mod show;

use super::names::Names;
use super::page::say;
use crate::domain::clock::Timestamp;
use crate::domain::money::{Money, plain};
use crate::domain::record::{Record, State};

/// One line of a list.
pub struct Line {
    pub id: String,
    /// What people call it.
    pub title: String,
    pub flow: String,
    pub counterparty: String,
    pub project: String,
    pub money: Option<Shown>,
    pub state: &'static str,
    pub state_title: String,
    pub diverged: bool,
    pub says: String,
    pub updated_at: String,
    pub updated: String,
}

/// An amount as shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub amount: String,
    pub currency: String,
}

impl From<&Money> for Shown {
    fn from(money: &Money) -> Self {
        Self {
            amount: say::amount(&plain(money.amount)),
            currency: money.currency.to_string(),
        }
    }
}

impl Line {
    #[must_use]
    pub fn new(record: &Record, names: &Names, now: Timestamp) -> Self {
        Self {
            id: record.id.to_string(),
            title: title(record),
            flow: names.flow(record.flow.as_str()),
            counterparty: record.counterparty.clone().unwrap_or_default(),
            project: record.project.clone().unwrap_or_default(),
            money: record.money.as_ref().map(Shown::from),
            state: record.state.as_str(),
            state_title: short_title(record, now),
            diverged: is_diverged(record),
            says: record.explanation.clone(),
            updated_at: record.updated_at.to_string(),
            updated: say::distance(record.updated_at, now),
        }
    }
}

/// What people call a record: its number, else whom it is about, else the key at its source.
#[must_use]
pub fn title(record: &Record) -> String {
    let known = [&record.number, &record.counterparty];
    let named = known
        .into_iter()
        .flatten()
        .find(|text| !text.trim().is_empty());
    named.map_or_else(|| format!("#{}", record.source.id), Clone::clone)
}

/// A state in a list, where the sentence beside it says what it waits for.
fn short_title(record: &Record, now: Timestamp) -> String {
    match record.state {
        State::Waiting if record.substate.is_none() => record.state.title().to_owned(),
        _ => state_title(record, now),
    }
}

/// A state in words, with what it waits for or when it is tried again.
#[must_use]
pub fn state_title(record: &Record, now: Timestamp) -> String {
    let title = record.state.title();
    match record.state {
        State::Waiting => match record.waiting_for.as_slice() {
            [] => title.to_owned(),
            [one] => format!("Waiting for {}", one.label),
            [one, rest @ ..] => format!("Waiting for {} and {} more", one.label, rest.len()),
        },
        State::Retrying => match record.next_attempt_at {
            Some(at) => format!("Trying again {}", say::distance(at, now)),
            None => title.to_owned(),
        },
        _ => match record.substate.as_deref() {
            Some("in_erp_batch") => "Accepted, not yet posted".to_owned(),
            Some("rate_limited") => "Slowed down by the other system".to_owned(),
            _ => title.to_owned(),
        },
    }
}

fn is_diverged(record: &Record) -> bool {
    let flag = crate::domain::record::DIVERGED;
    record.flags.iter().any(|known| known == flag)
}
