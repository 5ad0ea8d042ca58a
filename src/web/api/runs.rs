//! Runs over the API: started, listed, looked at.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::call::{Answer, Call, accepted, ok};
use super::records::FaultView;
use crate::desk::run::{self as act, Wanted};
use crate::domain::fault::Issue;
use crate::domain::ids::{PairId, RunId};
use crate::domain::money::{Money, plain};
use crate::domain::run::Counts;
use crate::store::run::{self, OpenRun};
use crate::web::id::Id;
use crate::web::report::{Sum, sums};
use crate::web::runs::{at_rest, count, pair_of};

/// One pass over a pair.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunView {
    pub id: String,
    pub pair_id: String,
    /// `queued, running, succeeded, partial, failed, cancelled`.
    pub state: &'static str,
    /// `schedule, person, activation, webhook`.
    pub trigger: &'static str,
    /// Everything was listed instead of what changed.
    pub full: bool,
    /// Nothing is written to any system; `GET /runs/{id}/changes` says what would be.
    pub dry_run: bool,
    pub queued_at: String,
    pub started_at: Option<String>,
    pub ended_at: Option<String>,
    pub progress: ProgressView,
    /// Counts by flow; those of one flow add up to its `seen`, less what is still under way.
    pub flows: BTreeMap<String, CountsView>,
    pub note: Option<String>,
    pub fault: Option<FaultView>,
    /// Of one dry run: what would be done, by flow and action. Null in lists and for other runs.
    pub foreseen: Option<Vec<TotalView>>,
}

/// What a dry run foresees of one flow and action.
#[derive(Debug, Serialize, ToSchema)]
pub struct TotalView {
    pub flow: String,
    /// `create, update, link, none, wait, skip, review, fail`.
    pub action: &'static str,
    pub records: u64,
    /// One sum a currency; never added up across them.
    pub money: Vec<MoneyView>,
}

/// An amount.
#[derive(Debug, Serialize, ToSchema)]
pub struct MoneyView {
    /// A decimal.
    pub amount: String,
    pub currency: String,
}

impl From<&Money> for MoneyView {
    fn from(money: &Money) -> Self {
        Self {
            amount: plain(money.amount),
            currency: money.currency.to_string(),
        }
    }
}

impl From<&Sum> for TotalView {
    fn from(sum: &Sum) -> Self {
        Self {
            flow: sum.flow.clone(),
            action: sum.action.as_str(),
            records: sum.records,
            money: sum.money.iter().map(MoneyView::from).collect(),
        }
    }
}

/// How far it has come.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgressView {
    pub seen: u64,
    /// Records that nothing more is done with by this run.
    pub at_rest: u64,
    /// The flow that is being listed at its source; null once everything is listed.
    pub listing: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct CountsView {
    pub seen: u64,
    pub created: u64,
    pub updated: u64,
    pub linked: u64,
    pub unchanged: u64,
    pub waiting: u64,
    pub held: u64,
    pub review: u64,
    pub retrying: u64,
    pub failed: u64,
    pub ignored: u64,
}

impl From<&Counts> for CountsView {
    fn from(counts: &Counts) -> Self {
        Self {
            seen: counts.seen,
            created: counts.created,
            updated: counts.updated,
            linked: counts.linked,
            unchanged: counts.unchanged,
            waiting: counts.waiting,
            held: counts.held,
            review: counts.review,
            retrying: counts.retrying,
            failed: counts.failed,
            ignored: counts.ignored,
        }
    }
}

impl From<&OpenRun> for RunView {
    fn from(open: &OpenRun) -> Self {
        let run = &open.run;
        let listing = open.listing.as_ref();
        let listing = listing.and_then(|listing| listing.pass());
        Self {
            id: run.id.to_string(),
            pair_id: run.pair_id.to_string(),
            state: run.state.as_str(),
            trigger: run.trigger.as_str(),
            full: run.full,
            dry_run: run.dry_run,
            queued_at: run.queued_at.to_string(),
            started_at: run.started_at.map(|at| at.to_string()),
            ended_at: run.ended_at.map(|at| at.to_string()),
            progress: ProgressView {
                seen: run.flows.values().map(|counts| counts.seen).sum(),
                at_rest: run.flows.values().map(at_rest).sum(),
                listing: listing
                    .filter(|_| run.ended_at.is_none())
                    .map(|pass| pass.flow.clone()),
            },
            flows: run
                .flows
                .iter()
                .map(|(flow, counts)| (flow.clone(), CountsView::from(counts)))
                .collect(),
            note: run.note.clone(),
            fault: run.fault.as_ref().map(FaultView::from),
            foreseen: None,
        }
    }
}

/// What a run is to do.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "told in the OpenAPI document")]
pub struct NewRunBody {
    /// By default every flow that is switched on.
    pub flows: Option<Vec<String>>,
    /// Lists everything instead of what changed since the last run.
    pub full: Option<bool>,
    /// Says what would be done and writes nothing to any system; the pair need not be active.
    pub dry_run: Option<bool>,
}

/// What was started.
#[derive(Debug, Serialize, ToSchema)]
pub struct Started {
    pub id: String,
}

/// `POST /api/v1/pairs/{id}/runs`.
///
/// # Errors
/// `missing`; `not_now`; `invalid`.
pub async fn start(call: Call, id: Id<PairId>) -> Answer {
    let mut given = call.given()?;
    let wanted = Wanted {
        flows: given.texts("flows"),
        full: given.flag("full").unwrap_or(false),
        dry_run: given.flag("dry_run").unwrap_or(false),
    };
    if wanted.flows.as_ref().is_some_and(Vec::is_empty) {
        let says = "Name at least one flow, or leave `flows` out for all of them.";
        given.tell(Issue::new("flows", "empty", says));
    }
    given.done()?;
    let run = act::start(call.desk(), &call.caller, id.0, wanted).await?;
    accepted(&Started {
        id: run.to_string(),
    })
}

/// `GET /api/v1/runs`.
///
/// # Errors
/// `invalid`, for a page that cannot be meant.
pub async fn list(call: Call) -> Answer {
    let paging = call.paging()?;
    let scope = call.desk().store().read(call.caller.tenant_id).await?;
    let pair = pair_of(&call.query);
    let mut found = run::list(&scope, pair, paging.before()?, paging.one_more()).await?;
    for open in &mut found {
        count(&scope, open).await?;
    }
    let page = paging.cut(found, |open| open.run.id.to_string());
    ok(&page.map(|open| RunView::from(&open)))
}

/// `GET /api/v1/runs/{id}`.
///
/// # Errors
/// `missing`.
pub async fn show(call: Call, id: Id<RunId>) -> Answer {
    let scope = call.desk().store().read(call.caller.tenant_id).await?;
    let mut open = run::find(&scope, id.0).await?;
    count(&scope, &mut open).await?;
    let mut view = RunView::from(&open);
    if open.run.dry_run {
        let sums = sums(&scope, id.0).await?;
        view.foreseen = Some(sums.iter().map(TotalView::from).collect());
    }
    ok(&view)
}

/// `POST /api/v1/runs/{id}/cancel`.
///
/// # Errors
/// `missing`; `not_now`.
pub async fn cancel(call: Call, id: Id<RunId>) -> Answer {
    act::cancel(call.desk(), &call.caller, id.0).await?;
    show(call, id).await
}
