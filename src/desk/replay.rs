//! Answers kept by `Idempotency-Key`, so that a request that is sent again is not carried out twice.

use std::time::Duration;

use super::{Desk, DeskError};
use crate::domain::clock::Timestamp;
use crate::domain::member::Caller;
use crate::store::audit;
use crate::store::idempotency::{self, Claim};

/// What is told of a request that makes something.
const MADE: [&str; 4] = [
    "connection.created",
    "pair.created",
    "token.created",
    "run.started",
];

pub use crate::store::idempotency::Known as Replay;

/// However long a request takes, its last commit is over by then.
const CUT_OFF_AFTER: Duration = Duration::from_secs(60);

/// Claims a key for a request, unless it is known. Keys older than `kept` are forgotten. A key whose request
/// began before `begun_at`, when this process did, or a minute ago, is taken over: an embedded database has one
/// process, and no request lasts so long.
///
/// # Errors
/// `Store`.
pub async fn claim(
    desk: &Desk,
    caller: &Caller,
    (key, digest): (&str, &str),
    (kept, begun_at): (Duration, Timestamp),
) -> Result<Replay, DeskError> {
    let now = desk.store().clock().now();
    let mut cut_off_before = now.minus(CUT_OFF_AFTER);
    if !desk.store().is_postgres() {
        cut_off_before = cut_off_before.max(begun_at);
    }
    let origin = caller.actor.origin.as_ref();
    let claim = Claim {
        key: key.to_owned(),
        request_digest: digest.to_owned(),
        request: origin.map_or_else(String::new, |origin| origin.request_id.clone()),
        oldest: now.minus(kept),
        cut_off_before,
    };
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move { Ok(idempotency::claim(scope, &claim).await?) })
        })
        .await
}

/// What a request that was cut off has committed: the kind and id of what it made. None: nothing, and it may be
/// carried out.
///
/// # Errors
/// `Store`.
pub async fn made_by(
    desk: &Desk,
    caller: &Caller,
    since: Timestamp,
    request: &str,
) -> Result<Option<(String, String)>, DeskError> {
    const EVENTS_MAX: u32 = 1000;
    let filter = audit::Filter {
        from: Some(since),
        to: Some(since.plus(CUT_OFF_AFTER)),
        actor: Some(caller.actor.id.clone()),
        ..audit::Filter::default()
    };
    let scope = desk.store().read(caller.tenant_id).await?;
    let order = audit::Order::OldestFirst;
    let told = audit::list(&scope, &filter, order, None, EVENTS_MAX).await?;
    let made = told.into_iter().find(|event| {
        MADE.contains(&event.action.as_str())
            && event.beside.as_ref().is_some_and(|beside| {
                let facts = beside.facts();
                let number = facts.iter().find(|(name, _)| name == "request");
                number.is_some_and(|(_, number)| number == request)
            })
    });
    Ok(made.map(|event| (event.subject_kind, event.subject_id)))
}

/// Keeps an answer, without anything secret.
///
/// # Errors
/// `Store`.
pub async fn keep(
    desk: &Desk,
    caller: &Caller,
    key: &str,
    status: u16,
    answer: String,
) -> Result<(), DeskError> {
    let key = key.to_owned();
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move { Ok(idempotency::answer(scope, &key, status, &answer).await?) })
        })
        .await
}

/// Frees the key of a request that was not carried out.
///
/// # Errors
/// `Store`.
pub async fn release(desk: &Desk, caller: &Caller, key: &str) -> Result<(), DeskError> {
    let key = key.to_owned();
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move { Ok(idempotency::release(scope, &key).await?) })
        })
        .await
}
