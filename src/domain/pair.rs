//! A pair: two connections joined, with flows, schedule and policies.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::Date;

use super::clock::Timestamp;
use super::ids::{ConnectionId, PairId};
use super::schedule::Schedule;
use super::system::PairKind;
use crate::closed_words;

closed_words! {
    /// Whether a pair moves records.
    PairStatus {
        Draft => "draft",
        Active => "active",
        Paused => "paused",
    }
}

closed_words! {
    /// Whether a person must say yes before a write.
    Approval {
        Automatic => "automatic",
        Review => "review",
    }
}

/// How one flow is switched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowSetting {
    pub enabled: bool,
    pub approval: Approval,
}

/// Which projects are in scope. A project that is not mapped is in no scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Projects {
    /// The word `all`.
    All(AllWord),
    Some(Vec<String>),
}

closed_words! {
    /// The one word that stands for every mapped project.
    AllWord { All => "all" }
}

impl Default for Projects {
    fn default() -> Self {
        Self::All(AllWord::All)
    }
}

impl Projects {
    /// Whether a project is in scope.
    #[must_use]
    pub fn include(&self, key: &str) -> bool {
        match self {
            Self::All(_) => true,
            Self::Some(keys) => keys.iter().any(|found| found == key),
        }
    }
}

/// Rules that a customer sets. Texts are checked against the pair kind's list when saved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policies {
    /// Per flow, the source statuses that may leave.
    pub statuses: BTreeMap<String, Vec<String>>,
    /// Every other policy by name.
    pub rules: BTreeMap<String, String>,
}

impl Policies {
    /// A rule's value, or the default.
    #[must_use]
    pub fn rule<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        self.rules.get(name).map_or(default, String::as_str)
    }

    /// A rule that is yes or no.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.rule(name, "false") == "true"
    }
}

/// What a customer chose for a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairSettings {
    pub name: String,
    pub flows: BTreeMap<String, FlowSetting>,
    pub projects: Projects,
    pub schedule: Schedule,
    pub start_date: Option<Date>,
    pub policies: Policies,
}

/// A pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    pub id: PairId,
    pub kind: PairKind,
    pub erp_connection_id: ConnectionId,
    pub project_connection_id: ConnectionId,
    pub settings: PairSettings,
    pub status: PairStatus,
    /// Rises with every change of settings or mappings.
    pub version: i64,
    pub next_run_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Pair {
    /// The switched setting of a flow; off when it is not named.
    #[must_use]
    pub fn flow(&self, name: &str) -> FlowSetting {
        self.settings
            .flows
            .get(name)
            .copied()
            .unwrap_or(FlowSetting {
                enabled: false,
                approval: Approval::Review,
            })
    }
}

/// Why a pair cannot be activated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocker {
    pub code: String,
    pub message: String,
    /// What it is about: a connection, a project, a flow.
    pub subject: String,
}

/// A status without case, blanks and underscores: `Approved As Noted` is `approved_as_noted`.
#[must_use]
pub fn plain_status(status: &str) -> String {
    status
        .chars()
        .filter(|letter| !letter.is_whitespace() && *letter != '_')
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_compare_as_people_read_them() {
        assert_eq!(
            plain_status("Approved As Noted"),
            plain_status("approved_as_noted")
        );
        assert_ne!(plain_status("Approved"), plain_status("approved_as_noted"));
    }
}
