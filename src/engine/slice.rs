//! One tenant's slice: takes the lease, works what is due for a few seconds, and says when it is due next.

use std::collections::{BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use tokio::task::JoinSet;

use super::travel::{Went, travel};
use super::turn::Turn;
use super::verify::verify_all;
use super::{Engine, reconcile, rehearsal};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{PairId, RunId, TenantId};
use crate::domain::member::Actor;
use crate::store::record::{Due, Work};
use crate::store::{self, Scope, StoreError, work};

/// Lanes of one tenant in work at once.
const LANES_MAX: usize = 24;
/// Records of one lane before others are looked at again.
const RECORDS_OF_LANE: u32 = 8;
/// Lanes asked for at once.
const LANES_ASKED: u32 = 64;
/// Ranks that records have; lower ones first.
const RANKS: &[u8] = &[0, 1, 2, 3, 4, 5];
/// News is looked for this often while lanes are in work.
const LIST_EVERY: Duration = Duration::from_millis(200);
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
        let taken_at = Instant::now();
        let owner = holder.to_owned();
        let lease = self
            .store
            .write(tenant, &Actor::worker(), move |scope| {
                Box::pin(async move {
                    let lease = work::take(scope, &owner).await?;
                    if lease.is_some() {
                        store::record::recover(scope).await?;
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
        // Dry runs go on beside the lanes, and wait for none of them.
        let (rests, rehearsed) = tokio::join!(
            Slice::new(Arc::clone(&turn)).work(),
            rehearsal::rehearse(&turn)
        );
        let rests = rests?;
        rehearsed?;
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
    verify_at: Option<Timestamp>,
}

struct Slice {
    turn: Arc<Turn>,
    lanes: JoinSet<(String, Result<Went, StoreError>)>,
    /// Lanes that are in work now.
    busy: BTreeSet<String>,
    /// Lists beside the lanes; one look at a time.
    news: JoinSet<Result<News, StoreError>>,
    looked_at: Option<Instant>,
    verify_at: Option<Timestamp>,
}

impl Slice {
    fn new(turn: Arc<Turn>) -> Self {
        Self {
            turn,
            lanes: JoinSet::new(),
            busy: BTreeSet::new(),
            news: JoinSet::new(),
            looked_at: None,
            verify_at: None,
        }
    }

    /// Works until nothing is due or the time is up. Gives when to go on.
    async fn work(mut self) -> Result<Rests, StoreError> {
        let mut may_be_more = true;
        loop {
            self.look_for_news(may_be_more);
            may_be_more = self.fill().await?;
            if self.lanes.is_empty() && self.news.is_empty() {
                reconcile::close_finished(&self.turn).await?;
                if self.turn.is_over() || !may_be_more {
                    return Ok(self.rests());
                }
                continue;
            }
            may_be_more |= self.wait().await?;
        }
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
                let news = looked.unwrap_or_else(|error| {
                    tracing::error!(%error, tenant = %self.turn.tenant, "a listing ended abnormally");
                    Ok(News { has_listed: false, verify_at: None })
                })?;
                self.verify_at = news.verify_at;
                Ok(news.has_listed)
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
        if self.turn.is_over() || !self.news.is_empty() || is_early {
            return;
        }
        self.looked_at = Some(Instant::now());
        self.news.spawn(news(Arc::clone(&self.turn)));
    }

    /// Starts lanes until enough are in work, in turn: it goes on after the last lane that was started, so that
    /// lanes with much to do do not keep the later ones from their turn. Gives whether any was started.
    async fn fill(&mut self) -> Result<bool, StoreError> {
        // Looked for only when half of the lanes are done: one look then serves many.
        if self.turn.is_over() || self.lanes.len() > LANES_MAX / 2 {
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
            let lanes = store::record::due_lanes(scope, due, &after, LANES_ASKED).await?;
            let Some(last) = lanes.last() else { break };
            after = last.clone();
            for lane in lanes {
                if self.busy.len() >= LANES_MAX {
                    break;
                }
                if !closed.contains(&lane) && self.busy.insert(lane.clone()) {
                    started = true;
                    self.start(due, lane);
                }
            }
        }
        Ok(started)
    }

    fn start(&mut self, due: Due<'_>, lane: String) {
        let (turn, rank, now) = (Arc::clone(&self.turn), due.rank, due.now);
        turn.engine.places.set(turn.tenant, rank, &lane);
        self.lanes.spawn(async move {
            let went = work_lane(&turn, rank, &lane, now).await;
            (lane, went)
        });
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
                tracing::error!(%error, %lane, tenant = %self.turn.tenant, "a record could not be worked");
            }
        }
        Ok(())
    }
}

/// Opens the runs that are due, lists what there is to list, and looks up mapping rows.
async fn news(turn: Arc<Turn>) -> Result<News, StoreError> {
    reconcile::open_due(&turn).await?;
    let mut has_listed = false;
    while list_a_page(&turn).await? {
        has_listed = true;
        if turn.is_over() {
            break;
        }
    }
    let verify_at = verify_all(&turn.engine, turn.tenant).await?;
    let now = turn.engine.clock.now();
    Ok(News {
        has_listed: has_listed || verify_at.is_some_and(|at| at <= now),
        verify_at,
    })
}

/// One page of every open run that has something to list. Gives whether any was listed.
async fn list_a_page(turn: &Turn) -> Result<bool, StoreError> {
    let scope = turn.engine.store.read(turn.tenant).await?;
    let open = store::run::all_open(&scope).await?;
    drop(scope);
    let mut listed = false;
    for run in open {
        match reconcile::list_next(turn, &run).await {
            Ok(has_listed) => listed |= has_listed,
            Err(error) if error.is_turn_lost() => return Err(error),
            // A person ended the run meanwhile, or its pair cannot be opened: others go on.
            Err(error) => postpone(turn, run.run.id, &error).await?,
        }
    }
    Ok(listed)
}

async fn postpone(turn: &Turn, run: RunId, error: &StoreError) -> Result<(), StoreError> {
    tracing::warn!(%error, %run, tenant = %turn.tenant, "a run was not listed");
    let until = turn.engine.clock.now().plus(POSTPONED);
    reconcile::postpone(turn, run, Some(until)).await
}

async fn work_lane(turn: &Turn, rank: u8, lane: &str, now: Timestamp) -> Result<Went, StoreError> {
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
        if turn.is_over() {
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
    let worked = AssertUnwindSafe(travel(turn, work)).catch_unwind().await;
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
