//! How often something may be guessed: so many tries close together, so many a day, then a growing pause.

use std::time::Duration;

use super::clock::Timestamp;

/// What one subject (an account, a network address) may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Guesses that are evaluated before the first pause; no window holds more.
    pub in_a_row: u32,
    pub a_day: u32,
}

/// The window of [`Allowance::in_a_row`], and the shortest pause.
pub const WINDOW: Duration = Duration::from_secs(15 * 60);
/// Pauses double up to this one, so that a stranger never locks an account for good.
const PAUSE_MAX: Duration = Duration::from_secs(4 * 60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is remembered about a subject.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Since the last silence of a whole window.
    pub guesses: u32,
    pub last_guess_at: Timestamp,
    /// Days since 1970.
    pub day: i64,
    pub guesses_today: u32,
    pub blocked_until: Timestamp,
}

/// Whether one more guess is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Evaluate it, and remember this.
    Taken(Tally),
    /// Do not look at it; nothing is remembered, so that refused tries do not lengthen the pause.
    Refused { retry_after: Duration },
}

impl Tally {
    /// Takes one guess from the allowance.
    #[must_use]
    pub fn take(self, now: Timestamp, allowance: Allowance) -> Verdict {
        let tally = self.aged(now);
        if now < tally.blocked_until {
            return Verdict::Refused {
                retry_after: tally.blocked_until.since(now),
            };
        }
        let guesses = tally.guesses.saturating_add(1);
        let guesses_today = tally.guesses_today.saturating_add(1);
        let blocked_until = if guesses_today >= allowance.a_day {
            end_of_day(tally.day)
        } else if guesses >= allowance.in_a_row {
            now.plus(pause(guesses_today, allowance))
        } else {
            tally.blocked_until
        };
        Verdict::Taken(Self {
            guesses,
            last_guess_at: now,
            day: tally.day,
            guesses_today,
            blocked_until,
        })
    }

    /// A guess that turned out right does not count.
    #[must_use]
    pub fn give_back(self) -> Self {
        Self {
            guesses: self.guesses.saturating_sub(1),
            guesses_today: self.guesses_today.saturating_sub(1),
            blocked_until: Timestamp::default(),
            ..self
        }
    }

    /// Forgets what a silence of a window, or a new day, has settled.
    fn aged(self, now: Timestamp) -> Self {
        let day = day_of(now);
        let is_settled = now.since(self.last_guess_at) >= WINDOW;
        Self {
            guesses: if is_settled { 0 } else { self.guesses },
            day,
            guesses_today: if day == self.day {
                self.guesses_today
            } else {
                0
            },
            ..self
        }
    }
}

/// The window the first time, twice as long each time after.
fn pause(guesses_today: u32, allowance: Allowance) -> Duration {
    let times_before = (guesses_today / allowance.in_a_row.max(1)).saturating_sub(1);
    WINDOW
        .saturating_mul(2_u32.saturating_pow(times_before.min(8)))
        .min(PAUSE_MAX)
}

fn day_of(at: Timestamp) -> i64 {
    at.0.div_euclid(micros_a_day())
}

fn end_of_day(day: i64) -> Timestamp {
    Timestamp(day.saturating_add(1).saturating_mul(micros_a_day()))
}

fn micros_a_day() -> i64 {
    i64::try_from(DAY.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ACCOUNT: Allowance = Allowance {
        in_a_row: 10,
        a_day: 100,
    };

    /// Tries every second for so many seconds from an instant; gives when tries were evaluated.
    fn hammer(tally: &mut Tally, from: Timestamp, seconds: u64) -> Vec<Timestamp> {
        let mut evaluated = Vec::new();
        for second in 0..seconds {
            let now = from.plus(Duration::from_secs(second));
            if let Verdict::Taken(next) = tally.take(now, ACCOUNT) {
                *tally = next;
                evaluated.push(now);
            }
        }
        evaluated
    }

    #[test]
    fn no_quarter_of_an_hour_holds_more_than_ten_and_no_day_more_than_a_hundred() {
        let mut tally = Tally::default();
        let evaluated = hammer(&mut tally, Timestamp(0), 24 * 60 * 60);
        assert!(evaluated.len() <= 100, "{}", evaluated.len());
        assert!(evaluated.len() > 20, "a stranger locks nobody out for good");
        for (at, first) in evaluated.iter().enumerate() {
            let within = |other: &&Timestamp| other.since(*first) < WINDOW;
            let close = evaluated.iter().skip(at).take_while(within).count();
            assert!(close <= 10, "{close} after {first}");
        }
    }

    #[test]
    fn slow_typing_errors_are_forgiven_after_a_silence() {
        let mut tally = Tally::default();
        for hour in 0..50 {
            let now = Timestamp(0).plus(Duration::from_secs(hour * 3600));
            let Verdict::Taken(next) = tally.take(now, ACCOUNT) else {
                panic!("refused in hour {hour}");
            };
            tally = next;
        }
    }

    #[test]
    fn a_refused_try_says_when_to_come_back_and_does_not_lengthen_the_pause() {
        let mut tally = Tally::default();
        assert_eq!(hammer(&mut tally, Timestamp(0), 60).len(), 10);
        let Verdict::Refused { retry_after } =
            tally.take(Timestamp(0).plus(Duration::from_secs(109)), ACCOUNT)
        else {
            panic!("the eleventh is refused");
        };
        assert_eq!(retry_after, Duration::from_secs(15 * 60 - 100));
        let later = Timestamp(0).plus(Duration::from_secs(9 + 15 * 60));
        assert!(matches!(tally.take(later, ACCOUNT), Verdict::Taken(_)));
    }

    #[test]
    fn a_right_guess_does_not_count() {
        let mut tally = Tally::default();
        for second in 0..200 {
            let now = Timestamp(0).plus(Duration::from_secs(second));
            let Verdict::Taken(next) = tally.take(now, ACCOUNT) else {
                panic!("refused at {second}");
            };
            tally = next.give_back();
        }
    }
}
