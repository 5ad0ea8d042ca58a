//! From an answer to a fault, where the vendor's own words do not say more.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::contract::{Call, Response};
use crate::domain::clock::Timestamp;
use crate::domain::fault::Fault;

/// The wait of a refusal that names none; the line's own pause grows from there.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(1);
/// Characters of a strange answer that are shown.
const SAMPLE_CHARACTERS_MAX: usize = 200;

/// The fault of an answer that is not a success, by its status alone; `says` is the vendor's sentence.
///
/// A write is unknown unless the vendor clearly refused it: 408, 5xx and everything outside HTTP's list of
/// refusals may come after it was done.
#[must_use]
pub fn by_status(
    call: Call,
    response: &Response,
    now: Timestamp,
    says: impl Into<String>,
) -> Fault {
    let message = says.into();
    let code = format!("http_{}", response.status);
    match response.status {
        429 => Fault::RateLimited {
            retry_after: retry_after(response, now).unwrap_or(RETRY_AFTER_DEFAULT),
            message,
        },
        401 | 403 | 407 => Fault::Auth { code, message },
        404 | 410 => Fault::Missing {
            what: code,
            message,
        },
        409 | 412 | 423 | 428 => Fault::Conflict { code, message },
        // 408 says that the request was not read to its end, but proxies say it later, too.
        400..=407 | 411..=499 => Fault::rejected("", &code, message),
        408 | 500..=599 => no_answer(call, &code, message),
        _ => unusable(call, &code, message),
    }
}

/// The fault of a call that had no answer at all.
#[must_use]
pub fn no_answer(call: Call, code: &str, message: impl Into<String>) -> Fault {
    let (code, message) = (code.to_owned(), message.into());
    match call {
        Call::Read => Fault::Transient { code, message },
        Call::Write => Fault::Ambiguous { code, message },
    }
}

/// The fault of an answer that came and cannot be understood: after a write nobody knows what happened.
#[must_use]
pub fn unusable(call: Call, code: &str, message: impl Into<String>) -> Fault {
    let (code, message) = (code.to_owned(), message.into());
    match call {
        Call::Read => Fault::Broken { code, message },
        Call::Write => Fault::Ambiguous { code, message },
    }
}

/// How long the vendor asks to wait: seconds, or a date by the answer's own clock.
#[must_use]
pub fn retry_after(response: &Response, now: Timestamp) -> Option<Duration> {
    let asked = response.header("retry-after")?.trim();
    if let Ok(seconds) = asked.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    // The answer's own date, because our clock and the vendor's may differ.
    let from = response.header("date").and_then(date).unwrap_or(now);
    Some(date(asked)?.since(from))
}

fn date(text: &str) -> Option<Timestamp> {
    OffsetDateTime::parse(text.trim(), &Rfc2822)
        .ok()
        .map(Timestamp::from_utc)
}

/// The beginning of a strange answer, on one line, for people.
#[must_use]
pub fn sample(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let plain = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .map(|letter| {
            if letter.is_control() {
                '\u{fffd}'
            } else {
                letter
            }
        })
        .take(SAMPLE_CHARACTERS_MAX)
        .collect::<String>();
    if plain.is_empty() {
        "an empty answer".to_owned()
    } else {
        format!("`{plain}`")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

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
    fn every_status_has_its_consequence() {
        for (status, on_read, on_write) in [
            (302, "broken", "ambiguous"),
            (400, "rejected", "rejected"),
            (401, "auth", "auth"),
            (403, "auth", "auth"),
            (404, "missing", "missing"),
            (408, "transient", "ambiguous"),
            (409, "conflict", "conflict"),
            (412, "conflict", "conflict"),
            (413, "rejected", "rejected"),
            (422, "rejected", "rejected"),
            (429, "rate_limited", "rate_limited"),
            (499, "rejected", "rejected"),
            (500, "transient", "ambiguous"),
            (502, "transient", "ambiguous"),
            (503, "transient", "ambiguous"),
            (599, "transient", "ambiguous"),
            (700, "broken", "ambiguous"),
        ] {
            let of = |call| by_status(call, &answer(status, &[]), Timestamp(0), "no").class();
            assert_eq!(
                (of(Call::Read), of(Call::Write)),
                (on_read, on_write),
                "{status}"
            );
        }
    }

    #[test]
    fn the_wait_is_read_in_seconds_and_as_a_date() {
        let now: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        let wait = |headers: &[(&str, &str)]| retry_after(&answer(429, headers), now);
        assert_eq!(wait(&[]), None);
        assert_eq!(
            wait(&[("retry-after", " 12 ")]),
            Some(Duration::from_secs(12))
        );
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        let until = ("retry-after", "Tue, 24 Nov 2026 10:01:30 GMT");
        assert_eq!(wait(&[until]), Some(Duration::from_secs(90)));
        let by_their_clock = ("date", "Tue, 24 Nov 2026 10:01:00 GMT");
        assert_eq!(
            wait(&[until, by_their_clock]),
            Some(Duration::from_secs(30))
        );
    }

    #[test]
    fn a_sample_is_short_and_harmless() {
        assert_eq!(sample(b""), "an empty answer");
        assert_eq!(
            sample(b"<h1>\r\n\tOops\x1b[31m</h1>"),
            "`<h1> Oops\u{fffd}[31m</h1>`"
        );
        assert_eq!(
            sample(&[b'a'; 500]).chars().count(),
            SAMPLE_CHARACTERS_MAX + 2
        );
    }
}
