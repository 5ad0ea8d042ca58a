//! What all pages share: the frame, forms, the words that are said once, and how values are written.

pub mod csrf;
pub mod flash;
pub mod form;
pub mod say;
pub mod shell;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use askama::Template;

use super::problem::Problem;

pub use flash::Flash;
pub use form::Form;
pub use shell::{Guest, Shell, Visit};

/// What a handler gives.
pub type Answer = Result<HttpResponse, Problem>;

/// Draws a page.
///
/// # Errors
/// `ours`, when the template fails.
pub fn show(page: &impl Template) -> Answer {
    with_status(StatusCode::OK, page)
}

/// Draws a form again, with what is wrong with it.
///
/// # Errors
/// `ours`, when the template fails.
pub fn again(page: &impl Template) -> Answer {
    with_status(StatusCode::UNPROCESSABLE_ENTITY, page)
}

/// Draws a page under a status.
///
/// # Errors
/// `ours`, when the template fails.
pub fn with_status(status: StatusCode, page: &impl Template) -> Answer {
    let text = page.render().map_err(|error| {
        tracing::error!(%error, "a page could not be drawn");
        Problem::ours()
    })?;
    Ok(HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .body(text))
}

/// Goes on to another page.
#[must_use]
pub fn go(to: impl AsRef<str>) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, to.as_ref()))
        .finish()
}
