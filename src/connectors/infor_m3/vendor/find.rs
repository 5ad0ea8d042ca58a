//! Is the supplier there already? Our own number, the number the source says, the tax id, the name.

use serde_json::Value;

use super::super::client::{self, mi};
use super::super::lookup;
use super::super::reply::Row;
use super::chain;
use super::draft::SupplierDraft;
use super::search::{ROWS_MAX, Search, exported, namesakes, search, searchable};
use crate::contract::{Existing, Found, Progress, Session};
use crate::domain::fault::Fault;
use crate::domain::name::{plain_name, plain_number};
use crate::domain::plan::Candidate;

/// Namesakes that are looked at one by one; more of them need a person anyway.
const COMPARED_MAX: usize = 5;
/// A template's name hardly ever changes.
const TEMPLATE_REMEMBERED: std::time::Duration = std::time::Duration::from_secs(3600);

/// The first rung with a hit decides.
pub(super) async fn find(session: &Session, draft: &SupplierDraft) -> Result<Found, Fault> {
    if let Some(row) = lookup::supplier(session, &draft.supplier).await? {
        return under_own_number(session, draft, &row).await;
    }
    if let Some(number) = stated_number(draft)
        && let Some(row) = lookup::supplier(session, &number).await?
    {
        return Ok(one(draft, &row, "number"));
    }
    let by_tax_id = by_tax_id(session, draft).await?;
    if by_tax_id != Found::None {
        return Ok(by_tax_id);
    }
    by_name(session, draft).await
}

/// The number that the source says, where it can be one.
fn stated_number(draft: &SupplierDraft) -> Option<String> {
    let number = draft.number.as_deref()?.trim().to_uppercase();
    let may_be_one = !number.is_empty() && number.chars().count() <= 10 && number != draft.supplier;
    may_be_one.then_some(number)
}

fn one(draft: &SupplierDraft, row: &Row, matched_by: &'static str) -> Found {
    Found::One(Box::new(Existing {
        target_id: row.text_or_blank("SUNO").to_owned(),
        matched_by,
        is_ours: false,
        resume: None,
        differences: draft.differences(row),
    }))
}

/// A supplier under our number: ours, whole or half done, or a stranger who had the number before us.
async fn under_own_number(
    session: &Session,
    draft: &SupplierDraft,
    row: &Row,
) -> Result<Found, Fault> {
    let ours = plain_name(draft.field("SUNM").unwrap_or(&draft.name));
    let theirs = plain_name(row.text_or_blank("SUNM"));
    let is_named = ours.core == theirs.core || plain_name(&draft.name).core == theirs.core;
    let resume = if is_named {
        unfinished(session, draft).await?
    } else if is_template_name(session, draft, row).await? {
        Some(Progress::start().then(chain::UPDATE, 0))
    } else {
        return Ok(Found::Many(vec![candidate(row, "number", 50)]));
    };
    Ok(Found::One(Box::new(Existing {
        target_id: draft.supplier.clone(),
        matched_by: "number",
        is_ours: true,
        resume,
        differences: draft.differences(row),
    })))
}

/// Where our chain stopped after the name was written: at the address, if that is not there.
async fn unfinished(session: &Session, draft: &SupplierDraft) -> Result<Option<Progress>, Fault> {
    let Some(address) = &draft.address else {
        return Ok(None);
    };
    let is_there = addresses(session, &draft.supplier)
        .await?
        .iter()
        .any(|row| row.text("ADID") == address.get("ADID").map(String::as_str));
    Ok((!is_there).then(|| Progress::start().then(chain::ADDRESS, 0)))
}

async fn is_template_name(
    session: &Session,
    draft: &SupplierDraft,
    row: &Row,
) -> Result<bool, Fault> {
    let Some(template) = &draft.template else {
        return Ok(false);
    };
    let key = format!("template/{template}");
    let now = session.clock.now();
    let known = session.facts.recall(&key, now, TEMPLATE_REMEMBERED);
    let name = match known.as_ref().and_then(Value::as_str) {
        Some(name) => name.to_owned(),
        None => {
            let found = lookup::supplier(session, template).await?;
            let name = found
                .map(|row| row.text_or_blank("SUNM").to_owned())
                .unwrap_or_default();
            session
                .facts
                .remember(&key, now, Value::from(name.as_str()));
            name
        }
    };
    Ok(row.text_or_blank("SUNM") == name)
}

async fn by_tax_id(session: &Session, draft: &SupplierDraft) -> Result<Found, Fault> {
    let Some(tax_id) = draft.tax_id.as_deref().map(searchable) else {
        return Ok(Found::None);
    };
    let plain = plain_number(&tax_id);
    let mut queries = vec![format!("VRNO:{tax_id}")];
    if plain != tax_id {
        queries.push(format!("VRNO:{plain}"));
    }
    queries.push(format!("CORG:{tax_id}"));
    for query in queries {
        let hits = match search(session, &query).await? {
            Search::Rows(rows) => rows,
            Search::Cut => {
                return Ok(Found::Unsure(format!(
                    "too many suppliers answer to {query}"
                )));
            }
            Search::NotAllowed(why) => match exported(session, &tax_id, &plain).await? {
                Search::Rows(rows) => return same_tax_id(session, draft, &rows, &plain).await,
                _ => return Ok(Found::Unsure(why)),
            },
        };
        let found = same_tax_id(session, draft, &hits, &plain).await?;
        if found != Found::None {
            return Ok(found);
        }
    }
    Ok(Found::None)
}

/// The suppliers themselves are asked: an index may be old, and its rows carry no tax id.
async fn same_tax_id(
    session: &Session,
    draft: &SupplierDraft,
    hits: &[Row],
    plain: &str,
) -> Result<Found, Fault> {
    let mut same = Vec::new();
    for hit in hits
        .iter()
        .filter(|hit| is_other(draft, hit))
        .take(COMPARED_MAX)
    {
        let row = lookup::supplier(session, hit.text_or_blank("SUNO")).await?;
        same.extend(row.filter(|row| {
            ["VRNO", "CORG", "TINO"]
                .iter()
                .any(|name| row.text(name).is_some_and(|id| plain_number(id) == plain))
        }));
    }
    Ok(match same.as_slice() {
        [] => Found::None,
        [only] => one(draft, only, "tax_id"),
        many => Found::Many(
            many.iter()
                .map(|row| candidate(row, "tax_id", 90))
                .collect(),
        ),
    })
}

/// Name with country and postal code is enough; the name alone is for a person to judge.
async fn by_name(session: &Session, draft: &SupplierDraft) -> Result<Found, Fault> {
    let ours = plain_name(&draft.name);
    let rows = match namesakes(session, draft).await? {
        Search::Rows(rows) => rows,
        Search::Cut => {
            return Ok(Found::Unsure(format!(
                "too many suppliers in M3 begin like {}",
                draft.name
            )));
        }
        Search::NotAllowed(why) => return Ok(Found::Unsure(why)),
    };
    let alike = |row: &&Row| {
        let theirs = plain_name(row.text_or_blank("SUNM"));
        is_other(draft, row) && (ours.is_same(&theirs) || ours.is_near(&theirs))
    };
    let (mut sure, mut candidates) = (Vec::new(), Vec::new());
    for hit in rows.iter().filter(alike).take(COMPARED_MAX) {
        let number = hit.text_or_blank("SUNO");
        let Some(row) = lookup::supplier(session, number).await? else {
            continue;
        };
        let is_same = ours.is_same(&plain_name(row.text_or_blank("SUNM")));
        if is_same && is_at_same_place(session, draft, &row).await? {
            sure.push(row.clone());
        }
        candidates.push(candidate(&row, "name", if is_same { 80 } else { 60 }));
    }
    match sure.as_slice() {
        [only] => Ok(one(draft, only, "name")),
        _ if candidates.is_empty() => Ok(Found::None),
        _ => Ok(Found::Many(candidates)),
    }
}

async fn is_at_same_place(
    session: &Session,
    draft: &SupplierDraft,
    row: &Row,
) -> Result<bool, Fault> {
    let (Some(country), Some(postal_code)) = (&draft.country, &draft.postal_code) else {
        return Ok(false);
    };
    if row.text("CSCD") != Some(country.as_str()) {
        return Ok(false);
    }
    let addresses = addresses(session, row.text_or_blank("SUNO")).await?;
    Ok(addresses
        .iter()
        .filter_map(|address| address.text("PONO"))
        .any(|found| plain_number(found) == plain_number(postal_code)))
}

async fn addresses(session: &Session, supplier: &str) -> Result<Vec<Row>, Fault> {
    let call = mi("CRS620MI", "LstAddresses", [("SUNO", supplier.to_owned())])
        .list(ROWS_MAX, &["SUNO", "ADTE", "ADID", "PONO", "CSCD"]);
    client::list(session, &call).await
}

/// Neither the template nor ourselves.
fn is_other(draft: &SupplierDraft, row: &Row) -> bool {
    let number = row.text("SUNO");
    number != draft.template.as_deref() && number != Some(&draft.supplier)
}

fn candidate(row: &Row, matched_by: &str, score: u8) -> Candidate {
    let facts = [
        ("Name", "SUNM"),
        ("Status", "STAT"),
        ("Country", "CSCD"),
        ("Tax id", "VRNO"),
        ("Phone", "PHNO"),
    ];
    Candidate {
        target_id: row.text_or_blank("SUNO").to_owned(),
        matched_by: matched_by.to_owned(),
        score,
        facts: facts
            .iter()
            .filter_map(|(label, name)| Some(((*label).to_owned(), row.text(name)?.to_owned())))
            .collect(),
    }
}
