//! One breaker a connection: while a system cannot be reached at all, its records lose no attempts and it is
//! asked only now and then. In memory: each node finds out for itself within a few calls.

use std::collections::{HashMap, HashSet};
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
    "timeout",
    "http_502",
    "http_503",
    "http_504",
];

/// A probe that is not heard of again is given up after this long, and another one may go.
const PROBE: Duration = Duration::from_secs(60);

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Breaker {
    failures: u32,
    rest: Duration,
    open_until: Timestamp,
    /// One call is on its way to find out whether the system is back; the others wait for it.
    is_probing: bool,
}

impl Breaker {
    fn is_open(&self) -> bool {
        self.failures >= FAILURES
    }
}

/// Whether a connection may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    Free,
    /// It was unreachable; the caller finds out whether it is back. The others wait until then.
    Probe {
        until: Timestamp,
    },
    /// Another one finds out.
    Busy {
        until: Timestamp,
    },
}

/// Every connection's breaker.
#[derive(Debug, Default)]
pub struct Breakers {
    breakers: Mutex<HashMap<ConnectionId, Breaker>>,
    /// Connections that can be reached again, as long as nobody has drawn conclusions from it.
    closed: Mutex<HashSet<ConnectionId>>,
}

impl Breakers {
    /// The system answered: whatever it said, it can be reached.
    pub fn answered(&self, connection: ConnectionId) {
        let removed = self.lock().remove(&connection);
        if removed.is_some_and(|breaker| breaker.is_open()) {
            let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
            closed.insert(connection);
        }
    }

    /// Asks to call a connection.
    pub fn claim(&self, connection: ConnectionId, now: Timestamp, pace: Pace) -> Claim {
        let mut breakers = self.lock();
        let Some(breaker) = breakers.get_mut(&connection) else {
            return Claim::Free;
        };
        if !breaker.is_open() {
            return Claim::Free;
        }
        if now < breaker.open_until {
            return Claim::Busy {
                until: breaker.open_until,
            };
        }
        breaker.is_probing = true;
        breaker.open_until = now.plus(pace.wait(PROBE));
        Claim::Probe {
            until: breaker.open_until,
        }
    }

    /// Whether somebody is finding out about a connection.
    #[must_use]
    pub fn is_probing(&self, connection: ConnectionId) -> bool {
        let breakers = self.lock();
        let breaker = breakers.get(&connection);
        breaker.is_some_and(|breaker| breaker.is_probing)
    }

    /// A probe is over. Gives until when the connection rests: not at all when the probe was not needed, so that
    /// another one may go at once; none when the system answered.
    pub fn give_back(&self, connection: ConnectionId, now: Timestamp) -> Option<Timestamp> {
        let mut breakers = self.lock();
        let breaker = breakers.get_mut(&connection)?;
        if breaker.is_probing {
            breaker.is_probing = false;
            breaker.open_until = now;
        }
        Some(breaker.open_until)
    }

    /// Those of some connections that can be reached again since the last time.
    #[must_use]
    pub fn take_closed(&self, of: &[ConnectionId]) -> Vec<ConnectionId> {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = of.to_vec();
        taken.retain(|connection| closed.remove(connection));
        taken
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
        if now < breaker.open_until && !breaker.is_probing {
            // Sent before the breaker opened; it tells nothing new.
            return Some(breaker.open_until.since(now));
        }
        breaker.is_probing = false;
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
        self.breakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
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
    fn one_finds_out_whether_it_is_back_and_the_others_wait() {
        let (breakers, connection, pace) = (
            Breakers::default(),
            ConnectionId::generate(),
            Pace::default(),
        );
        let now = Timestamp(0);
        let claim = |now| breakers.claim(connection, now, pace);
        let fail = |now| breakers.failed(connection, &transient("timeout"), now, pace);
        assert_eq!(claim(now), Claim::Free);
        for _ in 1..FAILURES {
            let _ = fail(now);
            assert_eq!(claim(now), Claim::Free);
        }
        let rest = fail(now).unwrap();
        let back = now.plus(rest);
        assert_eq!(claim(now), Claim::Busy { until: back });
        let until = back.plus(PROBE);
        assert_eq!(claim(back), Claim::Probe { until });
        assert!(breakers.is_probing(connection));
        assert_eq!(claim(back), Claim::Busy { until });
        // It needed no call; another one goes.
        assert_eq!(breakers.give_back(connection, back), Some(back));
        assert_eq!(claim(back), Claim::Probe { until });
        // Not back yet: all rest, longer than before.
        assert_eq!(fail(back), Some(rest * 2));
        assert!(!breakers.is_probing(connection));
        let later = back.plus(rest * 2);
        assert_eq!(breakers.give_back(connection, back), Some(later));
        assert!(matches!(claim(later), Claim::Probe { .. }));
        assert_eq!(breakers.take_closed(&[connection]), []);
        breakers.answered(connection);
        assert_eq!(breakers.give_back(connection, later), None);
        assert_eq!(claim(later), Claim::Free);
        assert_eq!(breakers.take_closed(&[connection]), [connection]);
        assert_eq!(breakers.take_closed(&[connection]), []);
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
