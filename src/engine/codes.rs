//! Reads which codes both sides of a pair have, and what its projects plan: one list a step, as due work of the slice.

use std::collections::BTreeSet;
use std::time::Duration;

use super::chores;
use super::ends::{End, Ends};
use super::reconcile::projects_in_scope;
use super::turn::Turn;
use crate::domain::catalogue::Offer;
use crate::domain::clock::Timestamp;
use crate::domain::fault::Fault;
use crate::domain::ids::PairId;
use crate::domain::mapping::{MappingKind, value};
use crate::domain::pair::PairStatus;
use crate::domain::record::State;
use crate::flows::{PairFlow, RecordKind, SideName};
use crate::store::chore::{self, Chore};
use crate::store::{self, Scope, StoreError};

/// A pair that moves codes reads them again after this long; a full run reads at once.
const EVERY: Duration = Duration::from_secs(6 * 3600);

/// One list.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Codes(SideName, MappingKind),
    Budget(String),
}

fn steps(ends: &Ends) -> Vec<Step> {
    let kinds = ends.kind.mappings.iter().map(|columns| columns.kind);
    let sides = [SideName::Project, SideName::Erp];
    let codes = kinds.flat_map(|kind| sides.map(|side| Step::Codes(side, kind)));
    let budgets = projects_in_scope(ends).into_iter().map(Step::Budget);
    codes.chain(budgets).collect()
}

/// Reads the next list and keeps it. What one connection may not read is left out.
///
/// # Errors
/// `Stale` when the turn is lost, `Database`.
pub async fn read(turn: &Turn, chore: &Chore) -> Result<(), StoreError> {
    let ends = match Ends::to_look(&turn.engine, turn.tenant, chore.pair).await {
        Ok(ends) => ends,
        // A pair that was removed has nothing to be read for.
        Err(StoreError::Missing(_)) => return end(turn, chore).await,
        Err(error) => return Err(error),
    };
    let at: usize = chore.progress.parse().unwrap_or(0);
    let Some(step) = steps(&ends).into_iter().nth(at) else {
        return rest(turn, chore, &ends).await;
    };
    let side = match step {
        Step::Codes(SideName::Erp, _) => &ends.erp,
        Step::Codes(SideName::Project, _) | Step::Budget(_) => &ends.project,
    };
    if let Some(until) = turn.is_slow(side.connection.id) {
        return go_on(turn, chore, until, at).await;
    }
    match take(turn, &ends, side, &step).await {
        Ok(()) => {}
        Err(Stop::Store(error)) => return Err(error),
        Err(Stop::Fault(fault)) => {
            let is_passing = matches!(fault, Fault::Transient { .. } | Fault::RateLimited { .. });
            tracing::info!(%fault, pair = %chore.pair, ?step, "codes could not be read");
            if is_passing {
                let until = chores::rest(turn, side.connection.id, &fault);
                return go_on(turn, chore, until, at).await;
            }
        }
    }
    let now = turn.engine.clock.now();
    go_on(turn, chore, now, at.saturating_add(1)).await
}

enum Stop {
    Fault(Fault),
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

async fn take(turn: &Turn, ends: &Ends, side: &End, step: &Step) -> Result<(), Stop> {
    let Some(offers) = side.connector.offers else {
        return Ok(());
    };
    let session = super::session::open(&turn.engine, turn.tenant, &side.connection)?;
    let id = side.connection.id;
    match step {
        Step::Codes(name, kind) => {
            let (kind, projects) = (*kind, projects_in_scope(ends));
            let found = offers.offers(&session, kind, &projects).await?;
            let judged = (*name == SideName::Erp && kind == MappingKind::CostCodes)
                .then(|| code_flow(ends))
                .flatten();
            let pair = ends.pair.id;
            turn.write(move |scope| {
                Box::pin(async move {
                    store::catalogue::keep(scope, id, kind, &found).await?;
                    match judged {
                        Some(flow) => look_at_closed(scope, (pair, flow), &found).await,
                        None => Ok(()),
                    }
                })
            })
            .await?;
        }
        Step::Budget(project) => {
            let Some(budget) = offers.budget(&session, project).await? else {
                return Ok(());
            };
            let project = project.clone();
            turn.write(move |scope| {
                Box::pin(async move {
                    store::catalogue::keep_budget(scope, id, &project, &budget).await
                })
            })
            .await?;
        }
    }
    turn.engine.breakers.answered(id);
    Ok(())
}

fn code_flow(ends: &Ends) -> Option<&'static PairFlow> {
    ends.kind
        .flows
        .iter()
        .find(|flow| flow.record == RecordKind::CostCode && ends.pair.flow(flow.name).enabled)
}

/// Codes whose account is not among the open ones any more are judged anew. An empty list says nothing.
async fn look_at_closed(
    scope: &Scope,
    (pair, flow): (PairId, &'static PairFlow),
    open: &[Offer],
) -> Result<(), StoreError> {
    let open: BTreeSet<&str> = open
        .iter()
        .filter_map(|offer| value(&offer.side, "ait1"))
        .collect();
    if open.is_empty() {
        return Ok(());
    }
    for (source, target) in store::link::keys(scope, pair, &flow.entity).await? {
        let account = target.split('/').next().unwrap_or(&target);
        if open.contains(account) {
            continue;
        }
        let found = store::record::of_source(scope, pair, flow.name, &source).await?;
        if let Some(work) = found.filter(|work| work.record.state == State::Linked) {
            store::record::make_due(scope, work.record.id).await?;
        }
    }
    Ok(())
}

async fn end(turn: &Turn, chore: &Chore) -> Result<(), StoreError> {
    let chore = chore.clone();
    turn.write(move |scope| Box::pin(async move { chore::end(scope, &chore).await }))
        .await
}

async fn go_on(turn: &Turn, chore: &Chore, at: Timestamp, step: usize) -> Result<(), StoreError> {
    let (chore, progress) = (chore.clone(), step.to_string());
    turn.write(move |scope| {
        Box::pin(async move { chore::go_on(scope, &chore, at, &progress).await })
    })
    .await
}

/// All is read. A pair that does not move codes is read for again when a person asks.
async fn rest(turn: &Turn, chore: &Chore, ends: &Ends) -> Result<(), StoreError> {
    if code_flow(ends).is_none() || ends.pair.status != PairStatus::Active {
        return end(turn, chore).await;
    }
    let at = turn.engine.clock.now().plus(turn.engine.pace.wait(EVERY));
    go_on(turn, chore, at, 0).await
}
