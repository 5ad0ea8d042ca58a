//! Runs: schedules open them, listings fill them with hints, and they close when nothing of them is in work.

use std::collections::BTreeMap;
use std::time::Duration;

use super::breaker::Claim;
use super::ends::{End, Ends};
use super::look::watcher_of;
use super::turn::Turn;
use super::{decide, projects};
use crate::contract::{Canonical, ListScope, Lists, Seen};
use crate::domain::audit::Happened;
use crate::domain::clock::Timestamp;
use crate::domain::fault::Fault;
use crate::domain::ids::{RecordId, RunId};
use crate::domain::mapping::{MappingKind, value};
use crate::domain::pair::{Pair, PairStatus};
use crate::domain::plan::Action;
use crate::domain::records::{CostCode, Order, Vendor};
use crate::domain::run::{Counts, Run, RunState, Trigger, closing_state};
use crate::flows::{PairFlow, RecordKind, lane, twin_key};
use crate::store::chore::{self, Word};
use crate::store::hint::{self, Hint};
use crate::store::run::{Ending, Listing, OpenRun};
use crate::store::{self, StoreError};

/// A listing that another change got in the way of is taken up again after this long.
const LOOK_LATER: Duration = Duration::from_secs(15 * 60);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Listings look back by this much: more than an hour, so that a clock that is an hour off hides no change.
/// Rows whose version is known cost nothing.
const OVERLAP: Duration = Duration::from_secs(75 * 60);

/// Opens a run for every pair whose time has come, and sets its next time.
///
/// # Errors
/// `Stale` when the turn is lost, `Database`.
pub async fn open_due(turn: &Turn) -> Result<(), StoreError> {
    let now = turn.engine.clock.now();
    let scope = turn.engine.store.read(turn.tenant).await?;
    let due = store::pair::due(&scope, now).await?;
    drop(scope);
    for pair in due {
        let next = (pair.status == PairStatus::Active)
            .then(|| pair.settings.schedule.next_at_pace(now, turn.engine.pace))
            .flatten();
        let flows = enabled(turn, &pair);
        let may_run = pair.status == PairStatus::Active && !flows.is_empty();
        turn.write(move |scope| {
            Box::pin(async move {
                store::pair::set_next_run(scope, pair.id, next).await?;
                if may_run {
                    store::run::open(scope, pair.id, flows, false, Trigger::Schedule).await?;
                }
                Ok(())
            })
        })
        .await?;
    }
    Ok(())
}

/// The flows of a pair that are switched on, in the order in which they depend on each other.
fn enabled(turn: &Turn, pair: &Pair) -> Vec<String> {
    turn.engine
        .pair_kind(&pair.kind)
        .map_or(Vec::new(), |kind| {
            kind.flows
                .iter()
                .filter(|flow| pair.flow(flow.name).enabled)
                .map(|flow| flow.name.to_owned())
                .collect()
        })
}

/// Lists one page of a run, if it has anything to list now. Gives whether it did.
///
/// # Errors
/// `Stale` when the turn is lost, `Database`.
pub async fn list_next(turn: &Turn, open: &OpenRun) -> Result<bool, StoreError> {
    let (Some(listing), Some(due_at)) = (&open.listing, open.due_at) else {
        return Ok(false);
    };
    if due_at > turn.engine.clock.now() {
        return Ok(false);
    }
    let Some(ends) = turn.ends(open.run.pair_id).await? else {
        // Paused: it goes on with the pair.
        postpone(turn, open.run.id, None).await?;
        return Ok(false);
    };
    list_page(turn, &ends, open, listing).await
}

/// The same for a pair that is open, whether it is active or stands still.
///
/// # Errors
/// `Stale` when the turn is lost or the run was ended, `Database`.
pub async fn list_page(
    turn: &Turn,
    ends: &Ends,
    open: &OpenRun,
    listing: &Listing,
) -> Result<bool, StoreError> {
    let Some(pass) = listing.pass() else {
        move_on(turn, &open.run, None).await?;
        return Ok(true);
    };
    let Some(flow) = ends.kind.flow(&pass.flow) else {
        // A flow that this program does not have any more.
        move_on(turn, &open.run, None).await?;
        return Ok(true);
    };
    if let Some(until) = turn.is_slow(ends.source(flow).connection.id) {
        postpone(turn, open.run.id, Some(until)).await?;
        return Ok(false);
    }
    let source = ends.source(flow).connection.id;
    let probed = match turn.claim_one(source) {
        Claim::Free => Vec::new(),
        Claim::Probe { .. } => vec![source],
        Claim::Busy { until } => {
            postpone(turn, open.run.id, Some(until)).await?;
            return Ok(false);
        }
    };
    let page = Lister {
        turn,
        ends,
        flow,
        full: pass.full,
        open,
        listing,
    };
    let taken = page.take().await;
    turn.give_back(probed);
    taken.map(|()| true)
}

/// A run's listing is taken up again at `until`; none: with its pair.
pub async fn postpone(turn: &Turn, run: RunId, until: Option<Timestamp>) -> Result<(), StoreError> {
    turn.write(move |scope| Box::pin(async move { store::run::postpone(scope, run, until).await }))
        .await
}

/// A run's listing goes on with the next page, or the next pass.
async fn move_on(turn: &Turn, run: &Run, next: Option<String>) -> Result<(), StoreError> {
    let (run, dry_run) = (run.id, run.dry_run);
    turn.write(move |scope| Box::pin(async move { next_page(scope, run, dry_run, next).await }))
        .await
}

/// The same, in a commit with what was listed.
async fn next_page(
    scope: &store::Scope,
    run: RunId,
    dry_run: bool,
    next: Option<String>,
) -> Result<(), StoreError> {
    store::run::move_listing(scope, run, scope.now(), |listing| listing.after_page(next)).await?;
    if dry_run {
        // It is judged after it is listed.
        store::run::rehearse_again_at(scope, run, scope.now()).await?;
    }
    Ok(())
}

struct Lister<'a> {
    turn: &'a Turn,
    ends: &'a Ends,
    flow: &'static PairFlow,
    full: bool,
    open: &'a OpenRun,
    listing: &'a Listing,
}

impl Lister<'_> {
    async fn take(&self) -> Result<(), StoreError> {
        let began_at = match self.listing.began_at {
            Some(at) => at,
            None => self.begin().await?,
        };
        let scope = self.list_scope(began_at).await?;
        if self.flow.record != RecordKind::Vendor && scope.projects.is_empty() {
            return self.pass_over().await;
        }
        let from = self.ends.source(self.flow);
        if self.listing.after.is_none() && !self.open.run.dry_run {
            self.name_projects().await;
            self.look_at_waits().await?;
        }
        let Some(lists) = lister_of(from, self.flow.record) else {
            return Err(StoreError::Missing("port"));
        };
        let session = self.ends.reading(&self.turn.engine, from)?;
        let page = lists
            .changed(&session, &scope, self.listing.after.as_deref())
            .await;
        match page {
            Ok(page) => {
                self.turn.engine.breakers.answered(from.connection.id);
                let hints = page.rows.into_iter().map(|seen| self.hint(seen)).collect();
                self.go_on(began_at, hints, page.next).await
            }
            Err(fault) => self.give_way(fault).await,
        }
    }

    /// Said before the first page is asked for: who asks for a run from now on may have news that it has passed.
    async fn begin(&self) -> Result<Timestamp, StoreError> {
        let (run, now) = (self.open.run.id, self.turn.engine.clock.now());
        self.turn
            .write(move |scope| {
                Box::pin(async move {
                    store::run::move_listing(scope, run, now, |listing| {
                        Some(Listing {
                            began_at: Some(now),
                            ..listing
                        })
                    })
                    .await
                })
            })
            .await?;
        Ok(now)
    }

    /// Nothing is mapped, so nothing of this flow is in scope. Nothing was listed either: its cursor stays.
    async fn pass_over(&self) -> Result<(), StoreError> {
        let (run, dry_run) = (self.open.run.id, self.open.run.dry_run);
        let note = format!(
            "No project is mapped, so no {} were listed.",
            self.flow.name
        );
        self.turn
            .write(move |scope| {
                Box::pin(async move {
                    store::run::note(scope, run, &note).await?;
                    next_page(scope, run, dry_run, None).await
                })
            })
            .await
    }

    /// Names only: a listing goes on without them.
    async fn name_projects(&self) {
        let (engine, tenant) = (&self.turn.engine, self.turn.tenant);
        match projects::refresh(engine, tenant, &self.ends.project.connection).await {
            Ok(true) => self.turn.reopen(self.ends.pair.id),
            Ok(false) => {}
            Err(fault) => tracing::info!(%fault, "the projects' names were not read"),
        }
    }

    /// Whatever waits for a value of the ERP is looked at in this run, too; and where codes are moved, it is known
    /// which there are.
    async fn look_at_waits(&self) -> Result<(), StoreError> {
        if self.flow.record == RecordKind::Vendor {
            return Ok(());
        }
        let (pair, whole) = (self.ends.pair.id, self.open.run.full);
        let are_codes = self.flow.record == RecordKind::CostCode;
        self.turn
            .write(move |scope| {
                Box::pin(async move {
                    chore::hasten_known(scope, pair, Word::Watch).await?;
                    let now = scope.now();
                    match (are_codes, whole) {
                        (true, true) => chore::hasten(scope, pair, Word::Catalogue, now).await,
                        (true, false) => chore::begin(scope, pair, Word::Catalogue, now).await,
                        (false, _) => Ok(()),
                    }
                })
            })
            .await
    }

    async fn list_scope(&self, began_at: Timestamp) -> Result<ListScope, StoreError> {
        let since = if self.full {
            None
        } else {
            let scope = self.turn.engine.store.read(self.turn.tenant).await?;
            store::cursor::find(&scope, self.ends.pair.id, self.flow.name)
                .await?
                .map(|at| at.minus(OVERLAP))
        };
        Ok(ListScope {
            projects: projects_in_scope(self.ends),
            since,
            // Open at its end, and the same for every page: what changes while it is listed stays where it was, so
            // that no page shifts and no record slips between two of them.
            until: began_at.plus(DAY),
        })
    }

    fn hint(&self, seen: Seen) -> Hint {
        let rank = rank_of(self.flow.record);
        Hint {
            lane: lane(rank, &seen.key.id, seen.project_key.as_deref()),
            source_at: version_time(&seen.version).unwrap_or(self.open.run.queued_at),
            source_id: seen.key.id,
            place: seen.key.place,
            version: seen.version,
            project_key: seen.project_key,
            twin_key: seen.name.as_deref().map(twin_key),
        }
    }

    /// Commits a page with where the listing goes on: a cursor never runs ahead of its records.
    async fn go_on(
        &self,
        began_at: Timestamp,
        hints: Vec<Hint>,
        next: Option<String>,
    ) -> Result<(), StoreError> {
        let from = self.ends.source(self.flow);
        let (run, pair, version) = (self.open.run.id, self.ends.pair.id, self.ends.pair.version);
        let (flow, rank) = (self.flow, rank_of(self.flow.record));
        let dry_run = self.open.run.dry_run;
        let system = from.connector.system.clone();
        let whole = self.full;
        let is_watched = watcher_of(self.ends.target(flow), flow.record).is_some();
        self.turn
            .write(move |scope| {
                Box::pin(async move {
                    let page = hint::Page {
                        pair,
                        pair_version: version,
                        flow: flow.name,
                        system,
                        entity: flow.entity.clone(),
                        rank,
                        run: Some(run),
                        whole,
                    };
                    if dry_run {
                        store::dry_run::take(scope, run, &page, &hints).await?;
                        return next_page(scope, run, dry_run, next).await;
                    }
                    hint::take(scope, &page, &hints).await?;
                    if next.is_none() {
                        store::cursor::set(scope, pair, flow.name, began_at).await?;
                    }
                    if next.is_none() && is_watched {
                        store::watch::begin(scope, pair, flow.name, true).await?;
                    }
                    next_page(scope, run, dry_run, next).await
                })
            })
            .await
    }

    async fn give_way(&self, fault: Fault) -> Result<(), StoreError> {
        let now = self.turn.engine.clock.now();
        let tries = self.listing.tries.saturating_add(1);
        let first = self.open.run.started_at.unwrap_or(now);
        let pace = self.turn.engine.pace;
        let spread = RecordId(self.open.run.id.0);
        let from = self.ends.source(self.flow).connection.id;
        let rest = self.turn.engine.breakers.failed(from, &fault, now, pace);
        let next = match rest {
            Some(after) => decide::Next::SlowDown { after },
            None => decide::decide(&fault, decide::tried(tries, Some(first), now), |n| {
                decide::backoff(pace, spread, n)
            }),
        };
        let after = match next {
            decide::Next::Retry { after } => after,
            decide::Next::SlowDown { after } => {
                self.turn.slow_down(from, now.plus(after));
                after
            }
            decide::Next::LookAgain | decide::Next::Verify => pace.wait(LOOK_LATER),
            decide::Next::Fail => return self.fail(fault).await,
        };
        let is_slow = rest.is_some() || matches!(fault, Fault::RateLimited { .. });
        let tries = if is_slow { self.listing.tries } else { tries };
        let (run, due_at) = (self.open.run.id, now.plus(after));
        self.turn
            .write(move |scope| {
                Box::pin(async move {
                    store::run::move_listing(scope, run, due_at, |listing| {
                        Some(Listing { tries, ..listing })
                    })
                    .await
                })
            })
            .await
    }

    /// The listing itself failed: its cursor stays where it was, and the run ends so once its records rest.
    async fn fail(&self, fault: Fault) -> Result<(), StoreError> {
        let (run, dry_run) = (self.open.run.id, self.open.run.dry_run);
        let title = self.ends.source(self.flow).title;
        let note = format!(
            "{} could not be listed in {title}: {fault}",
            self.flow.title
        );
        self.turn
            .write(move |scope| {
                Box::pin(async move {
                    store::run::give_up(scope, run, &note, &fault).await?;
                    if dry_run {
                        store::run::rehearse_again_at(scope, run, scope.now()).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

fn lister_of(end: &End, record: RecordKind) -> Option<&'static dyn Lists> {
    match record {
        RecordKind::Vendor => Vendor::port(&end.connector.ports).lists,
        RecordKind::CostCode => CostCode::port(&end.connector.ports).lists,
        RecordKind::Order => Order::port(&end.connector.ports).lists,
    }
}

fn rank_of(record: RecordKind) -> u8 {
    match record {
        RecordKind::Vendor => crate::flows::VENDOR.rank,
        RecordKind::CostCode => crate::flows::COST_CODE.rank,
        RecordKind::Order => crate::flows::ORDER.rank,
    }
}

/// A version that is a time orders the records of a lane.
fn version_time(version: &str) -> Option<Timestamp> {
    let head = version.split(['|', ' ']).next()?;
    head.parse().ok()
}

/// Mapped projects that the pair includes. A project without a row is in no scope.
pub(super) fn projects_in_scope(ends: &Ends) -> Vec<String> {
    let mut keys: Vec<String> = ends
        .tables
        .rows(MappingKind::Projects)
        .iter()
        .filter_map(|row| value(&row.project_side, "project_id"))
        .filter(|key| ends.pair.settings.projects.include(key))
        .map(str::to_owned)
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

/// Counts of a run's flows as they stand. Those that are still in work are in `seen` only.
///
/// # Errors
/// `Database`.
pub async fn counted(
    scope: &store::Scope,
    run: &Run,
) -> Result<BTreeMap<String, Counts>, StoreError> {
    if run.dry_run {
        return foreseen(scope, run).await;
    }
    Ok(stand(scope, run).await?.0)
}

/// Counts of a dry run: what would become of its records.
async fn foreseen(scope: &store::Scope, run: &Run) -> Result<BTreeMap<String, Counts>, StoreError> {
    let mut flows = zeroed(run);
    for total in store::foreseen::totals(scope, run.id).await? {
        let counts = flows.entry(total.flow).or_default();
        counts.seen = counts.seen.saturating_add(total.records);
        let place = match total.action {
            Some(Action::Create) => &mut counts.created,
            Some(Action::Update) => &mut counts.updated,
            Some(Action::Link) => &mut counts.linked,
            Some(Action::None) => &mut counts.unchanged,
            Some(Action::Wait) => &mut counts.waiting,
            Some(Action::Skip) => &mut counts.ignored,
            Some(Action::Review) => &mut counts.review,
            Some(Action::Fail) => &mut counts.failed,
            None => continue,
        };
        *place = place.saturating_add(total.records);
    }
    Ok(flows)
}

fn zeroed(run: &Run) -> BTreeMap<String, Counts> {
    let flows = run.flows.keys();
    flows
        .map(|flow| (flow.clone(), Counts::default()))
        .collect()
}

/// Counts of a run's flows, and whether any of its records is still in work: of one moment.
async fn stand(
    scope: &store::Scope,
    run: &Run,
) -> Result<(BTreeMap<String, Counts>, bool), StoreError> {
    let mut counts = zeroed(run);
    let mut is_at_work = false;
    for (flow, word, records) in store::record::count_of_run(scope, run.id).await? {
        let counts = counts.entry(flow).or_default();
        counts.seen = counts.seen.saturating_add(records);
        let place = match word.as_str() {
            "created" | "succeeded" => &mut counts.created,
            "updated" => &mut counts.updated,
            "linked" => &mut counts.linked,
            "unchanged" => &mut counts.unchanged,
            "waiting" => &mut counts.waiting,
            "held" => &mut counts.held,
            "review" => &mut counts.review,
            "retrying" => &mut counts.retrying,
            "failed" => &mut counts.failed,
            "ignored" => &mut counts.ignored,
            _ => {
                is_at_work = true;
                continue;
            }
        };
        *place = place.saturating_add(records);
    }
    Ok((counts, is_at_work))
}

/// Closes the runs that are listed to their end and have nothing in work.
///
/// # Errors
/// `TURN_LOST`, `Database`.
pub async fn close_finished(turn: &Turn) -> Result<(), StoreError> {
    let scope = turn.engine.store.read(turn.tenant).await?;
    let mut finished = Vec::new();
    let watched = store::watch::all(&scope).await?;
    for open in store::run::all_open(&scope).await? {
        let is_looking = watched.iter().any(|watch| watch.pair == open.run.pair_id);
        if open.listing.is_some() || is_looking {
            continue;
        }
        let (counts, is_at_work) = stand(&scope, &open.run).await?;
        if !is_at_work {
            finished.push((open.run, counts));
        }
    }
    drop(scope);
    for (run, counts) in finished {
        match close(turn, run, counts).await {
            // A person ended it, or opened it again, this very moment.
            Err(error @ StoreError::Stale(_)) if !error.is_turn_lost() => {}
            closed => closed?,
        }
    }
    Ok(())
}

/// Closes a dry run that is listed and judged to its end.
///
/// # Errors
/// `Stale` when the turn is lost or a person ended it, `Database`.
pub async fn close_rehearsal(turn: &Turn, id: RunId) -> Result<(), StoreError> {
    let scope = turn.engine.store.read(turn.tenant).await?;
    let run = store::run::find(&scope, id).await?.run;
    let counts = foreseen(&scope, &run).await?;
    drop(scope);
    close(turn, run, counts).await
}

async fn close(turn: &Turn, run: Run, counts: BTreeMap<String, Counts>) -> Result<(), StoreError> {
    let id = run.id;
    let state = commit_close(turn, run, counts).await?;
    tracing::info!(run_id = %id, %state, "a run is over");
    Ok(())
}

async fn commit_close(
    turn: &Turn,
    run: Run,
    counts: BTreeMap<String, Counts>,
) -> Result<RunState, StoreError> {
    let state = match run.fault {
        Some(_) => RunState::Failed,
        None => closing_state(counts.values()),
    };
    let seen: u64 = counts.values().map(|counts| counts.seen).sum();
    let saw_nothing = (seen == 0).then(|| nothing(&run));
    let note = run.note.or(saw_nothing);
    turn.write(move |scope| {
        Box::pin(async move {
            let action = match state {
                RunState::Failed => "run.failed",
                _ => "run.closed",
            };
            let mut told = Happened::new(action, "run", run.id)
                .with("dry_run", run.dry_run)
                .with("state", state)
                .with("seen", seen)
                .in_run(Some(run.id));
            if let Some(note) = &note {
                told = told.with("note", note);
            }
            scope.tell(told);
            let ending = Ending {
                state,
                counts: &counts,
                note: note.as_deref(),
                fault: run.fault.as_ref(),
            };
            store::run::close(scope, run.id, &ending).await
        })
    })
    .await?;
    Ok(state)
}

fn nothing(run: &Run) -> String {
    if run.full {
        "The source holds nothing that is in scope.".to_owned()
    } else {
        "Nothing changed in the source since the last run.".to_owned()
    }
}
