//! Vendors: found by number, tax id or name; the books are master of what is already there.

use super::flow::{Afterwards, Facts, Flow, Linked};
use super::gate::{Gate, Rules};
use crate::contract::Need;
use crate::domain::mapping::Tables;
use crate::domain::name::plain_name;
use crate::domain::records::Vendor;
use crate::domain::system::Entity;

/// How vendors travel.
pub static VENDOR: Flow<Vendor> = Flow {
    rank: 0,
    afterwards: Afterwards::TargetIsMaster,
    waited_for_as: "vendor",
    has_ended: |_| false,
    facts,
    gate,
    needs,
    refers_to,
};

fn facts(vendor: &Vendor) -> Facts {
    Facts {
        number: vendor.number.clone(),
        counterparty: Some(vendor.name.clone()),
        money: None,
        twin_key: Some(twin_key(&vendor.name)),
    }
}

/// A name as people compare names.
#[must_use]
pub fn twin_key(name: &str) -> String {
    plain_name(name).core
}

fn gate(vendor: &Vendor, rules: &Rules<'_>) -> Gate {
    if rules.is_needed {
        return Gate::Open;
    }
    if !vendor.active {
        return Gate::Shut {
            reason: "inactive",
            says: "Left out: the vendor is not active in the source.".to_owned(),
        };
    }
    if rules.used_only {
        return Gate::Shut {
            reason: "not_used",
            says: "Left out: no document in scope names this vendor. It travels when one does."
                .to_owned(),
        };
    }
    Gate::Open
}

fn needs(_vendor: &Vendor, _tables: &Tables, _linked: &dyn Linked) -> Vec<Need> {
    Vec::new()
}

fn refers_to(_vendor: &Vendor) -> Vec<(Entity, String)> {
    Vec::new()
}
