//! `Idempotency-Key`: a POST that is sent again is answered as before and does nothing twice.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};

use super::api::{self, call::Call};
use super::fields::Fields;
use super::problem::Problem;
use super::site::{SharedSite, Site};
use crate::desk::replay::{self, Replay};
use crate::domain::fault::Issue;
use crate::domain::member::Caller;
use crate::domain::tag::digest;

const HEADER: &str = "idempotency-key";
const KEY_MAX: usize = 255;
/// Keys are kept for a day.
pub const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What a handler wants to be kept of its answer instead of the answer, which shows a secret once.
#[derive(Debug, Clone)]
pub struct Kept(pub String);

/// Carries a request out unless its key is known.
pub async fn once(
    site: &SharedSite,
    request: &HttpRequest,
    caller: &Caller,
    body: &[u8],
    run: impl Future<Output = ServiceResponse<BoxBody>>,
) -> ServiceResponse<BoxBody> {
    let refuse =
        |problem: Problem| ServiceResponse::new(request.clone(), HttpResponse::from_error(problem));
    let key = match key(request.headers()) {
        Ok(Some(key)) => key,
        Ok(None) => return run.await,
        Err(problem) => return refuse(problem),
    };
    let digest = request_digest(request, body);
    let times = (KEPT, site.begun_at);
    match replay::claim(&site.desk, caller, (&key, &digest), times).await {
        Ok(Replay::New) => {}
        Ok(Replay::CutOff {
            since,
            request: cut_off,
        }) => match replay::made_by(&site.desk, caller, since, &cut_off).await {
            Ok(None) => {}
            Ok(Some(made)) => {
                let answer = found(site, caller, &made).await;
                let answer = ServiceResponse::new(request.clone(), answer);
                return keep(site, caller, &key, answer).await;
            }
            Err(error) => return refuse(error.into()),
        },
        Ok(Replay::Unfinished) => {
            return refuse(Problem::not_now(
                "unfinished",
                "The first request with this Idempotency-Key has not been answered.",
            ));
        }
        Ok(Replay::OtherRequest) => {
            return refuse(wrong_key("This Idempotency-Key came with another request."));
        }
        Ok(Replay::Answered { status, answer }) => {
            return ServiceResponse::new(request.clone(), again(status, answer));
        }
        Err(error) => return refuse(error.into()),
    }
    keep(site, caller, &key, run.await).await
}

/// The answer to a request that made something and was cut off before it could say so.
async fn found(site: &SharedSite, caller: &Caller, made: &(String, String)) -> HttpResponse {
    let call = Call {
        site: Arc::clone(site),
        caller: caller.clone(),
        query: Fields::default(),
        body: Bytes::new(),
    };
    match api::made::again(call, &made.0, &made.1).await {
        Ok(answer) => answer,
        Err(problem) => HttpResponse::from_error(problem),
    }
}

/// Stores the answer; a request that was refused frees its key. One that failed on our side may have committed
/// what it was to do all the same: its key is taken over when that is sure to be over.
async fn keep(
    site: &Site,
    caller: &Caller,
    key: &str,
    answer: ServiceResponse<BoxBody>,
) -> ServiceResponse<BoxBody> {
    let status = answer.status();
    // Problems are drawn later, and asking again is right for all of them.
    if status.is_server_error() {
        return answer;
    }
    if !status.is_success() {
        if let Err(error) = replay::release(&site.desk, caller, key).await {
            tracing::error!(%error, "an idempotency key could not be freed");
        }
        return answer;
    }
    let kept = answer.response().extensions().get::<Kept>().cloned();
    let (request, response) = answer.into_parts();
    let (response, body) = response.into_parts();
    let bytes = to_bytes(body).await.unwrap_or_default();
    let text = match kept {
        Some(Kept(text)) => text,
        None => String::from_utf8_lossy(&bytes).into_owned(),
    };
    let stored = replay::keep(&site.desk, caller, key, status.as_u16(), text).await;
    if let Err(error) = stored {
        tracing::error!(%error, "an answer could not be kept");
    }
    ServiceResponse::new(request, response.set_body(BoxBody::new(bytes)))
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(header) = headers.get(HEADER) else {
        return Ok(None);
    };
    let key = header.to_str().unwrap_or_default().trim();
    if key.is_empty() || key.len() > KEY_MAX {
        return Err(wrong_key(
            "An Idempotency-Key has 1 to 255 visible ASCII characters.",
        ));
    }
    Ok(Some(key.to_owned()))
}

fn wrong_key(says: &str) -> Problem {
    Problem::invalid(vec![Issue::new("Idempotency-Key", "idempotency_key", says)])
}

fn request_digest(request: &HttpRequest, body: &[u8]) -> String {
    let line = format!("{} {}\0", request.method(), request.path());
    digest(&[line.as_bytes(), body].concat())
}

fn again(status: u16, answer: String) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    HttpResponse::build(status)
        .insert_header(("idempotency-replayed", "true"))
        .content_type("application/json")
        .body(answer)
}
