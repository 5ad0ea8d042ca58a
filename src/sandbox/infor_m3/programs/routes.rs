//! Which transaction is answered where.

use super::super::ask::{Ask, Outcome};
use super::super::nok::Nok;
use super::super::world::World;
use super::{account, address, custom, email, entry, export, general};
use super::{item, order, order_change, reference, repository, supplier};

pub(in super::super) fn answer(world: &mut World, ask: &Ask) -> Outcome {
    let transaction = ask.transaction;
    match (transaction.program, transaction.name) {
        ("GENERAL", "GetUserInfo") => general::user(ask),
        ("GENERAL", "GetServerTime") => general::server_time(world, ask),
        ("AUTCHKMI", "ChkAuthority") => general::authority(world, ask),
        ("MRS001MI", name) => repository::answer(world, ask, name),
        ("MNS095MI" | "MNS100MI" | "MNS150MI" | "CRS008MI" | "MMS005MI", _) => {
            reference::places(ask)
        }
        ("PPS095MI" | "CRS175MI" | "CRS055MI", _) => reference::codes(world, ask),
        ("CRS620MI", name) if name.ends_with("Address") || name.ends_with("Addresses") => {
            address::answer(world, ask, name)
        }
        ("CRS620MI", name) => supplier::answer(world, ask, name),
        ("CRS111MI", name) => email::answer(world, ask, name),
        ("CUSEXTMI", name) => custom::answer(world, ask, name),
        ("CRS630MI", name) => account::answer(world, ask, name),
        ("MMS200MI", "GetItmBasic") => item::get(world, ask),
        ("PPS370MI", name) => entry::answer(world, ask, name),
        ("PPS200MI", name @ ("AddLine" | "UpdHead" | "UpdLine" | "DltLine")) => {
            order_change::answer(world, ask, name)
        }
        ("PPS200MI" | "PPS001MI" | "PPSSPPMI", _) => order::answer(world, ask),
        ("EXPORTMI", _) => export::select(world, ask),
        (program, name) => Err(Nok::no_transaction(program, name)),
    }
}
