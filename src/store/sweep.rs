//! Writes that were in flight when their worker went away: counted in the target later.

use std::time::Duration;

use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use super::{Scope, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::ids::RecordId;

/// One write to be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    pub record: RecordId,
    pub draft_digest: String,
    pub natural_key: String,
    /// When the worker was found gone.
    pub found_at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    record_id: Uuid,
    draft_digest: String,
    natural_key: String,
    found_at: i64,
}

const PLAN: &str = "
INSERT INTO sweep (tenant_id, record_id, draft_digest, natural_key, found_at, due_at)
SELECT tenant_id, record_id, draft_digest, natural_key, $2, $2 FROM effect
WHERE tenant_id = $1 AND state IN ('intent', 'ambiguous', 'accepted')
ON CONFLICT (tenant_id, record_id) DO UPDATE SET draft_digest = excluded.draft_digest,
  natural_key = excluded.natural_key, found_at = excluded.found_at, due_at = excluded.due_at";

/// Somebody else worked the tenant and is gone: whatever was in flight is to be counted. Gives how many.
///
/// # Errors
/// `Database`.
pub async fn plan(scope: &Scope) -> Result<u64, StoreError> {
    scope
        .run(PLAN, [scope.tenant_value(), scope.now().0.into()])
        .await
}

/// Writes that are to be counted now.
///
/// # Errors
/// `Database`.
pub async fn due(scope: &Scope, now: Timestamp, limit: u32) -> Result<Vec<Sweep>, StoreError> {
    let sql = format!(
        "SELECT record_id, draft_digest, natural_key, found_at FROM sweep WHERE tenant_id = $1 AND due_at <= $2 \
         ORDER BY due_at, record_id LIMIT {limit}"
    );
    let rows: Vec<Row> = scope
        .all(&sql, [scope.tenant_value(), now.0.into()])
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| Sweep {
            record: row.record_id.into(),
            draft_digest: row.draft_digest,
            natural_key: row.natural_key,
            found_at: Timestamp(row.found_at),
        })
        .collect())
}

/// It is counted later.
///
/// # Errors
/// `Database`.
pub async fn put_off(scope: &Scope, record: RecordId, by: Duration) -> Result<(), StoreError> {
    let sql = "UPDATE sweep SET due_at = $3 WHERE tenant_id = $1 AND record_id = $2";
    let values: [Value; 3] = [
        scope.tenant_value(),
        record.0.into(),
        scope.now().plus(by).0.into(),
    ];
    scope.run(sql, values).await?;
    Ok(())
}

/// It was counted.
///
/// # Errors
/// `Database`.
pub async fn done(scope: &Scope, record: RecordId) -> Result<(), StoreError> {
    let sql = "DELETE FROM sweep WHERE tenant_id = $1 AND record_id = $2";
    scope
        .run(sql, [scope.tenant_value(), record.0.into()])
        .await?;
    Ok(())
}
