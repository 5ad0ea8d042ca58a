//! Turns the seed's tables into the records of a new world.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;
use time::macros::datetime;

use super::ask::Fields;
use super::seed::{self, SupplierRow};
use super::shape;
use super::world::{Item, World};

/// When the seed was written, long before any call.
const MADE: OffsetDateTime = datetime!(2025-03-01 08:00 UTC);

/// What all suppliers of the seed have in common.
const COMMON: [(&str, &str); 16] = [
    ("LNCD", "GB"),
    ("DTFM", "MDY"),
    ("MEPF", "00"),
    ("SUCL", "100"),
    ("QUCL", "10"),
    ("ORTY", seed::ORDER_TYPE),
    ("TEDL", "010"),
    ("MODL", "010"),
    ("TEAF", "010"),
    ("TEPA", "010"),
    ("CRTP", "1"),
    ("TEPY", "30"),
    ("PYME", "CHK"),
    ("ATPR", "1"),
    ("BUYE", seed::BUYER),
    ("RESP", seed::USER),
];

/// The seeded company. The random seed changes tokens, never the tables.
pub(super) fn plant(random_seed: u64) -> World {
    let mut world = World::new(random_seed);
    world.now = MADE;
    let lag_seconds = std::mem::take(&mut world.settings.search_lag_seconds);
    for row in &seed::SUPPLIERS {
        plant_supplier(&mut world, row);
    }
    world.settings.search_lag_seconds = lag_seconds;
    plant_codes(&mut world);
    plant_accounts(&mut world);
    for (number, name, unit, units, status) in seed::ITEMS {
        let others = units.split(' ').map(str::to_owned);
        let units = others.chain([unit.to_owned()]).collect();
        let fields = item(number, name, unit, status);
        world
            .items
            .insert(number.to_owned(), Item { fields, units });
    }
    let elements: BTreeSet<String> = seed::codes().into_iter().map(|code| code.element).collect();
    for facts in seed::projects() {
        world
            .projects
            .insert(facts.project.to_owned(), elements.clone());
    }
    world
}

fn plant_supplier(world: &mut World, row: &SupplierRow) {
    let [street, town, state, postal_code, country] = row.address;
    let kind = if row.number.starts_with("TMPL") {
        "9"
    } else {
        "0"
    };
    let day = shape::date(MADE);
    world.change_supplier(row.number, |supplier| {
        supplier.fields = fields(&COMMON);
        supplier.fields.extend(fields(&[
            ("CONO", seed::CONO),
            ("SUNO", row.number),
            ("SUTY", kind),
            ("SUNM", row.name),
            ("ALSU", &short_name(row.name)),
            ("STAT", row.status),
            ("CSCD", country),
            ("ECAR", state),
            ("CUCD", row.currency),
            ("VRNO", row.tax),
            ("RGDT", &day),
            ("LMDT", &day),
        ]));
        if !street.is_empty() {
            let key = ("1".to_owned(), "MAIN".to_owned(), "0".to_owned());
            let address = fields(&[
                ("CONO", seed::CONO),
                ("SUNO", row.number),
                ("ADTE", "1"),
                ("ADID", "MAIN"),
                ("STDT", "0"),
                ("SUNM", row.name),
                ("ADR1", street),
                ("TOWN", town),
                ("ECAR", state),
                ("PONO", postal_code),
                ("CSCD", country),
                ("PRIA", "1"),
            ]);
            supplier.addresses.insert(key, address);
        }
    });
}

/// The search name of a supplier: its first letters and digits in capitals.
fn short_name(name: &str) -> String {
    let signs = name.chars().filter(|sign| sign.is_alphanumeric());
    let short: String = signs.take(10).collect();
    short.to_uppercase().chars().take(10).collect()
}

fn plant_codes(world: &mut World) {
    for (kind, key, text) in seed::CODES {
        let short = shape::cut(text, 15);
        let mut code = fields(&[
            ("CONO", seed::CONO),
            ("STCO", kind),
            ("STKY", key),
            ("TX40", text),
            ("TX15", &short),
        ]);
        match kind {
            "ORTY" => code.extend(fields(&[("ORTY", key), ("POTC", "20")])),
            "CUCD" => code.extend(fields(&[("CUCD", key), ("DCCD", "2")])),
            _ => {}
        }
        world.codes.insert((kind.to_owned(), key.to_owned()), code);
    }
}

fn plant_accounts(world: &mut World) {
    let is_made = |facts: &seed::CodeFacts| (facts.cost_code, facts.cost_type) != seed::ABSENT_CODE;
    for facts in seed::codes().into_iter().filter(is_made) {
        let is_locked = facts.cost_code == seed::LOCKED_COST_CODE;
        let name = format!("Job cost {}", facts.account);
        let mut account = identity(seed::DIVI, "1", &facts.account, &name);
        account.extend(fields(&[
            ("LCCD", if is_locked { "1" } else { "0" }),
            ("ACR2", "1"),
        ]));
        insert_account(world, account);
    }
    for (division, dimension, id, name) in seed::IDENTITIES {
        insert_account(world, identity(division, dimension, id, name));
    }
}

/// An accounting identity that may be posted to.
pub(super) fn identity(division: &str, dimension: &str, id: &str, name: &str) -> Fields {
    let short = shape::cut(name, 15);
    fields(&[
        ("CONO", seed::CONO),
        ("DIVI", division),
        ("AITP", dimension),
        ("AITM", id),
        ("TX40", name),
        ("TX15", &short),
        ("LCCD", "0"),
        ("VFDT", "20200101"),
        ("VTDT", "0"),
        ("AT13", "0"),
        ("CHNO", "1"),
        ("LMDT", &shape::date(MADE)),
        ("LMTS", &shape::milliseconds(MADE).to_string()),
    ])
}

pub(super) fn insert_account(world: &mut World, account: Fields) {
    let text = |name: &str| account.get(name).cloned().unwrap_or_default();
    let key = (text("DIVI"), text("AITP"), text("AITM"));
    world.accounts.insert(key, account);
}

/// A service item: bought, not stocked.
pub(super) fn item(number: &str, name: &str, unit: &str, status: &str) -> Fields {
    fields(&[
        ("ITNO", number),
        ("ITDS", name),
        ("FUDS", name),
        ("STAT", status),
        ("UNMS", unit),
        ("PUUN", unit),
        ("PPUN", unit),
        ("STCD", "0"),
        ("ITTY", "SRV"),
        ("ITGR", "PROJ"),
        ("DCCD", "6"),
        ("LMDT", &shape::date(MADE)),
    ])
}

fn fields(pairs: &[(&'static str, &str)]) -> Fields {
    let owned = pairs
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()));
    owned.collect::<BTreeMap<_, _>>()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::rules;
    use super::*;
    use crate::sandbox::procore;

    #[test]
    fn the_tables_agree_with_each_other() {
        let world = plant(1);
        assert_eq!(world.suppliers.len(), seed::SUPPLIERS.len());
        assert_eq!(world.codes.len(), seed::CODES.len());
        for supplier in world.suppliers.all() {
            let number = supplier.text("SUNO");
            assert!(number.len() <= 10, "{number}");
            assert!(supplier.text("SUNM").chars().count() <= 36, "{number}");
            for field in ["CSCD", "CUCD", "TEPY", "SUCL", "ORTY", "TEDL", "MODL"] {
                assert!(
                    world.has_code(field, supplier.text(field)),
                    "{number} {field}"
                );
            }
        }
        let blocked = world.suppliers.get(seed::BLOCKED_SUPPLIER).unwrap();
        assert_eq!(blocked.text("STAT"), "90");
    }

    #[test]
    fn codes_of_the_source_are_known_but_for_the_honest_problems() {
        let world = plant(1);
        let coded = |facts: &seed::CodeFacts| {
            let coding = fields(&[("AIT1", &facts.account), ("AIT2", facts.cost_center)]);
            rules::faults_of_line(&world, &fields(&[("ITNO", "PCSUBC")]), &coding)
        };
        let (absent, codes): (Vec<_>, Vec<_>) = seed::codes()
            .into_iter()
            .partition(|facts| (facts.cost_code, facts.cost_type) == seed::ABSENT_CODE);
        assert!(matches!(absent.as_slice(), [facts] if !coded(facts).is_empty()));
        let (locked, open): (Vec<_>, Vec<_>) = codes
            .iter()
            .partition(|facts| facts.cost_code == seed::LOCKED_COST_CODE);
        assert!(open.iter().all(|facts| coded(facts).is_empty()));
        assert!(!locked.is_empty() && locked.iter().all(|facts| !coded(facts).is_empty()));
        let known: BTreeSet<&str> = codes.iter().map(|facts| facts.cost_code).collect();
        assert_eq!(known.len() + 1, procore::COST_CODES.len());
        let items: Vec<_> = seed::items().collect();
        assert!(items.iter().all(|(_, item, unit)| {
            let held = world.items.get(*item);
            held.is_some_and(|held| held.units.iter().any(|known| known == unit))
        }));
        let materials = world.items.get("PCMATL").unwrap();
        let refused = seed::REFUSED_UNIT.to_uppercase();
        assert!(world.has_code("UNIT", &refused) && !materials.units.contains(&refused));
    }
}
