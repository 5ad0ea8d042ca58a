//! What would be done with a record, and why: computed first, shown to people, then carried out as shown.

use serde::{Deserialize, Serialize};

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
