//! Opens the database: one writer with a read-only pool beside it on SQLite, one pool on PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, TransactionTrait,
};

use super::StoreError;
use super::chain::{HeadSigner, Signing};
use super::commit::{Commits, Committer, Unit};
use super::scope::{Scope, of_tenant};
use crate::domain::clock::Clock;
use crate::domain::ids::TenantId;
use crate::domain::member::Actor;

/// Where the database is and how it is used.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite://…` or `postgres://…`.
    pub url: String,
    pub clock: Clock,
}

/// The opened database. Clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    /// The one writer on SQLite; the pool on PostgreSQL.
    writing: DatabaseConnection,
    reading: DatabaseConnection,
    committer: Committer,
    signing: Signing,
    clock: Clock,
}

/// Readers beside SQLite's one writer.
const READERS_MAX: u32 = 4;
/// Connections of one node to PostgreSQL.
const POOL_MAX: u32 = 16;
/// A connection that is not free by then is a fault, not a queue.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

impl Store {
    /// Connects. The schema must be up to date (`migrate`).
    ///
    /// # Errors
    /// `Database` when it cannot be reached.
    pub async fn open(options: Options) -> Result<Self, StoreError> {
        let (writing, reading) = if is_sqlite(&options.url) {
            let writer = Database::connect(sqlite(&options.url, 1, false)).await?;
            let readers = Database::connect(sqlite(&options.url, READERS_MAX, true)).await?;
            (writer, readers)
        } else {
            let pool = Database::connect(postgres(&options.url)).await?;
            (pool.clone(), pool)
        };
        let signing = Signing::default();
        let committer = Committer::start(&writing, &options.clock, &signing);
        Ok(Self {
            inner: Arc::new(Inner {
                writing,
                reading,
                committer,
                signing,
                clock: options.clock,
            }),
        })
    }

    /// Runs a unit and commits it, with the audit events it told. Nothing of it stays when it fails.
    /// A unit awaits nothing but statements: it holds up every other one.
    ///
    /// # Errors
    /// The unit's own, or the commit's.
    pub async fn write<T, E, F>(&self, tenant: TenantId, actor: &Actor, unit: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'s> FnOnce(&'s Scope) -> BoxFuture<'s, Result<T, E>> + Send + 'static,
    {
        let (unit, answer) = Unit::new(tenant, actor.clone(), unit);
        self.inner.committer.queue(unit).await?;
        match answer.await {
            Ok(result) => result,
            Err(_) => Err(StoreError::NotDone.into()),
        }
    }

    /// A scope that only reads. Drop it when done.
    ///
    /// # Errors
    /// `Database` when no connection can be had.
    pub async fn read(&self, tenant: TenantId) -> Result<Scope, StoreError> {
        let tx = self.inner.reading.begin().await?;
        if tx.get_database_backend() == DbBackend::Postgres {
            of_tenant(&tx, tenant).await?;
        }
        Ok(Scope::new(
            tenant,
            Actor::worker(),
            self.inner.clock.now(),
            Arc::new(tx),
            Arc::default(),
        ))
    }

    /// From now on every commit signs the heads of the chains that it grows. The first signer stays.
    pub fn sign_heads(&self, signer: HeadSigner) {
        // Clones of a store share it: whoever comes later would sign the same way.
        let _ = self.inner.signing.set(signer);
    }

    /// How much was committed since the start.
    #[must_use]
    pub fn commits(&self) -> Commits {
        self.inner.committer.commits()
    }

    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Whether several nodes may share the database.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.backend() == DbBackend::Postgres
    }

    pub(super) fn backend(&self) -> DbBackend {
        self.inner.writing.get_database_backend()
    }

    /// For the queue's own storage, which shares the writer.
    #[must_use]
    pub fn connection(&self) -> &DatabaseConnection {
        &self.inner.writing
    }

    pub(super) fn reading(&self) -> &DatabaseConnection {
        &self.inner.reading
    }

    pub(super) fn writing(&self) -> &DatabaseConnection {
        &self.inner.writing
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// `Database` when it does not.
    pub async fn answers(&self) -> Result<(), StoreError> {
        self.inner.reading.ping().await?;
        Ok(())
    }
}

#[must_use]
pub(super) fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}

pub(super) fn sqlite(url: &str, connections: u32, read_only: bool) -> ConnectOptions {
    let mut options = quiet(url);
    options
        .min_connections(1)
        .max_connections(connections)
        .map_sqlx_sqlite_opts(move |sqlite| {
            let sqlite = sqlite
                .create_if_missing(true)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(5))
                .statement_cache_capacity(512)
                .pragma("journal_mode", "WAL")
                // A promise that was given must outlive the power.
                .pragma("synchronous", "FULL")
                .pragma("cache_size", "-16000")
                .pragma("temp_store", "memory");
            if read_only {
                sqlite.pragma("query_only", "ON")
            } else {
                sqlite
            }
        });
    options
}

fn postgres(url: &str) -> ConnectOptions {
    let mut options = quiet(url);
    options
        .min_connections(1)
        .max_connections(POOL_MAX)
        // The serving role owns nothing and bypasses nothing.
        .map_sqlx_postgres_opts(|postgres| {
            postgres.options([
                ("role", super::migrate::ROLE),
                // A plan that was made while a table was small reads all of it once it has grown.
                ("plan_cache_mode", "force_custom_plan"),
            ])
        });
    options
}

pub(super) fn quiet(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .sqlx_logging(false)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_timeout(ACQUIRE_TIMEOUT);
    options
}
