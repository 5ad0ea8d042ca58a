//! Time as an input: instants in microseconds UTC, a clock that tests move, a pace that scales waits.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An instant, microseconds since 1970 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// The text is not an RFC 3339 instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time such as 2026-11-24T15:04:05Z")]
pub struct NotATime(pub String);

impl Timestamp {
    /// Microseconds in a second.
    pub const SECOND: i64 = 1_000_000;

    /// The instant `wait` later; saturates.
    #[must_use]
    pub fn plus(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(micros(wait)))
    }

    /// The instant `wait` earlier; saturates.
    #[must_use]
    pub fn minus(self, wait: Duration) -> Self {
        Self(self.0.saturating_sub(micros(wait)))
    }

    /// How long from `earlier` until this instant; zero when it is not later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Cut to whole seconds, as vendors that keep seconds would show it.
    #[must_use]
    pub fn whole_seconds(self) -> Self {
        Self(self.0.div_euclid(Self::SECOND).saturating_mul(Self::SECOND))
    }

    /// The calendar form in UTC.
    #[must_use]
    pub fn to_utc(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0).saturating_mul(1000))
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// From a calendar form of any offset.
    #[must_use]
    pub fn from_utc(at: OffsetDateTime) -> Self {
        Self(i64::try_from(at.unix_timestamp_nanos().div_euclid(1000)).unwrap_or(i64::MAX))
    }
}

fn micros(wait: Duration) -> i64 {
    i64::try_from(wait.as_micros()).unwrap_or(i64::MAX)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_utc().format(&Rfc3339).unwrap_or_default())
    }
}

impl FromStr for Timestamp {
    type Err = NotATime;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        OffsetDateTime::parse(text.trim(), &Rfc3339)
            .map(Self::from_utc)
            .map_err(|_| NotATime(text.to_owned()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Where "now" comes from. Clones share the same clock.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    by_hand: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self { by_hand: None }
    }

    /// A clock that stands still until it is moved.
    #[must_use]
    pub fn by_hand(start: Timestamp) -> Self {
        Self {
            by_hand: Some(Arc::new(AtomicI64::new(start.0))),
        }
    }

    /// The present instant.
    #[must_use]
    #[allow(clippy::disallowed_methods)] // The one place that asks the machine.
    pub fn now(&self) -> Timestamp {
        match &self.by_hand {
            Some(at) => Timestamp(at.load(Ordering::SeqCst)),
            None => Timestamp::from_utc(OffsetDateTime::now_utc()),
        }
    }

    /// Moves a clock that is moved by hand; the machine's clock stays.
    pub fn advance(&self, by: Duration) {
        if let Some(at) = &self.by_hand {
            at.fetch_add(micros(by), Ordering::SeqCst);
        }
    }
}

/// Divides the waits that the product chooses itself, so that a day of behaviour fits a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    scale: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { scale: 1 }
    }
}

impl Pace {
    /// `scale` of 1 is real time; 0 counts as 1.
    #[must_use]
    pub fn new(scale: u32) -> Self {
        Self {
            scale: scale.max(1),
        }
    }

    /// The wait at this pace.
    #[must_use]
    pub fn wait(self, real: Duration) -> Duration {
        real / self.scale
    }

    /// The quiet period at this pace: never below two seconds, because vendors are not sped up.
    #[must_use]
    pub fn quiet_period(self, real: Duration) -> Duration {
        self.wait(real).max(Duration::from_secs(2))
    }

    /// A rate at this pace.
    #[must_use]
    pub fn rate(self, real: u32) -> u32 {
        real.saturating_mul(self.scale)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn instants_read_back_and_order() {
        let at: Timestamp = "2026-11-24T15:04:05.123456Z".parse().unwrap();
        assert_eq!(at.to_string(), "2026-11-24T15:04:05.123456Z");
        assert_eq!(at.whole_seconds().to_string(), "2026-11-24T15:04:05Z");
        assert_eq!(
            "2026-11-24T10:04:05.123456-05:00"
                .parse::<Timestamp>()
                .unwrap(),
            at
        );
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn a_clock_moved_by_hand_moves_for_all_clones() {
        let clock = Clock::by_hand(Timestamp(0));
        clock.clone().advance(Duration::from_secs(3));
        assert_eq!(clock.now(), Timestamp(3_000_000));
    }

    #[test]
    fn the_quiet_period_has_a_floor() {
        let pace = Pace::new(600);
        assert_eq!(pace.wait(Duration::from_secs(600)), Duration::from_secs(1));
        assert_eq!(
            pace.quiet_period(Duration::from_secs(300)),
            Duration::from_secs(2)
        );
    }
}
