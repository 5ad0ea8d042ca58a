//! What became of suppliers: which changed, and what one holds now.
//!
//! Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (CRS620MI): LstSuppliers takes a time of
//! change and shows no status, so each supplier is asked for its basic data. Assumed: 20 is active, 10 preliminary,
//! 90 blocked.

use super::super::changed::{self, ROWS_MAX, if_allowed, lmts, noticed, server_time};
use super::super::client::{self, mi};
use super::super::lookup;
use super::super::reply::Row;
use super::Suppliers;
use super::chain::ACTIVE;
use crate::contract::{Answer, Noticed, Session, Watches};
use crate::domain::clock::Timestamp;
use crate::domain::fault::Fault;
use crate::domain::holding::Holding;
use crate::domain::name::plain_number;

impl Watches for Suppliers {
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
            Ok(match listed(session, since).await? {
                Some(rows) => noticed(until, rows, true),
                None => {
                    let of_table = ("CIDMAS", "ID", "SUNO");
                    let rows = changed::exported(session, of_table, since).await?;
                    let is_whole = rows.is_some();
                    noticed(until, rows.unwrap_or_default(), is_whole)
                }
            })
        })
    }

    fn holds<'a>(
        &'a self,
        session: &'a Session,
        target_id: &'a str,
        _known: Option<&'a Holding>,
    ) -> Answer<'a, Option<Holding>> {
        Box::pin(async move {
            let row = lookup::supplier(session, target_id).await?;
            Ok(row.as_ref().map(holding))
        })
    }
}

/// Numbers of suppliers that changed; nothing where the list may not be used or was cut.
async fn listed(
    session: &Session,
    since: Timestamp,
) -> Result<Option<Vec<(String, String)>>, Fault> {
    let call = mi("CRS620MI", "LstSuppliers", [("LMTS", lmts(since))]).list(ROWS_MAX, &["SUNO"]);
    let rows = if_allowed(client::list(session, &call).await)?;
    let rows = rows.filter(|rows| u32::try_from(rows.len()).is_ok_and(|count| count < ROWS_MAX));
    Ok(rows.map(|rows| {
        let numbers = rows.iter().filter_map(|row| row.text("SUNO"));
        numbers
            .map(|number| (number.to_owned(), String::new()))
            .collect()
    }))
}

/// A supplier as far as it is compared: the fields that we write, in a spelling of our own.
pub(super) fn holding(row: &Row) -> Holding {
    let mut holding = Holding {
        closed: closed(row),
        ..Holding::default()
    };
    holding.note("Name", row.text("SUNM"));
    holding.note("Country", row.text("CSCD"));
    holding.note("Tax id", row.text("VRNO").map(plain_number));
    holding.note("Phone", row.text("PHNO").map(plain_number));
    holding
}

/// Why no order may go to it; a release that shows no status leaves the decision to M3.
fn closed(row: &Row) -> Option<String> {
    let status = row.text("STAT").filter(|status| *status != ACTIVE)?;
    let what = match status {
        "10" => "is preliminary",
        "90" => "is blocked",
        _ => "is not active",
    };
    let supplier = row.text_or_blank("SUNO");
    Some(format!(
        "supplier {supplier}, which {what} in M3 (status {status})"
    ))
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

    #[test]
    fn a_supplier_is_compared_by_what_we_write_and_closed_by_its_status() {
        let base = [
            ("SUNO", "A"),
            ("SUNM", "Stone"),
            ("PHNO", "+1 512-555"),
            ("STAT", "20"),
        ];
        let held = holding(&row(&base));
        for (field, value, labels, is_closed) in [
            ("SUNM", "Stones", vec!["Name"], false),
            ("PHNO", "+1 (512) 555", vec![], false),
            ("PHNO", "", vec!["Phone"], false),
            ("VRNO", "75-1", vec!["Tax id"], false),
            ("TEPY", "60", vec![], false),
            ("STAT", "90", vec![], true),
            ("STAT", "10", vec![], true),
            ("STAT", "", vec![], false),
        ] {
            let mut pairs = base.to_vec();
            pairs.retain(|(name, _)| *name != field);
            pairs.push((field, value));
            let now = holding(&row(&pairs));
            let changes = held.differences(&now);
            let found: Vec<&str> = changes.iter().map(|change| change.field.as_str()).collect();
            assert_eq!(
                (found, now.closed.is_some()),
                (labels, is_closed),
                "{field}={value}"
            );
        }
    }
}
