//! The batch is worked on: checked whole, then made into orders, or left with its errors.
//!
//! Source: PPS090 and PPS370 descriptions, read 2026-11-22: errors go to people and to no
//! transaction; blank fields take their values from supplier, item and order type. Assumed: one
//! faulty order keeps its whole batch back.

use super::ask::Fields;
use super::batch::{Entered, Status};
use super::nok::Nok;
use super::order::{Line, NEW_STATUS, Order};
use super::rules::{self, text};
use super::seed;
use super::shape;
use super::world::World;

/// What an order takes from its supplier when it was entered without.
const FROM_SUPPLIER: [&str; 11] = [
    "CUCD", "TEPY", "PYME", "LNCD", "MODL", "TEDL", "TEAF", "TEPA", "ORTY", "BUYE", "PRSU",
];

/// Widths of columns whose inputs may be longer.
/// Source: PPS200MI field lists, read 2026-11-22. Assumed: what is longer is cut.
const WIDTHS: [(&str, usize); 6] = [
    ("YRE1", 36),
    ("OURR", 10),
    ("PITD", 30),
    ("PITT", 60),
    ("TEL1", 36),
    ("SITE", 30),
];

/// Works on a finished or faulty batch. Others are left alone.
pub(super) fn work_on(world: &mut World, number: &str) {
    let Some(batch) = world.batches.get(number) else {
        return;
    };
    if !matches!(batch.status, Status::Finished | Status::Faulty) {
        return;
    }
    let messages: Vec<String> = batch
        .heads
        .iter()
        .flat_map(|(order, entered)| faults(world, order, entered))
        .collect();
    let Some(batch) = world.batches.get_mut(number) else {
        return;
    };
    batch.messages = messages;
    if batch.heads.is_empty() {
        batch.messages.push("the batch has no order".to_owned());
    }
    if !batch.messages.is_empty() {
        batch.status = Status::Faulty;
        return;
    }
    batch.status = Status::Validated;
    let heads = std::mem::take(&mut batch.heads);
    for (order, entered) in heads {
        make(world, &order, entered);
    }
    if let Some(batch) = world.batches.get_mut(number) {
        batch.status = Status::Transferred;
    }
    world.index();
}

/// In the words that M3 mails to people.
fn faults(world: &World, order: &str, entered: &Entered) -> Vec<String> {
    let told = |place: &str, nok: Nok| format!("{place}: {} {}", nok.code, nok.message);
    let heads = rules::faults_of_head(world, &entered.fields);
    let heads = heads.into_iter().filter(|_| !entered.is_existing);
    let mut messages: Vec<String> = heads.map(|nok| told(order, nok)).collect();
    if entered.lines.is_empty() {
        messages.push(format!("{order}: the order has no lines"));
    }
    let head = filled(world, &entered.fields);
    let there = world.orders.get(order).filter(|_| entered.is_existing);
    for (number, line) in &entered.lines {
        let place = format!("{order}/{number}");
        if there.is_some_and(|order| order.lines.contains_key(number)) {
            messages.push(told(&place, Nok::record_exists("PNLI")));
        }
        let whole = new_line(world, &head, *number, &line.fields).fields;
        let faults = rules::faults_of_line(world, &whole, &line.coding);
        messages.extend(faults.into_iter().map(|nok| told(&place, nok)));
    }
    messages
}

fn make(world: &mut World, number: &str, entered: Entered) {
    let now = shape::milliseconds(world.now);
    if entered.is_existing {
        let made: Vec<(u32, Line)> = entered
            .lines
            .into_iter()
            .map(|(line_number, line)| {
                let made = new_line(world, &entered.fields, line_number, &line.fields);
                let coding = line.coding;
                (line_number, Line { coding, ..made })
            })
            .collect();
        world
            .orders
            .change(number, now, |order| order.lines.extend(made));
        return notice(world, number);
    }
    let mut head = filled(world, &entered.fields);
    head.insert("PUNO", number.to_owned());
    let lines = entered.lines.into_iter().map(|(line_number, line)| {
        let mut made = new_line(world, &head, line_number, &line.fields);
        made.coding = line.coding;
        (line_number, made)
    });
    let lines = lines.collect();
    world.orders.change(number, now, |order| {
        *order = Order {
            head,
            lines,
            changed: now,
            texts: entered.texts,
            addresses: entered.addresses,
        };
    });
    notice(world, number);
}

/// The search index will know of the order and of its lines.
pub(super) fn notice(world: &mut World, number: &str) {
    let known_at = world.known_at();
    world.head_search.notice(number, known_at);
    let Some(order) = world.orders.get(number) else {
        return;
    };
    for line in order.lines.keys() {
        let id = format!("{number}/{line}");
        world.line_search.notice(&id, known_at);
    }
}

/// A head with what supplier, place and company add to it.
pub(super) fn filled(world: &World, given: &Fields) -> Fields {
    let mut head = given.clone();
    head.remove("MSGN");
    let mut usual = |field: &'static str, value: &str| {
        let held = head.entry(field).or_default();
        if held.is_empty() {
            value.clone_into(held);
        }
    };
    if let Some(supplier) = world.suppliers.get(text(given, "SUNO")) {
        for field in FROM_SUPPLIER {
            usual(field, supplier.text(field));
        }
        usual("CONM", supplier.text("SUNM"));
        usual("CSCD", supplier.text("CSCD"));
    }
    let today = shape::date(world.now);
    usual("ORTY", seed::ORDER_TYPE);
    usual("PUDT", &today);
    usual("LEDT", text(given, "DWDT"));
    usual("BUYE", seed::BUYER);
    usual("PURC", seed::USER);
    for (field, value) in [
        ("CONO", seed::CONO),
        ("DIVI", seed::DIVI),
        ("LOCD", seed::LOCAL_CURRENCY),
        ("POTC", "20"),
        ("RGDT", &today),
        ("LMDT", &today),
    ] {
        head.insert(field, value.to_owned());
    }
    cut_to_columns(&mut head);
    head
}

/// A line with what head and item add to it.
pub(super) fn new_line(world: &World, head: &Fields, number: u32, given: &Fields) -> Line {
    let mut fields = given.clone();
    fields.remove("MSGN");
    let mut usual = |field: &'static str, value: &str| {
        let held = fields.entry(field).or_default();
        if held.is_empty() {
            value.clone_into(held);
        }
    };
    for field in [
        "SUNO", "FACI", "WHLO", "DWDT", "PROJ", "ELNO", "BUYE", "PURC",
    ] {
        usual(field, text(head, field));
    }
    if let Some(item) = world.items.get(text(given, "ITNO")) {
        for (field, source) in [("PUUN", "PUUN"), ("PITD", "ITDS"), ("ITDS", "ITDS")] {
            usual(field, text(&item.fields, source));
        }
    }
    let unit = text(&fields, "PUUN").to_owned();
    fields.entry("PPUN").or_insert(unit);
    for (field, value) in [
        ("CONO", seed::CONO),
        ("PUNO", text(head, "PUNO")),
        ("ORTY", text(head, "ORTY")),
        ("PNLI", &number.to_string()),
        ("PNLS", "0"),
        ("POTC", "20"),
        ("PUST", NEW_STATUS),
    ] {
        fields.insert(field, value.to_owned());
    }
    cut_to_columns(&mut fields);
    Line {
        fields,
        coding: Fields::new(),
    }
}

pub(super) fn cut_to_columns(fields: &mut Fields) {
    for (field, width) in WIDTHS {
        if let Some(value) = fields.get_mut(field) {
            *value = shape::cut(value, width);
        }
    }
}
