//! Projects that a connection was seen to have: names for pages, and what is in scope.

use sea_orm::{FromQueryResult, Value};

use super::{Scope, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::ids::ConnectionId;
use crate::domain::records::Project;

#[derive(FromQueryResult)]
struct Row {
    source_key: String,
    number: Option<String>,
    name: String,
    active: i64,
}

const UPSERT: &str = "
INSERT INTO known_project (tenant_id, connection_id, source_key, number, name, active, seen_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (tenant_id, connection_id, source_key) DO UPDATE SET
  number = excluded.number, name = excluded.name, active = excluded.active, seen_at = excluded.seen_at";

/// Remembers projects as they were just seen.
///
/// # Errors
/// `Database`.
pub async fn upsert(
    scope: &Scope,
    connection: ConnectionId,
    projects: &[Project],
) -> Result<(), StoreError> {
    for project in projects {
        let values: [Value; 7] = [
            scope.tenant_value(),
            connection.0.into(),
            project.key.clone().into(),
            project.number.clone().into(),
            project.name.clone().into(),
            i64::from(project.active).into(),
            scope.now().0.into(),
        ];
        scope.run(UPSERT, values).await?;
    }
    Ok(())
}

const LIST: &str = "
SELECT source_key, number, name, active FROM known_project
WHERE tenant_id = $1 AND connection_id = $2 ORDER BY active DESC, name, source_key";

/// Every project of a connection, active ones first, then by name.
///
/// # Errors
/// `Database`.
pub async fn list(scope: &Scope, connection: ConnectionId) -> Result<Vec<Project>, StoreError> {
    let rows: Vec<Row> = scope
        .all(LIST, [scope.tenant_value(), connection.0.into()])
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| Project {
            key: row.source_key,
            number: row.number,
            name: row.name,
            active: row.active != 0,
        })
        .collect())
}

#[derive(FromQueryResult)]
struct SeenRow {
    source_key: String,
    name: String,
    seen_at: i64,
}

/// A project that may be worked in, and when it was seen last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenProject {
    pub key: String,
    pub name: String,
    pub seen_at: Timestamp,
}

const ACTIVE: &str = "
SELECT source_key, name, seen_at FROM known_project
WHERE tenant_id = $1 AND connection_id = $2 AND active = 1 ORDER BY source_key";

/// Active projects of a connection, by key.
///
/// # Errors
/// `Database`.
pub async fn active(
    scope: &Scope,
    connection: ConnectionId,
) -> Result<Vec<SeenProject>, StoreError> {
    let rows: Vec<SeenRow> = scope
        .all(ACTIVE, [scope.tenant_value(), connection.0.into()])
        .await?;
    let rows = rows.into_iter().map(|row| SeenProject {
        key: row.source_key,
        name: row.name,
        seen_at: Timestamp(row.seen_at),
    });
    Ok(rows.collect())
}
