//! How often one may come: log-ins, tokens and calls, each counted in windows.
//!
//! Source: Infor OS usage limits, read 2026-11-22. Assumed: a window starts with its first use,
//! and what was refused does not count.

use time::{Duration, OffsetDateTime};

use super::settings::Settings;

struct Window {
    length: Duration,
    start: OffsetDateTime,
    used: u64,
}

/// Seconds until there is room again.
pub(super) struct Full(pub u64);

/// All windows of the tenant.
pub(super) struct Limits {
    logins_minute: Window,
    logins_day: Window,
    tokens_day: Window,
    calls_minute: Window,
}

impl Limits {
    pub(super) fn new() -> Self {
        Self {
            logins_minute: Window::new(Duration::minutes(1)),
            logins_day: Window::new(Duration::days(1)),
            tokens_day: Window::new(Duration::days(1)),
            calls_minute: Window::new(Duration::minutes(1)),
        }
    }

    pub(super) fn log_in(&mut self, settings: &Settings, now: OffsetDateTime) -> Result<(), Full> {
        self.logins_minute.take(settings.logins_per_minute, now)?;
        self.logins_day.take(settings.logins_per_day, now)
    }

    pub(super) fn token(&mut self, settings: &Settings, now: OffsetDateTime) -> Result<(), Full> {
        self.tokens_day.take(settings.tokens_per_day, now)
    }

    pub(super) fn call(&mut self, settings: &Settings, now: OffsetDateTime) -> Result<(), Full> {
        self.calls_minute.take(settings.calls_per_minute, now)
    }
}

impl Window {
    fn new(length: Duration) -> Self {
        Self {
            length,
            start: OffsetDateTime::UNIX_EPOCH,
            used: 0,
        }
    }

    fn take(&mut self, limit: u64, now: OffsetDateTime) -> Result<(), Full> {
        if limit == 0 {
            return Ok(());
        }
        if now < self.start || now >= self.start + self.length {
            self.start = now;
            self.used = 0;
        }
        if self.used >= limit {
            let wait = self.start + self.length - now;
            return Err(Full(wait.whole_seconds().unsigned_abs().max(1)));
        }
        self.used += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_refuses_when_full_and_opens_again() {
        let mut window = Window::new(Duration::minutes(1));
        let start = OffsetDateTime::UNIX_EPOCH + Duration::days(1);
        assert!((0..2).all(|_| window.take(2, start).is_ok()));
        let later = start + Duration::seconds(20);
        assert!(window.take(2, later).is_err_and(|full| full.0 == 40));
        assert!(window.take(2, start + Duration::minutes(1)).is_ok());
        assert!((0..99).all(|_| window.take(0, later).is_ok()));
    }
}
