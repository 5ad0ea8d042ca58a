//! The lines of a contract: its schedule of values.
//!
//! Source: Procore REST reference, contract line items v1.0, and WBS tutorial, read 2026-11-22:
//! a line needs a WBS code, or a cost code with a cost type; the WBS code wins. A calculated
//! line's amount is quantity × unit cost, a manual one keeps its own. Assumed: without a word
//! for it, a line is calculated where the contract goes by unit.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::body::{self, path_id, picked, text};
use super::code;
use super::contract::{Contracts, locked};
use super::contract_view::{currency, project};
use super::filter::Filters;
use super::page::{self, Sizes};
use super::refuse::{self, Errors, Outcome, wrong};
use super::seed;
use super::shape::{self, amount, cents, stamp};
use super::sync::{self, Resource};
use super::world::{Contract, ContractKind, Fields, Line, World};
use crate::sandbox::kit::{Call, Reply};

const WRITABLE: [&str; 5] = [
    "description",
    "origin_data",
    "origin_id",
    "tax_code_id",
    "uom",
];

/// The lines of one contract.
pub(super) struct Lines {
    contract_id: i64,
}

impl Lines {
    fn of(world: &World, call: &Call, kind: ContractKind, id: &str) -> Result<Self, Reply> {
        let contracts = Contracts::of(world, call, kind)?;
        let contract_id = path_id(id)?;
        if !contracts.has(world, contract_id) {
            return Err(refuse::not_found());
        }
        Ok(Self { contract_id })
    }

    /// The lines of a contract that is known to exist.
    pub(super) fn of_contract(contract_id: i64) -> Self {
        Self { contract_id }
    }

    fn contract<'a>(&self, world: &'a World) -> Result<&'a Contract, Reply> {
        let contract = world.contracts.get(&self.contract_id);
        contract.ok_or_else(refuse::not_found)
    }

    fn open<'a>(&self, world: &'a mut World) -> Result<&'a mut Contract, Errors> {
        let is_relaxed = world.settings.relaxed_locks;
        let contract = world.contracts.get_mut(&self.contract_id);
        let contract = contract.ok_or_else(|| wrong("contract", "must exist"))?;
        if contract.is_locked() && !is_relaxed {
            return Err(locked("base"));
        }
        Ok(contract)
    }

    /// A line changed; whether its contract shows that is a setting.
    fn touch(&self, world: &mut World) {
        let (now, touches) = (world.now, world.settings.lines_touch_head);
        let contract = world.contracts.get_mut(&self.contract_id);
        if let Some(contract) = contract.filter(|_| touches) {
            contract.updated_at = now;
        }
    }
}

pub(super) fn list(world: &World, call: &Call, kind: ContractKind, id: &str) -> Outcome {
    let contract = Lines::of(world, call, kind, id)?.contract(world)?;
    let filters = Filters::read(call)?;
    let is_asked = |line: &&Line| {
        filters.admit_id(line.id) && filters.admit_times(line.created_at, line.updated_at)
    };
    let found: Vec<&Line> = contract.lines.iter().filter(is_asked).collect();
    let sizes = Sizes::of(&world.settings);
    Ok(page::answer(sizes, call, &found, |line| {
        shown(world, contract, line)
    }))
}

/// Contract and line, as the path names them.
pub(super) type Path<'a> = (&'a str, &'a str);

pub(super) fn show(world: &World, call: &Call, kind: ContractKind, path: Path<'_>) -> Outcome {
    let lines = Lines::of(world, call, kind, path.0)?;
    let id = path_id(path.1)?;
    if !lines.has(world, id) {
        return Err(refuse::not_found());
    }
    Ok(Reply::json(200, &lines.show(world, id)))
}

pub(super) fn create(world: &mut World, call: &Call, kind: ContractKind, id: &str) -> Outcome {
    let lines = Lines::of(world, call, kind, id)?;
    sync::create(world, &lines, &body::wrapped(call, "line_item")?)
}

pub(super) fn update(
    world: &mut World,
    call: &Call,
    kind: ContractKind,
    path: Path<'_>,
) -> Outcome {
    let lines = Lines::of(world, call, kind, path.0)?;
    let given = body::wrapped(call, "line_item")?;
    sync::update(world, &lines, path_id(path.1)?, &given)
}

pub(super) fn sync_all(world: &mut World, call: &Call, kind: ContractKind, id: &str) -> Outcome {
    let lines = Lines::of(world, call, kind, id)?;
    sync::sync(world, &lines, call)
}

pub(super) fn delete(
    world: &mut World,
    call: &Call,
    kind: ContractKind,
    path: Path<'_>,
) -> Outcome {
    let lines = Lines::of(world, call, kind, path.0)?;
    let id = path_id(path.1)?;
    if !lines.has(world, id) {
        return Err(refuse::not_found());
    }
    let gone = lines.show(world, id);
    let contract = lines.open(world).map_err(refuse::invalid)?;
    contract.lines.retain(|line| line.id != id);
    lines.touch(world);
    Ok(Reply::json(200, &gone).wrote(id))
}

impl Resource for Lines {
    fn has(&self, world: &World, id: i64) -> bool {
        let contract = world.contracts.get(&self.contract_id);
        contract.is_some_and(|contract| contract.lines.iter().any(|line| line.id == id))
    }

    fn by_origin(&self, world: &World, origin_id: &str) -> Option<i64> {
        let contract = world.contracts.get(&self.contract_id)?;
        let mut lines = contract.lines.iter();
        let found = lines.find(|line| text(&line.fields, "origin_id") == Some(origin_id));
        found.map(|line| line.id)
    }

    fn create(&self, world: &mut World, given: &Fields) -> Result<i64, Errors> {
        let contract = self.open(world)?;
        let by_unit = text(&contract.fields, "accounting_method") == Some("unit");
        let last = contract.lines.iter().map(|line| line.position).max();
        let (position, project_id) = (last.unwrap_or(0) + 1, contract.project_id);
        let wbs_code_id = asked_wbs(world, project_id, given)?;
        let mut line = Line {
            id: world.new_id(),
            position,
            wbs_code_id: wbs_code_id.ok_or_else(|| wrong("wbs_code", "can't be blank"))?,
            quantity: Decimal::ZERO,
            unit_cost: Decimal::ZERO,
            amount: Decimal::ZERO,
            is_calculated: by_unit,
            fields: Fields::new(),
            created_at: world.now,
            updated_at: world.now,
        };
        write(&mut line, given)?;
        let id = line.id;
        self.open(world)?.lines.push(line);
        self.touch(world);
        Ok(id)
    }

    fn update(&self, world: &mut World, id: i64, given: &Fields) -> Result<(), Errors> {
        let project_id = self.open(world)?.project_id;
        let wbs_code_id = asked_wbs(world, project_id, given)?;
        let now = world.now;
        if let Some(line) = self.open(world)?.line(id) {
            write(line, given)?;
            line.wbs_code_id = wbs_code_id.unwrap_or(line.wbs_code_id);
            line.updated_at = now;
        }
        self.touch(world);
        Ok(())
    }

    fn show(&self, world: &World, id: i64) -> Value {
        let Some(contract) = world.contracts.get(&self.contract_id) else {
            return Value::Null;
        };
        let line = contract.lines.iter().find(|line| line.id == id);
        line.map_or(Value::Null, |line| shown(world, contract, line))
    }
}

/// The WBS code that the attributes name, if they name one.
fn asked_wbs(world: &World, project_id: i64, given: &Fields) -> Result<Option<i64>, Errors> {
    let id = |name| given.get(name).and_then(shape::id);
    let found = match (
        id("wbs_code_id"),
        id("cost_code_id"),
        id("line_item_type_id"),
    ) {
        (Some(wbs), ..) => Some(wbs),
        (None, Some(code), Some(cost_type)) => {
            let found = world.wbs_of(code, cost_type);
            Some(found.ok_or_else(|| wrong("cost_code", "must exist"))?)
        }
        _ => return Ok(None),
    };
    let wbs = found.and_then(|id| world.wbs_codes.get(&id));
    match wbs.filter(|wbs| wbs.project_id == project_id) {
        Some(wbs) => Ok(Some(wbs.id)),
        None => Err(wrong("wbs_code", "must exist")),
    }
}

fn write(line: &mut Line, given: &Fields) -> Result<(), Errors> {
    let unit = text(given, "uom");
    if unit.is_some_and(|unit| !unit.is_empty() && !seed::UNITS.contains(&unit)) {
        return Err(wrong("uom", "is not included in the list"));
    }
    let is_calculated = match text(given, "extended_type") {
        Some("manual") => false,
        Some("calculated") => true,
        Some(_) => return Err(wrong("extended_type", "is not included in the list")),
        None => line.is_calculated,
    };
    // All is read before anything is written: a refused change leaves the line as it was.
    let quantity = number(given, "quantity")?.unwrap_or(line.quantity);
    let unit_cost = number(given, "unit_cost")?.unwrap_or(line.unit_cost);
    let amount = number(given, "amount")?.unwrap_or(line.amount);
    (line.quantity, line.unit_cost, line.amount) = (quantity, unit_cost, amount);
    line.is_calculated = is_calculated;
    if is_calculated {
        line.amount = line.quantity.saturating_mul(line.unit_cost);
    }
    line.amount = cents(line.amount);
    body::write(&mut line.fields, given, &WRITABLE);
    Ok(())
}

fn number(given: &Fields, name: &str) -> Result<Option<Decimal>, Errors> {
    let Some(value) = given.get(name).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let number = shape::decimal(value);
    number
        .map(Some)
        .ok_or_else(|| wrong(name, "is not a number"))
}

pub(super) fn shown(world: &World, contract: &Contract, line: &Line) -> Value {
    let mut fields = picked(&line.fields, &WRITABLE);
    let total = amount(line.amount, line.id);
    let extended_type = if line.is_calculated {
        "calculated"
    } else {
        "manual"
    };
    let rest = json!({
        "id": line.id,
        "amount": total,
        "extended_amount": total,
        "total_amount": total,
        "extended_type": extended_type,
        "quantity": amount(line.quantity, line.id),
        "unit_cost": amount(line.unit_cost, line.id),
        "position": line.position,
        "company": {"id": seed::COMPANY_ID, "name": seed::COMPANY_NAME},
        "project": project(world, contract.project_id),
        "holder": {"id": contract.id, "holder_type": contract.kind.holder_type()},
        "wbs_code": code::wbs_of_line(world, line.wbs_code_id),
        "cost_code": code::cost_code_of_line(world, line.wbs_code_id),
        "line_item_type": code::cost_type_of_line(world, line.wbs_code_id),
        "created_at": stamp(line.created_at),
        "updated_at": stamp(line.updated_at),
        "change_event_line_item": null,
        "currency_configuration": currency(contract),
    });
    if let Value::Object(rest) = rest {
        fields.extend(rest);
    }
    Value::Object(fields)
}
