//! The lines of a contract: its schedule of values. Pure.
//!
//! Source: Procore REST reference, contract line items v1.0, and the WBS tutorial, read 2026-11-22: a line is
//! coded by a WBS code, which joins a cost code, a cost type and perhaps a sub job; the line shows the
//! cost code and the type beside it, and a cost code whose biller is a sub job belongs to that sub job.

use serde_json::{Map, Value};

use super::code_text::DELIMITERS;
use super::reading::{self, Issues, Reading};
use crate::domain::fault::Issue;
use crate::domain::money::Currency;
use crate::domain::quantity::Quantity;
use crate::domain::records::{Coding, OrderLine};

/// Names of what lines point at, by id.
#[derive(Clone, Copy)]
struct Names<'a> {
    sub_jobs: Option<&'a Map<String, Value>>,
    tax_codes: Option<&'a Map<String, Value>>,
}

/// All lines of a snapshot in the vendor's order. Issues are at `lines/3/amount`, counted from 1.
pub(super) fn lines(issues: &Issues, raw: &Value) -> Vec<OrderLine> {
    let Some(rows) = raw.get("lines").and_then(Value::as_array) else {
        issues.note(Issue::new("lines", "missing", "is missing"));
        return Vec::new();
    };
    let names = Names {
        sub_jobs: raw.get("sub_jobs").and_then(Value::as_object),
        tax_codes: raw.get("tax_codes").and_then(Value::as_object),
    };
    let is_line = |row: &&Value| {
        if !row.is_object() {
            issues.note(Issue::new("lines", "mistyped", "holds what is no line"));
        }
        row.is_object()
    };
    let mut rows: Vec<&Value> = rows.iter().filter(is_line).collect();
    rows.sort_by_cached_key(|row| (position(row).unwrap_or(u32::MAX), id(row)));
    let mut lines: Vec<OrderLine> = (1_u32..)
        .zip(&rows)
        .map(|(place, row)| {
            let reading = Reading::of(issues, row, &format!("lines/{place}"));
            line(issues, &reading, names, place)
        })
        .collect();
    if let Some(own) = own_positions(&rows) {
        for (line, position) in lines.iter_mut().zip(own) {
            line.position = position;
        }
    }
    lines
}

/// The first currency that a line names.
pub(super) fn currency(issues: &Issues, raw: &Value) -> Option<Currency> {
    let rows = raw.get("lines").and_then(Value::as_array)?;
    let rows = rows.iter().filter(|row| row.is_object());
    (1..).zip(rows).find_map(|(place, row): (u32, _)| {
        Reading::of(issues, row, &format!("lines/{place}")).currency_if_any()
    })
}

fn position(row: &Value) -> Option<u32> {
    let position = row.get("position").and_then(reading::key)?;
    position.parse().ok()
}

fn id(row: &Value) -> Option<i64> {
    row.get("id").and_then(reading::key)?.parse().ok()
}

/// The vendor's own positions, if they can be used: from 1 and each once.
fn own_positions(rows: &[&Value]) -> Option<Vec<u32>> {
    let own: Option<Vec<u32>> = rows.iter().map(|row| position(row)).collect();
    own.filter(|own| {
        let rises = own
            .iter()
            .zip(own.iter().skip(1))
            .all(|(one, two)| one < two);
        rises && own.first().is_none_or(|first| *first > 0)
    })
}

fn line(issues: &Issues, line: &Reading<'_>, names: Names<'_>, place: u32) -> OrderLine {
    let quantity = line.amount_if_any("quantity").map(|value| Quantity {
        value,
        unit: line.text_if_any("uom").unwrap_or_default(),
    });
    OrderLine {
        key: line.key("id"),
        position: place,
        description: line.text_if_any("description").unwrap_or_default(),
        coding: coding(issues, line, names),
        quantity,
        unit_price: line.amount_if_any("unit_cost"),
        amount: line.amount("amount"),
        tax_code: line
            .key_if_any("tax_code_id")
            .map(|id| named(names.tax_codes, &id).unwrap_or(id)),
    }
}

fn coding(issues: &Issues, line: &Reading<'_>, names: Names<'_>) -> Coding {
    let cost_type = line
        .object("line_item_type")
        .map(|cost_type| cost_type.text("code"))
        .unwrap_or_default();
    let code = line.object("cost_code");
    let cost_code = code
        .as_ref()
        .and_then(own_code)
        .or_else(|| flat_code(line, &cost_type))
        .unwrap_or_else(|| {
            let message = "neither a cost code nor a WBS code is on this line";
            issues.note(Issue::new(line.at("cost_code"), "empty", message));
            String::new()
        });
    let sub_job = code.and_then(|code| sub_job(issues, &code, names));
    Coding {
        cost_code,
        cost_type,
        sub_job: sub_job.unwrap_or_default(),
    }
}

/// The full code; the short one only where it has no parent and so is the full one.
fn own_code(code: &Reading<'_>) -> Option<String> {
    let parent = code.object("parent");
    let has_parent = parent.is_some_and(|parent| parent.key_if_any("id").is_some());
    let short = || code.text_if_any("code").filter(|_| !has_parent);
    code.text_if_any("full_code").or_else(short)
}

/// What a WBS code holds besides the cost type: further segments stay in it.
fn flat_code(line: &Reading<'_>, cost_type: &str) -> Option<String> {
    let flat = line.object("wbs_code")?.text_if_any("flat_code")?;
    if cost_type.is_empty() {
        return Some(flat);
    }
    let bare = flat
        .strip_suffix(cost_type)
        .and_then(|rest| rest.strip_suffix(DELIMITERS))
        .filter(|rest| !rest.is_empty());
    Some(bare.map_or(flat.clone(), str::to_owned))
}

fn sub_job(issues: &Issues, code: &Reading<'_>, names: Names<'_>) -> Option<String> {
    let biller = code.text_if_any("biller_type")?;
    if !is_sub_job(&biller) {
        return None;
    }
    let id = code.key("biller_id");
    let found = named(names.sub_jobs, &id);
    if found.is_none() && !id.is_empty() {
        let message = format!("Procore shows no sub job {id}");
        issues.note(Issue::new(code.at("biller_id"), "unknown_sub_job", message));
    }
    found
}

fn is_sub_job(biller_type: &str) -> bool {
    biller_type.eq_ignore_ascii_case("SubJob")
}

fn named(names: Option<&Map<String, Value>>, id: &str) -> Option<String> {
    names?.get(id)?.as_str().map(str::to_owned)
}

/// The sub jobs that lines point at.
pub(super) fn sub_job_ids(lines: &[Value]) -> Vec<String> {
    let codes = lines.iter().filter_map(|line| line.get("cost_code"));
    let of_sub_jobs = codes.filter(|code| {
        let biller = code.get("biller_type").and_then(Value::as_str);
        biller.is_some_and(is_sub_job)
    });
    ids(of_sub_jobs.filter_map(|code| code.get("biller_id")))
}

/// The tax codes that lines point at.
pub(super) fn tax_code_ids(lines: &[Value]) -> Vec<String> {
    ids(lines.iter().filter_map(|line| line.get("tax_code_id")))
}

fn ids<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<String> {
    let mut ids: Vec<String> = values.filter_map(reading::key).collect();
    ids.sort();
    ids.dedup();
    ids
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn positions_are_the_vendors_only_if_they_can_be() {
        let table = [
            (
                json!([{"id": 5, "position": 2}, {"id": 4, "position": 1}]),
                "4:1 5:2",
            ),
            // A deleted line leaves a gap.
            (
                json!([{"id": 4, "position": 1}, {"id": 5, "position": "3"}]),
                "4:1 5:3",
            ),
            (
                json!([{"id": 5, "position": 0}, {"id": 4, "position": 1}]),
                "5:1 4:2",
            ),
            (
                json!([{"id": 5, "position": 1}, {"id": 4, "position": 1}]),
                "4:1 5:2",
            ),
            (
                json!([{"id": 10}, {"id": 9, "position": null}, {"id": 11, "position": 7}]),
                "11:1 9:2 10:3",
            ),
        ];
        for (rows, wanted) in table {
            let issues = Issues::default();
            let found = lines(&issues, &json!({ "lines": rows }));
            let found: Vec<String> = found
                .iter()
                .map(|line| format!("{}:{}", line.key, line.position))
                .collect();
            assert_eq!(found.join(" "), wanted, "{rows}");
        }
    }

    #[test]
    fn a_code_is_found_wherever_it_stands() {
        let m = json!({"id": 1, "code": "M"});
        let table = [
            (
                json!({"cost_code": {"full_code": "03-300", "code": "300"}, "line_item_type": m}),
                "03-300|M",
            ),
            (
                json!({"cost_code": {"code": "01", "parent": {"id": null}}}),
                "01|",
            ),
            (
                json!({"cost_code": {"code": "300", "parent": {"id": 8}}, "wbs_code": {"flat_code": "03-300.M"}, "line_item_type": m}),
                "03-300|M",
            ),
            (
                json!({"wbs_code": {"flat_code": "A1.03-300.M"}, "cost_code": null}),
                "A1.03-300.M|",
            ),
            (
                json!({"wbs_code": {"flat_code": "03-300M"}, "line_item_type": m}),
                "03-300M|M",
            ),
            (
                json!({"cost_code": {"full_code": " 003.0 "}, "line_item_type": null}),
                " 003.0 |",
            ),
        ];
        for (row, wanted) in table {
            let issues = Issues::default();
            let reading = Reading::of(&issues, &row, "lines/1");
            let names = Names {
                sub_jobs: None,
                tax_codes: None,
            };
            let found = coding(&issues, &reading, names);
            assert_eq!(
                format!("{}|{}", found.cost_code, found.cost_type),
                wanted,
                "{row}"
            );
            assert!(issues.finish(()).is_ok(), "{row}");
        }
    }
}
