//! One breaker a connection: while a system cannot be reached at all, its records lose no attempts and it is
//! asked only now and then. In memory: each node finds out for itself within a few calls.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::clock::{Pace, Timestamp};
use crate::domain::fault::Fault;
use crate::domain::ids::ConnectionId;

/// Failures in a row, over all records, before a connection counts as unreachable.
const FAILURES: u32 = 5;
const FIRST_REST: Duration = Duration::from_secs(15);
/// When the system is back, its records go on within this time.
const REST_MAX: Duration = Duration::from_secs(60);
/// Codes of faults that say nothing about the record: nobody answered, or somebody in between.
const UNREACHABLE: &[&str] = &[
    "dns",
    "unreachable",
    "tls",
    "connection_lost",
    "http_502",
    "http_503",
    "http_504",
];

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Breaker {
    failures: u32,
    rest: Duration,
    open_until: Timestamp,
}

/// Every connection's breaker.
#[derive(Debug, Default)]
pub struct Breakers(Mutex<HashMap<ConnectionId, Breaker>>);

impl Breakers {
    /// The system answered: whatever it said, it can be reached.
    pub fn answered(&self, connection: ConnectionId) {
        self.lock().remove(&connection);
    }

    /// A call failed. Gives how long the connection must rest, when that is due to the system and not to
    /// the record; then the record has lost nothing.
    #[must_use]
    pub fn failed(
        &self,
        connection: ConnectionId,
        fault: &Fault,
        now: Timestamp,
        pace: Pace,
    ) -> Option<Duration> {
        let Fault::Transient { code, .. } = fault else {
            return None;
        };
        if !UNREACHABLE.contains(&code.as_str()) {
            return None;
        }
        let mut breakers = self.lock();
        let breaker = breakers.entry(connection).or_default();
        if now < breaker.open_until {
            // Sent before the breaker opened; it tells nothing new.
            return Some(breaker.open_until.since(now));
        }
        breaker.failures = breaker.failures.saturating_add(1);
        if breaker.failures < FAILURES {
            return None;
        }
        breaker.rest = (breaker.rest * 2).clamp(FIRST_REST, REST_MAX);
        let rest = pace.wait(breaker.rest);
        breaker.open_until = now.plus(rest);
        Some(rest)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ConnectionId, Breaker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transient(code: &str) -> Fault {
        Fault::Transient {
            code: code.to_owned(),
            message: String::new(),
        }
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_rests_longer_each_time() {
        let (breakers, connection, pace) = (
            Breakers::default(),
            ConnectionId::generate(),
            Pace::default(),
        );
        let mut now = Timestamp(0);
        let fail = |now| breakers.failed(connection, &transient("unreachable"), now, pace);
        for _ in 1..FAILURES {
            assert_eq!(fail(now), None);
        }
        for rest in [15, 30, 60, 60] {
            let rest = Duration::from_secs(rest);
            assert_eq!(fail(now), Some(rest));
            assert_eq!(fail(now.plus(rest / 3)), Some(rest - rest / 3));
            now = now.plus(rest);
        }
    }

    #[test]
    fn an_answer_closes_it_and_a_records_own_trouble_never_opens_it() {
        let (breakers, connection, pace) = (
            Breakers::default(),
            ConnectionId::generate(),
            Pace::default(),
        );
        let now = Timestamp(0);
        for _ in 0..20 {
            assert_eq!(
                breakers.failed(connection, &transient("http_500"), now, pace),
                None
            );
        }
        for _ in 1..FAILURES {
            let _ = breakers.failed(connection, &transient("dns"), now, pace);
        }
        breakers.answered(connection);
        assert_eq!(
            breakers.failed(connection, &transient("dns"), now, pace),
            None
        );
    }
}
