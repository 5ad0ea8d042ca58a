//! The rows of a dry run as the engine works on them: listed, judged, looked at again. Nothing else of the pair is
//! written while it is rehearsed.

use std::collections::BTreeMap;

use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use super::hint::{Hint, Page};
use super::rows::{Column, json_text};
use super::{Scope, StoreError, link};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{PairId, RecordId, RunId};
use crate::domain::link::SHARED;
use crate::domain::plan::{Action, Foreseen};
use crate::domain::record::ExternalRef;
use crate::domain::system::{Entity, FlowName};

const fn column(name: &'static str) -> Column {
    Column::new("dry_run_change", name)
}

/// A source record that a dry run has listed and not judged yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    pub id: RecordId,
    pub run: RunId,
    pub flow: FlowName,
    pub source: ExternalRef,
    pub source_place: String,
    pub seen_version: String,
    pub source_at: Timestamp,
    pub project_key: Option<String>,
    pub twin_key: Option<String>,
    pub rank: u8,
    /// Another record of the dry run needs it.
    pub is_needed: bool,
    pub attempts: u32,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    flow: String,
    source_system: String,
    source_entity: String,
    source_id: String,
    source_place: String,
    seen_version: String,
    source_at: i64,
    project_key: Option<String>,
    twin_key: Option<String>,
    rank: i64,
    needed: i64,
    attempts: i64,
}

impl Row {
    fn into_listed(self, run: RunId) -> Listed {
        Listed {
            id: self.id.into(),
            run,
            flow: self.flow.into(),
            source: ExternalRef {
                system: self.source_system.into(),
                entity: self.source_entity.into(),
                id: self.source_id,
            },
            source_place: self.source_place,
            seen_version: self.seen_version,
            source_at: Timestamp(self.source_at),
            project_key: self.project_key,
            twin_key: self.twin_key,
            rank: u8::try_from(self.rank).unwrap_or(u8::MAX),
            is_needed: self.needed != 0,
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
        }
    }
}

const COLUMNS: usize = 15;
/// Binds in one statement stay well below what SQLite takes.
const ROWS_MAX: usize = 1_000;

/// Stores a page of what was listed. A record that is listed twice counts once.
///
/// # Errors
/// `Database`.
pub async fn take(
    scope: &Scope,
    run: RunId,
    page: &Page<'_>,
    hints: &[Hint],
) -> Result<(), StoreError> {
    let once: BTreeMap<&str, &Hint> = hints
        .iter()
        .map(|hint| (hint.source_id.as_str(), hint))
        .collect();
    let once: Vec<&Hint> = once.into_values().collect();
    for chunk in once.chunks(ROWS_MAX) {
        let mut values: Vec<Value> = Vec::with_capacity(chunk.len().saturating_mul(COLUMNS));
        for hint in chunk {
            values.extend(row(scope, run, page, hint, false));
        }
        let sql = format!("{} DO NOTHING", insert(chunk.len()));
        scope.run(&sql, values).await?;
    }
    Ok(())
}

fn row(
    scope: &Scope,
    run: RunId,
    page: &Page<'_>,
    hint: &Hint,
    is_needed: bool,
) -> [Value; COLUMNS] {
    [
        scope.tenant_value(),
        RecordId::generate().0.into(),
        run.0.into(),
        page.flow.into(),
        page.system.as_str().into(),
        page.entity.as_str().into(),
        hint.source_id.clone().into(),
        hint.place.clone().into(),
        hint.version.clone().into(),
        hint.source_at.0.into(),
        hint.project_key.clone().into(),
        hint.twin_key.clone().into(),
        i64::from(page.rank).into(),
        i64::from(is_needed).into(),
        scope.now().0.into(),
    ]
}

fn insert(rows: usize) -> String {
    let row = |at: usize| {
        let marks: Vec<String> = (1..=COLUMNS)
            .map(|column| format!("${}", at.saturating_mul(COLUMNS).saturating_add(column)))
            .collect();
        // What is not bound: judged now, no attempts, nothing known yet; the instant is the last mark.
        let last = marks.last().cloned().unwrap_or_default();
        format!(
            "({}, {last}, 0, '', '[]', '[]', '[]', '[]')",
            marks.join(", ")
        )
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!(
        "INSERT INTO dry_run_change (tenant_id, id, run_id, flow, source_system, source_entity, source_id, \
           source_place, seen_version, source_at, project_key, twin_key, rank, needed, created_at, due_at, attempts, \
           explanation, changes, issues, candidates, waiting_for) \
         VALUES {} ON CONFLICT (tenant_id, run_id, source_id, flow)",
        rows.join(", ")
    )
}

/// Another record needs this one: it is judged, even if its age or a rule left it out before.
///
/// # Errors
/// `Database`.
pub async fn need(
    scope: &Scope,
    run: RunId,
    page: &Page<'_>,
    hint: &Hint,
) -> Result<(), StoreError> {
    let sql = format!(
        "{} DO UPDATE SET needed = 1, action = NULL, due_at = excluded.due_at \
         WHERE dry_run_change.needed = 0 AND (dry_run_change.due_at IS NOT NULL \
           OR (dry_run_change.action = 'skip' AND dry_run_change.reason <> 'ignored_by_person'))",
        insert(1)
    );
    scope.run(&sql, row(scope, run, page, hint, true)).await?;
    Ok(())
}

/// The first rows to be judged now, all of one rank, in order.
///
/// # Errors
/// `Database`.
pub async fn due(
    scope: &Scope,
    run: RunId,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Listed>, StoreError> {
    let sql = "SELECT id, flow, source_system, source_entity, source_id, source_place, seen_version, source_at, \
                 project_key, twin_key, rank, needed, attempts \
               FROM dry_run_change WHERE tenant_id = $1 AND run_id = $2 AND due_at IS NOT NULL AND due_at <= $3 \
               ORDER BY rank, source_at, source_id LIMIT $4";
    let values: [Value; 4] = [
        scope.tenant_value(),
        run.0.into(),
        now.0.into(),
        i64::from(limit).into(),
    ];
    let rows: Vec<Row> = scope.all(sql, values).await?;
    let mut listed: Vec<Listed> = rows.into_iter().map(|row| row.into_listed(run)).collect();
    let rank = listed.first().map(|first| first.rank);
    listed.retain(|row| Some(row.rank) == rank);
    Ok(listed)
}

#[derive(FromQueryResult)]
struct DueAt {
    due_at: Option<i64>,
}

/// When the next row is to be judged; none when all are.
///
/// # Errors
/// `Database`.
pub async fn next_due(scope: &Scope, run: RunId) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT CAST(min(due_at) AS BIGINT) AS due_at FROM dry_run_change \
               WHERE tenant_id = $1 AND run_id = $2 AND due_at IS NOT NULL";
    let found: Option<DueAt> = scope.one(sql, [scope.tenant_value(), run.0.into()]).await?;
    Ok(found.and_then(|found| found.due_at).map(Timestamp))
}

/// A row is judged later: something on the way did not answer.
///
/// # Errors
/// `Database`.
pub async fn later(
    scope: &Scope,
    id: RecordId,
    attempts: u32,
    at: Timestamp,
) -> Result<(), StoreError> {
    let sql =
        "UPDATE dry_run_change SET attempts = $3, due_at = $4 WHERE tenant_id = $1 AND id = $2";
    let values: [Value; 4] = [
        scope.tenant_value(),
        id.0.into(),
        i64::from(attempts).into(),
        at.0.into(),
    ];
    scope.run(sql, values).await?;
    Ok(())
}

const JUDGE: &str = "
UPDATE dry_run_change SET due_at = NULL, action = $3, number = $4, counterparty = $5, project = $6, amount = $7,
  currency = $8, target_id = $9, digest = $10, reason = $11, explanation = $12, changes = $13, issues = $14,
  candidates = $15, waiting_for = $16
WHERE tenant_id = $1 AND id = $2";

/// Keeps what would be done with a row.
///
/// # Errors
/// `Taken` when it would be linked to what is, or would be, another source record's.
pub async fn judge(
    scope: &Scope,
    (pair, run, id): (PairId, RunId, RecordId),
    found: &Foreseen,
) -> Result<(), StoreError> {
    if found.action == Action::Link {
        free(scope, pair, run, found).await?;
    }
    let money = match &found.money {
        Some(money) => (
            money.ten_thousandths().ok(),
            Some(money.currency.to_string()),
        ),
        None => (None, None),
    };
    let values: [Value; 16] = [
        scope.tenant_value(),
        id.0.into(),
        found.action.as_str().into(),
        found.number.clone().into(),
        found.counterparty.clone().into(),
        found.project.clone().into(),
        money.0.into(),
        money.0.and(money.1).into(),
        found.target_id.clone().into(),
        found.digest.clone().into(),
        found.reason.clone().into(),
        found.explanation.clone().into(),
        json_text(column("changes"), &found.changes)?.into(),
        json_text(column("issues"), &found.issues)?.into(),
        json_text(column("candidates"), &found.candidates)?.into(),
        json_text(column("waiting_for"), &found.waiting_for)?.into(),
    ];
    match scope.run(JUDGE, values).await {
        Err(StoreError::Database(error)) if StoreError::is_taken(&error) => Err(TAKEN),
        done => done.map(|_| ()),
    }
}

const TAKEN: StoreError = StoreError::Taken("this target record");

/// Whether the target record is nobody else's, now and in this dry run.
async fn free(scope: &Scope, pair: PairId, run: RunId, found: &Foreseen) -> Result<(), StoreError> {
    let Some(target) = &found.target_id else {
        return Ok(());
    };
    if SHARED.contains(&found.source.entity) {
        return Ok(());
    }
    let linked = link::of_target(scope, pair, &found.source.entity, target).await?;
    if linked.is_some_and(|other| other.source.id != found.source.id) {
        return Err(TAKEN);
    }
    let sql = "SELECT source_id FROM dry_run_change WHERE tenant_id = $1 AND run_id = $2 AND flow = $3 \
               AND target_id = $4 AND source_id <> $5 LIMIT 1";
    let values: [Value; 5] = [
        scope.tenant_value(),
        run.0.into(),
        found.flow.as_str().into(),
        target.clone().into(),
        found.source.id.clone().into(),
    ];
    let other: Option<Source> = scope.one(sql, values).await?;
    other.map_or(Ok(()), |_| Err(TAKEN))
}

#[derive(FromQueryResult)]
struct Source {
    #[allow(dead_code)] // Only whether there is a row matters.
    source_id: String,
}

/// Something would appear: rows that would wait for it are judged again.
///
/// # Errors
/// `Database`.
pub async fn release(scope: &Scope, run: RunId, kind: &str, key: &str) -> Result<u64, StoreError> {
    let sql = "UPDATE dry_run_change SET due_at = $3, action = NULL WHERE tenant_id = $1 AND run_id = $2 \
               AND action = 'wait' AND waiting_for LIKE $4 ESCAPE '!'";
    let key = json_text(column("waiting_for"), &key)?;
    let names = format!("\"kind\":\"{kind}\",\"key\":{key},");
    let values: [Value; 4] = [
        scope.tenant_value(),
        run.0.into(),
        scope.now().0.into(),
        format!("%{}%", literal(&names)).into(),
    ];
    scope.run(sql, values).await
}

/// A text with nothing in it that `LIKE` would read as its own.
fn literal(text: &str) -> String {
    let mut pattern = String::new();
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern
}

/// Where a source record would be linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WouldBe {
    pub target_id: String,
    /// It is not there yet.
    pub is_created: bool,
}

#[derive(FromQueryResult)]
struct WouldBeRow {
    target_id: String,
    action: String,
}

/// The target that a source record would have by the time the dry run is at this row.
///
/// # Errors
/// `Database`.
pub async fn target_of(
    scope: &Scope,
    run: RunId,
    entity: &Entity,
    source_id: &str,
) -> Result<Option<WouldBe>, StoreError> {
    let sql = "SELECT target_id, action FROM dry_run_change WHERE tenant_id = $1 AND run_id = $2 \
               AND source_id = $3 AND source_entity = $4 AND action IN ('create', 'link') \
               AND target_id IS NOT NULL LIMIT 1";
    let values: [Value; 4] = [
        scope.tenant_value(),
        run.0.into(),
        source_id.into(),
        entity.as_str().into(),
    ];
    let row: Option<WouldBeRow> = scope.one(sql, values).await?;
    Ok(row.map(|row| WouldBe {
        is_created: row.action == Action::Create.as_str(),
        target_id: row.target_id,
    }))
}

/// Whether another record of the dry run, not left out, has the same name.
///
/// # Errors
/// `Database`.
pub async fn has_twin(
    scope: &Scope,
    run: RunId,
    flow: &str,
    source_id: &str,
    twin_key: &str,
) -> Result<bool, StoreError> {
    let sql = "SELECT source_id FROM dry_run_change WHERE tenant_id = $1 AND run_id = $2 AND flow = $3 \
               AND twin_key = $4 AND source_id <> $5 AND (action IS NULL OR action <> 'skip') LIMIT 1";
    let values: [Value; 5] = [
        scope.tenant_value(),
        run.0.into(),
        flow.into(),
        twin_key.into(),
        source_id.into(),
    ];
    let found: Option<Source> = scope.one(sql, values).await?;
    Ok(found.is_some())
}

/// What was not judged leaves the dry run, so that its counts add up.
///
/// # Errors
/// `Database`.
pub async fn leave(scope: &Scope, run: RunId) -> Result<(), StoreError> {
    let sql = "DELETE FROM dry_run_change WHERE tenant_id = $1 AND run_id = $2 AND action IS NULL";
    scope.run(sql, [scope.tenant_value(), run.0.into()]).await?;
    Ok(())
}

/// Forgets what dry runs foresaw before `before`; the runs themselves stay.
///
/// # Errors
/// `Database`.
pub async fn forget_old(scope: &Scope, before: Timestamp) -> Result<u64, StoreError> {
    let sql = "DELETE FROM dry_run_change WHERE tenant_id = $1 AND created_at < $2 \
               AND run_id NOT IN (SELECT id FROM run WHERE tenant_id = $1 AND state IN ('queued', 'running'))";
    scope
        .run(sql, [scope.tenant_value(), before.0.into()])
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_looked_for_literally() {
        assert_eq!(literal("a_b%c!"), "a!_b!%c!!");
    }
}
