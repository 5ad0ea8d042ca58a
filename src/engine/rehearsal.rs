//! Dry runs: listed to their end, then judged row by row beside the lanes, in the tenant's own turn. They write rows
//! of their own and nothing else.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures::{FutureExt, StreamExt, stream};

use super::ends::Ends;
use super::reconcile;
use super::rehearsed::Rehearsed;
use super::travel::{Went, set_out};
use super::turn::Turn;
use crate::domain::clock::Timestamp;
use crate::domain::fault::Issue;
use crate::domain::ids::RecordId;
use crate::domain::pair::Pair;
use crate::domain::plan::{Action, Foreseen};
use crate::domain::record::{Record, State};
use crate::flows::lane;
use crate::store::dry_run::{self, Listed};
use crate::store::record::{Wish, Work};
use crate::store::run::OpenRun;
use crate::store::{self, StoreError};

/// Rows judged at once: few, so that real runs beside them keep most of the pace.
const AT_ONCE: usize = 6;
/// Rows fetched at once.
const ROWS: u32 = 48;
/// A dry run that a trouble of ours stopped goes on after this long.
const POSTPONED: Duration = Duration::from_secs(60);
/// What dry runs foresaw is kept this long.
pub const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// Goes on with the tenant's dry runs until the turn is over or nothing of them is due.
///
/// # Errors
/// `Stale` when the turn is lost, `Stopping`, `Database`.
pub async fn rehearse(turn: &Turn) -> Result<(), StoreError> {
    let time = Time {
        turn,
        // However long others hang, its turn ends when it was to end.
        ends_at: turn.ends_at(),
    };
    let scope = turn.engine.store.read(turn.tenant).await?;
    let open = store::run::rehearsals(&scope).await?;
    drop(scope);
    for run in open {
        if time.is_over() {
            break;
        }
        let now = turn.engine.clock.now();
        if run.due_at.is_some_and(|at| at > now) {
            continue;
        }
        let id = run.run.id;
        match go_on(&time, run).await {
            Ok(()) => {}
            Err(StoreError::Stopping) => return Err(StoreError::Stopping),
            Err(error) if error.is_turn_lost() => return Err(error),
            // A person ended it meanwhile.
            Err(StoreError::Stale(_)) => {}
            Err(error) => {
                tracing::warn!(%error, run = %id, tenant = %turn.tenant, "a dry run was put off");
                let at = now.plus(POSTPONED);
                turn.write(move |scope| Box::pin(store::run::rehearse_again_at(scope, id, at)))
                    .await?;
            }
        }
    }
    Ok(())
}

/// How long a dry run is worked in this turn.
struct Time<'a> {
    turn: &'a Turn,
    ends_at: Instant,
}

impl Time<'_> {
    fn is_over(&self) -> bool {
        Instant::now() >= self.ends_at || self.turn.is_over()
    }
}

async fn go_on(time: &Time<'_>, open: OpenRun) -> Result<(), StoreError> {
    let turn = time.turn;
    let ends = Ends::to_look(&turn.engine, turn.tenant, open.run.pair_id).await?;
    let id = open.run.id;
    let Some(open) = list(time, &ends, open).await? else {
        return Ok(());
    };
    loop {
        if time.is_over() {
            return Ok(());
        }
        let now = turn.engine.clock.now();
        let scope = turn.engine.store.read(turn.tenant).await?;
        let rows = dry_run::due(&scope, id, now, ROWS).await?;
        let next = dry_run::next_due(&scope, id).await?;
        drop(scope);
        let Some(next) = next else {
            return reconcile::close_rehearsal(turn, id).await;
        };
        if let Some(at) = turn.slow_until(&ends).or((next > now).then_some(next)) {
            return turn
                .write(move |scope| Box::pin(store::run::rehearse_again_at(scope, id, at)))
                .await;
        }
        // A dry run that a person ended is worked no further.
        judge_all(time, &ends, &open, rows).await?;
        let connections = [ends.project.connection.id, ends.erp.connection.id];
        turn.go_on_with(&connections).await?;
        let scope = turn.engine.store.read(turn.tenant).await?;
        if store::run::find(&scope, id).await?.run.ended_at.is_some() {
            return Ok(());
        }
    }
}

/// Lists until everything is listed: what comes later may be needed by what came first. None when it cannot go on
/// now.
async fn list(
    time: &Time<'_>,
    ends: &Ends,
    mut open: OpenRun,
) -> Result<Option<OpenRun>, StoreError> {
    let turn = time.turn;
    while let Some(listing) = &open.listing {
        if time.is_over() || !reconcile::list_page(turn, ends, &open, listing).await? {
            return Ok(None);
        }
        let scope = turn.engine.store.read(turn.tenant).await?;
        open = store::run::find(&scope, open.run.id).await?;
        let is_later = open.due_at.is_some_and(|at| at > turn.engine.clock.now());
        if is_later || open.run.ended_at.is_some() {
            return Ok(None);
        }
    }
    Ok(Some(open))
}

async fn judge_all(
    time: &Time<'_>,
    ends: &Ends,
    open: &OpenRun,
    rows: Vec<Listed>,
) -> Result<(), StoreError> {
    let mut judged = stream::iter(rows)
        .map(|row| judge(time, ends, open, row))
        .buffer_unordered(AT_ONCE);
    let mut outcome = Ok(());
    // All of them are let come to their end: one that is dropped half way would lose its tokens' answers.
    while let Some(went) = judged.next().await {
        if outcome.is_ok() {
            outcome = went;
        }
    }
    outcome
}

/// Judges one row. Whatever goes wrong in our own part is told in this row only.
async fn judge(
    time: &Time<'_>,
    ends: &Ends,
    open: &OpenRun,
    row: Listed,
) -> Result<(), StoreError> {
    let turn = time.turn;
    if time.is_over() || turn.slow_until(ends).is_some() {
        return Ok(());
    }
    let Some(probed) = turn.claim(ends) else {
        return Ok(());
    };
    let judged = judge_now(turn, ends, open, row).await;
    turn.give_back(probed);
    judged
}

async fn judge_now(
    turn: &Turn,
    ends: &Ends,
    open: &OpenRun,
    row: Listed,
) -> Result<(), StoreError> {
    let scope = turn.engine.store.read(turn.tenant).await?;
    let (pair, flow) = (ends.pair.id, row.flow.as_str());
    let known = store::record::of_source(&scope, pair, flow, &row.source.id).await?;
    drop(scope);
    let is_decided = known
        .as_ref()
        .is_some_and(|known| is_decided(known, &row, &ends.pair, open.run.full));
    let before = work_of(&row, known, &ends.pair);
    let rehearsed = Rehearsed {
        listed: row.clone(),
        is_decided,
    };
    let went = AssertUnwindSafe(set_out(turn, ends, before, Some(rehearsed)))
        .catch_unwind()
        .await;
    match went {
        Ok(Ok(Went::Settled | Went::SlowDown)) => Ok(()),
        Ok(Err(error @ (StoreError::Stale(_) | StoreError::Stopping))) => Err(error),
        Ok(Err(error)) => {
            tracing::error!(%error, row = %row.id, tenant = %turn.tenant, "a row of a dry run was not judged");
            broke_off(turn, ends, row, &error.to_string()).await
        }
        Err(_) => {
            tracing::error!(row = %row.id, tenant = %turn.tenant, "a row of a dry run was stopped by a defect");
            broke_off(turn, ends, row, "a defect of this program stopped it").await
        }
    }
}

/// A person said what is to become of this very version.
fn is_decided(known: &Work, row: &Listed, pair: &Pair, full: bool) -> bool {
    match known.record.reason.as_deref() {
        Some("ignored_by_person") => known.record.state == State::Ignored,
        Some("rejected") => {
            let is_news = full
                || known.seen_version != row.seen_version
                || known.pair_version != pair.version;
            known.record.state == State::Failed && !is_news
        }
        _ => false,
    }
}

/// The record as a run would find it: as it stands, or new.
fn work_of(row: &Listed, known: Option<Work>, pair: &Pair) -> Work {
    let needed = row.is_needed.then_some(Wish::Needed);
    if let Some(known) = known {
        let mut work = known;
        work.record.attempts = row.attempts;
        work.first_failed_at = None;
        work.record.next_attempt_at = None;
        work.source_place = row.source_place.clone();
        work.twin_key = row.twin_key.clone().or(work.twin_key);
        work.wish = work.wish.or(needed);
        return work;
    }
    Work {
        record: Record {
            id: row.id,
            pair_id: pair.id,
            flow: row.flow.clone(),
            state: State::Pending,
            substate: None,
            reason: None,
            explanation: String::new(),
            flags: Vec::new(),
            number: None,
            counterparty: None,
            project: None,
            money: None,
            source: row.source.clone(),
            source_version: None,
            target: None,
            attempts: row.attempts,
            next_attempt_at: None,
            waiting_for: Vec::new(),
            fault: None,
            run_id: None,
            first_seen_at: row.source_at,
            updated_at: row.source_at,
        },
        source_place: row.source_place.clone(),
        seen_version: row.seen_version.clone(),
        source_at: row.source_at,
        lane: lane(row.rank, &row.source.id, row.project_key.as_deref()),
        project_key: row.project_key.clone(),
        twin_key: row.twin_key.clone(),
        rank: row.rank,
        plan_action: None,
        snapshot_digest: None,
        draft_digest: None,
        changes_digest: None,
        candidates_digest: None,
        approved_digest: None,
        approved_by: None,
        wish: needed,
        pair_version: pair.version,
        first_failed_at: None,
        outcome: None,
        revision: 0,
    }
}

async fn broke_off(turn: &Turn, ends: &Ends, row: Listed, why: &str) -> Result<(), StoreError> {
    let (pair, run, id): (_, _, RecordId) = (ends.pair.id, row.run, row.id);
    let found = Foreseen {
        flow: row.flow,
        source: row.source,
        number: None,
        counterparty: None,
        project: row.project_key,
        money: None,
        action: Action::Fail,
        target_id: None,
        digest: None,
        changes: Vec::new(),
        issues: vec![Issue::new("", "defect", why)],
        candidates: Vec::new(),
        waiting_for: Vec::new(),
        reason: Some("defect".to_owned()),
        explanation: format!("It could not be looked at: {why}."),
    };
    turn.write(move |scope| {
        Box::pin(async move { dry_run::judge(scope, (pair, run, id), &found).await })
    })
    .await
}

/// Before this, what dry runs foresaw is forgotten.
#[must_use]
pub fn forgotten_before(now: Timestamp) -> Timestamp {
    now.minus(KEPT)
}
