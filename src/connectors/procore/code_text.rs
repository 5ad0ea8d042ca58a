//! Takes a WBS code apart: by its segments, else by its text.
//!
//! Source: Procore REST reference, WBS codes and segment items, and "Work breakdown structure", read 2026-11-22:
//! a code joins cost code, cost type, optionally a sub job and segments of the company's own. Assumed: the words for
//! the kinds of segments, that a sub job stands first in the text and the cost type last.

use serde_json::{Map, Value};

/// What stands between the parts of a text. Assumed: companies choose one of these.
pub(super) const DELIMITERS: [char; 5] = ['.', '-', '/', '_', ' '];

/// The parts of a code.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Parts {
    pub cost_code: String,
    pub cost_type: String,
    pub sub_job: String,
    /// The cost code's own name, where it is told.
    pub name: String,
}

/// Whether the lists of cost types and sub jobs are needed to take a row apart.
pub(super) fn needs_lists(row: &Value) -> bool {
    segments(row).cost_code.is_empty()
}

/// Takes the `wbs_code` of a snapshot apart.
pub(super) fn parts(raw: &Value) -> Parts {
    let row = raw.get("wbs_code").unwrap_or(&Value::Null);
    let found = segments(row);
    if !found.cost_code.is_empty() {
        return found;
    }
    let flat = row.get("flat_code").and_then(Value::as_str);
    let list = |name: &str| raw.get(name).and_then(Value::as_object);
    flat.map_or(found, |flat| {
        text(flat, list("cost_types"), list("sub_jobs"))
    })
}

fn segments(row: &Value) -> Parts {
    let items = row.get("segment_items").and_then(Value::as_array);
    let mut parts = Parts::default();
    for item in items.into_iter().flatten() {
        let code = full_code(item);
        match kind(item).as_str() {
            "costcode" => {
                parts.cost_code = code;
                parts.name = text_of(item, "name").to_owned();
            }
            "lineitemtype" | "costtype" | "category" => parts.cost_type = code,
            "subjob" => parts.sub_job = code,
            // Segments of the company's own are no part of the key.
            _ => {}
        }
    }
    parts
}

/// The word for a segment's kind, letters alone.
fn kind(item: &Value) -> String {
    let segment = item.get("segment").unwrap_or(&Value::Null);
    let words = [
        text_of(segment, "type"),
        text_of(item, "segment_type"),
        text_of(segment, "name"),
    ];
    let word = words.into_iter().find(|word| !word.is_empty());
    let letters = word.unwrap_or_default().chars();
    letters
        .filter(|letter| letter.is_ascii_alphabetic())
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// The code with those above it, where it is one of several tiers.
fn full_code(item: &Value) -> String {
    let path = text_of(item, "path_code");
    if !path.is_empty() {
        return path.to_owned();
    }
    let own = text_of(item, "code");
    let above = item.get("path_codes").and_then(Value::as_array);
    let above: Vec<&str> = above
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let segment = item.get("segment").unwrap_or(&Value::Null);
    let delimiter = text_of(segment, "delimiter");
    if above.len() > 1 && !delimiter.is_empty() {
        return above.join(delimiter);
    }
    own.to_owned()
}

fn text_of<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

type List<'a> = Option<&'a Map<String, Value>>;

/// The longest known part wins, so that a type `M` is not taken out of a type `XM`.
fn text(flat: &str, cost_types: List<'_>, sub_jobs: List<'_>) -> Parts {
    let (rest, cost_type) = longest(cost_types, |code| behind(flat, code))
        .map_or((flat, String::new()), |(rest, code)| (rest, code));
    let (cost_code, sub_job) = longest(sub_jobs, |code| before(rest, code))
        .map_or((rest, String::new()), |(rest, code)| (rest, code));
    Parts {
        cost_code: cost_code.to_owned(),
        cost_type,
        sub_job,
        name: String::new(),
    }
}

fn longest<'t>(
    list: List<'_>,
    rest: impl Fn(&str) -> Option<&'t str>,
) -> Option<(&'t str, String)> {
    let codes = list?.values().filter_map(Value::as_str);
    let fitting = codes.filter(|code| !code.is_empty());
    fitting
        .filter_map(|code| Some((rest(code)?, code.to_owned())))
        .max_by_key(|(_, code)| code.chars().count())
}

/// What is left of a text that ends with a code.
fn behind<'t>(flat: &'t str, code: &str) -> Option<&'t str> {
    let rest = flat.strip_suffix(code)?.strip_suffix(DELIMITERS)?;
    (!rest.is_empty()).then_some(rest)
}

/// What is left of a text that begins with a code.
fn before<'t>(flat: &'t str, code: &str) -> Option<&'t str> {
    let rest = flat.strip_prefix(code)?.strip_prefix(DELIMITERS)?;
    (!rest.is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_code_is_taken_apart() {
        let lists =
            json!({"cost_types": {"1": "M", "2": "XM", "3": "L"}, "sub_jobs": {"9": "SJ-01"}});
        let segment = |kind: &str, code: &str| json!({"code": code, "segment": {"type": kind}});
        let table = [
            (
                json!({"flat_code": "03-300.M", "segment_items": [segment("cost_code", "03-300"), segment("line_item_type", "M")]}),
                "|03-300|M",
            ),
            (
                json!({"segment_items": [segment("Sub Job", "SJ-01"), segment("CostCode", "03-300"), segment("LineItemType", "M"),
                    segment("custom", "WEST")]}),
                "SJ-01|03-300|M",
            ),
            (
                json!({"segment_items": [{"code": "300", "path_code": "03-300", "segment_type": "cost_code"}]}),
                "|03-300|",
            ),
            (
                json!({"segment_items": [{"code": "300", "path_codes": ["03", "300"],
                    "segment": {"name": "Cost Code", "delimiter": "-"}}]}),
                "|03-300|",
            ),
            (
                json!({"flat_code": "03-300.M", "segment_items": []}),
                "|03-300|M",
            ),
            (
                json!({"flat_code": "03-300.XM", "segment_items": null}),
                "|03-300|XM",
            ),
            (json!({"flat_code": "SJ-01.03-300.L"}), "SJ-01|03-300|L"),
            (json!({"flat_code": "03-300"}), "|03-300|"),
            (json!({"flat_code": "M"}), "|M|"),
            (json!({"flat_code": null}), "||"),
        ];
        for (row, want) in table {
            let mut raw = lists.clone();
            raw["wbs_code"] = row.clone();
            let Parts {
                cost_code,
                cost_type,
                sub_job,
                ..
            } = parts(&raw);
            assert_eq!(format!("{sub_job}|{cost_code}|{cost_type}"), want, "{row}");
        }
    }
}
