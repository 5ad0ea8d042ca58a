//! Budget views and their detail rows. Read only here; there is no list of budget lines.
//!
//! Source: Procore REST reference, budget views, detail columns and detail rows v1.0, read 2026-11-22. A row shows
//! the columns of its view beside the fixed ones. Assumed: `budgeted` rows are those with a budget line, the others
//! are codes that contracts use; without `budget_row_type` the budgeted ones are listed; the texts of codes.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::body::{path_id, project_id};
use super::page::{self, Sizes};
use super::refuse::{self, Outcome};
use super::seed;
use super::shape::amount;
use super::world::{WbsCode, World};
use crate::sandbox::kit::Call;

/// Id, name, and whether it shows the original budget.
const VIEWS: [(i64, &str, bool); 2] = [
    (71_001, "Cash flow", false),
    (71_002, "Standard budget", true),
];

const MADE: &str = "2026-01-12T15:04:05Z";

pub(super) fn answer(world: &World, call: &Call, parts: &[&str]) -> Outcome {
    let sizes = Sizes::of(&world.settings);
    match parts {
        [] => Ok(page::answer(sizes, call, &VIEWS, shown)),
        [view, "budget_detail_columns"] => {
            project_id(world, call)?;
            let columns = columns(find(view)?);
            Ok(page::answer(sizes, call, &columns, Value::clone))
        }
        [view, "detail_rows"] => {
            let project = project_id(world, call)?;
            let view = find(view)?;
            let rows = rows(world, call, project);
            Ok(page::answer(sizes, call, &rows, |wbs| {
                row(world, view, wbs)
            }))
        }
        _ => Err(refuse::not_found()),
    }
}

type View = (i64, &'static str, bool);

fn find(id: &str) -> Result<View, crate::sandbox::kit::Reply> {
    let id = path_id(id)?;
    let mut views = VIEWS.into_iter();
    views
        .find(|view| view.0 == id)
        .ok_or_else(refuse::not_found)
}

fn shown((id, name, _): &View) -> Value {
    json!({"id": id, "name": name, "description": null, "created_at": MADE, "updated_at": MADE, "role": "",
        "links": {"detail_rows": format!("/rest/v1.0/budget_views/{id}/detail_rows"),
            "summary_rows": format!("/rest/v1.0/budget_views/{id}/summary_rows")}})
}

fn columns((_, _, has_budget): View) -> Vec<Value> {
    let own: &[(&str, &str)] = if has_budget {
        &[
            ("original_budget_amount", "Original Budget Amount"),
            ("budget_modifications", "Budget Modifications"),
        ]
    } else {
        &[("forecast_to_complete", "Forecast To Complete")]
    };
    let shown = (1..).zip(own).map(|(position, (id, name))| {
        json!({"id": id, "name": name, "position": position, "type": "standard",
            "aggregatable": true, "filterable": true, "groupable": false})
    });
    shown.collect()
}

fn rows<'a>(world: &'a World, call: &Call, project: i64) -> Vec<&'a WbsCode> {
    let kind = call.query("budget_row_type").unwrap_or("budgeted");
    let asked: Vec<i64> = call
        .queries("cost_code_id[]")
        .iter()
        .filter_map(|id| id.parse().ok())
        .collect();
    let used = |wbs: &WbsCode| {
        let mut lines = world
            .contracts
            .values()
            .filter(|contract| contract.project_id == project)
            .flat_map(|contract| &contract.lines);
        lines.any(|line| line.wbs_code_id == wbs.id)
    };
    let found = world.wbs_codes.values().filter(|wbs| {
        let is_in = match kind {
            "budgeted" => wbs.budget.is_some(),
            "unbudgeted" => wbs.budget.is_none() && used(wbs),
            _ => wbs.budget.is_some() || used(wbs),
        };
        is_in
            && wbs.project_id == project
            && (asked.is_empty() || asked.contains(&wbs.cost_code_id))
    });
    found.collect()
}

fn row(world: &World, (_, _, has_budget): View, wbs: &WbsCode) -> Value {
    let project = world
        .projects
        .iter()
        .find(|project| project.id == wbs.project_id);
    let name = project.and_then(|project| project.fields.get("name"));
    let code = world.cost_codes.get(&wbs.cost_code_id);
    let job = code.and_then(|code| {
        let id = code.sub_job_id?;
        world.sub_jobs.iter().find(|job| job.id == id)
    });
    let category = seed::COST_TYPES
        .iter()
        .find(|row| row.0 == wbs.cost_type_id);
    let text = code.map(|code| format!("{} - {}", code.full_code, code.name));
    let mut row = Map::from_iter([
        ("id".to_owned(), json!(wbs.id + 1_000_000)),
        ("deletable".to_owned(), json!(false)),
        ("company_id".to_owned(), json!(seed::COMPANY_ID)),
        ("company".to_owned(), json!(seed::COMPANY_NAME)),
        ("project_id".to_owned(), json!(wbs.project_id)),
        ("project".to_owned(), json!(name)),
        ("wbs_code_id".to_owned(), json!(wbs.id)),
        ("cost_code_id".to_owned(), json!(wbs.cost_code_id)),
        ("cost_code".to_owned(), json!(text)),
        ("cost_code_origin_id".to_owned(), Value::Null),
        ("root_cost_code_id".to_owned(), json!(wbs.cost_code_id)),
        ("root_cost_code".to_owned(), json!(text)),
        ("category_id".to_owned(), json!(wbs.cost_type_id)),
        (
            "category".to_owned(),
            json!(category.map(|(_, code, name, _)| format!("{name} ({code})"))),
        ),
        (
            "biller_type".to_owned(),
            json!(if job.is_some() { "SubJob" } else { "Project" }),
        ),
        (
            "biller_id".to_owned(),
            json!(job.map_or(wbs.project_id, |job| job.id)),
        ),
        (
            "biller".to_owned(),
            job.map_or(json!(name), |job| json!(job.name)),
        ),
        (
            "currency_configuration".to_owned(),
            json!({"currency_iso_code": project.map(|project| &project.currency)}),
        ),
        (
            "unbudgeted_reason".to_owned(),
            json!(wbs.budget.is_none().then_some("Used by a commitment")),
        ),
    ]);
    if has_budget {
        let planned = wbs.budget.unwrap_or_default();
        row.insert(
            "original_budget_amount".to_owned(),
            json!(amount(planned, wbs.id)),
        );
        row.insert(
            "budget_modifications".to_owned(),
            json!(amount(Decimal::ZERO, wbs.id)),
        );
    }
    Value::Object(row)
}
