//! PPS200MI: orders, changed after M3 made them.
//!
//! Source: PPS200MI field lists and code XPO0002, read 2026-11-22. Assumed: from status 50 a line
//! cannot be deleted, from 85 nothing of it can be changed, and its quantity stays at or above
//! what was received and invoiced.

use super::super::ask::{Answer, Ask, Outcome};
use super::super::nok::Nok;
use super::super::order::{Line, Order};
use super::super::world::World;
use super::super::{rules, shape, transfer};
use super::order::order;

const RECEIVED: &str = "50";
const CLOSED: &str = "85";

pub(super) fn answer(world: &mut World, ask: &Ask, name: &str) -> Outcome {
    let number = order(world, ask)?.text("PUNO").to_owned();
    match name {
        "UpdHead" => update_head(world, ask, &number),
        "AddLine" => add_line(world, ask, &number),
        "UpdLine" => update_line(world, ask, &number),
        _ => delete_line(world, ask, &number),
    }
}

fn update_head(world: &mut World, ask: &Ask, number: &str) -> Outcome {
    let order = order(world, ask)?;
    if order.text("PUSL") >= CLOSED {
        return Err(too_far(order.text("PUSL")));
    }
    let mut head = order.head.clone();
    head.extend(ask.given.clone());
    rules::check_head(world, &head)?;
    transfer::cut_to_columns(&mut head);
    change(world, number, |order| order.head = head);
    Ok(Answer::written(number.to_owned()))
}

fn add_line(world: &mut World, ask: &Ask, number: &str) -> Outcome {
    rules::check_numbers(&ask.given)?;
    rules::check_line(world, &ask.given)?;
    let order = order(world, ask)?;
    if order.text("PUSL") >= CLOSED {
        return Err(too_far(order.text("PUSL")));
    }
    let given = u32::try_from(ask.count("PNLI")).unwrap_or_default();
    let line_number = if given > 0 { given } else { order.next_line() };
    if order.lines.contains_key(&line_number) {
        return Err(Nok::record_exists("PNLI"));
    }
    let line = transfer::new_line(world, &order.head, line_number, &ask.given);
    change(world, number, |order| {
        order.lines.insert(line_number, line);
    });
    Ok(Answer::written(format!("{number}/{line_number}")))
}

fn update_line(world: &mut World, ask: &Ask, number: &str) -> Outcome {
    rules::check_numbers(&ask.given)?;
    let (line_number, line) = line(order(world, ask)?, ask)?;
    if line.text("PUST") >= CLOSED {
        return Err(too_far(line.text("PUST")));
    }
    let used = line.number("RVQA").max(line.number("IVQA"));
    if ask.has("ORQA") && ask.number("ORQA") < used {
        return Err(too_far(line.text("PUST")));
    }
    let mut fields = line.fields.clone();
    fields.extend(ask.given.clone());
    rules::check_line(world, &fields)?;
    transfer::cut_to_columns(&mut fields);
    change(world, number, |order| {
        if let Some(line) = order.lines.get_mut(&line_number) {
            line.fields = fields;
        }
    });
    Ok(Answer::written(format!("{number}/{line_number}")))
}

fn delete_line(world: &mut World, ask: &Ask, number: &str) -> Outcome {
    let (line_number, line) = line(order(world, ask)?, ask)?;
    let is_used = !line.number("RVQA").is_zero() || !line.number("IVQA").is_zero();
    if line.text("PUST") >= RECEIVED || is_used {
        return Err(too_far(line.text("PUST")));
    }
    change(world, number, |order| {
        order.lines.remove(&line_number);
    });
    let known_at = world.known_at();
    let id = format!("{number}/{line_number}");
    world.line_search.notice(&id, known_at);
    world.index();
    Ok(Answer::written(id))
}

fn line<'a>(order: &'a Order, ask: &Ask) -> Result<(u32, &'a Line), Nok> {
    let asked = ask.text("PNLI");
    let number = asked.parse().unwrap_or_default();
    let line = order.lines.get(&number).filter(|_| ask.count("PNLS") == 0);
    Ok((number, line.ok_or_else(|| Nok::no_line(asked))?))
}

fn change(world: &mut World, number: &str, change: impl FnOnce(&mut Order)) {
    let now = shape::milliseconds(world.now);
    let today = shape::date(world.now);
    world.orders.change(number, now, |order| {
        change(order);
        order.head.insert("LMDT", today);
    });
    transfer::notice(world, number);
    world.index();
}

fn too_far(status: &str) -> Nok {
    let text = format!("The status of the PO line is {status}, change is not permitted");
    Nok::refused("XPO0002", "PUST", text)
}
