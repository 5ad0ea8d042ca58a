//! How far the look at each flow's target has come.

use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use super::{Scope, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::ids::PairId;

/// A flow whose target is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    pub pair: PairId,
    pub flow: String,
    /// On the target's own clock: what changed before this was noticed.
    pub noticed_until: Option<Timestamp>,
    /// Its list is to be asked; else what it showed is looked at one by one.
    pub asks: bool,
    pub tries: u32,
    pub due_at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    pair_id: Uuid,
    flow: String,
    noticed_until: Option<i64>,
    asks: i64,
    tries: i64,
    due_at: i64,
}

/// Every flow whose target is to be looked at, now or later.
///
/// # Errors
/// `Database`.
pub async fn all(scope: &Scope) -> Result<Vec<Watch>, StoreError> {
    let sql = "SELECT pair_id, flow, noticed_until, asks, tries, due_at FROM watch \
               WHERE tenant_id = $1 AND due_at IS NOT NULL ORDER BY due_at, flow DESC";
    let rows: Vec<Row> = scope.all(sql, [scope.tenant_value()]).await?;
    Ok(rows
        .into_iter()
        .map(|row| Watch {
            pair: row.pair_id.into(),
            flow: row.flow,
            noticed_until: row.noticed_until.map(Timestamp),
            asks: row.asks != 0,
            tries: u32::try_from(row.tries).unwrap_or(u32::MAX),
            due_at: Timestamp(row.due_at),
        })
        .collect())
}

const BEGIN: &str = "
INSERT INTO watch (tenant_id, pair_id, flow, noticed_until, asks, tries, due_at) VALUES ($1, $2, $3, NULL, $4, 0, $5)
ON CONFLICT (tenant_id, pair_id, flow) DO UPDATE SET
  asks = CASE WHEN watch.asks > excluded.asks THEN watch.asks ELSE excluded.asks END,
  due_at = COALESCE(watch.due_at, excluded.due_at)";

/// A flow's target is to be looked at now: its list too (`asks`), or only what is to be looked at already.
///
/// # Errors
/// `Database`.
pub async fn begin(scope: &Scope, pair: PairId, flow: &str, asks: bool) -> Result<(), StoreError> {
    let values: [Value; 5] = [
        scope.tenant_value(),
        pair.0.into(),
        flow.into(),
        i64::from(asks).into(),
        scope.now().0.into(),
    ];
    scope.run(BEGIN, values).await?;
    scope.wake(scope.now());
    Ok(())
}

/// Keeps how far it has come; `due_at` none: it is over.
///
/// # Errors
/// `Database`.
pub async fn save(
    scope: &Scope,
    watch: &Watch,
    due_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let sql = "UPDATE watch SET noticed_until = $4, asks = $5, tries = $6, due_at = $7 \
               WHERE tenant_id = $1 AND pair_id = $2 AND flow = $3";
    let values: [Value; 7] = [
        scope.tenant_value(),
        watch.pair.0.into(),
        watch.flow.as_str().into(),
        watch.noticed_until.map(|at| at.0).into(),
        i64::from(watch.asks).into(),
        i64::from(watch.tries).into(),
        due_at.map(|at| at.0).into(),
    ];
    scope.run(sql, values).await?;
    Ok(())
}
