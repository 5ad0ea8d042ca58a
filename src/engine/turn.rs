//! One turn of a tenant: the lease that everything in a slice works under, and what the slice has learned.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;

use super::Engine;
use super::breaker::Claim;
use super::ends::Ends;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{ConnectionId, PairId, TenantId};
use crate::domain::member::Actor;
use crate::store::work::Lease;
use crate::store::{self, Scope, StoreError, work};

/// A turn lasts this long, and however long the calls take that are under way then.
const LASTS: Duration = Duration::from_secs(5);
/// A slow connection is not asked again sooner than this.
const REST_MIN: Duration = Duration::from_millis(200);
/// Once a system can be reached again, what it kept from going on is due within this time.
const BACK_WITHIN: Duration = Duration::from_secs(60);

/// A leased turn.
pub struct Turn {
    pub engine: Engine,
    pub tenant: TenantId,
    pub lease: Lease,
    actor: Actor,
    lost: AtomicBool,
    /// Own view of how long the lease lasts; monotonic, so that a frozen process notices.
    held_until: Mutex<Instant>,
    /// From here on nothing new is begun, so that other tenants get their turn.
    ends_at: Mutex<Instant>,
    ends: Mutex<HashMap<PairId, Arc<Ends>>>,
}

impl Turn {
    #[must_use]
    pub fn new(engine: Engine, tenant: TenantId, lease: Lease, taken_at: Instant) -> Self {
        Self {
            engine,
            tenant,
            lease,
            actor: Actor::worker(),
            lost: AtomicBool::new(false),
            held_until: Mutex::new(taken_at + lasting(work::LEASE_SECONDS)),
            ends_at: Mutex::new(taken_at + LASTS),
            ends: Mutex::default(),
        }
    }

    /// Commits a unit of this turn; it stops when the lease is somebody else's by now.
    ///
    /// # Errors
    /// `Stale` when the turn is lost; the unit's own.
    pub async fn write<T, F>(&self, unit: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'s> FnOnce(&'s Scope) -> BoxFuture<'s, Result<T, StoreError>> + Send + 'static,
    {
        let lease = self.lease.clone();
        let done = self
            .engine
            .store
            .write(self.tenant, &self.actor, move |scope| {
                Box::pin(async move {
                    work::check(scope, &lease).await?;
                    unit(scope).await
                })
            })
            .await;
        self.noted(done)
    }

    /// The same for a unit before a vendor call: the lease is made to last `seconds` more, which also tells
    /// whether it is still ours.
    ///
    /// # Errors
    /// Those of [`Turn::write`].
    pub async fn write_lasting<T, F>(&self, seconds: i64, unit: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'s> FnOnce(&'s Scope) -> BoxFuture<'s, Result<T, StoreError>> + Send + 'static,
    {
        let (asked_at, lease) = (Instant::now(), self.lease.clone());
        let done = self
            .engine
            .store
            .write(self.tenant, &self.actor, move |scope| {
                Box::pin(async move {
                    work::extend(scope, &lease, seconds).await?;
                    unit(scope).await
                })
            })
            .await;
        if done.is_ok() {
            self.extended(asked_at, seconds);
        }
        self.noted(done)
    }

    fn noted<T>(&self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if matches!(&done, Err(error) if error.is_turn_lost()) {
            self.lost.store(true, Ordering::SeqCst);
        }
        done
    }

    /// Somebody else works the tenant now.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst) || Instant::now() >= self.held_until()
    }

    /// Nothing new is begun: the time is up, the lease is lost, or the program stops.
    #[must_use]
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.ends_at() || self.is_lost() || self.engine.is_stopping()
    }

    /// When nothing new is begun any more.
    #[must_use]
    pub fn ends_at(&self) -> Instant {
        *self.ends_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call that hangs keeps the turn from ending, so the time is the tenant's anyway: other work of it may
    /// begin meanwhile.
    pub fn goes_on_until(&self, at: Instant) {
        *self.ends_at.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    /// Until when the lease is surely ours, as far as this process knows.
    #[must_use]
    pub fn held_until(&self) -> Instant {
        *self
            .held_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The lease was extended; `asked_at` is from before the asking.
    pub fn extended(&self, asked_at: Instant, seconds: i64) {
        let mut until = self
            .held_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *until = (*until).max(asked_at + lasting(seconds));
    }

    /// Renews the lease for as long as the turn lasts.
    pub async fn keep(&self) {
        const EVERY: Duration = Duration::from_secs(10);
        loop {
            tokio::time::sleep(EVERY).await;
            let (asked_at, lease) = (Instant::now(), self.lease.clone());
            let extended = self
                .engine
                .store
                .write(self.tenant, &self.actor, move |scope| {
                    Box::pin(async move { work::extend(scope, &lease, work::LEASE_SECONDS).await })
                })
                .await;
            match extended {
                Ok(()) => self.extended(asked_at, work::LEASE_SECONDS),
                Err(StoreError::Stale(_)) => return self.lost.store(true, Ordering::SeqCst),
                // The database may come back before the lease ends.
                Err(error) => {
                    tracing::warn!(%error, tenant = %self.tenant, "a lease was not renewed")
                }
            }
        }
    }

    /// A pair, opened once per turn; none while it stands still.
    ///
    /// # Errors
    /// Those of [`Ends::open`].
    pub async fn ends(&self, pair: PairId) -> Result<Option<Arc<Ends>>, StoreError> {
        let known = self
            .ends
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&pair)
            .cloned();
        if known.is_some() {
            return Ok(known);
        }
        let Some(ends) = Ends::open(&self.engine, self.tenant, pair).await? else {
            return Ok(None);
        };
        let ends = Arc::new(ends);
        self.ends
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(pair, Arc::clone(&ends));
        Ok(Some(ends))
    }

    /// What a pair was opened with has changed: it is opened anew.
    pub fn reopen(&self, pair: PairId) {
        self.ends
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&pair);
    }

    /// A connection must not be called before `until`.
    pub fn slow_down(&self, connection: ConnectionId, until: Timestamp) {
        let until = until.max(self.engine.clock.now().plus(REST_MIN));
        self.engine.slow.set(connection, until);
    }

    /// Until when a connection must rest; none when it may be called.
    #[must_use]
    pub fn is_slow(&self, connection: ConnectionId) -> Option<Timestamp> {
        let now = self.engine.clock.now();
        let until = self.engine.slow.until(connection);
        until.filter(|until| *until > now)
    }

    /// Until when either connection of a pair must rest.
    #[must_use]
    pub fn slow_until(&self, ends: &Ends) -> Option<Timestamp> {
        [ends.project.connection.id, ends.erp.connection.id]
            .into_iter()
            .filter_map(|id| self.is_slow(id))
            .max()
    }

    /// Asks to call both connections of a pair. None: another one is finding out whether one of them can be reached
    /// again; else those that the caller finds out about, to be given back.
    #[must_use]
    pub fn claim(&self, ends: &Ends) -> Option<Vec<ConnectionId>> {
        let mut probed = Vec::new();
        for end in [&ends.project, &ends.erp] {
            match self.claim_one(end.connection.id) {
                Claim::Free => {}
                Claim::Probe { .. } => probed.push(end.connection.id),
                Claim::Busy { .. } => {
                    self.give_back(probed);
                    return None;
                }
            }
        }
        Some(probed)
    }

    /// The same for one connection.
    pub fn claim_one(&self, connection: ConnectionId) -> Claim {
        let engine = &self.engine;
        let claim = engine
            .breakers
            .claim(connection, engine.clock.now(), engine.pace);
        if let Claim::Probe { until } | Claim::Busy { until } = claim {
            self.slow_down(connection, until);
        }
        claim
    }

    /// What was claimed to find out about is anybody's again, unless it was found out.
    pub fn give_back(&self, probed: Vec<ConnectionId>) {
        let now = self.engine.clock.now();
        for connection in probed {
            if let Some(until) = self.engine.breakers.give_back(connection, now) {
                self.engine.slow.put(connection, until);
            }
        }
    }

    /// Connections of the pairs of this turn.
    #[must_use]
    pub fn connections(&self) -> Vec<ConnectionId> {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let both = |ends: &Arc<Ends>| [ends.project.connection.id, ends.erp.connection.id];
        ends.values().flat_map(both).collect()
    }

    /// Those of some connections that can be reached again need not rest, and what waits to try them again is due
    /// soon, not all at once.
    ///
    /// # Errors
    /// Those of [`Turn::write`].
    pub async fn go_on_with(&self, connections: &[ConnectionId]) -> Result<(), StoreError> {
        for connection in self.engine.breakers.take_closed(connections) {
            self.engine.slow.forget(connection);
            self.write(move |scope| {
                Box::pin(async move {
                    store::record::hasten(scope, connection, BACK_WITHIN).await?;
                    Ok(())
                })
            })
            .await?;
        }
        Ok(())
    }

    /// Pairs that must rest because one of their connections is slow, and until when.
    #[must_use]
    pub fn resting(&self) -> Vec<(PairId, Timestamp)> {
        let opened: Vec<Arc<Ends>> = {
            let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
            ends.values().cloned().collect()
        };
        opened
            .iter()
            .filter_map(|ends| Some((ends.pair.id, self.slow_until(ends)?)))
            .collect()
    }
}

/// Connections that must rest, and until when: what one slice learned, the next ones know. In memory: another
/// node finds out for itself.
#[derive(Default)]
pub struct Slow(Mutex<HashMap<ConnectionId, Timestamp>>);

impl Slow {
    fn set(&self, connection: ConnectionId, until: Timestamp) {
        let mut slow = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = slow.entry(connection).or_insert(until);
        *known = (*known).max(until);
    }

    /// It rests until then, whatever was thought before.
    fn put(&self, connection: ConnectionId, until: Timestamp) {
        let mut slow = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slow.insert(connection, until);
    }

    fn until(&self, connection: ConnectionId) -> Option<Timestamp> {
        let slow = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slow.get(&connection).copied()
    }

    /// Whatever was learned is forgotten: the connection was changed, or a person's test went well.
    pub fn forget(&self, connection: ConnectionId) {
        let mut slow = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slow.remove(&connection);
    }
}

fn lasting(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}
