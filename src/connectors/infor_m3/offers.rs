//! Master data that mapping rows may name: open accounts, suppliers, facilities, codes of the system table.
//!
//! Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (CRS630MI, CRS620MI, CRS008MI, MMS005MI,
//! CRS175MI). Assumed: the constants UNIT and CUCD of the system table.

use super::client::{self, mi};
use super::lookup;
use super::reply::Row;
use crate::contract::{Answer, Offers, Session};
use crate::domain::catalogue::Offer;
use crate::domain::fault::Fault;
use crate::domain::mapping::MappingKind;

pub(super) struct MasterData;

/// Rows of one list. A company has some thousand accounts and suppliers.
const ROWS_MAX: u32 = 20_000;

impl Offers for MasterData {
    fn offers<'a>(
        &'a self,
        session: &'a Session,
        kind: MappingKind,
        _projects: &'a [String],
    ) -> Answer<'a, Vec<Offer>> {
        Box::pin(async move {
            match kind {
                MappingKind::CostCodes => accounts(session).await,
                MappingKind::Vendors => suppliers(session).await,
                MappingKind::Projects => facilities(session).await,
                MappingKind::Units => codes(session, "UNIT").await,
                MappingKind::PaymentTerms => codes(session, "TEPY").await,
                MappingKind::Currencies => codes(session, "CUCD").await,
                // Items are too many to be listed, and the rest has no codes of its own.
                MappingKind::Items | MappingKind::Accounts | MappingKind::TaxCodes => {
                    Ok(Vec::new())
                }
            }
        })
    }
}

fn name<'r>(row: &'r Row, fields: &[&str]) -> &'r str {
    let found = fields.iter().find_map(|field| row.text(field));
    found.unwrap_or_default()
}

/// Accounts that may be posted to today, those of the division before those of the whole company.
async fn accounts(session: &Session) -> Result<Vec<Offer>, Fault> {
    let today = session.clock.now().to_utc().date();
    let division = session.settings.text("divi").unwrap_or_default();
    let mut offers: Vec<Offer> = Vec::new();
    for level in lookup::levels(division) {
        let fields = [("AITP", "1".to_owned()), ("DIVI", level.to_owned())];
        let call = mi("CRS630MI", "LstAccountID", fields)
            .in_division(level)
            .list(
                ROWS_MAX,
                &[
                    "DIVI", "AITP", "AITM", "TX40", "TX15", "LCCD", "VFDT", "VTDT", "AT13",
                ],
            );
        for row in client::list(session, &call).await? {
            let Some(account) = row.text("AITM") else {
                continue;
            };
            let is_known = offers.iter().any(|offer| {
                let known = offer.side.get("ait1");
                known.is_some_and(|known| known == account)
            });
            let found = lookup::read_account(&row);
            let is_open = found.closed(today).is_none();
            if !is_open {
                // What was open a while ago is not taken for open any more.
                lookup::learn(session, (1, account, division), &found);
            }
            if !is_known && is_open {
                let offer = Offer::new(
                    [("ait1", account.to_owned())],
                    name(&row, &["TX40", "TX15"]),
                );
                offers.push(offer);
            }
        }
    }
    Ok(offers)
}

/// The list shows no status, and no VAT number; a supplier that is blocked shows itself when its row is looked up.
async fn suppliers(session: &Session) -> Result<Vec<Offer>, Fault> {
    let call = mi("CRS620MI", "LstSuppliers", []).list(ROWS_MAX, &["SUNO", "SUNM", "TINO", "CSCD"]);
    let rows = client::list(session, &call).await?;
    let offers = rows.iter().filter_map(|row| {
        let number = row.text("SUNO")?;
        let offer = Offer::new([("supplier", number.to_owned())], name(row, &["SUNM"]));
        Some(offer.with("tax_id", row.text("TINO")))
    });
    Ok(offers.collect())
}

/// A facility with its first warehouse.
async fn facilities(session: &Session) -> Result<Vec<Offer>, Fault> {
    let call = mi("CRS008MI", "ListFacility", []).list(1000, &["FACI", "FACN", "DIVI"]);
    let facilities = client::list(session, &call).await?;
    let call = mi("MMS005MI", "LstWarehouses", []).list(1000, &["WHLO", "WHNM", "FACI"]);
    let warehouses = client::list(session, &call).await?;
    let offers = facilities.iter().filter_map(|row| {
        let facility = row.text("FACI")?;
        let warehouse = warehouses
            .iter()
            .find(|warehouse| warehouse.text("FACI") == Some(facility))
            .and_then(|warehouse| warehouse.text("WHLO"));
        Some(Offer::new(
            [
                ("facility", facility.to_owned()),
                ("warehouse", warehouse.unwrap_or_default().to_owned()),
            ],
            name(row, &["FACN"]),
        ))
    });
    Ok(offers.collect())
}

async fn codes(session: &Session, constant: &str) -> Result<Vec<Offer>, Fault> {
    let fields = [("STCO", constant.to_owned())];
    let call =
        mi("CRS175MI", "LstGeneralCode", fields).list(ROWS_MAX, &["STCO", "STKY", "TX40", "TX15"]);
    let rows = client::list(session, &call).await?;
    let offers = rows
        .iter()
        .filter(|row| row.text("STCO").is_none_or(|known| known == constant))
        .filter_map(|row| {
            let code = row.text("STKY")?;
            Some(Offer::new(
                [("code", code.to_owned())],
                name(row, &["TX40", "TX15"]),
            ))
        });
    Ok(offers.collect())
}
