//! Units of measure and tax codes. Read only here, without date filters.

use serde_json::json;

use super::access;
use super::body::required_id;
use super::page::{self, Sizes};
use super::refuse::Outcome;
use super::seed;
use super::world::World;
use crate::sandbox::kit::Call;

/// Source: Procore tax codes list, read 2026-11-22.
const TAX_CODES_PAGE_SIZE_MAX: usize = 100;

pub(super) fn list_units(world: &World, call: &Call, company_id: &str) -> Outcome {
    access::is_ours(company_id)?;
    let units: Vec<(usize, &str)> = (70_001..).zip(seed::UNITS).collect();
    let sizes = Sizes::of(&world.settings);
    Ok(page::answer(
        sizes,
        call,
        &units,
        |(id, name)| json!({"id": id, "name": name}),
    ))
}

pub(super) fn list_tax_codes(world: &World, call: &Call) -> Outcome {
    required_id(call, "company_id")?;
    let sizes = Sizes::of(&world.settings).at_most(TAX_CODES_PAGE_SIZE_MAX);
    Ok(page::answer(sizes, call, &seed::TAX_CODES, |row| {
        let (id, code, description, rate) = row;
        let rate: Option<serde_json::Number> = rate.parse().ok();
        json!({"id": id, "code": code, "description": description, "rate1": rate,
            "origin_data": null, "origin_id": null, "archived": false, "default_tax_code": false})
    }))
}
