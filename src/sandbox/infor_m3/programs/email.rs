//! CRS111MI: e-mail addresses by type and key, the key being a supplier's number here.
//!
//! Assumed: any type is taken; XRE0103 and XRE0104 as everywhere.

use std::ops::Bound;

use super::super::ask::{Answer, Ask, Outcome};
use super::super::nok::Nok;
use super::super::world::World;

pub(super) fn answer(world: &mut World, ask: &Ask, name: &str) -> Outcome {
    let key = (ask.text("EMTP").to_owned(), ask.text("EMKY").to_owned());
    let held = world.emails.get(&key);
    match (name, held) {
        ("Get", Some(address)) => Ok(ask.one(|field| shown(field, &key, address))),
        ("List", _) => {
            let start = Bound::Included(key.clone());
            let from = world.emails.range((start, Bound::Unbounded));
            let same = from.take_while(|((kind, _), _)| *kind == key.0);
            Ok(ask.list(same, |(key, address), field| shown(field, key, address)))
        }
        ("Add", Some(_)) => Err(Nok::record_exists("EMKY")),
        ("Add", None) | ("Change", Some(_)) => {
            let written = format!("{}/{}", key.0, key.1);
            world.emails.insert(key, ask.text("EMAL").to_owned());
            Ok(Answer::written(written))
        }
        ("Delete", Some(_)) => {
            world.emails.remove(&key);
            Ok(Answer::written(format!("{}/{}", key.0, key.1)))
        }
        _ => Err(Nok::no_record("EMKY")),
    }
}

fn shown(field: &str, (kind, key): &(String, String), address: &str) -> Option<String> {
    match field {
        "EMTP" => Some(kind.clone()),
        "EMKY" => Some(key.clone()),
        "EMAL" => Some(address.to_owned()),
        _ => None,
    }
}
