//! Cost codes, cost types, sub jobs and the WBS codes that join them. Read only here.
//!
//! Source: Procore REST reference, cost codes, line item types, sub jobs and WBS codes, read 2026-11-22.
//! Only WBS codes have a date filter. Assumed: without `sub_job_id` the list holds the project's own cost
//! codes, and a sub job's text stands first in its WBS codes.

use serde_json::{Value, json};

use super::body::{path_id, project_id};
use super::filter::{Filters, values};
use super::page::{self, Sizes};
use super::refuse::{self, Outcome};
use super::seed;
use super::shape::{moment, stamp};
use super::world::{CostCode, SubJob, WbsCode, World};
use crate::sandbox::kit::{Call, Reply};

/// When the seed's codes were made.
const MADE: &str = "2026-01-12T15:04:05Z";

pub(super) fn list_cost_codes(world: &World, call: &Call) -> Outcome {
    let project_id = project_id(world, call)?;
    let filters = Filters::read(call)?;
    let sub_job = call.query("sub_job_id").and_then(|id| id.parse().ok());
    let is_asked = |code: &&CostCode| {
        code.project_id == project_id && code.sub_job_id == sub_job && filters.admit_id(code.id)
    };
    let found: Vec<&CostCode> = world.cost_codes.values().filter(is_asked).collect();
    let sizes = Sizes::of(&world.settings);
    Ok(page::answer(sizes, call, &found, |code| {
        cost_code(world, code)
    }))
}

pub(super) fn show_cost_code(world: &World, call: &Call, id: &str) -> Outcome {
    let project_id = project_id(world, call)?;
    let code = world.cost_codes.get(&path_id(id)?);
    let code = code.filter(|code| code.project_id == project_id);
    let code = code.ok_or_else(refuse::not_found)?;
    Ok(Reply::json(200, &cost_code(world, code)))
}

pub(super) fn list_sub_jobs(world: &World, call: &Call) -> Outcome {
    let project_id = project_id(world, call)?;
    let is_asked = |job: &&SubJob| job.project_id == project_id;
    let found: Vec<&SubJob> = world.sub_jobs.iter().filter(is_asked).collect();
    let sizes = Sizes::of(&world.settings);
    Ok(page::answer(sizes, call, &found, |job| sub_job(job)))
}

pub(super) fn show_sub_job(world: &World, call: &Call, id: &str) -> Outcome {
    let (project_id, id) = (project_id(world, call)?, path_id(id)?);
    let mut jobs = world.sub_jobs.iter();
    let job = jobs.find(|job| job.id == id && job.project_id == project_id);
    Ok(Reply::json(
        200,
        &sub_job(job.ok_or_else(refuse::not_found)?),
    ))
}

pub(super) fn list_cost_types(world: &World, call: &Call) -> Outcome {
    if call.query("company_id").is_none() && call.query("project_id").is_none() {
        return Err(refuse::bad_request("company_id", "is missing"));
    }
    let sizes = Sizes::of(&world.settings);
    Ok(page::answer(sizes, call, &seed::COST_TYPES, |row| {
        cost_type(row.0)
    }))
}

pub(super) fn list_wbs_codes(world: &World, call: &Call, project: &str) -> Outcome {
    let project = world.project(path_id(project)?);
    let project_id = project.ok_or_else(refuse::not_found)?.id;
    let filters = Filters::read(call)?;
    let statuses = values(call, "status");
    let made = moment(MADE).unwrap_or(world.now);
    let is_asked = |wbs: &&WbsCode| {
        wbs.project_id == project_id
            && filters.admit_id(wbs.id)
            && filters.admit_times(made, wbs.updated_at)
            && (statuses.is_empty() || statuses.contains(&wbs.status))
    };
    let found: Vec<&WbsCode> = world.wbs_codes.values().filter(is_asked).collect();
    let sizes = Sizes::of(&world.settings);
    Ok(page::answer(sizes, call, &found, |wbs| {
        wbs_code(world, wbs)
    }))
}

/// As its list shows it.
pub(super) fn shown(world: &World, id: i64) -> Value {
    let wbs = world.wbs_codes.get(&id);
    wbs.map_or(Value::Null, |wbs| wbs_code(world, wbs))
}

/// As a line carries it.
pub(super) fn wbs_of_line(world: &World, id: i64) -> Value {
    let wbs = world.wbs_codes.get(&id);
    wbs.map_or(
        Value::Null,
        |wbs| json!({"id": wbs.id, "flat_code": wbs.flat_code, "description": wbs.description}),
    )
}

pub(super) fn cost_code_of_line(world: &World, wbs_code_id: i64) -> Value {
    let wbs = world.wbs_codes.get(&wbs_code_id);
    let code = wbs.and_then(|wbs| world.cost_codes.get(&wbs.cost_code_id));
    code.map_or(Value::Null, |code| cost_code(world, code))
}

pub(super) fn cost_type_of_line(world: &World, wbs_code_id: i64) -> Value {
    let wbs = world.wbs_codes.get(&wbs_code_id);
    wbs.map_or(Value::Null, |wbs| cost_type(wbs.cost_type_id))
}

fn cost_code(world: &World, code: &CostCode) -> Value {
    let project = world
        .projects
        .iter()
        .find(|project| project.id == code.project_id);
    let biller = project.and_then(|project| project.fields.get("name"));
    let job = sub_job_of(world, code);
    let (biller, biller_id, biller_type) = match job {
        Some(job) => (json!(job.name), job.id, "SubJob"),
        None => (json!(biller), code.project_id, "Project"),
    };
    let last = code.full_code.rsplit('-').next();
    json!({
        "id": code.id,
        "name": code.name,
        "full_code": code.full_code,
        "code": last,
        "sortable_code": code.full_code,
        "origin_id": null,
        "origin_data": null,
        "standard_cost_code_id": null,
        "biller": biller,
        "biller_id": biller_id,
        "biller_type": biller_type,
        "biller_origin_id": null,
        "budgeted": true,
        "parent": {"id": null},
        "position": null,
        "line_item_types": [],
        "created_at": MADE,
        "updated_at": MADE,
        "deleted_at": null,
    })
}

fn sub_job_of<'a>(world: &'a World, code: &CostCode) -> Option<&'a SubJob> {
    let id = code.sub_job_id?;
    world.sub_jobs.iter().find(|job| job.id == id)
}

fn sub_job(job: &SubJob) -> Value {
    json!({"id": job.id, "code": job.code, "name": job.name, "origin_id": null, "origin_data": null,
        "created_at": MADE, "updated_at": MADE})
}

fn cost_type(id: i64) -> Value {
    let row = seed::COST_TYPES.iter().find(|row| row.0 == id);
    row.map_or(Value::Null, |(id, code, name, base_type)| {
        json!({"id": id, "name": name, "code": code, "base_type": base_type,
            "origin_data": null, "origin_id": null})
    })
}

fn wbs_code(world: &World, wbs: &WbsCode) -> Value {
    let cost_code = world.cost_codes.get(&wbs.cost_code_id);
    let cost_type = seed::COST_TYPES
        .iter()
        .find(|row| row.0 == wbs.cost_type_id);
    let code_item = cost_code.map(|code| (code.id, code.full_code.as_str(), code.name.as_str()));
    let type_item = cost_type.map(|(id, code, name, _)| (*id, *code, *name));
    let job = cost_code.and_then(|code| sub_job_of(world, code));
    let job_item = job.map(|job| (job.id, job.code, job.name));
    let segments = [
        ("sub_job", job_item),
        ("cost_code", code_item),
        ("line_item_type", type_item),
    ];
    let are_shown = world.settings.wbs_segments;
    let items: Vec<Value> = segments
        .iter()
        .filter(|_| are_shown)
        .filter_map(|(kind, item)| {
            let (id, code, name) = (*item)?;
            Some(
                json!({"id": id, "code": code, "name": name, "parent_id": null,
                "created_at": MADE, "updated_at": MADE, "segment": {"type": kind}}),
            )
        })
        .collect();
    json!({
        "id": wbs.id,
        "flat_code": wbs.flat_code,
        "flat_name": wbs.flat_name,
        "description": wbs.description,
        "status": wbs.status,
        "wbs_pattern_id": 1,
        "segment_items": items,
        "created_at": MADE,
        "updated_at": stamp(wbs.updated_at),
    })
}
