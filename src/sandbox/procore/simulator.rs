//! The doors: tokens first, then the company, then the rate windows, then the routes.

use std::io;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::access::{self, Tokens};
use super::command;
use super::limits::Limits;
use super::planting::plant;
use super::refuse::{self, Outcome};
use super::routes;
use super::settings::Settings;
use super::world::World;
use crate::sandbox::kit::{self, Call, Reply, Simulator};

/// How the simulator starts.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// On loopback; 0 takes any free one.
    pub port: u16,
    /// The same seed gives the same tokens, ids and objects.
    pub seed: u64,
    /// Whether calls beyond the rate windows are refused.
    pub limits: bool,
}

/// Starts the simulator on loopback, for both the login host and the API host.
///
/// # Errors
/// The port is taken, or no thread can be had.
pub fn start(options: Options) -> io::Result<kit::Running> {
    kit::serve(options.port, Procore::new(options))
}

struct Procore {
    options: Options,
    world: World,
    tokens: Tokens,
    limits: Limits,
}

impl Procore {
    fn new(options: Options) -> Self {
        Self {
            world: plant(options.seed, Settings::new(options.limits)),
            tokens: Tokens::default(),
            limits: Limits::new(),
            options,
        }
    }

    fn route(&mut self, call: &Call) -> Outcome {
        let segments = call.segments();
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (call.method.as_str(), parts.as_slice()) {
            ("POST", ["oauth", "token"]) => self.tokens.give(&mut self.world, call),
            ("GET", ["oauth", "token", "info"]) => self.tokens.describe(&self.world, call),
            ("POST", ["oauth", "revoke"]) => self.tokens.revoke(call),
            (_, ["rest", rest @ ..]) => self.rest(call, rest),
            _ => Err(refuse::not_found()),
        }
    }

    fn rest(&mut self, call: &Call, parts: &[&str]) -> Outcome {
        self.tokens.admit(&self.world, call)?;
        access::admit_company(call)?;
        let standing = match self.limits.count(&self.world.settings, self.world.now) {
            Ok(standing) => standing,
            Err(full) => {
                let wait_s = u64::try_from(full.wait_s(self.world.now)).unwrap_or(1);
                return Err(full.tell(self.too_fast(wait_s)));
            }
        };
        match routes::answer(&mut self.world, call, parts) {
            Ok(reply) => Ok(standing.tell(reply)),
            Err(refusal) => Err(standing.tell(refusal)),
        }
    }

    fn too_fast(&self, wait_s: u64) -> Reply {
        let text = "You have surpassed the max number of requests for an hour. \
                    Please wait until your limit resets.";
        let reply = Reply::json(429, &json!({"errors": text}));
        if self.world.settings.retry_after_on_429 {
            return reply.header("Retry-After", &wait_s.to_string());
        }
        reply
    }
}

impl Simulator for Procore {
    fn answer(&mut self, call: &Call, now: OffsetDateTime) -> Reply {
        // Procore's times have no fractions of a second.
        self.world.now = now.replace_nanosecond(0).unwrap_or(now);
        let reply = self.route(call).unwrap_or_else(|refusal| refusal);
        reply.header("x-request-id", &self.world.random.hex(32))
    }

    fn reset(&mut self) {
        *self = Self::new(self.options.clone());
    }

    fn expire_tokens(&mut self) {
        self.tokens.clear();
    }

    fn state(&self) -> Value {
        let mut state = command::state(&self.world);
        if let Value::Object(fields) = &mut state {
            let live = self.tokens.live(self.world.now);
            fields.insert("live_tokens".into(), json!(live));
        }
        state
    }

    fn settings(&self) -> Value {
        serde_json::to_value(&self.world.settings).unwrap_or_default()
    }

    fn set(&mut self, changes: &Map<String, Value>) -> Result<(), String> {
        let mut settings = self.settings();
        if let Value::Object(fields) = &mut settings {
            fields.extend(changes.clone());
        }
        let settings = serde_json::from_value(settings).map_err(|error| error.to_string())?;
        self.world.settings = settings;
        Ok(())
    }

    fn command(&mut self, call: &Call, now: OffsetDateTime) -> Option<Reply> {
        self.world.now = now.replace_nanosecond(0).unwrap_or(now);
        let segments = call.segments();
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let ["_sandbox", "procore", parts @ ..] = parts.as_slice() else {
            return None;
        };
        let outcome = command::answer(&mut self.world, call, parts);
        Some(outcome.unwrap_or_else(|refusal| refusal))
    }

    fn throttled(&self, retry_after_s: u64, now: OffsetDateTime) -> Reply {
        let mut limits = Limits::new();
        let standing = limits.nearest(&self.world.settings, now);
        standing
            .spent(now, retry_after_s)
            .tell(self.too_fast(retry_after_s))
    }

    fn refusal(&self, status: u16) -> Reply {
        match status {
            401 => refuse::unauthorized("The access token is invalid"),
            403 => refuse::forbidden("App is not connected to this company"),
            404 => refuse::not_found(),
            503 => Reply::json(503, &json!({})),
            _ => Reply::json(status, &json!({"errors": "The sandbox was told to refuse"})),
        }
    }
}
