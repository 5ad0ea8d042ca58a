//! Where a list goes on, decided from the answer's headers alone. Pure.
//!
//! Source: Procore "Pagination", read 2026-11-22: `Link` names the next page and is without `next` on the
//! last one, `Total` and `Per-Page` count. The links there drop every other parameter, so only `page` is
//! taken from them. Assumed: a page size beyond an endpoint's limit is cut without an error.

use serde_json::Value;

use super::reading;
use crate::connectors::kit;
use crate::contract::Response;
use crate::domain::fault::Fault;

/// Rows asked for at once. The vendor advises at most 2,000; extended rows of a few kilobytes keep an
/// answer well below the limit of 10 MiB. Source: Procore "Pagination", read 2026-11-22.
pub(super) const PER_PAGE: u32 = 500;
/// Source: Procore projects list, read 2026-11-22.
pub(super) const PROJECTS_PER_PAGE: u32 = 300;
/// Source: Procore tax codes list, read 2026-11-22.
pub(super) const TAX_CODES_PER_PAGE: u32 = 100;
/// Without any header, a page is taken for cut when its length is a multiple of this.
/// Assumed: page sizes are round numbers.
const ROUND: usize = 5;

/// The page that was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub page: u32,
    pub per_page: u32,
}

/// The page after this one; none when the list is complete.
///
/// # Errors
/// `Broken` when the list leads back or never ends.
pub(super) fn next(asked: Asked, rows: usize, response: &Response) -> Result<Option<u32>, Fault> {
    let linked = next_in_link(response);
    let following = asked.page.saturating_add(1);
    let next = match linked {
        Some(page) if page <= asked.page => {
            return Err(endless(&format!(
                "page {} names page {page} as its next",
                asked.page
            )));
        }
        Some(page) => Some(page),
        None => goes_on(asked, rows, response).then_some(following),
    };
    match next {
        Some(page) if is_beyond(page) => Err(endless(&format!("it has a page {page}"))),
        next => Ok(next),
    }
}

fn is_beyond(page: u32) -> bool {
    usize::try_from(page).map_or(true, |page| page > kit::paging::PAGES_MAX)
}

fn endless(why: &str) -> Fault {
    Fault::Broken {
        code: "endless_list".to_owned(),
        message: format!("a Procore list does not end: {why}"),
    }
}

/// A page that begins with the row the last one began with.
pub(super) fn repeated(page: u32) -> Fault {
    endless(&format!("page {page} repeats the page before it"))
}

/// How many rows the whole list has, where the answer says it.
pub(super) fn total(response: &Response) -> Option<u64> {
    number(response, "total")
}

/// Without a link to the next page: whether the counts, or else the page's length, promise more.
fn goes_on(asked: Asked, rows: usize, response: &Response) -> bool {
    if rows == 0 {
        return false;
    }
    let per_page = number(response, "per-page").unwrap_or(u64::from(asked.per_page));
    match total(response) {
        Some(total) => per_page.saturating_mul(u64::from(asked.page)) < total,
        None => response.header("link").is_none() && rows.is_multiple_of(ROUND),
    }
}

fn number(response: &Response, name: &str) -> Option<u64> {
    response.header(name)?.trim().parse().ok()
}

/// The `page` of the link to the next page.
fn next_in_link(response: &Response) -> Option<u32> {
    let target = kit::paging::link(response, "next")?;
    kit::paging::query_value(&target, "page")?.parse().ok()
}

/// The key of the first row: what tells a repeated page from a new one.
pub(super) fn first_key(rows: &[Value]) -> Option<String> {
    rows.first()
        .and_then(|row| row.get("id"))
        .and_then(reading::key)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    type Header = (&'static str, &'static str);

    fn decided(page: u32, rows: usize, headers: &[(&str, &str)]) -> Result<Option<u32>, Fault> {
        let response = Response {
            status: 200,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: Vec::new(),
        };
        next(
            Asked {
                page,
                per_page: 100,
            },
            rows,
            &response,
        )
    }

    #[test]
    fn the_headers_say_where_to_go_on() {
        let sample = "<https://x/rest/v1.0/vendors?page=1&per_page=100>; rel=\"first\", \
            <https://x/rest/v1.0/vendors?per_page=100&page=3>; rel=\"next\", \
            <https://x/rest/v1.0/vendors?page=9&per_page=100>; rel=\"last\"";
        let last = "<https://x/v?page=1>; rel=\"first\", <https://x/v?page=2>; rel=\"prev\"";
        let table: [(u32, usize, &[Header], Option<u32>); 14] = [
            (2, 100, &[("link", sample)], Some(3)),
            (2, 100, &[("link", "</v?page=3>;rel=next")], Some(3)),
            (
                2,
                100,
                &[("link", "<v?page=3&filter=a,b>; title=\"x\"; rel=\"next\"")],
                Some(3),
            ),
            (
                3,
                100,
                &[("link", last), ("total", "300"), ("per-page", "100")],
                None,
            ),
            (3, 100, &[("link", last)], None),
            // The counts promise more than the links: completeness wins.
            (
                1,
                100,
                &[("link", last), ("total", "150"), ("per-page", "100")],
                Some(2),
            ),
            (1, 100, &[("total", "150"), ("per-page", "100")], Some(2)),
            (1, 100, &[("total", "100"), ("per-page", "100")], None),
            // Cut to the endpoint's own size.
            (1, 30, &[("total", "100"), ("per-page", "30")], Some(2)),
            (4, 0, &[("total", "500"), ("per-page", "100")], None),
            (1, 100, &[], Some(2)),
            (1, 30, &[], Some(2)),
            (1, 3, &[], None),
            (1, 0, &[], None),
        ];
        for (page, rows, headers, wanted) in table {
            assert_eq!(
                decided(page, rows, headers).unwrap(),
                wanted,
                "{page} {rows} {headers:?}"
            );
        }
    }

    #[test]
    fn lists_that_do_not_end_are_broken() {
        for back in ["<v?page=2>; rel=\"next\"", "<v?page=1>; rel=\"next\""] {
            assert_eq!(
                decided(2, 100, &[("link", back)]).unwrap_err().class(),
                "broken"
            );
        }
        let far = "<v?page=10001>; rel=\"next\"";
        assert_eq!(
            decided(10_000, 1, &[("link", far)]).unwrap_err().code(),
            "endless_list"
        );
        let many = [("total", "99999999"), ("per-page", "1")];
        assert!(decided(10_000, 1, &many).is_err());
        assert_eq!(decided(9_999, 1, &many).unwrap(), Some(10_000));
    }
}
