//! Suppliers as M3 holds them, with the ways in which they are found.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::ask::Fields;

/// What the search index knows of a supplier.
pub(super) const SEARCHED: [&str; 9] = [
    "SUNO", "SUNM", "ALSU", "STAT", "CSCD", "VRNO", "CORG", "COR2", "TINO",
];

/// Fields with which a query of one value goes straight to its suppliers.
const INDEXED: [&str; 3] = ["VRNO", "CORG", "SUNM"];

/// Type, identity and start date of an address.
pub(super) type AddressKey = (String, String, String);

#[derive(Default)]
pub(super) struct Supplier {
    pub fields: Fields,
    pub addresses: BTreeMap<AddressKey, Fields>,
    /// Milliseconds since 1970.
    pub changed: i64,
}

/// All suppliers, kept so that no call needs to look at each of them.
#[derive(Default)]
pub(super) struct Suppliers {
    by_number: BTreeMap<String, Supplier>,
    by_name: BTreeSet<(String, String)>,
    by_change: BTreeSet<(i64, String)>,
    by_value: BTreeSet<(&'static str, String, String)>,
}

impl Suppliers {
    pub(super) fn len(&self) -> usize {
        self.by_number.len()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Supplier> {
        self.by_number.values()
    }

    pub(super) fn get(&self, number: &str) -> Option<&Supplier> {
        self.by_number.get(number)
    }

    /// Makes or changes a supplier, and keeps all indexes true.
    pub(super) fn change(&mut self, number: &str, now: i64, change: impl FnOnce(&mut Supplier)) {
        let mut supplier = self.by_number.remove(number).unwrap_or_default();
        if !supplier.fields.is_empty() {
            self.by_name
                .remove(&(name_of(&supplier), number.to_owned()));
            self.by_change
                .remove(&(supplier.changed, number.to_owned()));
            for entry in values_of(&supplier, number) {
                self.by_value.remove(&entry);
            }
        }
        change(&mut supplier);
        let changes: u32 = supplier.text("CHNO").parse().unwrap_or_default();
        let next = (changes % 999) + 1;
        supplier.fields.insert("CHNO", next.to_string());
        supplier.fields.insert("LMTS", now.to_string());
        supplier.changed = now;
        self.by_name.insert((name_of(&supplier), number.to_owned()));
        self.by_change.insert((now, number.to_owned()));
        self.by_value.extend(values_of(&supplier, number));
        self.by_number.insert(number.to_owned(), supplier);
    }

    /// From a number on.
    pub(super) fn starting_at(&self, number: &str) -> impl Iterator<Item = &Supplier> {
        let start = Bound::Included(number.to_owned());
        let range = self.by_number.range((start, Bound::Unbounded));
        range.map(|(_, supplier)| supplier)
    }

    /// From a name on, in the order of names without regard to case.
    pub(super) fn named_from(&self, name: &str) -> impl Iterator<Item = &Supplier> {
        let start = Bound::Included((name.to_uppercase(), String::new()));
        let range = self.by_name.range((start, Bound::Unbounded));
        range.filter_map(|(_, number)| self.by_number.get(number))
    }

    /// Changed at that time or later, in the order of numbers.
    pub(super) fn changed_since(&self, since: i64) -> impl Iterator<Item = &Supplier> {
        let start = Bound::Included((since, String::new()));
        let changed = self.by_change.range((start, Bound::Unbounded));
        let numbers: BTreeSet<&String> = changed.map(|(_, number)| number).collect();
        numbers
            .into_iter()
            .filter_map(|number| self.by_number.get(number))
    }

    /// Those with exactly this value, where the field has an index.
    pub(super) fn with_value(&self, field: &str, value: &str) -> Option<Vec<&Supplier>> {
        let field = *INDEXED.iter().find(|indexed| **indexed == field)?;
        let start = Bound::Included((field, value.to_owned(), String::new()));
        let range = self.by_value.range((start, Bound::Unbounded));
        let same = range.take_while(|(named, held, _)| *named == field && held == value);
        Some(
            same.filter_map(|(_, _, number)| self.by_number.get(number))
                .collect(),
        )
    }
}

impl Supplier {
    pub(super) fn text(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", String::as_str)
    }
}

fn name_of(supplier: &Supplier) -> String {
    supplier.text("SUNM").to_uppercase()
}

fn values_of(supplier: &Supplier, number: &str) -> Vec<(&'static str, String, String)> {
    let filled = INDEXED
        .iter()
        .filter(|field| !supplier.text(field).is_empty());
    filled
        .map(|field| (*field, supplier.text(field).to_owned(), number.to_owned()))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn named(suppliers: &mut Suppliers, number: &str, name: &str, now: i64) {
        suppliers.change(number, now, |supplier| {
            supplier.fields.insert("SUNO", number.to_owned());
            supplier.fields.insert("SUNM", name.to_owned());
        });
    }

    fn numbers<'a>(found: impl Iterator<Item = &'a Supplier>) -> Vec<String> {
        found
            .map(|supplier| supplier.text("SUNO").to_owned())
            .collect()
    }

    #[test]
    fn a_renamed_supplier_leaves_nothing_behind() {
        let mut suppliers = Suppliers::default();
        named(&mut suppliers, "20", "Acme", 5);
        named(&mut suppliers, "10", "Zinc", 6);
        named(&mut suppliers, "20", "Zulu", 7);
        assert_eq!(numbers(suppliers.named_from("acme")), ["10", "20"]);
        assert_eq!(numbers(suppliers.starting_at("11")), ["20"]);
        assert_eq!(numbers(suppliers.changed_since(7)), ["20"]);
        assert_eq!(numbers(suppliers.changed_since(6)), ["10", "20"]);
        assert!(suppliers.with_value("SUNM", "Acme").unwrap().is_empty());
        assert_eq!(suppliers.with_value("SUNM", "Zulu").unwrap().len(), 1);
        assert!(suppliers.with_value("CSCD", "US").is_none());
        assert_eq!(
            (suppliers.len(), suppliers.get("20").unwrap().text("CHNO")),
            (2, "2")
        );
    }
}
