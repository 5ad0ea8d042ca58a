//! Tokens for the one service account, and who may come in.
//!
//! Source: ION API token, refresh and revoke requests, read 2026-11-22. Assumed: error bodies are
//! those of RFC 6749, and a full log-in quota answers 429.

use std::collections::{HashMap, HashSet};

use data_encoding::BASE64;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::ionapi::{ACCESS_KEY, CLIENT_ID, CLIENT_SECRET, SECRET_KEY};
use super::limits::{Full, Limits};
use super::world::World;
use crate::sandbox::kit::{Call, Reply};

/// The tokens that were given and when each ends.
#[derive(Default)]
pub(super) struct Tokens {
    ends: HashMap<String, OffsetDateTime>,
    refresh: HashSet<String>,
}

impl Tokens {
    pub(super) fn clear(&mut self) {
        self.ends.clear();
    }

    pub(super) fn live(&self, now: OffsetDateTime) -> usize {
        self.ends.values().filter(|end| **end > now).count()
    }

    pub(super) fn give(
        &mut self,
        world: &mut World,
        limits: &mut Limits,
        call: &Call,
    ) -> Result<Reply, Reply> {
        let form = call.form();
        admit_client(call, &form)?;
        let full = |full: Full| too_fast(world.settings.retry_after_on_429, full.0);
        let is_first = match field(&form, "grant_type") {
            "password" => {
                limits.log_in(&world.settings, world.now).map_err(full)?;
                if field(&form, "username") != ACCESS_KEY || field(&form, "password") != SECRET_KEY
                {
                    let text = "Invalid username or password";
                    return Err(oauth_error(400, "invalid_grant", text));
                }
                true
            }
            "refresh_token" => {
                if !self.refresh.contains(field(&form, "refresh_token")) {
                    let text = "unknown, invalid, or expired refresh token";
                    return Err(oauth_error(400, "invalid_grant", text));
                }
                false
            }
            _ => {
                let text = "The grant type is not supported";
                return Err(oauth_error(400, "unsupported_grant_type", text));
            }
        };
        limits.token(&world.settings, world.now).map_err(full)?;
        Ok(self.issue(world, is_first))
    }

    /// A refresh gives no new refresh token: the old one stays good.
    fn issue(&mut self, world: &mut World, is_first: bool) -> Reply {
        let now = world.now;
        self.ends.retain(|_, end| *end > now);
        let seconds = world.settings.token_seconds;
        let random = &mut world.random;
        let token = format!(
            "eyJ{}.eyJ{}.{}",
            random.hex(61),
            random.hex(597),
            random.hex(86)
        );
        self.ends
            .insert(token.clone(), now + Duration::seconds(seconds));
        let mut body = json!({
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": seconds,
        });
        if is_first && world.settings.refresh_tokens {
            let refresh = random.hex(40);
            if let Value::Object(fields) = &mut body {
                fields.insert("refresh_token".into(), json!(refresh));
            }
            self.refresh.insert(refresh);
        }
        Reply::json(200, &body).header("Cache-Control", "no-store")
    }

    /// 200 for tokens it never gave, too.
    pub(super) fn revoke(&mut self, call: &Call) -> Result<Reply, Reply> {
        let form = call.form();
        admit_client(call, &form)?;
        self.ends.remove(field(&form, "token"));
        self.refresh.remove(field(&form, "token"));
        Ok(Reply::empty(200))
    }

    pub(super) fn admit(&self, world: &World, call: &Call) -> Result<(), Reply> {
        let end = call.bearer().and_then(|token| self.ends.get(token));
        match end {
            Some(end) if *end > world.now => Ok(()),
            _ => Err(unauthorized()),
        }
    }
}

/// Client id and secret come as HTTP Basic or in the form; both are in use.
fn admit_client(call: &Call, form: &[(String, String)]) -> Result<(), Reply> {
    let (id, secret) = basic(call).unwrap_or_else(|| {
        let named = |name| field(form, name).to_owned();
        (named("client_id"), named("client_secret"))
    });
    if id == CLIENT_ID && secret == CLIENT_SECRET {
        return Ok(());
    }
    let text = "Invalid client or client credentials";
    Err(oauth_error(401, "invalid_client", text))
}

fn basic(call: &Call) -> Option<(String, String)> {
    let (scheme, encoded) = call.header("authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = BASE64.decode(encoded.trim().as_bytes()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((unescaped(id), unescaped(secret)))
}

/// RFC 6749 has both parts form-encoded before they are joined, and not everybody does it.
fn unescaped(text: &str) -> String {
    let mut pairs = url::form_urlencoded::parse(text.as_bytes());
    pairs
        .next()
        .map_or_else(String::new, |(name, _)| name.into_owned())
}

fn field<'a>(form: &'a [(String, String)], name: &str) -> &'a str {
    let found = form.iter().find(|(key, _)| key == name);
    found.map_or("", |(_, value)| value)
}

fn oauth_error(status: u16, error: &str, description: &str) -> Reply {
    let body = json!({"error": error, "error_description": description});
    Reply::json(status, &body)
}

/// Source: m3-h5-sdk issue 171 (the body), read 2026-11-22. Assumed: the header's text.
pub(super) fn unauthorized() -> Reply {
    Reply::json(401, &json!({"error": "Unauthorized"}))
        .header("WWW-Authenticate", "Bearer error=\"invalid_token\"")
}

/// Assumed: the body of a 429, and whether it says how long to wait.
pub(super) fn too_fast(tells_when: bool, wait_s: u64) -> Reply {
    let reply = Reply::json(429, &json!({"error": "Too Many Requests"}));
    if tells_when {
        return reply.header("Retry-After", &wait_s.to_string());
    }
    reply
}
