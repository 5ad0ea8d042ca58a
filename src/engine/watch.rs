//! Looks values up that records wait for in the ERP: each value once for everybody who waits for it, as due work of
//! the slice.

use std::time::Duration;

use super::chores;
use super::turn::Turn;
use crate::domain::clock::Timestamp;
use crate::domain::fault::Fault;
use crate::domain::ids::ConnectionId;
use crate::store::chore::{self, Chore};
use crate::store::{self, StoreError};

/// Values are looked at again after this long; a run looks at once.
const EVERY: Duration = Duration::from_secs(15 * 60);
/// Values of one look-up: a few seconds of calls at the slowest pace that vendors allow.
const VALUES_AT_ONCE: u32 = 10;
/// The kind of wait that is watched.
const KIND: &str = "dimension";

/// Whether what is waited for under a kind is looked at here, and not once for each record.
#[must_use]
pub fn is_watched(kind: &str) -> bool {
    kind == KIND
}

/// How long values rest between two looks, at this engine's pace.
#[must_use]
pub fn interval(turn: &Turn) -> Duration {
    turn.engine.pace.wait(EVERY)
}

/// Looks some values up and releases who waited for those that are there.
///
/// # Errors
/// `Stale` when the turn is lost, `Database`.
pub async fn look(turn: &Turn, chore: &Chore) -> Result<(), StoreError> {
    let Some(ends) = turn.ends(chore.pair).await? else {
        // A pair that stands still watches nothing; what waits is looked at when it is activated.
        return end(turn, chore).await;
    };
    let scope = turn.engine.store.read(turn.tenant).await?;
    let (pair, after) = (chore.pair, chore.progress.as_str());
    let keys = store::wait::keys(&scope, pair, KIND, after, VALUES_AT_ONCE).await?;
    drop(scope);
    if keys.is_empty() && after.is_empty() {
        return end(turn, chore).await;
    }
    let Some(verifies) = ends.erp.connector.verifies else {
        return end(turn, chore).await;
    };
    let session = ends.session(&turn.engine, &ends.erp)?;
    match verifies.are_open(&session, &keys).await {
        Ok(open) => {
            turn.engine.breakers.answered(ends.erp.connection.id);
            let appeared: Vec<String> = keys
                .iter()
                .zip(open)
                .filter(|(_, is_open)| *is_open)
                .map(|(key, _)| key.clone())
                .collect();
            let is_whole = u32::try_from(keys.len()).is_ok_and(|count| count < VALUES_AT_ONCE);
            let last = keys.last().filter(|_| !is_whole).cloned();
            release(turn, chore, appeared, last).await
        }
        Err(fault) => give_way(turn, chore, (ends.erp.connection.id, fault)).await,
    }
}

async fn end(turn: &Turn, chore: &Chore) -> Result<(), StoreError> {
    let chore = chore.clone();
    turn.write(move |scope| Box::pin(async move { chore::end(scope, &chore).await }))
        .await
}

async fn release(
    turn: &Turn,
    chore: &Chore,
    appeared: Vec<String>,
    last: Option<String>,
) -> Result<(), StoreError> {
    let (chore, every) = (chore.clone(), interval(turn));
    turn.write(move |scope| {
        Box::pin(async move {
            for key in &appeared {
                store::wait::release(scope, chore.pair, KIND, key).await?;
            }
            let (at, progress) = match &last {
                Some(last) => (scope.now(), last.as_str()),
                None => (scope.now().plus(every), ""),
            };
            chore::go_on(scope, &chore, at, progress).await
        })
    })
    .await
}

async fn give_way(
    turn: &Turn,
    chore: &Chore,
    (connection, fault): (ConnectionId, Fault),
) -> Result<(), StoreError> {
    tracing::info!(%fault, pair = %chore.pair, "values that are waited for could not be looked up");
    let until: Timestamp = chores::rest(turn, connection, &fault);
    let chore = chore.clone();
    turn.write(move |scope| {
        Box::pin(async move { chore::go_on(scope, &chore, until, &chore.progress).await })
    })
    .await
}
