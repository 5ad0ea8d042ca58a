//! Which records a list shows, as its address says it. The API and the pages read it alike.

use crate::domain::clock::Timestamp;
use crate::domain::fault::Issue;
use crate::domain::ids::{PairId, RunId};
use crate::domain::record::State;
use crate::store::search::Filter;
use crate::web::fields::Fields;
use crate::web::problem::Problem;

/// Reads `pair, flow, state, q, updated_after, run, flag`. A state may come more than once, or as a
/// list with commas.
///
/// # Errors
/// 422 with every value that cannot be meant.
pub fn read(query: &Fields) -> Result<Filter, Problem> {
    let mut issues = Vec::new();
    let filter = Filter {
        pair: id(query, "pair").map(PairId),
        flow: query.given("flow").map(str::to_owned),
        states: states(query, &mut issues),
        run: id(query, "run").map(RunId),
        text: text(query, &mut issues),
        updated_after: instant(query, "updated_after", &mut issues),
        flag: query.given("flag").map(str::to_owned),
    };
    if issues.is_empty() {
        Ok(filter)
    } else {
        Err(Problem::invalid(issues))
    }
}

/// Longer than anything that people know a record by.
const TEXT_MAX: usize = 200;

/// Names that a filter may have.
pub const NAMES: [&str; 7] = ["pair", "flow", "state", "q", "updated_after", "run", "flag"];

/// An id in a filter. Nobody has a thing whose id is no id, so it matches nothing, like any id that is
/// not ours.
#[must_use]
pub fn id(query: &Fields, name: &str) -> Option<uuid::Uuid> {
    let given = query.given(name)?;
    Some(given.parse().unwrap_or(uuid::Uuid::nil()))
}

fn states(query: &Fields, issues: &mut Vec<Issue>) -> Vec<State> {
    let words = query.all("state").flat_map(|list| list.split(','));
    let mut states = Vec::new();
    for word in words.map(str::trim).filter(|word| !word.is_empty()) {
        match word.parse() {
            Ok(state) if !states.contains(&state) => states.push(state),
            Ok(_) => {}
            Err(unknown) => {
                let unknown: crate::domain::record::UnknownWord = unknown;
                issues.push(Issue::new("state", "unknown", format!("{unknown}.")));
            }
        }
    }
    states
}

fn text(query: &Fields, issues: &mut Vec<Issue>) -> Option<String> {
    let text = query.given("q")?;
    if text.chars().count() > TEXT_MAX {
        let says = format!("Look for {TEXT_MAX} characters at most.");
        issues.push(Issue::new("q", "too_long", says));
        return None;
    }
    Some(text.to_owned())
}

fn instant(query: &Fields, name: &str, issues: &mut Vec<Issue>) -> Option<Timestamp> {
    match query.instant(name)? {
        Ok(at) => Some(at),
        Err(error) => {
            issues.push(Issue::new(name, "malformed", format!("{error}.")));
            None
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn filter(query: &str) -> Result<Filter, Problem> {
        read(&Fields::read(query.as_bytes()).unwrap())
    }

    #[test]
    fn filters_are_read_from_an_address() {
        let filter = filter(
            "q=PO+10&state=failed,waiting&state=failed&flow=&updated_after=2026-11-24T00:00:00Z",
        )
        .unwrap();
        assert_eq!(filter.states, [State::Failed, State::Waiting]);
        assert_eq!(filter.text.as_deref(), Some("PO 10"));
        assert_eq!(filter.flow, None);
        assert!(filter.updated_after.is_some());
        let offset = read(&Fields::read(b"updated_after=2026-11-24T01:00:00+01:00").unwrap());
        assert_eq!(offset.unwrap().updated_after, filter.updated_after);
    }

    #[test]
    fn an_id_that_is_none_matches_nothing() {
        assert_eq!(
            filter("pair=1").unwrap().pair,
            Some(PairId(uuid::Uuid::nil()))
        );
    }

    #[test]
    fn values_that_cannot_be_meant_are_refused() {
        let long = format!("q={}", "x".repeat(TEXT_MAX + 1));
        for query in ["state=broken", "updated_after=yesterday", &long] {
            assert_eq!(filter(query).unwrap_err().kind.status, 422, "{query}");
        }
    }
}
