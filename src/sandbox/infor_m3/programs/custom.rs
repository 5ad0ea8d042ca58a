//! CUSEXTMI: custom fields beside the records of a file.
//!
//! Source: CUSEXTMI and CMS080 notes, read 2026-11-22: the file must be set up in CMS080 (the
//! setting `custom_fields`), VEXI = 1 skips the look at the record, numbers have six places.
//! Assumed: the code for a file that is not set up.

use super::super::ask::{Answer, Ask, Fields, Outcome};
use super::super::catalog::Kind;
use super::super::nok::Nok;
use super::super::shape;
use super::super::world::World;

const KEYS: [&str; 9] = [
    "FILE", "PK01", "PK02", "PK03", "PK04", "PK05", "PK06", "PK07", "PK08",
];

pub(super) fn answer(world: &mut World, ask: &Ask, name: &str) -> Outcome {
    let key: Vec<String> = KEYS.iter().map(|name| ask.text(name).to_owned()).collect();
    let held = world.extras.get(&key);
    match (name, held) {
        ("GetFieldValue", Some(fields)) => Ok(ask.stored(fields)),
        ("AddFieldValue", Some(_)) => Err(Nok::record_exists("")),
        ("AddFieldValue", None) | ("ChgFieldValue", Some(_)) => write(world, ask, key),
        ("DelFieldValue", Some(_)) => {
            world.extras.remove(&key);
            Ok(Answer::written(named(&key)))
        }
        _ => Err(Nok::no_record("")),
    }
}

fn write(world: &mut World, ask: &Ask, key: Vec<String>) -> Outcome {
    let file = ask.text("FILE");
    if !world
        .settings
        .custom_fields
        .iter()
        .any(|known| known == file)
    {
        let text = format!("Custom fields are not set up for file {file}");
        return Err(Nok::refused("CPF9898", "FILE", text));
    }
    let record = ask.text("PK01").to_uppercase();
    let is_lost = file == "CIDMAS" && world.suppliers.get(&record).is_none();
    if is_lost && ask.text("VEXI") != "1" {
        return Err(Nok::no_record("PK01"));
    }
    let today = shape::date(world.now);
    let stamp = shape::milliseconds(world.now).to_string();
    let written = named(&key);
    let fields: &mut Fields = world.extras.entry(key).or_default();
    for input in &ask.transaction.inputs {
        if let Some(value) = ask.given.get(input.name) {
            let is_fine = input.kind == Kind::Number && input.name.starts_with('N');
            let value = if is_fine {
                shape::fine(shape::decimal(value))
            } else {
                value.clone()
            };
            fields.insert(input.name, value);
        }
    }
    fields.entry("RGDT").or_insert_with(|| today.clone());
    fields.insert("LMDT", today);
    fields.insert("LMTS", stamp);
    Ok(Answer::written(written))
}

fn named(key: &[String]) -> String {
    let filled = key.iter().filter(|part| !part.is_empty());
    filled.map(String::as_str).collect::<Vec<_>>().join("/")
}
