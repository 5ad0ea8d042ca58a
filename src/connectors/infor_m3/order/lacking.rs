//! What M3 lacks for an order right now: an open supplier, items, open accounts, units.

use std::collections::BTreeSet;

use super::super::dimension::{self, Coded};
use super::super::lookup;
use super::super::vendor::ACTIVE;
use super::draft::{LineDraft, OrderDraft};
use crate::contract::Session;
use crate::domain::fault::Fault;
use crate::domain::record::WaitingFor;

/// Everything that is missing, each thing once. The supplier comes first: when it is closed nothing else is asked.
pub(super) async fn lacking(
    session: &Session,
    draft: &OrderDraft,
) -> Result<Vec<WaitingFor>, Fault> {
    let is_assumed = session.assumes("vendor", &draft.supplier);
    if !is_assumed && let Some(closed) = closed_supplier(session, &draft.supplier).await? {
        return Ok(vec![closed]);
    }
    let mut missing: Vec<WaitingFor> = unmapped_units(&draft.lines);
    let items: BTreeSet<&str> = draft.lines.iter().map(|line| line.item.as_str()).collect();
    for item in items {
        if lookup::item(session, item).await?.is_none() {
            missing.push(WaitingFor::new("items", item, format!("item {item} in M3")));
        }
    }
    for (dimension, value) in accounts(&draft.lines) {
        let coded = Coded {
            dimension,
            value,
            division: &draft.division,
        };
        missing.extend(dimension::closed(session, coded).await?);
    }
    Ok(missing)
}

async fn closed_supplier(session: &Session, supplier: &str) -> Result<Option<WaitingFor>, Fault> {
    let row = lookup::supplier(session, supplier)
        .await?
        .ok_or_else(|| Fault::Missing {
            what: "supplier".to_owned(),
            message: format!("supplier {supplier} no longer exists in M3"),
        })?;
    // A release that shows no status leaves the decision to M3.
    Ok(match row.text("STAT") {
        None | Some(ACTIVE) => None,
        Some(status) => {
            let what = match status {
                "10" => "is preliminary",
                "90" => "is blocked",
                _ => "is not active",
            };
            let label = format!("supplier {supplier}, which {what} in M3 (status {status})");
            Some(WaitingFor::new("vendor", supplier, label))
        }
    })
}

fn unmapped_units(lines: &[LineDraft]) -> Vec<WaitingFor> {
    let units: BTreeSet<&str> = lines
        .iter()
        .filter_map(|line| line.unmapped_unit.as_deref())
        .collect();
    units
        .into_iter()
        .map(|unit| WaitingFor::new("units", unit, format!("unit {unit} to be mapped")))
        .collect()
}

fn accounts(lines: &[LineDraft]) -> BTreeSet<(u8, &str)> {
    lines
        .iter()
        .flat_map(|line| &line.accounts)
        .filter_map(|(name, value)| Some((name.strip_prefix("AIT")?.parse().ok()?, value.as_str())))
        .collect()
}
