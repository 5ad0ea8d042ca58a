//! `Link` headers, as RFC 8288 spells them.

use url::Url;

use crate::contract::Response;

/// Pages of one listing; more than this is a listing that never ends.
pub const PAGES_MAX: usize = 10_000;

/// The address under a relation such as `next`, exactly as the vendor wrote it.
#[must_use]
pub fn link(response: &Response, relation: &str) -> Option<String> {
    response
        .headers
        .iter()
        .filter(|(name, _)| name == "link")
        .flat_map(|(_, value)| links(value))
        .find(|(_, relations)| {
            relations
                .split_whitespace()
                .any(|found| found.eq_ignore_ascii_case(relation))
        })
        .map(|(address, _)| address)
}

/// One query value of an address that a vendor gave, absolute or relative.
#[must_use]
pub fn query_value(address: &str, name: &str) -> Option<String> {
    let anywhere = Url::parse("https://host.invalid/").ok()?;
    anywhere
        .join(address)
        .ok()?
        .query_pairs()
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
}

/// Address and relation of each link in one header's value.
fn links(value: &str) -> Vec<(String, String)> {
    let mut rest = value;
    let mut found = Vec::new();
    while let Some((address, after)) = rest
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
    {
        // The parameters end where the next address begins.
        let (parameters, next) = match after.find('<') {
            Some(at) => after.split_at(at),
            None => (after, ""),
        };
        if let Some(relation) = parameters.split([';', ',']).find_map(relation_of) {
            found.push((address.to_owned(), relation));
        }
        rest = next;
    }
    found
}

fn relation_of(parameter: &str) -> Option<String> {
    let (name, value) = parameter.split_once('=')?;
    name.trim()
        .eq_ignore_ascii_case("rel")
        .then(|| value.trim().trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(values: &[&str]) -> Response {
        Response {
            status: 200,
            headers: values
                .iter()
                .map(|value| ("link".to_owned(), (*value).to_owned()))
                .collect(),
            body: Vec::new(),
        }
    }

    #[test]
    fn links_are_found_in_every_spelling() {
        let two =
            r#"<https://x/a?page=2&per_page=5>; rel="next", <https://x/a?page=9>; rel="last""#;
        for (headers, want) in [
            (vec![two], Some("https://x/a?page=2&per_page=5")),
            (
                vec![r#"</a?page=1>; rel="first""#, r#"</a?page=3>;REL=next"#],
                Some("/a?page=3"),
            ),
            (
                vec![r#"<https://x/a,b?page=4>; title="more, please"; rel="prev next""#],
                Some("https://x/a,b?page=4"),
            ),
            (vec![r#"<https://x/a>; rel="nexter""#], None),
            (vec!["", "<", "<x>", "next"], None),
            (vec![], None),
        ] {
            assert_eq!(
                link(&answer(&headers), "next").as_deref(),
                want,
                "{headers:?}"
            );
        }
        assert_eq!(
            link(&answer(&[two]), "last").as_deref(),
            Some("https://x/a?page=9")
        );
    }

    #[test]
    fn a_query_value_is_decoded_from_any_address() {
        assert_eq!(
            query_value("https://x/a?b=1&page=a%2Bb", "page").as_deref(),
            Some("a+b")
        );
        assert_eq!(query_value("/a?page=3", "page").as_deref(), Some("3"));
        assert_eq!(query_value("?page=", "page").as_deref(), Some(""));
        assert_eq!(query_value("https://x/a", "page"), None);
    }
}
