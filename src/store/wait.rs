//! What records wait for, and their release when it appears.

use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use super::{Scope, StoreError};
use crate::domain::ids::{PairId, RecordId};
use crate::domain::record::WaitingFor;

/// Replaces what a record waits for.
///
/// # Errors
/// `Database`.
pub async fn set(
    scope: &Scope,
    pair: PairId,
    record: RecordId,
    waits: &[WaitingFor],
) -> Result<(), StoreError> {
    clear(scope, record).await?;
    for wait in waits {
        let values: [Value; 5] = [
            scope.tenant_value(),
            record.0.into(),
            pair.0.into(),
            wait.kind.clone().into(),
            wait.key.clone().into(),
        ];
        scope
            .run(
                "INSERT INTO wait (tenant_id, record_id, pair_id, kind, key) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT DO NOTHING",
                values,
            )
            .await?;
    }
    Ok(())
}

/// A record waits for nothing any more.
///
/// # Errors
/// `Database`.
pub async fn clear(scope: &Scope, record: RecordId) -> Result<(), StoreError> {
    scope
        .run(
            "DELETE FROM wait WHERE tenant_id = $1 AND record_id = $2",
            [scope.tenant_value(), record.0.into()],
        )
        .await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct Key {
    key: String,
}

/// What records of a pair wait for under one kind, each key once and in order, after one of them.
///
/// # Errors
/// `Database`.
pub async fn keys(
    scope: &Scope,
    pair: PairId,
    kind: &str,
    after: &str,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    let sql = format!(
        "SELECT DISTINCT key FROM wait WHERE tenant_id = $1 AND pair_id = $2 AND kind = $3 AND key > $4 \
         ORDER BY key LIMIT {limit}"
    );
    let values = [
        scope.tenant_value(),
        pair.0.into(),
        kind.into(),
        after.into(),
    ];
    let rows: Vec<Key> = scope.all(&sql, values).await?;
    Ok(rows.into_iter().map(|row| row.key).collect())
}

#[derive(FromQueryResult)]
struct Of {
    record_id: Uuid,
}

const FORGET: &str = "
DELETE FROM wait WHERE tenant_id = $1 AND pair_id = $2 AND kind = $3 AND key = $4 RETURNING record_id";

/// Something appeared: its waits go, and records that wait for nothing else become due, however many
/// they are. Gives how many were released.
///
/// # Errors
/// `Database`.
pub async fn release(
    scope: &Scope,
    pair: PairId,
    kind: &str,
    key: &str,
) -> Result<u64, StoreError> {
    let values = [scope.tenant_value(), pair.0.into(), kind.into(), key.into()];
    let waited: Vec<Of> = scope.all(FORGET, values).await?;
    let mut released = 0_u64;
    for some in waited.chunks(RECORDS_AT_ONCE) {
        released = released.saturating_add(free(scope, some).await?);
    }
    if released > 0 {
        scope.wake(scope.now());
    }
    Ok(released)
}

/// Records of one statement.
const RECORDS_AT_ONCE: usize = 500;

/// Named one by one: a planner without statistics turns a nested look-up into hours.
async fn free(scope: &Scope, waited: &[Of]) -> Result<u64, StoreError> {
    let mark = |at: usize| format!("${}", at.saturating_add(3));
    let marks: Vec<String> = (0..waited.len()).map(mark).collect();
    let sql = format!(
        "UPDATE record SET state = 'pending', due_at = $2, updated_at = $2, revision = revision + 1 WHERE tenant_id = $1 AND state = 'waiting' \
         AND id IN ({}) AND NOT EXISTS (SELECT 1 FROM wait WHERE wait.tenant_id = $1 AND wait.record_id = record.id)",
        marks.join(", ")
    );
    let mut values: Vec<Value> = vec![scope.tenant_value(), scope.now().0.into()];
    values.extend(waited.iter().map(|of| of.record_id.into()));
    scope.run(&sql, values).await
}

/// A whole kind may have appeared (a table was replaced): everything that waits for it is looked at.
/// Gives how many records were released.
///
/// # Errors
/// `Database`.
pub async fn release_kind(scope: &Scope, pair: PairId, kind: &str) -> Result<u64, StoreError> {
    let released = scope
        .run(
            "UPDATE record SET state = 'pending', due_at = $4, updated_at = $4, revision = revision + 1 WHERE tenant_id = $1 AND state = 'waiting' \
             AND id IN (SELECT record_id FROM wait WHERE tenant_id = $1 AND pair_id = $2 AND kind = $3)",
            [
                scope.tenant_value(),
                pair.0.into(),
                kind.into(),
                scope.now().0.into(),
            ],
        )
        .await?;
    scope
        .run(
            "DELETE FROM wait WHERE tenant_id = $1 AND pair_id = $2 AND kind = $3",
            [scope.tenant_value(), pair.0.into(), kind.into()],
        )
        .await?;
    if released > 0 {
        scope.wake(scope.now());
    }
    Ok(released)
}
