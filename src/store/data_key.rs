//! A tenant's data keys, wrapped. The newest seals, all of them open.

use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{Scope, StoreError};
use crate::domain::ids::DataKeyId;

/// A data key as it lies in the database: useless without the master key that wrapped it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptKey {
    pub id: DataKeyId,
    pub master_version: u32,
    pub wrapped: Vec<u8>,
    /// How often it may have sealed.
    pub uses: u64,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    master_version: i64,
    wrapped: Vec<u8>,
    uses: i64,
}

impl Row {
    fn into_key(self) -> Result<KeptKey, StoreError> {
        let corrupt = |column| StoreError::Corrupt {
            table: "data_key",
            column,
        };
        Ok(KeptKey {
            id: self.id.into(),
            master_version: u32::try_from(self.master_version)
                .map_err(|_| corrupt("master_version"))?,
            wrapped: self.wrapped,
            uses: u64::try_from(self.uses).map_err(|_| corrupt("uses"))?,
        })
    }
}

const INSERT: &str = "
INSERT INTO data_key (tenant_id, id, master_version, wrapped, uses, created_at)
VALUES ($1, $2, $3, $4, $5, $6)";

/// Keeps a new key.
///
/// # Errors
/// `Database`.
pub async fn insert(scope: &Scope, key: &KeptKey) -> Result<(), StoreError> {
    let values = [
        scope.tenant_value(),
        key.id.0.into(),
        i64::from(key.master_version).into(),
        key.wrapped.clone().into(),
        i64::try_from(key.uses).unwrap_or(i64::MAX).into(),
        scope.now().0.into(),
    ];
    scope.run(INSERT, values).await?;
    Ok(())
}

/// Adds to the newest key's count before it is used: what a process that dies never used stays counted.
const RESERVE: &str = "
UPDATE data_key SET uses = uses + $2
WHERE tenant_id = $1 AND id = (
  SELECT id FROM data_key WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1)
RETURNING id, master_version, wrapped, uses";

/// The newest key with `count` more uses reserved; its `uses` are those before. None before the first key.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn reserve(scope: &Scope, count: u32) -> Result<Option<KeptKey>, StoreError> {
    let found: Option<Row> = scope
        .one(RESERVE, [scope.tenant_value(), i64::from(count).into()])
        .await?;
    let Some(row) = found else { return Ok(None) };
    let key = row.into_key()?;
    Ok(Some(KeptKey {
        uses: key.uses.saturating_sub(u64::from(count)),
        ..key
    }))
}

const FIND: &str = "
SELECT id, master_version, wrapped, uses FROM data_key WHERE tenant_id = $1 AND id = $2";

/// The key that a sealed value names.
///
/// # Errors
/// `Missing` when this tenant has none of that id; `Corrupt`, `Database`.
pub async fn find(scope: &Scope, id: DataKeyId) -> Result<KeptKey, StoreError> {
    let found: Option<Row> = scope.one(FIND, [scope.tenant_value(), id.0.into()]).await?;
    found.ok_or(StoreError::Missing("data key"))?.into_key()
}

const REWRAP: &str = "
UPDATE data_key SET wrapped = $3, master_version = $4 WHERE tenant_id = $1 AND id = $2 AND wrapped = $5";

/// Puts a key's new wrapping in place of the one that was read. Gives whether that was still there.
///
/// # Errors
/// `Database`.
pub async fn rewrap(scope: &Scope, key: &KeptKey, before: &[u8]) -> Result<bool, StoreError> {
    let values = [
        scope.tenant_value(),
        key.id.0.into(),
        key.wrapped.clone().into(),
        i64::from(key.master_version).into(),
        before.to_vec().into(),
    ];
    Ok(scope.run(REWRAP, values).await? == 1)
}
