//! How fast Procore lets us go: its own figures, read from every answer.
//!
//! Source: Procore "Rate limiting", read 2026-11-22: an hourly window and a 10-second spike window; the
//! headers describe the nearer one and give the second at which it ends. Figures differ by contract, so
//! none is assumed here.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::connectors::kit::fault;
use crate::contract::{Allowance, Response};
use crate::domain::clock::Timestamp;

/// The longest window there is. Source: Procore "Rate limiting", read 2026-11-22.
const WINDOW_MAX: Duration = Duration::from_secs(3600);

/// What is left of the window that the answer describes.
pub(super) fn allowance(response: &Response, now: Timestamp) -> Option<Allowance> {
    let remaining: u64 = number(response, "x-rate-limit-remaining")?;
    let resets_in = window_left(response, now)?;
    Some(Allowance {
        remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
        resets_at: now.plus(resets_in),
    })
}

/// How long to wait after a refusal: the later of `Retry-After` and the window's end, because the
/// vendor's pages disagree about which of the two a refusal carries.
pub(super) fn retry_after(response: &Response, now: Timestamp) -> Option<Duration> {
    let asked = fault::retry_after(response, now);
    let longest = asked.max(window_left(response, now))?;
    Some(longest.clamp(Duration::from_secs(1), WINDOW_MAX))
}

/// Until the window ends. The end is a second of the vendor's clock, which may differ from ours by an
/// hour: of the two ways to measure, by our clock and by the answer's own date, the shorter one that
/// still lies ahead counts.
fn window_left(response: &Response, now: Timestamp) -> Option<Duration> {
    let end = number(response, "x-rate-limit-reset")?;
    let end = Timestamp(i64::try_from(end).ok()?.checked_mul(Timestamp::SECOND)?);
    let by_ours = until(end, now);
    let by_theirs = date(response, "date").map_or(Duration::ZERO, |date| until(end, date));
    let ahead = [by_ours, by_theirs]
        .into_iter()
        .filter(|left| !left.is_zero());
    Some(ahead.min().unwrap_or_default().min(WINDOW_MAX))
}

fn until(end: Timestamp, now: Timestamp) -> Duration {
    end.since(now)
}

fn number(response: &Response, name: &str) -> Option<u64> {
    response.header(name)?.trim().parse().ok()
}

fn date(response: &Response, name: &str) -> Option<Timestamp> {
    let text = response.header(name)?;
    let date = OffsetDateTime::parse(text.trim(), &Rfc2822).ok()?;
    Some(Timestamp::from_utc(date))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    type Header = (&'static str, &'static str);

    fn answer(headers: &[(&str, &str)]) -> Response {
        Response {
            status: 200,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: Vec::new(),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * Timestamp::SECOND)
    }

    #[test]
    fn the_figures_are_read_and_nothing_is_invented() {
        let full = [
            ("x-rate-limit-limit", "25"),
            ("x-rate-limit-remaining", "24"),
            ("x-rate-limit-reset", "1769990400"),
        ];
        let found = allowance(&answer(&full), at(1_769_990_394)).unwrap();
        assert_eq!((found.remaining, found.resets_at), (24, at(1_769_990_400)));
        assert_eq!(allowance(&answer(&full[..2]), at(0)), None);
        let nonsense = [("x-rate-limit-remaining", "many")];
        assert_eq!(allowance(&answer(&nonsense), at(0)), None);
    }

    #[test]
    fn a_clock_that_is_an_hour_off_waits_no_hour() {
        let headers = [
            ("date", "Mon, 02 Feb 2026 00:00:00 GMT"),
            ("x-rate-limit-remaining", "0"),
            ("x-rate-limit-reset", "1769990410"),
        ];
        let theirs = 1_769_990_400;
        for skew in [-3600, 0, 3600] {
            let found = allowance(&answer(&headers), at(theirs + skew)).unwrap();
            assert_eq!(found.resets_at, at(theirs + skew + 10), "skew {skew}");
        }
    }

    #[test]
    fn the_later_wait_counts() {
        let now = at(1_000_000);
        let table: [(&[Header], Option<u64>); 6] = [
            (&[("retry-after", "10")], Some(10)),
            (
                &[("retry-after", "10"), ("x-rate-limit-reset", "1000030")],
                Some(30),
            ),
            (
                &[("retry-after", "40"), ("x-rate-limit-reset", "1000030")],
                Some(40),
            ),
            (&[("retry-after", "999999")], Some(3600)),
            (&[("retry-after", "0")], Some(1)),
            (&[], None),
        ];
        for (headers, seconds) in table {
            let wait = retry_after(&answer(headers), now);
            assert_eq!(wait, seconds.map(Duration::from_secs), "{headers:?}");
        }
    }
}
