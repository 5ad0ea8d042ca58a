//! One connection's way out: every request is checked, paced, sent once, and read within limits.

use std::error::Error;
use std::sync::Arc;

use reqwest::header::{ACCEPT, ACCEPT_ENCODING};
use url::Origin;

use super::body::{self, Unreadable};
use super::fault::{no_answer, unusable};
use super::guard::Rules;
use super::pace::LinePace;
use super::resolver::Refused;
use crate::contract::{Answer, Body, Call, Line, Method, Request, Response, Wire};
use crate::domain::clock::Clock;
use crate::domain::fault::Fault;

/// The wire of one line.
#[derive(Debug)]
pub(super) struct HttpWire {
    pub line: Line,
    /// The line's addresses, those that the rules admit.
    pub origins: Vec<Origin>,
    pub pace: Arc<LinePace>,
    pub rules: Arc<Rules>,
    pub client: reqwest::Client,
    pub clock: Clock,
}

impl Wire for HttpWire {
    fn send(&self, request: Request) -> Answer<'_, Response> {
        Box::pin(async move {
            let is_own_address = self.origins.contains(&request.url.origin());
            if !is_own_address || !self.rules.admits(&request.url) {
                return Err(self.rules.refused());
            }
            let (call, timeout) = (request.call, request.timeout);
            let ready = self.build(request)?;
            self.pace
                .take(self.line.requests_per_minute, self.line.interactive)
                .await?;
            let answer = tokio::time::timeout(timeout, self.exchange(call, ready))
                .await
                .unwrap_or_else(|_| {
                    // Whether anything had been sent by then is not known.
                    Err(no_answer(
                        call,
                        "timeout",
                        format!("no whole answer came within {timeout:?}"),
                    ))
                })?;
            let allowance = (self.line.allowance)(&answer, self.clock.now());
            self.pace.note(&answer, allowance);
            Ok(answer)
        })
    }
}

impl HttpWire {
    fn build(&self, request: Request) -> Result<reqwest::Request, Fault> {
        let mut builder = self
            .client
            .request(verb(request.method), request.url)
            .header(ACCEPT, "application/json")
            // We unpack ourselves, within limits, and know only this packing well.
            .header(ACCEPT_ENCODING, "gzip");
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        if let Some(token) = &request.bearer {
            builder = builder.bearer_auth(token.open());
        }
        builder = match &request.body {
            Body::None => builder,
            Body::Json(value) => builder.json(value),
            Body::Form(pairs) => builder.form(pairs),
        };
        // A header with a line break in it, for instance: nothing was sent.
        builder.build().map_err(|_| {
            Fault::rejected(
                "",
                "request_invalid",
                "the request holds characters that cannot be sent",
            )
        })
    }

    async fn exchange(&self, call: Call, request: reqwest::Request) -> Result<Response, Fault> {
        let host = request.url().host_str().unwrap_or_default().to_owned();
        let answer = self
            .client
            .execute(request)
            .await
            .map_err(|error| self.not_answered(call, &host, &error))?;
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_owned(), value)
            })
            .collect();
        let body = body::read(answer)
            .await
            .map_err(|error| unreadable(call, status, &error))?;
        Ok(Response {
            status,
            headers,
            body,
        })
    }

    fn not_answered(&self, call: Call, host: &str, error: &reqwest::Error) -> Fault {
        if find::<Refused>(error).is_some() {
            return self.rules.refused();
        }
        let cause = root_cause(error);
        if !error.is_connect() {
            let message = format!("the connection to {host} broke before an answer came: {cause}");
            return no_answer(call, "connection_lost", message);
        }
        // Nothing of the request had left: as good as never tried, for a write too.
        let (code, what) = if find::<rustls::Error>(error).is_some() {
            ("tls", "no secure connection")
        } else if error.is_dns() {
            ("dns", "no address was found for the name")
        } else {
            ("unreachable", "no connection")
        };
        Fault::Transient {
            code: code.to_owned(),
            message: format!("{host}: {what} ({cause})"),
        }
    }
}

fn unreadable(call: Call, status: u16, error: &Unreadable) -> Fault {
    let message = format!("{error} (status {status})");
    match error {
        Unreadable::Connection(_) => no_answer(call, error.code(), message),
        _ => unusable(call, error.code(), message),
    }
}

fn verb(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
    }
}

/// The first cause of a kind, looked for inside I/O errors too: they hide theirs from `source`.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        let inside = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
            .and_then(|inner| find::<T>(inner));
        if inside.is_some() {
            return inside;
        }
        next = error.source();
    }
    None
}

/// The innermost sentence; the outer ones repeat the URL.
pub(super) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
