//! One tenant's slice: takes the lease, works what is due for a few seconds, and says when it is due next.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use tokio::task::JoinSet;
use tracing::Instrument;
use tracing::field::Empty;

use super::look::watch_due;
use super::sweep::sweep_due;
use super::travel::{Went, travel};
use super::turn::Turn;
use super::verify::verify_all;
use super::{Engine, chores, reconcile, rehearsal};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{PairId, RunId, TenantId};
use crate::domain::member::Actor;
use crate::store::record::{Due, DueLane, Work};
use crate::store::run::OpenRun;
use crate::store::{self, Scope, StoreError, work};

/// Lanes of one pair in work at once.
const LANES_OF_PAIR_MAX: usize = 24;
/// Lanes of one tenant in work at once: what hangs in one pair leaves room for the others.
const LANES_MAX: usize = 48;
/// A turn that waits for calls that hang goes on with other work in steps of this, and in all no longer than
/// any call may take.
const GOES_ON: Duration = Duration::from_secs(1);
const GOES_ON_MAX: Duration = Duration::from_secs(150);
/// Records of one lane before others are looked at again.
const RECORDS_OF_LANE: u32 = 8;
/// Lanes asked for at once.
const LANES_ASKED: u32 = 64;
/// Ranks that records have; lower ones first.
const RANKS: &[u8] = &[0, 1, 2, 3, 4, 5];
/// News is looked for this often while lanes are in work.
const LIST_EVERY: Duration = Duration::from_millis(200);
/// Looks for news in flight at once.
const LOOKS_MAX: usize = 8;
/// While a listing runs, its pages are taken up this often.
const PAGE_MAY_COME: Duration = Duration::from_millis(20);
/// A record that could not be worked for a reason of ours is left alone this long.
const POSTPONED: Duration = Duration::from_secs(60);

/// How a slice ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Somebody else has the lease.
    NotOurs,
    /// More is due now; the tenant is queued again.
    DueNow,
    /// Nothing is due before this instant; none: until something happens.
    Until(Option<Timestamp>),
}

impl Engine {
    /// Works a tenant's due records.
    ///
    /// # Errors
    /// `Stale` when the lease was lost on the way, `Database`.
    pub async fn work_tenant(&self, tenant: TenantId, holder: &str) -> Result<Ended, StoreError> {
        let span = tracing::info_span!("slice", tenant_id = %tenant);
        self.work_leased(tenant, holder).instrument(span).await
    }

    async fn work_leased(&self, tenant: TenantId, holder: &str) -> Result<Ended, StoreError> {
        let taken_at = Instant::now();
        let owner = holder.to_owned();
        let lease = self
            .store
            .write(tenant, &Actor::worker(), move |scope| {
                Box::pin(async move {
                    let lease = work::take(scope, &owner).await?;
                    if let Some(lease) = &lease {
                        store::record::recover(scope).await?;
                        if lease.is_takeover {
                            store::sweep::plan(scope).await?;
                        }
                    }
                    Ok::<_, StoreError>(lease)
                })
            })
            .await?;
        let Some(lease) = lease else {
            return Ok(Ended::NotOurs);
        };
        let turn = Arc::new(Turn::new(self.clone(), tenant, lease, taken_at));
        // Ends with this future, however that ends: a lease that nobody works under must run out.
        let mut keeping = JoinSet::new();
        keeping.spawn({
            let turn = Arc::clone(&turn);
            async move { turn.keep().await }
        });
        let rests = Slice::new(Arc::clone(&turn)).work().await?;
        keeping.abort_all();
        self.end(&turn, rests).await
    }

    async fn end(&self, turn: &Turn, rests: Rests) -> Result<Ended, StoreError> {
        let lease = turn.lease.clone();
        self.store
            .write(turn.tenant, &Actor::worker(), move |scope| {
                Box::pin(async move {
                    // What rests is due when its connection may be called again, not before.
                    let next = work::next_due(scope, &rests.pairs).await?;
                    let others = rests.slow_until.into_iter().chain(rests.verify_at);
                    let next = next.into_iter().chain(others).min();
                    if work::end(scope, &lease, next).await? {
                        return Ok(Ended::DueNow);
                    }
                    Ok(Ended::Until(next))
                })
            })
            .await
    }
}

/// What a slice learned about when to go on.
struct Rests {
    /// Pairs that rest because a connection of theirs is slow, and until when the first of them does.
    pairs: Vec<PairId>,
    slow_until: Option<Timestamp>,
    /// Mapping rows are looked up then.
    verify_at: Option<Timestamp>,
}

/// What a look for news brought.
struct News {
    /// Something was listed, so that more may be due.
    has_listed: bool,
    /// When mapping rows are looked up again; none: another look is at it.
    verify_at: Option<Option<Timestamp>>,
}

/// What looks for news are at: each run is listed by one of them, and one verifies mapping rows.
#[derive(Default)]
struct InSight {
    runs: Mutex<BTreeSet<RunId>>,
    is_verifying: AtomicBool,
    is_at_chores: AtomicBool,
    is_watching: AtomicBool,
}

impl InSight {
    /// Whether the run is the caller's to list; it gives it back with [`InSight::leave`].
    fn take(&self, run: RunId) -> bool {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.insert(run)
    }

    fn leave(&self, run: RunId) {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.remove(&run);
    }
}

/// A lane that must not be begun again.
struct Busy {
    pair: Option<PairId>,
    began_at: Instant,
    /// No more, once an error of ours ended it.
    is_in_work: bool,
}

struct Slice {
    turn: Arc<Turn>,
    lanes: JoinSet<(String, Result<Went, StoreError>)>,
    /// Lanes that are in work now, and those that rest for this slice.
    busy: BTreeMap<String, Busy>,
    /// When the turn was to end.
    ends_at: Instant,
    /// The tenant has more than one active pair.
    has_others: bool,
    /// Lists beside the lanes; a look that hangs at one source leaves the others to the next look.
    news: JoinSet<(Instant, Result<News, StoreError>)>,
    /// Looks that were begun before the turn was to end, and are in flight.
    looks_in_time: usize,
    in_sight: Arc<InSight>,
    looked_at: Option<Instant>,
    verify_at: Option<Timestamp>,
    /// Dry runs go on beside the lanes, and wait for none of them.
    rehearsal: JoinSet<Result<(), StoreError>>,
}

impl Slice {
    fn new(turn: Arc<Turn>) -> Self {
        Self {
            ends_at: turn.ends_at(),
            has_others: false,
            turn,
            lanes: JoinSet::new(),
            busy: BTreeMap::new(),
            news: JoinSet::new(),
            looks_in_time: 0,
            in_sight: Arc::default(),
            looked_at: None,
            verify_at: None,
            rehearsal: JoinSet::new(),
        }
    }

    /// Works until nothing is due or the time is up. Gives when to go on.
    async fn work(mut self) -> Result<Rests, StoreError> {
        let mut may_be_more = true;
        self.has_others = {
            let scope = self.turn.engine.store.read(self.turn.tenant).await?;
            store::pair::count_active(&scope).await? > 1
        };
        let turn = Arc::clone(&self.turn);
        self.rehearsal
            .spawn(async move { rehearsal::rehearse(&turn).await });
        loop {
            self.go_on_beside_what_hangs();
            self.look_for_news(may_be_more);
            may_be_more = self.fill().await?;
            if self.lanes.is_empty() && self.news.is_empty() {
                reconcile::close_finished(&self.turn).await?;
                let is_done = self.turn.is_over() || !may_be_more;
                match (self.rehearsal.is_empty(), is_done) {
                    (true, true) => return Ok(self.rests()),
                    (true, false) => continue,
                    (false, _) => {}
                }
            }
            may_be_more |= self.wait().await?;
        }
    }

    /// Lanes, listings and dry runs that were begun in time and have not come back hold the turn open. Other work
    /// need not wait for them.
    fn go_on_beside_what_hangs(&self) {
        let now = Instant::now();
        let hangs = |busy: &Busy| busy.is_in_work && busy.began_at < self.ends_at;
        let is_held_open = now >= self.turn.ends_at()
            && (self.looks_in_time > 0
                || self.busy.values().any(hangs)
                || !self.rehearsal.is_empty());
        if is_held_open && now < self.ends_at + GOES_ON_MAX {
            self.turn.goes_on_until(now + GOES_ON);
        }
    }

    /// Pairs that have as many lanes in work as one may.
    fn crowded(&self) -> Vec<PairId> {
        let mut lanes: BTreeMap<PairId, usize> = BTreeMap::new();
        for pair in self.busy.values().filter_map(|busy| busy.pair) {
            let count = lanes.entry(pair).or_default();
            *count = count.saturating_add(1);
        }
        lanes.retain(|_, count| *count >= LANES_OF_PAIR_MAX);
        lanes.into_keys().collect()
    }

    fn rests(&self) -> Rests {
        let resting = self.turn.resting();
        Rests {
            slow_until: resting.iter().map(|(_, until)| *until).min(),
            pairs: resting.into_iter().map(|(pair, _)| pair).collect(),
            verify_at: self.verify_at,
        }
    }

    /// Waits until a lane or the look for news is done, or pages may have come. Gives whether more may be due.
    async fn wait(&mut self) -> Result<bool, StoreError> {
        let is_listing = !self.news.is_empty();
        tokio::select! {
            Some(ended) = self.lanes.join_next() => {
                self.take(ended)?;
                // Finished lanes are taken together: each look for more work serves all of them.
                while let Some(ended) = self.lanes.try_join_next() {
                    self.take(ended)?;
                }
                Ok(true)
            }
            Some(looked) = self.news.join_next() => {
                let (began_at, news) = looked.unwrap_or_else(|error| {
                    tracing::error!(%error, tenant = %self.turn.tenant, "a listing ended abnormally");
                    (self.ends_at, Ok(News { has_listed: false, verify_at: None }))
                });
                if began_at < self.ends_at {
                    self.looks_in_time = self.looks_in_time.saturating_sub(1);
                }
                let news = news?;
                if let Some(verify_at) = news.verify_at {
                    self.verify_at = verify_at;
                }
                Ok(news.has_listed)
            }
            Some(rehearsed) = self.rehearsal.join_next() => {
                rehearsed.unwrap_or_else(|error| {
                    tracing::error!(%error, tenant = %self.turn.tenant, "a dry run ended abnormally");
                    Ok(())
                })?;
                Ok(false)
            }
            () = tokio::time::sleep(PAGE_MAY_COME), if is_listing => Ok(true),
            // One lane that hangs must not keep the others from beginning.
            () = tokio::time::sleep(LIST_EVERY), if !self.turn.is_over() => Ok(true),
        }
    }

    /// Lists beside the lanes, again and again while they work.
    fn look_for_news(&mut self, may_be_more: bool) {
        let is_early = self
            .looked_at
            .is_some_and(|at| at.elapsed() < LIST_EVERY || !may_be_more);
        if self.turn.is_over() || self.news.len() >= LOOKS_MAX || is_early {
            return;
        }
        let began_at = Instant::now();
        self.looked_at = Some(began_at);
        if began_at < self.ends_at {
            self.looks_in_time = self.looks_in_time.saturating_add(1);
        }
        let (turn, in_sight) = (Arc::clone(&self.turn), Arc::clone(&self.in_sight));
        self.news
            .spawn(async move { (began_at, news(&turn, &in_sight).await) }.in_current_span());
    }

    /// Starts lanes until enough are in work, in turn: it goes on after the last lane that was started, so that
    /// lanes with much to do do not keep the later ones from their turn. Gives whether any was started.
    async fn fill(&mut self) -> Result<bool, StoreError> {
        self.turn.go_on_with(&self.turn.connections()).await?;
        // Looked for only when half of a pair's lanes are done: one look then serves many.
        let may_hang = if self.has_others && !self.crowded().is_empty() {
            LANES_OF_PAIR_MAX
        } else {
            0
        };
        if self.turn.is_over() || self.lanes.len() > may_hang + LANES_OF_PAIR_MAX / 2 {
            return Ok(false);
        }
        let now = self.turn.engine.clock.now();
        let rests = self.rests();
        let scope = self.turn.engine.store.read(self.turn.tenant).await?;
        let closed = store::record::closed_lanes(&scope, now).await?;
        let mut started = false;
        for &rank in RANKS {
            let due = Due {
                rank,
                now,
                resting: &rests.pairs,
            };
            let left_at = self.turn.engine.places.of(self.turn.tenant, rank);
            started |= self
                .start_from(&scope, due, left_at.clone(), &closed)
                .await?;
            if !left_at.is_empty() {
                started |= self.start_from(&scope, due, String::new(), &closed).await?;
            }
        }
        Ok(started)
    }

    async fn start_from(
        &mut self,
        scope: &Scope,
        due: Due<'_>,
        mut after: String,
        closed: &[String],
    ) -> Result<bool, StoreError> {
        let mut started = false;
        while self.busy.len() < LANES_MAX {
            let mut crowded = self.crowded();
            let others = Due {
                resting: &[due.resting, crowded.as_slice()].concat(),
                ..due
            };
            let lanes = store::record::due_lanes(scope, others, &after, LANES_ASKED).await?;
            let Some(last) = lanes.last() else { break };
            after = last.name.clone();
            for lane in lanes {
                if self.busy.len() >= LANES_MAX {
                    break;
                }
                let is_crowded = lane.pair.is_some_and(|pair| crowded.contains(&pair));
                if is_crowded || closed.contains(&lane.name) || self.busy.contains_key(&lane.name) {
                    continue;
                }
                started = true;
                self.start(due, lane);
                crowded = self.crowded();
            }
        }
        Ok(started)
    }

    fn start(&mut self, due: Due<'_>, lane: DueLane) {
        let (turn, rank, now) = (Arc::clone(&self.turn), due.rank, due.now);
        let DueLane { name: lane, pair } = lane;
        turn.engine.places.set(turn.tenant, rank, &lane);
        let busy = Busy {
            pair,
            began_at: Instant::now(),
            is_in_work: true,
        };
        self.busy.insert(lane.clone(), busy);
        let work = async move {
            let went = work_lane(&turn, rank, &lane, now).await;
            (lane, went)
        };
        self.lanes.spawn(work.in_current_span());
    }

    fn take(
        &mut self,
        ended: Result<(String, Result<Went, StoreError>), tokio::task::JoinError>,
    ) -> Result<(), StoreError> {
        let (lane, went) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                // A defect of ours in one record: its lane rests for this slice, others go on.
                tracing::error!(%error, tenant = %self.turn.tenant, "a lane ended abnormally");
                return Ok(());
            }
        };
        match went {
            Ok(Went::Settled | Went::SlowDown) => {
                self.busy.remove(&lane);
            }
            Err(error) if error.is_turn_lost() => return Err(error),
            Err(error) => {
                // The lane stays busy for this slice; its record is due again in the next one.
                if let Some(busy) = self.busy.get_mut(&lane) {
                    busy.is_in_work = false;
                }
                tracing::error!(%error, %lane, tenant = %self.turn.tenant, "a record could not be worked");
            }
        }
        Ok(())
    }
}

/// Opens the runs that are due, lists what there is to list, and looks up mapping rows.
async fn news(turn: &Turn, in_sight: &InSight) -> Result<News, StoreError> {
    reconcile::open_due(turn).await?;
    let scope = turn.engine.store.read(turn.tenant).await?;
    let mut open = store::run::all_open(&scope).await?;
    drop(scope);
    open.retain(|run| in_sight.take(run.run.id));
    // Side by side: a source that hangs keeps no other pair's from being listed.
    let listings = futures::future::join_all(open.into_iter().map(async |run| {
        let id = run.run.id;
        let span = tracing::info_span!("run", run_id = %id);
        let listed = list(turn, run).instrument(span).await;
        in_sight.leave(id);
        listed
    }));
    let (listed, verify_at, has_looked) = futures::join!(
        listings,
        verify(turn, in_sight),
        watch_targets(turn, in_sight)
    );
    let mut has_listed = false;
    for listed in listed {
        has_listed |= listed?;
    }
    let (verify_at, has_looked) = (verify_at?, has_looked?);
    let has_worked = chores(turn, in_sight).await?;
    let now = turn.engine.clock.now();
    let may_verify = verify_at.flatten().is_some_and(|at| at <= now);
    Ok(News {
        has_listed: has_listed || has_worked || may_verify || has_looked,
        verify_at,
    })
}

/// Looks mapping rows up, unless another look is at it.
async fn verify(turn: &Turn, in_sight: &InSight) -> Result<Option<Option<Timestamp>>, StoreError> {
    if in_sight.is_verifying.swap(true, Ordering::SeqCst) {
        return Ok(None);
    }
    let verify_at = verify_all(&turn.engine, turn.tenant).await;
    in_sight.is_verifying.store(false, Ordering::SeqCst);
    verify_at.map(Some)
}

/// Takes a step of what comes again and again, unless another look is at it.
async fn chores(turn: &Turn, in_sight: &InSight) -> Result<bool, StoreError> {
    if in_sight.is_at_chores.swap(true, Ordering::SeqCst) {
        return Ok(false);
    }
    let has_worked = chores::step_all(turn).await;
    in_sight.is_at_chores.store(false, Ordering::SeqCst);
    has_worked
}

/// Looks at what became of what was written, unless another look is at it. Gives whether it did.
async fn watch_targets(turn: &Turn, in_sight: &InSight) -> Result<bool, StoreError> {
    if in_sight.is_watching.swap(true, Ordering::SeqCst) {
        return Ok(false);
    }
    let has_looked = look_after(turn).await;
    in_sight.is_watching.store(false, Ordering::SeqCst);
    has_looked
}

async fn look_after(turn: &Turn) -> Result<bool, StoreError> {
    let has_swept = sweep_due(turn).await?;
    Ok(watch_due(turn).await? || has_swept)
}

/// One run's pages, one after the other, while there is something to list. Gives whether any was listed.
async fn list(turn: &Turn, mut run: OpenRun) -> Result<bool, StoreError> {
    let id = run.run.id;
    let mut has_listed = false;
    loop {
        match reconcile::list_next(turn, &run).await {
            Ok(true) => has_listed = true,
            Ok(false) => return Ok(has_listed),
            Err(error) if error.is_turn_lost() => return Err(error),
            // A person ended the run meanwhile, or its pair cannot be opened: others go on.
            Err(error) => {
                postpone(turn, id, &error).await?;
                return Ok(has_listed);
            }
        }
        if turn.is_over() {
            return Ok(has_listed);
        }
        let scope = turn.engine.store.read(turn.tenant).await?;
        run = store::run::find(&scope, id).await?;
    }
}

async fn postpone(turn: &Turn, run: RunId, error: &StoreError) -> Result<(), StoreError> {
    tracing::warn!(%error, %run, tenant = %turn.tenant, "a run was not listed");
    let until = turn.engine.clock.now().plus(POSTPONED);
    reconcile::postpone(turn, run, Some(until)).await
}

async fn work_lane(turn: &Turn, rank: u8, lane: &str, now: Timestamp) -> Result<Went, StoreError> {
    // However long others hang: this lane's turn ends when it was to end.
    let ends_at = turn.ends_at();
    let resting: Vec<PairId> = turn.resting().into_iter().map(|(pair, _)| pair).collect();
    let due = Due {
        rank,
        now,
        resting: &resting,
    };
    let scope = turn.engine.store.read(turn.tenant).await?;
    let due = store::record::due_in_lane(&scope, due, lane, RECORDS_OF_LANE).await?;
    drop(scope);
    for work in due {
        if turn.is_over() || Instant::now() >= ends_at {
            break;
        }
        match work_record(turn, work).await? {
            Went::Settled => {}
            Went::SlowDown => return Ok(Went::SlowDown),
        }
    }
    Ok(Went::Settled)
}

/// Works one record. Whatever goes wrong in our own part holds up this record only.
async fn work_record(turn: &Turn, work: Work) -> Result<Went, StoreError> {
    let id = work.record.id;
    let span = tracing::info_span!("record", record_id = %id, run_id = Empty);
    if let Some(run) = work.record.run_id {
        span.record("run_id", tracing::field::display(run));
    }
    let worked = AssertUnwindSafe(travel(turn, work)).catch_unwind();
    let worked = worked.instrument(span).await;
    let error = match worked {
        Ok(Ok(went)) => return Ok(went),
        // Somebody else decided about it meanwhile; what they said stands.
        Ok(Err(error)) if error.is_record_changed() => return Ok(Went::Settled),
        Ok(Err(error @ (StoreError::Stale(_) | StoreError::Stopping))) => return Err(error),
        Ok(Err(error)) => error,
        Err(_) => {
            tracing::error!(record = %id, tenant = %turn.tenant, "a record was stopped by a defect");
            turn.write(move |scope| Box::pin(store::record::break_off(scope, id)))
                .await?;
            return Ok(Went::Settled);
        }
    };
    tracing::error!(%error, record = %id, tenant = %turn.tenant, "a record could not be worked");
    let until = turn.engine.clock.now().plus(POSTPONED);
    let why = error.to_string();
    turn.write(move |scope| {
        Box::pin(async move { store::record::postpone(scope, id, until, &why).await })
    })
    .await?;
    Ok(Went::Settled)
}

/// Where each tenant's lanes were left: the next ones are those after it. Forgotten with the process.
#[derive(Default)]
pub struct Places(Mutex<HashMap<(TenantId, u8), String>>);

impl Places {
    fn of(&self, tenant: TenantId, rank: u8) -> String {
        let places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.get(&(tenant, rank)).cloned().unwrap_or_default()
    }

    fn set(&self, tenant: TenantId, rank: u8, lane: &str) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.insert((tenant, rank), lane.to_owned());
    }
}
