//! Says to the others that this process is there and which master keys it knows, and takes up versions that
//! are added to the key's file while it runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::keys;
use crate::desk::{Desk, keys as act};
use crate::store;
use crate::store::node::Node;

/// How often it is said, and the file read.
const EVERY: Duration = Duration::from_secs(2);

/// The task that says it.
pub(super) struct Present {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Says it from now on. `key_file` is read again and again; none where the key is in the environment.
pub(super) fn say(desk: Desk, role: &'static str, key_file: Option<PathBuf>) -> Present {
    let (stop, mut stopping) = watch::channel(false);
    let mut me = Node {
        id: format!("{role}-{}", ulid::Ulid::generate()),
        role,
        host: rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned(),
        versions: Vec::new(),
        sealing_version: 0,
        started_at: desk.store().clock().now(),
    };
    let task = tokio::spawn(async move {
        loop {
            if let Some(path) = &key_file {
                learn(&desk, path);
            }
            if let Err(error) = act::beat(&desk, &mut me).await {
                tracing::warn!(%error, "it cannot be said that this process is there");
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                _ = stopping.changed() => break,
            }
        }
        if let Err(error) = store::node::leave(desk.store(), &me.id).await {
            tracing::warn!(%error, "it cannot be said that this process ends");
        }
    });
    Present { stop, task }
}

/// A file that does not work by now changes nothing: the keys that are known go on.
fn learn(desk: &Desk, path: &Path) {
    let list = match keys::read_again(path) {
        Ok(list) => list,
        Err(error) => {
            tracing::warn!(%error, "the master key's file cannot be read again");
            return;
        }
    };
    match desk.vault().learn(list) {
        Ok(true) => {
            let versions = desk.vault().versions();
            tracing::info!(?versions, "versions of the master key were added");
        }
        Ok(false) => {}
        Err(error) => {
            tracing::error!(%error, path = %path.display(), "the master key's file is another one by now");
        }
    }
}

impl Present {
    /// Says that it ends.
    pub async fn stop(self) {
        // Nobody listening means that it has ended already.
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}
