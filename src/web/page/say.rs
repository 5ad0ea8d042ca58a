//! How values are written for people: money, instants, counts.

use time::OffsetDateTime;

use crate::domain::clock::Timestamp;

/// `1 record`, `2 records`.
#[must_use]
pub fn plural(count: u64, one: &str, many: &str) -> String {
    let word = if count == 1 { one } else { many };
    format!("{} {word}", grouped(&count.to_string()))
}

/// `24 Nov 2026, 15:04 UTC`.
#[must_use]
pub fn time(at: Timestamp) -> String {
    let utc = at.to_utc();
    format!(
        "{}, {:02}:{:02} UTC",
        date_of(utc),
        utc.hour(),
        utc.minute()
    )
}

/// `24 Nov 2026, 15:04:05 UTC`, where the order of events matters.
#[must_use]
pub fn time_exact(at: Timestamp) -> String {
    let utc = at.to_utc();
    format!(
        "{}, {:02}:{:02}:{:02} UTC",
        date_of(utc),
        utc.hour(),
        utc.minute(),
        utc.second()
    )
}

/// `24 Nov 2026`.
#[must_use]
pub fn date(at: Timestamp) -> String {
    date_of(at.to_utc())
}

fn date_of(utc: OffsetDateTime) -> String {
    let month = utc.month().to_string();
    let month = month.get(..3).unwrap_or(&month);
    format!("{} {month} {}", utc.day(), utc.year())
}

/// How long ago, or how soon: `just now`, `5 minutes ago`, `in 2 hours`.
#[must_use]
pub fn distance(at: Timestamp, now: Timestamp) -> String {
    let (apart, is_past) = if at <= now {
        (now.since(at), true)
    } else {
        (at.since(now), false)
    };
    let seconds = apart.as_secs();
    let (count, one, many) = match seconds {
        0..=44 => return if is_past { "just now" } else { "in a moment" }.to_owned(),
        45..=3_599 => (seconds.div_ceil(60), "minute", "minutes"),
        3_600..=86_399 => (seconds / 3_600, "hour", "hours"),
        _ => (seconds / 86_400, "day", "days"),
    };
    let text = plural(count, one, many);
    if is_past {
        format!("{text} ago")
    } else {
        format!("in {text}")
    }
}

/// A decimal amount with thousands apart and at least two places: `-1,234,567.50`.
#[must_use]
pub fn amount(decimal: &str) -> String {
    let (sign, digits) = match decimal.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", decimal),
    };
    let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
    format!("{sign}{}.{places:0<2}", grouped(whole))
}

fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        let left = digits.len().saturating_sub(at);
        if at > 0 && left.is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn counts_take_their_word() {
        for (count, text) in [
            (0, "0 records"),
            (1, "1 record"),
            (2, "2 records"),
            (12_345, "12,345 records"),
        ] {
            assert_eq!(plural(count, "record", "records"), text);
        }
    }

    #[test]
    fn money_is_grouped_and_never_rounded() {
        for (decimal, text) in [
            ("0", "0.00"),
            ("1.5", "1.50"),
            ("999", "999.00"),
            ("1250.00", "1,250.00"),
            ("-1234567.5", "-1,234,567.50"),
            ("100000.1234", "100,000.1234"),
        ] {
            assert_eq!(amount(decimal), text);
        }
    }

    #[test]
    fn instants_name_their_zone() {
        let at: Timestamp = "2026-11-04T05:06:07Z".parse().unwrap();
        assert_eq!(time(at), "4 Nov 2026, 05:06 UTC");
        assert_eq!(time_exact(at), "4 Nov 2026, 05:06:07 UTC");
        assert_eq!(date(at), "4 Nov 2026");
    }

    #[test]
    fn distances_are_said_in_one_unit() {
        let now = Timestamp(1_000_000 * Timestamp::SECOND);
        let shifted = |seconds: i64| Timestamp(now.0 + seconds * Timestamp::SECOND);
        for (seconds, text) in [
            (0, "just now"),
            (-44, "just now"),
            (-45, "1 minute ago"),
            (-3_599, "60 minutes ago"),
            (-3_600, "1 hour ago"),
            (-90_000, "1 day ago"),
            (30, "in a moment"),
            (900, "in 15 minutes"),
            (172_800, "in 2 days"),
        ] {
            assert_eq!(distance(shifted(seconds), now), text, "{seconds}");
        }
    }
}
