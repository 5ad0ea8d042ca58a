//! The outermost layer: a number for every request, the headers that every answer carries, the access
//! log, and how a problem is drawn: as `problem+json` for programs, as a page for people.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;
use tracing::Instrument;
use tracing::field::Empty;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use askama::Template;

use super::network::sender;
use super::page::{Shell, shell};
use super::problem::{Problem, ProblemBody};
use super::site::Site;
use crate::domain::ids::RequestId;
use crate::domain::member::Origin;

/// A request as it arrived. Lies in its extensions.
#[derive(Debug, Clone)]
pub struct Arrival(Origin);

impl Arrival {
    /// Where it came from and its number.
    #[must_use]
    pub fn origin(request: &HttpRequest) -> Origin {
        let extensions = request.extensions();
        let found = extensions.get::<Self>();
        found.map(|arrival| arrival.0.clone()).unwrap_or_default()
    }
}

/// The longest path and query that any page of ours needs.
const TARGET_MAX: usize = 8 * 1024;
const METHODS: [Method; 6] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

/// Lets a request in, and its answer out.
///
/// # Errors
/// None: every failure is an answer.
pub async fn around(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let began = Instant::now();
    let site = shell::site(request.request())?;
    let origin = Origin {
        source: source(&request, &site).to_string(),
        request_id: RequestId::generate().to_string(),
    };
    request.extensions_mut().insert(Arrival(origin.clone()));
    // Whatever is logged on the way says to which request it belongs; the gate adds whose it is.
    let span = tracing::info_span!("request", request_id = %origin.request_id, tenant_id = Empty);
    let answer = match refused_at_once(&request) {
        Some(problem) => request.error_response(problem),
        None => next.call(request).instrument(span).await?,
    };
    let mut answer = draw(answer, &site, &origin);
    add_headers(answer.headers_mut(), &site, &origin);
    log(&answer, &origin, began);
    Ok(answer)
}

fn source(request: &ServiceRequest, site: &Site) -> IpAddr {
    let unknown = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let peer = request.peer_addr().map_or(unknown, |peer| peer.ip());
    let lines = request.headers().get_all("x-forwarded-for");
    let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    sender(peer, &lines, &site.config.trusted_proxies)
}

/// What no route is asked for.
fn refused_at_once(request: &ServiceRequest) -> Option<Problem> {
    let target = request
        .uri()
        .path_and_query()
        .map_or("", |target| target.as_str());
    if !METHODS.contains(request.method()) {
        Some(Problem::wrong_method())
    } else if target.len() > TARGET_MAX {
        Some(Problem::malformed("The address is too long."))
    } else {
        None
    }
}

/// Programs ask below these; everybody else is a person.
fn is_for_programs(path: &str) -> bool {
    ["/api/", "/hooks/"]
        .iter()
        .any(|door| path.starts_with(door))
}

fn draw(
    answer: ServiceResponse<BoxBody>,
    site: &Site,
    origin: &Origin,
) -> ServiceResponse<BoxBody> {
    let status = answer.status();
    if answer.response().error().is_none() {
        return answer;
    }
    let known = answer
        .response()
        .error()
        .and_then(|error| error.as_error::<Problem>())
        .cloned();
    // What the framework refuses by itself, before any handler of ours.
    let problem = known.unwrap_or_else(|| match status.as_u16() {
        404 => Problem::missing("page"),
        405 => Problem::wrong_method(),
        413 => Problem::too_large(0),
        400..=499 => Problem::malformed("The request cannot be read."),
        _ => Problem::ours(),
    });
    let (request, before) = answer.into_parts();
    let mut drawn = if is_for_programs(request.path()) {
        as_json(&problem, origin)
    } else {
        as_page(&problem, &request, site, origin)
    };
    for (name, value) in before.headers() {
        // Cookies and the methods that are allowed; the body is a new one.
        if [header::SET_COOKIE, header::ALLOW].contains(name) {
            drawn.headers_mut().append(name.clone(), value.clone());
        }
    }
    if let Some(wait) = problem.retry_after {
        let seconds = HeaderValue::from(wait.as_secs().max(1));
        drawn.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    if [408, 413].contains(&problem.kind.status) {
        // The rest of the body is not read.
        drawn
            .head_mut()
            .set_connection_type(actix_web::http::ConnectionType::Close);
    }
    ServiceResponse::new(request, drawn)
}

fn as_json(problem: &Problem, origin: &Origin) -> HttpResponse {
    let body = ProblemBody::new(problem, &origin.request_id);
    let mut answer = HttpResponse::build(problem.status());
    if problem.kind.status == 401 {
        answer.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
    }
    let text = serde_json::to_string(&body).unwrap_or_default();
    answer.content_type("application/problem+json").body(text)
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    shell: Shell,
    problem: &'a Problem,
    request_id: &'a str,
    href: String,
    label: &'static str,
}

fn as_page(problem: &Problem, request: &HttpRequest, site: &Site, origin: &Origin) -> HttpResponse {
    let shell = Shell::of(request, site, "");
    let (href, label) = match (problem.kind.status, &shell.signed_in) {
        (401, _) => ("/sign-in", "Sign in"),
        (_, Some(_)) => ("/dashboard", "Go to the dashboard"),
        (_, None) => ("/", "Go to the first page"),
    };
    let page = ProblemPage {
        shell,
        problem,
        request_id: &origin.request_id,
        href: href.to_owned(),
        label,
    };
    let text = page.render().unwrap_or_else(|error| {
        tracing::error!(%error, "the problem page could not be drawn");
        problem.to_string()
    });
    HttpResponse::build(problem.status())
        .content_type("text/html; charset=utf-8")
        .body(text)
}

const POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
frame-ancestors 'none'; form-action 'self'";

const FIXED: [(&str, &str); 8] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    // Browsers then still name the origin of a form, which is checked.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=()",
    ),
    ("x-permitted-cross-domain-policies", "none"),
];

fn add_headers(headers: &mut HeaderMap, site: &Site, origin: &Origin) {
    for (name, value) in FIXED {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    if site.is_https() {
        let two_years = HeaderValue::from_static("max-age=63072000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, two_years);
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if let Ok(id) = HeaderValue::from_str(&origin.request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
}

/// One line a request. Query values stay out of it: they are what people looked for.
fn log(answer: &ServiceResponse<BoxBody>, origin: &Origin, began: Instant) {
    let request = answer.request();
    let path = request.path();
    if ["/healthz", "/readyz"].contains(&path) || path.starts_with("/static/") {
        return;
    }
    tracing::info!(
        request_id = origin.request_id,
        source = origin.source,
        method = request.method().as_str(),
        path = %path,
        status = answer.status().as_u16(),
        ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_ask_below_their_doors() {
        for (path, programs) in [
            ("/api/v1/me", true),
            ("/api/openapi.json", true),
            ("/hooks/x/y", true),
            ("/api", false),
            ("/", false),
            ("/apis/x", false),
        ] {
            assert_eq!(is_for_programs(path), programs, "{path}");
        }
    }
}
