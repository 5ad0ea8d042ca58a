//! Looks saved mapping rows up in both systems, as due work of the slice: no page waits for it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Engine, clients, session};
use crate::domain::clock::Timestamp;
use crate::domain::connection::Connection;
use crate::domain::fault::Fault;
use crate::domain::ids::{MappingId, PairId, TenantId};
use crate::domain::mapping::{MappingKind, Row, Verdict};
use crate::domain::member::Actor;
use crate::store::{StoreError, connection, mapping, pair};

/// Rows of one look-up: a few seconds of calls at the slowest pace that vendors allow.
const ROWS_AT_ONCE: u32 = 20;
/// After a look-up that failed.
const REST: Duration = Duration::from_secs(60);

/// Pairs whose look-ups failed, and until when they rest. Forgotten with the process: then it is tried.
#[derive(Default)]
pub struct Resting(Mutex<HashMap<PairId, Timestamp>>);

impl Resting {
    fn until(&self, pair: PairId) -> Option<Timestamp> {
        let resting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        resting.get(&pair).copied()
    }

    fn set(&self, pair: PairId, until: Option<Timestamp>) {
        let mut resting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match until {
            Some(until) => resting.insert(pair, until),
            None => resting.remove(&pair),
        };
    }
}

/// Looks some rows of one pair up. Gives when to go on: at once while rows are left, later after
/// trouble; none when every row was looked up.
///
/// # Errors
/// `Missing` when the pair or its connection is gone; `Corrupt`, `Database`.
pub async fn verify_due(
    engine: &Engine,
    tenant: TenantId,
    id: PairId,
) -> Result<Option<Timestamp>, StoreError> {
    let now = engine.clock.now();
    if let Some(until) = engine.resting.until(id).filter(|until| *until > now) {
        return Ok(Some(until));
    }
    let scope = engine.store.read(tenant).await?;
    let rows = mapping::unverified(&scope, id, ROWS_AT_ONCE).await?;
    let Some((kind, _)) = rows.first() else {
        return Ok(None);
    };
    let kind = *kind;
    let pair = pair::find(&scope, id).await?;
    let erp = connection::find(&scope, pair.erp_connection_id).await?;
    let project = connection::find(&scope, pair.project_connection_id).await?;
    drop(scope);
    // One table at a time; the others are next.
    let rows: Vec<Row> = rows
        .into_iter()
        .filter(|(found, _)| *found == kind)
        .map(|(_, row)| row)
        .collect();
    match look_up_both(engine, tenant, [&erp, &project], (kind, &rows)).await {
        Ok(verdicts) => {
            keep(engine, tenant, &rows, verdicts).await?;
            engine.resting.set(id, None);
            Ok(Some(now))
        }
        Err(fault) => {
            tracing::info!(%fault, pair = %id, "mapping rows could not be looked up");
            let rest = match fault {
                Fault::RateLimited { retry_after, .. } => retry_after,
                _ => engine.pace.wait(REST),
            };
            let until = engine.clock.now().plus(rest);
            engine.resting.set(id, Some(until));
            Ok(Some(until))
        }
    }
}

/// Looks up what is due in every pair of a tenant. Gives when to go on.
///
/// # Errors
/// `Corrupt`, `Database`.
pub async fn verify_all(
    engine: &Engine,
    tenant: TenantId,
) -> Result<Option<Timestamp>, StoreError> {
    let pairs = {
        let scope = engine.store.read(tenant).await?;
        mapping::pairs_unverified(&scope).await?
    };
    let mut next = None;
    for pair in pairs {
        let due = match verify_due(engine, tenant, pair).await {
            // A pair that was removed meanwhile has nothing due.
            Err(StoreError::Missing(_)) => None,
            due => due?,
        };
        next = earlier(next, due);
    }
    Ok(next)
}

fn earlier(left: Option<Timestamp>, right: Option<Timestamp>) -> Option<Timestamp> {
    left.into_iter().chain(right).min()
}

/// What both systems say about their side of the rows.
async fn look_up_both(
    engine: &Engine,
    tenant: TenantId,
    connections: [&Connection; 2],
    (kind, rows): (MappingKind, &[Row]),
) -> Result<Vec<Verdict>, Fault> {
    let mut verdicts = vec![Verdict::default(); rows.len()];
    for connection in connections {
        let found = look_up(engine, (tenant, connection), kind, rows).await?;
        for (verdict, more) in verdicts.iter_mut().zip(found) {
            verdict.found.extend(more.found);
            verdict.issues.extend(more.issues);
        }
    }
    Ok(verdicts)
}

async fn look_up(
    engine: &Engine,
    (tenant, connection): (TenantId, &Connection),
    kind: MappingKind,
    rows: &[Row],
) -> Result<Vec<Verdict>, Fault> {
    let Some(verifies) = session::connector(engine, connection)?.verifies else {
        return Ok(vec![Verdict::default(); rows.len()]);
    };
    clients::learn(engine, tenant, connection).await;
    let session = session::open(engine, tenant, connection)?;
    let verdicts = verifies.verify(&session, kind, rows).await?;
    if verdicts.len() == rows.len() {
        Ok(verdicts)
    } else {
        Err(Fault::Broken {
            code: "verdicts_missing".to_owned(),
            message: "the look-up did not answer for every row".to_owned(),
        })
    }
}

async fn keep(
    engine: &Engine,
    tenant: TenantId,
    rows: &[Row],
    verdicts: Vec<Verdict>,
) -> Result<(), StoreError> {
    let verdicts: Vec<(MappingId, Verdict)> = rows
        .iter()
        .zip(verdicts)
        .filter_map(|(row, verdict)| Some((row.id?, verdict)))
        .collect();
    engine
        .store
        .write(tenant, &Actor::worker(), move |scope| {
            Box::pin(async move { mapping::set_verdicts(scope, &verdicts).await })
        })
        .await
}
