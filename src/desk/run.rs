//! Runs that people start.

use crate::domain::audit::Happened;
use crate::domain::ids::{PairId, RunId};
use crate::domain::member::Caller;
use crate::domain::pair::{Pair, PairStatus};
use crate::domain::run::{Run, RunState, Trigger};
use crate::engine::dry_runs_kept_since;
use crate::store::run::{Basis, Ending};
use crate::store::{self, Scope, StoreError};

use super::{Desk, DeskError};

/// What a person wants of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// None: every flow that is switched on.
    pub flows: Option<Vec<String>>,
    /// Lists everything instead of what changed.
    pub full: bool,
    /// Says what would be done, and does nothing. Not only for active pairs.
    pub dry_run: bool,
}

/// Starts a run of an active pair, or joins the one that is open. A dry run may be of any pair; another one that is
/// under way on the same terms is joined, on other terms ended.
///
/// # Errors
/// `Missing`; `NotNow` when the pair is not active and would be run for real; `Invalid` for a flow that it does not have.
pub async fn start(
    desk: &Desk,
    caller: &Caller,
    pair: PairId,
    wanted: Wanted,
) -> Result<RunId, DeskError> {
    let scope = desk.store().read(caller.tenant_id).await?;
    let pair = store::pair::find(&scope, pair).await?;
    drop(scope);
    let kind = desk
        .engine
        .pair_kind(&pair.kind)
        .ok_or(DeskError::Missing("kind of pair"))?;
    let mut flows = Vec::new();
    for flow in kind.flows {
        let is_wanted = wanted
            .flows
            .as_ref()
            .is_none_or(|names| names.iter().any(|name| name == flow.name));
        if is_wanted && pair.flow(flow.name).enabled {
            flows.push(flow.name.to_owned());
        }
    }
    for (at, name) in wanted.flows.iter().flatten().enumerate() {
        if !flows.contains(name) {
            let message = format!("`{name}` is not a flow that is switched on in this pair");
            return Err(DeskError::invalid(
                &format!("/flows/{at}"),
                "unknown",
                message,
            ));
        }
    }
    if pair.status != PairStatus::Active && !wanted.dry_run {
        let message = "This pair is not active. Activate it, then start a run.";
        return Err(DeskError::not_now("not_active", message));
    }
    if flows.is_empty() {
        let message = "No flow of this pair is switched on.";
        return Err(DeskError::not_now("no_flow", message));
    }
    if wanted.dry_run {
        return rehearse(desk, caller, pair.id, flows, wanted.full).await;
    }
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move {
                let run =
                    store::run::open(scope, pair.id, flows, wanted.full, Trigger::Person).await?;
                scope.tell(
                    Happened::new("run.started", "run", run)
                        .with("pair", pair.id)
                        .in_run(Some(run)),
                );
                scope.wake(scope.now());
                Ok(run)
            })
        })
        .await
}

async fn rehearse(
    desk: &Desk,
    caller: &Caller,
    pair: PairId,
    flows: Vec<String>,
    full: bool,
) -> Result<RunId, DeskError> {
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move {
                let pair = store::pair::find(scope, pair).await?;
                let basis = basis(scope, &pair).await?;
                if let Some(open) = store::run::rehearsal_of_pair(scope, pair.id).await? {
                    let run = &open.run;
                    let is_same = run.full == full
                        && run.flows.keys().all(|flow| flows.contains(flow))
                        && run.flows.len() == flows.len()
                        && store::run::is_on(scope, run.id, basis).await?;
                    if is_same {
                        return Ok(run.id);
                    }
                    end(scope, run, "Another dry run was started.").await?;
                }
                let before = dry_runs_kept_since(scope.now());
                store::dry_run::forget_old(scope, before).await?;
                let run = store::run::rehearse(scope, pair.id, flows, full, basis).await?;
                scope.tell(
                    Happened::new("run.started", "run", run)
                        .with("pair", pair.id)
                        .with("dry_run", true)
                        .in_run(Some(run)),
                );
                Ok(run)
            })
        })
        .await
}

/// What a dry run of a pair is judged by at this moment.
pub(super) async fn basis(scope: &Scope, pair: &Pair) -> Result<Basis, StoreError> {
    let erp = store::connection::find(scope, pair.erp_connection_id).await?;
    let project = store::connection::find(scope, pair.project_connection_id).await?;
    Ok(Basis {
        pair_version: pair.version,
        erp_version: erp.version,
        project_version: project.version,
    })
}

/// Ends a run: nothing more is listed. Records that it has seen go on by themselves.
///
/// # Errors
/// `Missing`; `NotNow` when it is over.
pub async fn cancel(desk: &Desk, caller: &Caller, id: RunId) -> Result<(), DeskError> {
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move {
                let open = store::run::find(scope, id).await?;
                if open.run.ended_at.is_some() {
                    return Err(DeskError::not_now("state", "This run is over."));
                }
                let note = if open.run.dry_run {
                    "A person ended it. What it had found until then stays."
                } else {
                    "A person ended it. What it had seen goes on by itself."
                };
                end(scope, &open.run, note).await?;
                Ok(())
            })
        })
        .await
}

/// Ends an open run before its time. What is still in work leaves it, so that its counts add up.
pub(super) async fn end(scope: &Scope, run: &Run, note: &str) -> Result<(), StoreError> {
    if run.dry_run {
        store::dry_run::leave(scope, run.id).await?;
    } else {
        store::record::leave_run(scope, run.id).await?;
    }
    let counts = crate::engine::run_counts(scope, run).await?;
    let ending = Ending {
        state: RunState::Cancelled,
        counts: &counts,
        note: Some(note),
        fault: None,
    };
    store::run::close(scope, run.id, &ending).await?;
    scope.tell(Happened::new("run.cancelled", "run", run.id).in_run(Some(run.id)));
    Ok(())
}
