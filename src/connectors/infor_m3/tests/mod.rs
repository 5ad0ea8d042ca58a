//! Mapping, case by case: `tests/fixtures/infor_m3/{record}/{case}.json` is laid over `base.json` beside it, and
//! `{case}.want.json` is the draft, or the issues. `UPDATE=1` writes the second file anew; its change is read in
//! review.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use time::macros::date;

use super::CONNECTOR;
use crate::contract::{Draft, Refs, Writes};
use crate::domain::connection::{Setting, Settings};
use crate::domain::fault::Issue;
use crate::domain::ids::TenantId;
use crate::domain::mapping::{MappingKind, Row, Side, Tables};
use crate::domain::records::{Order, Vendor};
use crate::domain::system::Entity;
use crate::domain::tag::WriteTag;

fn folder(record: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/infor_m3")
        .join(record)
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{}: {error}; UPDATE=1 writes it", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// RFC 7396: what the case says goes over the base, `null` takes away.
fn laid_over(base: &mut Value, case: &Value) {
    let (Value::Object(base), Value::Object(case)) = (&mut *base, case) else {
        *base = case.clone();
        return;
    };
    for (name, value) in case {
        match base.get_mut(name) {
            Some(held) if value.is_object() => laid_over(held, value),
            _ => {
                base.insert(name.clone(), value.clone());
            }
        }
    }
}

#[allow(clippy::disallowed_methods)] // The one switch of the fixtures; the product reads none here.
fn check(record: &str, outcome: impl Fn(&Value) -> Result<Draft, Vec<Issue>>) {
    let folder = folder(record);
    let base = read(&folder.join("base.json"));
    let mut cases = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name == "base.json" || name.ends_with(".want.json") {
            continue;
        }
        let mut case = base.clone();
        laid_over(&mut case, &read(&path));
        let found = match outcome(&case) {
            Ok(draft) => json!({
                "key": draft.natural_key,
                "money": draft.money.map(|money| money.to_string()),
                "payload": draft.payload,
                "fields": draft.fields.iter()
                    .map(|change| format!("{}: {} ({})", change.field, change.to.as_deref().unwrap_or("-"), change.why))
                    .collect::<Vec<_>>(),
            }),
            Err(issues) => json!({ "issues": issues }),
        };
        let want = path.with_extension("want.json");
        if std::env::var_os("UPDATE").is_some() {
            let text = serde_json::to_string_pretty(&found).unwrap();
            std::fs::write(&want, text + "\n").unwrap();
        }
        assert_eq!(found, read(&want), "{record}/{name}");
        cases += 1;
    }
    assert!(cases > 3, "the cases of {record} were not found");
}

fn settings(case: &Value) -> Settings {
    let mut settings = Settings::default();
    for (name, value) in case["settings"].as_object().unwrap() {
        match value {
            Value::Object(rows) => {
                settings.0.insert(name.clone(), Setting::Table(texts(rows)));
            }
            Value::Null => {}
            text => settings.set(name, text.as_str().unwrap()),
        }
    }
    settings
}

fn texts(rows: &Map<String, Value>) -> Side {
    rows.iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect()
}

fn tables(case: &Value) -> Tables {
    let mut tables = Tables::default();
    for (kind, rows) in case["mappings"].as_object().into_iter().flatten() {
        let kind: MappingKind = kind.parse().unwrap();
        let rows = rows.as_array().unwrap().iter().map(|row| Row {
            id: None,
            project_side: texts(row["project"].as_object().unwrap()),
            erp_side: texts(row["erp"].as_object().unwrap()),
            note: String::new(),
        });
        tables.0.insert(kind, rows.collect());
    }
    tables
}

fn drafted<E: serde::de::DeserializeOwned>(
    case: &Value,
    record: &str,
    writes: &dyn Writes<E>,
) -> Result<Draft, Vec<Issue>> {
    let links: BTreeMap<(Entity, String), String> = case["links"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, target)| {
            Some((
                (Entity::new("vendor"), key.clone()),
                target.as_str()?.to_owned(),
            ))
        })
        .collect();
    let refs = Refs {
        tables: &tables(case),
        links: &links,
        tag: &WriteTag::of(TenantId::NIL, "host/100", record, "1"),
        today: date!(2026 - 11 - 25),
    };
    let record: E = serde_json::from_value(case[record].clone()).unwrap();
    writes.draft(&record, &settings(case), &refs)
}

#[test]
fn orders_are_mapped() {
    check("order", |case| {
        drafted::<Order>(case, "order", CONNECTOR.ports.order.writes.unwrap())
    });
}

#[test]
fn vendors_are_mapped() {
    check("vendor", |case| {
        drafted::<Vendor>(case, "vendor", CONNECTOR.ports.vendor.writes.unwrap())
    });
}

#[test]
fn a_thousand_lines_are_one_too_many() {
    let mut case = read(&folder("order").join("base.json"));
    let line = case["order"]["lines"][0].clone();
    for (count, code) in [(999, None), (1000, Some("too_many_lines"))] {
        case["order"]["lines"] = vec![line.clone(); count].into();
        case["order"]["total"] = json!((2300 * count).to_string());
        let drafted = drafted::<Order>(&case, "order", CONNECTOR.ports.order.writes.unwrap());
        assert_eq!(
            drafted
                .err()
                .map(|issues| issues[0].code.clone())
                .as_deref(),
            code
        );
    }
}
