//! The only way to a tenant's rows: tenant, actor, instant and open transaction in one value.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, FromQueryResult, Statement, Value};

use super::StoreError;
use super::held::Held;
use crate::domain::audit::Happened;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{RecordId, TenantId};
use crate::domain::member::Actor;

/// One tenant, one actor, one transaction.
pub struct Scope {
    tenant: TenantId,
    actor: Actor,
    at: Timestamp,
    tx: Arc<DatabaseTransaction>,
    /// Leases that this transaction has looked at.
    held: Arc<Held>,
    told: Mutex<Told>,
}

/// What a unit leaves behind for the commit.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub happened: Vec<Happened>,
    /// The tenant has work from this instant on.
    pub due_at: Option<Timestamp>,
    /// Texts to keep, by digest.
    pub bodies: Vec<(String, String)>,
    pub exchanges: Vec<Exchanged>,
}

/// What was said to the vendors in one piece of work on a record.
#[derive(Debug)]
pub(super) struct Exchanged {
    pub record: RecordId,
    pub attempt: u32,
    pub calls: usize,
    pub digest: String,
}

impl Scope {
    pub(super) fn new(
        tenant: TenantId,
        actor: Actor,
        at: Timestamp,
        tx: Arc<DatabaseTransaction>,
        held: Arc<Held>,
    ) -> Self {
        Self {
            tenant,
            actor,
            at,
            tx,
            held,
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

    /// Keeps a text under its digest; it is stored with the commit, together with those of other units.
    pub(super) fn keep(&self, digest: String, content: String) {
        self.lock().bodies.push((digest, content));
    }

    /// The same for an exchange.
    pub(super) fn exchanged(&self, exchanged: Exchanged) {
        self.lock().exchanges.push(exchanged);
    }

    pub(super) fn held(&self) -> &Held {
        &self.held
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn into_told(self) -> Told {
        self.told
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
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
        all(&*self.tx, sql, values).await
    }

    /// The first row of a statement.
    pub(super) async fn one<R: FromQueryResult>(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Option<R>, StoreError> {
        one(&*self.tx, sql, values).await
    }

    /// Runs a statement and gives the number of rows it touched.
    pub(super) async fn run(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<u64, StoreError> {
        run(&*self.tx, sql, values).await
    }
}

pub(super) fn statement(
    backend: DbBackend,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Statement {
    let values: Vec<Value> = values.into_iter().collect();
    if backend != DbBackend::Sqlite {
        return Statement::from_sql_and_values(backend, sql, values);
    }
    let (sql, values) = in_order(sql, values);
    Statement::from_sql_and_values(backend, sql, values)
}

/// SQLite looks a named mark up among all others each time it meets one, so that a statement of thousands of
/// them takes long; marks without a name are counted. Values are put in the order in which they are used.
fn in_order(sql: &str, values: Vec<Value>) -> (Cow<'_, str>, Vec<Value>) {
    let mut pieces = sql.split('$');
    let mut plain = String::with_capacity(sql.len());
    plain.push_str(pieces.next().unwrap_or_default());
    let mut used = Vec::with_capacity(values.len());
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = piece.split_at(digits);
        let at = number.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        let Some(at) = at.filter(|at| *at < values.len()) else {
            // Not one of ours: left to the database, which says so.
            return (Cow::Borrowed(sql), values);
        };
        used.push(at);
        plain.push('?');
        plain.push_str(rest);
    }
    let is_in_order = used.len() == values.len() && used.iter().enumerate().all(|(at, n)| at == *n);
    if is_in_order {
        return (Cow::Owned(plain), values);
    }
    let in_order = used.iter().filter_map(|at| values.get(*at).cloned());
    (Cow::Owned(plain), in_order.collect())
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_the_order_of_their_use() {
        let values = || vec![Value::from("a"), Value::from("b"), Value::from("c")];
        let table: [(&str, &str, &[&str]); 4] = [
            (
                "x = $1 AND y = $2 AND z = $3",
                "x = ? AND y = ? AND z = ?",
                &["a", "b", "c"],
            ),
            (
                "x = $3, y = $1 WHERE z = $3",
                "x = ?, y = ? WHERE z = ?",
                &["c", "a", "c"],
            ),
            ("SELECT 1", "SELECT 1", &[]),
            // Not a mark that was bound: the database is asked, and refuses it.
            ("x = $4", "x = $4", &["a", "b", "c"]),
        ];
        for (sql, plain, wanted) in table {
            let (got, used) = in_order(sql, values());
            let wanted: Vec<Value> = wanted.iter().map(|text| Value::from(*text)).collect();
            assert_eq!((got.as_ref(), used), (plain, wanted), "{sql}");
        }
    }
}
