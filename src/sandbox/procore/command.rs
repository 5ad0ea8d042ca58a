//! Changes to the company that skip the public API: no token, no locks, no ledger.
//!
//! | call, under `/_sandbox/procore/` | body |
//! | --- | --- |
//! | `POST projects` | `count` more projects with all codes, `name`. Answers `{"ids":[…]}` |
//! | `POST vendors` | a vendor's fields; answers the vendor. With `count`: so many, told apart by name, answered as `{"ids":[…]}` |
//! | `POST vendors/{id}` | fields to change, `business_register_attributes` too |
//! | `POST contracts` | `kind` (`purchase_order`, the default, or `subcontract`), `project_id`, any field, `status` (default `Approved`), `lines`: a list of line attributes or a number of made-up ones; `count` makes that many, dealt out in turn to `project_ids` and `vendor_ids` where these are given. Answers `{"ids":[…]}` |
//! | `POST contracts/{id}` | fields to change, status and vendor included |
//! | `POST contracts/{id}/lines` | a new line's attributes; `wbs_code`: `"03-300.M"` names its code |
//! | `POST contracts/{id}/lines/{line}` | attributes to change |
//! | `DELETE contracts/{id}` | deleted as the API would |
//! | `POST wbs_codes` | `project_id`, `cost_code`, `cost_type` (its code), `name`; a code that is there already is answered as it is |
//! | `POST wbs_codes/{id}` | `status`, `description`, `budget` (a decimal, or null for none) |
//!
//! Every change touches `updated_at` of what it changes, to the sandbox's time.

use serde_json::{Value, json};

use super::body::{self, path_id, text};
use super::code;
use super::contract::Contracts;
use super::contract_view::whole;
use super::line::Lines;
use super::planting::{add_project, add_wbs_code};
use super::refuse::{self, Outcome};
use super::seed;
use super::shape;
use super::sync::Resource;
use super::vendor::Vendors;
use super::world::{Contract, ContractKind, Fields, World};
use crate::sandbox::kit::{Call, Reply};

pub(super) fn answer(world: &mut World, call: &Call, parts: &[&str]) -> Outcome {
    let was_relaxed = world.settings.relaxed_locks;
    world.settings.relaxed_locks = true;
    let outcome = unlocked(world, call, parts);
    world.settings.relaxed_locks = was_relaxed;
    outcome
}

fn unlocked(world: &mut World, call: &Call, parts: &[&str]) -> Outcome {
    let given = body::object(call)?;
    match (call.method.as_str(), parts) {
        ("POST", ["projects"]) => add_projects(world, &given),
        ("POST", ["vendors"]) if given.contains_key("count") => add_vendors(world, &given),
        ("POST", ["vendors"]) => {
            let id = Vendors.create(world, &given).map_err(refuse::invalid)?;
            Ok(Reply::json(201, &Vendors.show(world, id)))
        }
        ("POST", ["vendors", id]) => change(world, &Vendors, id, &given),
        ("POST", ["wbs_codes"]) => add_code(world, &given),
        ("POST", ["wbs_codes", id]) => change_code(world, id, &given),
        ("POST", ["contracts"]) => add_contracts(world, &given),
        ("POST", ["contracts", id]) => {
            let contracts = holding(world, id)?;
            change(world, &contracts, id, &given)
        }
        ("DELETE", ["contracts", id]) => {
            let now = world.now;
            let contract = world.contracts.get_mut(&path_id(id)?);
            let contract = contract.ok_or_else(refuse::not_found)?;
            contract.deleted_at = Some(now);
            contract.updated_at = now;
            Ok(Reply::empty(204))
        }
        ("POST", ["contracts", id, "lines"]) => {
            let contract_id = find(world, id)?.id;
            let line_id = add_line(world, contract_id, given)?;
            let lines = Lines::of_contract(contract_id);
            Ok(Reply::json(201, &lines.show(world, line_id)))
        }
        ("POST", ["contracts", id, "lines", line]) => {
            let lines = Lines::of_contract(find(world, id)?.id);
            change(world, &lines, line, &given)
        }
        _ => Err(refuse::not_found()),
    }
}

fn change(world: &mut World, resource: &impl Resource, id: &str, given: &Fields) -> Outcome {
    let id = path_id(id)?;
    if !resource.has(world, id) {
        return Err(refuse::not_found());
    }
    resource.update(world, id, given).map_err(refuse::invalid)?;
    Ok(Reply::json(200, &resource.show(world, id)))
}

fn find<'a>(world: &'a World, id: &str) -> Result<&'a Contract, Reply> {
    let contract = world.contracts.get(&path_id(id)?);
    contract.ok_or_else(refuse::not_found)
}

fn holding(world: &World, id: &str) -> Result<Contracts, Reply> {
    let contract = find(world, id)?;
    Ok(Contracts {
        kind: contract.kind,
        project_id: contract.project_id,
    })
}

fn count(given: &Fields) -> u64 {
    given.get("count").and_then(Value::as_u64).unwrap_or(1)
}

fn add_projects(world: &mut World, given: &Fields) -> Outcome {
    let name = text(given, "name").unwrap_or("Sandbox project");
    let ids = (1..=count(given)).map(|number| add_project(world, &format!("{name} {number}")));
    let ids: Vec<i64> = ids.collect();
    Ok(Reply::json(201, &json!({"ids": ids})))
}

fn add_vendors(world: &mut World, given: &Fields) -> Outcome {
    let name = text(given, "name").unwrap_or("Sandbox vendor");
    let ids = (1..=count(given)).map(|number| {
        let mut fields = Fields::from_iter([("country_code".to_owned(), json!("US"))]);
        fields.extend(given.clone());
        // Words that no two of them share, or they would look alike to whoever compares names.
        let word = letters(world.next_id + 1);
        fields.insert("name".into(), json!(format!("{name} {word} {number}")));
        Vendors.create(world, &fields).map_err(refuse::invalid)
    });
    let ids = ids.collect::<Result<Vec<i64>, Reply>>()?;
    Ok(Reply::json(201, &json!({"ids": ids})))
}

/// A number as letters.
fn letters(number: i64) -> String {
    let digits = number.to_string();
    let letters = digits
        .bytes()
        .map(|digit| char::from(digit + (b'K' - b'0')));
    letters.collect()
}

fn add_code(world: &mut World, given: &Fields) -> Outcome {
    let asked = |name: &str| text(given, name).filter(|text| !text.is_empty());
    let first = seed::PROJECT_IDS.first().copied();
    let project_id = given.get("project_id").and_then(shape::id).or(first);
    let project_id = project_id.unwrap_or_default();
    world.project(project_id).ok_or_else(refuse::not_found)?;
    let full_code =
        asked("cost_code").ok_or_else(|| refuse::bad_request("cost_code", "is missing"))?;
    let cost_type = asked("cost_type").unwrap_or("M");
    let name = asked("name").unwrap_or(full_code);
    let id = add_wbs_code(world, project_id, (full_code, name), cost_type)
        .ok_or_else(|| refuse::bad_request("cost_type", "is not included in the list"))?;
    Ok(Reply::json(201, &code::shown(world, id)))
}

fn change_code(world: &mut World, id: &str, given: &Fields) -> Outcome {
    let (id, now) = (path_id(id)?, world.now);
    let wbs = world.wbs_codes.get_mut(&id).ok_or_else(refuse::not_found)?;
    if let Some(status) = text(given, "status") {
        wbs.status = status.to_owned();
    }
    if let Some(description) = text(given, "description") {
        wbs.description = description.to_owned();
    }
    if let Some(budget) = given.get("budget") {
        wbs.budget = shape::decimal(budget);
    }
    wbs.updated_at = now;
    Ok(Reply::json(200, &code::shown(world, id)))
}

fn add_contracts(world: &mut World, given: &Fields) -> Outcome {
    let mut ids = Vec::new();
    for turn in 0..count(given) {
        let mut dealt = given.clone();
        for (name, list) in [("project_id", "project_ids"), ("vendor_id", "vendor_ids")] {
            if let Some(id) = dealt_out(given.get(list), turn) {
                dealt.insert(name.to_owned(), id.clone());
            }
        }
        ids.push(add_contract(world, &dealt)?);
    }
    Ok(Reply::json(201, &json!({"ids": ids})))
}

/// The list's next item, from the beginning again after the last.
fn dealt_out(list: Option<&Value>, turn: u64) -> Option<&Value> {
    let list = list?.as_array()?;
    let turn = usize::try_from(turn).ok()?;
    list.get(turn.checked_rem(list.len())?)
}

fn add_contract(world: &mut World, given: &Fields) -> Result<i64, Reply> {
    let kind = match text(given, "kind") {
        None | Some("purchase_order") => ContractKind::PurchaseOrder,
        Some("subcontract") => ContractKind::WorkOrder,
        Some(_) => return Err(refuse::bad_request("kind", "is not included in the list")),
    };
    let first = seed::PROJECT_IDS.first().copied();
    let asked = given.get("project_id").and_then(shape::id);
    let project_id = asked.or(first).unwrap_or_default();
    world.project(project_id).ok_or_else(refuse::not_found)?;
    let contracts = Contracts { kind, project_id };
    let mut fields = given.clone();
    fields.entry("status").or_insert(json!("Approved"));
    fields.entry("accounting_method").or_insert(json!("unit"));
    fields
        .entry("title")
        .or_insert(json!("Made in the sandbox"));
    let vendors = seed::LOOK_ALIKE_VENDOR_IDS.first();
    fields.entry("vendor_id").or_insert(json!(vendors));
    let id = contracts.create(world, &fields).map_err(refuse::invalid)?;
    for attributes in line_attributes(given.get("lines")) {
        add_line(world, id, attributes)?;
    }
    Ok(id)
}

/// The lines as given, or that many with amounts that differ.
fn line_attributes(lines: Option<&Value>) -> Vec<Fields> {
    if let Some(Value::Array(given)) = lines {
        let objects = given.iter().filter_map(Value::as_object);
        return objects.cloned().collect();
    }
    let count = lines.and_then(Value::as_u64).unwrap_or(1);
    let made_up = (1..=count).map(|number| {
        let line = json!({
            "description": format!("Line {number}"),
            "wbs_code": "03-300.M",
            "quantity": number.to_string(),
            "unit_cost": format!("{}.25", number % 90 + 10),
            "uom": "ea",
        });
        line.as_object().cloned().unwrap_or_default()
    });
    made_up.collect()
}

fn add_line(world: &mut World, contract_id: i64, mut given: Fields) -> Result<i64, Reply> {
    if let Some(Value::String(flat_code)) = given.remove("wbs_code") {
        let contract = world.contracts.get(&contract_id);
        let project_id = contract.map(|contract| contract.project_id);
        let wbs = project_id.and_then(|project_id| world.wbs_named(project_id, &flat_code));
        given.insert("wbs_code_id".into(), json!(wbs));
    }
    let lines = Lines::of_contract(contract_id);
    lines.create(world, &given).map_err(refuse::invalid)
}

/// Counts, and every object as the API shows it.
pub(super) fn state(world: &World) -> Value {
    let vendors: Vec<Value> = world
        .vendors
        .keys()
        .map(|id| Vendors.show(world, *id))
        .collect();
    let contracts = world.contracts.values();
    let contracts: Vec<Value> = contracts.map(|held| whole(world, held)).collect();
    json!({
        "counts": {
            "projects": world.projects.len(),
            "vendors": world.vendors.len(),
            "contracts": world.contracts.len(),
            "cost_codes": world.cost_codes.len(),
            "wbs_codes": world.wbs_codes.len(),
        },
        "vendors": vendors,
        "contracts": contracts,
    })
}
