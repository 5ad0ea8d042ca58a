//! Companies, divisions, facilities and warehouses; and the codes of the system table.
//!
//! Source: notes on MNS100MI, CRS008MI, MMS005MI, PPS095MI and CRS175MI, read 2026-11-22.
//! Assumed: lists begin at their key; the kinds of code but TEPY, VTCD and SUCL.

use std::ops::Bound;

use super::super::ask::{Ask, Fields, Outcome};
use super::super::nok::Nok;
use super::super::seed::{self, FacilityRow};
use super::super::world::World;

pub(super) fn places(ask: &Ask) -> Outcome {
    let facilities = seed::FACILITIES.iter();
    match (ask.transaction.program, ask.transaction.name) {
        ("MNS095MI", _) => Ok(ask.one(|field| company(field).map(str::to_owned))),
        ("MNS150MI", _) if ask.text("USID") != seed::USER => Err(Nok::no_record("USID")),
        ("MNS100MI" | "MNS150MI", _) => {
            let divisions = ["", seed::DIVI].into_iter();
            let from = divisions.filter(|division| *division >= ask.text("DIVI"));
            Ok(ask.list(from, |division, field| {
                division_field(division, field).map(str::to_owned)
            }))
        }
        ("CRS008MI", "Get") => {
            let mut found = facilities.filter(|row| row.facility == ask.text("FACI"));
            let row = found.next().ok_or_else(|| {
                let text = format!("Facility {} does not exist", ask.text("FACI"));
                Nok::refused("WFAC303", "FACI", text)
            })?;
            Ok(ask.one(|field| facility_field(row, field).map(str::to_owned)))
        }
        ("MMS005MI", "GetWarehouse") => {
            let mut found = facilities.filter(|row| row.warehouse == ask.text("WHLO"));
            let row = found.next().ok_or_else(|| {
                let text = format!("Warehouse {} does not exist", ask.text("WHLO"));
                Nok::refused("WWH0103", "WHLO", text)
            })?;
            Ok(ask.one(|field| facility_field(row, field).map(str::to_owned)))
        }
        _ => {
            let (from, to) = (ask.text("FWHL"), ask.text("TWHL"));
            let is_asked = |row: &&FacilityRow| {
                row.facility >= ask.text("FACI")
                    && row.warehouse >= from
                    && (to.is_empty() || row.warehouse <= to)
            };
            Ok(ask.list(facilities.filter(is_asked), |row, field| {
                facility_field(row, field).map(str::to_owned)
            }))
        }
    }
}

fn company(field: &str) -> Option<&'static str> {
    match field {
        "CONO" => Some(seed::CONO),
        "TX40" | "CONM" => Some(seed::COMPANY_NAME),
        "CCUC" => Some(seed::LOCAL_CURRENCY),
        _ => None,
    }
}

/// The blank division stands for the whole company.
fn division_field(division: &'static str, field: &str) -> Option<&'static str> {
    let is_whole = division.is_empty();
    let of_one = |value| if is_whole { "" } else { value };
    match field {
        "DIVI" => Some(division),
        "TX15" => Some(if is_whole {
            "All divisions"
        } else {
            "Front Range US"
        }),
        "FACI" => Some(of_one(seed::FACILITY)),
        "WHLO" => Some(of_one(seed::WAREHOUSE)),
        "FACN" => Some(of_one("Denver")),
        "WHNM" => Some(of_one("Denver yard")),
        _ => company(field),
    }
}

fn facility_field(row: &'static FacilityRow, field: &str) -> Option<&'static str> {
    match field {
        "CONO" => Some(seed::CONO),
        "DIVI" => Some(seed::DIVI),
        "FACI" => Some(row.facility),
        "WHLO" => Some(row.warehouse),
        "FACN" => Some(row.name),
        "WHNM" | "CONM" => Some(row.warehouse_name),
        "TOWN" | "TX15" => Some(row.name),
        "CSCD" => Some(row.country),
        "LOCD" => Some(seed::LOCAL_CURRENCY),
        _ => None,
    }
}

pub(super) fn codes(world: &World, ask: &Ask) -> Outcome {
    let (kind, key) = match ask.transaction.program {
        "PPS095MI" => ("ORTY", ask.text("ORTY")),
        "CRS055MI" => ("CUCD", ask.text("CUCD")),
        _ => (ask.text("STCO"), ask.text("STKY")),
    };
    let start = (kind.to_owned(), key.to_owned());
    if ask.transaction.name.starts_with("Get") {
        let found = world.codes.get(&start);
        return Ok(ask.stored(found.ok_or_else(|| Nok::no_record("STKY"))?));
    }
    let from = world
        .codes
        .range((Bound::Included(start), Bound::Unbounded));
    let same = from.take_while(|((of, _), _)| of == kind);
    let is_asked = |(_, code): &(&(String, String), &Fields)| {
        !ask.has("POTC")
            || code
                .get("POTC")
                .is_some_and(|held| held == ask.text("POTC"))
    };
    Ok(ask.list(same.filter(is_asked), |(_, code), field| {
        code.get(field).cloned()
    }))
}
