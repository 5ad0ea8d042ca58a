//! What is said once after a redirect. It travels in a cookie, is shown as text, and is gone.

use actix_web::{HttpRequest, HttpResponse};
use data_encoding::BASE64URL_NOPAD;

use super::go;
use crate::web::cookie::{self, Purpose};
use crate::web::site::Site;

/// A sentence above the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flash {
    /// `done`, `note`, `warning`, `error`.
    pub kind: &'static str,
    pub text: String,
}

const KINDS: [&str; 4] = ["done", "note", "warning", "error"];
const LIVES_SECONDS: i64 = 60;
/// Longer than any sentence of ours, shorter than what browsers keep.
const TEXT_MAX: usize = 1_000;

impl Flash {
    #[must_use]
    pub fn done(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { kind: "done", text }
    }

    #[must_use]
    pub fn warning(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            kind: "warning",
            text,
        }
    }

    #[must_use]
    pub fn error(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            kind: "error",
            text,
        }
    }

    /// What the last redirect wanted to be said.
    #[must_use]
    pub fn read(request: &HttpRequest, site: &Site) -> Option<Self> {
        let cookie = cookie::read(request, site, Purpose::Flash)?;
        let bytes = BASE64URL_NOPAD.decode(cookie.open().as_bytes()).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (kind, text) = text.split_once(' ')?;
        let kind = KINDS.into_iter().find(|known| *known == kind)?;
        Some(Self {
            kind,
            text: text.to_owned(),
        })
    }

    /// Goes on to another page, which says it.
    #[must_use]
    pub fn go(self, site: &Site, to: impl AsRef<str>) -> HttpResponse {
        let text: String = self.text.chars().take(TEXT_MAX).collect();
        let value = BASE64URL_NOPAD.encode(format!("{} {text}", self.kind).as_bytes());
        let cookie = cookie::make(site, Purpose::Flash, &value, Some(LIVES_SECONDS));
        let mut answer = go(to);
        // A cookie of ours is always a valid header.
        if let Err(error) = answer.add_cookie(&cookie) {
            tracing::error!(%error, "a cookie could not be set");
        }
        answer
    }
}
