//! Work that comes again and again for a pair, beside its runs: each piece is one step of a few calls.

use std::time::Duration;

use super::turn::Turn;
use super::{codes, watch};
use crate::domain::clock::Timestamp;
use crate::domain::fault::Fault;
use crate::domain::ids::ConnectionId;
use crate::store::StoreError;
use crate::store::chore::{self, Chore, Word};

/// After calls that failed.
const REST: Duration = Duration::from_secs(60);

/// One step of everything that is due. Gives whether there was any.
///
/// # Errors
/// `Stale` when the turn is lost, `Database`.
pub async fn step_all(turn: &Turn) -> Result<bool, StoreError> {
    let scope = turn.engine.store.read(turn.tenant).await?;
    let due = chore::due(&scope, turn.engine.clock.now()).await?;
    drop(scope);
    let mut has_worked = false;
    for chore in due {
        if turn.is_over() {
            break;
        }
        has_worked = true;
        match step(turn, &chore).await {
            Ok(()) => {}
            Err(error) if error.is_turn_lost() => return Err(error),
            Err(error) => put_off(turn, &chore, &error).await?,
        }
    }
    Ok(has_worked)
}

async fn step(turn: &Turn, chore: &Chore) -> Result<(), StoreError> {
    match chore.word {
        Word::Watch => watch::look(turn, chore).await,
        Word::Catalogue => codes::read(turn, chore).await,
    }
}

/// Our own part is in the way: later, and others go on.
async fn put_off(turn: &Turn, chore: &Chore, error: &StoreError) -> Result<(), StoreError> {
    tracing::warn!(%error, pair = %chore.pair, word = %chore.word, "a chore was not done");
    let until = turn.engine.clock.now().plus(REST);
    let chore = chore.clone();
    turn.write(move |scope| {
        Box::pin(async move { chore::go_on(scope, &chore, until, &chore.progress).await })
    })
    .await
}

/// When a connection whose call failed may be asked again.
pub(super) fn rest(turn: &Turn, connection: ConnectionId, fault: &Fault) -> Timestamp {
    let engine = &turn.engine;
    let now = engine.clock.now();
    let broken = engine.breakers.failed(connection, fault, now, engine.pace);
    let rest = match (fault, broken) {
        (_, Some(rest)) => rest,
        (Fault::RateLimited { retry_after, .. }, None) => *retry_after,
        _ => engine.pace.wait(REST),
    };
    let until = now.plus(rest);
    if broken.is_some() || matches!(fault, Fault::RateLimited { .. }) {
        turn.slow_down(connection, until);
    }
    until
}
