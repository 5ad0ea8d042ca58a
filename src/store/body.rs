//! Bodies by digest: source snapshots, drafts, candidates, exchanges. Kept once however often they occur.

use sea_orm::FromQueryResult;

use super::{Scope, StoreError};
use crate::domain::tag::digest;

#[derive(FromQueryResult)]
struct Row {
    content: String,
}

/// Keeps a text and gives its digest. It is there with the commit.
pub fn keep(scope: &Scope, content: String) -> String {
    let digest = digest(content.as_bytes());
    scope.keep(digest.clone(), content);
    digest
}

/// Keeps a text under a digest that is known already. It is there with the commit.
pub fn keep_as(scope: &Scope, digest: String, content: String) {
    scope.keep(digest, content);
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
