//! Forms come from our own pages, in the session that opened them.
//!
//! The token is derived from the session's cookie: it cannot be computed without it and belongs to no
//! other session. Beside it the browser's own word counts: `Origin` and `Sec-Fetch-Site`.

use actix_web::HttpRequest;
use actix_web::http::header::{HOST, HeaderMap, ORIGIN};
use subtle::ConstantTimeEq;
use url::Url;

use crate::domain::tag::digest;

/// The name of the hidden field.
pub const FIELD: &str = "csrf";

/// The token of the session with this key.
#[must_use]
pub fn token(key: &str) -> String {
    digest(format!("mlc form token\0{key}").as_bytes())
}

/// Whether a form's token belongs to the session with this key.
#[must_use]
pub fn is_of(key: &str, given: &str) -> bool {
    token(key).as_bytes().ct_eq(given.as_bytes()).into()
}

/// Whether the browser says that the request came from this site. A client that says nothing is no
/// browser, and is held to the token alone.
#[must_use]
pub fn is_from_here(request: &HttpRequest, public_url: &Url) -> bool {
    let headers = request.headers();
    let fetched = text(headers, "sec-fetch-site");
    if fetched.is_some_and(|from| !["same-origin", "none"].contains(&from)) {
        return false;
    }
    match text(headers, ORIGIN.as_str()) {
        None => true,
        Some(origin) => is_ours(origin, public_url, text(headers, HOST.as_str())),
    }
}

fn is_ours(origin: &str, public_url: &Url, host: Option<&str>) -> bool {
    let Ok(parsed) = Url::parse(origin) else {
        return false;
    };
    if parsed.origin() == public_url.origin() {
        return true;
    }
    // The same server under another of its names: a foreign site cannot make the browser send our name
    // as host and its own as origin.
    origin.split_once("://").map(|(_, rest)| rest) == host
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_token_belongs_to_one_session() {
        assert!(is_of("a", &token("a")));
        assert!(!is_of("b", &token("a")));
        assert!(!is_of("a", ""));
    }

    #[test]
    fn foreign_origins_are_seen() {
        let public = Url::parse("https://connect.example.com").unwrap();
        for (origin, site, host, from_here) in [
            (None, None, "connect.example.com", true),
            (
                Some("https://connect.example.com"),
                Some("same-origin"),
                "x",
                true,
            ),
            (
                Some("http://127.0.0.1:8080"),
                Some("same-origin"),
                "127.0.0.1:8080",
                true,
            ),
            (
                Some("https://evil.example.com"),
                None,
                "connect.example.com",
                false,
            ),
            (
                Some("https://connect.example.com.evil.com"),
                None,
                "connect.example.com",
                false,
            ),
            (Some("null"), None, "connect.example.com", false),
            (None, Some("cross-site"), "connect.example.com", false),
            (None, Some("same-site"), "connect.example.com", false),
            (None, Some("none"), "connect.example.com", true),
        ] {
            let mut request = TestRequest::post().insert_header(("host", host));
            if let Some(origin) = origin {
                request = request.insert_header(("origin", origin));
            }
            if let Some(site) = site {
                request = request.insert_header(("sec-fetch-site", site));
            }
            let request = request.to_http_request();
            assert_eq!(
                is_from_here(&request, &public),
                from_here,
                "{origin:?} {site:?}"
            );
        }
    }
}
