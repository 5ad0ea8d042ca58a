//! The trail over the API.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::call::{Answer, Call, ok};
use crate::store::audit::{self, Event, Order};
use crate::web::audit::filter;

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
