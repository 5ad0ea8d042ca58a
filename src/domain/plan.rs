//! What would be done with a record, and why: computed first, shown to people, then carried out as shown.

use serde::{Deserialize, Serialize};

use super::fault::Issue;
use super::money::Money;
use super::record::{ExternalRef, WaitingFor};
use super::system::FlowName;
use crate::closed_words;

closed_words! {
    /// The verb of a plan, as the API names it.
    Action {
        Create => "create",
        Update => "update",
        Link => "link",
        None => "none",
        Wait => "wait",
        Skip => "skip",
        Review => "review",
        Fail => "fail",
    }
}

/// One field of the exact write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Label for people, with the line where there is one: `Line 3 · Quantity`.
    pub field: String,
    /// What the target holds now; none when it is created.
    pub from: Option<String>,
    pub to: Option<String>,
    /// The rule that gave the value, for the curious: `mapping cost_codes`, `setting facility`, `source`.
    pub why: String,
}

/// The plan of one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub action: Action,
    /// Digest of the exact write; approval binds to it. Empty where nothing is written.
    pub digest: String,
    pub changes: Vec<Change>,
}

/// A record of the target that may be the same as the source's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The target's bare key.
    pub target_id: String,
    /// How it was found: `number`, `tax_id`, `name`, `write_tag`, …
    pub matched_by: String,
    /// 0-100.
    pub score: u8,
    /// Facts to compare, label and value.
    pub facts: Vec<(String, String)>,
}

/// What a dry run found that would be done with one source record.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreseen {
    pub flow: FlowName,
    pub source: ExternalRef,
    pub number: Option<String>,
    pub counterparty: Option<String>,
    pub project: Option<String>,
    pub money: Option<Money>,
    pub action: Action,
    /// The target's key: of what is there, or as it was chosen for what would be created.
    pub target_id: Option<String>,
    /// Digest of the exact write.
    pub digest: Option<String>,
    /// What would be written, or where the two sides differ.
    pub changes: Vec<Change>,
    pub issues: Vec<Issue>,
    pub candidates: Vec<Candidate>,
    pub waiting_for: Vec<WaitingFor>,
    /// Why: a stable word, and a sentence.
    pub reason: Option<String>,
    pub explanation: String,
}
