//! The few look-ups that come before a tenant is known. Nothing else may cross tenants: on PostgreSQL
//! the tables read here admit it by a policy of their own, all others refuse.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, FromQueryResult, TransactionTrait};
use uuid::Uuid;

use super::scope::{all, run};
use super::{Store, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::ids::TenantId;

/// A transaction that sees the threshold's tables of every tenant.
pub(super) async fn begin(store: &Store) -> Result<DatabaseTransaction, StoreError> {
    let tx = store.reading().begin().await?;
    if tx.get_database_backend() == DbBackend::Postgres {
        run(&tx, "SELECT set_config('app.threshold', 'on', true)", []).await?;
    }
    Ok(tx)
}

#[derive(FromQueryResult)]
struct Tenant {
    tenant_id: Uuid,
}

const DUE: &str = "
SELECT tenant_id FROM tenant_work WHERE due_at <= $1 AND queued_at IS NULL ORDER BY due_at LIMIT 200";
const FORGOTTEN: &str = "
SELECT tenant_id FROM tenant_work WHERE queued_at <= $1 ORDER BY due_at LIMIT 50";

/// Due tenants whose slice is not queued yet.
///
/// # Errors
/// `Database`.
pub async fn due_tenants(store: &Store, now: Timestamp) -> Result<Vec<TenantId>, StoreError> {
    tenants(store, DUE, now).await
}

/// Tenants whose slice was queued before `before` and that nobody took since.
///
/// # Errors
/// `Database`.
pub async fn forgotten_tenants(
    store: &Store,
    before: Timestamp,
) -> Result<Vec<TenantId>, StoreError> {
    tenants(store, FORGOTTEN, before).await
}

async fn tenants(store: &Store, sql: &str, at: Timestamp) -> Result<Vec<TenantId>, StoreError> {
    let tx = begin(store).await?;
    let found: Vec<Tenant> = all(&tx, sql, [at.0.into()]).await?;
    Ok(found.into_iter().map(|row| row.tenant_id.into()).collect())
}

/// A start on SQLite: nobody else can be at work, so whatever was leased is free.
///
/// # Errors
/// `Database`.
pub async fn void_leases(store: &Store) -> Result<(), StoreError> {
    let tx = store.writing();
    if tx.get_database_backend() != DbBackend::Postgres {
        run(tx, "UPDATE tenant_lease SET until = 0", []).await?;
        run(tx, "UPDATE tenant_work SET queued_at = NULL", []).await?;
        run(tx, "UPDATE vendor_token SET refreshing_until = 0", []).await?;
    }
    Ok(())
}
