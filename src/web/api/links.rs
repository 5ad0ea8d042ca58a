//! The cross-reference over the API.

use serde::Serialize;
use utoipa::ToSchema;

use super::call::{Answer, Call, ok};
use crate::domain::link::{End, Link};
use crate::store::link;
use crate::web::cross_references::filter;

/// Which record of one system is which record of the other.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkView {
    pub pair_id: String,
    pub entity: String,
    /// Company and division where the target's id lives.
    pub scope: String,
    pub source: EndView,
    pub target: EndView,
    pub matched_by: String,
    pub created_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct EndView {
    pub system: String,
    pub id: String,
}

impl From<&End> for EndView {
    fn from(end: &End) -> Self {
        Self {
            system: end.system.to_string(),
            id: end.id.clone(),
        }
    }
}

impl From<&Link> for LinkView {
    fn from(link: &Link) -> Self {
        Self {
            pair_id: link.pair_id.to_string(),
            entity: link.entity.to_string(),
            scope: link.scope.clone(),
            source: EndView::from(&link.source),
            target: EndView::from(&link.target),
            matched_by: link.matched_by.clone(),
            created_at: link.created_at.to_string(),
        }
    }
}

/// `GET /api/v1/cross-references`.
///
/// # Errors
/// `invalid`, for a page that cannot be meant.
pub async fn list(call: Call) -> Answer {
    let filter = filter(&call.query);
    let paging = call.paging()?;
    let scope = call.desk().store().read(call.caller.tenant_id).await?;
    let found = link::list(&scope, &filter, paging.before()?, paging.one_more()).await?;
    let page = paging.cut(found, |link| link.id.to_string());
    ok(&page.map(|link| LinkView::from(&link)))
}
