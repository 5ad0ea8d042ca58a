//! PPS200MI, PPS001MI and PPSSPPMI: orders, read.
//!
//! Source: their field lists and samples, read 2026-11-22. Assumed: LstSupHead compares with its
//! LMTS inclusively and shows every status; a head is changed whenever one of its lines is.

use super::super::ask::{Answer, Ask, Outcome};
use super::super::nok::Nok;
use super::super::order::{Line, Order};
use super::super::world::World;

pub(super) fn answer(world: &World, ask: &Ask) -> Outcome {
    match (ask.transaction.program, ask.transaction.name) {
        (_, "GetHead" | "GetHeadBasic") => Ok(ask.stored(&order(world, ask)?.head)),
        (_, "GetLine") => line(world, ask),
        ("PPS200MI", "LstLine") => {
            let lines = order(world, ask)?.lines.values();
            Ok(ask.list(lines, |line, field| line.fields.get(field).cloned()))
        }
        ("PPS001MI", "LstLine") => {
            let orders = world.orders.of_purchaser(ask.text("PURC"));
            let lines = orders.flat_map(|order| order.lines.values());
            let is_here = |line: &&Line| {
                line.text("WHLO") == ask.text("WHLO") && line.text("PUSL") >= ask.text("PUSL")
            };
            let here = lines.filter(is_here);
            Ok(ask.list(here, |line, field| line.fields.get(field).cloned()))
        }
        ("PPS001MI", _) => {
            let orders = world.orders.of_purchaser(ask.text("PURC"));
            Ok(ask.list(orders, |order, field| order.head.get(field).cloned()))
        }
        ("PPS200MI", "SearchHead") => Ok(search_heads(world, ask)),
        ("PPS200MI", "SearchLine") => Ok(search_lines(world, ask)),
        ("PPSSPPMI", _) => Ok(list(world, ask)),
        (program, name) => Err(Nok::no_transaction(program, name)),
    }
}

pub(super) fn order<'a>(world: &'a World, ask: &Ask) -> Result<&'a Order, Nok> {
    let number = ask.text("PUNO");
    let order = world.orders.get(number);
    order.ok_or_else(|| Nok::no_order(number))
}

/// Without a number the first line is shown; sub-numbers other than 0 do not exist.
fn line(world: &World, ask: &Ask) -> Outcome {
    let order = order(world, ask)?;
    let number = ask.text("PNLI");
    let found = if number.is_empty() {
        order.lines.values().next()
    } else {
        number
            .parse()
            .ok()
            .and_then(|number| order.lines.get(&number))
    };
    let found = found.filter(|_| ask.count("PNLS") == 0);
    let line = found.ok_or_else(|| Nok::no_line(number))?;
    Ok(ask.stored(&line.fields))
}

fn list(world: &World, ask: &Ask) -> Answer {
    let (lowest, highest) = (ask.text("SLFR"), ask.text("SLTO"));
    let is_asked = |order: &&Order| {
        let status = order.text("PUSL");
        status >= lowest
            && (highest.is_empty() || status <= highest)
            && (!ask.has("POTC") || order.text("POTC") == ask.text("POTC"))
    };
    let since = ask.count("LMTS");
    let shown = |order: &&Order, field: &'static str| order.head.get(field).cloned();
    if ask.has("SUNO") {
        let orders = world.orders.of_supplier(ask.text("SUNO"), since);
        return ask.list(orders.filter(is_asked), shown);
    }
    let orders = world.orders.changed_since(since);
    ask.list(orders.filter(is_asked), shown)
}

fn search_heads(world: &World, ask: &Ask) -> Answer {
    let found = world.head_search.find(ask.text("SQRY")).into_iter();
    let orders = found.filter_map(|number| world.orders.get(&number));
    ask.list(orders, |order, field| match field {
        "PGNM" => Some("PPS200".to_owned()),
        "FILE" => Some("MPHEAD".to_owned()),
        _ => order.head.get(field).cloned(),
    })
}

fn search_lines(world: &World, ask: &Ask) -> Answer {
    let found = world.line_search.find(ask.text("SQRY")).into_iter();
    let lines = found.filter_map(|id| {
        let (order, line) = id.split_once('/')?;
        world.orders.get(order)?.lines.get(&line.parse().ok()?)
    });
    ask.list(lines, |line, field| match field {
        "PGNM" => Some("PPS201".to_owned()),
        "FILE" => Some("MPLINE".to_owned()),
        _ => line.fields.get(field).cloned(),
    })
}
