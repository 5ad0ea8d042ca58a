//! The trail over the API.

use actix_web::HttpResponse;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::call::{Answer, Call, ok};
use crate::desk::trail::{self, Verification};
use crate::store::audit::{self, Event, Order};
use crate::web::audit::{Wanted, filter, streamed};
use crate::web::problem::Problem;

/// One immutable line.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventView {
    pub seq: i64,
    pub at: String,
    pub actor: ActorView,
    pub action: String,
    pub subject: SubjectView,
    pub run_id: Option<String>,
    /// Facts by name; null once erased.
    #[schema(value_type = Option<Object>)]
    pub detail: Option<Map<String, Value>>,
    pub prev_hash: String,
    pub hash: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ActorView {
    pub kind: String,
    pub id: String,
    /// Null once erased.
    pub name: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SubjectView {
    pub kind: String,
    pub id: String,
}

impl From<&Event> for EventView {
    fn from(event: &Event) -> Self {
        let beside = event.beside.as_ref();
        let facts = beside.map(|beside| beside.facts());
        Self {
            seq: event.seq,
            at: event.at.to_string(),
            actor: ActorView {
                kind: event.actor_kind.clone(),
                id: event.actor_id.clone(),
                name: beside.map(|beside| beside.actor_name.clone()),
            },
            action: event.action.clone(),
            subject: SubjectView {
                kind: event.subject_kind.clone(),
                id: event.subject_id.clone(),
            },
            run_id: event.run_id.map(|run| run.to_string()),
            detail: facts.map(|facts| {
                let pairs = facts.into_iter();
                pairs
                    .map(|(name, value)| (name, Value::from(value)))
                    .collect()
            }),
            prev_hash: event.prev_hash.clone(),
            hash: event.hash.clone(),
        }
    }
}

/// `GET /api/v1/audit`: newest first.
///
/// # Errors
/// `invalid`, for a filter that cannot be meant.
pub async fn list(call: Call) -> Answer {
    let filter = filter(&call.query)?;
    let paging = call.paging()?;
    let scope = call.desk().store().read(call.caller.tenant_id).await?;
    let order = Order::NewestFirst;
    let found = audit::list(&scope, &filter, order, paging.before()?, paging.one_more()).await?;
    let page = paging.cut(found, |event| event.seq.to_string());
    ok(&page.map(|event| EventView::from(&event)))
}

/// Whether a chain holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct VerificationView {
    pub ok: bool,
    /// Events that hold, from the first one on.
    pub events: u64,
    /// Events of them whose details were erased.
    pub erased: u64,
    pub head: HeadView,
    /// The number of the first event that does not hold.
    pub first_broken: Option<i64>,
    /// What is wrong with it.
    pub why: Option<String>,
}

/// The last event that holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeadView {
    pub seq: i64,
    pub hash: String,
}

impl From<Verification> for VerificationView {
    fn from(verified: Verification) -> Self {
        let broken = verified.first_broken;
        Self {
            ok: verified.holds(),
            events: verified.events,
            erased: verified.erased,
            head: HeadView {
                seq: verified.head.seq,
                hash: verified.head.hash,
            },
            first_broken: broken.map(|broken| broken.seq),
            why: broken.map(|broken| broken.to_string()),
        }
    }
}

/// `GET /api/v1/audit/verify`: 200 also when it does not hold.
///
/// # Errors
/// `conflict`, when the heads outside the database cannot be read.
pub async fn verify(call: Call) -> Answer {
    let tenant = call.caller.tenant_id;
    let file = call.site.config.heads_file.as_deref();
    let kept = trail::heads_kept_of(call.desk(), file, tenant).await?;
    let verified = trail::verify(call.desk(), tenant, &kept).await?;
    ok(&VerificationView::from(verified))
}

/// `GET /api/v1/audit/export`: one unbroken range, as it is read.
///
/// # Errors
/// `invalid`, for a range that is empty or cannot be meant.
pub async fn export(call: Call) -> Result<HttpResponse, Problem> {
    let wanted = Wanted::of(&call.query)?;
    let export = trail::export(
        call.desk(),
        &call.caller,
        wanted.format,
        wanted.from,
        wanted.to,
    )
    .await?;
    Ok(streamed(export, wanted.format))
}
