//! The audit chain as rows (placeholder until the chain lands).
use super::StoreError;
use super::scope::Told;
use crate::domain::clock::Timestamp;
use crate::domain::ids::TenantId;
use crate::domain::member::Actor;
use sea_orm::DatabaseTransaction;
pub(super) async fn append(
    _tx: &DatabaseTransaction,
    told: Vec<(TenantId, Actor, Timestamp, Told)>,
) -> Result<(), StoreError> {
    drop(told);
    Ok(())
}
