//! What became of orders: which changed, and what one holds now.
//!
//! Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (PPSSPPMI, PPS200MI, EXPORTMI): LstSupHead is
//! the one standard list of orders with a time of change. Assumed: a changed line may leave its head untouched, so
//! MPLINE is asked too; from status 85 on a line is closed.

use rust_decimal::Decimal;

use super::super::changed::{self, ROWS_MAX, if_allowed, lmts, noticed, server_time};
use super::super::client::{self, mi};
use super::super::number::{sent, sent_amount};
use super::super::reply::Row;
use super::PurchaseOrders;
use super::proof;
use crate::contract::{Answer, Noticed, Session, Watches};
use crate::domain::clock::Timestamp;
use crate::domain::fault::Fault;
use crate::domain::holding::Holding;

/// From here on nothing more is received or invoiced on a line.
const CLOSED: u32 = 85;

impl Watches for PurchaseOrders {
    fn noticed<'a>(
        &'a self,
        session: &'a Session,
        since: Option<Timestamp>,
    ) -> Answer<'a, Noticed> {
        Box::pin(async move {
            let until = server_time(session).await?;
            let Some(since) = since else {
                return Ok(noticed(until, Vec::new(), true));
            };
            let heads = match listed(session, since).await? {
                Some(heads) => Some(heads),
                None => changed::exported(session, ("MPHEAD", "IA", "PUNO"), since).await?,
            };
            let lines = changed::exported(session, ("MPLINE", "IB", "PUNO"), since).await?;
            let is_whole = heads.is_some() && lines.is_some();
            let shown = [heads, lines].into_iter().flatten().flatten();
            Ok(noticed(until, shown.collect(), is_whole))
        })
    }

    fn holds<'a>(
        &'a self,
        session: &'a Session,
        target_id: &'a str,
        known: Option<&'a Holding>,
    ) -> Answer<'a, Option<Holding>> {
        Box::pin(async move {
            let Some(mut seen) = proof::read(session, target_id).await? else {
                return Ok(None);
            };
            for number in known.into_iter().flat_map(lines_of) {
                if !seen.lines.iter().any(|row| is_line(row, number)) {
                    // A shorter list means nothing: the line itself is asked for.
                    seen.lines.extend(line(session, target_id, number).await?);
                }
            }
            Ok(Some(holding(&seen.head, &seen.lines)))
        })
    }
}

/// Orders that changed, with their time of change; nothing where the list may not be used or was cut.
async fn listed(
    session: &Session,
    since: Timestamp,
) -> Result<Option<Vec<(String, String)>>, Fault> {
    let call =
        mi("PPSSPPMI", "LstSupHead", [("LMTS", lmts(since))]).list(ROWS_MAX, &["PUNO", "LMTS"]);
    let rows = if_allowed(client::list(session, &call).await)?;
    let rows = rows.filter(|rows| u32::try_from(rows.len()).is_ok_and(|count| count < ROWS_MAX));
    Ok(rows.map(|rows| {
        let seen = rows.iter().filter_map(|row| {
            let version = row.text_or_blank("LMTS").to_owned();
            Some((row.text("PUNO")?.to_owned(), version))
        });
        seen.collect()
    }))
}

/// One line by its key, if it is there.
pub(super) async fn line(
    session: &Session,
    order: &str,
    number: u32,
) -> Result<Option<Row>, Fault> {
    let fields = [
        ("PUNO", order.to_owned()),
        ("PNLI", number.to_string()),
        ("PNLS", "0".to_owned()),
    ];
    let row = client::get(session, &mi("PPS200MI", "GetLine", fields)).await?;
    Ok(row.filter(|row| is_line(row, number)))
}

/// Whether a row is that line, and not one of its parts.
pub(super) fn is_line(row: &Row, number: u32) -> bool {
    row.number("PNLI") == Some(number.into()) && row.number("PNLS").unwrap_or_default().is_zero()
}

/// Numbers of the lines that a holding speaks of.
fn lines_of(holding: &Holding) -> Vec<u32> {
    let number = |(label, _): &(String, String)| {
        label.strip_prefix("Line ")?.split(' ').next()?.parse().ok()
    };
    let mut numbers: Vec<u32> = holding.facts.iter().filter_map(number).collect();
    numbers.dedup();
    numbers
}

/// An order as far as it is compared: the fields that we write, in a spelling of our own.
pub(super) fn holding(head: &Row, lines: &[Row]) -> Holding {
    let mut holding = Holding::default();
    holding.note("Supplier", head.text("SUNO"));
    holding.note("Currency", head.text("CUCD"));
    holding.note("Delivery", head.text("DWDT"));
    holding.note("Payment terms", head.text("TEPY"));
    let mut whole: Vec<(u32, &Row)> = lines
        .iter()
        .filter(|row| row.number("PNLS").unwrap_or_default().is_zero())
        .filter_map(|row| Some((u32::try_from(row.number("PNLI")?).ok()?, row)))
        .collect();
    whole.sort_by_key(|(number, _)| *number);
    let mut total = Decimal::ZERO;
    for (number, row) in whole {
        total += amount(row);
        note_line(&mut holding, number, row);
    }
    holding.note("Total", Some(sent_amount(total.round_dp(2))));
    holding
}

fn note_line(holding: &mut Holding, number: u32, row: &Row) {
    let label = |what: &str| format!("Line {number} · {what}");
    holding.note(label("Item"), row.text("ITNO"));
    holding.note(label("Quantity"), row.number("ORQA").map(sent));
    holding.note(label("Unit"), row.text("PUUN"));
    holding.note(label("Price"), row.number("PUPR").map(sent));
    holding.note(label("Name"), row.text("PITD"));
    holding.note(label("Description"), row.text("PITT"));
    holding.note(label("Delivery"), row.text("DWDT"));
    holding.note(label("Status"), ended_early(row));
}

/// A line's amount; where M3 does not show it, its quantity times its price.
fn amount(row: &Row) -> Decimal {
    let of = |name| row.number(name).unwrap_or_default();
    row.number("LNAM")
        .unwrap_or_else(|| of("ORQA").checked_mul(of("PUPR")).unwrap_or_default())
}

/// That a line moves on to received and invoiced is its life; that it was closed before is not.
fn ended_early(row: &Row) -> Option<String> {
    let status = row.number("PUST")?;
    let of = |name| row.number(name).unwrap_or_default();
    let is_open = of("RVQA").max(of("IVQA")) < of("ORQA");
    (status >= CLOSED.into() && is_open)
        .then(|| format!("closed (status {status}) before all of it was received or invoiced"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pairs: &[(&str, &str)]) -> Row {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Row::from_pairs(pairs)
    }

    fn line(number: &str, more: &[(&str, &str)]) -> Row {
        let mut pairs = vec![
            ("PNLI", number),
            ("PNLS", "0"),
            ("ITNO", "I"),
            ("ORQA", "10.000000"),
            ("PUPR", "2.500000"),
            ("LNAM", "25.00"),
            ("PUST", "15"),
            ("PITD", "Stone"),
        ];
        pairs.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
        pairs.extend(more);
        row(&pairs)
    }

    #[test]
    fn an_order_is_compared_by_what_we_write() {
        let head = row(&[("SUNO", "A"), ("NTAM", "50.00")]);
        let held = holding(&head, &[line("1", &[]), line("2", &[])]);
        assert_eq!(held.value("Total"), Some("50.00"));
        for (changed, labels) in [
            // The same in another spelling, and what is life, not change.
            (line("2", &[("ORQA", "10"), ("PUPR", "2,5")]), vec![]),
            (line("2", &[("PUST", "50"), ("RVQA", "4")]), vec![]),
            (
                line("2", &[("PUST", "90"), ("RVQA", "10"), ("IVQA", "10")]),
                vec![],
            ),
            (
                line("2", &[("PUST", "90"), ("RVQA", "4")]),
                vec!["Line 2 · Status"],
            ),
            (
                line("2", &[("ORQA", "11"), ("LNAM", "27.50")]),
                vec!["Line 2 · Quantity", "Total"],
            ),
            (
                line("2", &[("PUPR", "3"), ("LNAM", "30.00")]),
                vec!["Line 2 · Price", "Total"],
            ),
            (line("2", &[("PITD", "Gravel")]), vec!["Line 2 · Name"]),
        ] {
            let now = holding(&head, &[changed, line("1", &[])]);
            let changes = held.differences(&now);
            let found: Vec<&str> = changes.iter().map(|change| change.field.as_str()).collect();
            assert_eq!(found, labels);
        }
        assert_eq!(lines_of(&held), [1, 2]);
        let other = holding(&row(&[("SUNO", "B")]), &[line("1", &[]), line("2", &[])]);
        let changes = held.differences(&other);
        assert_eq!(changes[0].field, "Supplier");
    }
}
