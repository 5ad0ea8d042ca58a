//! Bodies by digest: source snapshots, drafts, candidates, exchanges. Kept once however often they occur.

use sea_orm::FromQueryResult;

use super::{Scope, StoreError};
use crate::domain::tag::digest;

#[derive(FromQueryResult)]
struct Row {
    content: String,
}

/// Keeps a text and gives its digest.
///
/// # Errors
/// `Database`.
pub async fn keep(scope: &Scope, content: &str) -> Result<String, StoreError> {
    let digest = digest(content.as_bytes());
    keep_as(scope, &digest, content).await?;
    Ok(digest)
}

/// Keeps a text under a digest that is known already.
///
/// # Errors
/// `Database`.
pub async fn keep_as(scope: &Scope, digest: &str, content: &str) -> Result<(), StoreError> {
    scope
        .run(
            "INSERT INTO body (tenant_id, digest, content, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            [
                scope.tenant_value(),
                digest.into(),
                content.into(),
                scope.now().0.into(),
            ],
        )
        .await?;
    Ok(())
}

/// A kept text; none when it was erased.
///
/// # Errors
/// `Database`.
pub async fn find(scope: &Scope, digest: &str) -> Result<Option<String>, StoreError> {
    let row: Option<Row> = scope
        .one(
            "SELECT content FROM body WHERE tenant_id = $1 AND digest = $2",
            [scope.tenant_value(), digest.into()],
        )
        .await?;
    Ok(row.map(|row| row.content))
}
