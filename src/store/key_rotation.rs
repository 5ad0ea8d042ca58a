//! Rotations of the master key. Belongs to no tenant: it is about the key of all of them.

use sea_orm::FromQueryResult;

use super::scope::{all, one, run};
use super::{Store, StoreError, threshold};
use crate::domain::ids::{DataKeyId, TenantId};
use crate::store::data_key::KeptKey;

#[derive(FromQueryResult)]
struct Version {
    version: i64,
}

/// The rotation that was begun and not finished, by the version it goes to.
///
/// # Errors
/// `Database`.
pub async fn unfinished(store: &Store) -> Result<Option<u32>, StoreError> {
    let sql =
        "SELECT version FROM key_rotation WHERE finished_at IS NULL ORDER BY version DESC LIMIT 1";
    let found: Option<Version> = one(store.reading(), sql, []).await?;
    Ok(found.and_then(|found| u32::try_from(found.version).ok()))
}

/// Begins a rotation, or begins it again.
///
/// # Errors
/// `Database`.
pub async fn begin(store: &Store, version: u32) -> Result<(), StoreError> {
    let sql = "INSERT INTO key_rotation (version, started_at) VALUES ($1, $2)
        ON CONFLICT (version) DO UPDATE SET finished_at = NULL";
    let now = store.clock().now().0;
    run(
        store.writing(),
        sql,
        [i64::from(version).into(), now.into()],
    )
    .await?;
    Ok(())
}

/// Nothing is left under an older version.
///
/// # Errors
/// `Database`.
pub async fn finish(store: &Store, version: u32) -> Result<(), StoreError> {
    let sql =
        "UPDATE key_rotation SET finished_at = $2 WHERE version <= $1 AND finished_at IS NULL";
    let now = store.clock().now().0;
    run(
        store.writing(),
        sql,
        [i64::from(version).into(), now.into()],
    )
    .await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct Counted {
    master_version: i64,
    data_keys: i64,
}

/// How many data keys lie under each version of the master key, by version.
///
/// # Errors
/// `Database`.
pub async fn counts(store: &Store) -> Result<Vec<(u32, u64)>, StoreError> {
    let tx = threshold::begin(store).await?;
    let sql = "SELECT master_version, CAST(count(*) AS BIGINT) AS data_keys FROM data_key
        GROUP BY master_version ORDER BY master_version";
    let rows: Vec<Counted> = all(&tx, sql, []).await?;
    let count = |row: Counted| {
        let version = u32::try_from(row.master_version).unwrap_or(u32::MAX);
        (version, u64::try_from(row.data_keys).unwrap_or(0))
    };
    Ok(rows.into_iter().map(count).collect())
}

#[derive(FromQueryResult)]
struct KeyRow {
    tenant_id: uuid::Uuid,
    id: uuid::Uuid,
    master_version: i64,
    wrapped: Vec<u8>,
    uses: i64,
}

/// Some data keys that lie under another version.
///
/// # Errors
/// `Database`.
pub async fn not_under(
    store: &Store,
    version: u32,
    limit: u32,
) -> Result<Vec<(TenantId, KeptKey)>, StoreError> {
    let tx = threshold::begin(store).await?;
    let sql = format!(
        "SELECT tenant_id, id, master_version, wrapped, uses FROM data_key
         WHERE master_version <> $1 ORDER BY tenant_id, id LIMIT {limit}"
    );
    let rows: Vec<KeyRow> = all(&tx, &sql, [i64::from(version).into()]).await?;
    let key = |row: KeyRow| {
        let kept = KeptKey {
            id: DataKeyId(row.id),
            master_version: u32::try_from(row.master_version).unwrap_or(u32::MAX),
            wrapped: row.wrapped,
            uses: u64::try_from(row.uses).unwrap_or(u64::MAX),
        };
        (row.tenant_id.into(), kept)
    };
    Ok(rows.into_iter().map(key).collect())
}
