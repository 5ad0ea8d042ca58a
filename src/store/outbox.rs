//! Wakes: which tenant has work, and the queue's row that brings a worker to it. The queue is only the
//! bell; the truth about what is due is in our own tables.

use apalis_postgres::PostgresStorage;
use apalis_sqlite::SqliteStorage;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr};

use super::commit::Left;
use super::scope::run;
use super::{Store, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::ids::TenantId;

/// The queue that slices wait in.
pub const WORK_TENANT: &str = "work_tenant";

/// Creates the queue's own tables. On SQLite not through its `setup`, which turns durability off.
pub(super) async fn create_queue(connection: &DatabaseConnection) -> Result<(), StoreError> {
    match connection.get_database_backend() {
        DbBackend::Postgres => {
            PostgresStorage::<()>::setup(connection.get_postgres_connection_pool())
                .await
                .map_err(|error| DbErr::Migration(error.to_string()))?;
        }
        _ => SqliteStorage::<()>::migrations()
            .run(connection.get_sqlite_connection_pool())
            .await
            .map_err(|error| DbErr::Migration(error.to_string()))?,
    }
    Ok(())
}

/// Wakes every tenant whose units asked for it, once each.
pub(super) async fn wake_all(tx: &DatabaseTransaction, told: &[Left]) -> Result<(), StoreError> {
    let mut wakes: Vec<(TenantId, Timestamp, Timestamp)> = Vec::new();
    for (tenant, _, now, left) in told {
        let Some(due_at) = left.due_at else { continue };
        match wakes.iter_mut().find(|(known, ..)| known == tenant) {
            Some((_, earliest, _)) => *earliest = (*earliest).min(due_at),
            None => wakes.push((*tenant, due_at, *now)),
        }
    }
    // Sorted, so that two commits never wait for each other.
    wakes.sort();
    for (tenant, due_at, now) in wakes {
        wake(tx, tenant, due_at, now).await?;
    }
    Ok(())
}

const WAKE: &str = "
INSERT INTO tenant_work (tenant_id, due_at, wake_seq, queued_at) VALUES ($1, $2, 1, NULL)
ON CONFLICT (tenant_id) DO UPDATE SET
  due_at = CASE WHEN tenant_work.due_at < excluded.due_at THEN tenant_work.due_at ELSE excluded.due_at END,
  wake_seq = tenant_work.wake_seq + 1";

async fn wake(
    tx: &DatabaseTransaction,
    tenant: TenantId,
    due_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    run(tx, WAKE, [tenant.0.into(), due_at.0.into()]).await?;
    if due_at <= now {
        queue(tx, tenant, now).await?;
    }
    Ok(())
}

const MARK_QUEUED: &str = "
UPDATE tenant_work SET queued_at = $2 WHERE tenant_id = $1 AND queued_at IS NULL AND due_at <= $2";

/// Puts the tenant's slice into the queue unless it is there already.
pub(super) async fn queue(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let marked = run(connection, MARK_QUEUED, [tenant.0.into(), now.0.into()]).await?;
    if marked == 0 {
        return Ok(false);
    }
    let job = format!(r#"{{"tenant":"{tenant}"}}"#);
    let values = [
        ulid::Ulid::generate().to_string().into(),
        WORK_TENANT.into(),
        job.into_bytes().into(),
        (now.0 / Timestamp::SECOND).into(),
    ];
    let statement = match connection.get_database_backend() {
        DbBackend::Postgres => PUSH_POSTGRES,
        _ => PUSH_SQLITE,
    };
    run(connection, statement, values).await?;
    Ok(true)
}

// An id that is no ULID would end the worker that fetches it.
const PUSH_SQLITE: &str = "
INSERT INTO Jobs (id, job_type, job, status, attempts, max_attempts, run_at, priority, metadata)
VALUES ($1, $2, $3, 'Pending', 0, 5, $4, 0, '{}')";
const PUSH_POSTGRES: &str = "
INSERT INTO apalis.jobs (id, job_type, job, status, attempts, max_attempts, run_at, priority, metadata)
VALUES ($1, $2, $3, 'Pending', 0, 5, to_timestamp($4), 0, ''::hstore)";

/// Finished jobs and dead workers leave; on SQLite the planner is told how the table looks, without which
/// the queue's own statements walk through all of it.
///
/// # Errors
/// `Database`.
pub async fn clean(store: &Store) -> Result<(), StoreError> {
    let connection = store.writing();
    let statements: &[&str] = match connection.get_database_backend() {
        DbBackend::Postgres => CLEAN_POSTGRES,
        _ => CLEAN_SQLITE,
    };
    for statement in statements {
        connection.execute_unprepared(statement).await?;
    }
    Ok(())
}

const CLEAN_SQLITE: &[&str] = &[
    "DELETE FROM Jobs WHERE id IN (SELECT id FROM Jobs WHERE status IN ('Done', 'Killed', 'Failed')
     AND done_at < strftime('%s', 'now') - 600 LIMIT 5000)",
    "DELETE FROM Workers WHERE last_seen < strftime('%s', 'now') - 86400
     AND id NOT IN (SELECT lock_by FROM Jobs WHERE lock_by IS NOT NULL)",
    "ANALYZE Jobs",
];
const CLEAN_POSTGRES: &[&str] = &[
    "DELETE FROM apalis.jobs WHERE id IN (SELECT id FROM apalis.jobs WHERE status IN ('Done', 'Killed', 'Failed')
     AND done_at < now() - interval '10 minutes' LIMIT 5000)",
    "DELETE FROM apalis.workers w WHERE w.last_seen < now() - interval '1 day'
     AND NOT EXISTS (SELECT 1 FROM apalis.jobs j WHERE j.lock_by = w.id)",
];
