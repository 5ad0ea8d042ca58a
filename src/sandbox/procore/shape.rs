//! How the vendor writes times and amounts.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value;
use time::OffsetDateTime;
use time::UtcOffset;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// UTC, to the second.
pub(super) fn stamp(at: OffsetDateTime) -> String {
    let shape = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    at.to_offset(UtcOffset::UTC)
        .format(shape)
        .unwrap_or_default()
}

pub(super) fn moment(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// A decimal as text. How many zeros trail differs from object to object, as with the vendor;
/// here it follows from the id, so that one object always looks the same.
pub(super) fn amount(value: Decimal, id: i64) -> String {
    let places = match id.rem_euclid(3) {
        0 => 1,
        1 => 2,
        _ => 4,
    };
    let mut value = value.normalize();
    if value.scale() < places {
        value.rescale(places);
    }
    value.to_string()
}

pub(super) fn cents(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// A decimal that came as a JSON string or number.
pub(super) fn decimal(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let plain = text.parse().ok();
    plain.or_else(|| Decimal::from_scientific(&text).ok())
}

/// An id that came as a JSON number or as its digits.
pub(super) fn id(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(digits) => digits.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn zeros_trail_by_id_and_nothing_is_lost() {
        let shown = |text: &str, id| amount(text.parse().unwrap(), id);
        assert_eq!(shown("12500", 3), "12500.0");
        assert_eq!(shown("12500.00", 4), "12500.00");
        assert_eq!(shown("0", 5), "0.0000");
        assert_eq!(shown("3.333", 3), "3.333");
    }

    #[test]
    fn decimals_come_as_text_and_as_numbers() {
        let want: Decimal = "33.33".parse().unwrap();
        assert_eq!(decimal(&json!("33.33")), Some(want));
        let number: Value = serde_json::from_str("33.33").unwrap();
        assert_eq!(decimal(&number), Some(want));
        assert_eq!(decimal(&json!("n/a")), None);
    }

    #[test]
    fn stamps_are_utc_seconds() {
        let at = moment("2026-11-20T09:30:15.25-07:00").unwrap();
        assert_eq!(stamp(at), "2026-11-20T16:30:15Z");
    }
}
