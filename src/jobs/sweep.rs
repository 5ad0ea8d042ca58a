//! The sweeper: frees what nodes that are gone had leased, queues every tenant that is due and not queued,
//! works those that the queue forgot, and keeps the queue's own tables small.

use std::time::Duration;

use tokio::sync::watch;

use super::Node;
use super::work_tenant::slice;
use crate::domain::member::Actor;
use crate::engine::Engine;
use crate::store::{self, StoreError};

const EVERY: Duration = Duration::from_secs(1);
/// A queued slice that nobody took by then is worked here.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(10);
/// How often the queue's tables are cleaned.
const CLEAN_EVERY: u32 = 60;

pub(super) async fn sweep(node: Node, mut stopping: watch::Receiver<bool>) {
    let engine = &node.engine;
    let mut rounds: u32 = 0;
    let mut wait = Duration::ZERO;
    loop {
        tokio::select! {
            _ = stopping.changed() => return,
            () = tokio::time::sleep(wait) => {}
        }
        wait = EVERY;
        match store::threshold::void_leases_of_the_gone(&engine.store).await {
            Ok(0) => {}
            Ok(freed) => tracing::info!(tenants = freed, "a node is gone; its work goes on here"),
            Err(error) => tracing::warn!(%error, "nodes that are gone could not be looked for"),
        }
        if let Err(error) = queue_due(engine).await {
            tracing::warn!(%error, "due work could not be looked for");
            continue;
        }
        if let Err(error) = work_forgotten(&node).await {
            tracing::warn!(%error, "forgotten work could not be looked for");
        }
        if rounds.is_multiple_of(CLEAN_EVERY)
            && let Err(error) = store::outbox::clean(&engine.store).await
        {
            tracing::warn!(%error, "the queue's tables were not cleaned");
        }
        rounds = rounds.wrapping_add(1);
    }
}

async fn queue_due(engine: &Engine) -> Result<(), StoreError> {
    let due = store::threshold::due_tenants(&engine.store, engine.clock.now()).await?;
    for tenant in due {
        engine
            .store
            .write(tenant, &Actor::worker(), |scope| {
                Box::pin(async move { store::work::queue(scope).await })
            })
            .await?;
    }
    Ok(())
}

async fn work_forgotten(node: &Node) -> Result<(), StoreError> {
    let engine = &node.engine;
    let before = engine.clock.now().minus(FORGOTTEN_AFTER);
    let forgotten = store::threshold::forgotten_tenants(&engine.store, before).await?;
    for tenant in forgotten {
        if engine.is_stopping() {
            return Ok(());
        }
        tracing::info!(%tenant, "the sweeper works a slice that the queue forgot");
        slice(node, tenant).await;
    }
    Ok(())
}
