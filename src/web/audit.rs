//! The trail: who did what, when and from where.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::Bytes;
use askama::Template;
use futures::stream::unfold;

use super::events::{Told, actions};
use super::fields::Fields;
use super::names::Choice;
use super::page::{self, Answer, Shell, Visit};
use super::paging::Paging;
use super::problem::Problem;
use crate::desk::trail::{self, Export, Format};
use crate::domain::clock::Timestamp;
use crate::domain::fault::Issue;
use crate::store::audit::{self, Filter, Order};

#[derive(Template)]
#[template(path = "audit/list.html")]
struct List {
    shell: Shell,
    query: Fields,
    clear: &'static str,
    actions: Vec<Choice>,
    rows: Vec<Told>,
    first: String,
    next: String,
    exports: [(&'static str, String); 2],
}

/// Reads `from, to, actor, action, record`. A day stands for its beginning in `from` and its end in `to`.
///
/// # Errors
/// 422 with every value that cannot be meant.
pub fn filter(query: &Fields) -> Result<Filter, Problem> {
    let mut issues = Vec::new();
    let mut instant = |name: &str, of_day: &str| match query.given(name) {
        None => None,
        Some(text) => match instant(text, of_day) {
            Some(at) => Some(at),
            None => {
                let says = "Write a day as 2026-11-24, or an instant as 2026-11-24T15:04:05Z.";
                issues.push(Issue::new(name, "malformed", says));
                None
            }
        },
    };
    let filter = Filter {
        from: instant("from", "00:00:00"),
        to: instant("to", "23:59:59.999999"),
        actor: query.given("actor").map(str::to_owned),
        action: query.given("action").map(str::to_owned),
        subject: query.given("record").map(str::to_owned),
    };
    if issues.is_empty() {
        Ok(filter)
    } else {
        Err(Problem::invalid(issues))
    }
}

fn instant(text: &str, of_day: &str) -> Option<Timestamp> {
    let is_day = text.len() == 10 && !text.contains('T');
    if is_day {
        return format!("{text}T{of_day}Z").parse().ok();
    }
    let with_plus = || text.replace(' ', "+").parse();
    text.parse().or_else(|_| with_plus()).ok()
}

/// `GET /audit`.
///
/// # Errors
/// `invalid`, for a filter that cannot be meant.
pub async fn list(visit: Visit) -> Answer {
    let mut query = visit.query.clone();
    let filter = filter(&query)?;
    let paging = Paging::of(&query)?;
    let scope = visit.desk().store().read(visit.caller().tenant_id).await?;
    let order = Order::NewestFirst;
    let found = audit::list(&scope, &filter, order, paging.before()?, paging.one_more()).await?;
    drop(scope);
    let page = paging.cut(found, |event| event.seq.to_string());
    let is_later = query.given("cursor").is_some();
    query.set("cursor", "");
    let export = |format: &str| {
        let mut range = Fields::default();
        range.set("format", format);
        range.set("from", query.get("from"));
        range.set("to", query.get("to"));
        format!("/audit/export{}", range.query())
    };
    page::show(&List {
        exports: [
            ("Export as JSON lines", export("jsonl")),
            ("Export as CSV", export("csv")),
        ],
        shell: visit.shell("audit"),
        clear: if query.query().is_empty() {
            ""
        } else {
            "/audit"
        },
        actions: actions()
            .iter()
            .map(|action| Choice::new(action, action))
            .collect(),
        rows: page.data.iter().map(Told::new).collect(),
        first: if is_later {
            format!("/audit{}", query.query())
        } else {
            String::new()
        },
        next: page.next_cursor.map_or_else(String::new, |cursor| {
            let mut query = query.clone();
            query.set("cursor", cursor);
            format!("/audit{}", query.query())
        }),
        query,
    })
}

/// What to export.
pub struct Wanted {
    pub format: Format,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

impl Wanted {
    /// Reads `format, from, to`. An export is one unbroken range, so nothing else narrows it.
    ///
    /// # Errors
    /// 422 with every value that cannot be meant.
    pub fn of(query: &Fields) -> Result<Self, Problem> {
        let filter = filter(query)?;
        let format = match query.given("format").unwrap_or("jsonl") {
            "jsonl" => Format::JsonLines,
            "csv" => Format::Csv,
            _ => {
                let says = "Write `jsonl` or `csv`.";
                return Err(Problem::invalid(vec![Issue::new(
                    "format", "unknown", says,
                )]));
            }
        };
        let narrowed = [
            ("actor", filter.actor.is_some()),
            ("action", filter.action.is_some()),
            ("record", filter.subject.is_some()),
        ];
        let says = "An export is one unbroken range, so that it can be verified: give only `from` and `to`.";
        let issues: Vec<Issue> = narrowed
            .iter()
            .filter(|(_, is_given)| *is_given)
            .map(|(name, _)| Issue::new(*name, "not_here", says))
            .collect();
        if !issues.is_empty() {
            return Err(Problem::invalid(issues));
        }
        Ok(Self {
            format,
            from: filter.from,
            to: filter.to,
        })
    }
}

/// An export as it is read, a page of events at a time. A failure on the way breaks the connection off, so
/// that nobody takes a part for the whole.
#[must_use]
pub fn streamed(export: Export, format: Format) -> HttpResponse {
    let (kind, ending) = match format {
        Format::JsonLines => ("application/x-ndjson; charset=utf-8", "jsonl"),
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
    };
    let (first, last) = export.range();
    let name = format!("attachment; filename=\"audit-{first}-{last}.{ending}\"");
    let pieces = unfold(export, |mut export| async move {
        let piece = match export.piece().await {
            Ok(piece) => Ok(Bytes::from(piece?)),
            Err(error) => {
                tracing::error!(%error, "an export of the trail was broken off");
                Err(actix_web::Error::from(Problem::ours()))
            }
        };
        Some((piece, export))
    });
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CONTENT_DISPOSITION, name))
        .streaming(pieces)
}

/// `GET /audit/export`.
///
/// # Errors
/// `invalid`, for a range that is empty or cannot be meant.
pub async fn export(visit: Visit) -> Answer {
    let wanted = Wanted::of(&visit.query)?;
    let export = trail::export(
        visit.desk(),
        visit.caller(),
        wanted.format,
        wanted.from,
        wanted.to,
    )
    .await?;
    Ok(streamed(export, wanted.format))
}

#[derive(Template)]
#[template(path = "audit/verify.html")]
struct Verified {
    shell: Shell,
    holds: bool,
    events: u64,
    erased: u64,
    seq: i64,
    hash: String,
    broken: String,
    first_broken: i64,
    at: String,
    when: String,
    /// To be run where the database is.
    command: String,
}

/// `GET /audit/verify`: walks the whole chain.
///
/// # Errors
/// `conflict`, when the heads outside the database cannot be read.
pub async fn verify(visit: Visit) -> Answer {
    let tenant = visit.caller().tenant_id;
    let file = visit.site.config.heads_file.as_deref();
    let kept = trail::heads_kept_of(visit.desk(), file, tenant).await?;
    let verified = trail::verify(visit.desk(), tenant, &kept).await?;
    let now = visit.now();
    page::show(&Verified {
        shell: visit.shell("audit"),
        holds: verified.holds(),
        events: verified.events,
        erased: verified.erased,
        seq: verified.head.seq,
        broken: verified
            .first_broken
            .map_or_else(String::new, |broken| broken.to_string()),
        first_broken: verified.first_broken.map_or(0, |broken| broken.seq),
        hash: verified.head.hash,
        at: now.to_string(),
        when: page::say::time_exact(now),
        command: format!("ml-connector audit verify --tenant {tenant}"),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn days_and_instants_are_both_understood() {
        let filter = |query: &str| filter(&Fields::read(query.as_bytes()).unwrap());
        let day = filter("from=2026-11-24&to=2026-11-24&actor=a&action=&record=r").unwrap();
        assert_eq!(day.from.unwrap().to_string(), "2026-11-24T00:00:00Z");
        assert_eq!(day.to.unwrap().to_string(), "2026-11-24T23:59:59.999999Z");
        assert_eq!((day.action, day.subject.as_deref()), (None, Some("r")));
        assert!(filter("from=2026-11-24T15:04:05%2B01:00").is_ok());
        assert_eq!(
            filter("from=yesterday&to=2026-13-01")
                .unwrap_err()
                .errors
                .len(),
            2
        );
    }

    #[test]
    fn an_export_is_narrowed_by_time_alone() {
        let wanted = |query: &str| Wanted::of(&Fields::read(query.as_bytes()).unwrap());
        assert_eq!(wanted("").unwrap().format, Format::JsonLines);
        let csv = wanted("format=csv&from=2026-11-24&actor=").unwrap();
        assert_eq!((csv.format, csv.from.is_some()), (Format::Csv, true));
        for (query, problems) in [
            ("format=xlsx", 1),
            ("actor=a&action=b&record=c", 3),
            ("to=never", 1),
        ] {
            let Err(problem) = wanted(query) else {
                panic!("{query}");
            };
            assert_eq!(problem.errors.len(), problems, "{query}");
        }
    }
}
