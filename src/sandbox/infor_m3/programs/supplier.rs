//! CRS620MI: suppliers, found and written.
//!
//! Source: CRS620MI field lists and notes, read 2026-11-22: the lists by number and by name begin
//! at the key and do not stop; LstSuppliers shows no status. Assumed: a copy carries everything
//! of its template, the name included; CopyTemplate of a number that exists is XRE0104.

use super::super::ask::{Answer, Ask, Fields, Outcome};
use super::super::nok::Nok;
use super::super::shape;
use super::super::supplier::Supplier;
use super::super::world::World;

/// Codes of a supplier and the table in which each must be.
const CODES: [(&str, &str); 7] = [
    ("CSCD", "CSCD"),
    ("CUCD", "CUCD"),
    ("TEPY", "TEPY"),
    ("SUCL", "SUCL"),
    ("ORTY", "ORTY"),
    ("TEDL", "TEDL"),
    ("MODL", "MODL"),
];

/// Fields that a copy does not take over.
const OWN: [&str; 5] = ["SUNO", "CHNO", "LMTS", "RGDT", "LMDT"];

pub(super) fn answer(world: &mut World, ask: &Ask, name: &str) -> Outcome {
    match name {
        "GetBasicData" => {
            let number = ask.text("SUNO");
            let supplier = world.suppliers.get(number);
            let supplier = supplier.ok_or_else(|| Nok::no_supplier("SUNO", number))?;
            Ok(ask.stored(&supplier.fields))
        }
        "LstByNumber" => Ok(listed(ask, world.suppliers.starting_at(ask.text("SUNO")))),
        "LstByName" => Ok(listed(ask, world.suppliers.named_from(ask.text("SUNM")))),
        "LstSuppliers" => Ok(list(world, ask)),
        "SearchSupplier" => Ok(search(world, ask)),
        "CopyTemplate" => copy(world, ask),
        "AddSupplier" => add(world, ask),
        "UpdSupplier" => update(world, ask),
        _ => Err(Nok::no_transaction("CRS620MI", name)),
    }
}

fn listed<'a>(ask: &Ask, found: impl Iterator<Item = &'a Supplier>) -> Answer {
    ask.list(found, |supplier, field| supplier.fields.get(field).cloned())
}

fn list(world: &World, ask: &Ask) -> Answer {
    let (from, to) = (ask.text("FRSU"), ask.text("TOSU"));
    let is_asked = |supplier: &&Supplier| {
        let number = supplier.text("SUNO");
        number >= from && (to.is_empty() || number <= to)
    };
    let since = ask.count("LMTS");
    if since > 0 {
        return listed(ask, world.suppliers.changed_since(since).filter(is_asked));
    }
    listed(ask, world.suppliers.starting_at(from).take_while(is_asked))
}

fn search(world: &World, ask: &Ask) -> Answer {
    let found = world.supplier_search.find(ask.text("SQRY")).into_iter();
    let found = found.filter_map(|number| world.suppliers.get(&number));
    ask.list(found, |supplier, field| match field {
        "PGNM" => Some("CRS620".to_owned()),
        "FILE" => Some("CIDMAS".to_owned()),
        _ => supplier.fields.get(field).cloned(),
    })
}

fn copy(world: &mut World, ask: &Ask) -> Outcome {
    let (template, number) = (ask.text("STEM"), ask.text("SUNO"));
    let source = world.suppliers.get(template);
    let source = source.ok_or_else(|| Nok::no_supplier("STEM", template))?;
    check_new(world, number)?;
    let mut fields = source.fields.clone();
    fields.retain(|name, _| !OWN.contains(name));
    let kind = if ask.has("SUTY") {
        ask.text("SUTY")
    } else {
        "0"
    };
    fields.insert("SUTY", kind.to_owned());
    let answer = ask.one(|field| match field {
        "SUNO" => Some(number.to_owned()),
        _ => fields.get(field).cloned(),
    });
    make(world, number, &fields);
    Ok(answer.wrote(number.to_owned()))
}

fn add(world: &mut World, ask: &Ask) -> Outcome {
    let number = ask.text("SUNO");
    check_new(world, number)?;
    check_codes(world, ask)?;
    let mut fields = ask.given.clone();
    fields.entry("STAT").or_insert_with(|| "10".to_owned());
    make(world, number, &fields);
    Ok(Answer::written(number.to_owned()))
}

/// Changes what is sent and leaves the rest.
fn update(world: &mut World, ask: &Ask) -> Outcome {
    let number = ask.text("SUNO");
    if world.suppliers.get(number).is_none() {
        return Err(Nok::no_supplier("SUNO", number));
    }
    check_codes(world, ask)?;
    let today = shape::date(world.now);
    world.change_supplier(number, |supplier| {
        supplier.fields.extend(ask.given.clone());
        supplier.fields.insert("LMDT", today);
    });
    Ok(Answer::written(number.to_owned()))
}

fn check_new(world: &World, number: &str) -> Result<(), Nok> {
    if world.suppliers.get(number).is_some() {
        return Err(Nok::record_exists("SUNO"));
    }
    Ok(())
}

/// Assumed: a code that leads nowhere is XRE0103 at its field.
fn check_codes(world: &World, ask: &Ask) -> Result<(), Nok> {
    for (field, kind) in CODES {
        if ask.has(field) && !world.has_code(kind, ask.text(field)) {
            return Err(Nok::no_record(field));
        }
    }
    let status = ask.text("STAT");
    if !matches!(status, "" | "10" | "20" | "90") {
        return Err(Nok::no_record("STAT"));
    }
    Ok(())
}

fn make(world: &mut World, number: &str, fields: &Fields) {
    let today = shape::date(world.now);
    world.change_supplier(number, |supplier| {
        supplier.fields.extend(fields.clone());
        supplier
            .fields
            .insert("CONO", super::super::seed::CONO.to_owned());
        supplier.fields.insert("SUNO", number.to_owned());
        supplier.fields.insert("RGDT", today.clone());
        supplier.fields.insert("LMDT", today);
    });
}
