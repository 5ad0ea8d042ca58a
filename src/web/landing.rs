//! The first page: what this is, and the two doors.

use askama::Template;

use super::page::{self, Answer, Guest, Shell, go};
use super::site::Signup;

#[derive(Template)]
#[template(path = "landing.html")]
struct Landing {
    shell: Shell,
    is_open: bool,
}

/// `GET /`.
///
/// # Errors
/// When the page cannot be drawn.
pub async fn show(guest: Guest) -> Answer {
    if guest.session.is_some() {
        return Ok(go("/dashboard"));
    }
    page::show(&Landing {
        shell: guest.shell(),
        is_open: guest.site.config.signup == Signup::Open,
    })
}
