//! Pairs: the list, one with what stands in its way and how it is doing, its settings, and what people do
//! with it.

pub mod act;
pub mod edit;
mod entry;
pub mod list;
pub mod show;

use crate::domain::pair::PairStatus;
use crate::domain::record::State;

/// A status as people read it.
#[must_use]
pub fn status_title(status: PairStatus) -> &'static str {
    match status {
        PairStatus::Draft => "Draft",
        PairStatus::Active => "Active",
        PairStatus::Paused => "Paused",
    }
}

/// How many records are in some states.
#[must_use]
pub fn count(work: &[(State, u64)], states: &[State]) -> u64 {
    let of = work.iter().filter(|(state, _)| states.contains(state));
    of.map(|(_, records)| records).sum()
}
