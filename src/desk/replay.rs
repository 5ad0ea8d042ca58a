//! Answers kept by `Idempotency-Key`, so that a request that is sent again is not carried out twice.

use std::time::Duration;

use super::{Desk, DeskError};
use crate::domain::member::Caller;
use crate::store::idempotency;

pub use crate::store::idempotency::Known as Replay;

/// Claims a key for a request, unless it is known. Keys older than `kept` are forgotten.
///
/// # Errors
/// `Store`.
pub async fn claim(
    desk: &Desk,
    caller: &Caller,
    key: &str,
    digest: &str,
    kept: Duration,
) -> Result<Replay, DeskError> {
    let (key, digest) = (key.to_owned(), digest.to_owned());
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move {
                let oldest = scope.now().minus(kept);
                Ok(idempotency::claim(scope, &key, &digest, oldest).await?)
            })
        })
        .await
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
