//! How M3 writes numbers, dates and times.

use rust_decimal::{Decimal, RoundingStrategy};
use time::OffsetDateTime;
use time::macros::format_description;

/// Quantities and prices. Source: recorded PPS200MI lines, read 2026-11-22.
const FINE_PLACES: u32 = 6;
/// Amounts, in all currencies of the seed.
const MONEY_PLACES: u32 = 2;

/// A number that was checked before; 0 when there is none.
pub(super) fn decimal(text: &str) -> Decimal {
    text.trim().parse().unwrap_or_default()
}

/// Digits with at most one point, and a sign in front.
pub(super) fn is_number(text: &str) -> bool {
    let digits = text.trim_start_matches('-');
    let is_plain = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_plain && text.len() - digits.len() <= 1 && text.parse::<Decimal>().is_ok()
}

/// YYYYMMDD of a day that exists, or 0 for none.
pub(super) fn is_date(text: &str) -> bool {
    let shape = format_description!("[year][month][day]");
    text == "0" || time::Date::parse(text, shape).is_ok()
}

pub(super) fn money(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(MONEY_PLACES, RoundingStrategy::MidpointAwayFromZero)
}

pub(super) fn written_money(value: Decimal) -> String {
    written(money(value), MONEY_PLACES)
}

/// A quantity or a price.
pub(super) fn fine(value: Decimal) -> String {
    let value = value.round_dp_with_strategy(FINE_PLACES, RoundingStrategy::MidpointAwayFromZero);
    written(value, FINE_PLACES)
}

/// Whether a quantity or price fits the places that M3 keeps.
pub(super) fn is_fine(value: Decimal) -> bool {
    value.normalize().scale() <= FINE_PLACES
}

fn written(mut value: Decimal, places: u32) -> String {
    value.rescale(places);
    value.to_string()
}

pub(super) fn date(at: OffsetDateTime) -> String {
    let shape = format_description!("[year][month][day]");
    at.format(shape).unwrap_or_default()
}

/// HHMMSS as a number: without leading zeros.
pub(super) fn clock(at: OffsetDateTime) -> String {
    let (hour, minute, second) = at.to_hms();
    let hour = u32::from(hour) * 10_000;
    (hour + u32::from(minute) * 100 + u32::from(second)).to_string()
}

/// Assumed: LMTS counts milliseconds since 1970.
pub(super) fn milliseconds(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}

/// The first `width` characters, which is all that a column holds.
pub(super) fn cut(text: &str, width: usize) -> String {
    text.chars().take(width).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_digits_with_a_point() {
        for good in ["1", "-12.50", "0.000001", "99999999999999.99"] {
            assert!(is_number(good), "{good}");
        }
        for bad in ["", "-", ".", "1,5", "12.5-", "--1", "1e3", "1.2.3", "1 000"] {
            assert!(!is_number(bad), "{bad}");
        }
        assert_eq!(fine(decimal("12500")), "12500.000000");
        assert_eq!(written_money(decimal("666.605")), "666.61");
        assert!(is_fine(decimal("3.3330000")) && !is_fine(decimal("0.0000001")));
    }

    #[test]
    fn a_clock_is_a_number() {
        let at = OffsetDateTime::UNIX_EPOCH + time::Duration::minutes(7 * 60 + 30);
        assert_eq!(
            (clock(at).as_str(), date(at).as_str()),
            ("73000", "19700101")
        );
        assert_eq!(milliseconds(at), 27_000_000);
    }
}
