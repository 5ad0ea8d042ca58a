//! What was said between us and the vendors while a record was worked on.

use sea_orm::FromQueryResult;

use super::scope::Exchanged;
use super::{Scope, StoreError, body};
use crate::domain::clock::Timestamp;
use crate::domain::ids::RecordId;

/// The exchanges of one piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchanges {
    pub attempt: u32,
    pub at: Timestamp,
    pub calls: u32,
    /// A JSON array, redacted; none once it was erased.
    pub content: Option<String>,
}

#[derive(FromQueryResult)]
struct Row {
    attempt: i64,
    at: i64,
    calls: i64,
    content: Option<String>,
}

/// Keeps the exchanges of a piece of work. They are there with the commit.
pub fn keep(scope: &Scope, record: RecordId, attempt: u32, calls: usize, content: String) {
    let digest = body::keep(scope, content);
    scope.exchanged(Exchanged {
        record,
        attempt,
        calls,
        digest,
    });
}

/// Everything kept of a record's exchanges, oldest first; the last `limit` of them.
///
/// # Errors
/// `Database`.
pub async fn of_record(
    scope: &Scope,
    record: RecordId,
    limit: u32,
) -> Result<Vec<Exchanges>, StoreError> {
    let sql = "SELECT e.attempt, e.at, e.calls, b.content FROM exchange e \
               LEFT JOIN body b ON b.tenant_id = e.tenant_id AND b.digest = e.body_digest \
               WHERE e.tenant_id = $1 AND e.record_id = $2 ORDER BY e.id DESC LIMIT $3";
    let values = [
        scope.tenant_value(),
        record.0.into(),
        i64::from(limit).into(),
    ];
    let mut rows: Vec<Row> = scope.all(sql, values).await?;
    rows.reverse();
    Ok(rows
        .into_iter()
        .map(|row| Exchanges {
            attempt: u32::try_from(row.attempt).unwrap_or(u32::MAX),
            at: Timestamp(row.at),
            calls: u32::try_from(row.calls).unwrap_or(u32::MAX),
            content: row.content,
        })
        .collect())
}
