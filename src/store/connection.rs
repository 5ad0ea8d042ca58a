//! Connections, and their credentials as sealed bytes.

use std::collections::BTreeMap;

use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::rows::{CONNECTION_COLUMNS, Column, ConnectionRow, json_text};
use super::{Scope, StoreError, vendor_token};
use crate::domain::clock::Timestamp;
use crate::domain::connection::{AuthFault, Connection, Ping};
use crate::domain::ids::ConnectionId;

/// A credential as it is kept: unreadable here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedCredential {
    pub name: String,
    pub sealed: Vec<u8>,
}

#[derive(FromQueryResult)]
struct SetSince {
    connection_id: Uuid,
    name: String,
    changed_at: i64,
}

#[derive(FromQueryResult)]
struct SealedRow {
    name: String,
    sealed: Vec<u8>,
}

const fn column(column: &'static str) -> Column {
    Column::new("connection", column)
}

const INSERT: &str = "
INSERT INTO connection (tenant_id, id, system, name, environment, settings, version, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)";

/// Keeps a new connection and its credentials.
///
/// # Errors
/// `Taken`, `Database`.
pub async fn insert(
    scope: &Scope,
    connection: &Connection,
    credentials: &[SealedCredential],
) -> Result<(), StoreError> {
    let values = [
        scope.tenant_value(),
        connection.id.0.into(),
        connection.system.as_str().into(),
        connection.name.clone().into(),
        connection.environment.as_str().into(),
        json_text(column("settings"), &connection.settings)?.into(),
        connection.version.into(),
        scope.now().0.into(),
    ];
    scope.run(INSERT, values).await?;
    set_credentials(scope, connection.id, credentials).await
}

/// A statement that reads whole connections.
fn select(rest: &str) -> String {
    format!("SELECT {CONNECTION_COLUMNS} {rest}")
}

const FIND: &str = "FROM connection WHERE tenant_id = $1 AND id = $2 AND removed_at IS NULL";
const SET_SINCE: &str = "
SELECT connection_id, name, changed_at FROM credential WHERE tenant_id = $1 AND connection_id = $2";

/// One connection.
///
/// # Errors
/// `Missing`, `Corrupt`, `Database`.
pub async fn find(scope: &Scope, id: ConnectionId) -> Result<Connection, StoreError> {
    let values = [scope.tenant_value(), id.0.into()];
    let row: Option<ConnectionRow> = scope.one(&select(FIND), values.clone()).await?;
    let row = row.ok_or(StoreError::Missing("connection"))?;
    let set: Vec<SetSince> = scope.all(SET_SINCE, values).await?;
    row.into_connection(names(&set, id.0))
}

const LIST: &str =
    "FROM connection WHERE tenant_id = $1 AND id > $2 AND removed_at IS NULL ORDER BY id LIMIT $3";
const SET_SINCE_ALL: &str = "
SELECT connection_id, name, changed_at FROM credential WHERE tenant_id = $1";

/// Connections in order of birth, after the one named.
///
/// # Errors
/// `Corrupt`, `Database`.
pub async fn list(
    scope: &Scope,
    after: Option<ConnectionId>,
    limit: u32,
) -> Result<Vec<Connection>, StoreError> {
    let after = after.map_or(Uuid::nil(), |id| id.0);
    let values = [scope.tenant_value(), after.into(), i64::from(limit).into()];
    let rows: Vec<ConnectionRow> = scope.all(&select(LIST), values).await?;
    let set: Vec<SetSince> = scope.all(SET_SINCE_ALL, [scope.tenant_value()]).await?;
    rows.into_iter()
        .map(|row| {
            let names = names(&set, row.id);
            row.into_connection(names)
        })
        .collect()
}

fn names(set: &[SetSince], id: Uuid) -> BTreeMap<String, Timestamp> {
    set.iter()
        .filter(|row| row.connection_id == id)
        .map(|row| (row.name.clone(), Timestamp(row.changed_at)))
        .collect()
}

const NAME: &str = "SELECT name FROM connection WHERE tenant_id = $1 AND id = $2";

/// The name of a connection, also of one that was removed.
///
/// # Errors
/// `Missing`, `Database`.
pub async fn name(scope: &Scope, id: ConnectionId) -> Result<String, StoreError> {
    #[derive(FromQueryResult)]
    struct Named {
        name: String,
    }
    let found: Option<Named> = scope.one(NAME, [scope.tenant_value(), id.0.into()]).await?;
    found
        .map(|row| row.name)
        .ok_or(StoreError::Missing("connection"))
}

const RENAME: &str = "
UPDATE connection SET name = $3, updated_at = $4
WHERE tenant_id = $1 AND id = $2 AND removed_at IS NULL";

/// Changes the name alone: nothing that was remembered about the connection becomes stale.
///
/// # Errors
/// `Missing`, `Database`.
pub async fn rename(scope: &Scope, id: ConnectionId, name: &str) -> Result<(), StoreError> {
    let values = [
        scope.tenant_value(),
        id.0.into(),
        name.into(),
        scope.now().0.into(),
    ];
    found(scope.run(RENAME, values).await?)
}

const REVISE: &str = "
UPDATE connection SET name = $4, environment = $5, settings = $6, version = version + 1,
  last_ping = NULL, auth_fault = NULL, updated_at = $7
WHERE tenant_id = $1 AND id = $2 AND version = $3 AND removed_at IS NULL";

/// Changes the connection read as `connection.version`: the version rises, its token is forgotten, and it
/// counts as untested.
///
/// # Errors
/// `Stale` when it changed since it was read; `Database`.
pub async fn revise(scope: &Scope, connection: &Connection) -> Result<(), StoreError> {
    let values = [
        scope.tenant_value(),
        connection.id.0.into(),
        connection.version.into(),
        connection.name.clone().into(),
        connection.environment.as_str().into(),
        json_text(column("settings"), &connection.settings)?.into(),
        scope.now().0.into(),
    ];
    if scope.run(REVISE, values).await? == 0 {
        return Err(StoreError::Stale("the connection"));
    }
    vendor_token::forget(scope, connection.id).await
}

const SET_CREDENTIAL: &str = "
INSERT INTO credential (tenant_id, connection_id, name, sealed, changed_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, connection_id, name) DO UPDATE SET
  sealed = excluded.sealed, changed_at = excluded.changed_at";

/// Keeps credentials, replacing those of the same names. The caller also revises the connection.
///
/// # Errors
/// `Database`.
pub async fn set_credentials(
    scope: &Scope,
    id: ConnectionId,
    credentials: &[SealedCredential],
) -> Result<(), StoreError> {
    for credential in credentials {
        let values = [
            scope.tenant_value(),
            id.0.into(),
            credential.name.clone().into(),
            credential.sealed.clone().into(),
            scope.now().0.into(),
        ];
        scope.run(SET_CREDENTIAL, values).await?;
    }
    Ok(())
}

const CLEAR_CREDENTIALS: &str = "
DELETE FROM credential WHERE tenant_id = $1 AND connection_id = $2";

/// Forgets every credential of a connection.
///
/// # Errors
/// `Database`.
pub async fn clear_credentials(scope: &Scope, id: ConnectionId) -> Result<(), StoreError> {
    scope
        .run(CLEAR_CREDENTIALS, [scope.tenant_value(), id.0.into()])
        .await?;
    Ok(())
}

const CREDENTIALS: &str = "
SELECT name, sealed FROM credential WHERE tenant_id = $1 AND connection_id = $2 ORDER BY name";

/// The sealed credentials of a connection.
///
/// # Errors
/// `Database`.
pub async fn credentials(
    scope: &Scope,
    id: ConnectionId,
) -> Result<Vec<SealedCredential>, StoreError> {
    let rows: Vec<SealedRow> = scope
        .all(CREDENTIALS, [scope.tenant_value(), id.0.into()])
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| SealedCredential {
            name: row.name,
            sealed: row.sealed,
        })
        .collect())
}

const REMOVE: &str = "
UPDATE connection SET removed_at = $3, version = version + 1, last_ping = NULL, auth_fault = NULL
WHERE tenant_id = $1 AND id = $2 AND removed_at IS NULL";

/// Removes a connection with everything secret about it. Its name stays for the trail. The caller has
/// seen to it that no pair uses it.
///
/// # Errors
/// `Missing`, `Database`.
pub async fn remove(scope: &Scope, id: ConnectionId) -> Result<(), StoreError> {
    let values = [scope.tenant_value(), id.0.into(), scope.now().0.into()];
    found(scope.run(REMOVE, values).await?)?;
    clear_credentials(scope, id).await?;
    vendor_token::forget(scope, id).await
}

const SET_PING: &str = "
UPDATE connection SET last_ping = $4 WHERE tenant_id = $1 AND id = $2 AND version = $3";

/// Keeps the result of a test of one version. Gives false when the connection has changed since: the
/// result says nothing about it any more.
///
/// # Errors
/// `Database`.
pub async fn set_ping(
    scope: &Scope,
    connection: &Connection,
    ping: &Ping,
) -> Result<bool, StoreError> {
    let values = [
        scope.tenant_value(),
        connection.id.0.into(),
        connection.version.into(),
        json_text(column("last_ping"), ping)?.into(),
    ];
    Ok(scope.run(SET_PING, values).await? > 0)
}

const SET_AUTH_FAULT: &str = "
UPDATE connection SET auth_fault = $4 WHERE tenant_id = $1 AND id = $2 AND version = $3";

/// Keeps why log-in fails, or that it works again. Gives false when the connection has changed since.
///
/// # Errors
/// `Database`.
pub async fn set_auth_fault(
    scope: &Scope,
    connection: &Connection,
    fault: Option<&AuthFault>,
) -> Result<bool, StoreError> {
    let text = fault
        .map(|fault| json_text(column("auth_fault"), fault))
        .transpose()?;
    let values = [
        scope.tenant_value(),
        connection.id.0.into(),
        connection.version.into(),
        text.into(),
    ];
    Ok(scope.run(SET_AUTH_FAULT, values).await? > 0)
}

fn found(rows: u64) -> Result<(), StoreError> {
    match rows {
        0 => Err(StoreError::Missing("connection")),
        _ => Ok(()),
    }
}
