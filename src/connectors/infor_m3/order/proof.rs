//! Is the order there, with every line and every amount as it was sent?

use rust_decimal::Decimal;

use super::super::client::{self, mi};
use super::super::number::{sent, sent_amount};
use super::super::reply::Row;
use super::chain::{MESSAGE_NUMBER, ORDER_NUMBER, PROOF};
use super::draft::{LineDraft, OrderDraft};
use super::watch;
use crate::contract::{Progress, Session, Step, Written};
use crate::domain::fault::Fault;
use crate::domain::plan::Change;
use crate::domain::system::Entity;

/// More rows than an order has lines and their parts.
const ROWS_MAX: u32 = 5000;

/// An order as M3 holds it, beside the draft.
pub(super) struct Seen {
    pub order_number: String,
    pub head: Row,
    pub lines: Vec<Row>,
}

/// Reads the order back: done, not there yet, or there with something else in it.
pub(super) async fn proof(
    session: &Session,
    draft: &OrderDraft,
    at: &Progress,
) -> Result<Step, Fault> {
    let order_number = at.key(ORDER_NUMBER).unwrap_or_default();
    let seen = read(session, order_number).await.map_err(still_open)?;
    let Some(seen) = seen else {
        return Ok(not_yet(at));
    };
    if seen.head.text("YRE1") != Some(draft.tag.as_str()) {
        return Err(differs(
            order_number,
            &format!("its reference is `{}`", seen.head.text_or_blank("YRE1")),
        ));
    }
    if draft.lines.iter().any(|line| seen.line(line).is_none()) {
        return Ok(not_yet(at));
    }
    let changes = seen.differences(draft);
    if let Some(first) = changes.first() {
        let from = first.from.as_deref().unwrap_or_default();
        return Err(differs(order_number, &format!("{}: {from}", first.field)));
    }
    Ok(Step::Done(Box::new(seen.written(draft, at))))
}

/// Where a linked order differs from the draft.
pub(super) async fn differences(
    session: &Session,
    draft: &OrderDraft,
    order_number: &str,
) -> Result<Vec<Change>, Fault> {
    let seen = read(session, order_number)
        .await?
        .ok_or_else(|| Fault::Missing {
            what: "order".to_owned(),
            message: format!("order {order_number} no longer exists in M3"),
        })?;
    Ok(seen.differences(draft))
}

/// The lines of an order that are surely the draft's: what we entered under our own numbers, else what is equal
/// in item, quantity and price and so on one line only.
pub(super) async fn parts(
    session: &Session,
    draft: &OrderDraft,
    order_number: &str,
) -> Result<Vec<(Entity, String, String)>, Fault> {
    let seen = read(session, order_number).await?;
    Ok(seen.map_or_else(Vec::new, |seen| seen.parts(draft)))
}

/// The head, if the order is there.
pub(super) async fn head(session: &Session, order_number: &str) -> Result<Option<Row>, Fault> {
    let fields = [("PUNO", order_number.to_owned())];
    client::get(session, &mi("PPS200MI", "GetHead", fields)).await
}

pub(super) async fn read(session: &Session, order_number: &str) -> Result<Option<Seen>, Fault> {
    const COLUMNS: &[&str] = &[
        "PUNO", "PNLI", "PNLS", "ITNO", "ORQA", "PUPR", "PUUN", "PITD", "PITT", "DWDT", "LNAM",
        "RVQA", "IVQA", "PUST", "PUSL",
    ];
    let Some(head) = head(session, order_number).await? else {
        return Ok(None);
    };
    let call =
        mi("PPS200MI", "LstLine", [("PUNO", order_number.to_owned())]).list(ROWS_MAX, COLUMNS);
    let mut lines = client::list(session, &call).await?;
    // A list may run on to the next order.
    lines.retain(|row| row.text("PUNO").is_none_or(|found| found == order_number));
    Ok(Some(Seen {
        order_number: order_number.to_owned(),
        head,
        lines,
    }))
}

/// The batch is with M3. That reading is refused says nothing about the order, so the question stays open.
pub(super) fn still_open(fault: Fault) -> Fault {
    match fault {
        Fault::Rejected { .. } | Fault::Missing { .. } => Fault::Transient {
            code: "proof_not_readable".to_owned(),
            message: format!("M3 took the order, and it cannot be read back: {fault}"),
        },
        other => other,
    }
}

fn not_yet(at: &Progress) -> Step {
    let key = |name| at.key(name).unwrap_or_default();
    let (order_number, message_number) = (key(ORDER_NUMBER), key(MESSAGE_NUMBER));
    Step::Accepted {
        at: at.then(PROOF, 0),
        waiting_for: format!(
            "M3 took order {order_number} (message number {message_number}) but has not created it: look in PPS370; \
             status 20 waits for a person, 23 has errors (M3 mails application message 175 to users with an address \
             in CRS111)"
        ),
    }
}

fn differs(order_number: &str, what: &str) -> Fault {
    Fault::Conflict {
        code: "proof_differs".to_owned(),
        message: format!("M3 holds order {order_number} otherwise than it was sent: {what}"),
    }
}

impl Seen {
    /// The row of a line: same number, not one of its parts.
    fn line(&self, line: &LineDraft) -> Option<&Row> {
        self.lines.iter().find(|row| {
            row.number("PNLI") == Some(line.line.into())
                && row.number("PNLS").unwrap_or_default().is_zero()
        })
    }

    fn parts(&self, draft: &OrderDraft) -> Vec<(Entity, String, String)> {
        let is_ours = self.head.text("YRE1") == Some(draft.tag.as_str());
        let part = |line: &LineDraft| {
            let numbered = self.line(line).filter(|row| {
                row.text("ITNO").is_none_or(|item| item == line.item)
                    && (is_ours || is_equal(row, line))
            });
            let row = numbered.or_else(|| self.only_equal(line, draft))?;
            let number = row.number("PNLI")?.normalize();
            let target = format!("{}/{number}/0", self.order_number);
            Some((Entity::new("order_line"), line.key.clone(), target))
        };
        draft.lines.iter().filter_map(part).collect()
    }

    /// The one row that is equal to a line, which is the only such line.
    fn only_equal(&self, line: &LineDraft, draft: &OrderDraft) -> Option<&Row> {
        let is_twin = |other: &&LineDraft| {
            (&other.item, other.quantity, other.price) == (&line.item, line.quantity, line.price)
        };
        if draft.lines.iter().filter(is_twin).count() != 1 {
            return None;
        }
        let mut equal = self
            .lines
            .iter()
            .filter(|row| row.number("PNLS").unwrap_or_default().is_zero() && is_equal(row, line));
        let only = equal.next();
        only.filter(|_| equal.next().is_none())
    }

    fn differences(&self, draft: &OrderDraft) -> Vec<Change> {
        let mut changes = Vec::new();
        if self
            .head
            .text("SUNO")
            .is_some_and(|found| found != draft.supplier)
        {
            changes.push(change(
                "Supplier".to_owned(),
                self.head.text("SUNO"),
                &draft.supplier,
            ));
        }
        if let (Some(theirs), Some(ours)) = (self.head.text("CUCD"), draft.head.get("CUCD"))
            && theirs != ours
        {
            changes.push(change("Currency".to_owned(), Some(theirs), ours));
        }
        for line in &draft.lines {
            self.compare_line(line, &mut changes);
        }
        let is_more = |row: &&Row| {
            let number = row.number("PNLI");
            !draft
                .lines
                .iter()
                .any(|line| number == Some(line.line.into()))
        };
        for row in self.lines.iter().filter(is_more) {
            let field = format!("Line {}", row.text_or_blank("PNLI"));
            let amount = row.text("LNAM").or_else(|| row.text("ITNO"));
            changes.push(change(field, amount, "no such line"));
        }
        changes.extend(self.compare_total(draft));
        changes
    }

    fn compare_line(&self, line: &LineDraft, changes: &mut Vec<Change>) {
        let label = |what: &str| format!("Line {} · {what}", line.line);
        let Some(row) = self.line(line) else {
            changes.push(change(label("Amount"), None, &sent_amount(line.amount)));
            return;
        };
        let compared = [
            ("ORQA", "Quantity", line.quantity, sent(line.quantity)),
            ("PUPR", "Price", line.price, sent(line.price)),
            ("LNAM", "Amount", line.amount, sent_amount(line.amount)),
        ];
        for (name, what, ours, shown) in compared {
            // Not every release shows the line's amount; quantity and price together give it.
            let is_same = row.number(name).is_none_or(|theirs| theirs == ours);
            if !is_same || (row.text(name).is_none() && name != "LNAM") {
                changes.push(change(label(what), row.text(name), &shown));
            }
        }
        if row.text("ITNO").is_some_and(|item| item != line.item) {
            changes.push(change(label("Item"), row.text("ITNO"), &line.item));
        }
    }

    /// To the cent. A head that keeps no total (blank or zero) says nothing: its lines were compared one by one.
    fn compare_total(&self, draft: &OrderDraft) -> Option<Change> {
        let theirs = self.head.number("NTAM").filter(|total| !total.is_zero())?;
        let ours: Decimal = draft.lines.iter().map(|line| line.amount).sum();
        (theirs.round_dp(2) != ours).then(|| {
            change(
                "Total".to_owned(),
                self.head.text("NTAM"),
                &sent_amount(ours),
            )
        })
    }

    fn written(&self, draft: &OrderDraft, at: &Progress) -> Written {
        let mut notes = at.notes.clone();
        let is_coded = |line: &LineDraft| {
            !line.accounts.is_empty()
                || line.fields.contains_key("COCE")
                || line.fields.contains_key("ACRF")
        };
        if draft.lines.iter().any(is_coded) {
            notes.push(
                "Accounts, cost centres and control objects were sent; M3 cannot show them."
                    .to_owned(),
            );
        }
        let parts = draft.lines.iter().map(|line| {
            let part = format!("{}/{}/0", self.order_number, line.line);
            (Entity::new("order_line"), line.key.clone(), part)
        });
        Written {
            target_id: self.order_number.clone(),
            parts: parts.collect(),
            notes,
            held: Some(watch::holding(&self.head, &self.lines)),
        }
    }
}

pub(super) fn is_equal(row: &Row, line: &LineDraft) -> bool {
    row.text("ITNO") == Some(line.item.as_str())
        && row.number("ORQA") == Some(line.quantity)
        && row.number("PUPR") == Some(line.price)
}

fn change(field: String, theirs: Option<&str>, ours: &str) -> Change {
    Change {
        field,
        from: theirs.map(str::to_owned),
        to: Some(ours.to_owned()),
        why: "compared with M3".to_owned(),
    }
}
