//! Which nodes are there. On PostgreSQL each holds a lock for as long as its session lives, so that one
//! that was killed is known to be gone at once, and its leases need not run out.
//!
//! A lease that is taken early does no harm: every commit compares the fence, and a step that counts has
//! an intent, which is looked up before anything is sent again.

use std::time::Duration;

use sea_orm::DbErr;
use sea_orm::sqlx::{self, Connection, PgConnection, PgPool};
use tokio::task::JoinHandle;

use super::{Store, StoreError};

/// How often the session is looked after. While it is gone, others may take this node's leases.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Between two tries to get it back.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// That a node is there, said until this value is dropped.
pub struct Presence {
    keeping: Option<JoinHandle<()>>,
}

impl Presence {
    /// Says that a node is there, before it takes its first lease. SQLite has one node at a time.
    ///
    /// # Errors
    /// `Database` when it cannot be said.
    pub async fn announce(store: &Store, holder: &str) -> Result<Self, StoreError> {
        if !store.is_postgres() {
            return Ok(Self { keeping: None });
        }
        let pool = store.connection().get_postgres_connection_pool().clone();
        let session = lock(&pool, holder).await?;
        let keeping = tokio::spawn(keep(pool, holder.to_owned(), session));
        Ok(Self {
            keeping: Some(keeping),
        })
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        if let Some(keeping) = &self.keeping {
            keeping.abort();
        }
    }
}

async fn keep(pool: PgPool, holder: String, mut session: PgConnection) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if session.ping().await.is_ok() {
            continue;
        }
        tracing::warn!("the database closed the session that says that this node is there");
        loop {
            match lock(&pool, &holder).await {
                Ok(fresh) => break session = fresh,
                Err(error) => {
                    tracing::warn!(%error, "it cannot be said that this node is there");
                    tokio::time::sleep(TRY_EVERY).await;
                }
            }
        }
    }
}

/// A session of its own that holds the node's lock.
async fn lock(pool: &PgPool, holder: &str) -> Result<PgConnection, StoreError> {
    let told = |error: sqlx::Error| StoreError::Database(DbErr::Custom(error.to_string()));
    // Taken out of the pool: there it could be closed for its age, and the lock with it.
    let mut session = pool.acquire().await.map_err(told)?.detach();
    sqlx::query("SELECT pg_advisory_lock(hashtextextended($1, 0))")
        .bind(holder)
        .execute(&mut session)
        .await
        .map_err(told)?;
    Ok(session)
}
