//! Is the order there already? By our tag in YRE1, in lists that do not lag; a hand-made one by the number that
//! somebody typed.
//!
//! The ladder of look-ups: the supplier portal's list (standard, needs no special right), EXPORTMI, the list by
//! requester, the search index. The index lags: it may say yes, never no.
//! Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (PPSSPPMI, EXPORTMI, PPS001MI).

use super::super::client::{self, mi};
use super::super::export;
use super::super::reply::Row;
use super::draft::OrderDraft;
use super::proof;
use crate::contract::{Existing, Found, Session};
use crate::domain::fault::Fault;
use crate::domain::plan::Candidate;
use crate::domain::tag::WriteTag;

/// As many rows as this mean that the list was cut.
const ROWS_MAX: u32 = 1000;
/// What one look-up saw.
enum Look {
    /// Every order that could be this one.
    Whole(Vec<Row>),
    /// Some of them: the list was cut.
    Part(Vec<Row>),
    /// It could not run, and why.
    NotAllowed(String),
}

pub(super) async fn find(
    session: &Session,
    draft: &OrderDraft,
    tag: &WriteTag,
) -> Result<Found, Fault> {
    let mut reasons = Vec::new();
    for rung in [Rung::SupplierList, Rung::Export, Rung::RequesterList] {
        let (rows, is_whole) = match rung.look(session, draft, tag).await? {
            Look::Whole(rows) => (rows, true),
            Look::Part(rows) => (rows, false),
            Look::NotAllowed(why) => {
                reasons.push(why);
                continue;
            }
        };
        let found = judge(session, draft, tag, &rows).await?;
        if is_whole || found != Found::None {
            return Ok(found);
        }
        reasons.push("a list of orders was cut".to_owned());
    }
    if let Look::Whole(rows) = by_search(session, tag).await? {
        let found = judge(session, draft, tag, &rows).await?;
        if found != Found::None {
            return Ok(found);
        }
    }
    Ok(Found::Unsure(format!(
        "M3 could not be asked whether the order is there already: {}",
        reasons.join("; ")
    )))
}

/// Our tag first; a number that somebody typed is for a person to judge.
async fn judge(
    session: &Session,
    draft: &OrderDraft,
    tag: &WriteTag,
    rows: &[Row],
) -> Result<Found, Fault> {
    let tagged: Vec<&Row> = rows
        .iter()
        .filter(|row| row.text("YRE1") == Some(tag.as_str()))
        .collect();
    match tagged.as_slice() {
        [] => {}
        [only] => {
            let order_number = only.text_or_blank("PUNO");
            return Ok(Found::One(Box::new(Existing {
                target_id: order_number.to_owned(),
                matched_by: "write_tag",
                is_ours: true,
                resume: None,
                differences: proof::differences(session, draft, order_number).await?,
            })));
        }
        many => {
            let candidates = many.iter().map(|row| candidate(row, "write_tag", 100));
            return Ok(Found::Many(candidates.collect()));
        }
    }
    let is_typed = |row: &&Row| {
        let is_number = |name| {
            row.text(name)
                .is_some_and(|text| text.eq_ignore_ascii_case(&draft.number))
        };
        let is_suppliers = row
            .text("SUNO")
            .is_none_or(|supplier| supplier == draft.supplier);
        is_suppliers && !draft.number.is_empty() && (is_number("YRE1") || is_number("OURR"))
    };
    let typed: Vec<Candidate> = rows
        .iter()
        .filter(is_typed)
        .map(|row| candidate(row, "number", 70))
        .collect();
    Ok(if typed.is_empty() {
        Found::None
    } else {
        Found::Many(typed)
    })
}

#[derive(Debug, Clone, Copy)]
enum Rung {
    SupplierList,
    Export,
    RequesterList,
}

impl Rung {
    async fn look(
        self,
        session: &Session,
        draft: &OrderDraft,
        tag: &WriteTag,
    ) -> Result<Look, Fault> {
        match self {
            Self::SupplierList => by_supplier(session, draft).await,
            Self::Export => by_export(session, draft, tag).await,
            Self::RequesterList => by_requester(session, draft).await,
        }
    }
}

async fn by_supplier(session: &Session, draft: &OrderDraft) -> Result<Look, Fault> {
    const COLUMNS: &[&str] = &[
        "PUNO", "SUNO", "YRE1", "OURR", "PUDT", "CUCD", "NTAM", "PUSL",
    ];
    if session.assumes("vendor", &draft.supplier) {
        // A supplier that is not there yet has no orders.
        return Ok(Look::Whole(Vec::new()));
    }
    let fields = [
        ("SUNO", draft.supplier.clone()),
        (
            "LMTS",
            draft
                .since_ms
                .map(|since| since.to_string())
                .unwrap_or_default(),
        ),
    ];
    let call = mi("PPSSPPMI", "LstSupHead", fields).list(ROWS_MAX, COLUMNS);
    listed(client::list(session, &call).await)
}

async fn by_export(session: &Session, draft: &OrderDraft, tag: &WriteTag) -> Result<Look, Fault> {
    let mut wanted = vec![tag.as_str()];
    // A typed number goes into the query only where it cannot be taken for a part of it.
    wanted.extend(Some(draft.number.as_str()).filter(|text| export::is_literal(text)));
    let mut rows = Vec::new();
    for reference in wanted {
        let query =
            format!("IAPUNO, IASUNO, IAYRE1, IAOURR from MPHEAD where IAYRE1 = '{reference}'");
        match listed(export::select(session, &query, ROWS_MAX).await)? {
            Look::Whole(found) => rows.extend(found),
            other => return Ok(other),
        }
    }
    Ok(Look::Whole(rows))
}

async fn by_requester(session: &Session, draft: &OrderDraft) -> Result<Look, Fault> {
    const COLUMNS: &[&str] = &["PUNO", "SUNO", "YRE1", "PUSL"];
    let Some(requester) = draft.head.get("PURC") else {
        return Ok(Look::NotAllowed(
            "no purchaser is set to list orders by".to_owned(),
        ));
    };
    let call =
        mi("PPS001MI", "ListHeadBasic", [("PURC", requester.clone())]).list(ROWS_MAX, COLUMNS);
    listed(client::list(session, &call).await)
}

async fn by_search(session: &Session, tag: &WriteTag) -> Result<Look, Fault> {
    let fields = [("SQRY", format!("YRE1:{tag}"))];
    let call = mi("PPS200MI", "SearchHead", fields).list(ROWS_MAX, &["PUNO", "SUNO"]);
    let Look::Whole(rows) = listed(client::list(session, &call).await)? else {
        return Ok(Look::Whole(Vec::new()));
    };
    // The index does not show the reference: each order is asked for its own.
    let mut heads = Vec::new();
    for row in rows.iter().take(5) {
        heads.extend(proof::head(session, row.text_or_blank("PUNO")).await?);
    }
    Ok(Look::Whole(heads))
}

/// A refusal of the list itself is no answer to it; trouble on the way is trouble.
fn listed(answer: Result<Vec<Row>, Fault>) -> Result<Look, Fault> {
    match answer {
        Ok(rows) if u32::try_from(rows.len()).map_or(true, |count| count >= ROWS_MAX) => {
            Ok(Look::Part(rows))
        }
        Ok(rows) => Ok(Look::Whole(rows)),
        Err(fault @ (Fault::Rejected { .. } | Fault::Auth { .. } | Fault::Missing { .. })) => {
            Ok(Look::NotAllowed(fault.to_string()))
        }
        Err(trouble) => Err(trouble),
    }
}

fn candidate(row: &Row, matched_by: &str, score: u8) -> Candidate {
    let facts = [
        ("Supplier", "SUNO"),
        ("Reference", "YRE1"),
        ("Our reference", "OURR"),
        ("Date", "PUDT"),
        ("Amount", "NTAM"),
        ("Currency", "CUCD"),
        ("Status", "PUSL"),
    ];
    Candidate {
        target_id: row.text_or_blank("PUNO").to_owned(),
        matched_by: matched_by.to_owned(),
        score,
        facts: facts
            .iter()
            .filter_map(|(label, name)| Some(((*label).to_owned(), row.text(name)?.to_owned())))
            .collect(),
    }
}
