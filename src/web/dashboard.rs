//! What needs attention, and how each pair is doing.

use askama::Template;

use super::page::{self, Answer, Shell, Visit};

#[derive(Template)]
#[template(path = "dashboard.html")]
struct Dashboard {
    shell: Shell,
}

/// `GET /dashboard`.
///
/// # Errors
/// When the page cannot be drawn.
pub async fn show(visit: Visit) -> Answer {
    page::show(&Dashboard {
        shell: visit.shell("dashboard"),
    })
}
