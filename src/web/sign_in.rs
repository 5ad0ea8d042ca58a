//! Signing in and out.

use askama::Template;

use super::cookie::{self, Purpose};
use super::page::{self, Answer, Form, Guest, Shell, Visit, go};
use super::sign_up::enter;
use super::site::Signup;
use crate::desk::session;
use crate::domain::fault::Issue;
use crate::domain::secret::Secret;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct New {
    shell: Shell,
    form: Form,
    next: String,
    can_sign_up: bool,
}

impl New {
    fn of(guest: &Guest, form: Form, next: &str) -> Self {
        Self {
            shell: guest.shell(),
            form,
            next: next.to_owned(),
            can_sign_up: guest.site.config.signup == Signup::Open,
        }
    }
}

/// `GET /sign-in`.
///
/// # Errors
/// When the page cannot be drawn.
pub async fn new(guest: Guest) -> Answer {
    let next = own_path(guest.query.get("next"));
    if guest.session.is_some() {
        return Ok(go(next));
    }
    page::show(&New::of(&guest, Form::default(), next))
}

/// `POST /sign-in`.
///
/// # Errors
/// As the desk's; a wrong password is shown at its field.
pub async fn create(mut guest: Guest) -> Answer {
    let form = Form::from(std::mem::take(&mut guest.fields));
    let next = own_path(form.value("next")).to_owned();
    let missing = missing(&form);
    if !missing.is_empty() {
        return page::again(&New::of(&guest, form.with(missing), &next));
    }
    let password = Secret::new(form.value("password").to_owned());
    let signed_in =
        session::sign_in(guest.desk(), form.value("email"), password, &guest.origin).await;
    match signed_in {
        Ok(opened) => Ok(enter(&guest.site, &opened, &next)),
        Err(error) => page::again(&New::of(&guest, form.refused(error)?, &next)),
    }
}

/// `POST /sign-out`.
///
/// # Errors
/// As the desk's.
pub async fn end(visit: Visit) -> Answer {
    session::sign_out(visit.desk(), &visit.session).await?;
    let mut answer = go("/");
    let gone = cookie::remove(&visit.site, Purpose::Session);
    if let Err(error) = answer.add_cookie(&gone) {
        tracing::error!(%error, "a cookie could not be set");
    }
    Ok(answer)
}

fn missing(form: &Form) -> Vec<Issue> {
    [
        ("email", "Enter your e-mail address."),
        ("password", "Enter your password."),
    ]
    .into_iter()
    .filter(|(field, _)| form.value(field).trim().is_empty())
    .map(|(field, says)| Issue::new(field, "missing", says))
    .collect()
}

/// A path on this site, and nothing that a browser could take for another one.
fn own_path(next: &str) -> &str {
    let is_own = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains(['\\', '\r', '\n', '\t']);
    if is_own { next } else { "/dashboard" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_on_this_site() {
        for (next, goes) in [
            ("/records?q=1", "/records?q=1"),
            ("", "/dashboard"),
            ("//evil.example", "/dashboard"),
            ("/\\evil.example", "/dashboard"),
            ("https://evil.example", "/dashboard"),
            ("javascript:alert(1)", "/dashboard"),
            ("/a\r\nSet-Cookie: x", "/dashboard"),
        ] {
            assert_eq!(own_path(next), goes, "{next:?}");
        }
    }
}
