//! The doors: tenant and suite first, then the token, then the rate, then the programs.

use std::io;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::access::{self, Tokens};
use super::ask::{Ask, Outcome};
use super::catalog;
use super::command;
use super::envelope::{self, Done};
use super::ionapi::{REVOKE_PATH, TENANT, TOKEN_PATH};
use super::limits::Limits;
use super::nok::Nok;
use super::planting::plant;
use super::programs;
use super::request::{self, Form, Item, Request};
use super::world::World;
use crate::sandbox::kit::{self, Call, Operation, Reply, Simulator, Wrote};

/// How the simulator starts.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// On loopback; 0 takes any free one.
    pub port: u16,
    /// The same seed gives the same tokens and objects.
    pub seed: u64,
}

/// Starts the simulator on loopback, for the authorisation server and the gateway.
///
/// # Errors
/// The port is taken, or no thread can be had.
pub fn start(options: Options) -> io::Result<kit::Running> {
    kit::serve(options.port, Gateway::new(options))
}

struct Gateway {
    options: Options,
    world: World,
    tokens: Tokens,
    limits: Limits,
}

impl Gateway {
    fn new(options: Options) -> Self {
        Self {
            world: plant(options.seed),
            tokens: Tokens::default(),
            limits: Limits::new(),
            options,
        }
    }

    fn route(&mut self, call: &Call) -> Result<Reply, Reply> {
        let segments = call.segments();
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let [TENANT, parts @ ..] = parts.as_slice() else {
            return Err(not_found());
        };
        match (call.method.as_str(), parts) {
            ("POST", ["as", TOKEN_PATH]) => {
                self.tokens.give(&mut self.world, &mut self.limits, call)
            }
            ("POST", ["as", REVOKE_PATH]) => self.tokens.revoke(call),
            (_, ["M3", "m3api-rest", parts @ ..]) => self.rest(call, parts),
            _ => Err(not_found()),
        }
    }

    fn rest(&mut self, call: &Call, parts: &[&str]) -> Result<Reply, Reply> {
        self.tokens.admit(&self.world, call)?;
        let settings = &self.world.settings;
        if let Err(full) = self.limits.call(settings, self.world.now) {
            return Err(access::too_fast(settings.retry_after_on_429, full.0));
        }
        let request = match (call.method.as_str(), parts) {
            ("GET", ["v2", "execute", program, last]) if settings.v2 => {
                Request::single(Form::Single, call, program, last)
            }
            ("POST", ["v2", "execute"]) if settings.v2 => {
                Request::bulk(call).map_err(|reason| {
                    let done = Done {
                        terminated: Some(Nok::unreadable(&reason)),
                        ..Done::default()
                    };
                    envelope::answer(400, &done)
                })?
            }
            ("GET", ["execute", program, last]) if settings.v1 => {
                Request::single(Form::Old, call, program, last)
            }
            _ => return Err(not_found()),
        };
        Ok(self.execute(&request))
    }

    fn execute(&mut self, request: &Request) -> Reply {
        let mut done = Done::default();
        let mut wrote = Vec::new();
        let mut status = 200;
        for item in &request.items {
            if let Some(refusal) = self.withheld(&request.program, item) {
                status = self.world.settings.withheld_status;
                done.terminated = Some(refusal);
                break;
            }
            let Some(transaction) = self.find(&request.program, item) else {
                status = 400;
                done.terminated = Some(Nok::no_transaction(&request.program, &item.transaction));
                break;
            };
            let manner = (request.form, &request.manner);
            let outcome = Ask::check(transaction, item, manner, &self.world.settings)
                .and_then(|ask| programs::answer(&mut self.world, &ask));
            wrote.extend(written(&request.program, item, &outcome));
            done.results.push((item.transaction.clone(), outcome));
        }
        let mut reply = self.told(request, status, &done);
        reply.wrote = wrote;
        reply
    }

    fn told(&self, request: &Request, status: u16, done: &Done) -> Reply {
        let settings = &self.world.settings;
        let first = done.results.first().map(|(_, outcome)| outcome);
        let refusal = first.and_then(|outcome| outcome.as_ref().err());
        if request.form == Form::Old {
            // An unknown transaction is HTTP 200 as every refusal of v1; a withheld one is not.
            let status = if status == 400 { 200 } else { status };
            return match (first, done.terminated.as_ref().or(refusal)) {
                (_, Some(nok)) => envelope::old_refusal(status, nok),
                (Some(Ok(answer)), None) => self.old_answer(request, answer),
                _ => not_found(),
            };
        }
        let is_refused = request.form == Form::Single && refusal.is_some();
        let status = if is_refused && !settings.v2_errors_in_200 {
            400
        } else {
            status
        };
        envelope::answer(status, done)
    }

    fn old_answer(&self, request: &Request, answer: &super::ask::Answer) -> Reply {
        let transaction = request.items.first();
        let transaction = transaction.and_then(|item| self.find(&request.program, item));
        transaction.map_or_else(not_found, |known| envelope::old_answer(known, answer))
    }

    fn withheld(&self, program: &str, item: &Item) -> Option<Nok> {
        let settings = &self.world.settings;
        let is_withheld = settings.is_withheld(program, &item.transaction);
        is_withheld.then(|| Nok::not_authorised(program))
    }

    fn find(&self, program: &str, item: &Item) -> Option<&'static catalog::Transaction> {
        let settings = &self.world.settings;
        let is_missing = settings.is_missing(program, &item.transaction);
        catalog::find(program, &item.transaction).filter(|_| !is_missing)
    }
}

/// What the ledger is told of an accepted write.
fn written(program: &str, item: &Item, outcome: &Outcome) -> Option<Wrote> {
    let key = outcome.as_ref().ok()?.wrote.clone()?;
    let record: Map<String, Value> = item
        .record
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    Some(Wrote {
        key,
        request: Some(Value::Object(record)),
        operation: Some(format!("{program}/{}", item.transaction)),
    })
}

/// Assumed: the body.
fn not_found() -> Reply {
    Reply::json(404, &json!({"error": "Not Found"}))
}

impl Simulator for Gateway {
    fn answer(&mut self, call: &Call, now: OffsetDateTime) -> Reply {
        self.world.pass_to(now);
        self.route(call).unwrap_or_else(|refusal| refusal)
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
        self.world.pass_to(now);
        let segments = call.segments();
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let ["_sandbox", "infor_m3", parts @ ..] = parts.as_slice() else {
            return None;
        };
        Some(command::answer(&mut self.world, call, parts))
    }

    fn operation(&self, call: &Call) -> Option<Operation> {
        let (_, path) = call.path.split_once("/m3api-rest/")?;
        let path = path.strip_prefix("v2/").unwrap_or(path);
        let (program, transaction) = match path.strip_prefix("execute/") {
            Some(names) => {
                let (program, last) = names.split_once('/')?;
                let transaction = last.split(';').next().unwrap_or(last);
                (program.to_owned(), transaction.to_owned())
            }
            None => request::bulk_names(&call.body)?,
        };
        Some(Operation {
            program,
            transaction,
        })
    }

    fn throttled(&self, retry_after_s: u64, _now: OffsetDateTime) -> Reply {
        access::too_fast(true, retry_after_s)
    }

    fn refusal(&self, status: u16) -> Reply {
        match status {
            401 => access::unauthorized(),
            404 => not_found(),
            _ => {
                let text =
                    format!("<html><body>The sandbox was told to answer {status}</body></html>");
                Reply::text(status, "text/html", text)
            }
        }
    }
}
