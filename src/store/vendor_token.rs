//! Vendors' access tokens, sealed, and the right to renew one: won by one refresher at a time.

use sea_orm::FromQueryResult;

use super::work::database_now;
use super::{Scope, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::ids::ConnectionId;

/// What is known about a connection's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptToken {
    /// None before the first log-in, and after it was forgotten.
    pub sealed: Option<Vec<u8>>,
    /// Not to be used from then on; the margin before the vendor's own end is taken off already.
    pub expires_at: Timestamp,
    /// Rises with every renewal and with every forgetting, never falls.
    pub generation: i64,
    /// Somebody is logging in right now.
    pub is_refreshing: bool,
}

#[derive(FromQueryResult)]
struct Row {
    sealed: Option<Vec<u8>>,
    expires_at: i64,
    generation: i64,
    refreshing: i64,
}

#[derive(FromQueryResult)]
struct Won {
    generation: i64,
}

/// The token, if there ever was one.
///
/// # Errors
/// `Database`.
pub async fn find(scope: &Scope, id: ConnectionId) -> Result<Option<KeptToken>, StoreError> {
    let now = database_now(scope);
    let sql = format!(
        "SELECT sealed, expires_at, generation,
           CAST(CASE WHEN refreshing_until > {now} THEN 1 ELSE 0 END AS BIGINT) AS refreshing
         FROM vendor_token WHERE tenant_id = $1 AND connection_id = $2"
    );
    let found: Option<Row> = scope.one(&sql, [scope.tenant_value(), id.0.into()]).await?;
    Ok(found.map(|row| KeptToken {
        sealed: row.sealed,
        expires_at: Timestamp(row.expires_at),
        generation: row.generation,
        is_refreshing: row.refreshing != 0,
    }))
}

/// Tries to win the right to log in for `seconds`. Gives the generation that the log-in will replace,
/// none when somebody else holds the right or has renewed since `seen` (0 = no token was there).
///
/// # Errors
/// `Database`.
pub async fn win(
    scope: &Scope,
    id: ConnectionId,
    seen: i64,
    seconds: u32,
) -> Result<bool, StoreError> {
    let now = database_now(scope);
    let sql = format!(
        "INSERT INTO vendor_token
           (tenant_id, connection_id, sealed, expires_at, generation, refreshing_until)
         VALUES ($1, $2, NULL, 0, 0, {now} + $4)
         ON CONFLICT (tenant_id, connection_id) DO UPDATE
           SET refreshing_until = excluded.refreshing_until
         WHERE vendor_token.generation = $3 AND vendor_token.refreshing_until <= {now}
         RETURNING generation"
    );
    let lasting = i64::from(seconds).saturating_mul(Timestamp::SECOND);
    let values = [
        scope.tenant_value(),
        id.0.into(),
        seen.into(),
        lasting.into(),
    ];
    let won: Option<Won> = scope.one(&sql, values).await?;
    Ok(won.is_some_and(|won| won.generation == seen))
}

const KEEP: &str = "
UPDATE vendor_token SET sealed = $4, expires_at = $5, generation = generation + 1, refreshing_until = 0
WHERE tenant_id = $1 AND connection_id = $2 AND generation = $3";

/// A token that a log-in gave.
#[derive(Debug)]
pub struct NewToken {
    pub sealed: Vec<u8>,
    pub expires_at: Timestamp,
    /// The generation that it replaces.
    pub replaces: i64,
}

/// Keeps a new token under the next generation.
///
/// # Errors
/// `Stale` when the token was renewed or forgotten meanwhile: the new one must not be used.
pub async fn keep(scope: &Scope, id: ConnectionId, token: NewToken) -> Result<i64, StoreError> {
    let values = [
        scope.tenant_value(),
        id.0.into(),
        token.replaces.into(),
        token.sealed.into(),
        token.expires_at.0.into(),
    ];
    match scope.run(KEEP, values).await? {
        0 => Err(StoreError::Stale("the token")),
        _ => Ok(token.replaces.saturating_add(1)),
    }
}

const GIVE_UP: &str = "
UPDATE vendor_token SET refreshing_until = 0
WHERE tenant_id = $1 AND connection_id = $2 AND generation = $3";

/// Gives the right to log in back without a new token.
///
/// # Errors
/// `Database`.
pub async fn give_up(scope: &Scope, id: ConnectionId, generation: i64) -> Result<(), StoreError> {
    let values = [scope.tenant_value(), id.0.into(), generation.into()];
    scope.run(GIVE_UP, values).await?;
    Ok(())
}

const FORGET: &str = "
UPDATE vendor_token
SET sealed = NULL, expires_at = 0, generation = generation + 1, refreshing_until = 0
WHERE tenant_id = $1 AND connection_id = $2";

/// Forgets the token: the settings or credentials that it was given for have changed. A log-in that is
/// under way cannot be kept afterwards.
///
/// # Errors
/// `Database`.
pub async fn forget(scope: &Scope, id: ConnectionId) -> Result<(), StoreError> {
    scope
        .run(FORGET, [scope.tenant_value(), id.0.into()])
        .await?;
    Ok(())
}
