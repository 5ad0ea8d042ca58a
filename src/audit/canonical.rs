//! The one form in which an event is hashed: JSON by RFC 8785, so that anybody can compute it again.
//!
//! The members stand in alphabetical order, without blanks. Numbers are whole and texts are written as
//! serde_json writes them, which is what that form asks for.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::event::{Beside, Event};
use crate::domain::clock::Timestamp;
use crate::domain::ids::RunId;
use crate::domain::tag;

#[derive(Serialize)]
struct Canonical<'a> {
    action: &'a str,
    actor: Named<'a>,
    at: Timestamp,
    detail_hash: &'a str,
    prev_hash: &'a str,
    run_id: Option<RunId>,
    seq: i64,
    subject: Named<'a>,
}

#[derive(Serialize)]
struct Named<'a> {
    id: &'a str,
    kind: &'a str,
}

#[derive(Serialize)]
struct CanonicalBeside<'a> {
    actor_name: &'a str,
    detail: &'a str,
}

/// The hash of an event, from everything in it but the hash itself.
pub(super) fn hash(event: &Event) -> String {
    tag::digest(&json(&Canonical {
        action: &event.action,
        actor: Named {
            id: &event.actor_id,
            kind: &event.actor_kind,
        },
        at: event.at,
        detail_hash: &event.detail_hash,
        prev_hash: &event.prev_hash,
        run_id: event.run_id,
        seq: event.seq,
        subject: Named {
            id: &event.subject_id,
            kind: &event.subject_kind,
        },
    }))
}

/// The digest of what lies beside: of its salt, then of its canonical form.
pub(super) fn detail_hash(beside: &Beside) -> String {
    let form = json(&CanonicalBeside {
        actor_name: &beside.actor_name,
        detail: &beside.detail,
    });
    let salted = Sha256::new_with_prefix(beside.salt).chain_update(form);
    data_encoding::HEXLOWER.encode(&salted.finalize())
}

/// Facts as the text of a JSON object. A name told again is numbered, because readers keep only one.
pub(super) fn detail(facts: &[(&str, String)]) -> String {
    let mut object = Vec::with_capacity(facts.len());
    for (index, (name, value)) in facts.iter().enumerate() {
        let told = facts.iter().take(index).filter(|(other, _)| other == name);
        let name = match told.count() {
            0 => (*name).to_owned(),
            before => format!("{name}_{}", before.saturating_add(1)),
        };
        object.push((name, value.clone()));
    }
    Facts(object).text()
}

/// The facts in the text of a JSON object.
pub(super) fn facts(detail: &str) -> Vec<(String, String)> {
    serde_json::from_str(detail).map_or_else(|_| Vec::new(), |Facts(facts)| facts)
}

/// Plain structs of texts and numbers always have a JSON form; an empty one would verify as nothing.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// An object of texts that keeps its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts(pub(super) Vec<(String, String)>);

impl Facts {
    /// The text that is stored and hashed.
    pub(super) fn text(&self) -> String {
        String::from_utf8(json(self)).unwrap_or_default()
    }
}

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut object = to.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            object.serialize_entry(name, value)?;
        }
        object.end()
    }
}

impl<'de> Deserialize<'de> for Facts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Facts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Facts, A::Error> {
                let mut facts = Vec::new();
                while let Some(fact) = map.next_entry()? {
                    facts.push(fact);
                }
                Ok(Facts(facts))
            }
        }
        from.deserialize_map(InOrder)
    }
}
