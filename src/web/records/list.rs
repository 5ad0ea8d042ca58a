//! The list of records.

use askama::Template;

use super::{Line, filter};
use crate::domain::record::State;
use crate::store::search::{self, Filter, Total};
use crate::store::{Scope, StoreError, tally};
use crate::web::fields::Fields;
use crate::web::names::{Choice, Names};
use crate::web::page::{self, Answer, Shell, Visit, say};
use crate::web::paging::Paging;

#[derive(Template)]
#[template(path = "records/list.html")]
struct List {
    shell: Shell,
    query: Fields,
    clear: String,
    pairs: Vec<Choice>,
    flows: Vec<Choice>,
    chips: Vec<Chip>,
    lines: Vec<Line>,
    first: String,
    next: String,
    shown: String,
    bulk: Vec<Bulk>,
    has_pairs: bool,
}

struct Chip {
    label: &'static str,
    count: u64,
    href: String,
    current: bool,
    state: &'static str,
}

/// An act on everything that the filter matches.
struct Bulk {
    label: String,
    href: String,
}

/// `GET /records`.
///
/// # Errors
/// `invalid`, for a filter that cannot be meant.
pub async fn list(visit: Visit) -> Answer {
    let names = Names::load(&visit).await?;
    let filter = filter::read(&visit.query)?;
    let paging = Paging::of(&visit.query)?;
    let mut any_state = filter.clone();
    any_state.states.clear();
    let scope = visit.desk().store().read(visit.caller().tenant_id).await?;
    let found = search::records(&scope, &filter, paging.before()?, paging.one_more()).await?;
    let totals = if any_state == Filter::default() {
        counts(&scope).await?
    } else {
        search::totals(&scope, &any_state).await?
    };
    drop(scope);
    let page = paging.cut(found, |work| work.record.id.to_string());
    let now = visit.now();
    let query = visit.query.clone();
    let shown = u64::try_from(page.data.len()).unwrap_or(u64::MAX);
    page::show(&List {
        shell: visit.shell("records"),
        clear: clear(&query),
        pairs: names.pair_choices(),
        flows: names.flow_choices(),
        chips: chips(&query, &filter.states, &totals),
        first: first(&query),
        next: next(&query, page.next_cursor),
        shown: say::plural(shown, "record", "records"),
        bulk: bulk(&visit, &query, &filter.states, &totals),
        has_pairs: !names.pairs.is_empty(),
        lines: page
            .data
            .iter()
            .map(|work| Line::new(&work.record, &names, now))
            .collect(),
        query,
    })
}

/// Counts of everything: without their money, which this page does not show.
async fn counts(scope: &Scope) -> Result<Vec<Total>, StoreError> {
    let counted = tally::by_state(scope, None).await?;
    let total = |(state, records)| Total {
        state,
        records,
        money: None,
    };
    Ok(counted.into_iter().map(total).collect())
}

/// The list's address with other values.
pub(super) fn at(query: &Fields, changes: &[(&str, &str)]) -> String {
    let mut query = query.clone();
    query.set("cursor", "");
    for (name, value) in changes {
        query.set(name, *value);
    }
    format!("/records{}", query.query())
}

fn clear(query: &Fields) -> String {
    let is_set = |(name, value): (&str, &str)| !value.is_empty() && name != "cursor";
    if query.iter().any(is_set) {
        "/records".to_owned()
    } else {
        String::new()
    }
}

fn first(query: &Fields) -> String {
    match query.given("cursor") {
        Some(_) => at(query, &[]),
        None => String::new(),
    }
}

fn next(query: &Fields, cursor: Option<String>) -> String {
    match cursor {
        Some(cursor) => {
            let mut query = query.clone();
            query.set("cursor", cursor);
            format!("/records{}", query.query())
        }
        None => String::new(),
    }
}

fn count(totals: &[Total], state: State) -> u64 {
    let of_state = totals.iter().filter(|total| total.state == state);
    of_state.map(|total| total.records).sum()
}

/// One chip for each state that has records, those that a person acts on first.
fn chips(query: &Fields, chosen: &[State], totals: &[Total]) -> Vec<Chip> {
    const ORDER: [State; 11] = [
        State::Failed,
        State::Review,
        State::Held,
        State::Waiting,
        State::Retrying,
        State::Pending,
        State::Syncing,
        State::Succeeded,
        State::Linked,
        State::Unchanged,
        State::Ignored,
    ];
    let all = Chip {
        label: "All",
        count: totals.iter().map(|total| total.records).sum(),
        href: at(query, &[("state", "")]),
        current: chosen.is_empty(),
        state: "",
    };
    let of_state = ORDER.into_iter().filter_map(|state| {
        let count = count(totals, state);
        let current = chosen.contains(&state);
        (count > 0 || current).then(|| Chip {
            label: state.title(),
            count,
            href: at(query, &[("state", state.as_str())]),
            current,
            state: state.as_str(),
        })
    });
    std::iter::once(all).chain(of_state).collect()
}

/// What can be done with all that match, where the chosen states allow one thing.
fn bulk(visit: &Visit, query: &Fields, chosen: &[State], totals: &[Total]) -> Vec<Bulk> {
    use crate::domain::member::Scope;
    let may = |scope| visit.caller().may(scope);
    let [state] = chosen else {
        return Vec::new();
    };
    let records = count(totals, *state);
    let acts: &[(&str, &str, Scope)] = match state {
        State::Failed | State::Waiting | State::Retrying | State::Review => &[
            ("retry", "Retry", Scope::Operate),
            ("ignore", "Ignore", Scope::Operate),
        ],
        State::Ignored => &[("retry", "Take up again", Scope::Operate)],
        State::Held => &[
            ("approve", "Approve", Scope::Approve),
            ("reject", "Reject", Scope::Approve),
        ],
        _ => &[],
    };
    acts.iter()
        .filter(|(_, _, scope)| records > 0 && may(*scope))
        .map(|(act, label, _)| {
            let mut query = query.clone();
            query.set("cursor", "");
            query.set("act", *act);
            Bulk {
                label: format!("{label} {}", say::plural(records, "record", "records")),
                href: format!("/records/bulk{}", query.query()),
            }
        })
        .collect()
}
