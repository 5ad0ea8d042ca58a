//! The sandbox's own time: it runs with the machine's, until it is moved.

use serde::Deserialize;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

/// A clock that can be set, moved forward and stopped.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead: Duration,
    frozen: Option<OffsetDateTime>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    advance_seconds: Option<i64>,
    now: Option<String>,
    frozen: Option<bool>,
}

impl Clock {
    /// The sandbox's time, in UTC.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.frozen.unwrap_or_else(|| machine_time() + self.ahead)
    }

    /// Later (or, with a negative duration, earlier) from now on.
    pub fn advance(&mut self, by: Duration) {
        self.set(self.now().saturating_add(by));
    }

    /// This time from now on.
    pub fn set(&mut self, now: OffsetDateTime) {
        self.ahead = now - machine_time();
        self.frozen = self.frozen.map(|_| now);
    }

    /// Stands still at the present, or runs again from it.
    pub fn freeze(&mut self, frozen: bool) {
        let now = self.now();
        self.frozen = frozen.then_some(now);
        self.ahead = now - machine_time();
    }

    pub(super) fn change(&mut self, body: Value) -> Result<(), String> {
        let change: Move = serde_json::from_value(body).map_err(|error| error.to_string())?;
        // Stopped first: set and stopped in one call, it stands exactly where it was set.
        if change.frozen == Some(true) {
            self.freeze(true);
        }
        if let Some(text) = change.now {
            let now = OffsetDateTime::parse(&text, &Rfc3339);
            self.set(now.map_err(|error| format!("`now`: {error}"))?);
        }
        if let Some(seconds) = change.advance_seconds {
            self.advance(Duration::seconds(seconds));
        }
        if change.frozen == Some(false) {
            self.freeze(false);
        }
        Ok(())
    }

    pub(super) fn shown(&self) -> Value {
        json!({"now": rfc3339(self.now()), "frozen": self.frozen.is_some()})
    }
}

pub(super) fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

fn machine_time() -> OffsetDateTime {
    crate::domain::clock::Clock::system().now().to_utc()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_moves_only_by_hand() {
        let mut clock = Clock::default();
        let body = json!({"now": "2026-11-20T08:00:00Z", "frozen": true});
        clock.change(body).unwrap();
        let start = clock.now();
        clock.change(json!({"advance_seconds": 5400})).unwrap();
        assert!(clock.now() - start >= Duration::seconds(5400));
        assert_eq!(clock.now(), clock.now());
    }

    #[test]
    fn a_mistyped_move_is_refused() {
        assert!(Clock::default().change(json!({"advance": 1})).is_err());
        assert!(Clock::default().change(json!({"now": "soon"})).is_err());
    }
}
