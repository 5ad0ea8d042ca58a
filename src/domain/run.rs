//! A run: one pass over a pair.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::fault::Fault;
use super::ids::{PairId, RunId};
use crate::closed_words;

closed_words! {
    /// How a run stands.
    RunState {
        Queued => "queued",
        Running => "running",
        Succeeded => "succeeded",
        Partial => "partial",
        Failed => "failed",
        Cancelled => "cancelled",
    }
}

closed_words! {
    /// What started it.
    Trigger {
        Schedule => "schedule",
        Person => "person",
        Activation => "activation",
        Webhook => "webhook",
    }
}

/// Counts of one flow; all but `seen` add up to `seen` once the run is over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub seen: u64,
    pub created: u64,
    pub updated: u64,
    pub linked: u64,
    pub unchanged: u64,
    pub waiting: u64,
    pub held: u64,
    pub review: u64,
    pub retrying: u64,
    pub failed: u64,
    pub ignored: u64,
}

/// One pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub id: RunId,
    pub pair_id: PairId,
    pub state: RunState,
    pub trigger: Trigger,
    /// Lists everything instead of what changed.
    pub full: bool,
    /// Says what would be done, and does nothing.
    pub dry_run: bool,
    pub queued_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// Why it failed, or why it saw nothing.
    pub note: Option<String>,
    pub fault: Option<Fault>,
    pub flows: BTreeMap<String, Counts>,
}

/// The state of a run whose listing is complete and none of whose records is in work.
#[must_use]
pub fn closing_state<'a>(flows: impl IntoIterator<Item = &'a Counts>) -> RunState {
    if flows
        .into_iter()
        .any(|counts| counts.failed > 0 || counts.retrying > 0)
    {
        RunState::Partial
    } else {
        RunState::Succeeded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failed_record_makes_a_run_partial() {
        let good = Counts {
            seen: 2,
            created: 2,
            ..Counts::default()
        };
        let bad = Counts {
            seen: 1,
            failed: 1,
            ..Counts::default()
        };
        assert_eq!(closing_state([&good]), RunState::Succeeded);
        assert_eq!(closing_state([&good, &bad]), RunState::Partial);
    }
}
