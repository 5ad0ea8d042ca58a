//! What must be done to an order that M3 holds so that it becomes what the source says now. Pure.
//!
//! Every step carries the whole new value, so that a repeat does no harm. A line whose item or coding is another
//! one is deleted and added under a new number, because UpdLine moves neither.
//! Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (PPS200MI, PPS370MI, order status).

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::super::number::{sent, sent_amount};
use super::super::reply::Row;
use super::draft::{Fields, LineDraft, OrderDraft};
use super::watch::is_line;
use crate::contract::Draft;
use crate::domain::fault::Fault;
use crate::domain::plan::Change;

/// From these statuses on a line is not deleted, and not changed at all. Assumed: the vendor's page gives the
/// pattern only; M3 itself has the last word.
const RECEIVED: u32 = 50;
const CLOSED: u32 = 85;
/// PNLI has three digits.
const LINE_MAX: u32 = 999;

/// One call, or one part of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Op {
    Head {
        fields: Fields,
    },
    Delete {
        line: u32,
    },
    Update {
        line: u32,
        fields: Fields,
    },
    /// A line of the whole order by its place there, under a number that is reserved for it.
    Add {
        line: u32,
        at: usize,
    },
    BatchStart,
    BatchLine {
        line: u32,
        at: usize,
    },
    BatchCoding {
        line: u32,
        at: usize,
    },
    BatchFinish {
        lines: Vec<u32>,
    },
}

/// A change of one order, in the order of its calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ChangeDraft {
    pub order: String,
    pub change: Vec<Op>,
    /// What the order is then.
    pub whole: OrderDraft,
    /// Its line numbers then, by the source's keys.
    pub numbers: BTreeMap<String, u32>,
}

impl ChangeDraft {
    /// Reads a stored draft; nothing when it is no change.
    ///
    /// # Errors
    /// `Broken` when it is one that cannot be read.
    pub(super) fn of(draft: &Draft) -> Result<Option<Self>, Fault> {
        if draft.payload.get("change").is_none() {
            return Ok(None);
        }
        let change = Self::deserialize(&draft.payload).map_err(|error| Fault::Broken {
            code: "draft_unreadable".to_owned(),
            message: format!("the stored change cannot be read: {error}"),
        })?;
        Ok(Some(change))
    }

    /// Lines that are not there any more afterwards.
    pub(super) fn deleted(&self) -> impl Iterator<Item = u32> {
        self.change.iter().filter_map(|op| match op {
            Op::Delete { line } => Some(*line),
            _ => None,
        })
    }
}

/// What M3 holds, and what is known of how it came there.
pub(super) struct Present<'a> {
    pub order: &'a str,
    pub head: &'a Row,
    pub lines: &'a [Row],
    /// Line numbers by the source's keys.
    pub numbers: &'a BTreeMap<String, u32>,
    /// What was written last.
    pub written: Option<&'a OrderDraft>,
    /// New lines with account strings go by batch entry.
    pub by_batch: bool,
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub(super) enum Plan {
    Same,
    Change {
        change: Box<ChangeDraft>,
        people: Vec<Change>,
    },
    /// Some of it cannot be done, so nothing is.
    Stuck {
        differences: Vec<Change>,
        says: String,
    },
}

/// Compares and plans.
pub(super) fn plan(wanted: &OrderDraft, present: &Present<'_>) -> Plan {
    let mut planner = Planner {
        wanted,
        present,
        numbers: present.numbers.clone(),
        next: next_number(present),
        head: Vec::new(),
        deletes: Vec::new(),
        updates: Vec::new(),
        adds: Vec::new(),
        people: Vec::new(),
        stuck: Vec::new(),
    };
    planner.compare_head();
    for (at, line) in wanted.lines.iter().enumerate() {
        planner.compare_line(at, line);
    }
    planner.drop_lines();
    planner.ended()
}

/// The first number that no line has or had.
fn next_number(present: &Present<'_>) -> u32 {
    let in_m3 = present
        .lines
        .iter()
        .filter_map(|row| u32::try_from(row.number("PNLI")?).ok());
    let known = present.numbers.values().copied();
    in_m3.chain(known).max().unwrap_or(0).saturating_add(1)
}

/// A new line: the number that is reserved for it, and its place in the whole order.
type Added = (u32, usize);

struct Planner<'a> {
    wanted: &'a OrderDraft,
    present: &'a Present<'a>,
    numbers: BTreeMap<String, u32>,
    next: u32,
    head: Vec<Op>,
    deletes: Vec<Op>,
    updates: Vec<Op>,
    adds: Vec<Added>,
    people: Vec<Change>,
    /// Why it cannot be done, with both values.
    stuck: Vec<(Change, String)>,
}

impl Planner<'_> {
    fn row(&self, number: u32) -> Option<&Row> {
        self.present.lines.iter().find(|row| is_line(row, number))
    }

    fn old_line(&self, key: &str) -> Option<&LineDraft> {
        let mut lines = self.present.written?.lines.iter();
        lines.find(|line| line.key == key)
    }

    /// Dates and terms follow the source where it changed; a changed buyer goes along with another change.
    fn compare_head(&mut self) {
        let (wanted, head) = (self.wanted, self.present.head);
        for (name, label, ours) in [
            ("SUNO", "Supplier", Some(&wanted.supplier)),
            ("CUCD", "Currency", wanted.head.get("CUCD")),
        ] {
            if let (Some(theirs), Some(ours)) = (head.text(name), ours)
                && theirs != ours
            {
                let says = format!(
                    "the {} of an order cannot be changed in M3",
                    label.to_lowercase()
                );
                self.stuck
                    .push((change(label, Some(theirs), Some(ours), "source"), says));
            }
        }
        let Some(written) = self.present.written else {
            return;
        };
        let mut fields = Fields::new();
        for (name, label, was, is) in [
            (
                "TEPY",
                "Payment terms",
                written.head.get("TEPY"),
                wanted.head.get("TEPY"),
            ),
            (
                "DWDT",
                "Delivery",
                written.delivery.as_ref(),
                wanted.delivery.as_ref(),
            ),
            (
                "BUYE",
                "Buyer",
                written.head.get("BUYE"),
                wanted.head.get("BUYE"),
            ),
        ] {
            if let Some(is) =
                is.filter(|is| was != Some(*is) && head.text(name) != Some(is.as_str()))
            {
                fields.insert(name.to_owned(), is.clone());
                self.people.push(change(
                    label,
                    head.text(name),
                    Some(is),
                    "source or mapping",
                ));
            }
        }
        if !fields.is_empty() {
            self.head.push(Op::Head { fields });
        }
    }

    fn compare_line(&mut self, at: usize, line: &LineDraft) {
        let known = self.numbers.get(&line.key).copied();
        let Some((number, row)) =
            known.and_then(|number| Some((number, self.row(number)?.clone())))
        else {
            return self.add(at, line, "new in the source");
        };
        if self.is_recoded(line, &row) {
            if self.may_delete(number, &row, "its coding changed") {
                self.delete(number, &row);
                self.add(at, line, "other item or coding");
            }
            return;
        }
        let mut fields = Fields::new();
        let label = |what: &str| format!("Line {number} · {what}");
        let mut people = Vec::new();
        for (name, what, ours, shown) in [
            ("ORQA", "Quantity", line.quantity, sent(line.quantity)),
            ("PUPR", "Price", line.price, sent_amount(line.price)),
        ] {
            if row.number(name) != Some(ours) {
                fields.insert(name.to_owned(), shown.clone());
                people.push(change(&label(what), row.text(name), Some(&shown), "source"));
            }
        }
        let unit = |line: &LineDraft| line.fields.get("PUUN").cloned();
        if let Some(old) = self.old_line(&line.key) {
            for (name, what) in [("PITD", "Name"), ("PITT", "Description"), ("PUUN", "Unit")] {
                let (was, is) = (old.fields.get(name), line.fields.get(name));
                if let Some(is) =
                    is.filter(|is| was != Some(*is) && row.text(name) != Some(is.as_str()))
                {
                    fields.insert(name.to_owned(), is.clone());
                    people.push(change(&label(what), row.text(name), Some(is), "source"));
                }
            }
        }
        if fields.contains_key("PUUN")
            && let Some(unit) = unit(line)
        {
            // The price is for the same unit.
            fields.insert("PPUN".to_owned(), unit);
        }
        if fields.is_empty() {
            return;
        }
        if let Some(why) = too_late(&row, line.quantity) {
            self.stuck
                .extend(people.into_iter().map(|change| (change, why.clone())));
            return;
        }
        self.people.extend(people);
        self.people.push(change(
            &label("Amount"),
            row.text("LNAM"),
            Some(&sent_amount(line.amount)),
            "source",
        ));
        self.updates.push(Op::Update {
            line: number,
            fields,
        });
    }

    /// Its source code is another one, and with it item or coding. A mapping that changed moves no written line.
    fn is_recoded(&self, line: &LineDraft, row: &Row) -> bool {
        let Some(old) = self.old_line(&line.key) else {
            return false;
        };
        let coding = |line: &LineDraft| {
            let of = |name: &str| line.fields.get(name).cloned();
            (
                line.item.clone(),
                line.accounts.clone(),
                [of("ELNO"), of("COCE"), of("ACRF")],
            )
        };
        let is_other_code = old.code != line.code;
        let is_moved =
            row.text("ITNO").is_some_and(|item| item != line.item) || coding(old) != coding(line);
        is_other_code && is_moved
    }

    /// Lines that the source does not have any more, or has at 0.00.
    fn drop_lines(&mut self) {
        let kept: BTreeSet<&str> = self
            .wanted
            .lines
            .iter()
            .map(|line| line.key.as_str())
            .collect();
        let gone: Vec<(String, u32)> = self
            .present
            .numbers
            .iter()
            .filter(|(key, _)| !kept.contains(key.as_str()))
            .map(|(key, number)| (key.clone(), *number))
            .collect();
        for (key, number) in gone {
            self.numbers.remove(&key);
            let Some(row) = self.row(number).cloned() else {
                continue;
            };
            if self.may_delete(number, &row, "the source has no such line any more") {
                self.delete(number, &row);
            }
        }
    }

    fn may_delete(&mut self, number: u32, row: &Row, why: &str) -> bool {
        let used = used(row);
        let is_too_far = row
            .number("PUST")
            .is_some_and(|status| status >= RECEIVED.into());
        if used.is_zero() && !is_too_far {
            return true;
        }
        let says = format!(
            "line {number}: {why}, and {} of it is received or invoiced in M3 (status {})",
            sent(used),
            row.text_or_blank("PUST")
        );
        let field = format!("Line {number} · Amount");
        let shown = change(&field, row.text("LNAM"), Some("no such line"), "source");
        self.stuck.push((shown, says));
        false
    }

    fn delete(&mut self, number: u32, row: &Row) {
        let field = format!("Line {number}");
        self.people
            .push(change(&field, row.text("LNAM"), Some("deleted"), "source"));
        self.deletes.push(Op::Delete { line: number });
    }

    fn add(&mut self, at: usize, line: &LineDraft, why: &str) {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        let label = |what: &str| format!("Line {number} · {what}");
        if number > LINE_MAX {
            let shown = change(&label("Amount"), None, Some(&sent_amount(line.amount)), why);
            let says = format!("an M3 order holds lines up to {LINE_MAX}");
            self.stuck.push((shown, says));
            return;
        }
        for (what, value) in [
            ("Item", line.item.clone()),
            ("Quantity", sent(line.quantity)),
            ("Price", sent_amount(line.price)),
            ("Amount", sent_amount(line.amount)),
        ] {
            self.people
                .push(change(&label(what), None, Some(&value), why));
        }
        for (name, account) in &line.accounts {
            self.people.push(change(
                &label(name),
                None,
                Some(account),
                "mapping cost_codes",
            ));
        }
        self.numbers.insert(line.key.clone(), number);
        self.adds.push((number, at));
    }

    fn ended(self) -> Plan {
        if let Some((_, first)) = self.stuck.first() {
            let says = first.clone();
            let differences = self.stuck.into_iter().map(|(change, _)| change).collect();
            return Plan::Stuck { differences, says };
        }
        let is_of_buyer_alone =
            |op: &Op| matches!(op, Op::Head { fields } if fields.keys().all(|name| name == "BUYE"));
        let has_lines =
            !(self.deletes.is_empty() && self.updates.is_empty() && self.adds.is_empty());
        if !has_lines && self.head.iter().all(is_of_buyer_alone) {
            return Plan::Same;
        }
        let (direct, batched) = self.added();
        let steps = [self.head, self.deletes, self.updates, direct, batched];
        let total: Decimal = self.wanted.lines.iter().map(|line| line.amount).sum();
        let mut people = self.people;
        people.push(change(
            "Total",
            self.present.head.text("NTAM"),
            Some(&sent_amount(total)),
            "sum of the lines",
        ));
        Plan::Change {
            change: Box::new(ChangeDraft {
                order: self.present.order.to_owned(),
                change: steps.into_iter().flatten().collect(),
                whole: self.wanted.clone(),
                numbers: self.numbers,
            }),
            people,
        }
    }

    /// New lines: account strings go by batch entry only, which is the last thing that is done.
    fn added(&self) -> (Vec<Op>, Vec<Op>) {
        let is_coded = |at: usize| {
            let line = self.wanted.lines.get(at);
            line.is_some_and(|line| !line.accounts.is_empty())
        };
        let (batched, direct): (Vec<Added>, Vec<Added>) = self
            .adds
            .iter()
            .partition(|(_, at)| self.present.by_batch && is_coded(*at));
        let direct = direct.into_iter().map(|(line, at)| Op::Add { line, at });
        let mut batch = Vec::new();
        if !batched.is_empty() {
            batch.push(Op::BatchStart);
            batch.extend(batched.iter().map(|&(line, at)| Op::BatchLine { line, at }));
            batch.extend(
                batched
                    .iter()
                    .map(|&(line, at)| Op::BatchCoding { line, at }),
            );
            let lines = batched.iter().map(|(line, _)| *line).collect();
            batch.push(Op::BatchFinish { lines });
        }
        (direct.collect(), batch)
    }
}

/// What of a line is received or invoiced, whichever is more.
fn used(row: &Row) -> Decimal {
    let of = |name| row.number(name).unwrap_or_default();
    of("RVQA").max(of("IVQA"))
}

/// Why a line cannot be changed to a quantity any more.
fn too_late(row: &Row, quantity: Decimal) -> Option<String> {
    let number = row.text_or_blank("PNLI");
    let used = used(row);
    if used > quantity {
        return Some(format!(
            "line {number}: {} is received or invoiced in M3, the source now says {}",
            sent(used),
            sent(quantity)
        ));
    }
    let status = row
        .number("PUST")
        .filter(|status| *status >= CLOSED.into())?;
    Some(format!("line {number} is closed in M3 (status {status})"))
}

fn change(field: &str, from: Option<&str>, to: Option<&str>, why: &str) -> Change {
    Change {
        field: field.to_owned(),
        from: from.map(str::to_owned),
        to: to.map(str::to_owned),
        why: why.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
#[path = "change_tests.rs"]
mod tests;
