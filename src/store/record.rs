//! Records: found, listed, taken for work and saved.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::rows::{COLUMNS, Column, RecordRow, json_text};
use super::work::but;
use super::{Scope, StoreError};
use crate::closed_words;
use crate::domain::audit::Happened;
use crate::domain::clock::Timestamp;
use crate::domain::fault::Fault;
use crate::domain::ids::{ConnectionId, PairId, RecordId, RunId};
use crate::domain::plan::Action;
use crate::domain::record::{OUTCOME_UNKNOWN, Record, State};

closed_words! {
    /// How a run counts a record that went well.
    Outcome {
        Created => "created",
        Updated => "updated",
        Linked => "linked",
        Unchanged => "unchanged",
    }
}

/// What a person decided about a record's next travel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Work from the stored snapshot instead of reading the source again.
    Replay,
    /// None of the candidates is it: create a new one.
    Create,
    /// It is this one of the target.
    Link(String),
    /// A document in scope needs it, so its age or the "used only" rule is no reason to leave it out.
    Needed,
}

/// A record with what the engine keeps beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    pub record: Record,
    /// What the connector needs besides the key to find it again.
    pub source_place: String,
    /// The newest version that a listing showed.
    pub seen_version: String,
    pub source_at: Timestamp,
    pub project_key: Option<String>,
    /// Its name as people compare names; records of a flow that share it may be twins.
    pub twin_key: Option<String>,
    pub rank: u8,
    pub lane: String,
    pub plan_action: Option<Action>,
    /// Digests of kept bodies.
    pub snapshot_digest: Option<String>,
    pub draft_digest: Option<String>,
    pub changes_digest: Option<String>,
    pub candidates_digest: Option<String>,
    /// The write that a person said yes to, and who.
    pub approved_digest: Option<String>,
    pub approved_by: Option<String>,
    pub wish: Option<Wish>,
    /// The pair's version when it last travelled.
    pub pair_version: i64,
    pub first_failed_at: Option<Timestamp>,
    pub outcome: Option<Outcome>,
    /// Which change of the record this is; [`save`] takes the newest only.
    pub revision: i64,
}

const fn column(name: &'static str) -> Column {
    Column::new("record", name)
}

/// One record.
///
/// # Errors
/// `Missing` when the tenant has no such record.
pub async fn find(scope: &Scope, id: RecordId) -> Result<Work, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM record WHERE tenant_id = $1 AND id = $2");
    let row: Option<RecordRow> = scope.one(&sql, [scope.tenant_value(), id.0.into()]).await?;
    row.ok_or(StoreError::Missing("record"))?.into_work()
}

/// The record of a source object in one flow, if it was ever seen.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn of_source(
    scope: &Scope,
    pair: PairId,
    flow: &str,
    source_id: &str,
) -> Result<Option<Work>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM record WHERE tenant_id = $1 AND pair_id = $2 AND flow = $3 AND source_id = $4"
    );
    let values = [
        scope.tenant_value(),
        pair.0.into(),
        flow.into(),
        source_id.into(),
    ];
    let row: Option<RecordRow> = scope.one(&sql, values).await?;
    row.map(RecordRow::into_work).transpose()
}

#[derive(FromQueryResult)]
struct Lane {
    lane: String,
}

/// Which due records are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Due<'a> {
    pub rank: u8,
    pub now: Timestamp,
    /// Pairs whose records rest although they are due.
    pub resting: &'a [PairId],
}

/// A lane that holds due records, and the pair of one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueLane {
    pub name: String,
    pub pair: Option<PairId>,
}

#[derive(FromQueryResult)]
struct DueLaneRow {
    lane: String,
    pair_id: Option<Uuid>,
}

/// Lanes of a rank that hold due records, in order, after one of them. Hops from lane to lane along the
/// index, so that a long lane costs as much as a short one.
///
/// # Errors
/// `Database`.
pub async fn due_lanes(
    scope: &Scope,
    due: Due<'_>,
    after: &str,
    limit: u32,
) -> Result<Vec<DueLane>, StoreError> {
    let others = but(due.resting, 6);
    let next = |after: &str| {
        format!(
            "SELECT (SELECT lane FROM record WHERE tenant_id = $1 AND rank = $2 AND +due_at <= $3 \
             AND due_at IS NOT NULL AND lane > {after}{others} ORDER BY lane LIMIT 1)"
        )
    };
    let sql = format!(
        "WITH RECURSIVE lanes (name) AS ({} UNION ALL {} FROM lanes WHERE lanes.name IS NOT NULL) \
         SELECT name AS lane, (SELECT pair_id FROM record WHERE tenant_id = $1 AND rank = $2 AND lane = name \
           AND +due_at <= $3 AND due_at IS NOT NULL{others} LIMIT 1) AS pair_id \
         FROM lanes WHERE name IS NOT NULL LIMIT $5",
        next("$4"),
        next("lanes.name")
    );
    let values: [Value; 5] = [
        scope.tenant_value(),
        i64::from(due.rank).into(),
        due.now.0.into(),
        after.into(),
        i64::from(limit).into(),
    ];
    let resting = due.resting.iter().map(|pair| pair.0.into());
    let rows: Vec<DueLaneRow> = scope.all(&sql, values.into_iter().chain(resting)).await?;
    let lane = |row: DueLaneRow| DueLane {
        name: row.lane,
        pair: row.pair_id.map(Into::into),
    };
    Ok(rows.into_iter().map(lane).collect())
}

/// The first due records of a lane, in the order in which they must be worked. The sign before `due_at`, here
/// and above, keeps SQLite from walking all due records of the tenant by their time instead.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn due_in_lane(
    scope: &Scope,
    due: Due<'_>,
    lane: &str,
    limit: u32,
) -> Result<Vec<Work>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM record WHERE tenant_id = $1 AND rank = $2 AND lane = $3 AND +due_at <= $4 \
         AND due_at IS NOT NULL{} ORDER BY source_at, source_id LIMIT $5",
        but(due.resting, 6)
    );
    let values: [Value; 5] = [
        scope.tenant_value(),
        i64::from(due.rank).into(),
        lane.into(),
        due.now.0.into(),
        i64::from(limit).into(),
    ];
    let resting = due.resting.iter().map(|pair| pair.0.into());
    let rows: Vec<RecordRow> = scope.all(&sql, values.into_iter().chain(resting)).await?;
    rows.into_iter().map(RecordRow::into_work).collect()
}

/// Lanes that are closed: a chain of calls of theirs goes on later. What the ERP works on by itself
/// closes nothing.
///
/// # Errors
/// `Database`.
pub async fn closed_lanes(scope: &Scope, now: Timestamp) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT DISTINCT lane FROM record WHERE tenant_id = $1 AND state = 'syncing' \
               AND +due_at > $2 AND (substate IS NULL OR substate <> 'in_erp_batch')";
    let rows: Vec<Lane> = scope.all(sql, [scope.tenant_value(), now.0.into()]).await?;
    Ok(rows.into_iter().map(|row| row.lane).collect())
}

const SAVE: &str = "
UPDATE record SET
  state = CASE WHEN seen_version = $3 OR $4 = 0 THEN $5 ELSE 'pending' END,
  due_at = CASE WHEN seen_version = $3 OR $4 = 0 THEN $6 ELSE $7 END,
  substate = $8, reason = $9, explanation = $10, flags = $11, number = $12, counterparty = $13, project = $14,
  amount = $15, currency = $16, source_version = $17, target_system = $18, target_entity = $19, target_id = $20,
  attempts = $21, first_failed_at = $22, fault = $23, waiting_for = $24, plan_action = $25, snapshot_digest = $26,
  draft_digest = $27, changes_digest = $28, candidates_digest = $29, approved_digest = $30, approved_by = $31,
  wish = $32, pair_version = $33, outcome = $34, twin_key = $35, cause = $37, updated_at = $7,
  revision = revision + 1
WHERE tenant_id = $1 AND id = $2 AND revision = $36";

/// Saves where a record stands. When a newer version was seen while it was worked on, a record that
/// came to rest is due again at once.
///
/// # Errors
/// `RECORD_CHANGED` when it changed since it was read: a person acted, or what it waited for appeared.
pub async fn save(scope: &Scope, work: &Work) -> Result<(), StoreError> {
    let record = &work.record;
    let (amount, currency) = columns_of_money(work);
    let target = record.target.as_ref();
    let text = |digest: &Option<String>| Value::from(digest.clone());
    let values: Vec<Value> = vec![
        scope.tenant_value(),
        record.id.0.into(),
        work.seen_version.clone().into(),
        i64::from(record.state.is_at_rest()).into(),
        record.state.as_str().into(),
        record.next_attempt_at.map(|at| at.0).into(),
        scope.now().0.into(),
        record.substate.clone().into(),
        record.reason.clone().into(),
        record.explanation.clone().into(),
        json_text(column("flags"), &record.flags)?.into(),
        record.number.clone().into(),
        record.counterparty.clone().into(),
        record.project.clone().into(),
        amount.into(),
        currency.into(),
        record.source_version.clone().into(),
        target.map(|target| target.system.to_string()).into(),
        target.map(|target| target.entity.to_string()).into(),
        target.map(|target| target.id.clone()).into(),
        i64::from(record.attempts).into(),
        work.first_failed_at.map(|at| at.0).into(),
        record
            .fault
            .as_ref()
            .map(|fault| json_text(column("fault"), fault))
            .transpose()?
            .into(),
        json_text(column("waiting_for"), &record.waiting_for)?.into(),
        work.plan_action
            .map(|action| action.as_str().to_owned())
            .into(),
        text(&work.snapshot_digest),
        text(&work.draft_digest),
        text(&work.changes_digest),
        text(&work.candidates_digest),
        text(&work.approved_digest),
        text(&work.approved_by),
        work.wish
            .as_ref()
            .map(|wish| json_text(column("wish"), wish))
            .transpose()?
            .into(),
        work.pair_version.into(),
        work.outcome
            .map(|outcome| outcome.as_str().to_owned())
            .into(),
        work.twin_key.clone().into(),
        work.revision.into(),
        cause(record).into(),
    ];
    match scope.run(SAVE, values).await? {
        0 => Err(StoreError::RECORD_CHANGED),
        _ => Ok(()),
    }
}

/// What a failed record is grouped by.
fn cause(record: &Record) -> Option<String> {
    let said = || record.reason.clone().unwrap_or_default();
    let failed = (record.state == State::Failed).then_some(record);
    failed.map(|record| record.fault.as_ref().map_or_else(said, Fault::cause))
}

/// Columns of a record's money. An amount that a column cannot hold exactly is not kept there; the
/// record itself fails with the issue.
fn columns_of_money(work: &Work) -> (Option<i64>, Option<String>) {
    match &work.record.money {
        Some(money) => match money.ten_thousandths() {
            Ok(units) => (Some(units), Some(money.currency.to_string())),
            Err(_) => (None, None),
        },
        None => (None, None),
    }
}

/// Makes a record due now.
///
/// # Errors
/// `Missing` when there is none.
pub async fn make_due(scope: &Scope, id: RecordId) -> Result<(), StoreError> {
    let sql = "UPDATE record SET state = 'pending', due_at = $3, updated_at = $3, revision = revision + 1 \
               WHERE tenant_id = $1 AND id = $2";
    let rows = scope
        .run(
            sql,
            [scope.tenant_value(), id.0.into(), scope.now().0.into()],
        )
        .await?;
    if rows == 0 {
        return Err(StoreError::Missing("record"));
    }
    scope.wake(scope.now());
    Ok(())
}

#[derive(FromQueryResult)]
struct Code {
    currency: String,
}

/// Currencies of a pair's records, each once.
///
/// # Errors
/// `Database`.
pub async fn currencies(scope: &Scope, pair: PairId) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT DISTINCT currency FROM record WHERE tenant_id = $1 AND pair_id = $2 \
               AND currency IS NOT NULL ORDER BY currency";
    let rows: Vec<Code> = scope
        .all(sql, [scope.tenant_value(), pair.0.into()])
        .await?;
    Ok(rows.into_iter().map(|row| row.currency).collect())
}

/// Every record of a flow that was found or refused is due now: what they were judged by has changed.
///
/// # Errors
/// `Database`.
pub async fn make_flow_due(scope: &Scope, pair: PairId, flow: &str) -> Result<u64, StoreError> {
    let sql = "UPDATE record SET state = 'pending', due_at = $4, updated_at = $4, revision = revision + 1 \
               WHERE tenant_id = $1 AND pair_id = $2 AND flow = $3 AND state IN ('linked', 'failed')";
    let values = [
        scope.tenant_value(),
        pair.0.into(),
        flow.into(),
        scope.now().0.into(),
    ];
    let due = scope.run(sql, values).await?;
    if due > 0 {
        scope.wake(scope.now());
    }
    Ok(due)
}

/// A connection logs in again: everything of its pairs that stopped because it did not is due now. Gives
/// how many records that are.
///
/// # Errors
/// `Database`.
pub async fn due_after_login(scope: &Scope, connection: ConnectionId) -> Result<u64, StoreError> {
    let sql = "UPDATE record SET state = 'pending', due_at = $3, updated_at = $3, attempts = 0, \
               first_failed_at = NULL, revision = revision + 1 WHERE tenant_id = $1 \
               AND state IN ('retrying', 'failed') AND fault LIKE '{\"class\":\"auth\"%' \
               AND pair_id IN (SELECT id FROM pair WHERE tenant_id = $1 AND status <> 'removed' \
                 AND (erp_connection_id = $2 OR project_connection_id = $2))";
    let values = [
        scope.tenant_value(),
        connection.0.into(),
        scope.now().0.into(),
    ];
    scope.run(sql, values).await
}

/// A system can be reached again: what waits to try it again is due within a while, spread over it. Gives how
/// many records that are.
///
/// # Errors
/// `Database`.
pub async fn hasten(
    scope: &Scope,
    connection: ConnectionId,
    within: Duration,
) -> Result<u64, StoreError> {
    let drawn = match scope.tx().get_database_backend() {
        DbBackend::Postgres => "floor(random() * $3)::bigint",
        _ => "abs(random() % $3)",
    };
    let sql = format!(
        "UPDATE record SET due_at = $4 + {drawn}, revision = revision + 1 WHERE tenant_id = $1 \
         AND state = 'retrying' AND due_at > $4 + $3 AND fault LIKE '{{\"class\":\"transient\"%' \
         AND pair_id IN (SELECT id FROM pair WHERE tenant_id = $1 AND status <> 'removed' \
           AND (erp_connection_id = $2 OR project_connection_id = $2))"
    );
    let within = i64::try_from(within.as_micros()).unwrap_or(i64::MAX).max(1);
    let values: [Value; 4] = [
        scope.tenant_value(),
        connection.0.into(),
        within.into(),
        scope.now().0.into(),
    ];
    scope.run(&sql, values).await
}

const REST_WITH_PAIR: &str = "
UPDATE record SET due_at = NULL, updated_at = $4, revision = revision + 1, explanation = CASE WHEN state = 'waiting' THEN explanation ELSE $3 END
WHERE tenant_id = $1 AND id = $2";

/// A due record of a pair that stands still rests until [`wake_pair`]. Gives false when the pair is
/// active by now.
///
/// # Errors
/// `Database`.
pub async fn rest_with_pair(scope: &Scope, id: RecordId, pair: PairId) -> Result<bool, StoreError> {
    // Held, so that nobody activates the pair between the look and the commit.
    if super::pair::hold(scope, pair).await?.is_active {
        return Ok(false);
    }
    let values = [
        scope.tenant_value(),
        id.0.into(),
        "The pair is paused; it goes on when the pair is activated.".into(),
        scope.now().0.into(),
    ];
    scope.run(REST_WITH_PAIR, values).await?;
    Ok(true)
}

const WAKE_PAIR: &str = "
UPDATE record SET due_at = $3, updated_at = $3, revision = revision + 1
WHERE tenant_id = $1 AND pair_id = $2 AND due_at IS NULL
  AND state IN ('pending', 'syncing', 'retrying', 'waiting')";

/// A pair is active again: what rested with it is due, and what waits is looked at, because it may have
/// appeared in the meantime. Gives how many records that are. The pair's status was set before.
///
/// # Errors
/// `Database`.
pub async fn wake_pair(scope: &Scope, pair: PairId) -> Result<u64, StoreError> {
    let values = [scope.tenant_value(), pair.0.into(), scope.now().0.into()];
    let woken = scope.run(WAKE_PAIR, values).await?;
    scope.wake(scope.now());
    Ok(woken)
}

/// A defect of ours stopped a record: it waits for a person, like whatever else cannot go on by itself. What
/// may have been sent is marked so.
///
/// # Errors
/// `Missing`, `Database`.
pub async fn break_off(scope: &Scope, id: RecordId) -> Result<(), StoreError> {
    let mut work = find(scope, id).await?;
    let effect = super::effect::of_record(scope, id).await?;
    let may_be_sent = effect.is_some_and(|effect| effect.state.is_in_doubt());
    let record = &mut work.record;
    if may_be_sent && !record.flags.iter().any(|flag| flag == OUTCOME_UNKNOWN) {
        record.flags.push(OUTCOME_UNKNOWN.to_owned());
    }
    let fault = Fault::Broken {
        code: "defect".to_owned(),
        message: "a defect of this program stopped it".to_owned(),
    };
    record.state = State::Failed;
    record.substate = None;
    record.next_attempt_at = None;
    record.attempts = record.attempts.saturating_add(1);
    record.reason = Some(fault.code().to_owned());
    record.explanation =
        "A defect of this program stopped it. Nothing more is done with it before somebody retries it; the log \
         of the program says more."
            .to_owned();
    record.fault = Some(fault);
    let told = Happened::new("record.failed", "record", id)
        .with("explanation", &record.explanation)
        .with("reason", "defect")
        .in_run(record.run_id);
    scope.tell(told);
    save(scope, &work).await
}

/// A record that our own part could not work is left alone until `until`.
///
/// # Errors
/// `Database`.
pub async fn postpone(
    scope: &Scope,
    id: RecordId,
    until: Timestamp,
    why: &str,
) -> Result<(), StoreError> {
    let says = format!("It could not be worked on and is tried again by itself: {why}.");
    let sql = "UPDATE record SET due_at = $3, explanation = $4, updated_at = $5 WHERE tenant_id = $1 AND id = $2";
    let values: [Value; 5] = [
        scope.tenant_value(),
        id.0.into(),
        until.0.into(),
        says.into(),
        scope.now().0.into(),
    ];
    scope.run(sql, values).await?;
    Ok(())
}

/// Records that were being written when their worker went away: looked at now, not at their deadline.
///
/// # Errors
/// `Database`.
pub async fn recover(scope: &Scope) -> Result<u64, StoreError> {
    let sql = "UPDATE record SET due_at = $2 WHERE tenant_id = $1 AND state = 'syncing' AND due_at > $2 \
               AND substate IS NULL";
    scope
        .run(sql, [scope.tenant_value(), scope.now().0.into()])
        .await
}

#[derive(FromQueryResult)]
struct Counted {
    flow: String,
    word: String,
    records: i64,
}

/// How the records of a run stand: flow, state or outcome, count.
///
/// # Errors
/// `Database`.
pub async fn count_of_run(
    scope: &Scope,
    run: RunId,
) -> Result<Vec<(String, String, u64)>, StoreError> {
    let sql = "SELECT flow, CASE WHEN state IN ('succeeded', 'unchanged', 'linked') AND outcome IS NOT NULL \
               THEN outcome ELSE state END AS word, CAST(count(*) AS BIGINT) AS records \
               FROM record WHERE tenant_id = $1 AND run_id = $2 GROUP BY 1, 2";
    let rows: Vec<Counted> = scope.all(sql, [scope.tenant_value(), run.0.into()]).await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.flow, row.word, u64::try_from(row.records).unwrap_or(0)))
        .collect())
}

#[derive(FromQueryResult)]
struct Found {
    #[allow(dead_code)] // Only whether there is a row matters.
    id: Uuid,
}

/// Whether another record of the flow, not put aside, has the same name.
///
/// # Errors
/// `Database`.
pub async fn has_twin(scope: &Scope, work: &Work) -> Result<bool, StoreError> {
    let Some(key) = &work.twin_key else {
        return Ok(false);
    };
    let sql = "SELECT id FROM record WHERE tenant_id = $1 AND pair_id = $2 AND flow = $3 AND twin_key = $4 \
               AND id <> $5 AND state <> 'ignored' LIMIT 1";
    let record = &work.record;
    let values: [Value; 5] = [
        scope.tenant_value(),
        record.pair_id.0.into(),
        record.flow.as_str().into(),
        key.clone().into(),
        record.id.0.into(),
    ];
    let found: Option<Found> = scope.one(sql, values).await?;
    Ok(found.is_some())
}

/// Records that a run has seen and that are still in work leave it: they go on by themselves.
///
/// # Errors
/// `Database`.
pub async fn leave_run(scope: &Scope, run: RunId) -> Result<(), StoreError> {
    let sql = "UPDATE record SET run_id = NULL WHERE tenant_id = $1 AND run_id = $2 AND state IN ('pending', 'syncing')";
    scope.run(sql, [scope.tenant_value(), run.0.into()]).await?;
    Ok(())
}
