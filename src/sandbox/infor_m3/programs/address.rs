//! CRS620MI: the addresses of a supplier, by type, identity and start date.
//!
//! Assumed: an address that exists is XRE0104, one that does not is XRE0103; a start date left out
//! is 0; GetAddress without type or identity shows the first that fits.

use super::super::ask::{Answer, Ask, Fields, Outcome};
use super::super::nok::Nok;
use super::super::shape;
use super::super::supplier::{AddressKey, Supplier};
use super::super::world::World;

pub(super) fn answer(world: &mut World, ask: &Ask, name: &str) -> Outcome {
    match name {
        "LstAddresses" => {
            let addresses = supplier(world, ask)?.addresses.values();
            Ok(ask.list(addresses, |address, field| address.get(field).cloned()))
        }
        "GetAddress" => {
            let addresses = supplier(world, ask)?.addresses.iter();
            let mut fitting = addresses.filter(|(key, _)| fits(ask, key));
            let found = fitting.next().ok_or_else(|| Nok::no_record("ADID"))?;
            Ok(ask.stored(found.1))
        }
        "AddAddress" => write(world, ask, false),
        "UpdAddress" => write(world, ask, true),
        _ => Err(Nok::no_transaction("CRS620MI", name)),
    }
}

fn supplier<'a>(world: &'a World, ask: &Ask) -> Result<&'a Supplier, Nok> {
    let number = ask.text("SUNO");
    let supplier = world.suppliers.get(number);
    supplier.ok_or_else(|| Nok::no_supplier("SUNO", number))
}

fn fits(ask: &Ask, (kind, id, start): &AddressKey) -> bool {
    let is_asked = |field: &str, held: &str| !ask.has(field) || ask.text(field) == held;
    is_asked("ADTE", kind) && is_asked("ADID", id) && is_asked("STDT", start)
}

fn key(ask: &Ask) -> AddressKey {
    let start = if ask.has("STDT") {
        ask.text("STDT")
    } else {
        "0"
    };
    (
        ask.text("ADTE").to_owned(),
        ask.text("ADID").to_owned(),
        start.to_owned(),
    )
}

fn write(world: &mut World, ask: &Ask, is_there: bool) -> Outcome {
    let key = key(ask);
    if supplier(world, ask)?.addresses.contains_key(&key) != is_there {
        let refusal = if is_there {
            Nok::no_record("ADID")
        } else {
            Nok::record_exists("ADID")
        };
        return Err(refusal);
    }
    if ask.has("CSCD") && !world.has_code("CSCD", ask.text("CSCD")) {
        return Err(Nok::no_record("CSCD"));
    }
    let number = ask.text("SUNO");
    let today = shape::date(world.now);
    world.change_supplier(number, |supplier| {
        let address: &mut Fields = supplier.addresses.entry(key.clone()).or_default();
        address.extend(ask.given.clone());
        address.insert("CONO", super::super::seed::CONO.to_owned());
        address.insert("STDT", key.2.clone());
        address.entry("RGDT").or_insert_with(|| today.clone());
        address.insert("LMDT", today);
    });
    Ok(Answer::written(format!("{number}/{}/{}", key.0, key.1)))
}
