//! Records over the API: found, looked at, and acted on.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::call::{Answer, Call, accepted, ok};
use super::given::Given;
use super::links::LinkView;
use super::trail::EventView;
use crate::desk::record::{self, Act};
use crate::desk::whole::{self, Joined, Whole};
use crate::domain::fault::{Fault, Issue};
use crate::domain::ids::RecordId;
use crate::domain::member::Scope;
use crate::domain::money::plain;
use crate::domain::plan::{Action, Candidate, Change};
use crate::domain::record::{Record, WaitingFor};
use crate::store::audit::{self, Filter as EventFilter, Order};
use crate::store::search;
use crate::web::fields::Fields;
use crate::web::id::Id;
use crate::web::problem::Problem;
use crate::web::records::filter;

/// One source record in one flow of one pair.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordView {
    pub id: String,
    pub pair_id: String,
    pub flow: String,
    /// `pending, syncing, succeeded, unchanged, linked, waiting, held, review, retrying, failed, ignored`.
    pub state: &'static str,
    pub substate: Option<String>,
    pub reason: Option<String>,
    /// A sentence for people.
    pub explanation: String,
    pub flags: Vec<String>,
    pub number: Option<String>,
    pub counterparty: Option<String>,
    pub project: Option<String>,
    /// A decimal.
    pub amount: Option<String>,
    pub currency: Option<String>,
    pub source: SourceRef,
    pub target: Option<TargetRef>,
    pub attempts: u32,
    pub next_attempt_at: Option<String>,
    pub waiting_for: Vec<WaitView>,
    pub fault: Option<FaultView>,
    pub run_id: Option<String>,
    pub first_seen_at: String,
    pub updated_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SourceRef {
    pub system: String,
    pub entity: String,
    pub id: String,
    pub version: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct TargetRef {
    pub system: String,
    pub entity: String,
    pub id: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct WaitView {
    pub kind: String,
    pub key: String,
    pub label: String,
}

/// Why it did not work.
#[derive(Debug, Serialize, ToSchema)]
pub struct FaultView {
    /// `transient, rate_limited, auth, rejected, conflict, missing, ambiguous, broken`.
    pub class: &'static str,
    pub code: String,
    pub message: String,
    pub issues: Vec<IssueView>,
}

/// One thing wrong with one field.
#[derive(Debug, Serialize, ToSchema)]
pub struct IssueView {
    pub field: String,
    pub code: String,
    pub message: String,
}

impl From<&Fault> for FaultView {
    fn from(fault: &Fault) -> Self {
        let issues = fault.issues().iter().map(IssueView::from);
        Self {
            class: fault.class(),
            code: fault.code().to_owned(),
            message: fault.to_string(),
            issues: issues.collect(),
        }
    }
}

impl From<&Record> for RecordView {
    fn from(record: &Record) -> Self {
        let money = record.money.as_ref();
        Self {
            id: record.id.to_string(),
            pair_id: record.pair_id.to_string(),
            flow: record.flow.to_string(),
            state: record.state.as_str(),
            substate: record.substate.clone(),
            reason: record.reason.clone(),
            explanation: record.explanation.clone(),
            flags: record.flags.clone(),
            number: record.number.clone(),
            counterparty: record.counterparty.clone(),
            project: record.project.clone(),
            amount: money.map(|money| plain(money.amount)),
            currency: money.map(|money| money.currency.to_string()),
            source: SourceRef {
                system: record.source.system.to_string(),
                entity: record.source.entity.to_string(),
                id: record.source.id.clone(),
                version: record.source_version.clone(),
            },
            target: record.target.as_ref().map(|target| TargetRef {
                system: target.system.to_string(),
                entity: target.entity.to_string(),
                id: target.id.clone(),
            }),
            attempts: record.attempts,
            next_attempt_at: record.next_attempt_at.map(|at| at.to_string()),
            waiting_for: record.waiting_for.iter().map(WaitView::from).collect(),
            fault: record.fault.as_ref().map(FaultView::from),
            run_id: record.run_id.map(|run| run.to_string()),
            first_seen_at: record.first_seen_at.to_string(),
            updated_at: record.updated_at.to_string(),
        }
    }
}

/// One record with everything that is kept beside it.
#[derive(Debug, Serialize, ToSchema)]
pub struct WholeRecordView {
    #[serde(flatten)]
    pub record: RecordView,
    /// The source as it was last read, redacted.
    #[schema(value_type = Option<Object>)]
    pub source_snapshot: Option<Value>,
    /// The exact write in the target's own notation.
    #[schema(value_type = Option<Object>)]
    pub mapped: Option<Value>,
    pub plan: Option<PlanView>,
    pub candidates: Vec<CandidateView>,
    /// Cross-references of the record, of its parts and of the records that it names.
    pub links: Vec<RelatedView>,
}

/// A cross-reference around a record.
#[derive(Debug, Serialize, ToSchema)]
pub struct RelatedView {
    #[serde(flatten)]
    pub link: LinkView,
    /// The record of its source side, where it has one of its own.
    pub record_id: Option<String>,
}

impl From<&Joined> for RelatedView {
    fn from(joined: &Joined) -> Self {
        Self {
            link: LinkView::from(&joined.link),
            record_id: joined.record.map(|id| id.to_string()),
        }
    }
}

/// What would be done, and what approval binds to.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanView {
    /// `create, update, link, none, wait, skip, review, fail`.
    pub action: &'static str,
    /// Of the exact write; null where nothing is written.
    pub digest: Option<String>,
    pub changes: Vec<ChangeView>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeView {
    pub field: String,
    pub from: Option<String>,
    pub to: Option<String>,
    /// The rule that gave the value.
    pub why: String,
}

/// A record of the target that may be the same.
#[derive(Debug, Serialize, ToSchema)]
pub struct CandidateView {
    pub target_id: String,
    pub matched_by: String,
    /// 0 to 100.
    pub score: u8,
    pub facts: Vec<FactView>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct FactView {
    pub label: String,
    pub value: String,
}

impl From<Change> for ChangeView {
    fn from(change: Change) -> Self {
        Self {
            field: change.field,
            from: change.from,
            to: change.to,
            why: change.why,
        }
    }
}

impl From<Candidate> for CandidateView {
    fn from(candidate: Candidate) -> Self {
        let facts = candidate.facts.into_iter();
        Self {
            target_id: candidate.target_id,
            matched_by: candidate.matched_by,
            score: candidate.score,
            facts: facts
                .map(|(label, value)| FactView { label, value })
                .collect(),
        }
    }
}

impl From<&Issue> for IssueView {
    fn from(issue: &Issue) -> Self {
        Self {
            field: issue.field.clone(),
            code: issue.code.clone(),
            message: issue.message.clone(),
        }
    }
}

impl From<&WaitingFor> for WaitView {
    fn from(wait: &WaitingFor) -> Self {
        Self {
            kind: wait.kind.clone(),
            key: wait.key.clone(),
            label: wait.label.clone(),
        }
    }
}

impl From<Whole> for WholeRecordView {
    fn from(whole: Whole) -> Self {
        // What is there already is told by where it differs, what is not by every field.
        let is_there = matches!(
            whole.work.plan_action,
            Some(Action::None | Action::Link | Action::Skip)
        );
        let changes = if is_there || !whole.differences.is_empty() {
            whole.differences
        } else {
            whole.fields
        };
        let changes = changes.into_iter().map(ChangeView::from);
        let digest = whole.work.draft_digest.clone();
        Self {
            record: RecordView::from(&whole.work.record),
            source_snapshot: whole.snapshot,
            mapped: whole.mapped,
            plan: whole.work.plan_action.map(|action| PlanView {
                action: action.as_str(),
                digest,
                changes: changes.collect(),
            }),
            candidates: whole
                .candidates
                .into_iter()
                .map(CandidateView::from)
                .collect(),
            links: whole.links.iter().map(RelatedView::from).collect(),
        }
    }
}

/// `GET /api/v1/records`.
///
/// # Errors
/// `invalid`, for a filter that cannot be meant.
pub async fn list(call: Call) -> Answer {
    let filter = filter::read(&call.query)?;
    let paging = call.paging()?;
    let scope = call.desk().store().read(call.caller.tenant_id).await?;
    let found = search::records(&scope, &filter, paging.before()?, paging.one_more()).await?;
    let page = paging.cut(found, |work| work.record.id.to_string());
    ok(&page.map(|work| RecordView::from(&work.record)))
}

/// `GET /api/v1/records/{id}`.
///
/// # Errors
/// `missing`.
pub async fn show(call: Call, id: Id<RecordId>) -> Answer {
    let whole = whole::find(call.desk(), &call.caller, id.0).await?;
    ok(&WholeRecordView::from(whole))
}

/// `GET /api/v1/records/{id}/audit`: oldest first.
///
/// # Errors
/// `missing`.
pub async fn trail(call: Call, id: Id<RecordId>) -> Answer {
    let paging = call.paging()?;
    let scope = call.desk().store().read(call.caller.tenant_id).await?;
    crate::store::record::find(&scope, id.0).await?;
    let filter = EventFilter {
        subject: Some(id.0.to_string()),
        ..EventFilter::default()
    };
    let order = Order::OldestFirst;
    let found = audit::list(&scope, &filter, order, paging.before()?, paging.one_more()).await?;
    let page = paging.cut(found, |event| event.seq.to_string());
    ok(&page.map(|event| EventView::from(&event)))
}

/// Why a record is put aside.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "told in the OpenAPI document")]
pub struct IgnoreBody {
    pub reason: Option<String>,
}

/// Which record of the target it is, or that it is a new one.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "told in the OpenAPI document")]
pub struct LinkBody {
    pub target_id: Option<String>,
    /// In `review`: no candidate fits, create a new one.
    pub create: Option<bool>,
}

/// The write that was looked at.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "told in the OpenAPI document")]
pub struct ApproveBody {
    /// `plan.digest`; without it the current plan is approved.
    pub digest: Option<String>,
}

/// Why a write is not let through.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "told in the OpenAPI document")]
pub struct RejectBody {
    pub reason: String,
}

/// Does an act; 202 for one that starts work, 200 for one that is done with its answer.
async fn act(call: Call, id: RecordId, act: Act) -> Answer {
    let starts_work = !matches!(act, Act::Ignore { .. } | Act::Reject { .. });
    let work = record::act(call.desk(), &call.caller, id, act).await?;
    let view = RecordView::from(&work.record);
    if starts_work {
        accepted(&view)
    } else {
        ok(&view)
    }
}

/// `POST /api/v1/records/{id}/retry`: reads the source again.
///
/// # Errors
/// `missing`; `not_now`.
pub async fn retry(call: Call, id: Id<RecordId>) -> Answer {
    act(call, id.0, Act::Retry).await
}

/// `POST /api/v1/records/{id}/replay`: uses the stored source.
///
/// # Errors
/// `missing`; `not_now`.
pub async fn replay(call: Call, id: Id<RecordId>) -> Answer {
    act(call, id.0, Act::Replay).await
}

/// `POST /api/v1/records/{id}/ignore`.
///
/// # Errors
/// `missing`; `not_now`; `invalid`.
pub async fn ignore(call: Call, id: Id<RecordId>) -> Answer {
    let mut given = call.given()?;
    let reason = given.text("reason").unwrap_or_default();
    given.done()?;
    act(call, id.0, Act::Ignore { reason }).await
}

/// `POST /api/v1/records/{id}/link`.
///
/// # Errors
/// `missing`; `not_now`; `invalid`.
pub async fn link(call: Call, id: Id<RecordId>) -> Answer {
    let mut given = call.given()?;
    let is_new = given.flag("create").unwrap_or(false);
    let target_id = given.text("target_id");
    let both = "Give either `target_id`, or `create`: true.";
    match (&target_id, is_new) {
        (Some(_), true) => given.tell(Issue::new("create", "contradiction", both)),
        (None, false) => given.tell(Issue::new("target_id", "missing", both)),
        _ => {}
    }
    given.done()?;
    let wanted = match target_id {
        Some(target_id) => Act::Link { target_id },
        None => Act::Create,
    };
    act(call, id.0, wanted).await
}

/// `POST /api/v1/records/{id}/approve`.
///
/// # Errors
/// `missing`; `not_now`, also for a digest that is not current.
pub async fn approve(call: Call, id: Id<RecordId>) -> Answer {
    let mut given = call.given()?;
    let digest = given.text("digest");
    given.done()?;
    act(call, id.0, Act::Approve { digest }).await
}

/// `POST /api/v1/records/{id}/reject`.
///
/// # Errors
/// `missing`; `not_now`; `invalid` without a reason.
pub async fn reject(call: Call, id: Id<RecordId>) -> Answer {
    let mut given = call.given()?;
    let reason = given.needed("reason", "Say why, so that whoever mends it knows.");
    given.done()?;
    act(call, id.0, Act::Reject { reason }).await
}

/// One act on everything that a filter matches.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "told in the OpenAPI document")]
pub struct BulkBody {
    /// The keys of `GET /records`; an empty object matches everything.
    #[schema(value_type = Object)]
    pub filter: Map<String, Value>,
    /// `retry, ignore, approve, reject`.
    pub action: String,
    /// Needed to reject.
    pub reason: Option<String>,
}

/// How many records an act matched.
#[derive(Debug, Serialize, ToSchema)]
pub struct Matched {
    pub matched: u64,
}

/// `POST /api/v1/records/bulk`.
///
/// # Errors
/// `invalid`; `forbidden`, when the act needs another right.
pub async fn bulk(call: Call) -> Answer {
    let mut given = call.given()?;
    let query = bulk_filter(&mut given);
    let action = given.needed("action", "Choose retry, ignore, approve or reject.");
    let reason = given.text("reason").unwrap_or_default();
    let wanted = bulk_act(&mut given, &action, reason);
    given.done()?;
    let (wanted, needs) = wanted.ok_or_else(Problem::ours)?;
    let filter = filter::read(&query).map_err(inside_filter)?;
    if !call.caller.may(needs) {
        let says = format!("This needs the scope `{needs}`, which this token does not have.");
        return Err(Problem::forbidden(says));
    }
    let matched = record::act_on_all(call.desk(), &call.caller, filter, wanted).await?;
    accepted(&Matched { matched })
}

/// The act and the right it needs; None, with an issue, where there is no such act.
fn bulk_act(given: &mut Given, action: &str, reason: String) -> Option<(Act, Scope)> {
    Some(match action {
        "retry" => (Act::Retry, Scope::Operate),
        "ignore" => (Act::Ignore { reason }, Scope::Operate),
        "approve" => (Act::Approve { digest: None }, Scope::Approve),
        "reject" => {
            if reason.trim().is_empty() {
                let says = "Say why, so that whoever mends it knows.";
                given.tell(Issue::new("reason", "missing", says));
            }
            (Act::Reject { reason }, Scope::Approve)
        }
        // Said to be missing already.
        "" => return None,
        _ => {
            let says = "Choose retry, ignore, approve or reject.";
            given.tell(Issue::new("action", "unknown", says));
            return None;
        }
    })
}

/// The filter as the address of a list would say it. What nobody reads is refused here: a mistyped name
/// would match everything.
fn bulk_filter(given: &mut Given) -> Fields {
    let mut query = Fields::default();
    let Some(Value::Object(object)) = given.value("filter").cloned() else {
        let code = if given.has("filter") {
            "wrong_type"
        } else {
            "missing"
        };
        let says = "Send an object; an empty one matches everything.";
        given.tell(Issue::new("filter", code, says));
        return query;
    };
    for (name, value) in object {
        let at = format!("filter/{name}");
        if !filter::NAMES.contains(&name.as_str()) {
            let says = format!(
                "`{name}` is no filter; the filters are {}.",
                filter::NAMES.join(", ")
            );
            given.tell(Issue::new(at, "unknown", says));
            continue;
        }
        match value {
            Value::Null => {}
            Value::String(text) => query.add(&name, text),
            Value::Number(number) => query.add(&name, number.to_string()),
            Value::Array(items) if items.iter().all(Value::is_string) => {
                for item in items.iter().filter_map(Value::as_str) {
                    query.add(&name, item);
                }
            }
            _ => given.tell(Issue::new(at, "wrong_type", "Send a text.")),
        }
    }
    query
}

fn inside_filter(mut problem: Problem) -> Problem {
    for error in &mut problem.errors {
        error.pointer = format!("/filter{}", error.pointer);
    }
    problem
}
