//! Work of a pair that comes again and again: when it is due, and how far it has come.

use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use super::{Scope, StoreError};
use crate::closed_words;
use crate::domain::clock::Timestamp;
use crate::domain::ids::PairId;

closed_words! {
    /// What is done.
    Word {
        /// Looks values up that records wait for.
        Watch => "watch",
        /// Reads the codes of both sides, for proposals and coverage.
        Catalogue => "catalogue",
    }
}

/// A piece of such work that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chore {
    pub pair: PairId,
    pub word: Word,
    /// How far it has come; empty at its beginning.
    pub progress: String,
}

#[derive(FromQueryResult)]
struct Row {
    pair_id: Uuid,
    word: String,
    progress: String,
}

/// What is due now, the longest first.
///
/// # Errors
/// `Corrupt`, `Database`.
pub async fn due(scope: &Scope, now: Timestamp) -> Result<Vec<Chore>, StoreError> {
    let rows: Vec<Row> = scope
        .all(
            "SELECT pair_id, word, progress FROM chore WHERE tenant_id = $1 AND due_at <= $2 ORDER BY due_at",
            [scope.tenant_value(), now.0.into()],
        )
        .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Chore {
                pair: row.pair_id.into(),
                word: super::rows::Column::new("chore", "word").parse(&row.word)?,
                progress: row.progress,
            })
        })
        .collect()
}

/// It will be due at `at`, unless it is due at another time already.
///
/// # Errors
/// `Database`.
pub async fn begin(
    scope: &Scope,
    pair: PairId,
    word: Word,
    at: Timestamp,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO chore (tenant_id, pair_id, word, due_at, progress) VALUES ($1, $2, $3, $4, '') \
               ON CONFLICT DO NOTHING";
    scope.run(sql, values(scope, pair, word, at)).await?;
    Ok(())
}

/// It is due at `at` or earlier. Wakes the tenant.
///
/// # Errors
/// `Database`.
pub async fn hasten(
    scope: &Scope,
    pair: PairId,
    word: Word,
    at: Timestamp,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO chore (tenant_id, pair_id, word, due_at, progress) VALUES ($1, $2, $3, $4, '') \
               ON CONFLICT (tenant_id, pair_id, word) DO UPDATE SET due_at = excluded.due_at \
               WHERE chore.due_at > excluded.due_at";
    let moved = scope.run(sql, values(scope, pair, word, at)).await?;
    if moved > 0 {
        scope.wake(at);
    }
    Ok(())
}

/// If it is to be done at all, it is due now.
///
/// # Errors
/// `Database`.
pub async fn hasten_known(scope: &Scope, pair: PairId, word: Word) -> Result<(), StoreError> {
    let sql = "UPDATE chore SET due_at = $4 \
               WHERE tenant_id = $1 AND pair_id = $2 AND word = $3 AND due_at > $4";
    scope
        .run(sql, values(scope, pair, word, scope.now()))
        .await?;
    Ok(())
}

/// It goes on at `at` from where it has come to.
///
/// # Errors
/// `Database`.
pub async fn go_on(
    scope: &Scope,
    chore: &Chore,
    at: Timestamp,
    progress: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE chore SET due_at = $4, progress = $5 WHERE tenant_id = $1 AND pair_id = $2 AND word = $3";
    let mut values: Vec<Value> = values(scope, chore.pair, chore.word, at).into();
    values.push(progress.into());
    scope.run(sql, values).await?;
    Ok(())
}

/// There is nothing of it to be done any more.
///
/// # Errors
/// `Database`.
pub async fn end(scope: &Scope, chore: &Chore) -> Result<(), StoreError> {
    scope
        .run(
            "DELETE FROM chore WHERE tenant_id = $1 AND pair_id = $2 AND word = $3",
            [
                scope.tenant_value(),
                chore.pair.0.into(),
                chore.word.as_str().into(),
            ],
        )
        .await?;
    Ok(())
}

fn values(scope: &Scope, pair: PairId, word: Word, at: Timestamp) -> [Value; 4] {
    [
        scope.tenant_value(),
        pair.0.into(),
        word.as_str().into(),
        at.0.into(),
    ]
}
