//! The audit chain as rows: appended with the commit that it tells of, and read back.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, FromQueryResult, Value};
use uuid::Uuid;

use super::open::of_tenant;
use super::rows::Column;
use super::scope::{Told, one, run};
use super::{Scope, StoreError};
use crate::audit::{Beside, Event, Head, SALT_BYTES, chain};
use crate::domain::clock::Timestamp;
use crate::domain::ids::TenantId;
use crate::domain::member::Actor;

#[derive(FromQueryResult)]
struct HeadRow {
    seq: i64,
    hash: String,
}

/// Chains what the units of a commit told, tenant by tenant in a fixed order.
pub(super) async fn append(
    tx: &DatabaseTransaction,
    told: Vec<(TenantId, Actor, Timestamp, Told)>,
) -> Result<(), StoreError> {
    let mut by_tenant: BTreeMap<TenantId, Vec<(Actor, Timestamp, Told)>> = BTreeMap::new();
    for (tenant, actor, at, left) in told {
        if !left.happened.is_empty() {
            by_tenant.entry(tenant).or_default().push((actor, at, left));
        }
    }
    for (tenant, units) in by_tenant {
        if tx.get_database_backend() == DbBackend::Postgres {
            of_tenant(tx, tenant).await?;
        }
        append_for(tx, tenant, &units).await?;
    }
    Ok(())
}

async fn append_for(
    tx: &DatabaseTransaction,
    tenant: TenantId,
    units: &[(Actor, Timestamp, Told)],
) -> Result<(), StoreError> {
    let mut head = head_for_update(tx, tenant).await?;
    let mut events = Vec::new();
    for (actor, at, told) in units {
        for happened in &told.happened {
            let (event, next) = chain(&head, happened, actor, *at, salt()?);
            events.push(event);
            head = next;
        }
    }
    for some in events.chunks(ROWS_MAX) {
        insert(tx, tenant, some).await?;
    }
    run(
        tx,
        "INSERT INTO audit_head (tenant_id, seq, hash) VALUES ($1, $2, $3) \
         ON CONFLICT (tenant_id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash",
        [tenant.0.into(), head.seq.into(), head.hash.into()],
    )
    .await?;
    Ok(())
}

async fn head_for_update(tx: &DatabaseTransaction, tenant: TenantId) -> Result<Head, StoreError> {
    let sql = match tx.get_database_backend() {
        DbBackend::Postgres => "SELECT seq, hash FROM audit_head WHERE tenant_id = $1 FOR UPDATE",
        _ => "SELECT seq, hash FROM audit_head WHERE tenant_id = $1",
    };
    let row: Option<HeadRow> = one(tx, sql, [tenant.0.into()]).await?;
    Ok(row.map_or_else(Head::start, |row| Head {
        seq: row.seq,
        hash: row.hash,
    }))
}

fn salt() -> Result<[u8; SALT_BYTES], StoreError> {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(|error| DbErr::Custom(error.to_string()))?;
    Ok(salt)
}

/// Twelve columns a row stay well below what SQLite binds.
const ROWS_MAX: usize = 1_000;

async fn insert(
    tx: &DatabaseTransaction,
    tenant: TenantId,
    events: &[Event],
) -> Result<(), StoreError> {
    let mut chained: Vec<Value> = Vec::new();
    let mut beside: Vec<Value> = Vec::new();
    let mut with_detail = 0;
    for event in events {
        chained.extend([
            tenant.0.into(),
            event.seq.into(),
            event.at.0.into(),
            event.actor_kind.clone().into(),
            event.actor_id.clone().into(),
            event.action.clone().into(),
            event.subject_kind.clone().into(),
            event.subject_id.clone().into(),
            event.run_id.map(|run| run.0).into(),
            event.detail_hash.clone().into(),
            event.prev_hash.clone().into(),
            event.hash.clone().into(),
        ]);
        if let Some(detail) = &event.beside {
            with_detail += 1;
            beside.extend([
                tenant.0.into(),
                event.seq.into(),
                detail.salt.to_vec().into(),
                detail.actor_name.clone().into(),
                detail.detail.clone().into(),
            ]);
        }
    }
    let into_events = format!(
        "INSERT INTO audit_event (tenant_id, seq, at, actor_kind, actor_id, action, subject_kind, subject_id, run_id, \
         detail_hash, prev_hash, hash) VALUES {}",
        marks(events.len(), 12)
    );
    run(tx, &into_events, chained).await?;
    let into_details = format!(
        "INSERT INTO audit_detail (tenant_id, seq, salt, actor_name, detail) VALUES {}",
        marks(with_detail, 5)
    );
    run(tx, &into_details, beside).await?;
    Ok(())
}

/// `($1, $2), ($3, $4)` for two rows of two columns.
pub(super) fn marks(rows: usize, columns: usize) -> String {
    let row = |at: usize| {
        let first = at.saturating_mul(columns);
        let marks: Vec<String> = (1..=columns)
            .map(|column| format!("${}", first.saturating_add(column)))
            .collect();
        format!("({})", marks.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

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
    let conditions: [(&str, Option<Value>); 6] = [
        ("e.at >=", filter.from.map(|at| at.0.into())),
        ("e.at <", filter.to.map(|at| at.0.into())),
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
    sql.push_str(match order {
        Order::OldestFirst => " ORDER BY e.seq",
        Order::NewestFirst => " ORDER BY e.seq DESC",
    });
    sql.push_str(&format!(" LIMIT {limit}"));
    let rows: Vec<EventRow> = scope.all(&sql, values).await?;
    rows.into_iter().map(EventRow::into_event).collect()
}
