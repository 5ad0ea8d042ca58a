//! API tokens. Only the hash of a token is stored.

use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{Scope, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::ids::TokenId;
use crate::domain::member;
use crate::domain::token::ApiToken;

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    member_id: Uuid,
    name: String,
    scopes: String,
    created_at: i64,
    expires_at: i64,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
}

const ADD: &str = "
INSERT INTO api_token (tenant_id, id, member_id, name, token_hash, scopes, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const PAGE: &str = "
SELECT id, member_id, name, scopes, created_at, expires_at, last_used_at, revoked_at
FROM api_token WHERE tenant_id = $1 AND revoked_at IS NULL AND id < $2 ORDER BY id DESC LIMIT $3";
const ONE: &str = "
SELECT id, member_id, name, scopes, created_at, expires_at, last_used_at, revoked_at
FROM api_token WHERE tenant_id = $1 AND id = $2";
const REVOKE: &str = "
UPDATE api_token SET revoked_at = $3 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL";
const TOUCH: &str = "UPDATE api_token SET last_used_at = $3 WHERE tenant_id = $1 AND id = $2";

/// Adds a token.
///
/// # Errors
/// `Database`.
pub async fn add(scope: &Scope, token: &ApiToken, token_hash: &[u8; 32]) -> Result<(), StoreError> {
    let values = [
        scope.tenant_value(),
        token.id.0.into(),
        token.member_id.0.into(),
        token.name.as_str().into(),
        token_hash.to_vec().into(),
        scopes_text(&token.scopes).into(),
        token.created_at.0.into(),
        token.expires_at.0.into(),
    ];
    scope.run(ADD, values).await?;
    Ok(())
}

/// Tokens that were not revoked, newest first, older than `before` where it is given.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn page(
    scope: &Scope,
    before: Option<TokenId>,
    limit: u32,
) -> Result<Vec<ApiToken>, StoreError> {
    let before = before.map_or(Uuid::max(), |id| id.0);
    let values = [scope.tenant_value(), before.into(), i64::from(limit).into()];
    let rows: Vec<Row> = scope.all(PAGE, values).await?;
    rows.into_iter().map(token).collect()
}

/// One token, revoked or not.
///
/// # Errors
/// `Missing`, `Corrupt`.
pub async fn find(scope: &Scope, id: TokenId) -> Result<ApiToken, StoreError> {
    let row: Option<Row> = scope.one(ONE, [scope.tenant_value(), id.0.into()]).await?;
    row.map_or(Err(StoreError::Missing("token")), token)
}

/// Revokes a token: it opens nothing from now on.
///
/// # Errors
/// `Missing` when there is none, or it was revoked before.
pub async fn revoke(scope: &Scope, id: TokenId) -> Result<(), StoreError> {
    let values = [scope.tenant_value(), id.0.into(), scope.now().0.into()];
    match scope.run(REVOKE, values).await? {
        0 => Err(StoreError::Missing("token")),
        _ => Ok(()),
    }
}

/// Notes that the token was used now.
///
/// # Errors
/// `Database`.
pub async fn touch(scope: &Scope, id: TokenId) -> Result<(), StoreError> {
    let values = [scope.tenant_value(), id.0.into(), scope.now().0.into()];
    scope.run(TOUCH, values).await?;
    Ok(())
}

fn token(row: Row) -> Result<ApiToken, StoreError> {
    Ok(ApiToken {
        id: row.id.into(),
        member_id: row.member_id.into(),
        name: row.name,
        scopes: scopes(&row.scopes)?,
        created_at: Timestamp(row.created_at),
        expires_at: Timestamp(row.expires_at),
        last_used_at: row.last_used_at.map(Timestamp),
        revoked_at: row.revoked_at.map(Timestamp),
    })
}

fn scopes_text(scopes: &[member::Scope]) -> String {
    let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    words.join(" ")
}

pub(super) fn scopes(text: &str) -> Result<Vec<member::Scope>, StoreError> {
    let words = text.split_whitespace().map(str::parse);
    words
        .collect::<Result<_, _>>()
        .map_err(|_| StoreError::Corrupt {
            table: "api_token",
            column: "scopes",
        })
}
