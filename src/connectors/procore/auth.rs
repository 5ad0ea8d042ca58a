//! Logging in as the app's service account.
//!
//! Source: Procore "OAuth 2.0 client credentials", read 2026-11-22: a form with the app's id and secret; the
//! token lives 5400 s and comes without a refresh token, so it is simply asked for again.

use std::time::Duration;

use serde_json::Value;

use super::client;
use super::fault;
use super::reading;
use crate::connectors::kit;
use crate::contract::{
    Answer, Body, Call, Credentials, FreshToken, LogsIn, Method, Request, Response, Wire,
};
use crate::domain::clock::Timestamp;
use crate::domain::connection::Settings;
use crate::domain::fault::Fault;
use crate::domain::secret::Secret;

/// Taken where the answer names no lifetime.
/// Source: Procore "OAuth 2.0 client credentials", read 2026-11-22.
const LIFETIME: Duration = Duration::from_secs(5400);
/// Taken where a refusal names no wait. Source: Procore "Rate limiting", read 2026-11-22.
const WAIT_UNNAMED: Duration = Duration::from_secs(10);
const WAIT_MIN: Duration = Duration::from_secs(1);
/// The longest window there is. Source: Procore "Rate limiting", read 2026-11-22.
const WAIT_MAX: Duration = Duration::from_secs(3600);

/// The one way to log in.
pub(super) struct ClientCredentials;

impl LogsIn for ClientCredentials {
    fn client(&self, _settings: &Settings, credentials: &Credentials) -> Option<String> {
        let id = credentials.text("client_id").ok()?.trim();
        Some(id.to_owned())
    }

    fn log_in<'a>(
        &'a self,
        wire: &'a dyn Wire,
        settings: &'a Settings,
        credentials: &'a Credentials,
    ) -> Answer<'a, FreshToken> {
        Box::pin(async move {
            let id = credentials.text("client_id")?.trim();
            let secret = credentials.text("client_secret")?.trim();
            let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            let seconds = settings.number("timeout_seconds");
            let request = Request {
                method: Method::Post,
                url: client::token_url(settings)?,
                headers: Vec::new(),
                bearer: None,
                body: Body::Form(vec![
                    field("grant_type", "client_credentials"),
                    field("client_id", id),
                    field("client_secret", secret),
                ]),
                // A token that nobody received harms nobody.
                call: Call::Read,
                timeout: Duration::from_secs(u64::from(
                    seconds.unwrap_or(client::TIMEOUT_SECONDS).max(1),
                )),
                operation: "Get Access Token".to_owned(),
                private: true,
            };
            let response = wire.send(request).await?;
            if response.is_success() {
                return token(&response.body);
            }
            Err(refused(&response, secret))
        })
    }
}

fn token(body: &[u8]) -> Result<FreshToken, Fault> {
    // The body holds a secret: a fault about it shows none of it.
    let unusable = |why: &str| Fault::Broken {
        code: "unexpected_token".to_owned(),
        message: format!("Procore's answer to the log-in {why}"),
    };
    let body: Value = serde_json::from_slice(body).map_err(|_| unusable("is no JSON"))?;
    let token = body.get("access_token").and_then(Value::as_str);
    let token = token
        .filter(|token| !token.trim().is_empty())
        .ok_or_else(|| unusable("holds no access_token"))?;
    let lifetime = match body.get("expires_in").filter(|value| !value.is_null()) {
        None => LIFETIME,
        Some(seconds) => reading::key(seconds)
            .and_then(|seconds| seconds.parse().ok())
            .filter(|seconds| *seconds > 0)
            .map(Duration::from_secs)
            .ok_or_else(|| unusable("holds an expires_in that is no number of seconds"))?,
    };
    Ok(FreshToken {
        value: Secret::new(token.to_owned()),
        lifetime,
    })
}

fn refused(response: &Response, secret: &str) -> Fault {
    let words = fault::words(&response.body);
    let texts: Vec<String> = words.iter().map(|issue| issue.message.clone()).collect();
    // Should the vendor repeat what it was sent.
    let said = texts.join(": ").replace(secret, "***");
    match response.status {
        429 => Fault::RateLimited {
            // Without a clock here, a date counts from the answer's own.
            retry_after: kit::fault::retry_after(response, Timestamp::default())
                .map_or(WAIT_UNNAMED, |wait| wait.clamp(WAIT_MIN, WAIT_MAX)),
            message: format!("Procore answered the log-in with 429: {said}"),
        },
        408 | 500..=599 => Fault::Transient {
            code: format!("status_{}", response.status),
            message: format!("Procore answered the log-in with {}", response.status),
        },
        300..=399 | 404 | 405 => Fault::Auth {
            code: "no_login_here".to_owned(),
            message: format!(
                "the log-in address answered {}: no tokens are given there. Check the log-in address",
                response.status
            ),
        },
        status => Fault::Auth {
            code: words
                .iter()
                .map(|issue| issue.message.as_str())
                .find(|word| word.starts_with("invalid_") || word.starts_with("unauthorized_"))
                .unwrap_or("login_refused")
                .to_owned(),
            message: format!(
                "Procore refused the log-in ({status}{}{said}). Check the client id and secret, and that they \
                 belong to this environment: an unknown client usually means credentials of another one",
                if said.is_empty() { "" } else { ": " },
            ),
        },
    }
}
