//! A tenant's turn: its lease with a fence, and when it is due next.

use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult};

use super::{Scope, StoreError, outbox};
use crate::domain::clock::Timestamp;
use crate::domain::ids::PairId;

/// The right to work a tenant, until somebody else takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub holder: String,
    /// Rises with every taking; every intent and outcome compares it.
    pub fence: i64,
    /// The wakes seen when it was taken.
    pub wake_seq: i64,
    /// Whoever had it before never gave it back.
    pub is_takeover: bool,
}

/// How long a lease lasts without renewal.
pub const LEASE_SECONDS: i64 = 30;

#[derive(FromQueryResult)]
struct Fence {
    fence: i64,
}

/// The holder of a lease that was given back.
const NOBODY: &str = "";

#[derive(FromQueryResult)]
struct Holder {
    holder: String,
}

#[derive(FromQueryResult)]
struct Wakes {
    wake_seq: i64,
}

#[derive(FromQueryResult)]
struct DueAt {
    due_at: Option<i64>,
}

/// The database's clock in microseconds: leases never depend on two machines' clocks agreeing.
pub(super) fn database_now(scope: &Scope) -> &'static str {
    match scope.tx().get_database_backend() {
        DbBackend::Postgres => "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
        _ => "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
    }
}

/// Takes the tenant's lease if nobody holds it.
///
/// # Errors
/// `Database`.
pub async fn take(scope: &Scope, holder: &str) -> Result<Option<Lease>, StoreError> {
    scope.held().forget();
    let now = database_now(scope);
    let last: Option<Holder> = scope
        .one(
            "SELECT holder FROM tenant_lease WHERE tenant_id = $1",
            [scope.tenant_value()],
        )
        .await?;
    let sql = format!(
        "INSERT INTO tenant_lease (tenant_id, holder, until, fence)
         VALUES ($1, $2, {now} + $3, 1)
         ON CONFLICT (tenant_id) DO UPDATE SET holder = excluded.holder, until = excluded.until,
           fence = tenant_lease.fence + 1
         WHERE tenant_lease.until < {now}
         RETURNING fence"
    );
    let lasting = LEASE_SECONDS.saturating_mul(Timestamp::SECOND);
    let values = [scope.tenant_value(), holder.into(), lasting.into()];
    let Some(Fence { fence }) = scope.one(&sql, values).await? else {
        return Ok(None);
    };
    let wakes: Option<Wakes> = scope
        .one(
            "SELECT wake_seq FROM tenant_work WHERE tenant_id = $1",
            [scope.tenant_value()],
        )
        .await?;
    Ok(Some(Lease {
        holder: holder.to_owned(),
        fence,
        wake_seq: wakes.map_or(0, |wakes| wakes.wake_seq),
        is_takeover: last.is_some_and(|last| last.holder != NOBODY),
    }))
}

/// Keeps the lease for at least `seconds` more.
///
/// # Errors
/// `Stale` when it was lost.
pub async fn extend(scope: &Scope, lease: &Lease, seconds: i64) -> Result<(), StoreError> {
    // Whoever asks did so before this transaction began, so what was extended in it lasts long enough.
    if scope.held().covers(scope.tenant(), lease.fence, seconds) {
        return Ok(());
    }
    let now = database_now(scope);
    let sql = format!(
        "UPDATE tenant_lease SET until = CASE WHEN until > {now} + $3 THEN until ELSE {now} + $3 END
         WHERE tenant_id = $1 AND fence = $2 AND until >= {now}"
    );
    let lasting = seconds.saturating_mul(Timestamp::SECOND);
    let values = [scope.tenant_value(), lease.fence.into(), lasting.into()];
    held(scope.run(&sql, values).await?)?;
    scope.held().note(scope.tenant(), lease.fence, seconds);
    Ok(())
}

/// Stops the unit when the lease is no longer ours. First statement of every intent and outcome.
///
/// # Errors
/// `Stale` when it was lost.
pub async fn check(scope: &Scope, lease: &Lease) -> Result<(), StoreError> {
    if scope.held().covers(scope.tenant(), lease.fence, 0) {
        return Ok(());
    }
    let sql = match scope.tx().get_database_backend() {
        // The row stays as it is until the commit.
        DbBackend::Postgres => "SELECT fence FROM tenant_lease WHERE tenant_id = $1 FOR SHARE",
        _ => "SELECT fence FROM tenant_lease WHERE tenant_id = $1",
    };
    let found: Option<Fence> = scope.one(sql, [scope.tenant_value()]).await?;
    held(u64::from(
        found.is_some_and(|found| found.fence == lease.fence),
    ))?;
    scope.held().note(scope.tenant(), lease.fence, 0);
    Ok(())
}

fn held(rows: u64) -> Result<(), StoreError> {
    if rows == 0 {
        return Err(StoreError::TURN_LOST);
    }
    Ok(())
}

/// Gives the lease back, and says when the tenant is due next: at once when it was woken meanwhile.
/// Gives whether it is due at once.
///
/// # Errors
/// `Database`.
pub async fn end(
    scope: &Scope,
    lease: &Lease,
    next: Option<Timestamp>,
) -> Result<bool, StoreError> {
    scope.held().forget();
    let now = database_now(scope);
    let free = format!(
        "UPDATE tenant_lease SET until = {now} - 1, holder = '{NOBODY}' WHERE tenant_id = $1 AND fence = $2"
    );
    let freed = scope
        .run(&free, [scope.tenant_value(), lease.fence.into()])
        .await?;
    if freed == 0 {
        return Ok(false);
    }
    let slept = scope
        .run(
            "UPDATE tenant_work SET due_at = $2, queued_at = NULL WHERE tenant_id = $1 AND wake_seq = $3",
            [
                scope.tenant_value(),
                next.map_or(i64::MAX, |at| at.0).into(),
                lease.wake_seq.into(),
            ],
        )
        .await?;
    if slept == 0 {
        scope
            .run(
                "UPDATE tenant_work SET due_at = $2, queued_at = NULL WHERE tenant_id = $1",
                [scope.tenant_value(), scope.now().0.into()],
            )
            .await?;
    }
    outbox::queue(scope.tx(), scope.tenant(), scope.now()).await
}

/// Puts a due tenant into the queue; the sweeper's part.
///
/// # Errors
/// `Database`.
pub async fn queue(scope: &Scope) -> Result<bool, StoreError> {
    outbox::queue(scope.tx(), scope.tenant(), scope.now()).await
}

/// The earliest instant at which anything of the tenant is due, records of pairs that rest left out.
///
/// # Errors
/// `Database`.
pub async fn next_due(scope: &Scope, resting: &[PairId]) -> Result<Option<Timestamp>, StoreError> {
    let others = but(resting, 2);
    let sql = format!(
        "SELECT CAST(min(due_at) AS BIGINT) AS due_at FROM (
           SELECT min(due_at) AS due_at FROM record WHERE tenant_id = $1 AND due_at IS NOT NULL{others}
           UNION ALL SELECT min(due_at) FROM run WHERE tenant_id = $1 AND due_at IS NOT NULL
           UNION ALL SELECT min(due_at) FROM chore WHERE tenant_id = $1{others}
           UNION ALL SELECT min(due_at) FROM sweep WHERE tenant_id = $1
           UNION ALL SELECT min(due_at) FROM watch WHERE tenant_id = $1 AND due_at IS NOT NULL{others}
           UNION ALL SELECT min(next_run_at) FROM pair WHERE tenant_id = $1 AND next_run_at IS NOT NULL
         ) AS everything"
    );
    let values =
        std::iter::once(scope.tenant_value()).chain(resting.iter().map(|pair| pair.0.into()));
    let found: Option<DueAt> = scope.one(&sql, values).await?;
    Ok(found.and_then(|found| found.due_at).map(Timestamp))
}

/// A condition that leaves pairs out; their ids are bound from `first` on.
pub(super) fn but(pairs: &[PairId], first: usize) -> String {
    if pairs.is_empty() {
        return String::new();
    }
    let marks: Vec<String> = (0..pairs.len())
        .map(|at| format!("${}", first.saturating_add(at)))
        .collect();
    format!(" AND pair_id NOT IN ({})", marks.join(", "))
}
