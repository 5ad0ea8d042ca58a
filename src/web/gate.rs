//! What a request must pass before its handler sees it, the same for every route of the table: who sent
//! it, what they may do, that a form is ours, and how much of a body is read.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use futures::FutureExt;
use url::form_urlencoded;

use super::cookie::{self, Purpose};
use super::edge::Arrival;
use super::fields::Fields;
use super::page::{csrf, go, shell};
use super::problem::Problem;
use super::routes::{Door, Needs, Route};
use super::site::Site;
use super::{body, idempotency};
use crate::desk::session::{self, Session};
use crate::desk::token;
use crate::domain::member::{Caller, Origin};
use crate::domain::secret::Secret;

/// A request that may be carried out, with everything that was read of it. Lies in its extensions.
#[derive(Debug, Default)]
pub struct Admitted {
    pub session: Option<Session>,
    /// Who sent it, by session or token.
    pub caller: Option<Caller>,
    pub origin: Origin,
    /// What our forms must carry to be believed.
    pub form_token: String,
    pub query: Fields,
    /// The fields of a page's form.
    pub fields: Fields,
    /// The body of an API call.
    pub body: Bytes,
    /// Made for a visitor who has no key yet; goes into a cookie.
    new_key: Option<Secret<String>>,
    /// A session cookie came that opens nothing any more.
    is_stale: bool,
}

/// Carries a request to its handler, or answers it.
///
/// # Errors
/// None: every refusal is an answer.
pub async fn pass(
    route: &'static Route,
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Ok(site) = shell::site(request.request()) else {
        return Ok(request.error_response(Problem::ours()));
    };
    let mut admitted = Admitted::default();
    let passed = admit(route, &mut request, &site, &mut admitted).await;
    if let Some(caller) = &admitted.caller {
        let tenant = tracing::field::display(caller.tenant_id);
        tracing::Span::current().record("tenant_id", tenant);
    }
    let new_key = admitted.new_key.take();
    let is_stale = admitted.is_stale;
    let claim = admitted
        .caller
        .clone()
        .map(|caller| (caller, admitted.body.clone()));
    request.extensions_mut().insert(admitted);
    let plain = request.request().clone();
    let mut answer = match passed {
        Err(Refused::SignIn(to)) => request.into_response(go(to)),
        Err(Refused::Problem(problem)) => request.error_response(problem),
        Ok(()) if route.creates && claim.is_some() => {
            let (caller, body) = claim.unzip();
            let (caller, body) = (caller.ok_or_else(Problem::ours)?, body.unwrap_or_default());
            let run = carry_out(route, request, next);
            idempotency::once(&site, &plain, &caller, &body, run).await
        }
        Ok(()) => carry_out(route, request, next).await,
    };
    tell_refused(&plain, &site, &answer).await;
    set_cookies(&mut answer, &plain, &site, new_key, is_stale);
    Ok(answer)
}

/// Runs the handler. A panic or a handler that takes too long costs one request, not the thread.
async fn carry_out(
    route: &Route,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> ServiceResponse<BoxBody> {
    let plain = request.request().clone();
    let refuse =
        |problem: Problem| ServiceResponse::new(plain.clone(), HttpResponse::from_error(problem));
    let run = AssertUnwindSafe(next.call(request)).catch_unwind();
    match tokio::time::timeout(route.patience, run).await {
        Ok(Ok(Ok(answer))) => answer,
        Ok(Ok(Err(error))) => ServiceResponse::new(plain.clone(), HttpResponse::from_error(error)),
        Ok(Err(_)) => {
            tracing::error!(path = route.path, "a handler panicked");
            refuse(Problem::ours())
        }
        Err(_) => {
            tracing::error!(path = route.path, "a handler took too long");
            refuse(Problem::unavailable("It takes longer than usual."))
        }
    }
}

/// Why a request is not carried out.
enum Refused {
    /// Nobody is signed in: go to this page.
    SignIn(String),
    Problem(Problem),
}

impl<P: Into<Problem>> From<P> for Refused {
    fn from(problem: P) -> Self {
        Self::Problem(problem.into())
    }
}

async fn admit(
    route: &Route,
    request: &mut ServiceRequest,
    site: &Site,
    admitted: &mut Admitted,
) -> Result<(), Refused> {
    admitted.origin = Arrival::origin(request.request());
    admitted.query = Fields::read(request.query_string().as_bytes())
        .ok_or_else(|| Problem::malformed("The address holds a character that no field can."))?;
    match route.door {
        Door::Page => admit_to_page(route, request, site, admitted).await,
        Door::Api => Ok(admit_to_api(route, request, site, admitted).await?),
        Door::Open => Ok(()),
    }
}

async fn admit_to_page(
    route: &Route,
    request: &mut ServiceRequest,
    site: &Site,
    admitted: &mut Admitted,
) -> Result<(), Refused> {
    let key = cookie::read(request.request(), site, Purpose::Session);
    if let Some(key) = &key {
        let session = session::find(&site.desk, key.open()).await?;
        admitted.is_stale = session.is_none();
        admitted.session = session.map(|mut session| {
            let origin = admitted.origin.clone();
            session.caller.actor = session.caller.actor.with_origin(origin);
            session
        });
    }
    admitted.caller = admitted
        .session
        .as_ref()
        .map(|session| session.caller.clone());
    let key = match (key, &admitted.session) {
        (Some(key), Some(_)) => key,
        _ => guest_key(request, site, admitted)?,
    };
    admitted.form_token = csrf::token(key.open());
    if let Needs::Nobody = route.needs {
        return Ok(read_form(route, request, site, admitted, &key).await?);
    }
    let Some(session) = &admitted.session else {
        return Err(sign_in_first(request, admitted.is_stale));
    };
    is_allowed(route, &session.caller)?;
    Ok(read_form(route, request, site, admitted, &key).await?)
}

/// The key that binds the forms of somebody who has not signed in.
fn guest_key(
    request: &ServiceRequest,
    site: &Site,
    admitted: &mut Admitted,
) -> Result<Secret<String>, Problem> {
    if let Some(key) = cookie::read(request.request(), site, Purpose::Guest) {
        return Ok(key);
    }
    let key = session::guest_key()?;
    admitted.new_key = Some(key.again());
    Ok(key)
}

/// A visitor is sent to sign in; a cookie that opened something once is answered plainly.
fn sign_in_first(request: &ServiceRequest, is_stale: bool) -> Refused {
    if is_stale {
        return Problem::unknown_caller("Your session is over.").into();
    }
    let is_page = [Method::GET, Method::HEAD].contains(request.method());
    let back = request.uri().path_and_query().filter(|_| is_page);
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(back) = back {
        query.append_pair("next", back.as_str());
    }
    Refused::SignIn(format!("/sign-in?{}", query.finish()))
}

/// Forms are read here, so that no handler can forget to ask where they come from.
async fn read_form(
    route: &Route,
    request: &mut ServiceRequest,
    site: &Site,
    admitted: &mut Admitted,
    key: &Secret<String>,
) -> Result<(), Problem> {
    if !route.verb.writes() {
        return Ok(());
    }
    if !csrf::is_from_here(request.request(), &site.config.public_url) {
        return Err(Problem::foreign_form());
    }
    let body = body::read(request, route.body_max).await?;
    let kind = body::media_type(request);
    if !body.is_empty() && kind != "application/x-www-form-urlencoded" {
        return Err(Problem::wrong_type("application/x-www-form-urlencoded"));
    }
    let fields = Fields::read(&body)
        .ok_or_else(|| Problem::malformed("A field holds a character that no field can."))?;
    if !csrf::is_of(key.open(), fields.get(csrf::FIELD)) {
        return Err(Problem::foreign_form());
    }
    admitted.fields = fields;
    Ok(())
}

async fn admit_to_api(
    route: &Route,
    request: &mut ServiceRequest,
    site: &Site,
    admitted: &mut Admitted,
) -> Result<(), Problem> {
    let bearer = bearer(request.request()).ok_or_else(|| {
        Problem::unknown_caller("Send an API token: `Authorization: Bearer mlc_…`.")
    })?;
    let caller = token::caller(&site.desk, bearer.open()).await?;
    let mut caller = caller
        .ok_or_else(|| Problem::unknown_caller("This API token is unknown, expired or revoked."))?;
    caller.actor = caller.actor.with_origin(admitted.origin.clone());
    admitted.caller = Some(caller.clone());
    is_allowed(route, &caller)?;
    if route.verb.writes() {
        admitted.body = body::read(request, route.body_max).await?;
        let kind = body::media_type(request);
        if !admitted.body.is_empty() && !route.takes_kind(&kind) {
            return Err(Problem::wrong_type("application/json"));
        }
    }
    Ok(())
}

fn bearer(request: &HttpRequest) -> Option<Secret<String>> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| Secret::new(token.trim().to_owned()))
}

fn is_allowed(route: &Route, caller: &Caller) -> Result<(), Problem> {
    match route.needs {
        Needs::Nobody | Needs::Anybody => Ok(()),
        Needs::Scope(scope) if caller.may(scope) => Ok(()),
        Needs::OneOf(scopes) if scopes.iter().any(|scope| caller.may(*scope)) => Ok(()),
        Needs::OneOf(_) => Err(Problem::forbidden(
            "This needs a right that you do not have.",
        )),
        Needs::Scope(scope) => Err(Problem::forbidden(format!(
            "This needs the right “{scope}”, which you do not have."
        ))),
    }
}

/// A known caller who was refused, here or by the handler, is told in the trail.
async fn tell_refused(request: &HttpRequest, site: &Site, answer: &ServiceResponse<BoxBody>) {
    let error = answer.response().error();
    let Some(problem) = error.and_then(|error| error.as_error::<Problem>()) else {
        return;
    };
    let (status, code) = (problem.kind.status, problem.code);
    let caller = {
        let extensions = request.extensions();
        extensions
            .get::<Admitted>()
            .and_then(|admitted| admitted.caller.clone())
    };
    let (Some(caller), 403) = (caller, status) else {
        return;
    };
    let what = format!("{} {}", request.method(), request.path());
    let told = site.refusals.tell(&site.desk, &caller, what, code).await;
    if let Err(error) = told {
        tracing::error!(%error, "a refusal could not be told");
    }
}

fn set_cookies(
    answer: &mut ServiceResponse<BoxBody>,
    request: &HttpRequest,
    site: &Site,
    new_key: Option<Secret<String>>,
    is_stale: bool,
) {
    let response = answer.response_mut();
    let is_page = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let mut cookies = Vec::new();
    if let Some(key) = new_key {
        cookies.push(cookie::make(site, Purpose::Guest, key.open(), None));
    }
    if is_stale {
        cookies.push(cookie::remove(site, Purpose::Session));
    }
    // What was said once is not said again.
    if is_page && cookie::read(request, site, Purpose::Flash).is_some() {
        cookies.push(cookie::remove(site, Purpose::Flash));
    }
    for cookie in cookies {
        if let Err(error) = response.add_cookie(&cookie) {
            tracing::error!(%error, "a cookie could not be set");
        }
    }
}

/// How long a handler may take when its route does not say otherwise.
pub const PATIENCE: Duration = Duration::from_secs(15);
