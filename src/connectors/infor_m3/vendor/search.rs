//! Searches for suppliers: by the index, which lags; by the list in the order of names; by a query.

use super::super::client::{self, mi};
use super::super::export;
use super::super::reply::Row;
use super::draft::SupplierDraft;
use crate::contract::Session;
use crate::domain::fault::Fault;
use crate::domain::name::plain_name;

/// Rows asked for in one search; as many rows as this means that the list was cut.
pub(super) const ROWS_MAX: u32 = 50;
/// The same for the one list that may go on through all that begin like us.
const ROWS_MANY: u32 = 1000;

/// What a search saw.
pub(super) enum Search {
    Rows(Vec<Row>),
    /// There may be more than were given.
    Cut,
    /// The search could not run, and why.
    NotAllowed(String),
}

/// Suppliers whose name begins with a word of ours; by the list in name order where searching is not possible.
pub(super) async fn namesakes(session: &Session, draft: &SupplierDraft) -> Result<Search, Fault> {
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

pub(super) async fn search(session: &Session, query: &str) -> Result<Search, Fault> {
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
pub(super) fn searchable(tax_id: &str) -> String {
    tax_id
        .chars()
        .filter(|letter| letter.is_alphanumeric() || *letter == '-')
        .collect()
}

/// Tax ids by a query over the suppliers' table, where searching is not possible.
pub(super) async fn exported(
    session: &Session,
    tax_id: &str,
    plain: &str,
) -> Result<Search, Fault> {
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
