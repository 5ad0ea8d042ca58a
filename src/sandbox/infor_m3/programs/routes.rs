//! Which transaction is answered where.

use super::super::ask::{Ask, Outcome};
use super::super::nok::Nok;
use super::super::world::World;
use super::{account, address, custom, email, entry, export, general};
use super::{item, order, order_change, reference, repository, supplier};

pub(in super::super) fn answer(world: &mut World, ask: &Ask) -> Outcome {
    let transaction = ask.transaction;
    match (transaction.program, transaction.name) {
        ("GENERAL", "GetUserInfo") => general::user(world, ask),
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::super::catalog;
    use super::super::super::planting::plant;
    use super::super::super::request::{Form, Item, Manner};
    use super::*;

    #[test]
    fn every_transaction_of_the_table_is_answered() {
        let transactions = catalog::programs()
            .filter_map(catalog::transactions)
            .flatten();
        for transaction in transactions {
            let record = transaction.inputs.iter().filter(|field| field.is_mandatory);
            let item = Item {
                transaction: transaction.name.to_owned(),
                record: record
                    .map(|field| (field.name.to_owned(), "0".to_owned()))
                    .collect(),
                columns: Vec::new(),
            };
            let mut world = plant(1);
            let manner = (Form::Bulk, &Manner::default());
            let ask = Ask::check(transaction, &item, manner, &world.settings).unwrap();
            let kind = answer(&mut world, &ask).err().map(|nok| nok.kind);
            let name = (transaction.program, transaction.name);
            assert!(
                kind.is_none_or(|kind| kind == "ServerReturnedNOK"),
                "{name:?}"
            );
        }
    }
}
