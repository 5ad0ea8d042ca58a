//! Lists come in pages: a limit, and a cursor that means something to us alone.

use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;

use super::fields::Fields;
use super::problem::Problem;
use crate::domain::fault::Issue;

pub const LIMIT_DEFAULT: u32 = 50;
pub const LIMIT_MAX: u32 = 200;

/// Which page of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging {
    pub limit: u32,
    /// Where the page before ended.
    position: Option<String>,
}

/// One page, as the API answers it.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    pub data: Vec<T>,
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    pub fn map<U>(self, view: impl FnMut(T) -> U) -> Page<U> {
        Page {
            data: self.data.into_iter().map(view).collect(),
            next_cursor: self.next_cursor,
        }
    }
}

impl Paging {
    /// Reads `limit` and `cursor`.
    ///
    /// # Errors
    /// 422 at the wrong one.
    pub fn of(query: &Fields) -> Result<Self, Problem> {
        let limit = match query.given("limit").map(str::parse) {
            None => Ok(LIMIT_DEFAULT),
            Some(Ok(limit)) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
            Some(_) => {
                let says = format!("Choose a limit from 1 to {LIMIT_MAX}.");
                Err(Issue::new("limit", "out_of_range", says))
            }
        };
        let position = match query.given("cursor") {
            None => Ok(None),
            Some(cursor) => position(cursor).map(Some).ok_or_else(wrong_cursor),
        };
        match (limit, position) {
            (Ok(limit), Ok(position)) => Ok(Self { limit, position }),
            (limit, position) => Err(Problem::invalid(
                limit.err().into_iter().chain(position.err()).collect(),
            )),
        }
    }

    /// Where the page before ended.
    ///
    /// # Errors
    /// 422, when the cursor belongs to another list.
    pub fn before<T: FromStr>(&self) -> Result<Option<T>, Problem> {
        match &self.position {
            None => Ok(None),
            Some(position) => position
                .parse()
                .map(Some)
                .map_err(|_| Problem::invalid(vec![wrong_cursor()])),
        }
    }

    /// One row more than is shown tells whether there is a next page.
    #[must_use]
    pub fn one_more(&self) -> u32 {
        self.limit.saturating_add(1)
    }

    /// Cuts the extra row off; `position` says where a row stands in the list.
    pub fn cut<T>(&self, mut rows: Vec<T>, position: impl Fn(&T) -> String) -> Page<T> {
        let shown = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let is_more = rows.len() > shown;
        rows.truncate(shown);
        let last = rows.last().filter(|_| is_more);
        Page {
            next_cursor: last.map(|row| BASE64URL_NOPAD.encode(position(row).as_bytes())),
            data: rows,
        }
    }
}

fn position(cursor: &str) -> Option<String> {
    let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
    String::from_utf8(bytes)
        .ok()
        .filter(|position| !position.is_empty() && !position.contains('\0'))
}

fn wrong_cursor() -> Issue {
    let says = "This cursor does not belong to this list. Begin again without one.";
    Issue::new("cursor", "malformed", says)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn paging(query: &str) -> Result<Paging, Problem> {
        Paging::of(&Fields::read(query.as_bytes()).unwrap())
    }

    #[test]
    fn limits_have_bounds() {
        for (query, limit) in [
            ("", Some(50)),
            ("limit=1", Some(1)),
            ("limit=200", Some(200)),
        ] {
            assert_eq!(
                paging(query).ok().map(|paging| paging.limit),
                limit,
                "{query}"
            );
        }
        for query in [
            "limit=0",
            "limit=201",
            "limit=-1",
            "limit=x",
            "limit=1.5",
            "cursor=%21",
        ] {
            assert_eq!(paging(query).unwrap_err().kind.status, 422, "{query}");
        }
        assert_eq!(paging("limit=0&cursor=%21").unwrap_err().errors.len(), 2);
    }

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let rows: Vec<u32> = (1..=5).collect();
        let mut query = "limit=2".to_owned();
        let mut seen = Vec::new();
        loop {
            let paging = paging(&query).unwrap();
            let after = paging.before::<u32>().unwrap().unwrap_or(0);
            let more = usize::try_from(paging.one_more()).unwrap();
            let found = rows
                .iter()
                .copied()
                .filter(|row| *row > after)
                .take(more)
                .collect();
            let page = paging.cut(found, u32::to_string);
            seen.extend(page.data);
            match page.next_cursor {
                Some(cursor) => query = format!("limit=2&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(seen, rows);
        let foreign = BASE64URL_NOPAD.encode(b"not a number");
        let paging = paging(&format!("cursor={foreign}")).unwrap();
        assert_eq!(paging.before::<u32>().unwrap_err().kind.status, 422);
    }
}
