//! How fast one line may call: a smooth bucket, a call in ten kept free for people, and pauses that the
//! vendor asks for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::contract::{Allowance, Response};
use crate::domain::clock::{Clock, Pace, Timestamp};
use crate::domain::fault::Fault;

use super::fault::retry_after;

/// A shorter wait is spent in place; a longer one is the caller's.
const WAIT_IN_PLACE_MAX: Duration = Duration::from_secs(1);
/// A pause that a vendor asks for is believed up to this long: the longest known rate window, and a bit.
const PAUSE_MAX: Duration = Duration::from_secs(65 * 60);
/// The longest pause that we choose ourselves, after a refusal that names none.
const OWN_PAUSE_MAX: Duration = Duration::from_secs(60);
/// Lines remembered before unused ones are forgotten.
const LINES_MAX: usize = 4096;
/// A line that rested this long has a full bucket anyway.
const LINE_IDLE_MAX: Duration = Duration::from_secs(2 * 60 * 60);
const MINUTE_MICROS: u64 = 60_000_000;

/// The paces of all lines, by name.
#[derive(Debug)]
pub(super) struct Paces {
    clock: Clock,
    pace: Pace,
    lines: Mutex<HashMap<String, Arc<LinePace>>>,
}

impl Paces {
    pub(super) fn new(clock: Clock, pace: Pace) -> Self {
        Self {
            clock,
            pace,
            lines: Mutex::default(),
        }
    }

    /// The pace of a line; calls of equal names share it.
    pub(super) fn line(&self, name: &str) -> Arc<LinePace> {
        let mut lines = lock(&self.lines);
        let now = self.clock.now();
        if lines.len() >= LINES_MAX && !lines.contains_key(name) {
            lines.retain(|_, line| now.since(lock(&line.state).used_at) < LINE_IDLE_MAX);
        }
        let fresh = || {
            Arc::new(LinePace {
                clock: self.clock.clone(),
                pace: self.pace,
                state: Mutex::default(),
            })
        };
        Arc::clone(lines.entry(name.to_owned()).or_insert_with(fresh))
    }
}

/// One line's pace.
#[derive(Debug)]
pub(super) struct LinePace {
    clock: Clock,
    pace: Pace,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Nine calls in ten, for everybody.
    common: Bucket,
    /// One call in ten, for people who wait.
    reserve: Bucket,
    /// No call before this instant: the vendor said so.
    paused_until: Timestamp,
    /// Refusals in a row that named no wait.
    strikes: u32,
    used_at: Timestamp,
}

impl LinePace {
    /// Waits for a turn, in the order of asking.
    ///
    /// # Errors
    /// `RateLimited` when the turn is more than a second away; nothing was taken then.
    pub(super) async fn take(&self, calls_a_minute: u32, interactive: bool) -> Result<(), Fault> {
        let wait = self.reserve(calls_a_minute, interactive).map_err(limited)?;
        if wait.is_zero() {
            return Ok(());
        }
        tokio::time::sleep(wait).await;
        // Somebody else's call may have been refused while this one waited.
        let rest = lock(&self.state).paused_until.since(self.clock.now());
        if rest > WAIT_IN_PLACE_MAX {
            return Err(limited(rest));
        }
        Ok(())
    }

    /// Takes the next turn and says how far away it is.
    ///
    /// # Errors
    /// The wait, when it is too long to be spent in place.
    fn reserve(&self, calls_a_minute: u32, interactive: bool) -> Result<Duration, Duration> {
        let now = self.clock.now();
        let mut state = lock(&self.state);
        state.used_at = now;
        let start = now.max(state.paused_until);
        let rate = u64::from(self.pace.rate(calls_a_minute));
        let rates = (rate > 0).then(|| (Rate::common(rate), Rate::reserve(rate)));
        let Some((common, reserve)) = rates else {
            return within(start.since(now));
        };
        let by_common = state.common.turn(start, common);
        let by_reserve = state.reserve.turn(start, reserve);
        let use_reserve = interactive && by_reserve < by_common;
        let turn = if use_reserve { by_reserve } else { by_common };
        let wait = within(turn.since(now))?;
        if use_reserve {
            state.reserve.take(start, reserve);
        } else {
            state.common.take(start, common);
        }
        Ok(wait)
    }

    /// Learns from an answer: a refusal pauses the line, the vendor's own figures may too.
    pub(super) fn note(&self, response: &Response, allowance: Option<Allowance>) {
        let now = self.clock.now();
        let asked = retry_after(response, now);
        let mut state = lock(&self.state);
        let pause = match (response.status, asked) {
            (429, None) => {
                let doubled = Duration::from_secs(1 << state.strikes.min(6)).min(OWN_PAUSE_MAX);
                state.strikes = state.strikes.saturating_add(1);
                Some(self.pace.wait(doubled))
            }
            (429 | 503, Some(asked)) => Some(asked.min(PAUSE_MAX)),
            _ => None,
        };
        if response.is_success() {
            state.strikes = 0;
        }
        let until_reset = allowance
            .filter(|allowance| allowance.remaining == 0)
            .map(|allowance| allowance.resets_at.since(now).min(PAUSE_MAX));
        if let Some(pause) = pause.max(until_reset) {
            state.paused_until = state.paused_until.max(now.plus(pause));
        }
    }
}

fn within(wait: Duration) -> Result<Duration, Duration> {
    if wait > WAIT_IN_PLACE_MAX {
        Err(wait)
    } else {
        Ok(wait)
    }
}

fn limited(retry_after: Duration) -> Fault {
    Fault::RateLimited {
        retry_after,
        message: "the connection's pace leaves no room for this call yet".to_owned(),
    }
}

/// A bucket's figures.
#[derive(Debug, Clone, Copy)]
struct Rate {
    /// Microseconds from one call to the next.
    interval: u64,
    /// Calls that may come at once after a rest.
    burst: u64,
}

impl Rate {
    /// Burst and refill together stay below nine calls in ten of any minute.
    fn common(calls_a_minute: u64) -> Self {
        Self {
            interval: MINUTE_MICROS.saturating_mul(20) / calls_a_minute.saturating_mul(17),
            burst: (calls_a_minute / 20).max(1),
        }
    }

    /// The tenth call.
    fn reserve(calls_a_minute: u64) -> Self {
        Self {
            interval: MINUTE_MICROS.saturating_mul(25) / calls_a_minute.saturating_mul(2),
            burst: (calls_a_minute / 50).max(1),
        }
    }
}

/// A bucket kept as the instant at which it would be full again.
#[derive(Debug, Default)]
struct Bucket {
    full_at: Timestamp,
}

impl Bucket {
    /// When the next call may go, not before `start`.
    fn turn(&self, start: Timestamp, rate: Rate) -> Timestamp {
        let slack =
            Duration::from_micros(rate.interval.saturating_mul(rate.burst.saturating_sub(1)));
        start.max(self.full_at.minus(slack))
    }

    fn take(&mut self, start: Timestamp, rate: Rate) {
        self.full_at = self
            .full_at
            .max(start)
            .plus(Duration::from_micros(rate.interval));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_800_000_000_000_000);

    fn line(clock: &Clock) -> Arc<LinePace> {
        Paces::new(clock.clone(), Pace::default()).line("a")
    }

    fn answer(status: u16, headers: &[(&str, &str)]) -> Response {
        Response {
            status,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: Vec::new(),
        }
    }

    #[test]
    fn no_minute_sees_more_calls_than_allowed_and_few_fewer() {
        const MINUTES: usize = 3;
        for rate in [50, 60, 100, 500, 3000] {
            let clock = Clock::by_hand(START);
            let line = line(&clock);
            let mut turns = Vec::new();
            for _ in 0..MINUTES * 60_000 {
                for interactive in [false, true] {
                    let wait = line.reserve(rate, interactive);
                    turns.extend(wait.ok().map(|wait| clock.now().plus(wait)));
                }
                clock.advance(Duration::from_millis(1));
            }
            turns.sort();
            let rate = usize::try_from(rate).unwrap();
            for (first, over) in turns.iter().zip(turns.iter().skip(rate)) {
                let apart = over.since(*first);
                assert!(
                    apart > Duration::from_secs(59),
                    "{rate} and one in {apart:?}"
                );
            }
            let least = rate * MINUTES * 9 / 10;
            assert!(turns.len() >= least, "{} calls at {rate}", turns.len());
        }
    }

    #[test]
    fn turns_come_in_order_and_a_long_wait_is_given_back() {
        let clock = Clock::by_hand(START);
        let line = line(&clock);
        // 60 a minute: three at once, then one every 1.18 s.
        let waits: Vec<Result<Duration, Duration>> =
            (0..5).map(|_| line.reserve(60, false)).collect();
        assert_eq!(waits[..3], [Ok(Duration::ZERO); 3]);
        let long = waits[3].unwrap_err();
        assert!(
            long > WAIT_IN_PLACE_MAX && long < Duration::from_millis(1200),
            "{long:?}"
        );
        assert_eq!(waits[3], waits[4], "a refused caller takes no turn");
        clock.advance(Duration::from_millis(500));
        let short = line.reserve(60, false).unwrap();
        assert_eq!(short, long - Duration::from_millis(500));
        assert_eq!(
            line.reserve(60, true).unwrap(),
            Duration::ZERO,
            "a person has a bucket apart"
        );
    }

    #[test]
    fn a_refusal_pauses_everybody_and_longer_each_time() {
        let clock = Clock::by_hand(START);
        let line = line(&clock);
        line.note(&answer(429, &[("retry-after", "7")]), None);
        assert_eq!(line.reserve(0, true), Err(Duration::from_secs(7)));
        clock.advance(Duration::from_secs(7));
        assert_eq!(line.reserve(0, false), Ok(Duration::ZERO));
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            line.note(&answer(429, &[]), None);
            let wait = line.reserve(0, false).unwrap_or_else(|wait| wait);
            assert_eq!(wait, Duration::from_secs(seconds));
            clock.advance(wait);
        }
        line.note(&answer(200, &[]), None);
        line.note(&answer(429, &[]), None);
        assert_eq!(line.reserve(0, false), Ok(Duration::from_secs(1)));
        clock.advance(Duration::from_secs(1));
        line.note(&answer(503, &[]), None);
        assert_eq!(line.reserve(0, false), Ok(Duration::ZERO));
    }

    #[test]
    fn the_vendors_own_figures_pause_until_its_window_ends() {
        let clock = Clock::by_hand(START);
        let line = line(&clock);
        let allowance = |remaining, seconds| {
            Some(Allowance {
                remaining,
                resets_at: clock.now().plus(Duration::from_secs(seconds)),
            })
        };
        line.note(&answer(200, &[]), allowance(1, 900));
        assert_eq!(line.reserve(0, false), Ok(Duration::ZERO));
        line.note(&answer(200, &[]), allowance(0, 900));
        assert_eq!(line.reserve(0, false), Err(Duration::from_secs(900)));
        clock.advance(Duration::from_secs(900));
        assert_eq!(line.reserve(0, false), Ok(Duration::ZERO));
    }

    #[test]
    fn a_faster_world_has_a_faster_pace() {
        let clock = Clock::by_hand(START);
        let line = Paces::new(clock.clone(), Pace::new(60)).line("a");
        let at_once = (0..1000)
            .filter(|_| line.reserve(100, false) == Ok(Duration::ZERO))
            .count();
        assert_eq!(at_once, 300);
    }

    #[test]
    fn equal_names_share_a_pace_and_idle_ones_are_forgotten() {
        let clock = Clock::by_hand(START);
        let paces = Paces::new(clock.clone(), Pace::default());
        assert!(Arc::ptr_eq(&paces.line("a"), &paces.line("a")));
        for number in 0..LINES_MAX {
            paces.line(&number.to_string()).reserve(1, false).unwrap();
        }
        clock.advance(LINE_IDLE_MAX);
        paces.line("fresh");
        assert_eq!(lock(&paces.lines).len(), 1);
    }
}
