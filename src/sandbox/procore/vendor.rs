//! The company's vendors. Active ones are listed; inactive ones have a list of their own.
//!
//! Source: Procore REST reference, vendors v1.0, read 2026-11-22. Assumed: names may repeat,
//! a vendor that is not active can still be shown by its id.

use serde_json::{Value, json};

use super::access;
use super::body::{self, path_id, picked, required_id, text};
use super::filter::Filters;
use super::page::{self, Sizes};
use super::refuse::{self, Errors, Outcome, wrong};
use super::shape::stamp;
use super::sync::{self, Resource};
use super::world::{Fields, Vendor, World};
use crate::sandbox::kit::{Call, Reply};

const WRITABLE: [&str; 29] = [
    "name",
    "abbreviated_name",
    "address",
    "authorized_bidder",
    "business_phone",
    "city",
    "country_code",
    "email_address",
    "fax_number",
    "is_active",
    "labor_union",
    "license_number",
    "mobile_phone",
    "non_union_prevailing_wage",
    "notes",
    "origin_code",
    "origin_data",
    "origin_id",
    "prequalified",
    "state_code",
    "trade_name",
    "union_member",
    "website",
    "zip",
    "vendor_group_id",
    "parent_id",
    "primary_contact_id",
    "bidding",
    "trade_ids",
];

/// Those of [`WRITABLE`] that replies do not repeat.
const WRITE_ONLY: [&str; 4] = [
    "vendor_group_id",
    "parent_id",
    "primary_contact_id",
    "trade_ids",
];

/// The vendors of the one company.
pub(super) struct Vendors;

pub(super) fn list(world: &World, call: &Call) -> Outcome {
    required_id(call, "company_id")?;
    listed(world, call, true)
}

pub(super) fn list_inactive(world: &World, call: &Call, company_id: &str) -> Outcome {
    access::is_ours(company_id)?;
    listed(world, call, false)
}

fn listed(world: &World, call: &Call, active: bool) -> Outcome {
    let filters = Filters::read(call)?;
    let search = call
        .query("filters[search]")
        .unwrap_or_default()
        .to_lowercase();
    let is_asked = |vendor: &&Vendor| {
        is_active(vendor) == active
            && filters.admit_id(vendor.id)
            && filters.admit_times(vendor.created_at, vendor.updated_at)
            && filters.admit_origin(text(&vendor.fields, "origin_id"))
            && is_found(vendor, &search)
    };
    let mut found: Vec<&Vendor> = world.vendors.values().filter(is_asked).collect();
    if call.query("sort") == Some("name") {
        found.sort_by_key(|vendor| text(&vendor.fields, "name").map(str::to_lowercase));
    }
    let view = call.query("view").unwrap_or("extended");
    let sizes = Sizes::of(&world.settings);
    Ok(page::answer(sizes, call, &found, |vendor| {
        shown(vendor, view)
    }))
}

pub(super) fn show(world: &World, call: &Call, id: &str) -> Outcome {
    required_id(call, "company_id")?;
    let vendor = world.vendors.get(&path_id(id)?);
    let vendor = vendor.ok_or_else(refuse::not_found)?;
    let view = call.query("view").unwrap_or("extended");
    Ok(Reply::json(200, &shown(vendor, view)))
}

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    required_id(call, "company_id")?;
    sync::create(world, &Vendors, &body::wrapped(call, "vendor")?)
}

pub(super) fn update(world: &mut World, call: &Call, id: &str) -> Outcome {
    required_id(call, "company_id")?;
    let given = body::wrapped(call, "vendor")?;
    sync::update(world, &Vendors, path_id(id)?, &given)
}

/// `PATCH /companies/{id}/vendors/inactive/{id}` brings a vendor back.
pub(super) fn reactivate(world: &mut World, company_id: &str, id: &str) -> Outcome {
    access::is_ours(company_id)?;
    let id = path_id(id)?;
    let is_inactive = world
        .vendors
        .get(&id)
        .is_some_and(|vendor| !is_active(vendor));
    if !is_inactive {
        return Err(refuse::not_found());
    }
    let given = Fields::from_iter([("is_active".to_owned(), json!(true))]);
    sync::update(world, &Vendors, id, &given)
}

pub(super) fn sync_all(world: &mut World, call: &Call) -> Outcome {
    required_id(call, "company_id")?;
    sync::sync(world, &Vendors, call)
}

/// `POST` and `PATCH /vendors/{id}/business_register`.
pub(super) fn register(world: &mut World, call: &Call, id: &str) -> Outcome {
    let given = body::wrapped(call, "business_register")?;
    let now = world.now;
    let vendor = world.vendors.get_mut(&path_id(id)?);
    let vendor = vendor.ok_or_else(refuse::not_found)?;
    write_register(vendor, &given).map_err(refuse::invalid)?;
    vendor.updated_at = now;
    let status = if call.method == "POST" { 201 } else { 200 };
    Ok(Reply::json(status, &shown_register(vendor)).wrote(vendor.id))
}

impl Resource for Vendors {
    fn has(&self, world: &World, id: i64) -> bool {
        world.vendors.contains_key(&id)
    }

    fn by_origin(&self, world: &World, origin_id: &str) -> Option<i64> {
        let mut vendors = world.vendors.values();
        let found = vendors.find(|vendor| text(&vendor.fields, "origin_id") == Some(origin_id));
        found.map(|vendor| vendor.id)
    }

    fn create(&self, world: &mut World, given: &Fields) -> Result<i64, Errors> {
        check(world, None, given)?;
        let id = world.new_id();
        let mut vendor = Vendor {
            id,
            fields: Fields::from_iter([("is_active".to_owned(), json!(true))]),
            register: None,
            created_at: world.now,
            updated_at: world.now,
        };
        write(&mut vendor, given)?;
        world.vendors.insert(id, vendor);
        Ok(id)
    }

    fn update(&self, world: &mut World, id: i64, given: &Fields) -> Result<(), Errors> {
        check(world, Some(id), given)?;
        let now = world.now;
        if let Some(vendor) = world.vendors.get_mut(&id) {
            write(vendor, given)?;
            vendor.updated_at = now;
        }
        Ok(())
    }

    fn show(&self, world: &World, id: i64) -> Value {
        let vendor = world.vendors.get(&id);
        vendor.map_or(Value::Null, |vendor| shown(vendor, "extended"))
    }
}

fn check(world: &World, id: Option<i64>, given: &Fields) -> Result<(), Errors> {
    let is_blank = text(given, "name").is_none_or(|name| name.trim().is_empty());
    let names = id.is_none() || given.contains_key("name");
    if names && is_blank {
        return Err(wrong("name", "can't be blank"));
    }
    let holder = text(given, "origin_id").and_then(|origin| Vendors.by_origin(world, origin));
    if holder.is_some_and(|holder| Some(holder) != id) {
        return Err(wrong("origin_id", "has already been taken"));
    }
    Ok(())
}

fn write(vendor: &mut Vendor, given: &Fields) -> Result<(), Errors> {
    if let Some(Value::Object(register)) = given.get("business_register_attributes") {
        write_register(vendor, register)?;
    }
    body::write(&mut vendor.fields, given, &WRITABLE);
    Ok(())
}

fn write_register(vendor: &mut Vendor, given: &Fields) -> Result<(), Errors> {
    let kind = text(given, "type").unwrap_or_default();
    if !matches!(kind, "abn" | "ein") {
        return Err(wrong("type", "is not included in the list"));
    }
    let identifier = text(given, "identifier").filter(|text| !text.is_empty());
    let identifier = identifier.ok_or_else(|| wrong("identifier", "can't be blank"))?;
    vendor.register = Some((kind.to_owned(), identifier.to_owned()));
    Ok(())
}

fn is_active(vendor: &Vendor) -> bool {
    vendor.fields.get("is_active") != Some(&Value::Bool(false))
}

fn is_found(vendor: &Vendor, search: &str) -> bool {
    let names = ["name", "abbreviated_name"].into_iter();
    let mut texts = names.filter_map(|name| text(&vendor.fields, name));
    search.is_empty() || texts.any(|text| text.to_lowercase().contains(search))
}

fn shown(vendor: &Vendor, view: &str) -> Value {
    let name = vendor.fields.get("name").cloned().unwrap_or_default();
    if view == "compact" {
        return json!({"id": vendor.id, "name": name});
    }
    let mut fields = picked(&vendor.fields, &WRITABLE);
    fields.retain(|name, _| !WRITE_ONLY.contains(&name.as_str()));
    let has_origin = text(&vendor.fields, "origin_id").is_some();
    let rest = json!({
        "id": vendor.id,
        "company": name,
        "attachments": [],
        "business_id": null,
        "business_register": shown_register(vendor),
        "contact_count": 0,
        "created_at": stamp(vendor.created_at),
        "is_connected": false,
        "logo": null,
        "primary_contact": null,
        "synced_to_erp": has_origin,
        "updated_at": stamp(vendor.updated_at),
        "vendor_group": null,
    });
    extend(&mut fields, rest);
    if matches!(view, "extended" | "erp") {
        let more = json!({
            "bidding_distribution": [],
            "children_count": 0,
            "company_vendor": true,
            "legal_name": null,
            "parent": null,
            "project_ids": [],
            "standard_cost_codes": [],
            "trades": [],
        });
        extend(&mut fields, more);
    }
    Value::Object(fields)
}

fn shown_register(vendor: &Vendor) -> Value {
    let register = vendor.register.as_ref();
    register.map_or(Value::Null, |(kind, identifier)| {
        json!({
            "id": vendor.id,
            "type": kind,
            "identifier": identifier,
            "verified_at": null,
            "verification_status": "unverified",
        })
    })
}

fn extend(fields: &mut Fields, more: Value) {
    if let Value::Object(more) = more {
        fields.extend(more);
    }
}
