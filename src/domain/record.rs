//! A record: one source record in one flow of one pair, with its state.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::fault::Fault;
use super::ids::{PairId, RecordId, RunId};
use super::money::Money;
use super::plan::{Candidate, Plan};
use super::system::{Entity, FlowName, SystemId};

/// The word is not one of the closed list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not one of {known}")]
pub struct UnknownWord {
    pub word: String,
    pub known: String,
}

/// A closed list of words that are stored and shown: one place for both directions.
#[macro_export]
macro_rules! closed_words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident => $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every word, in the order people read them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As stored and as the API says it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::record::UnknownWord;
            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word).ok_or_else(|| {
                    $crate::domain::record::UnknownWord {
                        word: word.to_owned(),
                        known: Self::ALL.iter().map(|known| known.as_str()).collect::<Vec<_>>().join(", "),
                    }
                })
            }
        }
    };
}

closed_words! {
    /// Where a record stands. Every source record seen is in exactly one.
    State {
        /// Due.
        Pending => "pending",
        /// A call is in progress.
        Syncing => "syncing",
        /// Written and verified.
        Succeeded => "succeeded",
        /// Nothing differed.
        Unchanged => "unchanged",
        /// Joined to an existing twin without a write.
        Linked => "linked",
        /// A prerequisite is missing; released by itself.
        Waiting => "waiting",
        /// Approval is asked for.
        Held => "held",
        /// More than one plausible match: a person chooses.
        Review => "review",
        /// Transient trouble; tried again by itself.
        Retrying => "retrying",
        /// A fact must change.
        Failed => "failed",
        /// Left out, by a rule or a person.
        Ignored => "ignored",
    }
}

impl State {
    /// Nothing is due for it now; it never blocks its lane.
    #[must_use]
    pub fn is_at_rest(self) -> bool {
        !matches!(self, Self::Pending | Self::Syncing | Self::Retrying)
    }

    /// The target holds it.
    #[must_use]
    pub fn is_synced(self) -> bool {
        matches!(self, Self::Succeeded | Self::Unchanged | Self::Linked)
    }

    /// As people say it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Pending => "Queued",
            Self::Syncing => "Writing",
            Self::Succeeded | Self::Unchanged => "Synced",
            Self::Linked => "Linked",
            Self::Waiting => "Waiting",
            Self::Held => "To approve",
            Self::Review => "Choose a match",
            Self::Retrying => "Trying again",
            Self::Failed => "Needs a mend",
            Self::Ignored => "Ignored",
        }
    }
}

/// A prerequisite that is missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WaitingFor {
    /// `vendor, order, project, cost_codes, items, tax_codes, units, dimension, period, batch`.
    pub kind: String,
    /// The bare code or id.
    pub key: String,
    /// For people.
    pub label: String,
}

impl WaitingFor {
    #[must_use]
    pub fn new(kind: &str, key: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            key: key.into(),
            label: label.into(),
        }
    }
}

impl fmt::Display for WaitingFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)
    }
}

/// A record of a system, named from outside.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ExternalRef {
    pub system: SystemId,
    pub entity: Entity,
    /// The vendor's bare key.
    pub id: String,
}

/// A record as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub id: RecordId,
    pub pair_id: PairId,
    pub flow: FlowName,
    pub state: State,
    /// A finer word under `pending` and `syncing`: `rate_limited`, `in_erp_batch`.
    pub substate: Option<String>,
    /// Why it is in this state: a stable word.
    pub reason: Option<String>,
    /// The same as a sentence that a clerk understands.
    pub explanation: String,
    pub flags: Vec<String>,
    pub number: Option<String>,
    pub counterparty: Option<String>,
    pub project: Option<String>,
    pub money: Option<Money>,
    pub source: ExternalRef,
    /// The source's own version word, for instance its time of change.
    pub source_version: Option<String>,
    pub target: Option<ExternalRef>,
    pub attempts: u32,
    pub next_attempt_at: Option<Timestamp>,
    pub waiting_for: Vec<WaitingFor>,
    pub fault: Option<Fault>,
    pub run_id: Option<RunId>,
    pub first_seen_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A record with everything that was kept about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WholeRecord {
    #[serde(flatten)]
    pub record: Record,
    /// Digest of the stored source body, if it is still kept.
    pub snapshot_digest: Option<String>,
    /// What is planned, or was last written.
    pub plan: Option<Plan>,
    pub candidates: Vec<Candidate>,
}

/// A flag beside the state: the record changed on the other side after it was synced.
pub const DIVERGED: &str = "diverged";
/// The source was deleted or voided.
pub const ORPHANED: &str = "orphaned";
/// A newer version exists.
pub const SUPERSEDED: &str = "superseded";
/// A write may or may not have landed.
pub const OUTCOME_UNKNOWN: &str = "outcome_unknown";

/// The target is not open for new documents: a blocked vendor, and documents that name it.
pub const BLOCKED: &str = "blocked";
/// The target holds more than one record with our own reference.
pub const DUPLICATE: &str = "duplicate";

/// Parses a stored word of a closed list.
///
/// # Errors
/// The word and the list, when it is not one of them.
pub fn word<T: FromStr<Err = UnknownWord>>(text: &str) -> Result<T, UnknownWord> {
    text.parse()
}
