//! Lists in pages, with the vendor's three headers.
//!
//! Source: Procore pagination page, read 2026-11-22. The links name `page` and `per_page` and
//! drop every other parameter, as the sample there does.

use serde_json::Value;

use super::settings::Settings;
use crate::sandbox::kit::{Call, Reply};

/// Where a list is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub usual: usize,
    pub max: usize,
}

impl Sizes {
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            usual: settings.page_size_default,
            max: settings.page_size_max,
        }
    }

    pub(super) fn at_most(self, max: usize) -> Self {
        Self {
            usual: self.usual.min(max),
            max: self.max.min(max),
        }
    }
}

/// The page that is asked for. Nonsense is page 1 of the usual size; too large is cut down
/// without a word.
pub(super) fn answer<T>(
    sizes: Sizes,
    call: &Call,
    items: &[T],
    show: impl Fn(&T) -> Value,
) -> Reply {
    let number = |name| {
        let text = call.query(name)?;
        text.parse::<usize>().ok().filter(|number| *number > 0)
    };
    let page = number("page").unwrap_or(1);
    let per_page = number("per_page")
        .unwrap_or(sizes.usual)
        .min(sizes.max)
        .max(1);
    let skipped = (page - 1).saturating_mul(per_page);
    let shown: Vec<Value> = items
        .iter()
        .skip(skipped)
        .take(per_page)
        .map(show)
        .collect();
    let reply = Reply::json(200, &Value::Array(shown))
        .header("Total", &items.len().to_string())
        .header("Per-Page", &per_page.to_string());
    let pages = items.len().div_ceil(per_page).max(1);
    match links(call, page, pages, per_page) {
        links if links.is_empty() => reply,
        links => reply.header("Link", &links),
    }
}

fn links(call: &Call, page: usize, pages: usize, per_page: usize) -> String {
    let host = call.header("host").unwrap_or("localhost");
    let mut targets = Vec::new();
    if page > 1 {
        targets.push((1, "first"));
        targets.push((page - 1, "prev"));
    }
    if page < pages {
        targets.push((page + 1, "next"));
        targets.push((pages, "last"));
    }
    let path = &call.path;
    let shown = targets.iter().map(|(page, relation)| {
        format!("<http://{host}{path}?page={page}&per_page={per_page}>; rel=\"{relation}\"")
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_links() {
        let sizes = Sizes {
            usual: 100,
            max: 100,
        };
        let items: Vec<i64> = (1..=250).collect();
        let table = [
            ("1", "100", 100, "next last"),
            ("2", "100", 100, "first prev next last"),
            ("3", "9000", 50, "first prev"),
            ("4", "100", 0, "first prev"),
            ("x", "0", 100, "next last"),
        ];
        for (page, per_page, count, relations) in table {
            let query = [("page", page), ("per_page", per_page), ("project_id", "7")];
            let query = query.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let call = Call {
                path: "/list".into(),
                query: query.to_vec(),
                ..Call::default()
            };
            let reply = answer(sizes, &call, &items, |id| Value::from(*id));
            let body: Vec<i64> = serde_json::from_slice(&reply.body).unwrap();
            assert_eq!(body.len(), count, "page {page}");
            let header = |name: &str| {
                let found = reply.headers.iter().find(|(key, _)| key == name);
                found.unwrap().1.clone()
            };
            assert_eq!(header("Total"), "250");
            let links = header("Link");
            let found: Vec<&str> = links.split("rel=\"").skip(1).collect();
            let found: Vec<&str> = found
                .iter()
                .map(|part| part.split('"').next().unwrap())
                .collect();
            assert_eq!(found.join(" "), relations, "page {page}");
            assert!(!links.contains("project_id"));
        }
    }
}
