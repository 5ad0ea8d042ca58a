//! Bad manners on demand: what goes wrong, at which calls, and how often.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Call, Operation};

/// What happens to a call that meets the fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Answers `status` (default 500), with `body` or the vendor's own words.
    Status,
    /// Waits `ms`, then applies the call and answers.
    Delay,
    /// Applies the call, waits `ms`, then answers.
    DelayAfter,
    /// Drops the connection; nothing is applied.
    ResetBefore,
    /// Applies the call, then drops the connection without an answer.
    ResetAfter,
    /// Every token given so far expires before the call is looked at. Meets only calls that
    /// carry a bearer token.
    ExpireToken,
    /// Answers as the vendor does when called too fast, with `retry_after` (default 1).
    Throttle,
    /// Answers `status` (default 200) with `body` as text, or with `bytes` blanks.
    Body,
}

/// Which calls a fault meets; what is left out matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Match {
    pub method: Option<String>,
    /// A part of the path, or with `*` at its end what the path begins with.
    pub path: Option<String>,
    pub program: Option<String>,
    pub transaction: Option<String>,
    /// A part of the query string values or of the body.
    pub contains: Option<String>,
}

/// One armed fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub kind: Kind,
    #[serde(default, rename = "match")]
    pub on: Match,
    /// How many calls it meets; 0 = all, until disarmed.
    #[serde(default = "once")]
    pub times: u32,
    /// How many matching calls pass unharmed first.
    #[serde(default)]
    pub skip: u32,
    #[serde(default)]
    pub status: Option<u16>,
    #[serde(default)]
    pub ms: u64,
    /// Seconds, sent as `Retry-After`.
    #[serde(default)]
    pub retry_after: Option<u64>,
    /// A string is sent as it is, anything else as JSON.
    #[serde(default)]
    pub body: Option<Value>,
    /// Of `body`; left out: `text/html` when it begins with `<`, else JSON.
    #[serde(default)]
    pub content_type: Option<String>,
    #[serde(default)]
    pub bytes: Option<u64>,
    /// The answer announces more than it sends, then the connection drops.
    #[serde(default)]
    pub cut: bool,
    /// `status` and `body` apply the call before they answer.
    #[serde(default)]
    pub applied: bool,
}

fn once() -> u32 {
    1
}

impl Match {
    fn meets(&self, call: &Call, operation: Option<&Operation>) -> bool {
        let program = operation.map(|operation| operation.program.as_str());
        let transaction = operation.map(|operation| operation.transaction.as_str());
        is_same(self.method.as_deref(), Some(&call.method))
            && is_same(self.program.as_deref(), program)
            && is_same(self.transaction.as_deref(), transaction)
            && self
                .path
                .as_deref()
                .is_none_or(|path| fits(path, &call.path))
            && self
                .contains
                .as_deref()
                .is_none_or(|text| holds(call, text))
    }
}

fn is_same(wanted: Option<&str>, given: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| given.is_some_and(|given| given.eq_ignore_ascii_case(wanted)))
}

fn fits(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => path.starts_with(beginning),
        None => path.contains(pattern),
    }
}

fn holds(call: &Call, text: &str) -> bool {
    String::from_utf8_lossy(&call.body).contains(text)
        || call.query.iter().any(|(_, value)| value.contains(text))
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    skips_left: u32,
    times_left: Option<u32>,
}

/// The armed faults, in the order they were armed; the first that meets a call wins.
#[derive(Debug, Default)]
pub(super) struct Faults {
    armed: Vec<Armed>,
}

impl Faults {
    pub(super) fn arm(&mut self, fault: Fault) {
        self.armed.push(Armed {
            skips_left: fault.skip,
            times_left: (fault.times > 0).then_some(fault.times),
            fault,
        });
    }

    pub(super) fn listed(&self) -> Vec<&Fault> {
        self.armed.iter().map(|armed| &armed.fault).collect()
    }

    pub(super) fn meet(&mut self, call: &Call, operation: Option<&Operation>) -> Option<Fault> {
        let mut met = None;
        for armed in &mut self.armed {
            let for_this = armed.fault.on.meets(call, operation)
                && (armed.fault.kind != Kind::ExpireToken || call.bearer().is_some());
            if !for_this {
                continue;
            }
            if armed.skips_left > 0 {
                armed.skips_left -= 1;
                continue;
            }
            armed.times_left = armed.times_left.map(|left| left.saturating_sub(1));
            met = Some(armed.fault.clone());
            break;
        }
        self.armed.retain(|armed| armed.times_left != Some(0));
        met
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn get(path: &str) -> Call {
        Call {
            method: "GET".into(),
            path: path.into(),
            ..Call::default()
        }
    }

    fn armed(fault: Value) -> Faults {
        let mut faults = Faults::default();
        faults.arm(serde_json::from_value(fault).unwrap());
        faults
    }

    #[test]
    fn a_fault_passes_some_meets_some_and_is_spent() {
        let mut faults = armed(json!({"kind": "reset_before", "skip": 1, "times": 2}));
        let met: Vec<bool> = (0..4)
            .map(|_| faults.meet(&get("/a"), None).is_some())
            .collect();
        assert_eq!(met, [false, true, true, false]);
        assert!(faults.listed().is_empty());
    }

    #[test]
    fn a_match_looks_at_all_it_names() {
        let mut faults = armed(json!({"kind": "delay", "times": 0, "match":
            {"method": "get", "path": "/rest/*", "transaction": "AddHead"}}));
        let add_head = Operation {
            program: "PPS370MI".into(),
            transaction: "AddHead".into(),
        };
        assert!(faults.meet(&get("/rest/x"), Some(&add_head)).is_some());
        assert!(faults.meet(&get("/rest/x"), None).is_none());
        assert!(faults.meet(&get("/x/rest/"), Some(&add_head)).is_none());
    }

    #[test]
    fn expiring_a_token_waits_for_a_call_with_one() {
        let mut faults = armed(json!({"kind": "expire_token"}));
        assert!(faults.meet(&get("/oauth/token"), None).is_none());
        let mut call = get("/rest");
        call.headers
            .push(("authorization".into(), "Bearer x".into()));
        assert!(faults.meet(&call, None).is_some());
    }
}
