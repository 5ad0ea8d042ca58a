//! The exact write, the look-up before it, and the steps that carry it out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::Date;

use crate::domain::holding::Holding;
use crate::domain::mapping::Tables;
use crate::domain::money::Money;
use crate::domain::plan::{Candidate, Change};
use crate::domain::system::Entity;
use crate::domain::tag::{WriteTag, digest};

/// A thing that must be there before a record can be drafted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// `waiting_for.kind` of the API: `vendor`, `order`, `project`, `cost_codes`, `items`, …
    pub kind: &'static str,
    pub key: String,
    pub label: String,
}

/// What was looked up before mapping: mapping itself fetches nothing.
#[derive(Debug, Clone, Copy)]
pub struct Refs<'a> {
    pub tables: &'a Tables,
    /// Target keys of linked records, by entity and source key.
    pub links: &'a BTreeMap<(Entity, String), String>,
    pub tag: &'a WriteTag,
    /// The day of the draft in the pair's zone.
    pub today: Date,
}

impl Refs<'_> {
    /// The target's key of a linked record.
    #[must_use]
    pub fn target(&self, entity: &Entity, source_key: &str) -> Option<&str> {
        self.links
            .get(&(entity.clone(), source_key.to_owned()))
            .map(String::as_str)
    }
}

/// The exact write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// Everything the connector needs to send it, in its own notation. The tag is inside.
    pub payload: Value,
    /// The same for people, in reading order.
    pub fields: Vec<Change>,
    /// The natural key by which the target tells one from another (a chosen number, the tag).
    pub natural_key: String,
    pub money: Option<Money>,
    /// SHA-256 of the payload; approval binds to it.
    pub digest: String,
    /// It changes a record that was written before; none: it makes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amends: Option<Amends>,
}

/// What a change is a change of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amends {
    /// The target's bare key.
    pub target_id: String,
    /// Digest of the whole draft that the target holds afterwards.
    pub whole_digest: String,
}

/// What is known of a record that was written before.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    pub target_id: &'a str,
    /// Target keys of its parts by their source keys.
    pub parts: &'a BTreeMap<String, String>,
    /// The draft that the target was last known to hold.
    pub written: Option<&'a Draft>,
}

/// What must be done so that the target holds a draft.
#[derive(Debug, Clone, PartialEq)]
pub enum Amendment {
    /// It does.
    Same,
    /// This exact change.
    Change(Box<Draft>),
    /// Some of it cannot be done any more, so nothing is: the values of both sides, and why.
    Stuck {
        differences: Vec<Change>,
        says: String,
    },
}

/// Code of a conflict that says: the record is too far in the target to be changed.
pub const TOO_FAR: &str = "too_far";

impl Draft {
    #[must_use]
    pub fn new(
        payload: Value,
        fields: Vec<Change>,
        natural_key: String,
        money: Option<Money>,
    ) -> Self {
        let digest = digest(canonical(&payload).as_bytes());
        Self {
            payload,
            fields,
            natural_key,
            money,
            digest,
            amends: None,
        }
    }

    /// The same as a change of a record that was written before.
    #[must_use]
    pub fn amending(self, target_id: &str, whole: &Self) -> Self {
        Self {
            amends: Some(Amends {
                target_id: target_id.to_owned(),
                whole_digest: whole.digest.clone(),
            }),
            ..self
        }
    }
}

/// The payload with the names of every object in order, so that equal content gives equal bytes. The
/// JSON library keeps them sorted or as they came, by a feature that any crate of the build may switch.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<&String, &Value> = fields.iter().collect();
            let pairs: Vec<String> = sorted
                .into_iter()
                .map(|(name, held)| format!("{}:{}", Value::from(name.as_str()), canonical(held)))
                .collect();
            format!("{{{}}}", pairs.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        plain => plain.to_string(),
    }
}

/// A record of the target that is the same as the draft.
#[derive(Debug, Clone, PartialEq)]
pub struct Existing {
    /// The target's bare key.
    pub target_id: String,
    /// `write_tag`, `number`, `tax_id`, `name`.
    pub matched_by: &'static str,
    /// Carries our own tag or number: a chain of ours, whole or half done.
    pub is_ours: bool,
    /// Where a half-done chain of ours goes on; none when it is whole.
    pub resume: Option<Progress>,
    /// Where it differs from the draft.
    pub differences: Vec<Change>,
}

/// The result of a look-up.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// Surely not there.
    None,
    One(Box<Existing>),
    /// A person must choose.
    Many(Vec<Candidate>),
    /// The look-up could not run: never to be taken for absence.
    Unsure(String),
}

/// How far a chain of calls has come. Kept between steps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The next step's name in the connector's notation; empty at the start.
    pub next: String,
    /// Index within that step (the line).
    pub index: usize,
    /// Keys that the vendor gave on the way: a batch number, an order number.
    pub keys: BTreeMap<String, String>,
    /// Sentences for the trail.
    pub notes: Vec<String>,
}

impl Progress {
    /// The beginning of a chain.
    #[must_use]
    pub fn start() -> Self {
        Self::default()
    }

    /// A copy that goes on at another step.
    #[must_use]
    pub fn then(&self, next: &str, index: usize) -> Self {
        Self {
            next: next.to_owned(),
            index,
            ..self.clone()
        }
    }

    /// Adds a key.
    #[must_use]
    pub fn with_key(mut self, name: &str, value: impl Into<String>) -> Self {
        self.keys.insert(name.to_owned(), value.into());
        self
    }

    /// A key that an earlier step gave.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&str> {
        self.keys.get(name).map(String::as_str)
    }
}

/// Whether a step can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Moves nothing until the chain is finished; after a crash it is undone and started afresh.
    Harmless,
    /// Can be seen by people or cannot be taken back: needs an intent of its own first.
    Final,
}

/// The next step, named before it is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upcoming {
    /// As people of that vendor name it.
    pub operation: String,
    pub weight: Weight,
    /// What it will touch, where that is known already.
    pub target_key: Option<String>,
}

/// What a step led to.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Go on. `durable` asks that this progress be kept before the next step.
    More { at: Progress, durable: bool },
    /// The vendor has taken it but not finished; ask again later.
    Accepted { at: Progress, waiting_for: String },
    /// Written and read back.
    Done(Box<Written>),
}

/// A finished write.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The target's bare key.
    pub target_id: String,
    /// Further links that came with it: entity, source key, target key (order lines).
    pub parts: Vec<(Entity, String, String)>,
    /// Sentences for people: what could not be read back, what is preliminary.
    pub notes: Vec<String>,
    /// What the target holds of it, as it was read back; none where nobody looks at it again.
    pub held: Option<Holding>,
}

/// What guards against a repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// The vendor refuses a second one: one negative look-up is enough after an unknown outcome.
    Enforced,
    /// Only our look-up does: quiet period and two negative look-ups.
    Lookup,
    /// Nothing does: a person decides.
    Never,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_content_has_one_digest_however_it_was_put_together() {
        let of = |payload| Draft::new(payload, Vec::new(), String::new(), None).digest;
        let one = of(json!({"a": [{"x": 1, "y": "\u{e9}"}], "b": null}));
        assert_eq!(one, of(json!({"b": null, "a": [{"y": "\u{e9}", "x": 1}]})));
        assert_ne!(
            one,
            of(json!({"a": [{"x": "1", "y": "\u{e9}"}], "b": null}))
        );
    }
}
