//! Turns the seed's tables into the objects of a new world.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::seed::{self, ContractRow, LineRow, VendorRow};
use super::settings::Settings;
use super::shape::{cents, moment};
use super::world::{
    Contract, ContractKind, CostCode, Fields, Line, Project, SubJob, Vendor, WbsCode, World,
};
use crate::sandbox::kit::Random;

/// Ids given to new objects start above every seeded id that fits 32 bits.
const FIRST_NEW_ID: i64 = 20_000_000;
const COST_CODE_IDS: i64 = 80_590_000;
const WBS_IDS: i64 = 182_900_100;
const LINE_IDS: i64 = 51_750_000;

/// The seeded company. The random seed changes tokens and request ids, never the tables.
pub(super) fn plant(random_seed: u64, settings: Settings) -> World {
    let mut world = World::empty(settings, Random::new(random_seed), FIRST_NEW_ID);
    plant_projects(&mut world);
    for row in &seed::VENDORS {
        world.vendors.insert(row.id, vendor(row));
    }
    for project_id in seed::PROJECT_IDS {
        plant_codes(&mut world, project_id);
    }
    plant_sub_job(&mut world);
    let mut line_id = LINE_IDS;
    for row in &seed::CONTRACTS {
        let contract = contract(&world, row, &mut line_id);
        world.add_contract(contract);
    }
    world
}

fn plant_projects(world: &mut World) {
    for (row, id) in seed::PROJECTS.iter().zip(seed::PROJECT_IDS) {
        let fields = object(json!({
            "name": row.name,
            "display_name": format!("{} - {}", row.number, row.name),
            "project_number": row.number,
            "address": "1 Job Site Way",
            "city": row.city,
            "state_code": row.state,
            "country_code": row.country,
            "time_zone": row.time_zone,
            "stage": "Course of Construction",
            "total_value": row.total_value,
            "start_date": row.start,
            "completion_date": row.end,
        }));
        world.projects.push(Project {
            id,
            currency: row.currency.to_owned(),
            fields,
            created_at: day(row.start),
            updated_at: day("2026-10-30"),
        });
    }
}

fn vendor(row: &VendorRow) -> Vendor {
    let slug: String = row
        .short
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let fields = object(json!({
        "name": row.name,
        "abbreviated_name": row.short,
        "address": row.address,
        "city": row.city,
        "state_code": some(row.state),
        "zip": row.zip,
        "country_code": row.country,
        "business_phone": "+1 303 555 0100",
        "fax_number": "",
        "email_address": format!("ar@{}.example", slug.to_lowercase()),
        "is_active": row.active,
        "origin_code": some(row.code),
        "trade_name": "",
        "authorized_bidder": false,
        "non_union_prevailing_wage": false,
        "prequalified": row.id % 3 == 0,
        "union_member": false,
    }));
    Vendor {
        id: row.id,
        fields,
        register: (!row.tax.is_empty()).then(|| ("ein".to_owned(), row.tax.to_owned())),
        created_at: day("2025-01-15"),
        updated_at: day("2026-10-01") + Duration::hours(row.id % 600),
    }
}

/// The seed's codes for one project, ids counting on.
fn plant_codes(world: &mut World, project_id: i64) {
    for (full_code, name, types) in seed::COST_CODES {
        let code = CostCode {
            id: next_key(&world.cost_codes, COST_CODE_IDS),
            project_id,
            sub_job_id: None,
            full_code: full_code.to_owned(),
            name: name.to_owned(),
        };
        plant_code(world, code, types, "");
    }
}

/// A cost code and its WBS codes, one for each of its cost types; `prefix` stands before their texts.
fn plant_code(world: &mut World, code: CostCode, types: &str, prefix: &str) {
    let joined = seed::COST_TYPES
        .iter()
        .filter(|(_, code, ..)| types.contains(code));
    for (cost_type_id, type_code, type_name, _) in joined {
        let id = next_key(&world.wbs_codes, WBS_IDS);
        let flat_name = format!("{prefix}{}.{type_name}", code.name);
        let wbs = WbsCode {
            id,
            project_id: code.project_id,
            cost_code_id: code.id,
            cost_type_id: *cost_type_id,
            flat_code: format!("{prefix}{}.{type_code}", code.full_code),
            description: flat_name.clone(),
            flat_name,
            budget: planned(id),
            status: "active".to_owned(),
            updated_at: day("2026-10-05"),
        };
        world.add_wbs_code(wbs);
    }
    world.cost_codes.insert(code.id, code);
}

/// A further code of a project, joined with one cost type; nothing when there is no such type. A code that is there
/// already keeps its id.
pub(super) fn add_wbs_code(
    world: &mut World,
    project_id: i64,
    (full_code, name): (&str, &str),
    cost_type: &str,
) -> Option<i64> {
    if let Some(known) = world.wbs_named(project_id, &format!("{full_code}.{cost_type}")) {
        return Some(known);
    }
    seed::COST_TYPES
        .iter()
        .find(|(_, code, ..)| *code == cost_type)?;
    let held = world
        .cost_codes
        .values()
        .find(|code| code.project_id == project_id && code.full_code == full_code);
    let code = CostCode {
        id: held.map_or_else(
            || next_key(&world.cost_codes, COST_CODE_IDS),
            |held| held.id,
        ),
        project_id,
        sub_job_id: None,
        full_code: full_code.to_owned(),
        name: name.to_owned(),
    };
    plant_code(world, code, cost_type, "");
    let id = world.wbs_named(project_id, &format!("{full_code}.{cost_type}"))?;
    let now = world.now;
    if let Some(wbs) = world.wbs_codes.get_mut(&id) {
        wbs.updated_at = now;
    }
    Some(id)
}

/// Most codes have a budget, some one of nothing, some none: told by the id, so that it stays the same.
fn planned(id: i64) -> Option<Decimal> {
    match id.rem_euclid(7) {
        5 => Some(Decimal::ZERO),
        6 => None,
        step => Some(Decimal::from((step + 1) * 12_500)),
    }
}

/// One part of the last project with a code of its own.
fn plant_sub_job(world: &mut World) {
    let (id, code, name, full_code, types) = seed::SUB_JOB;
    let Some(project_id) = seed::PROJECT_IDS.last().copied() else {
        return;
    };
    world.sub_jobs.push(SubJob {
        id,
        project_id,
        code,
        name,
    });
    let own = CostCode {
        id: next_key(&world.cost_codes, COST_CODE_IDS),
        project_id,
        sub_job_id: Some(id),
        full_code: full_code.to_owned(),
        name: name.to_owned(),
    };
    plant_code(world, own, types, &format!("{code}."));
}

fn next_key<T>(held: &BTreeMap<i64, T>, before_first: i64) -> i64 {
    let last = held.last_key_value().map_or(before_first, |(id, _)| *id);
    last.max(before_first) + 1
}

/// A further project like the first one, with all codes.
pub(super) fn add_project(world: &mut World, name: &str) -> i64 {
    let id = world.new_id();
    let like = seed::PROJECTS.first();
    let mut fields = object(json!({
        "name": name,
        "display_name": name,
        "project_number": format!("S-{id}"),
    }));
    if let Some(row) = like {
        let rest = json!({"city": row.city, "state_code": row.state, "country_code": row.country,
            "time_zone": row.time_zone, "start_date": row.start, "completion_date": row.end});
        fields.extend(object(rest));
    }
    world.projects.push(Project {
        id,
        currency: like.map_or("USD", |row| row.currency).to_owned(),
        fields,
        created_at: world.now,
        updated_at: world.now,
    });
    plant_codes(world, id);
    id
}

fn contract(world: &World, row: &ContractRow, line_id: &mut i64) -> Contract {
    let project = world.projects.get(row.project);
    let project_id = project.map(|project| project.id).unwrap_or_default();
    let created_at = day(row.date);
    let lines = row.lines.iter().enumerate().map(|(index, line_row)| {
        *line_id += 1;
        line(
            world,
            project_id,
            (*line_id, index + 1, created_at),
            line_row,
        )
    });
    let kind = if row.number.starts_with("PO") {
        ContractKind::PurchaseOrder
    } else {
        ContractKind::WorkOrder
    };
    Contract {
        id: row.id,
        kind,
        project_id,
        vendor_id: Some(row.vendor),
        status: row.status.to_owned(),
        fields: contract_fields(
            row,
            kind,
            project.map_or("USD", |project| &project.currency),
        ),
        lines: lines.collect(),
        created_at,
        updated_at: created_at + Duration::hours(50),
        deleted_at: None,
    }
}

fn contract_fields(row: &ContractRow, kind: ContractKind, currency: &str) -> Fields {
    let mut fields = object(json!({
        "number": row.number,
        "title": row.title,
        "description": format!("<p>{}</p>", row.number),
        "accounting_method": row.method,
        "contract_date": row.date,
        "issued_on_date": row.date,
        "executed": row.status == "Approved",
        "private": true,
        "retainage_percent": row.retainage,
        "currency_iso_code": currency,
    }));
    let own = match kind {
        ContractKind::PurchaseOrder => json!({
            "delivery_date": "2027-01-29",
            "payment_terms": "Net 30",
            "ship_to_address": "Job site, gate 2",
        }),
        ContractKind::WorkOrder => json!({
            "contract_start_date": "2026-12-01",
            "contract_estimated_completion_date": "2027-06-30",
            "inclusions": "",
            "exclusions": "",
        }),
    };
    fields.extend(object(own));
    fields
}

type Place = (i64, usize, OffsetDateTime);

fn line(world: &World, project_id: i64, (id, position, at): Place, row: &LineRow) -> Line {
    let flat_code = format!("{}.{}", row.code, row.cost_type);
    let quantity = decimal(row.quantity);
    let unit_cost = decimal(row.unit_cost);
    let is_calculated = row.amount.is_empty();
    let amount = if is_calculated {
        cents(quantity * unit_cost)
    } else {
        decimal(row.amount)
    };
    Line {
        id,
        position,
        wbs_code_id: world.wbs_named(project_id, &flat_code).unwrap_or_default(),
        quantity,
        unit_cost,
        amount,
        is_calculated,
        fields: object(json!({"description": row.text, "uom": row.unit})),
        created_at: at,
        updated_at: at,
    }
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap_or_default()
}

/// Nine in the morning in Denver, winter time.
fn day(date: &str) -> OffsetDateTime {
    moment(&format!("{date}T16:00:00Z")).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn object(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_seed_fits_together() {
        let world = plant(1, Settings::new(false));
        assert_eq!(world.vendors.len(), 40);
        assert_eq!(world.contracts.len(), seed::CONTRACTS.len());
        for contract in world.contracts.values() {
            let number = contract.fields.get("number").unwrap();
            assert!(
                contract.kind.statuses().contains(&contract.status.as_str()),
                "{number}"
            );
            assert!(
                world.vendors.contains_key(&contract.vendor_id.unwrap()),
                "{number}"
            );
            for line in &contract.lines {
                assert!(world.wbs_codes.contains_key(&line.wbs_code_id), "{number}");
            }
        }
    }

    #[test]
    fn the_seed_has_its_awkward_amounts() {
        let world = plant(1, Settings::new(false));
        let lines = world
            .contracts
            .values()
            .flat_map(|contract| &contract.lines);
        let amounts: Vec<Decimal> = lines.map(|line| line.amount).collect();
        assert!(amounts.contains(&Decimal::ZERO));
        assert!(amounts.contains(&decimal("100.00")));
        assert!(amounts.contains(&decimal("39265.70")));
    }
}
