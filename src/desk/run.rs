//! Runs that people start.

use crate::domain::audit::Happened;
use crate::domain::ids::{PairId, RunId};
use crate::domain::member::Caller;
use crate::domain::pair::PairStatus;
use crate::domain::run::{Run, RunState, Trigger};
use crate::store::run::Ending;
use crate::store::{self, Scope, StoreError};

use super::{Desk, DeskError};

/// What a person wants of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// None: every flow that is switched on.
    pub flows: Option<Vec<String>>,
    /// Lists everything instead of what changed.
    pub full: bool,
}

/// Starts a run of an active pair, or joins the one that is open.
///
/// # Errors
/// `Missing`; `NotNow` when the pair is not active; `Invalid` for a flow that it does not have.
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
    if pair.status != PairStatus::Active {
        let message = "This pair is not active. Activate it, then start a run.";
        return Err(DeskError::not_now("not_active", message));
    }
    if flows.is_empty() {
        let message = "No flow of this pair is switched on.";
        return Err(DeskError::not_now("no_flow", message));
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
                let note = "A person ended it. What it had seen goes on by itself.";
                end(scope, &open.run, note).await?;
                Ok(())
            })
        })
        .await
}

/// Ends an open run before its time. What is still in work leaves it, so that its counts add up.
pub(super) async fn end(scope: &Scope, run: &Run, note: &str) -> Result<(), StoreError> {
    store::record::leave_run(scope, run.id).await?;
    let counts = crate::engine::run_counts(scope, &run.flows, run.id).await?;
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
