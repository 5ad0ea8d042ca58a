//! The cookies of this site. On https the session's name begins with `__Host-`, which binds it to this
//! host and path.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};

use super::site::Site;
use crate::domain::secret::Secret;

/// What a cookie is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Opens a session.
    Session,
    /// Binds the forms of somebody who has not signed in.
    Guest,
    /// Said once after a redirect.
    Flash,
}

impl Purpose {
    fn name(self, site: &Site) -> &'static str {
        match (self, site.is_https()) {
            (Self::Session, true) => "__Host-mlc_session",
            (Self::Session, false) => "mlc_session",
            (Self::Guest, true) => "__Host-mlc_guest",
            (Self::Guest, false) => "mlc_guest",
            (Self::Flash, _) => "mlc_flash",
        }
    }
}

/// The value that came with a request.
#[must_use]
pub fn read(request: &HttpRequest, site: &Site, purpose: Purpose) -> Option<Secret<String>> {
    let cookie = request.cookie(purpose.name(site))?;
    Some(Secret::new(cookie.value().to_owned()))
}

/// A cookie that lives as long as the browser, or for `seconds`.
#[must_use]
pub fn make(site: &Site, purpose: Purpose, value: &str, seconds: Option<i64>) -> Cookie<'static> {
    let mut cookie = Cookie::build(purpose.name(site), value.to_owned())
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(site.is_https())
        .finish();
    cookie.set_max_age(seconds.map(Duration::seconds));
    cookie
}

/// Takes a cookie back.
#[must_use]
pub fn remove(site: &Site, purpose: Purpose) -> Cookie<'static> {
    make(site, purpose, "", Some(0))
}

/// The theme that the visitor chose; empty for the machine's own.
#[must_use]
pub fn theme(request: &HttpRequest) -> &'static str {
    match request.cookie("theme").as_ref().map(Cookie::value) {
        Some("light") => "light",
        Some("dark") => "dark",
        _ => "",
    }
}
