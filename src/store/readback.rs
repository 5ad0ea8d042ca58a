//! What targets held when they were last read, and which of them are to be looked at.

use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use super::rows::{Column, json_text, optional_json};
use super::{Scope, StoreError};
use crate::domain::holding::Holding;
use crate::domain::ids::{LinkId, PairId};
use crate::domain::plan::Change;
use crate::domain::system::Entity;

/// One target record as it was last looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadBack {
    /// As it was when we last wrote or adopted it; none: not read yet.
    pub held: Option<Holding>,
    /// Where it differs from that now.
    pub differs: Vec<Change>,
    /// Why no new document may name it.
    pub closed: Option<String>,
}

/// A link whose target is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueLook {
    pub link: LinkId,
    pub source_id: String,
    pub target_id: String,
}

const fn column(name: &'static str) -> Column {
    Column::new("readback", name)
}

#[derive(FromQueryResult)]
struct Row {
    held: Option<String>,
    differs: Option<String>,
    closed: Option<String>,
}

/// What was last read of a link's target; none: nothing, or that of another target.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn find(
    scope: &Scope,
    link: LinkId,
    target_id: &str,
) -> Result<Option<ReadBack>, StoreError> {
    let sql = "SELECT held, differs, closed FROM readback WHERE tenant_id = $1 AND link_id = $2 AND target_id = $3";
    let values = [scope.tenant_value(), link.0.into(), target_id.into()];
    let row: Option<Row> = scope.one(sql, values).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(ReadBack {
        held: optional_json(column("held"), row.held.as_deref())?,
        differs: optional_json(column("differs"), row.differs.as_deref())?.unwrap_or_default(),
        closed: row.closed,
    }))
}

const KEEP: &str = "
INSERT INTO readback (tenant_id, link_id, pair_id, entity, target_id, held, differs, closed, version, seen_version,
  checked_at, due_at)
SELECT $1, id, pair_id, entity, target_id, $5, NULL, $6, '', '', $7, NULL FROM link
WHERE tenant_id = $1 AND pair_id = $2 AND entity = $3 AND source_id = $4 AND alias = 0
ON CONFLICT (tenant_id, link_id) DO UPDATE SET target_id = excluded.target_id, held = excluded.held, differs = NULL,
  closed = excluded.closed, checked_at = excluded.checked_at, due_at = NULL";

/// The target of a source record's link holds this, and that is as it should be.
///
/// # Errors
/// `Database`.
pub async fn keep(
    scope: &Scope,
    (pair, entity, source_id): (PairId, &Entity, &str),
    holding: &Holding,
) -> Result<(), StoreError> {
    let values: [Value; 7] = [
        scope.tenant_value(),
        pair.0.into(),
        entity.as_str().into(),
        source_id.into(),
        json_text(column("held"), holding)?.into(),
        holding.closed.clone().into(),
        scope.now().0.into(),
    ];
    scope.run(KEEP, values).await?;
    Ok(())
}

const LOOKED: &str = "
INSERT INTO readback (tenant_id, link_id, pair_id, entity, target_id, held, differs, closed, version, seen_version,
  checked_at, due_at)
SELECT $1, id, pair_id, entity, target_id, $3, $4, $5, '', '', $6, NULL FROM link WHERE tenant_id = $1 AND id = $2
ON CONFLICT (tenant_id, link_id) DO UPDATE SET target_id = excluded.target_id, held = excluded.held,
  differs = excluded.differs, closed = excluded.closed, version = readback.seen_version,
  checked_at = excluded.checked_at, due_at = NULL";

/// A link's target was looked at.
///
/// # Errors
/// `Database`.
pub async fn looked(scope: &Scope, link: LinkId, found: &ReadBack) -> Result<(), StoreError> {
    let held = found.held.as_ref();
    let differs = (!found.differs.is_empty()).then_some(&found.differs);
    let values: [Value; 6] = [
        scope.tenant_value(),
        link.0.into(),
        held.map(|held| json_text(column("held"), held))
            .transpose()?
            .into(),
        differs
            .map(|differs| json_text(column("differs"), differs))
            .transpose()?
            .into(),
        found.closed.clone().into(),
        scope.now().0.into(),
    ];
    scope.run(LOOKED, values).await?;
    Ok(())
}

const PUT_OFF: &str = "
UPDATE readback SET due_at = NULL, checked_at = $3 WHERE tenant_id = $1 AND link_id = $2";

/// A link's target is not looked at this time.
///
/// # Errors
/// `Database`.
pub async fn put_off(scope: &Scope, link: LinkId) -> Result<(), StoreError> {
    let values = [scope.tenant_value(), link.0.into(), scope.now().0.into()];
    scope.run(PUT_OFF, values).await?;
    Ok(())
}

/// Keys of one statement.
const KEYS_AT_ONCE: usize = 400;

#[derive(FromQueryResult)]
struct Linked {
    id: Uuid,
    target_id: String,
}

/// Of the records that a target's list showed, those that are linked are to be looked at, unless they were
/// looked at as they are.
///
/// # Errors
/// `Database`.
pub async fn notice(
    scope: &Scope,
    (pair, entity): (PairId, &Entity),
    records: &[(String, String)],
) -> Result<(), StoreError> {
    for some in records.chunks(KEYS_AT_ONCE) {
        let marks: Vec<String> = (0..some.len())
            .map(|at| format!("${}", at.saturating_add(4)))
            .collect();
        let sql = format!(
            "SELECT id, target_id FROM link WHERE tenant_id = $1 AND pair_id = $2 AND entity = $3 AND alias = 0 \
             AND target_id IN ({})",
            marks.join(", ")
        );
        let mut values: Vec<Value> =
            vec![scope.tenant_value(), pair.0.into(), entity.as_str().into()];
        values.extend(some.iter().map(|(key, _)| key.as_str().into()));
        let linked: Vec<Linked> = scope.all(&sql, values).await?;
        for link in linked {
            let seen = some.iter().rev().find(|(key, _)| *key == link.target_id);
            let version = seen.map_or("", |(_, version)| version.as_str());
            mark(scope, link.id, version).await?;
        }
    }
    Ok(())
}

const MARK: &str = "
INSERT INTO readback (tenant_id, link_id, pair_id, entity, target_id, held, differs, closed, version, seen_version,
  checked_at, due_at)
SELECT $1, id, pair_id, entity, target_id, NULL, NULL, NULL, '', $3, 0, $4 FROM link WHERE tenant_id = $1 AND id = $2
ON CONFLICT (tenant_id, link_id) DO UPDATE SET seen_version = excluded.seen_version, due_at = excluded.due_at
WHERE readback.version <> excluded.seen_version OR excluded.seen_version = ''";

async fn mark(scope: &Scope, link: Uuid, version: &str) -> Result<(), StoreError> {
    let values: [Value; 4] = [
        scope.tenant_value(),
        link.into(),
        version.into(),
        scope.now().0.into(),
    ];
    scope.run(MARK, values).await?;
    Ok(())
}

/// The links whose targets were looked at longest ago are to be looked at: what no list shows is found so.
///
/// # Errors
/// `Database`.
pub async fn take_turns(
    scope: &Scope,
    (pair, entity): (PairId, &Entity),
    how_many: u32,
) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT link.id, link.target_id FROM link LEFT JOIN readback ON readback.tenant_id = link.tenant_id \
         AND readback.link_id = link.id WHERE link.tenant_id = $1 AND link.pair_id = $2 AND link.entity = $3 \
         AND link.alias = 0 ORDER BY COALESCE(readback.checked_at, 0), link.id LIMIT {how_many}"
    );
    let values = [scope.tenant_value(), pair.0.into(), entity.as_str().into()];
    let linked: Vec<Linked> = scope.all(&sql, values).await?;
    for link in linked {
        mark(scope, link.id, "").await?;
    }
    Ok(())
}

/// What the target of a source record's link holds now is as it should be and is to be read soon.
///
/// # Errors
/// `Database`.
pub async fn ask(
    scope: &Scope,
    (pair, entity, source_id): (PairId, &Entity, &str),
) -> Result<(), StoreError> {
    let link = super::link::of_source(scope, pair, entity, source_id).await?;
    let Some(link) = link else { return Ok(()) };
    let sql = "DELETE FROM readback WHERE tenant_id = $1 AND link_id = $2";
    let values = [scope.tenant_value(), link.id.0.into()];
    scope.run(sql, values).await?;
    mark(scope, link.id.0, "").await
}

#[derive(FromQueryResult)]
struct DueRow {
    link_id: Uuid,
    source_id: String,
    target_id: String,
}

/// Targets of a flow that are to be looked at, those asked for first before others.
///
/// # Errors
/// `Database`.
pub async fn due(
    scope: &Scope,
    (pair, entity): (PairId, &Entity),
    limit: u32,
) -> Result<Vec<DueLook>, StoreError> {
    let sql = format!(
        "SELECT readback.link_id, link.source_id, link.target_id FROM readback JOIN link \
         ON link.tenant_id = readback.tenant_id AND link.id = readback.link_id \
         WHERE readback.tenant_id = $1 AND readback.pair_id = $2 AND readback.entity = $3 \
         AND readback.due_at IS NOT NULL AND link.alias = 0 ORDER BY readback.due_at, readback.link_id LIMIT {limit}"
    );
    let values = [scope.tenant_value(), pair.0.into(), entity.as_str().into()];
    let rows: Vec<DueRow> = scope.all(&sql, values).await?;
    Ok(rows
        .into_iter()
        .map(|row| DueLook {
            link: row.link_id.into(),
            source_id: row.source_id,
            target_id: row.target_id,
        })
        .collect())
}

#[derive(FromQueryResult)]
struct Other {
    target_id: String,
}

/// Another target of the flow that was there at its last look.
///
/// # Errors
/// `Database`.
pub async fn neighbour(
    scope: &Scope,
    (pair, entity): (PairId, &Entity),
    target_id: &str,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT target_id FROM readback WHERE tenant_id = $1 AND pair_id = $2 AND entity = $3 \
               AND target_id <> $4 AND held IS NOT NULL AND differs IS NULL ORDER BY checked_at DESC LIMIT 1";
    let values: [Value; 4] = [
        scope.tenant_value(),
        pair.0.into(),
        entity.as_str().into(),
        target_id.into(),
    ];
    let other: Option<Other> = scope.one(sql, values).await?;
    Ok(other.map(|other| other.target_id))
}
