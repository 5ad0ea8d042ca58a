//! Mapping tables: read and replaced by people. What waits for a row that appears goes on by itself.

use std::collections::BTreeMap;

use super::blockers::Situation;
use super::pair::declaration;
use super::{Desk, DeskError};
use crate::domain::audit::Happened;
use crate::domain::connection::Connection;
use crate::domain::fault::Issue;
use crate::domain::ids::PairId;
use crate::domain::link::End;
use crate::domain::mapping::{CheckedRow, Columns, MappingKind, Row, Side, check, value};
use crate::domain::member::Caller;
use crate::domain::pair::{Pair, PairStatus};
use crate::domain::record::State;
use crate::engine::Engine;
use crate::engine::catalog::{PairDeclaration, PairFlow, RecordKind};
use crate::store::link::NewLink;
use crate::store::mapping::Replaced;
use crate::store::{self, Scope, StoreError};

/// Rows of one table at most.
const ROWS_MAX: usize = 50_000;
const VALUE_MAX: usize = 500;

/// The columns of a table.
///
/// # Errors
/// `Missing` when there is no such pair, or its kind has no such table.
pub async fn columns(
    desk: &Desk,
    caller: &Caller,
    pair: PairId,
    kind: MappingKind,
) -> Result<&'static Columns, DeskError> {
    let scope = desk.store().read(caller.tenant_id).await?;
    let pair = store::pair::find(&scope, pair).await?;
    table(declaration(&desk.engine, &pair.kind)?, kind)
}

/// Rows after a position (-1 = from the beginning; positions count from 0), with what was found about them.
///
/// # Errors
/// `Missing`.
pub async fn page(
    desk: &Desk,
    caller: &Caller,
    (pair, kind): (PairId, MappingKind),
    (after, limit): (i64, u32),
) -> Result<Vec<CheckedRow>, DeskError> {
    let scope = desk.store().read(caller.tenant_id).await?;
    let found = store::pair::find(&scope, pair).await?;
    table(declaration(&desk.engine, &found.kind)?, kind)?;
    Ok(store::mapping::page(&scope, pair, kind, after, limit).await?)
}

/// A whole table with its columns.
///
/// # Errors
/// `Missing`.
pub async fn whole(
    desk: &Desk,
    caller: &Caller,
    (pair, kind): (PairId, MappingKind),
) -> Result<(&'static Columns, Vec<Row>), DeskError> {
    let scope = desk.store().read(caller.tenant_id).await?;
    let found = store::pair::find(&scope, pair).await?;
    let columns = table(declaration(&desk.engine, &found.kind)?, kind)?;
    let rows = store::mapping::rows(&scope, pair, kind).await?;
    Ok((
        columns,
        rows.into_iter().map(|checked| checked.row).collect(),
    ))
}

/// Replaces a whole table, or nothing of it.
///
/// # Errors
/// `Missing`; `Invalid` with the issues of every row at `/rows/{n}`; `Blocked` when an active pair would
/// take another one's project.
pub async fn replace(
    desk: &Desk,
    caller: &Caller,
    (pair, kind): (PairId, MappingKind),
    rows: Vec<Row>,
) -> Result<Replaced, DeskError> {
    let rows: Vec<Row> = rows.into_iter().map(without_empty_cells).collect();
    let engine = desk.engine.clone();
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move {
                let pair = store::pair::find(scope, pair).await?;
                let declared = declaration(&engine, &pair.kind)?;
                let columns = table(declared, kind)?;
                let erp = store::connection::find(scope, pair.erp_connection_id).await?;
                let issues = issues(columns, &rows, &erp);
                if !issues.is_empty() {
                    return Err(DeskError::Invalid(issues));
                }
                let replaced = store::mapping::replace(scope, pair.id, kind, &rows).await?;
                let place = engine.place(&erp);
                match kind {
                    MappingKind::Vendors => {
                        link_all(scope, (declared, &pair), &rows, &place).await?;
                    }
                    MappingKind::Projects => {
                        projects_moved(&engine, scope, (declared, &pair)).await?
                    }
                    _ => {}
                }
                release(scope, (declared, &pair), kind).await?;
                Ok(replaced)
            })
        })
        .await
}

pub(super) fn table(
    kind: &PairDeclaration,
    wanted: MappingKind,
) -> Result<&'static Columns, DeskError> {
    kind.mappings
        .iter()
        .find(|columns| columns.kind == wanted)
        .ok_or(DeskError::Missing("mapping table"))
}

/// An empty cell and an absent one mean the same: "any", or "nothing".
fn without_empty_cells(mut row: Row) -> Row {
    row.project_side.retain(|_, text| !text.is_empty());
    row.erp_side.retain(|_, text| !text.is_empty());
    row
}

fn issues(columns: &Columns, rows: &[Row], erp: &Connection) -> Vec<Issue> {
    if rows.len() > ROWS_MAX {
        let message = format!("a table holds at most {ROWS_MAX} rows");
        return vec![Issue::new("/rows", "too_many", message)];
    }
    let mut issues = check(columns, rows).err().unwrap_or_default();
    for (at, row) in rows.iter().enumerate() {
        let mut add = |code: &str, message: String| {
            issues.push(Issue::new(format!("/rows/{at}"), code, message));
        };
        if let Some(name) = unfit(&row.project_side).or_else(|| unfit(&row.erp_side)) {
            add(
                "malformed",
                format!("{name} holds control characters, or more than {VALUE_MAX} characters"),
            );
        }
        if row.note.chars().count() > VALUE_MAX {
            add(
                "too_long",
                format!("the note has more than {VALUE_MAX} characters"),
            );
        }
        if let Some(message) = other_company(columns.kind, row, erp) {
            add("other_company", message);
        }
    }
    if columns.kind == MappingKind::Vendors {
        issues.extend(shared_suppliers(rows));
    }
    issues
}

fn unfit(side: &Side) -> Option<&str> {
    side.iter()
        .find(|(_, text)| text.chars().any(char::is_control) || text.chars().count() > VALUE_MAX)
        .map(|(name, _)| name.as_str())
}

/// Another company of the ERP is another connection and another pair.
fn other_company(kind: MappingKind, row: &Row, erp: &Connection) -> Option<String> {
    if kind != MappingKind::Projects {
        return None;
    }
    ["cono", "company"].into_iter().find_map(|column| {
        let wanted = value(&row.erp_side, column)?;
        let is = erp.settings.text(column)?;
        (wanted.trim() != is).then(|| {
            format!(
                "erp.{column} is {wanted}, but this pair's connection is for {is}; another company needs a \
                 connection and a pair of its own"
            )
        })
    })
}

/// A link joins one record to one record.
fn shared_suppliers(rows: &[Row]) -> Vec<Issue> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut issues = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let Some(supplier) = value(&row.erp_side, SUPPLIER) else {
            continue;
        };
        if let Some(first) = seen.insert(supplier, at) {
            let message = format!(
                "supplier {supplier} is row {}'s already; one supplier belongs to one vendor",
                first.saturating_add(1)
            );
            issues.push(Issue::new(format!("/rows/{at}"), "duplicate", message));
        }
    }
    issues
}

const VENDOR: &str = "vendor_id";
const SUPPLIER: &str = "supplier";

/// Makes or moves the link of every row, and releases what waits for its vendor.
async fn link_all(
    scope: &Scope,
    (kind, pair): (&PairDeclaration, &Pair),
    rows: &[Row],
    place: &str,
) -> Result<(), DeskError> {
    let flow = kind
        .flows
        .iter()
        .find(|flow| flow.record == RecordKind::Vendor);
    let Some(flow) = flow else { return Ok(()) };
    let mut moved = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let (Some(vendor), Some(supplier)) = (
            value(&row.project_side, VENDOR),
            value(&row.erp_side, SUPPLIER),
        ) else {
            continue;
        };
        let before = store::link::of_source(scope, pair.id, &flow.entity, vendor).await?;
        match before {
            Some(link) if link.target.id == supplier => {}
            Some(_) => {
                // Two rows may exchange their suppliers: both let go before either takes.
                store::link::remove(scope, pair.id, &flow.entity, vendor).await?;
                moved.push((at, vendor, supplier));
            }
            None => moved.push((at, vendor, supplier)),
        }
    }
    let mut issues = Vec::new();
    for (at, vendor, supplier) in moved {
        let link = NewLink {
            pair: pair.id,
            entity: flow.entity.clone(),
            place: place.to_owned(),
            source: End {
                system: kind.project.system.clone(),
                id: vendor.to_owned(),
            },
            target: End {
                system: kind.erp.system.clone(),
                id: supplier.to_owned(),
            },
            matched_by: "mapping".to_owned(),
            draft_digest: None,
        };
        match store::link::put(scope, link).await {
            Ok(()) => linked(scope, pair.id, flow, (vendor, supplier)).await?,
            Err(StoreError::Taken(_)) => {
                let message = format!("supplier {supplier} is linked to another vendor already");
                issues.push(Issue::new(format!("/rows/{at}"), "taken", message));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if issues.is_empty() {
        Ok(())
    } else {
        Err(DeskError::Invalid(issues))
    }
}

async fn linked(
    scope: &Scope,
    pair: PairId,
    flow: &PairFlow,
    (vendor, supplier): (&str, &str),
) -> Result<(), StoreError> {
    scope.tell(
        Happened::new("link.set", "pair", pair)
            .with("entity", &flow.entity)
            .with("source", vendor)
            .with("target", supplier)
            .with("matched_by", "mapping"),
    );
    store::wait::release(scope, pair, "vendor", vendor).await?;
    // The vendor's own record may be the one that asked for a choice.
    if let Some(work) = store::record::of_source(scope, pair, flow.name, vendor).await?
        && work.record.state != State::Syncing
    {
        store::record::make_due(scope, work.record.id).await?;
    }
    Ok(())
}

/// Other projects are in scope now: the next run lists everything of them.
async fn projects_moved(
    engine: &Engine,
    scope: &Scope,
    (kind, pair): (&PairDeclaration, &Pair),
) -> Result<(), DeskError> {
    store::cursor::forget(scope, pair.id).await?;
    if pair.status != PairStatus::Active {
        return Ok(());
    }
    let overlaps = Situation::read(engine, scope, pair)
        .await?
        .overlaps(kind, pair);
    if overlaps.is_empty() {
        Ok(())
    } else {
        Err(DeskError::Blocked(overlaps))
    }
}

/// Everything that waits for this table is looked at again. Vendors are released one by one, by their link.
async fn release(
    scope: &Scope,
    (declared, pair): (&PairDeclaration, &Pair),
    kind: MappingKind,
) -> Result<(), StoreError> {
    let waits_as = match kind {
        MappingKind::Vendors => return Ok(()),
        MappingKind::Projects => "project",
        kind => kind.as_str(),
    };
    store::wait::release_kind(scope, pair.id, waits_as).await?;
    if matches!(kind, MappingKind::CostCodes | MappingKind::Accounts) {
        // Another account may be named where one was waited for.
        store::wait::release_kind(scope, pair.id, "dimension").await?;
    }
    // What a row says of a code is judged anew, also where it was found before.
    let codes = declared
        .flows
        .iter()
        .find(|flow| flow.record == RecordKind::CostCode && pair.flow(flow.name).enabled);
    if let Some(flow) = codes.filter(|_| kind == MappingKind::CostCodes) {
        store::record::make_flow_due(scope, pair.id, flow.name).await?;
    }
    Ok(())
}
