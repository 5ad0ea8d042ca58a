//! What changed in M3 since a moment of M3's own clock: lists by time of change, and EXPORTMI where it may be used.
//!
//! Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (GENERAL, EXPORTMI, poll cursor): LMTS is
//! epoch milliseconds (assumed), LMDT only a date, so what it lists is told apart by its change number.

use std::time::Duration;

use super::client::{self, mi};
use super::export;
use super::lookup::date;
use super::reply::Row;
use crate::contract::{Noticed, Session};
use crate::domain::clock::Timestamp;
use crate::domain::fault::Fault;

/// A list with so many rows was cut.
pub(super) const ROWS_MAX: u32 = 5000;
/// A refusal of a list is remembered, so that not every look costs a refused call.
const REFUSAL_REMEMBERED: Duration = Duration::from_secs(3600);
/// LMDT is the day in M3's own zone.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What time it is in M3; our own clock where M3 does not tell.
pub(super) async fn server_time(session: &Session) -> Result<Timestamp, Fault> {
    let call = mi("GENERAL", "GetServerTime", []);
    let row = if_allowed(client::get(session, &call).await)?.flatten();
    let told = row.and_then(|row| milliseconds(&row));
    Ok(told.unwrap_or_else(|| session.clock.now()))
}

fn milliseconds(row: &Row) -> Option<Timestamp> {
    let told: i64 = row.text("LMTS")?.split(['.', ',']).next()?.parse().ok()?;
    // What is no time of this century is no time.
    (1_000_000_000_000..10_000_000_000_000)
        .contains(&told)
        .then(|| Timestamp(told.saturating_mul(1000)))
}

/// A moment as lists take it.
pub(super) fn lmts(at: Timestamp) -> String {
    at.0.div_euclid(1000).to_string()
}

/// A refusal of a list says nothing about what it would have shown; trouble on the way is trouble.
pub(super) fn if_allowed<T>(answer: Result<T, Fault>) -> Result<Option<T>, Fault> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(Fault::Rejected { .. } | Fault::Auth { .. } | Fault::Missing { .. }) => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// A table's rows that changed since: key and version of each, none where EXPORTMI may not be used or its answer
/// was cut. `columns` are the key column and whatever tells one change from the next.
pub(super) async fn exported(
    session: &Session,
    (table, prefix, key): (&str, &str, &str),
    since: Timestamp,
) -> Result<Option<Vec<(String, String)>>, Fault> {
    let refused = format!("export_refused/{table}");
    let now = session.clock.now();
    if session
        .facts
        .recall(&refused, now, REFUSAL_REMEMBERED)
        .is_some()
    {
        return Ok(None);
    }
    let day = date(since.minus(DAY).to_utc().date());
    let query = format!(
        "{prefix}{key}, {prefix}LMDT, {prefix}CHNO from {table} where {prefix}LMDT >= {day}"
    );
    let Some(rows) = if_allowed(export::select(session, &query, ROWS_MAX).await)? else {
        session.facts.remember(&refused, now, true.into());
        return Ok(None);
    };
    if u32::try_from(rows.len()).map_or(true, |count| count.saturating_add(1) >= ROWS_MAX) {
        return Ok(None);
    }
    let seen = rows.iter().filter_map(|row| {
        let version = format!("{}/{}", row.text("LMDT")?, row.text_or_blank("CHNO"));
        Some((row.text(key)?.to_owned(), version))
    });
    Ok(Some(seen.collect()))
}

/// What several lists showed as one: the versions of each record joined, an empty one wherever one is.
pub(super) fn noticed(until: Timestamp, shown: Vec<(String, String)>, is_whole: bool) -> Noticed {
    let mut records: std::collections::BTreeMap<String, Vec<String>> =
        std::collections::BTreeMap::new();
    for (key, version) in shown {
        records.entry(key).or_default().push(version);
    }
    let joined = records.into_iter().map(|(key, mut versions)| {
        versions.sort();
        let says = !versions.iter().any(String::is_empty);
        (
            key,
            if says {
                versions.join(" ")
            } else {
                String::new()
            },
        )
    });
    Noticed {
        records: joined.collect(),
        until,
        is_whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_several_lists_show_is_one_with_all_its_versions() {
        let pair = |key: &str, version: &str| (key.to_owned(), version.to_owned());
        let shown = vec![
            pair("7", "b"),
            pair("8", "x"),
            pair("7", "a"),
            pair("9", ""),
            pair("9", "z"),
        ];
        let found = noticed(Timestamp(5), shown, true);
        assert_eq!(
            found.records,
            [pair("7", "a b"), pair("8", "x"), pair("9", "")]
        );
        assert_eq!((found.until, found.is_whole), (Timestamp(5), true));
    }

    #[test]
    fn only_milliseconds_of_this_century_are_a_time() {
        for (text, want) in [
            ("1764000000000", Some(1_764_000_000_000_000)),
            ("1764000000000.000000", Some(1_764_000_000_000_000)),
            ("1764000000", None),
            ("0", None),
            ("x", None),
        ] {
            let row = Row::from_pairs([("LMTS".to_owned(), text.to_owned())]);
            assert_eq!(milliseconds(&row).map(|at| at.0), want, "{text}");
        }
    }
}
