//! Which processes work on this database, and which master keys they know. Belongs to no tenant.

use std::time::Duration;

use sea_orm::{DbBackend, FromQueryResult};

use super::scope::{all, run};
use super::{Store, StoreError};
use crate::domain::clock::Timestamp;

/// A process that says nothing for so long counts as gone.
pub const SILENT: Duration = Duration::from_secs(15);

/// A process, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub id: String,
    /// `web`, `worker` or `serve`.
    pub role: &'static str,
    pub host: String,
    /// Master key versions that it opens with, oldest first.
    pub versions: Vec<u32>,
    /// The one that it seals with.
    pub sealing_version: u32,
    pub started_at: Timestamp,
}

/// A process that was heard of lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveNode {
    pub id: String,
    pub role: String,
    pub host: String,
    pub versions: Vec<u32>,
    pub sealing_version: u32,
    pub started_at: Timestamp,
    /// How long ago it was heard of.
    pub silent_for: Duration,
}

fn now(store: &Store) -> &'static str {
    match store.is_postgres() {
        true => "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
        false => "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
    }
}

/// Says that a process is there.
///
/// # Errors
/// `Database`.
pub async fn beat(store: &Store, node: &Node) -> Result<(), StoreError> {
    let now = now(store);
    let sql = format!(
        "INSERT INTO node (id, role, host, versions, sealing_version, started_at, seen_at)
         VALUES ($1, $2, $3, $4, $5, $6, {now})
         ON CONFLICT (id) DO UPDATE SET versions = excluded.versions,
           sealing_version = excluded.sealing_version, seen_at = excluded.seen_at"
    );
    let versions: Vec<String> = node.versions.iter().map(u32::to_string).collect();
    let values = [
        node.id.clone().into(),
        node.role.into(),
        node.host.clone().into(),
        versions.join(",").into(),
        i64::from(node.sealing_version).into(),
        node.started_at.0.into(),
    ];
    run(store.writing(), &sql, values).await?;
    Ok(())
}

/// The process ends; those that were not heard of for a day are forgotten with it.
///
/// # Errors
/// `Database`.
pub async fn leave(store: &Store, id: &str) -> Result<(), StoreError> {
    const DAY: i64 = 24 * 3600 * Timestamp::SECOND;
    let now = now(store);
    let sql = format!("DELETE FROM node WHERE id = $1 OR seen_at < {now} - $2");
    run(store.writing(), &sql, [id.into(), DAY.into()]).await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct Row {
    id: String,
    role: String,
    host: String,
    versions: String,
    sealing_version: i64,
    started_at: i64,
    silent_for: i64,
}

/// Processes that were heard of within [`SILENT`]. On SQLite there is one at a time: the latest.
///
/// # Errors
/// `Database`.
pub async fn live(store: &Store) -> Result<Vec<LiveNode>, StoreError> {
    let now = now(store);
    let sql = format!(
        "SELECT id, role, host, versions, sealing_version, started_at, CAST({now} - seen_at AS BIGINT) AS silent_for
         FROM node WHERE seen_at >= {now} - $1 ORDER BY started_at, id"
    );
    let silent = i64::try_from(SILENT.as_micros()).unwrap_or(i64::MAX);
    let rows: Vec<Row> = all(store.reading(), &sql, [silent.into()]).await?;
    let mut nodes: Vec<LiveNode> = rows.into_iter().map(Row::into_node).collect();
    if store.backend() != DbBackend::Postgres {
        nodes = nodes.pop().into_iter().collect();
    }
    Ok(nodes)
}

impl Row {
    fn into_node(self) -> LiveNode {
        let versions = self.versions.split(',');
        LiveNode {
            id: self.id,
            role: self.role,
            host: self.host,
            versions: versions
                .filter_map(|version| version.parse().ok())
                .collect(),
            sealing_version: u32::try_from(self.sealing_version).unwrap_or(0),
            started_at: Timestamp(self.started_at),
            silent_for: Duration::from_micros(u64::try_from(self.silent_for).unwrap_or(0)),
        }
    }
}
