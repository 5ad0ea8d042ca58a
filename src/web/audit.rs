//! The trail: who did what, when and from where.

use askama::Template;

use super::events::{Told, actions};
use super::fields::Fields;
use super::names::Choice;
use super::page::{self, Answer, Shell, Visit};
use super::paging::Paging;
use super::problem::Problem;
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
    page::show(&List {
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
}
