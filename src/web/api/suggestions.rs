//! Proposals for mapping tables and coverage of projects over the API: shown, never applied by themselves.

use std::collections::BTreeMap;

use actix_web::HttpRequest;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{Answer, Call, ok};
use super::mappings::kind;
use crate::desk::suggestion::{self, ProjectCoverage};
use crate::domain::catalogue::BudgetLine;
use crate::domain::ids::PairId;
use crate::domain::money::plain;
use crate::domain::suggest::Suggestion;
use crate::web::id::Id;

/// A row that a person may accept, by sending it with the table.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuggestionView {
    pub procore: BTreeMap<String, String>,
    pub erp: BTreeMap<String, String>,
    /// What the two sides are called.
    pub procore_name: String,
    pub erp_name: String,
    /// In per cent, 0 to 100.
    pub score: u8,
    pub reason: String,
}

impl From<Suggestion> for SuggestionView {
    fn from(found: Suggestion) -> Self {
        Self {
            procore: found.row.project_side,
            erp: found.row.erp_side,
            procore_name: found.project_name,
            erp_name: found.erp_name,
            score: found.score,
            reason: found.reason,
        }
    }
}

/// `GET /api/v1/pairs/{id}/mappings/{kind}/suggestions`.
///
/// # Errors
/// `missing`.
pub async fn list(call: Call, id: Id<PairId>, request: HttpRequest) -> Answer {
    let kind = kind(&request)?;
    let paging = call.paging()?;
    let after: usize = paging.before()?.unwrap_or(0);
    let found = suggestion::proposed(call.desk(), &call.caller, (id.0, kind)).await?;
    let most = usize::try_from(paging.one_more()).unwrap_or(usize::MAX);
    let rows = found.suggestions.into_iter().skip(after).take(most);
    let numbered = rows.zip(after.saturating_add(1)..);
    let page = paging.cut(numbered.collect(), |(_, place)| place.to_string());
    ok(&page.map(|(row, _)| SuggestionView::from(row)))
}

/// How much of one project is mapped.
#[derive(Debug, Serialize, ToSchema)]
pub struct CoverageView {
    pub project_id: String,
    pub project: Option<String>,
    /// `budget`: lines of a budget view that have an amount. `codes`: the project's codes, where no view shows a budget.
    pub basis: &'static str,
    /// The budget view's name.
    pub view: Option<String>,
    /// Lines with a mapping row, and all.
    pub mapped: usize,
    pub total: usize,
    /// Rounded down, so that 100 is all of them; null where there is nothing to map.
    pub percent: Option<usize>,
    pub currency: Option<String>,
    pub amount_mapped: String,
    pub amount_total: String,
    /// Lines without a row, the largest amount first.
    pub unmapped: Vec<UnmappedView>,
    pub read_at: String,
}

/// A line that no row of the mapping fits.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnmappedView {
    pub cost_code: String,
    pub cost_type: String,
    pub sub_job: String,
    pub name: String,
    pub amount: String,
}

impl From<BudgetLine> for UnmappedView {
    fn from(line: BudgetLine) -> Self {
        Self {
            cost_code: line.coding.cost_code,
            cost_type: line.coding.cost_type,
            sub_job: line.coding.sub_job,
            name: line.name,
            amount: plain(line.amount),
        }
    }
}

impl From<ProjectCoverage> for CoverageView {
    fn from(found: ProjectCoverage) -> Self {
        let coverage = found.coverage;
        Self {
            project_id: found.project,
            project: found.name,
            basis: if found.view.is_some() {
                "budget"
            } else {
                "codes"
            },
            view: found.view,
            mapped: coverage.mapped,
            total: coverage.total,
            percent: coverage.percent(),
            currency: found.currency,
            amount_mapped: plain(coverage.amount_mapped),
            amount_total: plain(coverage.amount_total),
            unmapped: coverage
                .unmapped
                .into_iter()
                .map(UnmappedView::from)
                .collect(),
            read_at: found.read_at.to_string(),
        }
    }
}

/// `GET /api/v1/pairs/{id}/coverage`.
///
/// # Errors
/// `missing`.
pub async fn coverage(call: Call, id: Id<PairId>) -> Answer {
    let paging = call.paging()?;
    let after: usize = paging.before()?.unwrap_or(0);
    let found = suggestion::coverage(call.desk(), &call.caller, id.0).await?;
    let most = usize::try_from(paging.one_more()).unwrap_or(usize::MAX);
    let rows = found.into_iter().skip(after).take(most);
    let numbered = rows.zip(after.saturating_add(1)..);
    let page = paging.cut(numbered.collect(), |(_, place)| place.to_string());
    ok(&page.map(|(row, _)| CoverageView::from(row)))
}
