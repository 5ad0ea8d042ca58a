//! Keeps the heads of the trails outside the database: a signed line for each chain that has grown, every
//! five minutes and at the end.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::config::Storage;
use super::private;
use crate::audit::heads::HeadLine;
use crate::desk::Desk;
use crate::desk::trail::{head_line, known_heads, moved_heads};
use crate::domain::clock::Pace;
use crate::domain::ids::TenantId;

/// In the data directory.
const FILE: &str = "audit-heads.jsonl";
/// What was told since is not yet known outside. Source: SECURITY-RELIABILITY S41, read 2026-11-22.
const EVERY: Duration = Duration::from_secs(300);
/// However fast a test lets time pass.
const EVERY_MIN: Duration = Duration::from_secs(1);

/// Where the heads are kept.
pub(super) fn file(storage: &Storage) -> PathBuf {
    storage.data_dir.join(FILE)
}

/// The file of heads, with what is in it already.
pub(super) struct Heads {
    path: PathBuf,
    file: File,
    kept: BTreeMap<TenantId, i64>,
    /// The master key version that signed what is kept.
    signed_by: u32,
}

impl Heads {
    /// Opens the file for adding to it.
    pub fn open(desk: &Desk, storage: &Storage) -> anyhow::Result<Self> {
        let path = file(storage);
        let cannot = || format!("{} cannot be used", path.display());
        let known = known_heads(desk.vault(), &path).with_context(cannot)?;
        let last = known
            .tenants()
            .filter_map(|tenant| Some((tenant, known.furthest(tenant)?.seq)));
        Ok(Self {
            kept: last.collect(),
            signed_by: desk.vault().sealing_version(),
            file: private::append(&path).with_context(cannot)?,
            path,
        })
    }

    /// Adds the heads that have moved since they were added last.
    pub async fn add_moved(&mut self, desk: &Desk) -> anyhow::Result<()> {
        if desk.vault().sealing_version() != self.signed_by {
            self.sign_anew(desk)?;
        }
        let mut kept = self.kept.clone();
        let lines = moved_heads(desk, &mut kept).await?;
        self.add(&lines)?;
        self.kept = kept;
        Ok(())
    }

    /// Adds the furthest head of every chain once more, signed by the master key that signs now, so that the
    /// old one can go. They are taken from the file: what the database says does not count here.
    pub fn sign_anew(&mut self, desk: &Desk) -> anyhow::Result<()> {
        let known = known_heads(desk.vault(), &self.path)?;
        let at = desk.store().clock().now();
        let furthest = known
            .tenants()
            .filter_map(|tenant| Some((tenant, known.furthest(tenant)?)));
        let lines: Vec<HeadLine> = furthest
            .map(|(tenant, head)| head_line(desk.vault(), tenant, head, at, false))
            .collect();
        self.add(&lines)?;
        self.signed_by = desk.vault().sealing_version();
        Ok(())
    }

    /// Adds lines in one piece, and waits until they are on the disk.
    pub fn add(&mut self, lines: &[HeadLine]) -> anyhow::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let text: String = lines.iter().map(HeadLine::text).collect();
        self.file.write_all(text.as_bytes())?;
        self.file.sync_data()?;
        Ok(())
    }
}

/// The task that keeps heads.
pub(super) struct Keeping {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Keeps heads from now on.
pub(super) fn keep(desk: Desk, mut heads: Heads, pace: Pace) -> Keeping {
    let (stop, mut stopping) = watch::channel(false);
    let every = pace.wait(EVERY).max(EVERY_MIN);
    let task = tokio::spawn(async move {
        let mut is_stopping = false;
        while !is_stopping {
            if let Err(error) = heads.add_moved(&desk).await {
                tracing::error!(
                    error = format!("{error:#}"),
                    "the heads of the trails were not kept"
                );
            }
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                _ = stopping.changed() => is_stopping = true,
            }
        }
        // What was told last is known outside, too.
        if let Err(error) = heads.add_moved(&desk).await {
            tracing::error!(
                error = format!("{error:#}"),
                "the last heads of the trails were not kept"
            );
        }
    });
    Keeping { stop, task }
}

impl Keeping {
    /// Keeps them once more and ends.
    pub async fn stop(self) {
        // Nobody listening means that it has ended already.
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}
