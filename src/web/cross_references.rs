//! Which record of one system is which record of the other.

use askama::Template;

use super::fields::Fields;
use super::names::{Choice, Names};
use super::page::{self, Answer, Shell, Visit, say};
use super::paging::Paging;
use super::records::filter::id;
use crate::domain::ids::PairId;
use crate::domain::link::Link;
use crate::store::link::{self, Filter};

#[derive(Template)]
#[template(path = "cross_references/list.html")]
struct List {
    shell: Shell,
    query: Fields,
    clear: &'static str,
    pairs: Vec<Choice>,
    lines: Vec<Line>,
    next: String,
}

struct Line {
    entity: String,
    scope: String,
    source_system: String,
    source_id: String,
    target_system: String,
    target_id: String,
    matched_by: String,
    pair: String,
    created_at: String,
    created: String,
}

impl Line {
    fn new(link: &Link, names: &Names) -> Self {
        Self {
            entity: link.entity.to_string().replace('_', " "),
            scope: link.scope.clone(),
            source_system: names.system(&link.source.system),
            source_id: link.source.id.clone(),
            target_system: names.system(&link.target.system),
            target_id: link.target.id.clone(),
            matched_by: matched_by(&link.matched_by).to_owned(),
            pair: names.pair(link.pair_id),
            created_at: link.created_at.to_string(),
            created: say::date(link.created_at),
        }
    }
}

/// How two records were found to be the same, in words.
#[must_use]
pub fn matched_by(word: &str) -> &str {
    match word {
        "created" => "we created it",
        "write_tag" => "our reference",
        "number" => "number",
        "tax_id" => "tax id",
        "name" => "name",
        "mapping" => "mapping table",
        "person" => "a person's choice",
        other => other,
    }
}

/// Reads `pair, entity, source_id, target_id`.
#[must_use]
pub fn filter(query: &Fields) -> Filter {
    Filter {
        pair: id(query, "pair").map(PairId),
        entity: query.given("entity").map(str::to_owned),
        source_id: query.given("source_id").map(str::to_owned),
        target_id: query.given("target_id").map(str::to_owned),
    }
}

/// `GET /cross-references`.
///
/// # Errors
/// `invalid`, for a page that cannot be meant.
pub async fn list(visit: Visit) -> Answer {
    let names = Names::load(&visit).await?;
    let mut query = visit.query.clone();
    let filter = filter(&query);
    let paging = Paging::of(&query)?;
    let scope = visit.desk().store().read(visit.caller().tenant_id).await?;
    let found = link::list(&scope, &filter, paging.before()?, paging.one_more()).await?;
    drop(scope);
    let page = paging.cut(found, |link| link.id.to_string());
    query.set("cursor", "");
    page::show(&List {
        shell: visit.shell("cross-references"),
        clear: if query.query().is_empty() {
            ""
        } else {
            "/cross-references"
        },
        pairs: names.pair_choices(),
        lines: page
            .data
            .iter()
            .map(|link| Line::new(link, &names))
            .collect(),
        next: page.next_cursor.map_or_else(String::new, |cursor| {
            let mut query = query.clone();
            query.set("cursor", cursor);
            format!("/cross-references{}", query.query())
        }),
        query,
    })
}
