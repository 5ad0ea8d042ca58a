//! PPS370MI: orders are entered into a batch, which is finished and then worked on.
//!
//! Source: PPS370MI field lists and PPS376/PPS090 descriptions, read 2026-11-22: only a batch of
//! status 10 takes entries; a question mark clears a field; the order number comes from AddHead.
//! Assumed: AddHead and AddLine are not checked for having been sent before; a batch may hold
//! several orders, told apart by PUNO or HREF; account strings are only looked at by the batch,
//! and one without a line goes to all lines entered so far; lines for an order that is there need no
//! head in the batch, and their numbers must be free.

use time::Duration;

use super::super::ask::{Answer, Ask, Fields, Outcome};
use super::super::batch::{Batch, Entered, Status};
use super::super::nok::Nok;
use super::super::order::{Line, next_line};
use super::super::world::World;
use super::super::{rules, transfer};

pub(super) fn answer(world: &mut World, ask: &Ask, name: &str) -> Outcome {
    match name {
        "StartEntry" => start(world, ask),
        "AddHead" => add_head(world, ask),
        "AddLine" => add_line(world, ask),
        "AddAccString" => add_account_string(world, ask),
        "AddText" => add_text(world, ask),
        "AddAddress" => add_address(world, ask),
        "FinishEntry" => finish(world, ask),
        "DeleteEntry" => delete(world, ask),
        _ => Err(Nok::no_transaction("PPS370MI", name)),
    }
}

fn start(world: &mut World, ask: &Ask) -> Outcome {
    let origin = ask.text("BAOR");
    if !world.settings.batch_origins.contains_key(origin) {
        return Err(Nok::no_record("BAOR"));
    }
    let number = world.batches.start(origin);
    let answer = ask.one(|field| (field == "MSGN").then(|| number.clone()));
    Ok(answer.wrote(number))
}

fn add_head(world: &mut World, ask: &Ask) -> Outcome {
    open(world, ask)?;
    let fields = cleared(ask);
    if world.settings.strict_entry {
        rules::check_head(world, &fields)?;
    }
    let number = world.batches.new_order_number();
    let entered = Entered {
        fields,
        ..Entered::default()
    };
    open(world, ask)?.heads.insert(number.clone(), entered);
    let answer = ask.one(|field| (field == "PUNO").then(|| number.clone()));
    Ok(answer.wrote(number))
}

/// Lines may be for an order that is there, where the batch origin allows it.
fn take_existing(world: &mut World, ask: &Ask) -> Result<(), Nok> {
    let number = ask.text("PUNO");
    let may = world.settings.lines_for_existing;
    let head = world.orders.get(number).map(|order| order.head.clone());
    let numbers = world
        .orders
        .get(number)
        .map(|order| order.lines.contains_key(&line_number(ask)));
    let batch = open(world, ask)?;
    let Some(head) = head.filter(|_| may && !batch.heads.contains_key(number)) else {
        return Ok(());
    };
    if numbers == Some(true) {
        return Err(Nok::record_exists("PNLI"));
    }
    let entered = Entered {
        is_existing: true,
        fields: head,
        ..Entered::default()
    };
    batch.heads.insert(number.to_owned(), entered);
    Ok(())
}

fn line_number(ask: &Ask) -> u32 {
    u32::try_from(ask.count("PNLI")).unwrap_or_default()
}

fn add_line(world: &mut World, ask: &Ask) -> Outcome {
    take_existing(world, ask)?;
    let (number, _) = entered(world, ask)?;
    let fields = cleared(ask);
    rules::check_numbers(&fields)?;
    if world.settings.strict_entry {
        rules::check_line(world, &fields)?;
    }
    let (_, entered) = entered(world, ask)?;
    let given = line_number(ask);
    let line = if given > 0 {
        given
    } else {
        next_line(&entered.lines)
    };
    if entered.lines.contains_key(&line) {
        return Err(Nok::record_exists("PNLI"));
    }
    entered.lines.insert(
        line,
        Line {
            fields,
            coding: Fields::new(),
        },
    );
    let answer = ask.one(|field| match field {
        "PUNO" => Some(number.clone()),
        "PNLI" => Some(line.to_string()),
        _ => None,
    });
    Ok(answer.wrote(format!("{number}/{line}")))
}

/// A second account string for a line takes the place of the first.
fn add_account_string(world: &mut World, ask: &Ask) -> Outcome {
    let (number, entered) = entered(world, ask)?;
    let coding: Fields = cleared(ask)
        .into_iter()
        .filter(|(name, _)| name.starts_with("AIT"))
        .collect();
    let asked = line_asked(entered, ask);
    if asked.is_empty() {
        for line in entered.lines.values_mut() {
            line.coding = coding.clone();
        }
        return Ok(Answer::written(number));
    }
    let line = asked
        .parse()
        .ok()
        .and_then(|line| entered.lines.get_mut(&line));
    line.ok_or_else(|| Nok::no_line(&asked))?.coding = coding;
    Ok(Answer::written(format!("{number}/{asked}")))
}

fn add_text(world: &mut World, ask: &Ask) -> Outcome {
    let (number, entered) = entered(world, ask)?;
    entered.texts.push(ask.given.clone());
    Ok(Answer::written(number))
}

fn add_address(world: &mut World, ask: &Ask) -> Outcome {
    let (number, entered) = entered(world, ask)?;
    entered.addresses.push(ask.given.clone());
    Ok(Answer::written(number))
}

/// Accepted is not done: the batch is worked on later, or waits for a person.
fn finish(world: &mut World, ask: &Ask) -> Outcome {
    let batch = open(world, ask)?;
    batch.status = Status::Finished;
    let (number, origin) = (batch.number.clone(), batch.origin.clone());
    if world.settings.batch_origins.get(&origin) != Some(&1) {
        let delay_s = world.settings.batch_delay_seconds;
        if delay_s > 0 {
            let at = world.now + Duration::seconds(delay_s);
            world.batches.work_later(&number, at);
        } else {
            transfer::work_on(world, &number);
        }
    }
    Ok(Answer::written(number))
}

fn delete(world: &mut World, ask: &Ask) -> Outcome {
    let number = open(world, ask)?.number.clone();
    world.batches.delete(&number);
    Ok(Answer::written(number))
}

/// The batch that the call names, if it still takes entries.
fn open<'a>(world: &'a mut World, ask: &Ask) -> Result<&'a mut Batch, Nok> {
    let number = ask.text("MSGN");
    let batch = world.batches.get_mut(number);
    let batch = batch.ok_or_else(|| Nok::no_record("MSGN"))?;
    if batch.status == Status::Entering {
        return Ok(batch);
    }
    let code = batch.status.code();
    let text = format!("Status change not permitted: message {number} has status {code}");
    Err(Nok::refused("XST0020", "MSGN", text))
}

/// The order of the batch that the call names by number or reference, or the only one.
fn entered<'a>(world: &'a mut World, ask: &Ask) -> Result<(String, &'a mut Entered), Nok> {
    let (number, reference) = (ask.text("PUNO"), ask.text("HREF"));
    let batch = open(world, ask)?;
    let mut heads = batch.heads.iter();
    let found = if !number.is_empty() {
        batch.heads.get_key_value(number)
    } else if !reference.is_empty() {
        heads.find(|(_, head)| {
            head.fields
                .get("HREF")
                .is_some_and(|held| held == reference)
        })
    } else {
        heads.next().filter(|_| batch.heads.len() == 1)
    };
    let found = found.map(|(held, _)| held.clone());
    let held = found.ok_or_else(|| Nok::no_order(number))?;
    let entered = batch.heads.get_mut(&held);
    let entered = entered.ok_or_else(|| Nok::no_order(number))?;
    Ok((held, entered))
}

/// The number of the line that the call means, by number or by its reference.
fn line_asked(entered: &Entered, ask: &Ask) -> String {
    let (number, reference) = (ask.text("PNLI"), ask.text("LREF"));
    if !number.is_empty() || reference.is_empty() {
        return number.to_owned();
    }
    let mut lines = entered.lines.iter();
    let found = lines.find(|(_, line)| line.text("LREF") == reference);
    found.map_or_else(|| reference.to_owned(), |(number, _)| number.to_string())
}

/// What was given, with question marks as blanks.
fn cleared(ask: &Ask) -> Fields {
    let fields = ask.given.iter().map(|(name, value)| {
        let value = if value == "?" { "" } else { value };
        (*name, value.to_owned())
    });
    fields.collect()
}
