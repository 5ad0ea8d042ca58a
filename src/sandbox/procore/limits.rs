//! The two rate windows and the headers that tell of them.
//!
//! Source: Procore rate limiting page, read 2026-11-22: a spike window of 10 s and an hourly one;
//! the headers describe the nearer of the two. Assumed: a window starts with its first call, and
//! refused calls do not count.

use time::{Duration, OffsetDateTime};

use super::settings::Settings;
use crate::sandbox::kit::Reply;

/// What the headers say when nothing is limited.
const UNLIMITED: u64 = 1_000_000;

struct Window {
    length: Duration,
    start: OffsetDateTime,
    calls: u64,
}

/// Limit, calls left and the second at which the window ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    limit: u64,
    left: u64,
    reset: i64,
}

pub(super) struct Limits {
    spike: Window,
    hourly: Window,
}

impl Window {
    fn new(length: Duration) -> Self {
        Self {
            length,
            start: OffsetDateTime::UNIX_EPOCH,
            calls: 0,
        }
    }

    fn standing(&mut self, limit: u64, now: OffsetDateTime) -> Standing {
        if now < self.start || now >= self.start + self.length {
            self.start = now;
            self.calls = 0;
        }
        Standing {
            limit,
            left: limit.saturating_sub(self.calls),
            reset: (self.start + self.length).unix_timestamp(),
        }
    }
}

impl Limits {
    pub(super) fn new() -> Self {
        Self {
            spike: Window::new(Duration::seconds(10)),
            hourly: Window::new(Duration::hours(1)),
        }
    }

    /// Counts one call.
    ///
    /// # Errors
    /// The standing of the window that is full.
    pub(super) fn count(
        &mut self,
        settings: &Settings,
        now: OffsetDateTime,
    ) -> Result<Standing, Standing> {
        let before = self.nearest(settings, now);
        if before.left == 0 {
            return Err(before);
        }
        self.spike.calls += 1;
        self.hourly.calls += 1;
        Ok(self.nearest(settings, now))
    }

    pub(super) fn nearest(&mut self, settings: &Settings, now: OffsetDateTime) -> Standing {
        let (spike, hourly) = if settings.limits {
            (settings.spike_limit, settings.hourly_limit)
        } else {
            (UNLIMITED, UNLIMITED)
        };
        let spike = self.spike.standing(spike, now);
        let hourly = self.hourly.standing(hourly, now);
        let mut standing = if hourly.left < spike.left {
            hourly
        } else {
            spike
        };
        if !settings.limits {
            standing.left = UNLIMITED;
        }
        standing
    }
}

impl Standing {
    pub(super) fn tell(self, reply: Reply) -> Reply {
        reply
            .header("X-Rate-Limit-Limit", &self.limit.to_string())
            .header("X-Rate-Limit-Remaining", &self.left.to_string())
            .header("X-Rate-Limit-Reset", &self.reset.to_string())
    }

    /// Seconds until the window ends, at least 1.
    pub(super) fn wait_s(self, now: OffsetDateTime) -> i64 {
        (self.reset - now.unix_timestamp()).max(1)
    }

    /// No calls left for that many seconds.
    pub(super) fn spent(self, now: OffsetDateTime, seconds: u64) -> Self {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        Self {
            left: 0,
            reset: now.unix_timestamp().saturating_add(seconds),
            ..self
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_nearer_window_speaks_and_refuses() {
        let mut settings = Settings::new(true);
        (settings.spike_limit, settings.hourly_limit) = (2, 3);
        let mut limits = Limits::new();
        let start = OffsetDateTime::UNIX_EPOCH + Duration::days(1);
        assert_eq!(limits.count(&settings, start).unwrap().left, 1);
        assert_eq!(limits.count(&settings, start).unwrap().left, 0);
        assert_eq!(
            limits.count(&settings, start).unwrap_err().wait_s(start),
            10
        );

        let later = start + Duration::seconds(10);
        assert_eq!(limits.count(&settings, later).unwrap().limit, 3);
        assert_eq!(
            limits.count(&settings, later).unwrap_err().wait_s(later),
            3590
        );
    }

    #[test]
    fn without_limits_nothing_runs_out() {
        let settings = Settings::new(false);
        let mut limits = Limits::new();
        let now = OffsetDateTime::UNIX_EPOCH;
        assert!((0..5000).all(|_| limits.count(&settings, now).is_ok()));
    }
}
