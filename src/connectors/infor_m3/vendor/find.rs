//! Is the supplier there already? Our own number, the number the source says, the tax id, the name.

use serde_json::Value;

use super::super::client::{self, mi};
use super::super::export;
use super::super::lookup;
use super::super::reply::Row;
use super::chain;
use super::draft::SupplierDraft;
use crate::contract::{Existing, Found, Progress, Session};
use crate::domain::fault::Fault;
use crate::domain::name::{plain_name, plain_number};
use crate::domain::plan::Candidate;

/// Rows asked for in one search; as many rows as this means that the list was cut.
const ROWS_MAX: u32 = 50;
/// The same for the one list that may go on through all that begin like us.
const ROWS_MANY: u32 = 1000;
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

/// Tax ids by a query over the suppliers' table, where searching is not possible.
async fn exported(session: &Session, tax_id: &str, plain: &str) -> Result<Search, Fault> {
    let conditions: Vec<String> = [tax_id, plain]
        .iter()
        .filter(|id| export::is_literal(id))
        .flat_map(|id| ["IDVRNO", "IDCORG"].map(|column| format!("{column} = '{id}'")))
        .collect();
    let query = format!(
        "IDSUNO, IDSUNM from CIDMAS where {}",
        conditions.join(" or ")
    );
    if conditions.is_empty() {
        return Ok(Search::NotAllowed(
            "the tax id cannot be asked for".to_owned(),
        ));
    }
    answered(export::select(session, &query, ROWS_MAX).await)
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

enum Search {
    Rows(Vec<Row>),
    /// There may be more than were given.
    Cut,
    /// The search could not run, and why.
    NotAllowed(String),
}

/// Suppliers whose name begins with a word of ours; by the list in name order where searching is not possible.
async fn namesakes(session: &Session, draft: &SupplierDraft) -> Result<Search, Fault> {
    if let Some(word) = search_word(&draft.name)
        && let found @ Search::Rows(_) = search(session, &format!("SUNM:{word}*")).await?
    {
        return Ok(found);
    }
    let start = without_legal_form(&draft.name);
    for rows_max in [ROWS_MAX, ROWS_MANY] {
        match from_the_name(session, &start, rows_max).await? {
            Search::Cut => {}
            other => return Ok(other),
        }
    }
    Ok(Search::Cut)
}

/// The list in the order of names, from a name on.
async fn from_the_name(session: &Session, start: &str, rows_max: u32) -> Result<Search, Fault> {
    let call = mi("CRS620MI", "LstByName", [("SUNM", start.to_owned())])
        .list(rows_max, &["SUNO", "SUNM", "STAT"]);
    let rows = match client::list(session, &call).await {
        Err(fault) => return not_allowed(fault),
        Ok(rows) => rows,
    };
    // The list runs on to the end of the alphabet. After our name and its further words come longer words, and
    // after those nobody of our name.
    let start = start.to_lowercase();
    let is_namesake = |row: &&Row| {
        let name = row.text_or_blank("SUNM").to_lowercase();
        let rest = name.strip_prefix(&start).map(|rest| rest.chars().next());
        rest.is_some_and(|next| next.is_none_or(|next| !next.is_alphanumeric()))
    };
    let is_cut = is_full(&rows, rows_max) && rows.iter().all(|row| is_namesake(&row));
    Ok(if is_cut {
        Search::Cut
    } else {
        Search::Rows(rows.iter().take_while(is_namesake).cloned().collect())
    })
}

async fn search(session: &Session, query: &str) -> Result<Search, Fault> {
    let call = mi("CRS620MI", "SearchSupplier", [("SQRY", query.to_owned())])
        .list(ROWS_MAX, &["SUNO", "SUNM", "STAT"]);
    answered(client::list(session, &call).await)
}

fn answered(answer: Result<Vec<Row>, Fault>) -> Result<Search, Fault> {
    match answer {
        Ok(rows) if is_full(&rows, ROWS_MAX) => Ok(Search::Cut),
        Ok(rows) => Ok(Search::Rows(rows)),
        Err(fault) => not_allowed(fault),
    }
}

/// A refusal of the search itself is not an answer to it; trouble on the way is trouble.
fn not_allowed(fault: Fault) -> Result<Search, Fault> {
    match fault {
        Fault::Rejected { .. } | Fault::Auth { .. } | Fault::Missing { .. } => {
            Ok(Search::NotAllowed(format!(
                "M3 could not be searched for the supplier: {fault}"
            )))
        }
        trouble => Err(trouble),
    }
}

fn is_full(rows: &[Row], rows_max: u32) -> bool {
    u32::try_from(rows.len()).map_or(true, |count| count >= rows_max)
}

/// The first word long enough to mean something, in plain letters: nothing of a query's own signs.
fn search_word(name: &str) -> Option<String> {
    let words: Vec<String> = name
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let is_plain = |word: &&String| word.is_ascii() && word.len() >= 3;
    words
        .iter()
        .find(is_plain)
        .or_else(|| words.first())
        .cloned()
}

/// The name's words up to its legal form, as far as M3 keeps a name.
fn without_legal_form(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    let kept = words
        .len()
        .saturating_sub(plain_name(name).legal.len())
        .max(1);
    let start = words.get(..kept).unwrap_or(&words).join(" ");
    start
        .trim_end_matches([',', '.'])
        .chars()
        .take(36)
        .collect()
}

/// A tax id without what a query could take for its own signs.
fn searchable(tax_id: &str) -> String {
    tax_id
        .chars()
        .filter(|letter| letter.is_alphanumeric() || *letter == '-')
        .collect()
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
