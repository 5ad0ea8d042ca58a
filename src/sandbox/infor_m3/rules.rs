//! What M3 demands of an order, whoever enters it.
//!
//! Source: M3 message codes, read 2026-11-22. Assumed: which of them is found at entry and which
//! only by the batch; that AITx must exist when given; that ACRx = 1 makes a dimension mandatory.

use super::ask::Fields;
use super::nok::Nok;
use super::seed;
use super::shape;
use super::world::World;

const DIMENSIONS: [(&str, &str); 6] = [
    ("AIT2", "ACR2"),
    ("AIT3", "ACR3"),
    ("AIT4", "ACR4"),
    ("AIT5", "ACR5"),
    ("AIT6", "ACR6"),
    ("AIT7", "ACR7"),
];

/// The codes of a head that lead nowhere.
pub(super) fn check_head(world: &World, fields: &Fields) -> Result<(), Nok> {
    let supplier = text(fields, "SUNO");
    if world.suppliers.get(supplier).is_none() {
        return Err(Nok::no_supplier("SUNO", supplier));
    }
    check_place(fields)?;
    let known = |field, kind, code, words: &str| {
        let value = text(fields, field);
        if value.is_empty() || world.has_code(kind, value) {
            return Ok(());
        }
        Err(Nok::refused(
            code,
            field,
            format!("{words} {value} does not exist"),
        ))
    };
    known("ORTY", "ORTY", "WTT0403", "Order type")?;
    known("CUCD", "CUCD", "XRE0103", "Currency")?;
    known("TEPY", "TEPY", "XRE0103", "Payment terms")?;
    known("TEDL", "TEDL", "WTE0103", "Delivery terms")?;
    known("MODL", "MODL", "WMO0103", "Delivery method")?;
    known("BUYE", "USER", "WUS0503", "User")?;
    known("PURC", "USER", "WUS0503", "User")
}

fn check_place(fields: &Fields) -> Result<(), Nok> {
    let (facility, warehouse) = (text(fields, "FACI"), text(fields, "WHLO"));
    let mut facilities = seed::FACILITIES.iter();
    if !facility.is_empty() && !facilities.any(|row| row.facility == facility) {
        let text = format!("Facility {facility} does not exist");
        return Err(Nok::refused("WFAC303", "FACI", text));
    }
    let mut warehouses = seed::FACILITIES.iter();
    let is_here = |row: &seed::FacilityRow| {
        row.warehouse == warehouse && (facility.is_empty() || row.facility == facility)
    };
    if !warehouse.is_empty() && !warehouses.any(is_here) {
        let text = format!("Warehouse {warehouse} does not exist");
        return Err(Nok::refused("WWH0103", "WHLO", text));
    }
    Ok(())
}

/// Quantity and price, which are looked at before any code is.
pub(super) fn check_numbers(fields: &Fields) -> Result<(), Nok> {
    for field in ["ORQA", "PUPR"] {
        let value = shape::decimal(text(fields, field));
        if value.is_sign_negative() && !value.is_zero() {
            let text = format!("{value}: a negative value is not allowed");
            return Err(Nok::refused("XNU0003", field, text));
        }
        if !shape::is_fine(value) {
            let text = format!("{value} has too many decimals");
            return Err(Nok::refused("XNU0000", field, text));
        }
    }
    let quantity = fields.get("ORQA").map(|text| shape::decimal(text));
    if quantity.is_some_and(|quantity| quantity.is_zero()) {
        let text = "Ordered quantity must be entered".to_owned();
        return Err(Nok::refused("XNU0000", "ORQA", text));
    }
    Ok(())
}

/// The codes of a line that lead nowhere.
pub(super) fn check_line(world: &World, fields: &Fields) -> Result<(), Nok> {
    let number = text(fields, "ITNO");
    let item = world.items.get(number);
    let item = item.ok_or_else(|| Nok::no_item(number))?;
    for field in ["PUUN", "PPUN"] {
        let unit = text(fields, field);
        if !unit.is_empty() && !item.units.iter().any(|known| known == unit) {
            let text = format!("Unit {unit} does not exist for item {number}");
            return Err(Nok::refused("XRE0103", field, text));
        }
    }
    check_place(fields)
}

/// All that keeps a head from becoming an order.
pub(super) fn faults_of_head(world: &World, fields: &Fields) -> Vec<Nok> {
    let mut faults: Vec<Nok> = check_head(world, fields).err().into_iter().collect();
    let number = text(fields, "SUNO");
    let status = world.suppliers.get(number).map(|held| held.text("STAT"));
    if let Some(status) = status.filter(|status| *status != "20") {
        let text = format!("Supplier {number} has status {status}");
        faults.push(Nok::refused("WSU0101", "SUNO", text));
    }
    faults.extend(fault_of_project(world, fields));
    faults
}

/// All that keeps a line from becoming an order's.
pub(super) fn faults_of_line(world: &World, fields: &Fields, coding: &Fields) -> Vec<Nok> {
    let checks = [check_numbers(fields), check_line(world, fields)];
    let mut faults: Vec<Nok> = checks.into_iter().filter_map(Result::err).collect();
    let number = text(fields, "ITNO");
    let item = world.items.get(number);
    let status = item.and_then(|item| item.fields.get("STAT"));
    if let Some(status) = status.filter(|status| *status != "20") {
        let text = format!("Item {number} is not permitted in status {status}");
        faults.push(Nok::refused("XIT0107", "ITNO", text));
    }
    faults.extend(fault_of_project(world, fields));
    faults.extend(faults_of_coding(world, coding));
    faults
}

fn fault_of_project(world: &World, fields: &Fields) -> Option<Nok> {
    let (project, element) = (text(fields, "PROJ"), text(fields, "ELNO"));
    let known = world.projects.get(project);
    match known {
        None if project.is_empty() => None,
        None => Some(Nok::refused(
            "XRE0103",
            "PROJ",
            format!("Project {project} does not exist"),
        )),
        Some(elements) if element.is_empty() || elements.contains(element) => None,
        Some(_) => {
            let text = format!("Element {element} does not exist in project {project}");
            Some(Nok::refused("XRE0103", "ELNO", text))
        }
    }
}

fn faults_of_coding(world: &World, coding: &Fields) -> Vec<Nok> {
    if coding.is_empty() {
        return Vec::new();
    }
    let number = text(coding, "AIT1");
    let account = find_account(world, "1", number);
    let mut faults: Vec<Nok> = fault_of_account(world, account, "AIT1", number)
        .into_iter()
        .collect();
    for (dimension, rule) in DIMENSIONS {
        let value = text(coding, dimension);
        let is_demanded = account.is_some_and(|held| text(held, rule) == "1");
        if value.is_empty() {
            if is_demanded {
                let text = format!("Account {number} demands {dimension}");
                faults.push(Nok::refused("XRE0103", dimension, text));
            }
            continue;
        }
        let held = find_account(world, dimension.trim_start_matches("AIT"), value);
        faults.extend(fault_of_account(world, held, dimension, value));
    }
    faults
}

/// In the division, else for the whole company.
fn find_account<'a>(world: &'a World, dimension: &str, id: &str) -> Option<&'a Fields> {
    let own = world.account(seed::DIVI, dimension, id);
    own.or_else(|| world.account("", dimension, id))
}

fn fault_of_account(
    world: &World,
    account: Option<&Fields>,
    field: &'static str,
    id: &str,
) -> Option<Nok> {
    let Some(account) = account else {
        let text = format!("Accounting identity {id} does not exist");
        return Some(Nok::refused("XRE0103", field, text));
    };
    let today = shape::date(world.now);
    let (from, to) = (text(account, "VFDT"), text(account, "VTDT"));
    let is_open = from <= today.as_str() && (matches!(to, "" | "0") || today.as_str() <= to);
    if text(account, "LCCD") != "1" && is_open {
        return None;
    }
    let text = format!("Accounting identity {id} is locked or not valid today");
    Some(Nok::refused("CPF9898", field, text))
}

pub(super) fn text<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).map_or("", String::as_str)
}
