//! Signed-in browsers. Only the hash of a session's cookie is stored.

use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{Scope, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{MemberId, SessionId};

const ADD: &str = "
INSERT INTO session (tenant_id, id, member_id, token_hash, created_at, seen_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $5, $6)";
const TOUCH: &str = "UPDATE session SET seen_at = $3 WHERE tenant_id = $1 AND id = $2";
const END: &str = "DELETE FROM session WHERE tenant_id = $1 AND id = $2";
const OF_MEMBER: &str = "
SELECT id, created_at, seen_at FROM session
WHERE tenant_id = $1 AND member_id = $2 AND expires_at > $3 AND seen_at > $4 ORDER BY seen_at DESC, id DESC";
const END_OF_MEMBER: &str = "
DELETE FROM session WHERE tenant_id = $1 AND id = $2 AND member_id = $3";
const END_OTHERS: &str = "
DELETE FROM session WHERE tenant_id = $1 AND member_id = $2 AND id <> $3";
const FORGET: &str = "
DELETE FROM session WHERE tenant_id = $1 AND member_id = $2 AND (expires_at <= $3 OR seen_at <= $4)";

/// Begins a session.
///
/// # Errors
/// `Database`.
pub async fn add(
    scope: &Scope,
    id: SessionId,
    member: MemberId,
    token_hash: &[u8; 32],
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    let values = [
        scope.tenant_value(),
        id.0.into(),
        member.0.into(),
        token_hash.to_vec().into(),
        scope.now().0.into(),
        expires_at.0.into(),
    ];
    scope.run(ADD, values).await?;
    Ok(())
}

/// A session as its member sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    pub id: SessionId,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    created_at: i64,
    seen_at: i64,
}

/// A member's sessions that hold, the latest used first.
///
/// # Errors
/// `Database`.
pub async fn of_member(
    scope: &Scope,
    member: MemberId,
    idle_since: Timestamp,
) -> Result<Vec<Open>, StoreError> {
    let values = [
        scope.tenant_value(),
        member.0.into(),
        scope.now().0.into(),
        idle_since.0.into(),
    ];
    let rows: Vec<Row> = scope.all(OF_MEMBER, values).await?;
    let open = rows.into_iter().map(|row| Open {
        id: row.id.into(),
        created_at: Timestamp(row.created_at),
        seen_at: Timestamp(row.seen_at),
    });
    Ok(open.collect())
}

/// Ends a session of a member. Gives whether there was one.
///
/// # Errors
/// `Database`.
pub async fn end_of_member(
    scope: &Scope,
    member: MemberId,
    id: SessionId,
) -> Result<bool, StoreError> {
    let values = [scope.tenant_value(), id.0.into(), member.0.into()];
    Ok(scope.run(END_OF_MEMBER, values).await? > 0)
}

/// Ends every session of a member but one. Gives how many.
///
/// # Errors
/// `Database`.
pub async fn end_others(
    scope: &Scope,
    member: MemberId,
    but: SessionId,
) -> Result<u64, StoreError> {
    let values = [scope.tenant_value(), member.0.into(), but.0.into()];
    scope.run(END_OTHERS, values).await
}

/// Notes that the session was used now.
///
/// # Errors
/// `Database`.
pub async fn touch(scope: &Scope, id: SessionId) -> Result<(), StoreError> {
    let values = [scope.tenant_value(), id.0.into(), scope.now().0.into()];
    scope.run(TOUCH, values).await?;
    Ok(())
}

/// Ends a session. Gives whether there was one.
///
/// # Errors
/// `Database`.
pub async fn end(scope: &Scope, id: SessionId) -> Result<bool, StoreError> {
    let ended = scope.run(END, [scope.tenant_value(), id.0.into()]).await?;
    Ok(ended > 0)
}

/// Removes a member's sessions that are over, or were not used since `idle_since`.
///
/// # Errors
/// `Database`.
pub async fn forget_old(
    scope: &Scope,
    member: MemberId,
    idle_since: Timestamp,
) -> Result<(), StoreError> {
    let values = [
        scope.tenant_value(),
        member.0.into(),
        scope.now().0.into(),
        idle_since.0.into(),
    ];
    scope.run(FORGET, values).await?;
    Ok(())
}
