//! Do the connection's defaults exist: facility, warehouse, order types, the supplier that is copied?

use std::time::Instant;

use super::super::client::{self, mi};
use super::super::lookup;
use super::super::reply::Row;
use super::ms;
use crate::contract::Session;
use crate::domain::connection::PingStep;

/// What one default turned out to be.
enum Finding {
    Fine(String),
    Unasked(String),
    Wrong { what: String, hint: String },
}

pub(super) async fn step(session: &Session, divisions: &[Row]) -> PingStep {
    const STEP: &str = "defaults";
    let started = Instant::now();
    let findings = [
        facility(session, divisions).await,
        warehouse(session, divisions).await,
        order_types(session).await,
        template(session).await,
        batch_origin(session),
    ];
    let (mut details, mut hints) = (Vec::new(), Vec::new());
    for finding in findings.into_iter().flatten() {
        match finding {
            Finding::Fine(says) => details.push(says),
            Finding::Unasked(says) => details.push(format!("{says} (could not be checked)")),
            Finding::Wrong { what, hint } => {
                details.push(what);
                hints.push(hint);
            }
        }
    }
    let detail = if details.is_empty() {
        "none is set".to_owned()
    } else {
        details.join("; ")
    };
    if hints.is_empty() {
        PingStep::well(STEP, ms(started), detail)
    } else {
        PingStep::badly(STEP, ms(started), detail, hints.join("; "))
    }
}

/// The division's own facility is known already; another one is asked for.
async fn facility(session: &Session, divisions: &[Row]) -> Option<Finding> {
    let facility = session.settings.text("facility")?;
    let says = format!("facility {facility}");
    let division = session.settings.text("divi").unwrap_or_default();
    let own = divisions
        .iter()
        .find(|row| row.text_or_blank("DIVI") == division);
    if own.is_some_and(|row| row.text("FACI") == Some(facility)) {
        return Some(Finding::Fine(says));
    }
    let call = mi("CRS008MI", "ListFacility", [("FACI", facility.to_owned())])
        .list(1000, &["FACI", "FACN", "DIVI"]);
    Some(match client::list(session, &call).await {
        Err(_) => Finding::Unasked(says),
        Ok(rows) => match rows.iter().find(|row| row.text("FACI") == Some(facility)) {
            None => Finding::Wrong {
                what: format!("M3 has no facility {facility}"),
                hint: "choose a facility of CRS008".to_owned(),
            },
            Some(row)
                if !division.is_empty()
                    && row.text("DIVI").is_some_and(|found| found != division) =>
            {
                Finding::Wrong {
                    what: format!(
                        "facility {facility} belongs to division {}",
                        row.text_or_blank("DIVI")
                    ),
                    hint: format!("choose a facility of division {division}"),
                }
            }
            Some(row) => Finding::Fine(
                format!("{says} {}", row.text_or_blank("FACN"))
                    .trim_end()
                    .to_owned(),
            ),
        },
    })
}

async fn warehouse(session: &Session, divisions: &[Row]) -> Option<Finding> {
    let warehouse = session.settings.text("warehouse")?;
    let says = format!("warehouse {warehouse}");
    if divisions
        .iter()
        .any(|row| row.text("WHLO") == Some(warehouse))
    {
        return Some(Finding::Fine(says));
    }
    let fields = [
        ("FWHL", warehouse.to_owned()),
        ("TWHL", warehouse.to_owned()),
    ];
    let call = mi("MMS005MI", "LstWarehouses", fields).list(1000, &["WHLO", "WHNM", "FACI"]);
    Some(match client::list(session, &call).await {
        Err(_) => Finding::Unasked(says),
        Ok(rows) => match rows.iter().find(|row| row.text("WHLO") == Some(warehouse)) {
            None => Finding::Wrong {
                what: format!("M3 has no warehouse {warehouse}"),
                hint: "choose a warehouse of MMS005".to_owned(),
            },
            Some(row) => Finding::Fine(
                format!("{says} {}", row.text_or_blank("WHNM"))
                    .trim_end()
                    .to_owned(),
            ),
        },
    })
}

async fn order_types(session: &Session) -> Option<Finding> {
    let wanted: Vec<&str> = ["order_type", "subcontract_order_type"]
        .iter()
        .filter_map(|name| session.settings.text(name))
        .collect();
    if wanted.is_empty() {
        return None;
    }
    let says = format!("order types {}", wanted.join(", "));
    let call = mi("PPS095MI", "LstOrderType", []).list(1000, &["ORTY", "TX40"]);
    Some(match client::list(session, &call).await {
        Err(_) => Finding::Unasked(says),
        Ok(rows) => {
            let is_unknown =
                |wanted: &&&str| !rows.iter().any(|row| row.text("ORTY") == Some(**wanted));
            match wanted.iter().find(is_unknown) {
                Some(unknown) => Finding::Wrong {
                    what: format!("M3 has no order type {unknown}"),
                    hint: "choose an order type of PPS095".to_owned(),
                },
                None => Finding::Fine(says),
            }
        }
    })
}

async fn template(session: &Session) -> Option<Finding> {
    let template = session.settings.text("supplier_template")?;
    let says = format!("supplier template {template}");
    Some(match lookup::supplier(session, template).await {
        Err(_) => Finding::Unasked(says),
        Ok(Some(_)) => Finding::Fine(says),
        Ok(None) => Finding::Wrong {
            what: format!("M3 has no supplier {template} to copy from"),
            hint: "choose a template supplier of CRS620".to_owned(),
        },
    })
}

/// No program lists batch origins, and entering one to see would be a write.
fn batch_origin(session: &Session) -> Option<Finding> {
    let origin = session.settings.text("batch_origin")?;
    Some(Finding::Fine(format!(
        "batch origin {origin} (M3 checks it when the first order is entered)"
    )))
}
