//! Brings the schema up to date: our tables, the queue's tables, and on PostgreSQL the serving role.

use ::migrations::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectionTrait, Database, DatabaseConnection, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};

use super::open::{is_sqlite, quiet, sqlite};
use super::{StoreError, outbox};

/// The role every serving connection takes on PostgreSQL: it owns nothing and bypasses nothing.
pub const ROLE: &str = "mlc_app";
/// One migration at a time in a database, whoever starts it. The number only has to be ours.
const LOCK: i64 = 7_265_411_093;

/// Runs every step that is missing. Safe to call from several processes at once, and after a crash in the
/// middle: steps are transactions.
///
/// # Errors
/// `Database` when a step is refused; the text names what the role lacks.
pub async fn up(url: &str) -> Result<(), StoreError> {
    let postgres = !is_sqlite(url);
    let mut options = if postgres {
        quiet(url)
    } else {
        sqlite(url, 1, false)
    };
    // One connection, so that the lock and everything under it share a session.
    options.max_connections(1).min_connections(1);
    let connection = Database::connect(options).await?;
    if postgres {
        connection
            .execute_unprepared(&format!("SELECT pg_advisory_lock({LOCK})"))
            .await?;
        connection.execute_unprepared(&create_role()).await?;
        Migrator::up(&connection, None).await?;
        outbox::create_queue(&connection).await?;
        grant(&connection).await?;
    } else {
        up_at_once(&connection).await?;
        create_queue(&connection).await?;
    }
    connection.close().await?;
    Ok(())
}

/// On SQLite all steps are one transaction, and nobody else writes meanwhile.
async fn up_at_once(connection: &DatabaseConnection) -> Result<(), StoreError> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let steps = connection.begin_with_options(options).await?;
    Migrator::up(&steps, None).await?;
    steps.commit().await?;
    Ok(())
}

/// The queue's own steps take no lock on SQLite: another process that makes them at this very moment gets
/// in the way, and has made them a moment later.
async fn create_queue(connection: &DatabaseConnection) -> Result<(), StoreError> {
    const TRIES: u32 = 10;
    let mut tries = 1;
    loop {
        match outbox::create_queue(connection).await {
            Err(error) if tries < TRIES => {
                tracing::debug!(%error, "the queue's tables are made by somebody else");
                tries += 1;
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
            made => return made,
        }
    }
}

/// Whether every step has run.
///
/// # Errors
/// `Database` when it cannot be asked.
pub async fn is_current(connection: &DatabaseConnection) -> Result<bool, StoreError> {
    #[derive(sea_orm::FromQueryResult)]
    struct Counted {
        steps: i64,
    }
    let counted: Option<Counted> = super::scope::one(
        connection,
        "SELECT CAST(count(*) AS BIGINT) AS steps FROM seaql_migrations",
        [],
    )
    .await?;
    let known = i64::try_from(Migrator::migrations().len()).unwrap_or(i64::MAX);
    Ok(counted.is_some_and(|counted| counted.steps >= known))
}

fn create_role() -> String {
    // Roles belong to the cluster: another database's migration may create it this very moment.
    format!(
        "DO $$ BEGIN
           IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN
             CREATE ROLE {ROLE} NOLOGIN NOBYPASSRLS;
           END IF;
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
         END $$;
         DO $$ BEGIN
           IF NOT pg_has_role(current_user, '{ROLE}', 'MEMBER') THEN
             EXECUTE format('GRANT {ROLE} TO %I', current_user);
           END IF;
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
         END $$;"
    )
}

async fn grant(connection: &DatabaseConnection) -> Result<(), StoreError> {
    let statements = format!(
        "GRANT USAGE ON SCHEMA public, apalis TO {ROLE};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE};
         REVOKE UPDATE, DELETE ON audit_event FROM {ROLE};
         REVOKE INSERT, UPDATE, DELETE ON seaql_migrations FROM {ROLE};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA apalis TO {ROLE};
         GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA apalis TO {ROLE};"
    );
    connection.execute_unprepared(&statements).await?;
    Ok(())
}
