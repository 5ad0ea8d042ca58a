//! Where the next listing of a flow begins: the start of the last one that was complete.

use sea_orm::FromQueryResult;

use super::{Scope, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::ids::PairId;

#[derive(FromQueryResult)]
struct Row {
    listed_until: i64,
}

const FIND: &str = "
SELECT listed_until FROM cursor WHERE tenant_id = $1 AND pair_id = $2 AND flow = $3";

/// Until when a flow was listed whole; none before the first time.
///
/// # Errors
/// `Database`.
pub async fn find(
    scope: &Scope,
    pair: PairId,
    flow: &str,
) -> Result<Option<Timestamp>, StoreError> {
    let values = [scope.tenant_value(), pair.0.into(), flow.into()];
    let found: Option<Row> = scope.one(FIND, values).await?;
    Ok(found.map(|row| Timestamp(row.listed_until)))
}

const SET: &str = "
INSERT INTO cursor (tenant_id, pair_id, flow, listed_until) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, pair_id, flow) DO UPDATE SET listed_until = excluded.listed_until";

/// A flow was listed whole until `until`.
///
/// # Errors
/// `Database`.
pub async fn set(
    scope: &Scope,
    pair: PairId,
    flow: &str,
    until: Timestamp,
) -> Result<(), StoreError> {
    let values = [
        scope.tenant_value(),
        pair.0.into(),
        flow.into(),
        until.0.into(),
    ];
    scope.run(SET, values).await?;
    Ok(())
}

const FORGET: &str = "DELETE FROM cursor WHERE tenant_id = $1 AND pair_id = $2";

/// The next run of the pair lists everything: what is in scope has changed.
///
/// # Errors
/// `Database`.
pub async fn forget(scope: &Scope, pair: PairId) -> Result<(), StoreError> {
    scope
        .run(FORGET, [scope.tenant_value(), pair.0.into()])
        .await?;
    Ok(())
}
