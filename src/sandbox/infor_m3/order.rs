//! Purchase orders as M3 holds them: a head, its lines, and what is computed of both.
//!
//! Source: PPS200MI/PPSSPPMI field lists and order status pattern, read 2026-11-22: PUSL is the
//! lowest status of the lines, PUST the highest. Assumed: amounts have two places in every
//! currency of the seed, halves go away from zero, and a new line has status 15.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use rust_decimal::Decimal;

use super::ask::Fields;
use super::shape;

/// What the search index knows of a head and of a line.
pub(super) const HEAD_SEARCHED: [&str; 10] = [
    "PUNO", "SUNO", "YRE1", "OURR", "BUYE", "PURC", "FACI", "WHLO", "ORTY", "PROJ",
];
pub(super) const LINE_SEARCHED: [&str; 5] = ["PUNO", "SUNO", "ITNO", "PITD", "PROJ"];

pub(super) const NEW_STATUS: &str = "15";

#[derive(Default)]
pub(super) struct Order {
    pub head: Fields,
    /// By line number.
    pub lines: BTreeMap<u32, Line>,
    /// Milliseconds since 1970.
    pub changed: i64,
    pub texts: Vec<Fields>,
    pub addresses: Vec<Fields>,
}

#[derive(Default, Clone)]
pub(super) struct Line {
    pub fields: Fields,
    /// The account string, which no transaction shows.
    pub coding: Fields,
}

/// All orders, kept so that no call needs to look at each of them.
#[derive(Default)]
pub(super) struct Orders {
    by_number: BTreeMap<String, Order>,
    by_supplier: BTreeSet<(String, i64, String)>,
    by_change: BTreeSet<(i64, String)>,
    by_purchaser: BTreeSet<(String, String)>,
    by_reference: BTreeSet<(String, String)>,
}

impl Orders {
    pub(super) fn len(&self) -> usize {
        self.by_number.len()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Order> {
        self.by_number.values()
    }

    pub(super) fn get(&self, number: &str) -> Option<&Order> {
        self.by_number.get(number)
    }

    /// Makes or changes an order, computes its sums and keeps all indexes true.
    pub(super) fn change(&mut self, number: &str, now: i64, change: impl FnOnce(&mut Order)) {
        let mut order = self.by_number.remove(number).unwrap_or_default();
        if !order.head.is_empty() {
            self.forget(&order, number);
        }
        let before = order.lines.clone();
        change(&mut order);
        order.changed = now;
        order.settle();
        order.date_changes(&before);
        let text = |field| order.text(field).to_owned();
        let number = number.to_owned();
        self.by_supplier.insert((text("SUNO"), now, number.clone()));
        self.by_change.insert((now, number.clone()));
        self.by_purchaser.insert((text("PURC"), number.clone()));
        self.by_reference.insert((text("YRE1"), number.clone()));
        self.by_number.insert(number, order);
    }

    fn forget(&mut self, order: &Order, number: &str) {
        let text = |field| order.text(field).to_owned();
        let number = number.to_owned();
        self.by_change.remove(&(order.changed, number.clone()));
        self.by_purchaser.remove(&(text("PURC"), number.clone()));
        self.by_reference.remove(&(text("YRE1"), number.clone()));
        self.by_supplier
            .remove(&(text("SUNO"), order.changed, number));
    }

    /// A supplier's orders that were changed at that time or later.
    pub(super) fn of_supplier(&self, supplier: &str, since: i64) -> impl Iterator<Item = &Order> {
        let start = Bound::Included((supplier.to_owned(), since, String::new()));
        let range = self.by_supplier.range((start, Bound::Unbounded));
        range
            .take_while(move |(held, ..)| held == supplier)
            .filter_map(|(_, _, number)| self.by_number.get(number))
    }

    pub(super) fn changed_since(&self, since: i64) -> impl Iterator<Item = &Order> {
        let start = Bound::Included((since, String::new()));
        let range = self.by_change.range((start, Bound::Unbounded));
        range.filter_map(|(_, number)| self.by_number.get(number))
    }

    pub(super) fn of_purchaser(&self, purchaser: &str) -> impl Iterator<Item = &Order> {
        self.of(&self.by_purchaser, purchaser)
    }

    pub(super) fn with_reference(&self, reference: &str) -> impl Iterator<Item = &Order> {
        self.of(&self.by_reference, reference)
    }

    fn of<'a>(
        &'a self,
        index: &'a BTreeSet<(String, String)>,
        value: &str,
    ) -> impl Iterator<Item = &'a Order> {
        let value = value.to_owned();
        let start = Bound::Included((value.clone(), String::new()));
        let range = index.range((start, Bound::Unbounded));
        range
            .take_while(move |(held, _)| *held == value)
            .filter_map(|(_, number)| self.by_number.get(number))
    }
}

impl Order {
    pub(super) fn text(&self, field: &str) -> &str {
        self.head.get(field).map_or("", String::as_str)
    }

    pub(super) fn next_line(&self) -> u32 {
        next_line(&self.lines)
    }

    /// What changed carries the day, and a number that is one higher than before.
    fn date_changes(&mut self, before: &BTreeMap<u32, Line>) {
        let changed = time::OffsetDateTime::from_unix_timestamp(self.changed.div_euclid(1000));
        let today = shape::date(changed.unwrap_or(time::OffsetDateTime::UNIX_EPOCH));
        let count_up = |fields: &mut Fields| {
            let known: u32 = fields
                .get("CHNO")
                .and_then(|text| text.parse().ok())
                .unwrap_or(0);
            fields.insert("CHNO", (known + 1).to_string());
            fields.insert("LMDT", today.clone());
        };
        count_up(&mut self.head);
        for (number, line) in &mut self.lines {
            if before
                .get(number)
                .is_none_or(|known| known.fields != line.fields)
            {
                count_up(&mut line.fields);
            }
        }
    }

    /// Amounts, statuses and counts follow from the lines.
    fn settle(&mut self) {
        let (mut total, mut quantity) = (Decimal::ZERO, Decimal::ZERO);
        let (mut lowest, mut highest) = (None, None);
        for line in self.lines.values_mut() {
            line.settle();
            total += line.number("LNAM");
            quantity += line.number("ORQA");
            let status = line.text("PUST").to_owned();
            lowest = Some(lowest.map_or(status.clone(), |low: String| low.min(status.clone())));
            highest = Some(highest.map_or(status.clone(), |high: String| high.max(status)));
        }
        let nothing = || NEW_STATUS.to_owned();
        let amount = shape::written_money(total);
        for field in ["NTAM", "COAM", "BRAM", "SAAM"] {
            self.head.insert(field, amount.clone());
        }
        self.head.insert("TOQT", shape::fine(quantity));
        self.head.insert("NOLN", self.lines.len().to_string());
        self.head.insert("PUSL", lowest.unwrap_or_else(nothing));
        self.head.insert("PUST", highest.unwrap_or_else(nothing));
        self.head.insert("LMTS", self.changed.to_string());
    }
}

pub(super) fn next_line<T>(lines: &BTreeMap<u32, T>) -> u32 {
    lines.last_key_value().map_or(1, |(last, _)| last + 1)
}

impl Line {
    pub(super) fn text(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", String::as_str)
    }

    pub(super) fn number(&self, field: &str) -> Decimal {
        shape::decimal(self.text(field))
    }

    /// Quantity by price, the price being for `PUCD` units.
    fn settle(&mut self) {
        let units = self.number("PUCD").max(Decimal::ONE);
        let gross = self.number("ORQA").saturating_mul(self.number("PUPR"));
        let amount = gross.checked_div(units).unwrap_or_default();
        self.fields.insert("LNAM", shape::written_money(amount));
        for field in ["ORQA", "PUPR", "RVQA", "IVQA", "CFQA"] {
            let value = self.number(field);
            self.fields.insert(field, shape::fine(value));
        }
        let status = self.text("PUST").to_owned();
        self.fields.insert("PUSL", status);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn line(quantity: &str, price: &str, status: &str) -> Line {
        let fields = [("ORQA", quantity), ("PUPR", price), ("PUST", status)];
        Line {
            fields: fields.map(|(name, value)| (name, value.to_owned())).into(),
            ..Line::default()
        }
    }

    #[test]
    fn sums_and_statuses_follow_the_lines() {
        let mut orders = Orders::default();
        orders.change("7", 5, |order| {
            order.head.insert("SUNO", "20003".to_owned());
            order.lines.insert(1, line("1250.5", "31.4", "15"));
            order.lines.insert(4, line("200", "3.333", "50"));
        });
        let order = orders.get("7").unwrap();
        assert_eq!(order.text("NTAM"), "39932.30");
        assert_eq!((order.text("PUSL"), order.text("PUST")), ("15", "50"));
        assert_eq!(order.next_line(), 5);
        assert_eq!(order.lines.get(&1).unwrap().text("ORQA"), "1250.500000");
    }

    #[test]
    fn an_order_is_found_by_what_it_is_now() {
        let mut orders = Orders::default();
        let set = |field, value: &str| {
            let value = value.to_owned();
            move |order: &mut Order| {
                order.head.insert(field, value);
            }
        };
        orders.change("7", 5, set("SUNO", "A"));
        orders.change("8", 6, set("SUNO", "A"));
        orders.change("7", 9, set("YRE1", "tag"));
        let numbers = |found: Vec<&Order>| found.len();
        assert_eq!(numbers(orders.of_supplier("A", 0).collect()), 2);
        assert_eq!(numbers(orders.of_supplier("A", 7).collect()), 1);
        assert_eq!(numbers(orders.changed_since(6).collect()), 2);
        assert_eq!(numbers(orders.with_reference("tag").collect()), 1);
        assert_eq!(numbers(orders.with_reference("").collect()), 1);
    }
}
