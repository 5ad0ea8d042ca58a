//! Failures by cause, over the API.

use serde::Serialize;
use utoipa::ToSchema;

use super::call::{Answer, Call, ok};
use super::runs::MoneyView;
use crate::desk::failure::{self, Failure, Position};
use crate::web::runs::pair_of;

/// Records that stand still for one reason.
#[derive(Debug, Serialize, ToSchema)]
pub struct FailureView {
    /// Stable: class, code and field of the fault, or `waiting/{kind}/{key}`.
    pub cause: String,
    /// Of failed ones the fault's class, of waiting ones the kind of what they wait for.
    pub class: String,
    /// `failed` or `waiting`.
    pub state: &'static str,
    /// How many records; 0 for a project that is not mapped, whose documents are not listed.
    pub count: u64,
    /// One sum a currency.
    pub money: Vec<MoneyView>,
    pub first_seen_at: String,
    pub last_seen_at: String,
    pub explanation: String,
    /// What to do, and where.
    pub mend: String,
    /// One of the records.
    pub record_id: Option<String>,
}

impl From<Failure> for FailureView {
    fn from(failure: Failure) -> Self {
        Self {
            cause: failure.cause,
            class: failure.class,
            state: failure.state.as_str(),
            count: failure.records,
            money: failure.money.iter().map(MoneyView::from).collect(),
            first_seen_at: failure.first_seen_at.to_string(),
            last_seen_at: failure.last_seen_at.to_string(),
            explanation: failure.explanation,
            mend: failure.mend,
            record_id: failure.example.map(|id| id.to_string()),
        }
    }
}

/// `GET /api/v1/failures`.
///
/// # Errors
/// `invalid`, for a page that cannot be meant.
pub async fn list(call: Call) -> Answer {
    let paging = call.paging()?;
    let pair = pair_of(&call.query);
    let after = paging.before::<Position>()?;
    let found = failure::list(call.desk(), &call.caller, pair, after, paging.one_more()).await?;
    let page = paging.cut(found, |failure| failure.at.to_string());
    ok(&page.map(FailureView::from))
}
