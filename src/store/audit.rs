//! The audit chain as rows, read back.

use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use super::rows::Column;
use super::{Scope, StoreError};
pub use crate::audit::Event;
use crate::audit::{Beside, Head};
use crate::domain::clock::Timestamp;

#[derive(FromQueryResult)]
struct EventRow {
    seq: i64,
    at: i64,
    actor_kind: String,
    actor_id: String,
    action: String,
    subject_kind: String,
    subject_id: String,
    run_id: Option<Uuid>,
    detail_hash: String,
    prev_hash: String,
    hash: String,
    salt: Option<Vec<u8>>,
    actor_name: Option<String>,
    detail: Option<String>,
}

impl EventRow {
    fn into_event(self) -> Result<Event, StoreError> {
        let beside = match (self.salt, self.actor_name, self.detail) {
            (Some(salt), Some(actor_name), Some(detail)) => Some(Beside {
                salt: salt
                    .try_into()
                    .map_err(|_| Column::new("audit_detail", "salt").corrupt())?,
                actor_name,
                detail,
            }),
            _ => None,
        };
        Ok(Event {
            seq: self.seq,
            at: Timestamp(self.at),
            actor_kind: self.actor_kind,
            actor_id: self.actor_id,
            action: self.action,
            subject_kind: self.subject_kind,
            subject_id: self.subject_id,
            run_id: self.run_id.map(Into::into),
            detail_hash: self.detail_hash,
            prev_hash: self.prev_hash,
            hash: self.hash,
            beside,
        })
    }
}

const SELECT: &str = "
SELECT e.seq, e.at, e.actor_kind, e.actor_id, e.action, e.subject_kind, e.subject_id, e.run_id, e.detail_hash,
  e.prev_hash, e.hash, d.salt, d.actor_name, d.detail
FROM audit_event e LEFT JOIN audit_detail d ON d.tenant_id = e.tenant_id AND d.seq = e.seq
WHERE e.tenant_id = $1";

/// Which events a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub actor: Option<String>,
    pub action: Option<String>,
    /// Id of what the event is about.
    pub subject: Option<String>,
}

#[derive(FromQueryResult)]
struct Latest {
    seq: i64,
}

/// The number of the latest event: rises with everything that is told. 0 before the first.
///
/// # Errors
/// `Database`.
pub async fn latest(scope: &Scope) -> Result<i64, StoreError> {
    let sql = "SELECT seq FROM audit_head WHERE tenant_id = $1";
    let found: Option<Latest> = scope.one(sql, [scope.tenant_value()]).await?;
    Ok(found.map_or(0, |latest| latest.seq))
}

/// The program's own id as an actor.
const WORKER: &str = "worker";

#[derive(FromQueryResult)]
struct SignedHeadRow {
    seq: i64,
    hash: String,
    signature: Option<String>,
}

/// The head of a chain as it stands in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHead {
    pub head: Head,
    /// None only where nothing was told since heads are signed.
    pub signature: Option<String>,
}

impl From<SignedHeadRow> for SignedHead {
    fn from(row: SignedHeadRow) -> Self {
        Self {
            head: Head {
                seq: row.seq,
                hash: row.hash,
            },
            signature: row.signature,
        }
    }
}

/// The head with its signature; none before the first event.
///
/// # Errors
/// `Database`.
pub async fn head(scope: &Scope) -> Result<Option<SignedHead>, StoreError> {
    let sql = "SELECT seq, hash, signature FROM audit_head WHERE tenant_id = $1";
    let found: Option<SignedHeadRow> = scope.one(sql, [scope.tenant_value()]).await?;
    Ok(found.map(Into::into))
}

/// Puts another signature under a head that has not moved since it was read. Gives whether it was still there.
///
/// # Errors
/// `Database`.
pub async fn sign_head(scope: &Scope, head: &Head, signature: &str) -> Result<bool, StoreError> {
    let sql =
        "UPDATE audit_head SET signature = $4 WHERE tenant_id = $1 AND seq = $2 AND hash = $3";
    let values = [
        scope.tenant_value(),
        head.seq.into(),
        head.hash.clone().into(),
        signature.into(),
    ];
    Ok(scope.run(sql, values).await? == 1)
}

const FIRST: &str = "
SELECT seq FROM audit_event WHERE tenant_id = $1 AND at >= $2 ORDER BY at, seq LIMIT 1";
const LAST: &str = "
SELECT seq FROM audit_event WHERE tenant_id = $1 AND at < $2 ORDER BY at DESC, seq DESC LIMIT 1";

/// The unbroken range between two instants: from the first event at or after `from` to the last one before
/// `to`. None where nothing happened between them.
///
/// # Errors
/// `Database`.
pub async fn range(
    scope: &Scope,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<Option<(i64, i64)>, StoreError> {
    let at = |at: Option<Timestamp>, open| at.map_or(open, |at: Timestamp| at.0).into();
    let first: Option<Latest> = scope
        .one(FIRST, [scope.tenant_value(), at(from, i64::MIN)])
        .await?;
    let last: Option<Latest> = scope
        .one(LAST, [scope.tenant_value(), at(to, i64::MAX)])
        .await?;
    let (first, last) = (first.map(|first| first.seq), last.map(|last| last.seq));
    Ok(first.zip(last).filter(|(first, last)| first <= last))
}

/// Which way a list goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    OldestFirst,
    NewestFirst,
}

/// A page of events beyond `after`.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn list(
    scope: &Scope,
    filter: &Filter,
    order: Order,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<Event>, StoreError> {
    let mut sql = SELECT.to_owned();
    let mut values: Vec<Value> = vec![scope.tenant_value()];
    let beyond = match order {
        Order::OldestFirst => "e.seq >",
        Order::NewestFirst => "e.seq <",
    };
    // The sign keeps an engine from walking a long time when something rarer is asked for.
    let is_narrow = filter.actor.is_some() || filter.action.is_some() || filter.subject.is_some();
    let (since, until) = if is_narrow {
        ("+e.at >=", "+e.at <")
    } else {
        ("e.at >=", "e.at <")
    };
    let conditions: [(&str, Option<Value>); 6] = [
        (since, filter.from.map(|at| at.0.into())),
        (until, filter.to.map(|at| at.0.into())),
        ("e.actor_id =", filter.actor.clone().map(Value::from)),
        ("e.action =", filter.action.clone().map(Value::from)),
        ("e.subject_id =", filter.subject.clone().map(Value::from)),
        (beyond, after.map(Value::from)),
    ];
    for (condition, value) in conditions {
        if let Some(value) = value {
            values.push(value);
            sql.push_str(&format!(" AND {condition} ${}", values.len()));
        }
    }
    if filter.actor.as_deref().is_some_and(|actor| actor != WORKER) {
        // Word for word the condition of the index of what people did.
        sql.push_str(" AND e.actor_kind <> 'worker'");
    }
    sql.push_str(match order {
        Order::OldestFirst => " ORDER BY e.seq",
        Order::NewestFirst => " ORDER BY e.seq DESC",
    });
    sql.push_str(&format!(" LIMIT {limit}"));
    let rows: Vec<EventRow> = scope.all(&sql, values).await?;
    rows.into_iter().map(EventRow::into_event).collect()
}

/// What was told last about one thing, of some actions only, newest first.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn latest_of(
    scope: &Scope,
    subject: &str,
    actions: &[&str],
    limit: u32,
) -> Result<Vec<Event>, StoreError> {
    let mut values: Vec<Value> = vec![scope.tenant_value(), subject.into()];
    let mut marks = Vec::with_capacity(actions.len());
    for action in actions {
        values.push((*action).into());
        marks.push(format!("${}", values.len()));
    }
    let sql = format!(
        "{SELECT} AND e.subject_id = $2 AND e.action IN ({}) ORDER BY e.seq DESC LIMIT {limit}",
        marks.join(", ")
    );
    let rows: Vec<EventRow> = scope.all(&sql, values).await?;
    rows.into_iter().map(EventRow::into_event).collect()
}
