//! Entering an order, call by call. Nothing moves in M3 before FinishEntry; before it any doubt ends in
//! DeleteEntry and a fresh start, after it in looking for the order.

use super::super::client::{self, mi};
use super::super::fault::refused;
use super::super::number::{self, sent, sent_amount};
use super::super::reply::{Nok, Row};
use super::draft::{Fields, LineDraft, OrderDraft, text};
use super::proof;
use crate::contract::{Call, Draft, Progress, Session, Step, Upcoming, Weight};
use crate::domain::fault::Fault;

use super::super::super::kit::fault::no_answer;

const START: &str = "";
const HEAD: &str = "head";
const LINE: &str = "line";
const CODING: &str = "coding";
const TEXT: &str = "text";
const FINISH: &str = "finish";
pub(super) const PROOF: &str = "proof";

/// The batch's key and the order's.
pub(super) const MESSAGE_NUMBER: &str = "MSGN";
pub(super) const ORDER_NUMBER: &str = "PUNO";
/// Progress is kept so often: a crash then finds the batch it has to delete.
const DURABLE_EVERY: usize = 25;

pub(super) fn upcoming(draft: &Draft, at: &Progress) -> Upcoming {
    let (operation, weight) = match at.next.as_str() {
        START => ("PPS370MI/StartEntry", Weight::Harmless),
        HEAD => ("PPS370MI/AddHead", Weight::Harmless),
        LINE => ("PPS370MI/AddLine", Weight::Harmless),
        CODING => ("PPS370MI/AddAccString", Weight::Harmless),
        TEXT => ("PPS370MI/AddText", Weight::Harmless),
        FINISH => ("PPS370MI/FinishEntry", Weight::Final),
        _ => ("PPS200MI/GetHead", Weight::Harmless),
    };
    Upcoming {
        operation: operation.to_owned(),
        weight,
        target_key: at
            .key(ORDER_NUMBER)
            .or_else(|| at.key(MESSAGE_NUMBER))
            .map(str::to_owned)
            .or_else(|| Some(draft.natural_key.clone())),
    }
}

pub(super) async fn step(
    session: &Session,
    draft: &OrderDraft,
    at: &Progress,
) -> Result<Step, Fault> {
    let entry = Entry { session, draft, at };
    match at.next.as_str() {
        START => entry.start().await,
        HEAD => entry.head().await,
        LINE => entry.line().await,
        CODING => entry.coding().await,
        TEXT => entry.text().await,
        FINISH => entry.finish().await,
        _ => proof::proof(session, draft, at).await,
    }
}

/// Takes an unfinished batch back. One that is gone, or never was, is no fault.
pub(super) async fn undo(session: &Session, at: &Progress) -> Result<(), Fault> {
    let Some(message_number) = at.key(MESSAGE_NUMBER) else {
        return Ok(());
    };
    match delete(session, message_number).await? {
        Ok(_) => Ok(()),
        Err(nok) if nok.is_unknown_transaction() => Err(refused("PPS370MI/DeleteEntry", &nok)),
        Err(_) => Ok(()),
    }
}

async fn delete(session: &Session, message_number: &str) -> Result<Result<Row, Nok>, Fault> {
    let fields = [("MSGN", message_number.to_owned())];
    client::try_write(session, &mi("PPS370MI", "DeleteEntry", fields)).await
}

/// One call of the entry.
struct Entry<'a> {
    session: &'a Session,
    draft: &'a OrderDraft,
    at: &'a Progress,
}

impl Entry<'_> {
    async fn start(&self) -> Result<Step, Fault> {
        let fields = [("BAOR", self.draft.batch_origin.clone())];
        let row = self.write("StartEntry", fields, None).await?;
        let message_number = row
            .text("MSGN")
            .ok_or_else(|| lost("StartEntry", "message number"))?;
        Ok(Step::More {
            at: self
                .at
                .then(HEAD, 0)
                .with_key(MESSAGE_NUMBER, message_number),
            durable: true,
        })
    }

    async fn head(&self) -> Result<Step, Fault> {
        let today = self.session.clock.now().to_utc().date();
        let fields = [
            ("MSGN", self.key(MESSAGE_NUMBER)?),
            ("DWDT", self.draft.delivery_on(today)),
            ("YRE1", self.draft.tag.clone()),
            ("HREF", self.draft.tag.clone()),
        ];
        let row = self
            .write("AddHead", fields, Some(&self.draft.head))
            .await?;
        let order_number = row
            .text("PUNO")
            .ok_or_else(|| lost("AddHead", "order number"))?;
        Ok(Step::More {
            at: self.at.then(LINE, 0).with_key(ORDER_NUMBER, order_number),
            // Taking the batch back needs its message number only.
            durable: false,
        })
    }

    async fn line(&self) -> Result<Step, Fault> {
        let index = self.at.index;
        let Some(line) = self.draft.lines.get(index) else {
            return Ok(self.go_on(self.at.then(CODING, 0)));
        };
        let fields = [
            ("MSGN", self.key(MESSAGE_NUMBER)?),
            ("PUNO", self.key(ORDER_NUMBER)?),
            ("PNLI", line.line.to_string()),
            ("ITNO", line.item.clone()),
            ("ORQA", sent(line.quantity)),
            ("PUPR", sent_amount(line.price)),
        ];
        let row = self
            .write("AddLine", fields, Some(&line.fields))
            .await
            .map_err(|fault| at_line(fault, line))?;
        if row
            .text("PNLI")
            .is_some_and(|given| number::parse(given) != Some(line.line.into()))
        {
            return Err(lost("AddLine", "line number that was asked for"));
        }
        let next = index.saturating_add(1);
        let at = if next < self.draft.lines.len() {
            self.at.then(LINE, next)
        } else {
            self.after_line_codings(0)
        };
        Ok(self.go_on(at))
    }

    async fn coding(&self) -> Result<Step, Fault> {
        let index = self.at.index;
        let Some(line) = self.draft.lines.get(index) else {
            return Ok(self.go_on(self.at.then(TEXT, 0)));
        };
        let fields = [
            ("MSGN", self.key(MESSAGE_NUMBER)?),
            ("PUNO", self.key(ORDER_NUMBER)?),
            ("PNLI", line.line.to_string()),
        ];
        self.write("AddAccString", fields, Some(&line.accounts))
            .await
            .map_err(|fault| at_line(fault, line))?;
        Ok(self.go_on(self.after_line_codings(index.saturating_add(1))))
    }

    /// The next line from `index` on that has an account string, else the text.
    fn after_line_codings(&self, index: usize) -> Progress {
        let lines = self.draft.lines.iter().enumerate().skip(index);
        match lines
            .into_iter()
            .find(|(_, line)| !line.accounts.is_empty())
        {
            Some((index, _)) => self.at.then(CODING, index),
            None => self.at.then(TEXT, 0),
        }
    }

    /// A text for people; an order without it is whole.
    async fn text(&self) -> Result<Step, Fault> {
        let mut at = self.at.then(FINISH, 0);
        let says = text(self.draft);
        if !says.is_empty() {
            let fields = [
                ("MSGN", self.key(MESSAGE_NUMBER)?),
                ("PUNO", self.key(ORDER_NUMBER)?),
                ("TXT1", says),
            ];
            let call = mi("PPS370MI", "AddText", fields).in_division(&self.draft.division);
            if let Err(nok) = client::try_write(self.session, &call).await? {
                at.notes
                    .push(format!("M3 did not take the order's text: {}", nok.message));
            }
        }
        Ok(Step::More { at, durable: true })
    }

    /// Hands the batch to M3. Asked again with the same message number it cannot make a second order.
    async fn finish(&self) -> Result<Step, Fault> {
        let fields = [("MSGN", self.key(MESSAGE_NUMBER)?)];
        let call = mi("PPS370MI", "FinishEntry", fields).in_division(&self.draft.division);
        let accepted = Step::More {
            at: self.at.then(PROOF, 0),
            // Looked at next; a crash in between looks for the order as well.
            durable: false,
        };
        let nok = match client::try_write(self.session, &call).await? {
            Ok(_) => return Ok(accepted),
            Err(nok) => nok,
        };
        let fault = refused("PPS370MI/FinishEntry", &nok);
        if matches!(fault, Fault::Transient { .. } | Fault::Auth { .. }) || nok.never_ran() {
            return Err(fault);
        }
        // Refused because it was finished before, or because something is wrong with it? Only an unfinished batch
        // can be deleted, and a deleted one makes no order.
        let is_there = proof::head(self.session, &self.key(ORDER_NUMBER)?)
            .await?
            .is_some();
        if is_there {
            return Ok(accepted);
        }
        match delete(self.session, &self.key(MESSAGE_NUMBER)?).await? {
            Ok(_) => Err(fault),
            Err(_) => Ok(accepted),
        }
    }

    fn go_on(&self, at: Progress) -> Step {
        let durable = at.index > 0 && at.index.is_multiple_of(DURABLE_EVERY);
        Step::More { at, durable }
    }

    fn key(&self, name: &str) -> Result<String, Fault> {
        self.at
            .key(name)
            .map(str::to_owned)
            .ok_or_else(|| Fault::Broken {
                code: "progress_unreadable".to_owned(),
                message: format!("the stored progress has no {name}"),
            })
    }

    async fn write<const N: usize>(
        &self,
        transaction: &'static str,
        fields: [(&'static str, String); N],
        more: Option<&Fields>,
    ) -> Result<Row, Fault> {
        let call = mi("PPS370MI", transaction, fields).in_division(&self.draft.division);
        let call = more
            .into_iter()
            .fold(call, |call, fields| call.with(fields));
        client::write(self.session, &call).await
    }
}

/// An answer without what the next call needs: as good as none.
fn lost(transaction: &str, what: &str) -> Fault {
    no_answer(
        Call::Write,
        "result_missing",
        format!("PPS370MI/{transaction} answered without the {what}"),
    )
}

/// The same fault with the line it is about.
fn at_line(fault: Fault, line: &LineDraft) -> Fault {
    match fault {
        Fault::Rejected { mut issues } => {
            for issue in &mut issues {
                issue.field = format!("lines/{}/{}", line.line, issue.field)
                    .trim_end_matches('/')
                    .to_owned();
                issue.message = format!("line {}: {}", line.line, issue.message);
            }
            Fault::Rejected { issues }
        }
        other => other,
    }
}
