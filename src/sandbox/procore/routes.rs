//! Which path is answered where. What is not in this list answers 404.

use serde_json::json;

use super::refuse::{self, Outcome};
use super::world::{ContractKind, World};
use super::{budget, code, company, contract, line, project, reference, vendor};
use crate::sandbox::kit::{Call, Reply};

const WBS: &str = "work_breakdown_structure";

/// Answers a call whose token and company were checked; `parts` is its path after `/rest`.
pub(super) fn answer(world: &mut World, call: &Call, parts: &[&str]) -> Outcome {
    if let Some(reply) = withheld(world, call, parts) {
        return reply;
    }
    match (call.method.as_str(), parts) {
        ("GET", ["v1.0", "me"]) => company::me(),
        ("GET", ["v1.0", "companies"]) => company::list(),
        ("GET", ["v1.0" | "v1.1" | "v1.2" | "v1.3", "companies", id, "me"]) => company::me_in(id),
        ("GET", ["v1.0", "companies", id, "projects"]) => {
            super::access::is_ours(id)?;
            project::list_of_company(world, call)
        }
        ("GET", ["v1.0" | "v1.1", "projects"]) => project::list(world, call),
        ("GET", ["v1.0", "projects", id]) => project::show(world, call, id),
        ("GET", ["v1.0", "companies", id, "uoms"]) => reference::list_units(world, call, id),
        ("GET", ["v1.0", "tax_codes"]) => reference::list_tax_codes(world, call),
        ("GET", ["v1.0", "cost_codes"]) => code::list_cost_codes(world, call),
        ("GET", ["v1.0", "cost_codes", id]) => code::show_cost_code(world, call, id),
        ("GET", ["v1.0", "sub_jobs"]) => code::list_sub_jobs(world, call),
        ("GET", ["v1.0", "sub_jobs", id]) => code::show_sub_job(world, call, id),
        ("GET", ["v1.0", "line_item_types"]) => code::list_cost_types(world, call),
        ("GET", ["v1.0", "projects", id, WBS, "wbs_codes"]) => {
            code::list_wbs_codes(world, call, id)
        }
        ("GET", ["v1.0", "budget_views", rest @ ..]) => budget::answer(world, call, rest),
        (_, ["v1.0", "companies", id, "vendors", "inactive", rest @ ..]) => {
            inactive(world, call, id, rest)
        }
        (_, ["v1.0", "vendors", rest @ ..]) => vendors(world, call, rest),
        (_, ["v1.0", "purchase_order_contracts", rest @ ..]) => {
            contracts(world, call, ContractKind::PurchaseOrder, rest)
        }
        (_, ["v1.0", "work_order_contracts", rest @ ..]) => {
            contracts(world, call, ContractKind::WorkOrder, rest)
        }
        _ => Err(refuse::not_found()),
    }
}

fn vendors(world: &mut World, call: &Call, rest: &[&str]) -> Outcome {
    match (call.method.as_str(), rest) {
        ("GET", []) => vendor::list(world, call),
        ("POST", []) => vendor::create(world, call),
        ("PATCH", ["sync"]) => vendor::sync_all(world, call),
        ("GET", [id]) => vendor::show(world, call, id),
        ("PATCH", [id]) => vendor::update(world, call, id),
        ("POST" | "PATCH", [id, "business_register"]) => vendor::register(world, call, id),
        _ => Err(refuse::not_found()),
    }
}

fn inactive(world: &mut World, call: &Call, company_id: &str, rest: &[&str]) -> Outcome {
    match (call.method.as_str(), rest) {
        ("GET", []) => vendor::list_inactive(world, call, company_id),
        ("PATCH", [id]) => vendor::reactivate(world, company_id, id),
        _ => Err(refuse::not_found()),
    }
}

fn contracts(world: &mut World, call: &Call, kind: ContractKind, rest: &[&str]) -> Outcome {
    match (call.method.as_str(), rest) {
        ("GET", []) => contract::list(world, call, kind),
        ("POST", []) => contract::create(world, call, kind),
        ("PATCH", ["sync"]) => contract::sync_all(world, call, kind),
        ("GET", [id]) => contract::show(world, call, kind, id),
        ("PATCH", [id]) => contract::update(world, call, kind, id),
        ("DELETE", [id]) => contract::delete(world, call, kind, id),
        ("GET", [id, "line_items"]) => line::list(world, call, kind, id),
        ("POST", [id, "line_items"]) => line::create(world, call, kind, id),
        ("PATCH", [id, "line_items", "sync"]) => line::sync_all(world, call, kind, id),
        ("GET", [id, "line_items", line]) => line::show(world, call, kind, (*id, *line)),
        ("PATCH", [id, "line_items", line]) => line::update(world, call, kind, (*id, *line)),
        ("DELETE", [id, "line_items", line]) => line::delete(world, call, kind, (*id, *line)),
        _ => Err(refuse::not_found()),
    }
}

/// What the settings keep from the service account. The vendor answers 403 for a tool without a
/// right, but an empty list or 404 where it hides that there is one.
/// Source: Procore troubleshooting page, read 2026-11-22.
fn withheld(world: &World, call: &Call, parts: &[&str]) -> Option<Outcome> {
    let is_among = |names: &[String]| {
        parts
            .iter()
            .any(|part| names.iter().any(|name| name == part))
    };
    if is_among(&world.settings.forbidden) {
        let text = "You do not have permission to perform this action";
        return Some(Err(refuse::forbidden(text)));
    }
    if !is_among(&world.settings.hidden) {
        return None;
    }
    let names_one = parts.last().is_some_and(|part| part.parse::<i64>().is_ok());
    if call.method != "GET" || names_one {
        return Some(Err(refuse::not_found()));
    }
    let empty = Reply::json(200, &json!([]));
    Some(Ok(empty.header("Total", "0").header("Per-Page", "100")))
}
