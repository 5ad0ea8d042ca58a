//! Changing an order call by call: each change is sent once, and read back before the next.
//!
//! Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (PPS200MI, PPS370MI): UpdLine, UpdHead, AddLine
//! and DltLine have no output; PPS090 parameter 50 allows lines for an existing order in a batch.

use super::super::client::{self, mi};
use super::super::fault::refused;
use super::super::number::{sent, sent_amount};
use super::super::reply::Nok;
use super::chain::MESSAGE_NUMBER;
use super::change::{ChangeDraft, Op};
use super::draft::{Fields, LineDraft};
use super::proof::{self, Seen};
use super::watch;
use crate::contract::{
    Existing, Found, Progress, Session, Step, TOO_FAR, Upcoming, Weight, Written,
};
use crate::domain::fault::Fault;
use crate::domain::system::Entity;

/// A step is sent; the next one looks at what came of it.
const SEND: &str = "change";
const LOOK: &str = "look";
const PROOF: &str = "proof";
/// Refusals that say: the order is too far in M3.
const FORBIDDEN: &[&str] = &["XPO0002", "XST0020"];

fn op<'a>(change: &'a ChangeDraft, at: &Progress) -> Option<&'a Op> {
    match at.next.as_str() {
        PROOF => None,
        _ => change.change.get(at.index),
    }
}

pub(super) fn upcoming(change: &ChangeDraft, at: &Progress) -> Upcoming {
    let order = &change.order;
    let of_line = |line: &u32| format!("{order}/{line}/0");
    let (operation, weight, key) = match (op(change, at), at.next.as_str()) {
        (Some(Op::Head { .. }), LOOK) | (None, _) => {
            ("PPS200MI/GetHead", Weight::Harmless, order.clone())
        }
        (Some(op), LOOK) => ("PPS200MI/GetLine", Weight::Harmless, key_of(order, op)),
        (Some(op), _) => match op {
            Op::Head { .. } => ("PPS200MI/UpdHead", Weight::Final, order.clone()),
            Op::Delete { line } => ("PPS200MI/DltLine", Weight::Final, of_line(line)),
            Op::Update { line, .. } => ("PPS200MI/UpdLine", Weight::Final, of_line(line)),
            Op::Add { line, .. } => ("PPS200MI/AddLine", Weight::Final, of_line(line)),
            Op::BatchStart => ("PPS370MI/StartEntry", Weight::Harmless, order.clone()),
            Op::BatchLine { line, .. } => ("PPS370MI/AddLine", Weight::Harmless, of_line(line)),
            Op::BatchCoding { line, .. } => {
                ("PPS370MI/AddAccString", Weight::Harmless, of_line(line))
            }
            Op::BatchFinish { .. } => ("PPS370MI/FinishEntry", Weight::Final, order.clone()),
        },
    };
    Upcoming {
        operation: operation.to_owned(),
        weight,
        target_key: Some(key),
    }
}

fn key_of(order: &str, op: &Op) -> String {
    match op {
        Op::Delete { line } | Op::Update { line, .. } | Op::Add { line, .. } => {
            format!("{order}/{line}/0")
        }
        _ => order.to_owned(),
    }
}

/// What one step makes true, as one effect of its own: this line, this value.
pub(super) fn identity(change: &ChangeDraft, at: &Progress) -> Option<String> {
    let order = &change.order;
    let values = |fields: &Fields| {
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join(" ")
    };
    match op(change, at)? {
        Op::Head { fields } => Some(format!("{order} {}", values(fields))),
        Op::Delete { line } => Some(format!("{order}/{line}/0 deleted")),
        Op::Update { line, fields } => Some(format!("{order}/{line}/0 {}", values(fields))),
        Op::Add { line, .. } => Some(format!("{order}/{line}/0")),
        Op::BatchStart | Op::BatchLine { .. } | Op::BatchCoding { .. } => None,
        Op::BatchFinish { lines } => {
            let lines: Vec<String> = lines.iter().map(u32::to_string).collect();
            Some(format!("{order}/{}/0", lines.join(",")))
        }
    }
}

pub(super) async fn step(
    session: &Session,
    change: &ChangeDraft,
    at: &Progress,
) -> Result<Step, Fault> {
    let call = Amending {
        session,
        change,
        at,
    };
    match (op(change, at), at.next.as_str()) {
        (None, _) => proof(session, change, at).await,
        (Some(op), LOOK) => call.look(op).await,
        (Some(op), _) => call.send(op).await,
    }
}

struct Amending<'a> {
    session: &'a Session,
    change: &'a ChangeDraft,
    at: &'a Progress,
}

impl Amending<'_> {
    async fn send(&self, op: &Op) -> Result<Step, Fault> {
        let of_line = |line: &u32| vec![("PNLI", line.to_string()), ("PNLS", "0".to_owned())];
        match op {
            Op::Head { fields } => self.write("UpdHead", Vec::new(), Some(fields)).await,
            Op::Delete { line } => self.write("DltLine", of_line(line), None).await,
            Op::Update { line, fields } => self.write("UpdLine", of_line(line), Some(fields)).await,
            Op::Add { line, at } => {
                // Its number is ours alone: what is there under it was added by this very step before.
                if watch::line(self.session, &self.change.order, *line)
                    .await?
                    .is_some()
                {
                    return Ok(self.then(LOOK, self.at.index));
                }
                let added = self.line(*at)?;
                let mut fields = of_line(line);
                fields.extend(self.of_added(added));
                self.write("AddLine", fields, Some(&added.fields_direct()))
                    .await
            }
            Op::BatchStart => self.start().await,
            Op::BatchLine { line, at } => {
                let added = self.line(*at)?;
                let mut fields = self.in_batch(line)?;
                fields.extend(self.of_added(added));
                self.batch("AddLine", fields, Some(&added.fields)).await
            }
            Op::BatchCoding { line, at } => {
                let accounts = &self.line(*at)?.accounts;
                self.batch("AddAccString", self.in_batch(line)?, Some(accounts))
                    .await
            }
            Op::BatchFinish { .. } => self.finish().await,
        }
    }

    fn then(&self, next: &str, index: usize) -> Step {
        Step::More {
            at: self.at.then(next, index),
            durable: true,
        }
    }

    fn next(&self) -> Step {
        self.then(SEND, self.at.index.saturating_add(1))
    }

    fn line(&self, at: usize) -> Result<&LineDraft, Fault> {
        self.change
            .whole
            .lines
            .get(at)
            .ok_or_else(|| Fault::Broken {
                code: "draft_unreadable".to_owned(),
                message: "the stored change names a line that it does not hold".to_owned(),
            })
    }

    fn of_added(&self, line: &LineDraft) -> Vec<(&'static str, String)> {
        let today = self.session.clock.now().to_utc().date();
        vec![
            ("ITNO", line.item.clone()),
            ("ORQA", sent(line.quantity)),
            ("PUPR", sent_amount(line.price)),
            ("DWDT", self.change.whole.delivery_on(today)),
        ]
    }

    /// One change in PPS200MI; what came of it is looked at next.
    async fn write(
        &self,
        transaction: &'static str,
        mut fields: Vec<(&'static str, String)>,
        more: Option<&Fields>,
    ) -> Result<Step, Fault> {
        fields.push(("PUNO", self.change.order.clone()));
        let division = &self.change.whole.division;
        let call = mi("PPS200MI", transaction, fields).in_division(division);
        let call = more
            .into_iter()
            .fold(call, |call, fields| call.with(fields));
        match client::try_write(self.session, &call).await? {
            Ok(_) => Ok(self.then(LOOK, self.at.index)),
            Err(nok) => Err(too_far_or(transaction, &nok)),
        }
    }

    async fn look(&self, op: &Op) -> Result<Step, Fault> {
        let order = &self.change.order;
        let is_there = match op {
            Op::Head { fields } => proof::head(self.session, order)
                .await?
                .is_some_and(|head| holds(&head, fields)),
            Op::Delete { line } => watch::line(self.session, order, *line).await?.is_none(),
            Op::Update { line, fields } => watch::line(self.session, order, *line)
                .await?
                .is_some_and(|row| holds(&row, fields)),
            Op::Add { line, at } => {
                let wanted = self.line(*at)?;
                let row = watch::line(self.session, order, *line).await?;
                row.is_some_and(|row| proof::is_equal(&row, wanted))
            }
            _ => true,
        };
        if is_there {
            return Ok(self.next());
        }
        Err(Fault::Conflict {
            code: "proof_differs".to_owned(),
            message: format!(
                "M3 took a change of {} and holds something else",
                key_of(order, op)
            ),
        })
    }

    async fn start(&self) -> Result<Step, Fault> {
        let fields = [("BAOR", self.change.whole.batch_origin.clone())];
        let call = mi("PPS370MI", "StartEntry", fields).in_division(&self.change.whole.division);
        let row = client::write(self.session, &call).await?;
        let number = row.text("MSGN").ok_or_else(|| Fault::Transient {
            code: "result_missing".to_owned(),
            message: "PPS370MI/StartEntry answered without the message number".to_owned(),
        })?;
        Ok(Step::More {
            at: self
                .at
                .then(SEND, self.at.index.saturating_add(1))
                .with_key(MESSAGE_NUMBER, number),
            durable: true,
        })
    }

    fn in_batch(&self, line: &u32) -> Result<Vec<(&'static str, String)>, Fault> {
        Ok(vec![
            ("MSGN", self.message_number()?),
            ("PUNO", self.change.order.clone()),
            ("PNLI", line.to_string()),
        ])
    }

    fn message_number(&self) -> Result<String, Fault> {
        let known = self.at.key(MESSAGE_NUMBER).map(str::to_owned);
        known.ok_or_else(|| Fault::Broken {
            code: "progress_unreadable".to_owned(),
            message: "the stored progress has no message number".to_owned(),
        })
    }

    async fn batch(
        &self,
        transaction: &'static str,
        fields: Vec<(&'static str, String)>,
        more: Option<&Fields>,
    ) -> Result<Step, Fault> {
        let call = mi("PPS370MI", transaction, fields).in_division(&self.change.whole.division);
        let call = more
            .into_iter()
            .fold(call, |call, fields| call.with(fields));
        match client::try_write(self.session, &call).await? {
            Ok(_) => Ok(self.next()),
            // Entered before, into this very batch, and its answer was lost.
            Err(nok) if nok.is_duplicate() => Ok(self.next()),
            Err(nok) => Err(refused(&format!("PPS370MI/{transaction}"), &nok)),
        }
    }

    /// Asked again with the same message number it can add no second line.
    async fn finish(&self) -> Result<Step, Fault> {
        let fields = [("MSGN", self.message_number()?)];
        let call = mi("PPS370MI", "FinishEntry", fields).in_division(&self.change.whole.division);
        match client::try_write(self.session, &call).await? {
            Ok(_) => Ok(self.next()),
            // Finished before; whether the lines come is looked at.
            Err(nok) if nok.code == "XST0020" => Ok(self.next()),
            Err(nok) => Err(refused("PPS370MI/FinishEntry", &nok)),
        }
    }
}

fn too_far_or(transaction: &str, nok: &Nok) -> Fault {
    let operation = format!("PPS200MI/{transaction}");
    if FORBIDDEN.contains(&nok.code.as_str()) {
        return Fault::Conflict {
            code: TOO_FAR.to_owned(),
            message: format!("too far in M3: {} ({}, {operation})", nok.message, nok.code),
        };
    }
    refused(&operation, nok)
}

/// Whether a row shows every value that was sent; what it does not show says nothing.
fn holds(row: &super::super::reply::Row, fields: &Fields) -> bool {
    fields.iter().all(|(name, sent)| {
        let Some(shown) = row.text(name) else {
            return true;
        };
        let numbers = (
            super::super::number::parse(shown),
            super::super::number::parse(sent),
        );
        match (name.as_str(), numbers) {
            ("ORQA" | "PUPR", (Some(shown), Some(sent))) => shown == sent,
            _ => shown == sent,
        }
    })
}

/// How far the change has come, as M3 shows it.
pub(super) async fn find(session: &Session, change: &ChangeDraft) -> Result<Found, Fault> {
    let Some(seen) = proof::read(session, &change.order).await? else {
        return Ok(Found::Unsure(format!(
            "order {} is not to be seen in M3",
            change.order
        )));
    };
    let first = change
        .change
        .iter()
        .position(|op| !is_done(&seen, change, op));
    let resume = first.map(|index| match index {
        0 => Progress::start(),
        index => Progress::start().then(SEND, index),
    });
    Ok(Found::One(Box::new(Existing {
        target_id: change.order.clone(),
        matched_by: "write_tag",
        is_ours: true,
        resume,
        differences: Vec::new(),
    })))
}

fn is_done(seen: &Seen, change: &ChangeDraft, op: &Op) -> bool {
    let row = |line: u32| seen.lines.iter().find(|row| watch::is_line(row, line));
    match op {
        Op::Head { fields } => holds(&seen.head, fields),
        Op::Delete { line } => row(*line).is_none(),
        Op::Update { line, fields } => row(*line).is_some_and(|row| holds(row, fields)),
        Op::Add { line, .. } => row(*line).is_some(),
        Op::BatchFinish { lines } => lines.iter().all(|line| row(*line).is_some()),
        // A batch is not shown: its lines are.
        Op::BatchStart | Op::BatchLine { .. } | Op::BatchCoding { .. } => change
            .change
            .iter()
            .all(|op| !matches!(op, Op::BatchFinish { .. }) || is_done(seen, change, op)),
    }
}

/// Reads the order back: as it is to be, or still with a batch that adds to it.
pub(super) async fn proof(
    session: &Session,
    change: &ChangeDraft,
    at: &Progress,
) -> Result<Step, Fault> {
    let order = &change.order;
    let differs = |what: String| Fault::Conflict {
        code: "proof_differs".to_owned(),
        message: format!("M3 holds order {order} otherwise than it was changed: {what}"),
    };
    let seen = proof::read(session, order)
        .await
        .map_err(proof::still_open)?;
    let Some(seen) = seen else {
        return Err(differs("it is not to be seen".to_owned()));
    };
    let row = |line: u32| seen.lines.iter().find(|row| watch::is_line(row, line));
    let batched: Vec<u32> = change
        .change
        .iter()
        .filter_map(|op| match op {
            Op::BatchLine { line, .. } => Some(*line),
            _ => None,
        })
        .collect();
    if let Some(line) = batched.iter().find(|line| row(**line).is_none()) {
        let message_number = at.key(MESSAGE_NUMBER).unwrap_or_default();
        return Ok(Step::Accepted {
            at: at.then(PROOF, 0),
            waiting_for: format!(
                "M3 took line {line} of order {order} (message number {message_number}) but has not added it: look in \
                 PPS370, and whether parameter 50 of the batch origin in PPS090 allows lines for an existing order"
            ),
        });
    }
    if let Some(line) = change.deleted().find(|line| row(*line).is_some()) {
        return Err(differs(format!("line {line} is still there")));
    }
    for line in &change.whole.lines {
        let number = change.numbers.get(&line.key).copied().unwrap_or_default();
        if !row(number).is_some_and(|row| {
            row.number("ORQA") == Some(line.quantity) && row.number("PUPR") == Some(line.price)
        }) {
            return Err(differs(format!("line {number}")));
        }
    }
    Ok(Step::Done(Box::new(written(change, at, &seen))))
}

fn written(change: &ChangeDraft, at: &Progress, seen: &Seen) -> Written {
    let mut notes = at.notes.clone();
    let is_unsaid = |op: &Op| matches!(op, Op::Add { at, .. } if change.whole.lines.get(*at).is_some_and(|line| !line.accounts.is_empty()));
    if change.change.iter().any(is_unsaid) {
        notes.push(
            "A new line went without its account string, which M3 takes by batch entry only."
                .to_owned(),
        );
    }
    let parts = change.numbers.iter().map(|(key, number)| {
        let part = format!("{}/{number}/0", change.order);
        (Entity::new("order_line"), key.clone(), part)
    });
    Written {
        target_id: change.order.clone(),
        parts: parts.collect(),
        notes,
        held: Some(watch::holding(&seen.head, &seen.lines)),
    }
}
