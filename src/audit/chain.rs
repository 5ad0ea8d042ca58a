//! Putting what happened at the end of a chain.

use super::canonical;
use super::event::{Beside, Event, Head, SALT_BYTES};
use super::visible;
use crate::domain::audit::Happened;
use crate::domain::clock::Timestamp;
use crate::domain::member::Actor;

/// Chains one thing that happened: the event to store, and the head to go on from. The salt is random
/// and used once. Texts that came from outside are made visible, so that none can forge a line.
#[must_use]
pub fn chain(
    previous: &Head,
    happened: &Happened,
    actor: &Actor,
    at: Timestamp,
    salt: [u8; SALT_BYTES],
) -> (Event, Head) {
    let facts: Vec<(&str, String)> = happened
        .detail
        .iter()
        .map(|(name, value)| (*name, visible(value).into_owned()))
        .collect();
    let beside = Beside {
        salt,
        actor_name: visible(&actor.name).into_owned(),
        detail: canonical::detail(&facts),
    };
    let mut event = Event {
        seq: previous.seq.saturating_add(1),
        at,
        actor_kind: actor.kind.clone(),
        actor_id: visible(&actor.id).into_owned(),
        action: happened.action.to_owned(),
        subject_kind: happened.subject.kind.to_owned(),
        subject_id: visible(&happened.subject.id).into_owned(),
        run_id: happened.run_id,
        detail_hash: canonical::detail_hash(&beside),
        prev_hash: previous.hash.clone(),
        hash: String::new(),
        beside: Some(beside),
    };
    event.hash = canonical::hash(&event);
    let head = Head {
        seq: event.seq,
        hash: event.hash.clone(),
    };
    (event, head)
}
