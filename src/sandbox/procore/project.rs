//! Projects: read only here.

use serde_json::{Value, json};

use super::body::{path_id, picked, required_id};
use super::filter::{Filters, values};
use super::page::{self, Sizes};
use super::refuse::{self, Outcome};
use super::seed;
use super::shape::stamp;
use super::world::{Project, World};
use crate::sandbox::kit::{Call, Reply};

/// Source: Procore projects v1.1 list, read 2026-11-22.
const PAGE_SIZE_MAX: usize = 300;

const FIELDS: [&str; 19] = [
    "name",
    "display_name",
    "project_number",
    "address",
    "city",
    "state_code",
    "country_code",
    "zip",
    "county",
    "time_zone",
    "stage",
    "phone",
    "origin_id",
    "origin_data",
    "origin_code",
    "total_value",
    "start_date",
    "completion_date",
    "accounting_project_number",
];

/// `GET /projects`, which wants the company in the query.
pub(super) fn list(world: &World, call: &Call) -> Outcome {
    required_id(call, "company_id")?;
    list_of_company(world, call)
}

/// `GET /companies/{id}/projects`.
pub(super) fn list_of_company(world: &World, call: &Call) -> Outcome {
    let filters = Filters::read(call)?;
    let numbers = values(call, "project_number");
    let is_asked = |project: &&Project| {
        let number = project.fields.get("project_number").and_then(Value::as_str);
        let by_number = |number| numbers.iter().any(|asked| asked == number);
        world.settings.permits_project(project.id)
            && filters.admit_id(project.id)
            && filters.admit_times(project.created_at, project.updated_at)
            && filters.admit_origin(project.fields.get("origin_id").and_then(Value::as_str))
            && (numbers.is_empty() || number.is_some_and(by_number))
    };
    let found: Vec<&Project> = world.projects.iter().filter(is_asked).collect();
    let sizes = Sizes::of(&world.settings).at_most(PAGE_SIZE_MAX);
    Ok(page::answer(sizes, call, &found, |project| shown(project)))
}

pub(super) fn show(world: &World, call: &Call, id: &str) -> Outcome {
    required_id(call, "company_id")?;
    let project = world.project(path_id(id)?).ok_or_else(refuse::not_found)?;
    Ok(Reply::json(200, &shown(project)))
}

fn shown(project: &Project) -> Value {
    let mut fields = picked(&project.fields, &FIELDS);
    fields.insert("id".into(), json!(project.id));
    fields.insert("active".into(), json!(true));
    fields.insert("is_demo".into(), json!(false));
    fields.insert("created_at".into(), json!(stamp(project.created_at)));
    fields.insert("updated_at".into(), json!(stamp(project.updated_at)));
    let company = json!({"id": seed::COMPANY_ID, "name": seed::COMPANY_NAME});
    fields.insert("company".into(), company);
    fields.insert("custom_fields".into(), json!({}));
    Value::Object(fields)
}
