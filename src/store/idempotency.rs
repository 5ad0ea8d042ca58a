//! What a POST with an `Idempotency-Key` was answered, so that sending it again does nothing twice.

use sea_orm::FromQueryResult;

use super::{Scope, StoreError};
use crate::domain::clock::Timestamp;

/// What is known about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// New: it is ours now, and the request is to be carried out.
    New,
    /// The first request with it is still being carried out.
    Unfinished,
    /// The first request with it was cut off before it was answered; the key is ours now. What that request has
    /// committed bears its number.
    CutOff { since: Timestamp, request: String },
    /// It came with another request.
    OtherRequest,
    /// It was answered so.
    Answered { status: u16, answer: String },
}

#[derive(FromQueryResult)]
struct Row {
    request_digest: String,
    status: Option<i64>,
    /// Before there is one: the number of the request that holds the key.
    answer: Option<String>,
    created_at: i64,
}

/// Who wants a key, and for what.
#[derive(Debug, Clone)]
pub struct Claim {
    pub key: String,
    pub request_digest: String,
    /// The number of this request.
    pub request: String,
    /// Keys from before are forgotten.
    pub oldest: Timestamp,
    /// A request that has had its key since before, and has not answered, never will.
    pub cut_off_before: Timestamp,
}

const FORGET: &str = "DELETE FROM idempotency WHERE tenant_id = $1 AND created_at <= $2";
const CLAIM: &str = "
INSERT INTO idempotency (tenant_id, key, request_digest, status, answer, created_at)
VALUES ($1, $2, $3, NULL, $5, $4) ON CONFLICT (tenant_id, key) DO NOTHING";
const TAKE_OVER: &str = "
UPDATE idempotency SET answer = $3, created_at = $4
WHERE tenant_id = $1 AND key = $2 AND status IS NULL AND created_at = $5";
const FIND: &str = "
SELECT request_digest, status, answer, created_at FROM idempotency WHERE tenant_id = $1 AND key = $2";
const ANSWER: &str = "
UPDATE idempotency SET status = $3, answer = $4 WHERE tenant_id = $1 AND key = $2";
const RELEASE: &str = "
DELETE FROM idempotency WHERE tenant_id = $1 AND key = $2 AND status IS NULL";

/// Claims a key for a request, unless it is known.
///
/// # Errors
/// `Database`.
pub async fn claim(scope: &Scope, claim: &Claim) -> Result<Known, StoreError> {
    let old = [scope.tenant_value(), claim.oldest.0.into()];
    scope.run(FORGET, old).await?;
    let key = || claim.key.as_str().into();
    let values = [
        scope.tenant_value(),
        key(),
        claim.request_digest.as_str().into(),
        scope.now().0.into(),
        claim.request.as_str().into(),
    ];
    if scope.run(CLAIM, values).await? > 0 {
        return Ok(Known::New);
    }
    let row: Option<Row> = scope.one(FIND, [scope.tenant_value(), key()]).await?;
    let Some(row) = row else {
        return Ok(Known::Unfinished);
    };
    if row.request_digest != claim.request_digest {
        return Ok(Known::OtherRequest);
    }
    let answer = row.answer.unwrap_or_default();
    if let Some(status) = row.status {
        let status = u16::try_from(status).unwrap_or(200);
        return Ok(Known::Answered { status, answer });
    }
    if row.created_at >= claim.cut_off_before.0 {
        return Ok(Known::Unfinished);
    }
    let values = [
        scope.tenant_value(),
        key(),
        claim.request.as_str().into(),
        scope.now().0.into(),
        row.created_at.into(),
    ];
    Ok(match scope.run(TAKE_OVER, values).await? {
        // Somebody else took it over this very moment.
        0 => Known::Unfinished,
        _ => Known::CutOff {
            since: Timestamp(row.created_at),
            request: answer,
        },
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
