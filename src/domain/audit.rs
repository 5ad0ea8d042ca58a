//! An audit event before it is chained: what happened to what. Details are plain text pairs, never secrets.

use super::ids::RunId;

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// `record`, `connection`, `pair`, `member`, `token`, `tenant`, `run`, `mapping`.
    pub kind: &'static str,
    pub id: String,
}

/// One thing that happened, to be chained with the change it tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// Noun and past participle: `record.approved`, `write.intent`, `connection.created`.
    pub action: &'static str,
    pub subject: Subject,
    pub run_id: Option<RunId>,
    /// Ordered facts.
    pub detail: Vec<(&'static str, String)>,
}

impl Happened {
    #[must_use]
    pub fn new(action: &'static str, kind: &'static str, id: impl ToString) -> Self {
        Self {
            action,
            subject: Subject {
                kind,
                id: id.to_string(),
            },
            run_id: None,
            detail: Vec::new(),
        }
    }

    /// Adds one fact.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.detail.push((name, value.to_string()));
        self
    }

    /// Names the run it happened in.
    #[must_use]
    pub fn in_run(mut self, run: Option<RunId>) -> Self {
        self.run_id = run;
        self
    }
}
