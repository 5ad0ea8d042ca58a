//! `work_tenant`: one slice of one tenant.

use std::time::Duration;

use apalis::prelude::*;
use apalis_postgres::PostgresStorage;
use apalis_sqlite::SqliteStorage;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::Node;
use crate::domain::ids::TenantId;
use crate::engine::Ended;
use crate::store::StoreError;
use crate::store::outbox::WORK_TENANT;

/// What the queue carries: whose turn it is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct WorkTenant {
    pub tenant: TenantId,
}

/// How often the queue is looked at.
const POLL_EVERY: Duration = Duration::from_millis(200);
/// Longer than any slice: slices end themselves, a step in the middle of a call included.
const SLICE_MAX: Duration = Duration::from_secs(300);
/// A worker that says nothing for three of these is taken for dead.
const HEARTBEAT: Duration = Duration::from_secs(5);
const MISSED_HEARTBEATS: usize = 3;
/// Between the end of a broken worker and the next one.
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// Runs workers until told to stop; one that breaks (the database went away) is replaced by another,
/// under a name of its own.
pub(super) async fn serve(node: Node, slices: usize, mut stopping: watch::Receiver<bool>) {
    let mut starts: u32 = 0;
    while !*stopping.borrow() {
        starts = starts.wrapping_add(1);
        let name = format!("{WORK_TENANT}-{}-{starts}", node.holder);
        let ended = tokio::select! {
            ended = run(&node, &name, slices) => ended,
            _ = stopping.changed() => return,
        };
        if let Err(error) = ended {
            tracing::warn!(%error, "the queue's worker ended; another one takes over");
        }
        tokio::time::sleep(RESTART_AFTER).await;
    }
}

async fn run(node: &Node, name: &str, slices: usize) -> Result<(), WorkerError> {
    let connection = node.engine.store.connection();
    if node.engine.store.is_postgres() {
        let config = apalis_postgres::Config::default()
            .queue(WORK_TENANT)
            .batch_size(slices)
            .heartbeat_interval(HEARTBEAT)
            .missed_heartbeats(MISSED_HEARTBEATS);
        let queue: PostgresStorage<WorkTenant> =
            PostgresStorage::new(connection.get_postgres_connection_pool()).with_config(config);
        WorkerBuilder::new(name)
            .backend(queue.poll_with_interval(POLL_EVERY))
            .concurrency(slices)
            .data(node.clone())
            .build(work_tenant)
            .run()
            .await
    } else {
        let config = apalis_sqlite::Config::default()
            .queue(WORK_TENANT)
            .batch_size(slices)
            .heartbeat_interval(HEARTBEAT)
            .missed_heartbeats(MISSED_HEARTBEATS);
        let queue: SqliteStorage<WorkTenant> =
            SqliteStorage::new(connection.get_sqlite_connection_pool()).with_config(config);
        WorkerBuilder::new(name)
            .backend(queue.poll_with_interval(POLL_EVERY))
            .concurrency(slices)
            .data(node.clone())
            .build(work_tenant)
            .run()
            .await
    }
}

/// Always ends well for the queue: what it says of retries and delays is not used.
async fn work_tenant(job: WorkTenant, node: Data<Node>) -> Result<(), BoxDynError> {
    slice(&node, job.tenant).await;
    Ok(())
}

/// One slice on a task of its own: a defect in it ends this slice and nothing else.
pub(super) async fn slice(node: &Node, tenant: TenantId) {
    node.working
        .send_modify(|slices| *slices = slices.saturating_add(1));
    let working = tokio::spawn({
        let node = node.clone();
        async move {
            let worked = node.engine.work_tenant(tenant, &node.holder);
            let ended = tokio::time::timeout(SLICE_MAX, worked).await;
            node.working
                .send_modify(|slices| *slices = slices.saturating_sub(1));
            ended
        }
    });
    match working.await {
        Ok(Ok(Ok(ended))) => told(tenant, ended),
        Ok(Ok(Err(StoreError::Stale(what)))) => {
            tracing::info!(%tenant, what, "a slice stopped: its turn is somebody else's");
        }
        Ok(Ok(Err(error))) => tracing::error!(%tenant, %error, "a slice ended early"),
        Ok(Err(_)) => tracing::error!(%tenant, "a slice took too long and was ended"),
        Err(error) => tracing::error!(%tenant, %error, "a slice ended abnormally"),
    }
}

fn told(tenant: TenantId, ended: Ended) {
    match ended {
        Ended::NotOurs => tracing::debug!(%tenant, "the tenant is worked elsewhere"),
        Ended::DueNow => tracing::debug!(%tenant, "more is due"),
        Ended::Until(next) => tracing::debug!(%tenant, ?next, "nothing is due now"),
    }
}
