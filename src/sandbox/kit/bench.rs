//! A simulator with its ledger, faults and clock: all that sits behind the lock.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::clock::Clock;
use super::fault::{Fault, Faults};
use super::ledger::Ledger;
use super::{Call, Reply, Simulator};

pub(super) struct Bench<S> {
    simulator: S,
    ledger: Ledger,
    faults: Faults,
    clock: Clock,
    calls: BTreeMap<String, u64>,
}

impl<S: Simulator> Bench<S> {
    pub(super) fn new(simulator: S) -> Self {
        Self {
            simulator,
            ledger: Ledger::default(),
            faults: Faults::default(),
            clock: Clock::default(),
            calls: BTreeMap::new(),
        }
    }

    /// Counts the call and says which fault it meets.
    pub(super) fn meet(&mut self, call: &Call) -> Option<Fault> {
        *self.calls.entry(call.route()).or_default() += 1;
        let operation = self.simulator.operation(call);
        self.faults.meet(call, operation.as_ref())
    }

    pub(super) fn apply(&mut self, call: &Call) -> Reply {
        let now = self.clock.now();
        let reply = self.simulator.answer(call, now);
        self.ledger.record(call, &reply, now);
        reply
    }

    pub(super) fn expire_tokens(&mut self) {
        self.simulator.expire_tokens();
    }

    pub(super) fn throttled(&self, retry_after_s: u64) -> Reply {
        self.simulator.throttled(retry_after_s, self.clock.now())
    }

    pub(super) fn refusal(&self, status: u16) -> Reply {
        self.simulator.refusal(status)
    }

    /// A call to the control desk; `name` is what follows `/_sandbox/`.
    pub(super) fn control(&mut self, name: &str, call: &Call) -> Reply {
        match (call.method.as_str(), name) {
            ("GET", "ledger") => Reply::json(200, &json!({"data": self.ledger.entries()})),
            ("GET", "state") => Reply::json(200, &self.state()),
            ("GET", "clock") => Reply::json(200, &self.clock.shown()),
            ("GET", "faults") => Reply::json(200, &json!({"data": self.faults.listed()})),
            ("GET", "settings") => Reply::json(200, &self.simulator.settings()),
            ("POST", "faults") => told(self.arm(call)),
            ("DELETE", "faults") => {
                self.faults = Faults::default();
                Reply::empty(204)
            }
            ("POST", "clock") => told(self.move_clock(call)),
            ("POST", "settings") => told(self.set(call)),
            ("POST", "reset") => {
                self.reset();
                Reply::json(200, &json!({"ok": true}))
            }
            _ => self.command(call, self.clock.now()),
        }
    }

    fn command(&mut self, call: &Call, now: OffsetDateTime) -> Reply {
        let reply = self.simulator.command(call, now);
        reply.unwrap_or_else(|| Reply::json(404, &json!({"error": "no such control"})))
    }

    fn state(&self) -> Value {
        json!({
            "clock": self.clock.shown(),
            "writes": self.ledger.entries().len(),
            "calls": self.calls,
            "state": self.simulator.state(),
        })
    }

    fn arm(&mut self, call: &Call) -> Result<Value, String> {
        let fault = serde_json::from_value(call.json()?).map_err(|error| error.to_string())?;
        self.faults.arm(fault);
        Ok(json!({"data": self.faults.listed()}))
    }

    fn move_clock(&mut self, call: &Call) -> Result<Value, String> {
        self.clock.change(call.json()?)?;
        Ok(self.clock.shown())
    }

    fn set(&mut self, call: &Call) -> Result<Value, String> {
        let Value::Object(changes) = call.json()? else {
            return Err("settings are a JSON object".to_owned());
        };
        self.simulator.set(&changes)?;
        Ok(self.simulator.settings())
    }

    fn reset(&mut self) {
        self.simulator.reset();
        self.ledger = Ledger::default();
        self.faults = Faults::default();
        self.clock = Clock::default();
        self.calls.clear();
    }
}

fn told(outcome: Result<Value, String>) -> Reply {
    match outcome {
        Ok(value) => Reply::json(200, &value),
        Err(reason) => Reply::json(422, &json!({"error": reason})),
    }
}
