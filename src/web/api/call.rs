//! A call to the API, and how it is answered.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse};
use serde::Serialize;

use super::given::Given;
use crate::desk::Desk;
use crate::domain::member::Caller;
use crate::web::fields::Fields;
use crate::web::gate::Admitted;
use crate::web::page::shell;
use crate::web::paging::Paging;
use crate::web::problem::Problem;
use crate::web::site::SharedSite;

/// What a handler gives.
pub type Answer = Result<HttpResponse, Problem>;

/// A call by somebody who may do what the route says.
pub struct Call {
    pub site: SharedSite,
    pub caller: Caller,
    pub query: Fields,
    pub body: Bytes,
}

impl Call {
    #[must_use]
    pub fn desk(&self) -> &Desk {
        &self.site.desk
    }

    /// The JSON object of the body.
    ///
    /// # Errors
    /// `malformed`.
    pub fn given(&self) -> Result<Given, Problem> {
        Given::read(&self.body)
    }

    /// `limit` and `cursor`.
    ///
    /// # Errors
    /// 422 at the wrong one.
    pub fn paging(&self) -> Result<Paging, Problem> {
        Paging::of(&self.query)
    }
}

impl FromRequest for Call {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(call(request))
    }
}

fn call(request: &HttpRequest) -> Result<Call, Problem> {
    let site = shell::site(request)?;
    let extensions = request.extensions();
    let admitted = extensions.get::<Admitted>().ok_or_else(Problem::ours)?;
    Ok(Call {
        site,
        caller: admitted.caller.clone().ok_or_else(Problem::ours)?,
        query: admitted.query.clone(),
        body: admitted.body.clone(),
    })
}

/// 200 with an object or a page.
///
/// # Errors
/// `ours`, when it cannot be written.
pub fn ok(view: &impl Serialize) -> Answer {
    with_status(StatusCode::OK, view)
}

/// 201 with the object and its address.
///
/// # Errors
/// `ours`, when it cannot be written.
pub fn created(at: &str, view: &impl Serialize) -> Answer {
    let mut answer = with_status(StatusCode::CREATED, view)?;
    if let Ok(at) = at.parse() {
        answer.headers_mut().insert(LOCATION, at);
    }
    Ok(answer)
}

/// 202: the work has begun.
///
/// # Errors
/// `ours`, when it cannot be written.
pub fn accepted(view: &impl Serialize) -> Answer {
    with_status(StatusCode::ACCEPTED, view)
}

/// 204.
///
/// # Errors
/// None.
pub fn nothing() -> Answer {
    Ok(HttpResponse::NoContent().finish())
}

fn with_status(status: StatusCode, view: &impl Serialize) -> Answer {
    Ok(HttpResponse::build(status)
        .content_type("application/json")
        .body(text(view)?))
}

/// An object as JSON.
///
/// # Errors
/// `ours`, when it cannot be written.
pub fn text(view: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(view).map_err(|error| {
        tracing::error!(%error, "an answer could not be written");
        Problem::ours()
    })
}
