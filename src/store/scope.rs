//! The only way to a tenant's rows: tenant, actor, instant and open transaction in one value.

use std::sync::{Mutex, PoisonError};

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, FromQueryResult, Statement, Value};

use super::StoreError;
use crate::domain::audit::Happened;
use crate::domain::clock::Timestamp;
use crate::domain::ids::TenantId;
use crate::domain::member::Actor;

/// One tenant, one actor, one transaction.
pub struct Scope {
    tenant: TenantId,
    actor: Actor,
    at: Timestamp,
    tx: DatabaseTransaction,
    told: Mutex<Told>,
}

/// What a unit leaves behind for the commit.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub happened: Vec<Happened>,
    /// The tenant has work from this instant on.
    pub due_at: Option<Timestamp>,
}

impl Scope {
    pub(super) fn new(
        tenant: TenantId,
        actor: Actor,
        at: Timestamp,
        tx: DatabaseTransaction,
    ) -> Self {
        Self {
            tenant,
            actor,
            at,
            tx,
            told: Mutex::default(),
        }
    }

    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The unit's instant: one for everything it writes.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.at
    }

    /// Adds an audit event; it is chained with the commit. It names the request that it came with.
    pub fn tell(&self, happened: Happened) {
        let happened = match &self.actor.origin {
            Some(origin) => happened
                .with("from", &origin.source)
                .with("request", &origin.request_id),
            None => happened,
        };
        self.lock().happened.push(happened);
    }

    /// The tenant has work at `due_at`; the commit wakes a worker.
    pub fn wake(&self, due_at: Timestamp) {
        let mut told = self.lock();
        told.due_at = Some(told.due_at.map_or(due_at, |earlier| earlier.min(due_at)));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn into_parts(self) -> (DatabaseTransaction, Told) {
        let told = self
            .told
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        (self.tx, told)
    }

    pub(super) fn tx(&self) -> &DatabaseTransaction {
        &self.tx
    }

    /// The tenant as a statement's first parameter.
    pub(super) fn tenant_value(&self) -> Value {
        self.tenant.0.into()
    }

    /// Every row of a statement.
    pub(super) async fn all<R: FromQueryResult>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<R>, StoreError> {
        all(&self.tx, sql, values).await
    }

    /// The first row of a statement.
    pub(super) async fn one<R: FromQueryResult>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Option<R>, StoreError> {
        one(&self.tx, sql, values).await
    }

    /// Runs a statement and gives the number of rows it touched.
    pub(super) async fn run(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<u64, StoreError> {
        run(&self.tx, sql, values).await
    }
}

pub(super) fn statement(
    backend: DbBackend,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Statement {
    Statement::from_sql_and_values(backend, sql, values)
}

pub(super) async fn all<R: FromQueryResult>(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<R>, StoreError> {
    let statement = statement(connection.get_database_backend(), sql, values);
    let rows = connection.query_all_raw(statement).await?;
    rows.iter()
        .map(|row| R::from_query_result(row, "").map_err(StoreError::from))
        .collect()
}

pub(super) async fn one<R: FromQueryResult>(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<R>, StoreError> {
    let statement = statement(connection.get_database_backend(), sql, values);
    match connection.query_one_raw(statement).await? {
        Some(row) => Ok(Some(R::from_query_result(&row, "")?)),
        None => Ok(None),
    }
}

pub(super) async fn run(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64, StoreError> {
    let statement = statement(connection.get_database_backend(), sql, values);
    Ok(connection.execute_raw(statement).await?.rows_affected())
}

/// Names the tenant for the rest of the transaction: row-level security shows its rows only.
pub(super) async fn of_tenant(
    tx: &impl ConnectionTrait,
    tenant: TenantId,
) -> Result<(), StoreError> {
    run(
        tx,
        "SELECT set_config('app.tenant_id', $1, true)",
        [tenant.to_string().into()],
    )
    .await?;
    Ok(())
}
