//! How a contract is shown: short in lists, longer in extended ones, whole when asked for alone.
//!
//! Source: Procore REST reference, purchase and work order contracts v1.0, read 2026-11-22.
//! Assumed: the fields of the compact view, which the pages name but do not list.

use serde_json::{Value, json};

use super::body::picked;
use super::contract::{WRITABLE, own_writable};
use super::line;
use super::seed;
use super::shape::{amount, stamp};
use super::world::{Contract, Fields, World};

/// Of the writable ones, those that the compact view keeps.
const COMPACT: [&str; 8] = [
    "accounting_method",
    "executed",
    "number",
    "origin_code",
    "origin_data",
    "origin_id",
    "private",
    "title",
];

/// As lists show it.
pub(super) fn head(world: &World, contract: &Contract, is_extended: bool) -> Fields {
    let mut fields = if is_extended {
        let mut fields = picked(&contract.fields, &WRITABLE);
        fields.extend(picked(&contract.fields, own_writable(contract.kind)));
        fields.remove("currency_iso_code");
        fields.remove("currency_exchange_rate");
        if let Some(assignee) = fields.remove("assignee_id") {
            let shown = (!assignee.is_null()).then(|| json!({"id": assignee}));
            fields.insert("assignee".into(), json!(shown));
        }
        fields.extend(sums(contract));
        fields
    } else {
        picked(&contract.fields, &COMPACT)
    };
    let total = amount(contract.total(), contract.id);
    fields.insert("id".into(), json!(contract.id));
    fields.insert("status".into(), json!(contract.status));
    fields.insert("grand_total".into(), json!(total));
    fields.insert("created_at".into(), json!(stamp(contract.created_at)));
    fields.insert("updated_at".into(), json!(stamp(contract.updated_at)));
    fields.insert("deleted_at".into(), json!(contract.deleted_at.map(stamp)));
    fields.insert("project".into(), project(world, contract.project_id));
    fields.insert("vendor".into(), vendor(world, contract, false));
    fields.insert("currency_configuration".into(), currency(contract));
    fields
}

/// As a single one is shown: the head, who made it, and its lines.
pub(super) fn whole(world: &World, contract: &Contract) -> Value {
    let mut fields = head(world, contract, true);
    fields.insert("created_by_id".into(), json!(seed::USER_ID));
    fields.insert("vendor".into(), vendor(world, contract, true));
    let lines = contract.lines.iter();
    let lines: Vec<Value> = lines
        .map(|line| line::shown(world, contract, line))
        .collect();
    fields.insert("line_items".into(), Value::Array(lines));
    for name in [
        "attachments",
        "change_order_packages",
        "change_order_requests",
        "potential_change_orders",
        "payments_issued",
        "invoice_contacts",
    ] {
        fields.insert(name.into(), json!([]));
    }
    Value::Object(fields)
}

/// The amounts that follow from the lines; nothing is changed, billed or paid here.
fn sums(contract: &Contract) -> Fields {
    let total = amount(contract.total(), contract.id);
    let zero = amount(rust_decimal::Decimal::ZERO, contract.id);
    let of_total = [
        "pending_revised_contract",
        "revised_contract",
        "remaining_balance_outstanding",
    ];
    let of_zero = [
        "approved_change_orders",
        "draft_change_orders_amount",
        "pending_change_orders",
        "percentage_paid",
        "total_draw_requests_amount",
        "total_payments",
        "total_requisitions_amount",
    ];
    let mut fields = Fields::new();
    fields.extend(of_total.map(|name| (name.to_owned(), json!(total))));
    fields.extend(of_zero.map(|name| (name.to_owned(), json!(zero))));
    fields.insert("requisitions_are_enabled".into(), json!(true));
    fields.insert("show_line_items_to_non_admins".into(), json!(false));
    fields
}

pub(super) fn project(world: &World, id: i64) -> Value {
    let project = world.projects.iter().find(|project| project.id == id);
    let name = project.and_then(|project| project.fields.get("name"));
    json!({"id": id, "name": name})
}

pub(super) fn currency(contract: &Contract) -> Value {
    json!({"currency_iso_code": contract.fields.get("currency_iso_code")})
}

fn vendor(world: &World, contract: &Contract, with_origin: bool) -> Value {
    let vendor = contract.vendor_id.and_then(|id| world.vendors.get(&id));
    let Some(vendor) = vendor else {
        return Value::Null;
    };
    let name = vendor.fields.get("name");
    if with_origin {
        return json!({
            "id": vendor.id,
            "company": name,
            "origin_id": vendor.fields.get("origin_id"),
            "origin_data": vendor.fields.get("origin_data"),
        });
    }
    json!({"id": vendor.id, "company": name})
}
