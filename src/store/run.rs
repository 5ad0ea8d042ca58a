//! Runs: opened, listed through, counted and closed.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::rows::{Column, json, json_text, optional_json};
use super::{Scope, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::fault::Fault;
use crate::domain::ids::{PairId, RunId};
use crate::domain::run::{Counts, Run, RunState, Trigger};

/// One flow to be listed once, from its first page to its last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    pub flow: String,
    /// Everything instead of what changed since the cursor.
    pub full: bool,
}

/// How far a run's listing has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// What is still to be listed; the first is being listed.
    pub passes: Vec<Pass>,
    /// Where the first pass goes on; none at its beginning.
    pub after: Option<String>,
    /// When the first pass began: the next cursor.
    pub began_at: Option<Timestamp>,
    /// Tries of the current page that failed.
    pub tries: u32,
}

impl Listing {
    /// What is being listed.
    #[must_use]
    pub fn pass(&self) -> Option<&Pass> {
        self.passes.first()
    }

    /// Takes in what is asked for while the run is open. A pass that has begun may be past what changed since,
    /// or may leave out what `full` asks for, so it serves nobody who asks now: its flow is listed once more.
    fn widen(&mut self, flows: Vec<String>, full: bool) {
        let begun = usize::from(self.began_at.is_some());
        for flow in flows {
            let ahead = self.passes.iter_mut().skip(begun);
            match ahead.into_iter().find(|pass| pass.flow == flow) {
                Some(pass) => pass.full |= full,
                None => self.passes.push(Pass { flow, full }),
            }
        }
    }

    /// After a page of the first pass: it goes on at `next`, or the next pass comes. None: all is listed.
    #[must_use]
    pub fn after_page(mut self, next: Option<String>) -> Option<Self> {
        if next.is_some() {
            return Some(Self {
                after: next,
                tries: 0,
                ..self
            });
        }
        self.passes = self.passes.into_iter().skip(1).collect();
        (!self.passes.is_empty()).then(|| Self {
            passes: self.passes,
            ..Self::default()
        })
    }
}

/// A run with what the engine keeps beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenRun {
    pub run: Run,
    /// None once everything is listed.
    pub listing: Option<Listing>,
    pub due_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    pair_id: Uuid,
    state: String,
    started_by: String,
    whole: i64,
    dry_run: i64,
    listing: Option<String>,
    counts: String,
    note: Option<String>,
    fault: Option<String>,
    queued_at: i64,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    due_at: Option<i64>,
}

const COLUMNS: &str = "id, pair_id, state, started_by, whole, dry_run, listing, counts, note, fault, queued_at, \
                       started_at, ended_at, due_at";

const fn column(name: &'static str) -> Column {
    Column::new("run", name)
}

impl Row {
    fn into_open(self) -> Result<OpenRun, StoreError> {
        Ok(OpenRun {
            listing: optional_json(column("listing"), self.listing.as_deref())?,
            due_at: self.due_at.map(Timestamp),
            run: Run {
                id: self.id.into(),
                pair_id: self.pair_id.into(),
                state: column("state").parse(&self.state)?,
                trigger: column("started_by").parse(&self.started_by)?,
                full: self.whole != 0,
                dry_run: self.dry_run != 0,
                queued_at: Timestamp(self.queued_at),
                started_at: self.started_at.map(Timestamp),
                ended_at: self.ended_at.map(Timestamp),
                note: self.note,
                fault: optional_json(column("fault"), self.fault.as_deref())?,
                flows: json(column("counts"), &self.counts)?,
            },
        })
    }
}

/// Opens a run of a pair, or joins the one that is open already. That one then does all that was asked: it
/// lists the flows of both, in full where either asks for that, and again what it has begun to list by then,
/// so that whoever gets its id sees in it whatever had changed when they asked. Gives its id.
///
/// # Errors
/// `Database`.
pub async fn open(
    scope: &Scope,
    pair: PairId,
    flows: Vec<String>,
    full: bool,
    trigger: Trigger,
) -> Result<RunId, StoreError> {
    if let Some(open) = hold_of_pair(scope, pair).await? {
        let id = open.run.id;
        join(scope, open, flows, full).await?;
        return Ok(id);
    }
    let id = RunId::generate();
    let wanted = json_text(column("wanted"), &flows)?;
    let counts = of_flows(&flows);
    let mut listing = Listing::default();
    listing.widen(flows, full);
    let values: [Value; 9] = [
        scope.tenant_value(),
        id.0.into(),
        pair.0.into(),
        trigger.as_str().into(),
        wanted.into(),
        i64::from(full).into(),
        json_text(column("listing"), &listing)?.into(),
        json_text(column("counts"), &counts)?.into(),
        scope.now().0.into(),
    ];
    scope
        .run(
            "INSERT INTO run (tenant_id, id, pair_id, state, started_by, wanted, whole, listing, counts, queued_at, due_at) \
             VALUES ($1, $2, $3, 'queued', $4, $5, $6, $7, $8, $9, $9)",
            values,
        )
        .await?;
    scope.wake(scope.now());
    Ok(id)
}

fn of_flows(flows: &[String]) -> BTreeMap<String, Counts> {
    let counts = flows.iter().map(|flow| (flow.clone(), Counts::default()));
    counts.collect()
}

const JOIN: &str = "
UPDATE run SET listing = $3, counts = $4, whole = $5, due_at = COALESCE(due_at, $6), fault = NULL, note = NULL
WHERE tenant_id = $1 AND id = $2 AND state IN ('queued', 'running')";

async fn join(
    scope: &Scope,
    open: OpenRun,
    flows: Vec<String>,
    full: bool,
) -> Result<(), StoreError> {
    let mut listing = open.listing.unwrap_or_default();
    if open.run.fault.is_some() {
        // Its listing was given up, so whoever asked before has not been served either.
        listing.widen(open.run.flows.keys().cloned().collect(), open.run.full);
    }
    let mut counts = of_flows(&flows);
    counts.extend(open.run.flows);
    listing.widen(flows, full);
    let values: [Value; 6] = [
        scope.tenant_value(),
        open.run.id.0.into(),
        json_text(column("listing"), &listing)?.into(),
        json_text(column("counts"), &counts)?.into(),
        i64::from(full || open.run.full).into(),
        scope.now().0.into(),
    ];
    open_still(scope.run(JOIN, values).await?)?;
    scope.wake(scope.now());
    Ok(())
}

/// The open run of a pair. Its dry run is another thing.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn open_of_pair(scope: &Scope, pair: PairId) -> Result<Option<OpenRun>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM run WHERE tenant_id = $1 AND pair_id = $2 AND dry_run = 0 \
         AND state IN ('queued', 'running')"
    );
    let row: Option<Row> = scope
        .one(&sql, [scope.tenant_value(), pair.0.into()])
        .await?;
    row.map(Row::into_open).transpose()
}

/// The open run of a pair; nobody moves its listing or closes it before the commit.
async fn hold_of_pair(scope: &Scope, pair: PairId) -> Result<Option<OpenRun>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM run WHERE tenant_id = $1 AND pair_id = $2 AND dry_run = 0 \
         AND state IN ('queued', 'running'){}",
        held(scope)
    );
    let values = [scope.tenant_value(), pair.0.into()];
    let row: Option<Row> = scope.one(&sql, values).await?;
    row.map(Row::into_open).transpose()
}

/// How a row that is read is kept from others until the commit; an embedded database has one writer.
fn held(scope: &Scope) -> &'static str {
    match scope.tx().get_database_backend() {
        DbBackend::Postgres => " FOR UPDATE",
        _ => "",
    }
}

/// Every open run of the tenant, dry runs left out.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn all_open(scope: &Scope) -> Result<Vec<OpenRun>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM run WHERE tenant_id = $1 AND dry_run = 0 AND state IN ('queued', 'running') ORDER BY id"
    );
    let rows: Vec<Row> = scope.all(&sql, [scope.tenant_value()]).await?;
    rows.into_iter().map(Row::into_open).collect()
}

/// Every open dry run of the tenant.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn rehearsals(scope: &Scope) -> Result<Vec<OpenRun>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM run WHERE tenant_id = $1 AND dry_run = 1 AND state IN ('queued', 'running') ORDER BY id"
    );
    let rows: Vec<Row> = scope.all(&sql, [scope.tenant_value()]).await?;
    rows.into_iter().map(Row::into_open).collect()
}

/// The open dry run of a pair.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn rehearsal_of_pair(scope: &Scope, pair: PairId) -> Result<Option<OpenRun>, StoreError> {
    let open = rehearsals(scope).await?;
    Ok(open.into_iter().find(|open| open.run.pair_id == pair))
}

/// What a dry run is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Basis {
    pub pair_version: i64,
    pub erp_version: i64,
    pub project_version: i64,
}

/// Opens a dry run of a pair. Gives its id.
///
/// # Errors
/// `Database`.
pub async fn rehearse(
    scope: &Scope,
    pair: PairId,
    flows: Vec<String>,
    full: bool,
    basis: Basis,
) -> Result<RunId, StoreError> {
    let id = RunId::generate();
    let wanted = json_text(column("wanted"), &flows)?;
    let counts = of_flows(&flows);
    let mut listing = Listing::default();
    listing.widen(flows, full);
    let values: [Value; 12] = [
        scope.tenant_value(),
        id.0.into(),
        pair.0.into(),
        Trigger::Person.as_str().into(),
        wanted.into(),
        i64::from(full).into(),
        json_text(column("listing"), &listing)?.into(),
        json_text(column("counts"), &counts)?.into(),
        scope.now().0.into(),
        basis.pair_version.into(),
        basis.erp_version.into(),
        basis.project_version.into(),
    ];
    scope
        .run(
            "INSERT INTO run (tenant_id, id, pair_id, state, started_by, wanted, whole, listing, counts, queued_at, \
               due_at, dry_run, pair_version, erp_version, project_version) \
             VALUES ($1, $2, $3, 'queued', $4, $5, $6, $7, $8, $9, $9, 1, $10, $11, $12)",
            values,
        )
        .await?;
    scope.wake(scope.now());
    Ok(id)
}

/// Whether a dry run is judged by this.
///
/// # Errors
/// `Missing`, `Database`.
pub async fn is_on(scope: &Scope, id: RunId, basis: Basis) -> Result<bool, StoreError> {
    let sql = "SELECT pair_version, erp_version, project_version FROM run \
               WHERE tenant_id = $1 AND id = $2 AND dry_run = 1";
    let row: Option<BasisRow> = scope.one(sql, [scope.tenant_value(), id.0.into()]).await?;
    let row = row.ok_or(StoreError::Missing("dry run"))?;
    Ok(row.pair_version == Some(basis.pair_version)
        && row.erp_version == Some(basis.erp_version)
        && row.project_version == Some(basis.project_version))
}

#[derive(FromQueryResult)]
struct BasisRow {
    pair_version: Option<i64>,
    erp_version: Option<i64>,
    project_version: Option<i64>,
}

/// Dry runs of a pair that came to their end on this basis, newest first.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn rehearsed(scope: &Scope, pair: PairId, basis: Basis) -> Result<Vec<Run>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM run WHERE tenant_id = $1 AND pair_id = $2 AND dry_run = 1 AND pair_version = $3 \
         AND erp_version = $4 AND project_version = $5 AND state IN ('succeeded', 'partial') ORDER BY id DESC"
    );
    let values: [Value; 5] = [
        scope.tenant_value(),
        pair.0.into(),
        basis.pair_version.into(),
        basis.erp_version.into(),
        basis.project_version.into(),
    ];
    let rows: Vec<Row> = scope.all(&sql, values).await?;
    let open = rows.into_iter().map(Row::into_open);
    open.map(|open| Ok(open?.run)).collect()
}

/// The newest dry run of a pair that came to its end, whatever it was judged by.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn last_rehearsal(scope: &Scope, pair: PairId) -> Result<Option<Run>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM run WHERE tenant_id = $1 AND pair_id = $2 AND dry_run = 1 \
         AND state IN ('succeeded', 'partial') ORDER BY id DESC LIMIT 1"
    );
    let row: Option<Row> = scope
        .one(&sql, [scope.tenant_value(), pair.0.into()])
        .await?;
    let open = row.map(Row::into_open).transpose()?;
    Ok(open.map(|open| open.run))
}

/// A change of the pair that only leaves more out: what dry runs said under its version before still holds.
///
/// # Errors
/// `Database`.
pub async fn still_holds(scope: &Scope, pair: PairId, version: i64) -> Result<(), StoreError> {
    let sql = "UPDATE run SET pair_version = $4 WHERE tenant_id = $1 AND pair_id = $2 AND dry_run = 1 \
               AND pair_version = $3";
    let values: [Value; 4] = [
        scope.tenant_value(),
        pair.0.into(),
        version.into(),
        version.saturating_add(1).into(),
    ];
    scope.run(sql, values).await?;
    Ok(())
}

/// When a dry run goes on.
///
/// # Errors
/// `Database`.
pub async fn rehearse_again_at(scope: &Scope, id: RunId, at: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE run SET due_at = $3 WHERE tenant_id = $1 AND id = $2 AND state IN ('queued', 'running')";
    scope
        .run(sql, [scope.tenant_value(), id.0.into(), at.0.into()])
        .await?;
    Ok(())
}

/// One run.
///
/// # Errors
/// `Missing`, `Corrupt`, `Database`.
pub async fn find(scope: &Scope, id: RunId) -> Result<OpenRun, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM run WHERE tenant_id = $1 AND id = $2");
    let row: Option<Row> = scope.one(&sql, [scope.tenant_value(), id.0.into()]).await?;
    row.ok_or(StoreError::Missing("run"))?.into_open()
}

/// A page of runs, newest first, before one of them.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn list(
    scope: &Scope,
    pair: Option<PairId>,
    before: Option<RunId>,
    limit: u32,
) -> Result<Vec<OpenRun>, StoreError> {
    let mut sql = format!("SELECT {COLUMNS} FROM run WHERE tenant_id = $1");
    let mut values: Vec<Value> = vec![scope.tenant_value()];
    if let Some(pair) = pair {
        values.push(pair.0.into());
        sql.push_str(&format!(" AND pair_id = ${}", values.len()));
    }
    if let Some(before) = before {
        values.push(before.0.into());
        sql.push_str(&format!(" AND id < ${}", values.len()));
    }
    sql.push_str(&format!(" ORDER BY id DESC LIMIT {limit}"));
    let rows: Vec<Row> = scope.all(&sql, values).await?;
    rows.into_iter().map(Row::into_open).collect()
}

#[derive(FromQueryResult)]
struct ListingRow {
    listing: Option<String>,
}

/// Moves a run's listing on from where it stands now, which may be wider than when its page was asked for. It
/// is taken up again at `due_at`, unless that was its end.
///
/// # Errors
/// `Stale` when the run was closed meanwhile.
pub async fn move_listing(
    scope: &Scope,
    id: RunId,
    due_at: Timestamp,
    change: impl FnOnce(Listing) -> Option<Listing> + Send,
) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT listing FROM run WHERE tenant_id = $1 AND id = $2 AND state IN ('queued', 'running'){}",
        held(scope)
    );
    let row: Option<ListingRow> = scope.one(&sql, [scope.tenant_value(), id.0.into()]).await?;
    let row = row.ok_or(StoreError::Stale("the run"))?;
    let listing: Option<Listing> = optional_json(column("listing"), row.listing.as_deref())?;
    let listing = listing.and_then(change);
    let due_at = listing.as_ref().map(|_| due_at.0);
    let listing = listing
        .map(|listing| json_text(column("listing"), &listing))
        .transpose()?;
    let rows = scope
        .run(
            "UPDATE run SET state = 'running', started_at = COALESCE(started_at, $5), listing = $3, due_at = $4 \
             WHERE tenant_id = $1 AND id = $2 AND state IN ('queued', 'running')",
            [
                scope.tenant_value(),
                id.0.into(),
                listing.into(),
                due_at.into(),
                scope.now().0.into(),
            ],
        )
        .await?;
    open_still(rows)
}

/// A listing that cannot go on now is taken up again at `until`; none: when its pair is active again.
///
/// # Errors
/// `Database`.
pub async fn postpone(
    scope: &Scope,
    id: RunId,
    until: Option<Timestamp>,
) -> Result<(), StoreError> {
    let sql = "UPDATE run SET due_at = $3 WHERE tenant_id = $1 AND id = $2 AND listing IS NOT NULL \
               AND state IN ('queued', 'running')";
    let values = [
        scope.tenant_value(),
        id.0.into(),
        until.map(|at| at.0).into(),
    ];
    scope.run(sql, values).await?;
    Ok(())
}

/// Notes something about a run that people should know.
///
/// # Errors
/// `Database`.
pub async fn note(scope: &Scope, id: RunId, note: &str) -> Result<(), StoreError> {
    let sql = "UPDATE run SET note = $3 WHERE tenant_id = $1 AND id = $2";
    scope
        .run(sql, [scope.tenant_value(), id.0.into(), note.into()])
        .await?;
    Ok(())
}

/// The listing failed: nothing more is listed, and the run closes as failed once its records rest.
///
/// # Errors
/// `Stale` when the run was closed meanwhile.
pub async fn give_up(
    scope: &Scope,
    id: RunId,
    note: &str,
    fault: &Fault,
) -> Result<(), StoreError> {
    let values: [Value; 5] = [
        scope.tenant_value(),
        id.0.into(),
        note.into(),
        json_text(column("fault"), fault)?.into(),
        scope.now().0.into(),
    ];
    let rows = scope
        .run(
            "UPDATE run SET state = 'running', started_at = COALESCE(started_at, $5), listing = NULL, due_at = NULL, \
             note = $3, fault = $4 WHERE tenant_id = $1 AND id = $2 AND state IN ('queued', 'running')",
            values,
        )
        .await?;
    open_still(rows)
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending<'a> {
    pub state: RunState,
    pub counts: &'a BTreeMap<String, Counts>,
    pub note: Option<&'a str>,
    pub fault: Option<&'a Fault>,
}

/// Closes a run; one that is listed to its end, or that a person ends.
///
/// # Errors
/// `Stale` when it was closed meanwhile, or asked to list more.
pub async fn close(scope: &Scope, id: RunId, ending: &Ending<'_>) -> Result<(), StoreError> {
    let fault = ending
        .fault
        .map(|fault| json_text(column("fault"), fault))
        .transpose()?;
    let values: [Value; 7] = [
        scope.tenant_value(),
        id.0.into(),
        ending.state.as_str().into(),
        json_text(column("counts"), ending.counts)?.into(),
        ending.note.map(str::to_owned).into(),
        fault.into(),
        scope.now().0.into(),
    ];
    let rows = scope
        .run(
            "UPDATE run SET state = $3, counts = $4, note = $5, fault = $6, ended_at = $7, listing = NULL, due_at = NULL, \
             started_at = COALESCE(started_at, $7) \
             WHERE tenant_id = $1 AND id = $2 AND state IN ('queued', 'running') \
               AND (listing IS NULL OR $3 = 'cancelled')",
            values,
        )
        .await?;
    open_still(rows)
}

fn open_still(rows: u64) -> Result<(), StoreError> {
    if rows == 0 {
        return Err(StoreError::Stale("the run"));
    }
    Ok(())
}
