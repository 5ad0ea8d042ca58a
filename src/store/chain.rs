//! Appends to the audit chains with the commit that they tell of, for whichever tenants it holds.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, FromQueryResult, Value};

use super::StoreError;
use super::commit::Left;
use super::scope::{Told, one, run};
use crate::audit::{Event, Head, SALT_BYTES, chain};
use crate::domain::clock::Timestamp;
use crate::domain::ids::TenantId;
use crate::domain::member::Actor;

/// Signs a chain's head; `store` holds no key itself.
pub type HeadSigner = Arc<dyn Fn(TenantId, &Head) -> String + Send + Sync>;

/// The signer, once somebody has given one.
pub(super) type Signing = Arc<OnceLock<HeadSigner>>;

#[derive(FromQueryResult)]
struct HeadRow {
    seq: i64,
    hash: String,
}

/// Chains what the units of a commit told, tenant by tenant in a fixed order.
pub(super) async fn append(
    tx: &DatabaseTransaction,
    told: Vec<Left>,
    signing: &Signing,
) -> Result<(), StoreError> {
    let mut by_tenant: BTreeMap<TenantId, Vec<(Actor, Timestamp, Told)>> = BTreeMap::new();
    for (tenant, actor, at, left) in told {
        if !left.happened.is_empty() {
            by_tenant.entry(tenant).or_default().push((actor, at, left));
        }
    }
    for (tenant, units) in by_tenant {
        append_for(tx, tenant, &units, signing).await?;
    }
    Ok(())
}

async fn append_for(
    tx: &DatabaseTransaction,
    tenant: TenantId,
    units: &[(Actor, Timestamp, Told)],
    signing: &Signing,
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
    let signature = signing.get().map(|sign| sign(tenant, &head));
    let values = [
        tenant.0.into(),
        head.seq.into(),
        head.hash.into(),
        signature.into(),
    ];
    run(tx, SET_HEAD, values).await?;
    Ok(())
}

const SET_HEAD: &str = "
INSERT INTO audit_head (tenant_id, seq, hash, signature) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id) DO UPDATE SET
  seq = excluded.seq, hash = excluded.hash, signature = excluded.signature";

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
