//! Pairs: their settings, whether they move records, and when they run next.

use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Value};
use uuid::Uuid;

use super::rows::{Column, PAIR_COLUMNS, PairRow, json_text};
use super::{Scope, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{ConnectionId, PairId};
use crate::domain::pair::{Pair, PairStatus};

const SETTINGS: Column = Column::new("pair", "settings");

const INSERT: &str = "
INSERT INTO pair (tenant_id, id, kind, name, erp_connection_id, project_connection_id, settings, status,
  version, next_run_at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)";

/// Keeps a new pair.
///
/// # Errors
/// `Taken`, `Database`.
pub async fn insert(scope: &Scope, pair: &Pair) -> Result<(), StoreError> {
    let values = [
        scope.tenant_value(),
        pair.id.0.into(),
        pair.kind.as_str().into(),
        pair.settings.name.clone().into(),
        pair.erp_connection_id.0.into(),
        pair.project_connection_id.0.into(),
        json_text(SETTINGS, &pair.settings)?.into(),
        pair.status.as_str().into(),
        pair.version.into(),
        pair.next_run_at.map(|at| at.0).into(),
        scope.now().0.into(),
    ];
    scope.run(INSERT, values).await?;
    Ok(())
}

/// A statement that reads whole pairs.
fn select(rest: &str) -> String {
    format!("SELECT {PAIR_COLUMNS} {rest}")
}

const FIND: &str = "FROM pair WHERE tenant_id = $1 AND id = $2 AND status <> 'removed'";

/// One pair.
///
/// # Errors
/// `Missing`, `Corrupt`, `Database`.
pub async fn find(scope: &Scope, id: PairId) -> Result<Pair, StoreError> {
    one(scope, FIND, id).await
}

const FIND_KEPT: &str = "FROM pair WHERE tenant_id = $1 AND id = $2";

/// One pair, also a removed one: for the trail of its records. A removed one reads as paused.
///
/// # Errors
/// `Missing`, `Corrupt`, `Database`.
pub async fn find_kept(scope: &Scope, id: PairId) -> Result<Pair, StoreError> {
    one(scope, FIND_KEPT, id).await
}

async fn one(scope: &Scope, sql: &str, id: PairId) -> Result<Pair, StoreError> {
    let row: Option<PairRow> = scope
        .one(&select(sql), [scope.tenant_value(), id.0.into()])
        .await?;
    row.ok_or(StoreError::Missing("pair"))?.into_pair()
}

const LIST: &str =
    "FROM pair WHERE tenant_id = $1 AND id > $2 AND status <> 'removed' ORDER BY id LIMIT $3";

/// Pairs in order of birth, after the one named.
///
/// # Errors
/// `Corrupt`, `Database`.
pub async fn list(
    scope: &Scope,
    after: Option<PairId>,
    limit: u32,
) -> Result<Vec<Pair>, StoreError> {
    let after = after.map_or(Uuid::nil(), |id| id.0);
    let values = [after.into(), i64::from(limit).into()];
    many(scope, LIST, values).await
}

/// How a pair stands at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub version: i64,
    pub is_active: bool,
}

#[derive(FromQueryResult)]
struct StandingRow {
    version: i64,
    status: String,
}

/// How a pair stands; it stays so until the commit.
///
/// # Errors
/// `Missing`, `Database`.
pub async fn hold(scope: &Scope, id: PairId) -> Result<Standing, StoreError> {
    let sql = match scope.tx().get_database_backend() {
        DbBackend::Postgres => {
            "SELECT version, status FROM pair WHERE tenant_id = $1 AND id = $2 FOR SHARE"
        }
        // The transaction holds the only writer.
        _ => "SELECT version, status FROM pair WHERE tenant_id = $1 AND id = $2",
    };
    let row: Option<StandingRow> = scope.one(sql, [scope.tenant_value(), id.0.into()]).await?;
    let row = row.ok_or(StoreError::Missing("pair"))?;
    Ok(Standing {
        version: row.version,
        is_active: row.status == PairStatus::Active.as_str(),
    })
}

#[derive(FromQueryResult)]
struct Counted {
    pairs: i64,
}

/// How many pairs are active.
///
/// # Errors
/// `Database`.
pub async fn count_active(scope: &Scope) -> Result<i64, StoreError> {
    let sql = "SELECT CAST(count(*) AS BIGINT) AS pairs FROM pair WHERE tenant_id = $1 AND status = 'active'";
    let row: Option<Counted> = scope.one(sql, [scope.tenant_value()]).await?;
    Ok(row.map_or(0, |row| row.pairs))
}

const DUE: &str = "FROM pair WHERE tenant_id = $1 AND next_run_at <= $2 AND status = 'active' ORDER BY next_run_at";

/// Active pairs whose next run is due.
///
/// # Errors
/// `Corrupt`, `Database`.
pub async fn due(scope: &Scope, now: Timestamp) -> Result<Vec<Pair>, StoreError> {
    many(scope, DUE, [now.0.into()]).await
}

const OF_CONNECTION: &str = "FROM pair WHERE tenant_id = $1 AND status <> 'removed'
  AND (erp_connection_id = $2 OR project_connection_id = $2) ORDER BY id";

/// Pairs that use a connection.
///
/// # Errors
/// `Corrupt`, `Database`.
pub async fn of_connection(scope: &Scope, id: ConnectionId) -> Result<Vec<Pair>, StoreError> {
    many(scope, OF_CONNECTION, [id.0.into()]).await
}

const ACTIVE: &str = "FROM pair WHERE tenant_id = $1 AND status = 'active' ORDER BY id";

/// Every active pair.
///
/// # Errors
/// `Corrupt`, `Database`.
pub async fn active(scope: &Scope) -> Result<Vec<Pair>, StoreError> {
    many(scope, ACTIVE, []).await
}

async fn many<const N: usize>(
    scope: &Scope,
    sql: &str,
    values: [Value; N],
) -> Result<Vec<Pair>, StoreError> {
    let values = std::iter::once(scope.tenant_value()).chain(values);
    let rows: Vec<PairRow> = scope.all(&select(sql), values).await?;
    rows.into_iter().map(PairRow::into_pair).collect()
}

const REVISE: &str = "
UPDATE pair SET name = $4, settings = $5, version = version + 1, updated_at = $6
WHERE tenant_id = $1 AND id = $2 AND version = $3 AND status <> 'removed'";

/// Changes the settings of the pair read as `pair.version`; the version rises.
///
/// # Errors
/// `Stale` when it changed since it was read; `Database`.
pub async fn revise(scope: &Scope, pair: &Pair) -> Result<(), StoreError> {
    let values = [
        scope.tenant_value(),
        pair.id.0.into(),
        pair.version.into(),
        pair.settings.name.clone().into(),
        json_text(SETTINGS, &pair.settings)?.into(),
        scope.now().0.into(),
    ];
    match scope.run(REVISE, values).await? {
        0 => Err(StoreError::Stale("the pair")),
        _ => Ok(()),
    }
}

const SET_STATUS: &str = "
UPDATE pair SET status = $3, next_run_at = $4, updated_at = $5
WHERE tenant_id = $1 AND id = $2 AND status <> 'removed'";

/// Starts or stops a pair. `next_run_at` is none for one that stands still.
///
/// # Errors
/// `Missing`, `Database`.
pub async fn set_status(
    scope: &Scope,
    id: PairId,
    status: PairStatus,
    next_run_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let values = [
        scope.tenant_value(),
        id.0.into(),
        status.as_str().into(),
        next_run_at.map(|at| at.0).into(),
        scope.now().0.into(),
    ];
    found(scope.run(SET_STATUS, values).await?)
}

const SET_NEXT_RUN: &str = "
UPDATE pair SET next_run_at = $3 WHERE tenant_id = $1 AND id = $2 AND status = 'active'";

/// Says when an active pair runs next; one that was paused meanwhile stays still.
///
/// # Errors
/// `Database`.
pub async fn set_next_run(
    scope: &Scope,
    id: PairId,
    at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let values = [scope.tenant_value(), id.0.into(), at.map(|at| at.0).into()];
    scope.run(SET_NEXT_RUN, values).await?;
    Ok(())
}

const BUMP: &str = "
UPDATE pair SET version = version + 1, updated_at = $3
WHERE tenant_id = $1 AND id = $2 AND status <> 'removed'";

/// The pair's version rises: a mapping has changed.
///
/// # Errors
/// `Missing`, `Database`.
pub async fn bump(scope: &Scope, id: PairId) -> Result<(), StoreError> {
    let values = [scope.tenant_value(), id.0.into(), scope.now().0.into()];
    found(scope.run(BUMP, values).await?)
}

const REMOVE: &str = "
UPDATE pair SET status = 'removed', next_run_at = NULL, updated_at = $3
WHERE tenant_id = $1 AND id = $2 AND status IN ('draft', 'paused')";

/// Removes a pair that stands still; its links and its trail stay.
///
/// # Errors
/// `Missing` when there is none that stands still; `Database`.
pub async fn remove(scope: &Scope, id: PairId) -> Result<(), StoreError> {
    let values = [scope.tenant_value(), id.0.into(), scope.now().0.into()];
    found(scope.run(REMOVE, values).await?)
}

fn found(rows: u64) -> Result<(), StoreError> {
    match rows {
        0 => Err(StoreError::Missing("pair")),
        _ => Ok(()),
    }
}
