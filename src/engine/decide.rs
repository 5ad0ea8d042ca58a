//! What happens after a fault: one table, without exceptions.

use std::time::Duration;

use crate::domain::clock::{Pace, Timestamp};
use crate::domain::fault::Fault;
use crate::domain::ids::RecordId;
use crate::domain::tag::digest;

/// What the engine does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Try again after this long.
    Retry { after: Duration },
    /// The whole connection slows down for this long; the record has lost nothing.
    SlowDown { after: Duration },
    /// Look again at what the target holds, then plan once more.
    LookAgain,
    /// It may have landed: only a look-up tells.
    Verify,
    /// Nothing more happens by itself; a fact must change.
    Fail,
}

/// What was tried so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// Attempts that failed, this one included.
    pub attempts: u32,
    /// Since the first of them.
    pub for_so_long: Duration,
}

/// Attempts before a transient fault becomes a failure.
pub const ATTEMPTS_MAX: u32 = 8;
/// How long transient faults are tried again.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);
const FIRST_WAIT: Duration = Duration::from_secs(5);
const WAIT_MAX: Duration = Duration::from_secs(3600);

/// The decision.
#[must_use]
pub fn decide(fault: &Fault, tried: Tried, backoff: impl Fn(u32) -> Duration) -> Next {
    match fault {
        Fault::Transient { .. } | Fault::Auth { .. } => {
            if tried.attempts >= ATTEMPTS_MAX || tried.for_so_long >= PATIENCE {
                Next::Fail
            } else {
                Next::Retry {
                    after: backoff(tried.attempts),
                }
            }
        }
        Fault::RateLimited { retry_after, .. } => Next::SlowDown {
            after: *retry_after,
        },
        Fault::Conflict { .. } => {
            if tried.attempts <= 1 {
                Next::LookAgain
            } else {
                Next::Fail
            }
        }
        Fault::Ambiguous { .. } => Next::Verify,
        Fault::Rejected { .. } | Fault::Missing { .. } | Fault::Broken { .. } => Next::Fail,
    }
}

/// Exponential with full jitter. The jitter comes from the record and the attempt: spread over records,
/// yet the same when it is computed again.
#[must_use]
pub fn backoff(pace: Pace, record: RecordId, attempt: u32) -> Duration {
    let doubled =
        FIRST_WAIT.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1).min(16)));
    let most = doubled.min(WAIT_MAX);
    let drawn = digest(format!("{record}/{attempt}").as_bytes());
    let share = u32::from_str_radix(drawn.get(..4).unwrap_or("0"), 16).unwrap_or(0);
    // Between a quarter and the whole of it: never at once, never all together.
    let jittered = most / 4 + (most * 3 / 4) * share / 65_535;
    pace.wait(jittered)
}

/// What a record tried, with this failure counted.
#[must_use]
pub fn tried(attempts: u32, first_failed_at: Option<Timestamp>, now: Timestamp) -> Tried {
    Tried {
        attempts,
        for_so_long: first_failed_at.map_or(Duration::ZERO, |first| now.since(first)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::Issue;

    #[test]
    fn each_fault_has_one_consequence() {
        let text = |code: &str| (code.to_owned(), "words".to_owned());
        let wait = Duration::from_secs(7);
        let (code, message) = text("x");
        let transient = Fault::Transient { code, message };
        let (code, message) = text("x");
        let auth = Fault::Auth { code, message };
        let (code, message) = text("x");
        let conflict = Fault::Conflict { code, message };
        let (code, message) = text("x");
        let ambiguous = Fault::Ambiguous { code, message };
        let (code, message) = text("x");
        let broken = Fault::Broken { code, message };
        let (what, message) = text("x");
        let missing = Fault::Missing { what, message };
        let rejected = Fault::Rejected {
            issues: vec![Issue::new("a", "b", "c")],
        };
        let limited = Fault::RateLimited {
            retry_after: Duration::from_secs(3),
            message: String::new(),
        };
        let retry = Next::Retry { after: wait };
        let table = [
            (&transient, 1, retry.clone()),
            (&transient, ATTEMPTS_MAX, Next::Fail),
            (&auth, 2, retry),
            (&auth, ATTEMPTS_MAX, Next::Fail),
            (
                &limited,
                99,
                Next::SlowDown {
                    after: Duration::from_secs(3),
                },
            ),
            (&conflict, 1, Next::LookAgain),
            (&conflict, 2, Next::Fail),
            (&ambiguous, 1, Next::Verify),
            (&broken, 1, Next::Fail),
            (&missing, 1, Next::Fail),
            (&rejected, 1, Next::Fail),
        ];
        for (fault, attempts, want) in table {
            let tried = Tried {
                attempts,
                for_so_long: Duration::ZERO,
            };
            assert_eq!(
                decide(fault, tried, |_| wait),
                want,
                "{fault:?} after {attempts}"
            );
        }
        let old = Tried {
            attempts: 2,
            for_so_long: PATIENCE,
        };
        assert_eq!(decide(&transient, old, |_| wait), Next::Fail);
    }

    #[test]
    fn waits_grow_and_stay_within_bounds() {
        let record = RecordId::generate();
        for attempt in 1..=20 {
            let wait = backoff(Pace::default(), record, attempt);
            assert!(wait >= FIRST_WAIT / 4, "{attempt}: {wait:?}");
            assert!(wait <= WAIT_MAX, "{attempt}: {wait:?}");
        }
        assert_eq!(
            backoff(Pace::default(), record, 3),
            backoff(Pace::default(), record, 3)
        );
    }
}
