//! What records wait for, and their release when it appears.

use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use super::{Scope, StoreError};
use crate::domain::ids::{PairId, RecordId};
use crate::domain::record::WaitingFor;

/// Records released in one commit at most; the rest are released as due work.
const RELEASED_MAX: i64 = 500;

#[derive(FromQueryResult)]
struct Waiting {
    record_id: Uuid,
}

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

/// Something appeared: its waits go, and records that wait for nothing else become due.
/// Gives how many were released.
///
/// # Errors
/// `Database`.
pub async fn release(
    scope: &Scope,
    pair: PairId,
    kind: &str,
    key: &str,
) -> Result<u64, StoreError> {
    let sql = "SELECT record_id FROM wait WHERE tenant_id = $1 AND pair_id = $2 AND kind = $3 AND key = $4 LIMIT $5";
    let values = [
        scope.tenant_value(),
        pair.0.into(),
        kind.into(),
        key.into(),
        RELEASED_MAX.into(),
    ];
    let waiting: Vec<Waiting> = scope.all(sql, values).await?;
    let mut released = 0_u64;
    for Waiting { record_id } in waiting {
        scope
            .run(
                "DELETE FROM wait WHERE tenant_id = $1 AND record_id = $2 AND kind = $3 AND key = $4",
                [
                    scope.tenant_value(),
                    record_id.into(),
                    kind.into(),
                    key.into(),
                ],
            )
            .await?;
        released = released.saturating_add(free(scope, record_id).await?);
    }
    if released > 0 {
        scope.wake(scope.now());
    }
    Ok(released)
}

/// A whole kind may have appeared (a table was replaced): everything that waits for it is looked at.
/// Gives how many records were released.
///
/// # Errors
/// `Database`.
pub async fn release_kind(scope: &Scope, pair: PairId, kind: &str) -> Result<u64, StoreError> {
    let released = scope
        .run(
            "UPDATE record SET state = 'pending', due_at = $4, updated_at = $4 WHERE tenant_id = $1 AND state = 'waiting' \
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

async fn free(scope: &Scope, record: Uuid) -> Result<u64, StoreError> {
    let sql = "UPDATE record SET state = 'pending', due_at = $3, updated_at = $3 WHERE tenant_id = $1 AND id = $2 \
               AND state = 'waiting' AND NOT EXISTS (SELECT 1 FROM wait WHERE tenant_id = $1 AND record_id = $2)";
    scope
        .run(
            sql,
            [scope.tenant_value(), record.into(), scope.now().0.into()],
        )
        .await
}
