//! Purchase order contracts and work order contracts: one shape, two wrappers.
//!
//! Source: Procore REST reference, purchase and work order contracts v1.0, read 2026-11-22; the
//! locks of approved contracts: financial tools tutorial, read 2026-11-22. Assumed: a number is
//! unique per project and kind; a call that sets the status back may change locked fields at once.

use serde_json::{Value, json};

use super::body::{self, path_id, project_id, text};
use super::contract_view::{head, whole};
use super::filter::Filters;
use super::page::{self, Sizes};
use super::refuse::{self, Errors, Outcome, wrong};
use super::shape;
use super::sync::{self, Resource};
use super::world::{Contract, ContractKind, Fields, World};
use crate::sandbox::kit::{Call, Reply};

pub(super) const WRITABLE: [&str; 18] = [
    "accounting_method",
    "approval_letter_date",
    "contract_date",
    "currency_exchange_rate",
    "currency_iso_code",
    "description",
    "executed",
    "execution_date",
    "issued_on_date",
    "letter_of_intent_date",
    "number",
    "origin_code",
    "origin_data",
    "origin_id",
    "private",
    "retainage_percent",
    "returned_date",
    "signed_contract_received_date",
];

const PURCHASE_ORDER_WRITABLE: [&str; 7] = [
    "title",
    "assignee_id",
    "bill_to_address",
    "delivery_date",
    "payment_terms",
    "ship_to_address",
    "ship_via",
];

const WORK_ORDER_WRITABLE: [&str; 6] = [
    "title",
    "actual_completion_date",
    "contract_estimated_completion_date",
    "contract_start_date",
    "exclusions",
    "inclusions",
];

/// Contracts of one kind in one project.
pub(super) struct Contracts {
    pub kind: ContractKind,
    pub project_id: i64,
}

pub(super) fn list(world: &World, call: &Call, kind: ContractKind) -> Outcome {
    let project_id = project_id(world, call)?;
    let filters = Filters::read(call)?;
    let is_asked = |contract: &&Contract| {
        filters.admit_deleted(contract.deleted_at.is_some())
            && filters.admit_id(contract.id)
            && filters.admit_status(&contract.status)
            && filters.admit_times(contract.created_at, contract.updated_at)
            && filters.admit_origin(text(&contract.fields, "origin_id"))
    };
    let found: Vec<&Contract> = world
        .contracts_in(project_id, kind)
        .filter(is_asked)
        .collect();
    let is_extended = call.query("view") == Some("extended");
    let sizes = Sizes::of(&world.settings);
    Ok(page::answer(sizes, call, &found, |contract| {
        Value::Object(head(world, contract, is_extended))
    }))
}

pub(super) fn show(world: &World, call: &Call, kind: ContractKind, id: &str) -> Outcome {
    let contracts = Contracts::of(world, call, kind)?;
    let id = path_id(id)?;
    if !contracts.has(world, id) {
        return Err(refuse::not_found());
    }
    Ok(Reply::json(200, &contracts.show(world, id)))
}

pub(super) fn create(world: &mut World, call: &Call, kind: ContractKind) -> Outcome {
    let contracts = Contracts::of(world, call, kind)?;
    sync::create(world, &contracts, &body::wrapped(call, kind.wrapper())?)
}

pub(super) fn update(world: &mut World, call: &Call, kind: ContractKind, id: &str) -> Outcome {
    let contracts = Contracts::of(world, call, kind)?;
    let given = body::wrapped(call, kind.wrapper())?;
    sync::update(world, &contracts, path_id(id)?, &given)
}

pub(super) fn sync_all(world: &mut World, call: &Call, kind: ContractKind) -> Outcome {
    let contracts = Contracts::of(world, call, kind)?;
    sync::sync(world, &contracts, call)
}

/// Deleted contracts leave the lists but for `filters[include_deleted]`.
pub(super) fn delete(world: &mut World, call: &Call, kind: ContractKind, id: &str) -> Outcome {
    let contracts = Contracts::of(world, call, kind)?;
    let id = path_id(id)?;
    if !contracts.has(world, id) {
        return Err(refuse::not_found());
    }
    let (now, is_relaxed) = (world.now, world.settings.relaxed_locks);
    let contract = world.contracts.get_mut(&id);
    let contract = contract.ok_or_else(refuse::not_found)?;
    if contract.is_locked() && !is_relaxed {
        return Err(refuse::invalid(locked("base")));
    }
    contract.deleted_at = Some(now);
    contract.updated_at = now;
    Ok(Reply::json(200, &contracts.show(world, id)).wrote(id))
}

pub(super) fn locked(attribute: &str) -> Errors {
    wrong(
        attribute,
        "cannot be changed while the contract is approved",
    )
}

impl Contracts {
    pub(super) fn of(world: &World, call: &Call, kind: ContractKind) -> Result<Self, Reply> {
        let project_id = project_id(world, call)?;
        Ok(Self { kind, project_id })
    }

    fn find<'a>(&self, world: &'a World, id: i64) -> Option<&'a Contract> {
        let found = world.contracts.get(&id)?;
        let is_here = found.kind == self.kind && found.project_id == self.project_id;
        is_here.then_some(found)
    }

    fn check(&self, world: &World, id: Option<i64>, given: &Fields) -> Result<(), Errors> {
        let has_status = |status| self.kind.statuses().contains(&status);
        if given.contains_key("status") && !text(given, "status").is_some_and(has_status) {
            return Err(wrong("status", "is not included in the list"));
        }
        let method = text(given, "accounting_method");
        if method.is_some_and(|method| !matches!(method, "amount" | "unit")) {
            return Err(wrong("accounting_method", "is not included in the list"));
        }
        if let Some(vendor) = given.get("vendor_id").filter(|vendor| !vendor.is_null()) {
            let known = shape::id(vendor).filter(|id| world.vendors.contains_key(id));
            known.ok_or_else(|| wrong("vendor", "must exist"))?;
        }
        self.check_unique(world, id, given)
    }

    fn check_unique(&self, world: &World, id: Option<i64>, given: &Fields) -> Result<(), Errors> {
        if let Some(number) = text(given, "number") {
            let is_taken = |other: &Contract| {
                Some(other.id) != id
                    && other.deleted_at.is_none()
                    && text(&other.fields, "number") == Some(number)
            };
            if world.contracts_in(self.project_id, self.kind).any(is_taken) {
                return Err(wrong("number", "has already been taken"));
            }
        }
        let holder = text(given, "origin_id").and_then(|origin| self.by_origin(world, origin));
        if holder.is_some_and(|holder| Some(holder) != id) {
            return Err(wrong("origin_id", "has already been taken"));
        }
        Ok(())
    }

    fn write(&self, contract: &mut Contract, given: &Fields) {
        if let Some(vendor) = given.get("vendor_id") {
            contract.vendor_id = shape::id(vendor);
        }
        if let Some(status) = text(given, "status") {
            contract.status = status.to_owned();
        }
        body::write(&mut contract.fields, given, &WRITABLE);
        body::write(&mut contract.fields, given, own_writable(self.kind));
    }
}

impl Resource for Contracts {
    fn has(&self, world: &World, id: i64) -> bool {
        self.find(world, id).is_some()
    }

    fn by_origin(&self, world: &World, origin_id: &str) -> Option<i64> {
        let mut contracts = world.contracts.values();
        let is_it = |contract: &&Contract| {
            contract.kind == self.kind && text(&contract.fields, "origin_id") == Some(origin_id)
        };
        contracts.find(is_it).map(|contract| contract.id)
    }

    fn create(&self, world: &mut World, given: &Fields) -> Result<i64, Errors> {
        self.check(world, None, given)?;
        let project = world.project(self.project_id);
        let currency = project
            .map_or("USD", |project| &project.currency)
            .to_owned();
        let id = world.new_id();
        let mut contract = Contract {
            id,
            kind: self.kind,
            project_id: self.project_id,
            vendor_id: None,
            status: "Draft".to_owned(),
            fields: Fields::new(),
            lines: Vec::new(),
            created_at: world.now,
            updated_at: world.now,
            deleted_at: None,
        };
        let usual = json!({"accounting_method": "amount", "currency_iso_code": currency,
            "executed": false, "private": true, "retainage_percent": "0.0", "number": id.to_string()});
        if let Value::Object(usual) = usual {
            contract.fields = usual;
        }
        self.write(&mut contract, given);
        world.add_contract(contract);
        Ok(id)
    }

    fn update(&self, world: &mut World, id: i64, given: &Fields) -> Result<(), Errors> {
        self.check(world, Some(id), given)?;
        let (now, is_relaxed) = (world.now, world.settings.relaxed_locks);
        let Some(contract) = world.contracts.get_mut(&id) else {
            return Ok(());
        };
        let stays = text(given, "status").is_none_or(|status| status == contract.status);
        let other_vendor = given.get("vendor_id").map(shape::id);
        let moves_vendor = other_vendor.is_some_and(|vendor| vendor != contract.vendor_id);
        if contract.is_locked() && stays && moves_vendor && !is_relaxed {
            return Err(locked("vendor"));
        }
        self.write(contract, given);
        contract.updated_at = now;
        Ok(())
    }

    fn show(&self, world: &World, id: i64) -> Value {
        let contract = self.find(world, id);
        contract.map_or(Value::Null, |contract| whole(world, contract))
    }
}

/// The attributes that only this kind has.
pub(super) fn own_writable(kind: ContractKind) -> &'static [&'static str] {
    match kind {
        ContractKind::PurchaseOrder => &PURCHASE_ORDER_WRITABLE,
        ContractKind::WorkOrder => &WORK_ORDER_WRITABLE,
    }
}
