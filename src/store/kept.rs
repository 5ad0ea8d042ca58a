//! What units keep beside their rows is stored with their commit, that of all of them in one statement.

use sea_orm::{DatabaseTransaction, Value};

use super::StoreError;
use super::chain::marks;
use super::commit::Left;
use super::scope::{Exchanged, run};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{RecordId, TenantId};

/// Bodies of one statement: some are large.
const BODIES_MAX: usize = 200;
const EXCHANGES_MAX: usize = 1_000;

/// Stores bodies and exchanges.
pub(super) async fn store(tx: &DatabaseTransaction, left: &mut [Left]) -> Result<(), StoreError> {
    let mut bodies = Vec::new();
    let mut exchanges = Vec::new();
    for (tenant, _, at, told) in left {
        let kept = std::mem::take(&mut told.bodies).into_iter();
        bodies.extend(kept.map(|(digest, content)| body(*tenant, *at, digest, content)));
        let exchanged = std::mem::take(&mut told.exchanges).into_iter();
        exchanges.extend(exchanged.map(|exchanged| exchange(*tenant, *at, exchanged)));
    }
    let into = "INSERT INTO body (tenant_id, digest, content, created_at)";
    insert(tx, into, bodies, BODIES_MAX).await?;
    let into = "INSERT INTO exchange (tenant_id, id, record_id, attempt, at, calls, body_digest)";
    insert(tx, into, exchanges, EXCHANGES_MAX).await
}

fn body(tenant: TenantId, at: Timestamp, digest: String, content: String) -> [Value; 4] {
    [tenant.0.into(), digest.into(), content.into(), at.0.into()]
}

fn exchange(tenant: TenantId, at: Timestamp, exchanged: Exchanged) -> [Value; 7] {
    [
        tenant.0.into(),
        RecordId::generate().0.into(),
        exchanged.record.0.into(),
        i64::from(exchanged.attempt).into(),
        at.0.into(),
        i64::try_from(exchanged.calls).unwrap_or(i64::MAX).into(),
        exchanged.digest.into(),
    ]
}

async fn insert<const COLUMNS: usize>(
    tx: &DatabaseTransaction,
    into: &str,
    rows: Vec<[Value; COLUMNS]>,
    rows_max: usize,
) -> Result<(), StoreError> {
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let some: Vec<_> = rows.by_ref().take(rows_max).collect();
        let marks = marks(some.len(), COLUMNS);
        let sql = format!("{into} VALUES {marks} ON CONFLICT DO NOTHING");
        run(tx, &sql, some.into_iter().flatten()).await?;
    }
    Ok(())
}
