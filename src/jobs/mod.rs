//! What the queue runs. A job carries ids only and always ends well for the queue: what came of it, and
//! when it goes on, stands in our own tables.

mod sweep;
mod work_tenant;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::engine::Engine;
use crate::store::{Presence, StoreError};

pub use work_tenant::WorkTenant;

/// What the handlers of one node share.
#[derive(Clone)]
struct Node {
    engine: Engine,
    /// Names this process start in leases and in the queue.
    holder: Arc<str>,
    /// Slices in work now.
    working: Arc<watch::Sender<usize>>,
}

/// The workers of one node.
pub struct Workers {
    node: Node,
    queue: JoinHandle<()>,
    sweeper: JoinHandle<()>,
    stop: watch::Sender<bool>,
    _presence: Presence,
}

/// Starts the queue's worker and the sweeper. `slices` tenants are worked at once.
///
/// # Errors
/// `Database` when other nodes cannot be told that this one is there.
pub async fn start(engine: Engine, slices: usize) -> Result<Workers, StoreError> {
    let (stop, stopping) = watch::channel(false);
    let holder = format!("node-{}", ulid::Ulid::generate());
    let presence = Presence::announce(&engine.store, &holder).await?;
    let node = Node {
        engine,
        holder: holder.into(),
        working: Arc::new(watch::Sender::new(0)),
    };
    Ok(Workers {
        queue: tokio::spawn(work_tenant::serve(node.clone(), slices, stopping.clone())),
        sweeper: tokio::spawn(sweep::sweep(node.clone(), stopping)),
        node,
        stop,
        _presence: presence,
    })
}

impl Workers {
    /// Takes no more work, lets slices finish their steps, and gives up after `patience`.
    pub async fn stop(self, patience: Duration) {
        self.node.engine.stop();
        // Nobody listening means that both have ended already.
        let _ = self.stop.send(true);
        let mut working = self.node.working.subscribe();
        let all = async {
            let _ = self.queue.await;
            let _ = self.sweeper.await;
            let _ = working.wait_for(|slices| *slices == 0).await;
        };
        if tokio::time::timeout(patience, all).await.is_err() {
            tracing::warn!("slices were cut off; what they left is taken up again by itself");
        }
    }
}
