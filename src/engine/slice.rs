//! One tenant's slice: takes the lease, works what is due for a few seconds, and says when it is due next.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use tokio::task::JoinSet;

use super::travel::{Went, travel};
use super::turn::Turn;
use super::verify::verify_all;
use super::{Engine, reconcile};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{RunId, TenantId};
use crate::domain::member::Actor;
use crate::store::record::Work;
use crate::store::{self, StoreError, work};

/// A slice ends after this long, so that other tenants get their turn.
const LASTS: Duration = Duration::from_secs(5);
/// Lanes of one tenant in work at once.
const LANES_MAX: usize = 24;
/// Records of one lane before others are looked at again.
const RECORDS_OF_LANE: u32 = 8;
/// Lanes asked for at once.
const LANES_ASKED: u32 = 64;
/// Ranks that records have; lower ones first.
const RANKS: &[u8] = &[0, 1, 2, 3, 4, 5];
/// Listings are looked after this often while lanes are in work.
const LIST_EVERY: Duration = Duration::from_millis(200);
/// A record that could not be worked for a reason of ours is left alone this long.
const POSTPONED: Duration = Duration::from_secs(60);
/// A slow connection is not asked again sooner than this.
const REST_MIN: Duration = Duration::from_millis(200);

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
        let rests = Slice::new(Arc::clone(&turn)).work().await?;
        keeping.abort_all();
        self.end(&turn, rests).await
    }

    async fn end(&self, turn: &Turn, rests: Rests) -> Result<Ended, StoreError> {
        let lease = turn.lease.clone();
        self.store
            .write(turn.tenant, &Actor::worker(), move |scope| {
                Box::pin(async move {
                    let next = work::next_due(scope).await?;
                    let next = match (next, rests.slow_until) {
                        (Some(next), Some(rest)) => Some(next.max(rest)),
                        (next, _) => next,
                    };
                    let next = next.into_iter().chain(rests.verify_at).min();
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
    /// Slow connections rest until then.
    slow_until: Option<Timestamp>,
    /// Mapping rows are looked up then.
    verify_at: Option<Timestamp>,
}

struct Slice {
    turn: Arc<Turn>,
    ends_at: Instant,
    lanes: JoinSet<(String, Result<Went, StoreError>)>,
    /// Lanes that are in work now.
    busy: BTreeSet<String>,
    /// The earliest instant at which a slow connection may be called again.
    rest_until: Option<Timestamp>,
    listed_at: Option<Instant>,
    verify_at: Option<Timestamp>,
}

impl Slice {
    fn new(turn: Arc<Turn>) -> Self {
        Self {
            turn,
            ends_at: Instant::now() + LASTS,
            lanes: JoinSet::new(),
            busy: BTreeSet::new(),
            rest_until: None,
            listed_at: None,
            verify_at: None,
        }
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.ends_at || self.turn.is_lost() || self.turn.engine.is_stopping()
    }

    /// Works until nothing is due or the time is up. Gives when to go on.
    async fn work(mut self) -> Result<Rests, StoreError> {
        loop {
            let listed = self.list().await?;
            let started = self.fill().await?;
            if self.lanes.is_empty() {
                reconcile::close_finished(&self.turn).await?;
                if self.is_over() || !(listed || started) {
                    return Ok(Rests {
                        slow_until: self.rest_until,
                        verify_at: self.verify_at,
                    });
                }
                continue;
            }
            // Finished lanes are taken together: each look for more work serves all of them.
            self.join().await?;
            while let Some(ended) = self.lanes.try_join_next() {
                self.take(ended)?;
            }
        }
    }

    async fn list(&mut self) -> Result<bool, StoreError> {
        let is_early = self
            .listed_at
            .is_some_and(|at| at.elapsed() < LIST_EVERY && !self.lanes.is_empty());
        if self.is_over() || is_early {
            return Ok(false);
        }
        self.listed_at = Some(Instant::now());
        reconcile::open_due(&self.turn).await?;
        let scope = self.turn.engine.store.read(self.turn.tenant).await?;
        let open = store::run::all_open(&scope).await?;
        drop(scope);
        let mut listed = false;
        for run in open {
            match reconcile::list_next(&self.turn, &run).await {
                Ok(has_listed) => listed |= has_listed,
                Err(error) if error.is_turn_lost() => return Err(error),
                // A person ended the run meanwhile, or its pair cannot be opened: others go on.
                Err(error) => self.postpone(run.run.id, &error).await?,
            }
        }
        self.verify_at = verify_all(&self.turn.engine, self.turn.tenant).await?;
        let now = self.turn.engine.clock.now();
        Ok(listed || self.verify_at.is_some_and(|at| at <= now))
    }

    async fn postpone(&self, run: RunId, error: &StoreError) -> Result<(), StoreError> {
        tracing::warn!(%error, %run, tenant = %self.turn.tenant, "a run was not listed");
        let until = self.turn.engine.clock.now().plus(POSTPONED);
        self.turn
            .write(move |scope| {
                Box::pin(async move { store::run::postpone(scope, run, Some(until)).await })
            })
            .await
    }

    /// Starts lanes until enough are in work. Gives whether any was started.
    async fn fill(&mut self) -> Result<bool, StoreError> {
        // Looked for only when half of the lanes are done: one look then serves many.
        if self.is_over() || self.rests() || self.lanes.len() > LANES_MAX / 2 {
            return Ok(false);
        }
        let now = self.turn.engine.clock.now();
        let scope = self.turn.engine.store.read(self.turn.tenant).await?;
        let closed = store::record::closed_lanes(&scope, now).await?;
        let mut started = false;
        for &rank in RANKS {
            let mut after = String::new();
            while self.busy.len() < LANES_MAX {
                let lanes =
                    store::record::due_lanes(&scope, rank, now, &after, LANES_ASKED).await?;
                let Some(last) = lanes.last() else { break };
                after = last.clone();
                for lane in lanes {
                    if self.busy.len() >= LANES_MAX {
                        break;
                    }
                    if !closed.contains(&lane) && self.busy.insert(lane.clone()) {
                        started = true;
                        self.start(rank, lane, now);
                    }
                }
            }
        }
        Ok(started)
    }

    fn rests(&self) -> bool {
        let now = self.turn.engine.clock.now();
        self.rest_until.is_some_and(|until| until > now)
    }

    fn start(&mut self, rank: u8, lane: String, now: Timestamp) {
        let (turn, ends_at) = (Arc::clone(&self.turn), self.ends_at);
        self.lanes.spawn(async move {
            let went = work_lane(&turn, rank, &lane, now, ends_at).await;
            (lane, went)
        });
    }

    async fn join(&mut self) -> Result<(), StoreError> {
        match self.lanes.join_next().await {
            Some(ended) => self.take(ended),
            None => Ok(()),
        }
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
            Ok(Went::Settled) => {
                self.busy.remove(&lane);
            }
            Ok(Went::SlowDown) => {
                self.busy.remove(&lane);
                let soon = self.turn.engine.clock.now().plus(REST_MIN);
                let until = self.turn.slow_until_any().unwrap_or(soon).max(soon);
                self.rest_until = Some(until);
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

async fn work_lane(
    turn: &Turn,
    rank: u8,
    lane: &str,
    now: Timestamp,
    ends_at: Instant,
) -> Result<Went, StoreError> {
    let scope = turn.engine.store.read(turn.tenant).await?;
    let due = store::record::due_in_lane(&scope, rank, lane, now, RECORDS_OF_LANE).await?;
    drop(scope);
    for work in due {
        if Instant::now() >= ends_at || turn.is_lost() || turn.engine.is_stopping() {
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
        Ok(Err(error @ (StoreError::Stale(_) | StoreError::Stopping))) => return Err(error),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "a defect of the program stopped it".to_owned(),
    };
    tracing::error!(%error, record = %id, tenant = %turn.tenant, "a record could not be worked");
    let until = turn.engine.clock.now().plus(POSTPONED);
    turn.write(move |scope| {
        Box::pin(async move { store::record::postpone(scope, id, until, &error).await })
    })
    .await?;
    Ok(Went::Settled)
}
