//! What a POST with an `Idempotency-Key` was answered, so that sending it again does nothing twice.

use sea_orm::FromQueryResult;

use super::{Scope, StoreError};
use crate::domain::clock::Timestamp;

/// What is known about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// New: it is ours now, and the request is to be carried out.
    New,
    /// The first request with it is still being carried out, or was cut off.
    Unfinished,
    /// It came with another request.
    OtherRequest,
    /// It was answered so.
    Answered { status: u16, answer: String },
}

#[derive(FromQueryResult)]
struct Row {
    request_digest: String,
    status: Option<i64>,
    answer: Option<String>,
}

const FORGET: &str = "DELETE FROM idempotency WHERE tenant_id = $1 AND created_at <= $2";
const CLAIM: &str = "
INSERT INTO idempotency (tenant_id, key, request_digest, status, answer, created_at)
VALUES ($1, $2, $3, NULL, NULL, $4) ON CONFLICT (tenant_id, key) DO NOTHING";
const FIND: &str = "
SELECT request_digest, status, answer FROM idempotency WHERE tenant_id = $1 AND key = $2";
const ANSWER: &str = "
UPDATE idempotency SET status = $3, answer = $4 WHERE tenant_id = $1 AND key = $2";
const RELEASE: &str = "
DELETE FROM idempotency WHERE tenant_id = $1 AND key = $2 AND status IS NULL";

/// Claims a key for a request, unless it is known. Keys from before `oldest` are forgotten.
///
/// # Errors
/// `Database`.
pub async fn claim(
    scope: &Scope,
    key: &str,
    request_digest: &str,
    oldest: Timestamp,
) -> Result<Known, StoreError> {
    let old = [scope.tenant_value(), oldest.0.into()];
    scope.run(FORGET, old).await?;
    let values = [
        scope.tenant_value(),
        key.into(),
        request_digest.into(),
        scope.now().0.into(),
    ];
    if scope.run(CLAIM, values).await? > 0 {
        return Ok(Known::New);
    }
    let row: Option<Row> = scope.one(FIND, [scope.tenant_value(), key.into()]).await?;
    Ok(match row {
        Some(row) if row.request_digest != request_digest => Known::OtherRequest,
        Some(Row {
            status: Some(status),
            answer: Some(answer),
            ..
        }) => Known::Answered {
            status: u16::try_from(status).unwrap_or(200),
            answer,
        },
        _ => Known::Unfinished,
    })
}

/// Keeps the answer, without anything secret.
///
/// # Errors
/// `Database`.
pub async fn answer(scope: &Scope, key: &str, status: u16, answer: &str) -> Result<(), StoreError> {
    let values = [
        scope.tenant_value(),
        key.into(),
        i64::from(status).into(),
        answer.into(),
    ];
    scope.run(ANSWER, values).await?;
    Ok(())
}

/// Frees a key whose request was not carried out.
///
/// # Errors
/// `Database`.
pub async fn release(scope: &Scope, key: &str) -> Result<(), StoreError> {
    scope
        .run(RELEASE, [scope.tenant_value(), key.into()])
        .await?;
    Ok(())
}
