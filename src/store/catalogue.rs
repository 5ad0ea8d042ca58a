//! Codes that connections were seen to have, kept for proposals; and what projects plan, kept for coverage.

use sea_orm::{FromQueryResult, Value};

use super::rows::{Column, json, json_text};
use super::{Scope, StoreError};
use crate::domain::catalogue::{Budget, Offer};
use crate::domain::clock::Timestamp;
use crate::domain::ids::ConnectionId;
use crate::domain::mapping::MappingKind;
use crate::domain::tag::digest;

const CONTENT: Column = Column::new("catalogue", "content");
/// The kind under which budgets are kept, one a project.
const BUDGET: &str = "budget";

#[derive(FromQueryResult)]
struct Row {
    place: String,
    content: String,
    seen_at: i64,
}

/// Keeps what a connection has for one table.
///
/// # Errors
/// `Database`.
pub async fn keep(
    scope: &Scope,
    connection: ConnectionId,
    kind: MappingKind,
    offers: &[Offer],
) -> Result<(), StoreError> {
    let content = json_text(CONTENT, &offers)?;
    put(scope, connection, (kind.as_str(), ""), content).await
}

/// Keeps what one project plans.
///
/// # Errors
/// `Database`.
pub async fn keep_budget(
    scope: &Scope,
    connection: ConnectionId,
    project: &str,
    budget: &Budget,
) -> Result<(), StoreError> {
    let content = json_text(CONTENT, budget)?;
    put(scope, connection, (BUDGET, project), content).await
}

/// What did not change is not written again; only that it was seen.
async fn put(
    scope: &Scope,
    connection: ConnectionId,
    (kind, place): (&str, &str),
    content: String,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO catalogue (tenant_id, connection_id, kind, place, content, digest, seen_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) \
               ON CONFLICT (tenant_id, connection_id, kind, place) DO UPDATE SET seen_at = excluded.seen_at, \
                 content = CASE WHEN catalogue.digest = excluded.digest THEN catalogue.content ELSE excluded.content END, \
                 digest = excluded.digest";
    let values: [Value; 7] = [
        scope.tenant_value(),
        connection.0.into(),
        kind.into(),
        place.into(),
        content.clone().into(),
        digest(content.as_bytes()).into(),
        scope.now().0.into(),
    ];
    scope.run(sql, values).await?;
    Ok(())
}

async fn rows(scope: &Scope, connection: ConnectionId, kind: &str) -> Result<Vec<Row>, StoreError> {
    let sql = "SELECT place, content, seen_at FROM catalogue \
               WHERE tenant_id = $1 AND connection_id = $2 AND kind = $3 ORDER BY place";
    let values = [scope.tenant_value(), connection.0.into(), kind.into()];
    scope.all(sql, values).await
}

/// What a connection has for one table, and when that was seen; none if it was never asked.
///
/// # Errors
/// `Corrupt`, `Database`.
pub async fn offers(
    scope: &Scope,
    connection: ConnectionId,
    kind: MappingKind,
) -> Result<Option<(Vec<Offer>, Timestamp)>, StoreError> {
    let rows = rows(scope, connection, kind.as_str()).await?;
    let row = rows.into_iter().next();
    row.map(|row| Ok((json(CONTENT, &row.content)?, Timestamp(row.seen_at))))
        .transpose()
}

/// What every project of a connection plans, and when that was read.
///
/// # Errors
/// `Corrupt`, `Database`.
pub async fn budgets(
    scope: &Scope,
    connection: ConnectionId,
) -> Result<Vec<(String, Budget, Timestamp)>, StoreError> {
    let rows = rows(scope, connection, BUDGET).await?;
    rows.into_iter()
        .map(|row| {
            Ok((
                row.place,
                json(CONTENT, &row.content)?,
                Timestamp(row.seen_at),
            ))
        })
        .collect()
}
