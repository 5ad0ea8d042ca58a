//! News that source records may have changed, turned into due records. A hint carries no business data.

use std::collections::BTreeMap;

use sea_orm::Value;

use super::{Scope, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{PairId, RecordId, RunId};
use crate::domain::system::{Entity, SystemId};

/// One source record that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    pub source_id: String,
    pub place: String,
    pub version: String,
    /// Orders the records of a lane; the source's own time where it gives one.
    pub source_at: Timestamp,
    pub project_key: Option<String>,
    pub lane: String,
    /// Its name as people compare names.
    pub twin_key: Option<String>,
}

/// Where the hints of one page belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<'a> {
    pub pair: PairId,
    pub pair_version: i64,
    pub flow: &'a str,
    pub system: SystemId,
    pub entity: Entity,
    pub rank: u8,
    pub run: Option<RunId>,
    /// Everything is to be looked at again, whatever its version says.
    pub whole: bool,
}

const COLUMNS: usize = 21;
/// Binds in one statement stay well below what SQLite takes.
const ROWS_MAX: usize = 1_000;

/// What makes a record due again: it is not in work, no person put it aside, and the source or what
/// the pair says about it is newer than what was last worked on.
const IS_NEWS: &str = "record.state NOT IN ('pending', 'syncing')
  AND (record.reason IS NULL OR record.reason <> 'ignored_by_person')
  AND (record.seen_version <> excluded.seen_version OR record.pair_version <> excluded.pair_version OR {whole})";

/// Stores a page of hints: new records are made and due, known ones become due where there is news.
/// Every record of the page belongs to the run from now on; what that run has made of it stays its outcome.
///
/// # Errors
/// `Database`.
pub async fn take(scope: &Scope, page: &Page<'_>, hints: &[Hint]) -> Result<(), StoreError> {
    // A source may show a record twice in one page; the last one counts.
    let once: BTreeMap<&str, &Hint> = hints
        .iter()
        .map(|hint| (hint.source_id.as_str(), hint))
        .collect();
    let once: Vec<&Hint> = once.into_values().collect();
    for chunk in once.chunks(ROWS_MAX) {
        let mut values: Vec<Value> = Vec::with_capacity(chunk.len().saturating_mul(COLUMNS));
        for hint in chunk {
            values.extend(row(scope, page, hint));
        }
        scope.run(&upsert(chunk.len(), page.whole), values).await?;
    }
    if !hints.is_empty() {
        scope.wake(scope.now());
    }
    Ok(())
}

fn row(scope: &Scope, page: &Page<'_>, hint: &Hint) -> [Value; COLUMNS] {
    [
        scope.tenant_value(),
        RecordId::generate().0.into(),
        page.pair.0.into(),
        page.flow.into(),
        "pending".into(),
        "Seen in the source; it will be read next.".into(),
        "[]".into(),
        hint.project_key.clone().into(),
        page.system.as_str().into(),
        page.entity.as_str().into(),
        hint.source_id.clone().into(),
        hint.place.clone().into(),
        hint.version.clone().into(),
        hint.source_at.0.into(),
        scope.now().0.into(),
        i64::from(page.rank).into(),
        hint.lane.clone().into(),
        page.pair_version.into(),
        page.run.map(|run| run.0).into(),
        hint.twin_key.clone().into(),
        scope.now().0.into(),
    ]
}

fn upsert(rows: usize, whole: bool) -> String {
    let is_news = IS_NEWS.replace("{whole}", if whole { "1 = 1" } else { "1 = 0" });
    let row = |at: usize| {
        let marks: Vec<String> = (1..=COLUMNS)
            .map(|column| format!("${}", at.saturating_mul(COLUMNS).saturating_add(column)))
            .collect();
        // What is not bound: no attempts yet, nothing waited for, updated when first seen, never changed.
        let last = marks.last().cloned().unwrap_or_default();
        format!("({}, 0, '[]', {last}, 0)", marks.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!(
        "INSERT INTO record (tenant_id, id, pair_id, flow, state, explanation, flags, project_key, source_system,
           source_entity, source_id, source_place, seen_version, source_at, due_at, rank, lane, pair_version, run_id,
           twin_key, first_seen_at, attempts, waiting_for, updated_at, revision)
         VALUES {}
         ON CONFLICT (tenant_id, pair_id, flow, source_system, source_id) DO UPDATE SET
           state = CASE WHEN {is_news} THEN 'pending' ELSE record.state END,
           due_at = CASE WHEN {is_news} THEN excluded.due_at ELSE record.due_at END,
           outcome = CASE WHEN {is_news} AND record.run_id = excluded.run_id THEN record.outcome
             WHEN {is_news} THEN NULL
             WHEN record.state IN ('succeeded', 'unchanged', 'linked')
               AND (record.run_id IS NULL OR record.run_id <> excluded.run_id) THEN 'unchanged'
             ELSE record.outcome END,
           seen_version = excluded.seen_version, source_at = excluded.source_at,
           twin_key = COALESCE(excluded.twin_key, record.twin_key), source_place = excluded.source_place,
           project_key = excluded.project_key, lane = excluded.lane,
           run_id = excluded.run_id",
        rows.join(", ")
    )
}

/// Another record needs this one: it travels even if its age or a rule left it out.
///
/// # Errors
/// `Database`.
pub async fn need(scope: &Scope, page: &Page<'_>, hint: &Hint) -> Result<(), StoreError> {
    let known = super::record::of_source(scope, page.pair, page.flow, &hint.source_id).await?;
    if known.is_none() {
        take(scope, page, std::slice::from_ref(hint)).await?;
    }
    let values: [Value; 5] = [
        scope.tenant_value(),
        page.pair.0.into(),
        page.flow.into(),
        hint.source_id.clone().into(),
        scope.now().0.into(),
    ];
    let woken = scope
        .run(
            "UPDATE record SET wish = '\"needed\"', state = 'pending', due_at = $5, updated_at = $5, \
               revision = revision + 1 \
             WHERE tenant_id = $1 AND pair_id = $2 AND flow = $3 AND source_id = $4 AND wish IS NULL \
               AND (state = 'pending' OR (state = 'ignored' AND reason <> 'ignored_by_person'))",
            values,
        )
        .await?;
    if woken > 0 {
        scope.wake(scope.now());
    }
    Ok(())
}
