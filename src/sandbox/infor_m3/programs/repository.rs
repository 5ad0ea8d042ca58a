//! MRS001MI: which programs, transactions and fields this tenant has.
//!
//! Assumed: positions of fields follow from their lengths; a program the tenant does not have is
//! XRE0103.

use super::super::ask::{Ask, Outcome};
use super::super::catalog::{self, Field, Transaction};
use super::super::nok::Nok;
use super::super::settings::Settings;
use super::super::world::World;

/// For the few inputs whose length nobody has written down.
const LENGTH_USUAL: usize = 10;
/// Program and transaction come first in the fixed layout.
const FIRST_POSITION: usize = 16;

pub(super) fn answer(world: &World, ask: &Ask, name: &str) -> Outcome {
    let settings = &world.settings;
    match name {
        "LstPrograms" => {
            let here = catalog::programs().filter(|program| !settings.is_missing(program, ""));
            Ok(ask.list(here, |program, field| match field {
                "MINM" => Some((*program).to_owned()),
                "MIDS" => Some(format!("{program} interface")),
                _ => None,
            }))
        }
        "LstTransactions" => {
            let here = transactions(settings, ask.text("MINM"))?.into_iter();
            Ok(ask.list(here, |transaction, field| match field {
                "MINM" => Some(transaction.program.to_owned()),
                "TRNM" => Some(transaction.name.to_owned()),
                "TRDS" => Some(words(transaction.name)),
                "STAT" => Some("20".to_owned()),
                "SIMU" => Some(kind(transaction)),
                _ => None,
            }))
        }
        _ => fields(settings, ask),
    }
}

fn transactions(settings: &Settings, program: &str) -> Result<Vec<&'static Transaction>, Nok> {
    let known = catalog::transactions(program).unwrap_or_default().iter();
    let is_here = |one: &&Transaction| !settings.is_missing(program, one.name);
    let here: Vec<_> = known.filter(is_here).collect();
    if here.is_empty() {
        return Err(Nok::no_record("MINM"));
    }
    Ok(here)
}

fn fields(settings: &Settings, ask: &Ask) -> Outcome {
    let here = transactions(settings, ask.text("MINM"))?;
    let found = here.into_iter().find(|one| one.name == ask.text("TRNM"));
    let transaction = found.ok_or_else(|| Nok::no_record("TRNM"))?;
    let is_input = ask.text("TRTP").eq_ignore_ascii_case("I");
    let all = if is_input {
        &transaction.inputs
    } else {
        &transaction.outputs
    };
    let mut position = FIRST_POSITION;
    let placed = all.iter().map(|field| {
        let from = position;
        position += length(field);
        (field, from)
    });
    Ok(ask.list(placed, |(field, from), name| match name {
        "MINM" => Some(transaction.program.to_owned()),
        "TRNM" => Some(transaction.name.to_owned()),
        "TRTP" => Some(if is_input { "I" } else { "O" }.to_owned()),
        "FLNM" | "FLDS" => Some(field.name.to_owned()),
        "FRPO" => Some(from.to_string()),
        "TOPO" => Some((from + length(field) - 1).to_string()),
        "LENG" => Some(length(field).to_string()),
        "TYPE" => Some(field.kind.letter().to_owned()),
        "MAND" => Some(u8::from(field.is_mandatory).to_string()),
        _ => None,
    }))
}

fn length(field: &Field) -> usize {
    field.length.unwrap_or(LENGTH_USUAL)
}

/// M for transactions that list, S for those that do not.
fn kind(transaction: &Transaction) -> String {
    let lists = ["Lst", "List", "Search", "Select"];
    let is_list = lists.iter().any(|word| transaction.name.starts_with(word));
    if is_list { "M" } else { "S" }.to_owned()
}

/// `GetBasicData` as words.
fn words(name: &str) -> String {
    let mut text = String::new();
    for sign in name.chars() {
        if sign.is_ascii_uppercase() && !text.is_empty() {
            text.push(' ');
        }
        text.push(sign.to_ascii_lowercase());
    }
    text
}
