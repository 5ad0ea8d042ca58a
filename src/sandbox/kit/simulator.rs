//! What a vendor's simulator must be able to do.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::{Call, Reply};

/// The vendor's name for what a call does, where its path alone is not enough to match faults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Operation {
    pub program: String,
    pub transaction: String,
}

/// One vendor, in memory. Every function runs under the simulator's lock: no waiting in here.
pub trait Simulator: Send + 'static {
    /// Answers one vendor call at the sandbox's own time. A write that was accepted is told to
    /// the ledger with [`Reply::wrote`].
    fn answer(&mut self, call: &Call, now: OffsetDateTime) -> Reply;

    /// Back to the seed and to the first settings.
    fn reset(&mut self);

    /// Every token given so far stops working.
    fn expire_tokens(&mut self);

    /// Counts and objects, for people and tests.
    fn state(&self) -> Value;

    /// The simulator's own switches.
    fn settings(&self) -> Value {
        json!({})
    }

    /// Changes switches; those not named stay.
    ///
    /// # Errors
    /// What is wrong with the changes, in words; nothing is changed then.
    fn set(&mut self, changes: &Map<String, Value>) -> Result<(), String> {
        match changes.keys().next() {
            Some(name) => Err(format!("there is no setting `{name}`")),
            None => Ok(()),
        }
    }

    /// A call under `/_sandbox/` that the kit does not know. `None` answers 404.
    fn command(&mut self, _call: &Call, _now: OffsetDateTime) -> Option<Reply> {
        None
    }

    /// Program and transaction, where the vendor has them.
    fn operation(&self, _call: &Call) -> Option<Operation> {
        None
    }

    /// The vendor's answer to a call that comes too fast.
    fn throttled(&self, retry_after_s: u64, _now: OffsetDateTime) -> Reply {
        Reply::json(429, &json!({"error": "too many requests"}))
            .header("Retry-After", &retry_after_s.to_string())
    }

    /// The vendor's answer when a `status` fault gives no body of its own.
    fn refusal(&self, status: u16) -> Reply {
        Reply::json(
            status,
            &json!({"error": format!("the sandbox was told to answer {status}")}),
        )
    }
}
