//! Tokens for the one service account, and who may come in.
//!
//! Source: Procore OAuth endpoints and client credentials pages, read 2026-11-22. Assumed: the
//! error bodies are those of RFC 6749, and `token/info` has the shape of its usual library.

use std::collections::HashMap;

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::refuse::{self, Outcome};
use super::seed;
use super::world::World;
use crate::sandbox::kit::{Call, Reply};

/// The tokens that were given and when each ends.
#[derive(Default)]
pub(super) struct Tokens {
    ends: HashMap<String, OffsetDateTime>,
}

impl Tokens {
    pub(super) fn clear(&mut self) {
        self.ends.clear();
    }

    pub(super) fn live(&self, now: OffsetDateTime) -> usize {
        self.ends.values().filter(|end| **end > now).count()
    }

    /// `POST /oauth/token`.
    pub(super) fn give(&mut self, world: &mut World, call: &Call) -> Outcome {
        let asked = asked(call)?;
        let given = |name: &str| asked.get(name).and_then(Value::as_str).unwrap_or_default();
        if given("grant_type") != "client_credentials" {
            return Err(oauth_error(
                400,
                "unsupported_grant_type",
                "The authorization grant type is not supported by the authorization server.",
            ));
        }
        if given("client_id") != seed::CLIENT_ID || given("client_secret") != seed::CLIENT_SECRET {
            return Err(oauth_error(
                401,
                "invalid_client",
                "Client authentication failed due to unknown client, no client authentication \
                 included, or unsupported authentication method.",
            ));
        }
        Ok(self.issue(world))
    }

    fn issue(&mut self, world: &mut World) -> Reply {
        let now = world.now;
        self.ends.retain(|_, end| *end > now);
        let seconds = world.settings.token_seconds;
        let random = &mut world.random;
        let token = format!(
            "eyJ{}.eyJ{}.{}",
            random.hex(61),
            random.hex(897),
            random.hex(256)
        );
        self.ends
            .insert(token.clone(), now + Duration::seconds(seconds));
        let body = json!({
            "access_token": token,
            "token_type": "bearer",
            "expires_in": seconds,
            "created_at": now.unix_timestamp(),
        });
        Reply::json(200, &body).header("Cache-Control", "no-store")
    }

    /// `GET /oauth/token/info`.
    pub(super) fn describe(&self, world: &World, call: &Call) -> Outcome {
        self.admit(world, call)?;
        let end = call.bearer().and_then(|token| self.ends.get(token));
        let left = end.map_or(0, |end| (*end - world.now).whole_seconds());
        let body = json!({
            "resource_owner_id": seed::USER_ID,
            "scopes": [],
            "expires_in_seconds": left,
            "application": {"uid": seed::CLIENT_ID},
            "created_at": world.now.unix_timestamp() + left - world.settings.token_seconds,
        });
        Ok(Reply::json(200, &body))
    }

    /// `POST /oauth/revoke`: 200 for tokens it never gave, too.
    pub(super) fn revoke(&mut self, call: &Call) -> Outcome {
        let asked = asked(call)?;
        if let Some(token) = asked.get("token").and_then(Value::as_str) {
            self.ends.remove(token);
        }
        Ok(Reply::json(200, &json!({})))
    }

    pub(super) fn admit(&self, world: &World, call: &Call) -> Result<(), Reply> {
        let token = call
            .bearer()
            .ok_or_else(|| refuse::unauthorized("The access token is invalid"))?;
        match self.ends.get(token) {
            None => Err(refuse::unauthorized("The access token is invalid")),
            Some(end) if *end <= world.now => Err(refuse::unauthorized("The access token expired")),
            Some(_) => Ok(()),
        }
    }
}

/// A service account names its company in every call.
pub(super) fn admit_company(call: &Call) -> Result<(), Reply> {
    let header = call.header("procore-company-id");
    let named = header.ok_or_else(refuse::missing_company)?;
    is_ours(named)?;
    match call.query("company_id") {
        Some(asked) => is_ours(asked),
        None => Ok(()),
    }
}

pub(super) fn is_ours(company_id: &str) -> Result<(), Reply> {
    if company_id.trim().parse() == Ok(seed::COMPANY_ID) {
        return Ok(());
    }
    Err(refuse::forbidden("App is not connected to this company"))
}

/// An urlencoded form or JSON. Multipart forms, which the vendor takes too, are not read.
fn asked(call: &Call) -> Result<Value, Reply> {
    let kind = call.header("content-type").unwrap_or_default();
    if kind.starts_with("application/json") {
        return call
            .json()
            .map_err(|_| oauth_error(400, "invalid_request", "The body is not JSON."));
    }
    let fields = call.form().into_iter();
    Ok(fields
        .map(|(name, text)| (name, Value::from(text)))
        .collect())
}

fn oauth_error(status: u16, error: &str, description: &str) -> Reply {
    Reply::json(
        status,
        &json!({"error": error, "error_description": description}),
    )
}
