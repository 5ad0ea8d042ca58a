//! Shared commits: units that are ready together are committed together, and each can be taken back alone.
//!
//! SQLite has one writer, so all units share one queue. On PostgreSQL a few queues run side by side;
//! a tenant always meets the same one, and one commit holds one tenant only.

use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use tokio::sync::{mpsc, oneshot};

use super::chain::{self, Signing};
use super::held::Held;
use super::scope::{Scope, Told, of_tenant};
use super::{StoreError, kept, outbox};
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::ids::TenantId;
use crate::domain::member::Actor;

/// Units in one commit at most: bounds how long the first of them waits for its answer.
const UNITS_MAX: usize = 256;
/// Units that may wait for a queue before callers are held back.
const QUEUE_MAX: usize = 4096;
/// Queues on PostgreSQL.
const QUEUES: usize = 4;

/// What a unit leaves when its statements are done: a way to tell its caller, and whether it stays.
type Finish = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Runs on a scope and says whether its work stays.
type Work = Box<dyn for<'s> FnOnce(&'s Scope) -> BoxFuture<'s, (bool, Finish)> + Send>;

/// One caller's work.
pub(super) struct Unit {
    tenant: TenantId,
    actor: Actor,
    work: Work,
}

impl Unit {
    pub(super) fn new<T, E, F>(
        tenant: TenantId,
        actor: Actor,
        unit: F,
    ) -> (Self, oneshot::Receiver<Result<T, E>>)
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'s> FnOnce(&'s Scope) -> BoxFuture<'s, Result<T, E>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |scope| {
            Box::pin(async move {
                let result = unit(scope).await;
                let stays = result.is_ok();
                let finish: Finish = Box::new(move |committed| {
                    let told = match committed {
                        Ok(()) => result,
                        // A unit's own error says more than the commit's.
                        Err(error) => result.and_then(|_| Err(error.into())),
                    };
                    // The caller may have gone; the commit stands all the same.
                    let _ = answer.send(told);
                });
                (stays, finish)
            })
        });
        (
            Self {
                tenant,
                actor,
                work,
            },
            answered,
        )
    }
}

/// How much was committed since the start, for measuring.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Commits {
    pub commits: u64,
    pub units: u64,
}

/// The same, counted by every queue.
#[derive(Debug, Default)]
struct Counter {
    commits: AtomicU64,
    units: AtomicU64,
}

/// The queues.
pub(super) struct Committer {
    queues: Vec<mpsc::Sender<Unit>>,
    counter: Arc<Counter>,
}

impl Committer {
    pub(super) fn start(connection: &DatabaseConnection, clock: &Clock, signing: &Signing) -> Self {
        let count = match connection.get_database_backend() {
            DbBackend::Postgres => QUEUES,
            _ => 1,
        };
        let counter = Arc::new(Counter::default());
        let queues = (0..count)
            .map(|_| {
                let (sender, units) = mpsc::channel(QUEUE_MAX);
                let from = Place {
                    connection: connection.clone(),
                    clock: clock.clone(),
                    signing: Arc::clone(signing),
                };
                tokio::spawn(commit_all(from, units, Arc::clone(&counter)));
                sender
            })
            .collect();
        Self { queues, counter }
    }

    pub(super) fn commits(&self) -> Commits {
        Commits {
            commits: self.counter.commits.load(Ordering::Relaxed),
            units: self.counter.units.load(Ordering::Relaxed),
        }
    }

    pub(super) async fn queue(&self, unit: Unit) -> Result<(), StoreError> {
        let (_, low) = unit.tenant.0.as_u64_pair();
        let count = u64::try_from(self.queues.len()).unwrap_or(1).max(1);
        let at = usize::try_from(low % count).unwrap_or(0);
        let queue = self.queues.get(at).ok_or(StoreError::Stopping)?;
        queue.send(unit).await.map_err(|_| StoreError::Stopping)
    }
}

/// What a queue commits with.
struct Place {
    connection: DatabaseConnection,
    clock: Clock,
    signing: Signing,
}

async fn commit_all(place: Place, mut units: mpsc::Receiver<Unit>, counter: Arc<Counter>) {
    let alone = place.connection.get_database_backend() == DbBackend::Postgres;
    let mut kept: Option<Unit> = None;
    loop {
        let first = match kept.take() {
            Some(unit) => unit,
            None => match units.recv().await {
                Some(unit) => unit,
                None => return,
            },
        };
        let tenant = first.tenant;
        let mut batch = vec![first];
        while batch.len() < UNITS_MAX {
            match units.try_recv() {
                Ok(unit) if alone && unit.tenant != tenant => {
                    kept = Some(unit);
                    break;
                }
                Ok(unit) => batch.push(unit),
                Err(_) => break,
            }
        }
        let size = u64::try_from(batch.len()).unwrap_or(0);
        counter.commits.fetch_add(1, Ordering::Relaxed);
        counter.units.fetch_add(size, Ordering::Relaxed);
        commit(&place, batch).await;
    }
}

/// One commit.
async fn commit(place: &Place, units: Vec<Unit>) {
    let first = units.first().map(|unit| unit.tenant);
    let mut batch = match Batch::begin(&place.connection, first, units.len() > 1).await {
        Ok(batch) => batch,
        Err(error) => return refuse(units, &error),
    };
    let mut finishes = Vec::with_capacity(units.len());
    for unit in units {
        match batch.carry_out(place.clock.now(), unit).await {
            Ok(finish) => finishes.push(finish),
            Err(finish) => finish(),
        }
    }
    let committed = batch.finish(&place.signing).await;
    for finish in finishes {
        finish(match &committed {
            Ok(()) => Ok(()),
            Err(error) => Err(again(error)),
        });
    }
}

/// What a unit that stays has told, by whom and when.
pub(super) type Left = (TenantId, Actor, Timestamp, Told);

/// Units that share a transaction. Each begins on a savepoint, unless it is alone.
struct Batch {
    tx: Arc<DatabaseTransaction>,
    held: Arc<Held>,
    is_shared: bool,
    savepoint: Savepoint,
    left: Vec<Left>,
}

/// Where the one savepoint stands that units use in turn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Savepoint {
    None,
    /// Everything before it stays; the next unit moves it behind what was done since.
    Behind,
    /// Nothing was done since.
    Here,
}

impl Batch {
    async fn begin(
        connection: &DatabaseConnection,
        first: Option<TenantId>,
        is_shared: bool,
    ) -> Result<Self, StoreError> {
        let tx = begin(connection).await?;
        if let (DbBackend::Postgres, Some(tenant)) = (tx.get_database_backend(), first) {
            // One commit holds one tenant there.
            of_tenant(&tx, tenant).await?;
        }
        Ok(Self {
            tx: Arc::new(tx),
            held: Arc::default(),
            is_shared,
            savepoint: Savepoint::None,
            left: Vec::new(),
        })
    }

    /// Runs one unit. The error is the way to tell its caller that nothing stayed.
    async fn carry_out(
        &mut self,
        at: Timestamp,
        unit: Unit,
    ) -> Result<Finish, Box<dyn FnOnce() + Send>> {
        if let Err(error) = self.set_savepoint().await {
            let unit = vec![unit];
            return Err(Box::new(move || refuse(unit, &error)));
        }
        let tenant = unit.tenant;
        let actor = unit.actor.clone();
        let scope = Scope::new(
            tenant,
            unit.actor,
            at,
            Arc::clone(&self.tx),
            Arc::clone(&self.held),
        );
        let work = unit.work;
        // A defect in one unit must not end the queue that everybody's units go through.
        let worked = AssertUnwindSafe(async { work(&scope).await })
            .catch_unwind()
            .await;
        let told = scope.into_told();
        let Ok((stays, finish)) = worked else {
            tracing::error!(%tenant, "a unit broke off; nothing of it stays");
            let undone = self.take_back().await;
            return Err(Box::new(move || {
                if let Err(error) = undone {
                    tracing::error!(%error, "a broken unit could not be taken back");
                }
            }));
        };
        if stays {
            self.left.push((tenant, actor, at, told));
            return Ok(finish);
        }
        let undone = self.take_back().await;
        Err(Box::new(move || finish(undone)))
    }

    /// What comes next can be taken back alone.
    async fn set_savepoint(&mut self) -> Result<(), StoreError> {
        let sql = match self.savepoint {
            _ if !self.is_shared => return Ok(()),
            Savepoint::Here => "",
            Savepoint::None => "SAVEPOINT unit",
            Savepoint::Behind => "RELEASE SAVEPOINT unit; SAVEPOINT unit",
        };
        if !sql.is_empty() {
            self.tx.execute_unprepared(sql).await?;
        }
        self.savepoint = Savepoint::Behind;
        Ok(())
    }

    /// Nothing of the last unit stays, its locks included. One that was alone goes with the transaction.
    async fn take_back(&mut self) -> Result<(), StoreError> {
        self.held.forget();
        if self.is_shared {
            self.tx
                .execute_unprepared("ROLLBACK TO SAVEPOINT unit")
                .await?;
            self.savepoint = Savepoint::Here;
        }
        Ok(())
    }

    /// Stores what was kept, chains what happened and wakes who has work: last, so that heads are held for a
    /// moment only.
    async fn finish(mut self, signing: &Signing) -> Result<(), StoreError> {
        let Some(tx) = Arc::into_inner(self.tx) else {
            // A unit has let its scope outlive it; the transaction rolls back with the last holder.
            return Err(StoreError::NotDone);
        };
        if self.left.is_empty() {
            tx.rollback().await?;
            return Ok(());
        }
        kept::store(&tx, &mut self.left).await?;
        outbox::wake_all(&tx, &self.left).await?;
        chain::append(&tx, self.left, signing).await?;
        tx.commit().await?;
        Ok(())
    }
}

async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction, StoreError> {
    const TRIES: u32 = 20;
    let mut tries = 0;
    loop {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        match connection.begin_with_options(options).await {
            Ok(tx) => return Ok(tx),
            // Another process (a command beside the server) may be writing this very moment.
            Err(_) if tries < TRIES => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn refuse(units: Vec<Unit>, error: &StoreError) {
    tracing::error!(%error, units = units.len(), "nothing could be written");
    // Dropping a unit closes its answer, which the caller reads as "not done".
    drop(units);
}

/// The same failure for every caller of a commit.
fn again(error: &StoreError) -> StoreError {
    let cause = error.source().map(ToString::to_string);
    StoreError::Database(DbErr::Custom(cause.unwrap_or_else(|| error.to_string())))
}
