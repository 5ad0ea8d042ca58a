//! Opening an account.

use actix_web::HttpResponse;
use askama::Template;

use super::cookie::{self, Purpose};
use super::page::{self, Answer, Form, Guest, Shell, go};
use super::problem::Problem;
use super::site::{Signup, Site};
use crate::desk::account::{self, SignUp};
use crate::desk::session::Opened;
use crate::domain::secret::Secret;

#[derive(Template)]
#[template(path = "sign_up.html")]
struct New {
    shell: Shell,
    form: Form,
}

/// `GET /sign-up`.
///
/// # Errors
/// `forbidden`, when accounts are not open to everybody.
pub async fn new(guest: Guest) -> Answer {
    check(guest.site.config.signup)?;
    page::show(&New {
        shell: guest.shell(),
        form: Form::default(),
    })
}

/// `POST /sign-up`.
///
/// # Errors
/// As the desk's; fields are shown again.
pub async fn create(guest: Guest) -> Answer {
    check(guest.site.config.signup)?;
    let fields = &guest.fields;
    let sign_up = SignUp {
        company: fields.get("company").to_owned(),
        name: fields.get("name").to_owned(),
        email: fields.get("email").to_owned(),
        password: Secret::new(fields.get("password").to_owned()),
    };
    match account::sign_up(guest.desk(), sign_up, &guest.origin).await {
        Ok(opened) => Ok(enter(&guest.site, &opened, "/dashboard")),
        Err(error) => page::again(&New {
            shell: guest.shell(),
            form: Form::from(guest.fields).refused(error)?,
        }),
    }
}

fn check(signup: Signup) -> Result<(), Problem> {
    match signup {
        Signup::Open => Ok(()),
        Signup::Invite => Err(Problem::forbidden(
            "Accounts are opened by invitation here.",
        )),
        Signup::Closed => Err(Problem::forbidden("No accounts can be opened here.")),
    }
}

/// Gives the browser its new session and goes on.
pub(super) fn enter(site: &Site, opened: &Opened, to: &str) -> HttpResponse {
    let mut answer = go(to);
    let cookie = cookie::make(site, Purpose::Session, opened.key.open(), None);
    if let Err(error) = answer.add_cookie(&cookie) {
        tracing::error!(%error, "a cookie could not be set");
    }
    answer
}
