//! What people see of codes: proposals for mapping tables, and how much of a project is mapped.

use super::mapping::table;
use super::pair::declaration;
use super::{Desk, DeskError};
use crate::domain::catalogue::{Coverage, Offer};
use crate::domain::clock::Timestamp;
use crate::domain::ids::PairId;
use crate::domain::mapping::{MappingKind, value};
use crate::domain::member::Caller;
use crate::domain::suggest::{Known, Suggestion, suggestions};
use crate::engine::catalog::RecordKind;
use crate::store::chore::{self, Word};
use crate::store::{self, Scope, StoreError};

/// Proposals, and when the codes were read that they are made from.
#[derive(Debug)]
pub struct Proposed {
    pub suggestions: Vec<Suggestion>,
    /// None until both sides were read.
    pub read_at: Option<Timestamp>,
}

/// Proposals for a table. Codes that were never read are read soon; the next look shows more.
///
/// # Errors
/// `Missing`.
pub async fn proposed(
    desk: &Desk,
    caller: &Caller,
    (id, kind): (PairId, MappingKind),
) -> Result<Proposed, DeskError> {
    let scope = desk.store().read(caller.tenant_id).await?;
    let pair = store::pair::find(&scope, id).await?;
    let declared = declaration(&desk.engine, &pair.kind)?;
    table(declared, kind)?;
    let project = store::catalogue::offers(&scope, pair.project_connection_id, kind).await?;
    let erp = store::catalogue::offers(&scope, pair.erp_connection_id, kind).await?;
    let tables = store::mapping::tables(&scope, id).await?;
    let vendors = declared
        .flows
        .iter()
        .find(|flow| flow.record == RecordKind::Vendor);
    let linked = match vendors {
        Some(flow) if kind == MappingKind::Vendors => {
            store::link::keys(&scope, id, &flow.entity).await?
        }
        _ => Vec::new(),
    };
    let (mut offered, project_at) = project.map_or((Vec::new(), None), known);
    let (erp, erp_at) = erp.map_or((Vec::new(), None), known);
    if kind == MappingKind::Currencies {
        offered = currencies(&scope, id).await?;
    }
    drop(scope);
    let read_at = project_at.zip(erp_at).map(|(one, two)| one.min(two));
    if read_at.is_none() {
        load(desk, caller, id).await?;
    }
    let known = Known {
        tables: &tables,
        project: &offered,
        erp: &erp,
        linked: &linked,
    };
    Ok(Proposed {
        suggestions: suggestions(kind, known),
        read_at,
    })
}

fn known((offers, at): (Vec<Offer>, Timestamp)) -> (Vec<Offer>, Option<Timestamp>) {
    (offers, Some(at))
}

/// No system lists them; the documents that were seen name them.
async fn currencies(scope: &Scope, pair: PairId) -> Result<Vec<Offer>, StoreError> {
    let codes = store::record::currencies(scope, pair).await?;
    Ok(codes
        .into_iter()
        .map(|code| Offer::new([("code", code.clone())], &code))
        .collect())
}

/// Asks for the codes of both sides to be read now.
///
/// # Errors
/// `Missing`.
pub async fn load(desk: &Desk, caller: &Caller, pair: PairId) -> Result<(), DeskError> {
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move {
                store::pair::find(scope, pair).await?;
                chore::hasten(scope, pair, Word::Catalogue, scope.now()).await?;
                Ok(())
            })
        })
        .await
}

/// How much of one project is mapped.
#[derive(Debug)]
pub struct ProjectCoverage {
    pub project: String,
    pub name: Option<String>,
    /// The budget view that it was measured with; none: the project's codes.
    pub view: Option<String>,
    pub currency: Option<String>,
    pub coverage: Coverage,
    pub read_at: Timestamp,
}

/// How much of every mapped project of a pair is mapped, by what was last read of its budget and by the rows of now.
///
/// # Errors
/// `Missing`.
pub async fn coverage(
    desk: &Desk,
    caller: &Caller,
    id: PairId,
) -> Result<Vec<ProjectCoverage>, DeskError> {
    let scope = desk.store().read(caller.tenant_id).await?;
    let pair = store::pair::find(&scope, id).await?;
    let tables = store::mapping::tables(&scope, id).await?;
    let budgets = store::catalogue::budgets(&scope, pair.project_connection_id).await?;
    let names = store::known_project::list(&scope, pair.project_connection_id).await?;
    drop(scope);
    let is_in_scope = |key: &str| {
        let mut rows = tables.rows(MappingKind::Projects).iter();
        let is_mapped = rows.any(|row| value(&row.project_side, "project_id") == Some(key));
        is_mapped && pair.settings.projects.include(key)
    };
    let found = budgets
        .into_iter()
        .filter(|(project, ..)| is_in_scope(project))
        .map(|(project, budget, read_at)| ProjectCoverage {
            name: names
                .iter()
                .find(|known| known.key == project)
                .map(|known| known.name.clone()),
            coverage: budget.coverage(&project, &tables),
            view: budget.view,
            currency: budget.currency,
            project,
            read_at,
        });
    Ok(found.collect())
}

/// Adds proposals that a person accepted, each named by its key on the project side. Gives how many rows that made.
/// They are made anew from what is known now, so that nothing is taken from the request but the choice.
///
/// # Errors
/// `Missing`; those of [`super::mapping::replace`].
pub async fn accept(
    desk: &Desk,
    caller: &Caller,
    (id, kind): (PairId, MappingKind),
    is_chosen: impl Fn(&Suggestion) -> bool,
) -> Result<usize, DeskError> {
    let proposed = proposed(desk, caller, (id, kind)).await?;
    let chosen: Vec<_> = proposed
        .suggestions
        .into_iter()
        .filter(is_chosen)
        .map(|suggestion| suggestion.row)
        .collect();
    if chosen.is_empty() {
        return Ok(0);
    }
    let (_, mut rows) = super::mapping::whole(desk, caller, (id, kind)).await?;
    let added = chosen.len();
    rows.extend(chosen);
    super::mapping::replace(desk, caller, (id, kind), rows).await?;
    Ok(added)
}
