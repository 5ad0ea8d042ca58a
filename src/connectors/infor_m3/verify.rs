//! Looks the ERP side of mapping rows up: does the account exist and is it open, the item, the supplier?

use super::client::{self, mi};
use super::dimension;
use super::lookup;
use super::reply::Row as Found;
use super::vendor::ACTIVE;
use crate::contract::{Answer, Session, Verdict, Verifies};
use crate::domain::fault::{Fault, Issue};
use crate::domain::mapping::{MappingKind, Row, value};

pub(super) struct Codes;

impl Verifies for Codes {
    fn verify<'a>(
        &'a self,
        session: &'a Session,
        kind: MappingKind,
        rows: &'a [Row],
    ) -> Answer<'a, Vec<Verdict>> {
        Box::pin(async move {
            let mut verdicts = Vec::new();
            for row in rows {
                verdicts.push(verify(session, kind, row).await?);
            }
            Ok(verdicts)
        })
    }

    fn are_open<'a>(&'a self, session: &'a Session, keys: &'a [String]) -> Answer<'a, Vec<bool>> {
        Box::pin(async move {
            let mut open = Vec::new();
            for key in keys {
                open.push(dimension::is_open(session, key).await?);
            }
            Ok(open)
        })
    }
}

async fn verify(session: &Session, kind: MappingKind, row: &Row) -> Result<Verdict, Fault> {
    match kind {
        MappingKind::Projects => project(session, row).await,
        MappingKind::CostCodes | MappingKind::Accounts => accounts(session, row).await,
        MappingKind::Items => item(session, row).await,
        MappingKind::Vendors => supplier(session, row).await,
        MappingKind::PaymentTerms => general_code(session, row, "TEPY", 3).await,
        MappingKind::TaxCodes => general_code(session, row, "VTCD", 2).await,
        MappingKind::Currencies => currency(session, row).await,
        // M3 judges a unit at the line: it must be one of that item.
        MappingKind::Units => Ok(width(row, "code", 3)),
    }
}

fn fine() -> Verdict {
    Verdict {
        found: Vec::new(),
        issues: Vec::new(),
    }
}

fn found(label: &str, text: &str) -> (String, String) {
    (label.to_owned(), text.to_owned())
}

fn upper(row: &Row, column: &str) -> Option<String> {
    value(&row.erp_side, column).map(|text| text.trim().to_uppercase())
}

/// A code that M3 could not even keep.
fn width(row: &Row, column: &str, characters_max: usize) -> Verdict {
    let mut verdict = fine();
    if let Some(code) = upper(row, column)
        && code.chars().count() > characters_max
    {
        let says = format!("`{code}` is longer than the {characters_max} characters that M3 keeps");
        verdict.issues.push(Issue::new(column, "too_long", says));
    }
    verdict
}

fn missing(column: &str, what: String) -> Issue {
    Issue::new(column, "not_in_erp", what)
}

/// Lists that this connection may not read check nothing; trouble on the way is trouble.
fn if_allowed(answer: Result<Vec<Found>, Fault>) -> Result<Option<Vec<Found>>, Fault> {
    match answer {
        Ok(rows) => Ok(Some(rows)),
        Err(Fault::Rejected { .. } | Fault::Auth { .. } | Fault::Missing { .. }) => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

async fn project(session: &Session, row: &Row) -> Result<Verdict, Fault> {
    let mut verdict = fine();
    if let (Some(named), Some(own)) = (upper(row, "cono"), session.settings.text("cono"))
        && named.trim_start_matches('0') != own.trim_start_matches('0')
    {
        let says = format!("company {named} is not this connection's company {own}");
        verdict
            .issues
            .push(Issue::new("cono", "other_company", says));
    }
    for (column, characters_max) in [
        ("project", 7),
        ("element", 8),
        ("buyer", 10),
        ("order_type", 3),
    ] {
        verdict
            .issues
            .extend(width(row, column, characters_max).issues);
    }
    if let Some(facility) = upper(row, "facility") {
        let call = mi("CRS008MI", "ListFacility", [("FACI", facility.clone())])
            .list(1000, &["FACI", "FACN", "DIVI"]);
        if let Some(rows) = if_allowed(client::list(session, &call).await)? {
            judge_facility(&mut verdict, row, &facility, &rows);
        }
    }
    if let Some(warehouse) = upper(row, "warehouse") {
        let fields = [("FWHL", warehouse.clone()), ("TWHL", warehouse.clone())];
        let call = mi("MMS005MI", "LstWarehouses", fields).list(1000, &["WHLO", "WHNM", "FACI"]);
        if let Some(rows) = if_allowed(client::list(session, &call).await)? {
            match rows
                .iter()
                .find(|found| found.text("WHLO") == Some(&warehouse))
            {
                Some(known) => verdict
                    .found
                    .push(found("Warehouse", known.text_or_blank("WHNM"))),
                None => verdict.issues.push(missing(
                    "warehouse",
                    format!("M3 has no warehouse {warehouse}"),
                )),
            }
        }
    }
    Ok(verdict)
}

fn judge_facility(verdict: &mut Verdict, row: &Row, facility: &str, rows: &[Found]) {
    let Some(known) = rows
        .iter()
        .find(|found| found.text("FACI") == Some(facility))
    else {
        verdict.issues.push(missing(
            "facility",
            format!("M3 has no facility {facility}"),
        ));
        return;
    };
    verdict
        .found
        .push(found("Facility", known.text_or_blank("FACN")));
    if let (Some(division), Some(own)) = (upper(row, "divi"), known.text("DIVI"))
        && division != own
    {
        let says = format!("facility {facility} belongs to division {own}, not {division}");
        verdict
            .issues
            .push(Issue::new("facility", "other_division", says));
    }
}

/// Every dimension of the row is there and open, and none is missing that the account demands.
async fn accounts(session: &Session, row: &Row) -> Result<Verdict, Fault> {
    const DIMENSIONS: [(u8, &str); 7] = [
        (1, "ait1"),
        (2, "ait2"),
        (3, "ait3"),
        (4, "ait4"),
        (5, "ait5"),
        (6, "ait6"),
        (7, "ait7"),
    ];
    let mut verdict = fine();
    for (column, characters_max) in [("element", 8), ("cost_center", 10), ("acrf", 8)] {
        verdict
            .issues
            .extend(width(row, column, characters_max).issues);
    }
    let today = session.clock.now().to_utc().date();
    let division = session.settings.text("divi").unwrap_or_default();
    for (dimension, column) in DIMENSIONS {
        let Some(code) = upper(row, column) else {
            continue;
        };
        let Some(account) = lookup::account(session, dimension, &code, division).await? else {
            let says =
                format!("M3 has no {column} {code} in division `{division}` or the whole company");
            verdict.issues.push(missing(column, says));
            continue;
        };
        verdict.found.push(found(column, &account.name));
        if let Some(why) = account.closed(today) {
            verdict
                .issues
                .push(Issue::new(column, "closed", format!("{code} {why}")));
        }
        for demanded in &account.demands {
            let other = DIMENSIONS.iter().find(|(known, _)| known == demanded);
            let empty = other.filter(|(_, column)| upper(row, column).is_none());
            verdict.issues.extend(empty.map(|(_, empty)| {
                Issue::new(
                    *empty,
                    "demanded",
                    format!("{column} {code} demands a value here"),
                )
            }));
        }
    }
    Ok(verdict)
}

async fn item(session: &Session, row: &Row) -> Result<Verdict, Fault> {
    let mut verdict = width(row, "unit", 3);
    if let Some(number) = upper(row, "item") {
        match lookup::item(session, &number).await? {
            Some(item) => {
                verdict.found.push(found("Item", &item.name));
                verdict.found.push(found("Unit", &item.unit));
            }
            None => verdict
                .issues
                .push(missing("item", format!("M3 has no item {number}"))),
        }
    }
    Ok(verdict)
}

async fn supplier(session: &Session, row: &Row) -> Result<Verdict, Fault> {
    let mut verdict = fine();
    if let Some(number) = value(&row.erp_side, "supplier") {
        match lookup::supplier(session, number.trim()).await? {
            Some(row) => {
                verdict
                    .found
                    .push(found("Supplier", row.text_or_blank("SUNM")));
                let status = row.text_or_blank("STAT");
                if !status.is_empty() && status != ACTIVE {
                    verdict.found.push(found("Status", status));
                }
            }
            None => verdict
                .issues
                .push(missing("supplier", format!("M3 has no supplier {number}"))),
        }
    }
    Ok(verdict)
}

async fn general_code(
    session: &Session,
    row: &Row,
    constant: &str,
    characters_max: usize,
) -> Result<Verdict, Fault> {
    let mut verdict = width(row, "code", characters_max);
    if let Some(code) = upper(row, "code").filter(|_| verdict.issues.is_empty()) {
        let fields = [("STCO", constant.to_owned()), ("STKY", code.clone())];
        let call =
            mi("CRS175MI", "LstGeneralCode", fields).list(1000, &["STCO", "STKY", "TX40", "TX15"]);
        if let Some(rows) = if_allowed(client::list(session, &call).await)? {
            let known = rows.iter().find(|row| row.text("STKY") == Some(&code));
            match known {
                Some(known) => {
                    let name = known.text("TX40").or_else(|| known.text("TX15"));
                    verdict.found.push(found("Code", name.unwrap_or_default()));
                }
                None => verdict
                    .issues
                    .push(missing("code", format!("M3 has no {constant} {code}"))),
            }
        }
    }
    Ok(verdict)
}

async fn currency(session: &Session, row: &Row) -> Result<Verdict, Fault> {
    let mut verdict = width(row, "code", 3);
    if let Some(code) = upper(row, "code").filter(|_| verdict.issues.is_empty()) {
        let call = mi("CRS055MI", "GetBasicData", [("CUCD", code.clone())]);
        let answer = client::get(session, &call)
            .await
            .map(|row| row.into_iter().collect());
        match if_allowed(answer)?.as_deref() {
            Some([known, ..]) => {
                let name = known.text("TX40").or_else(|| known.text("TX15"));
                verdict
                    .found
                    .push(found("Currency", name.unwrap_or_default()));
            }
            Some([]) => verdict
                .issues
                .push(missing("code", format!("M3 has no currency {code}"))),
            None => {}
        }
    }
    Ok(verdict)
}
