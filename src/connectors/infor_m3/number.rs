//! Numbers as M3 spells them: `1.000000`, `12,50`, `12.50-`.
//!
//! Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (data formats): replies may follow the
//! user's own settings, so a comma and a trailing minus are read too; a point is sent.

use rust_decimal::Decimal;

/// Reads a number of a reply; nothing when it is none.
pub(super) fn parse(text: &str) -> Option<Decimal> {
    let plain: String = text
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect();
    let (digits, is_negative) = match plain.strip_suffix('-') {
        Some(digits) => (digits, true),
        None => (plain.as_str(), false),
    };
    let with_point = match (digits.rfind('.'), digits.rfind(',')) {
        (None, Some(_)) => digits.replace(',', "."),
        (Some(point), Some(comma)) if comma > point => digits.replace('.', "").replace(',', "."),
        (Some(_), Some(_)) => digits.replace(',', ""),
        (_, None) => digits.to_owned(),
    };
    let is_plain = |byte: u8| byte.is_ascii_digit() || b".-".contains(&byte);
    if !with_point.bytes().all(is_plain) {
        return None;
    }
    let value: Decimal = with_point.parse().ok()?;
    Some(if is_negative { -value } else { value })
}

/// A number as it is sent: a point, no thousands, no needless zeros.
pub(super) fn sent(value: Decimal) -> String {
    value.normalize().to_string()
}

/// A money amount as it is sent: two decimals at least.
pub(super) fn sent_amount(value: Decimal) -> String {
    crate::domain::money::plain(value)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_number_is_read_and_none_is_guessed() {
        for (text, want) in [
            ("1.000000", Some("1")),
            ("12500.00", Some("12500")),
            ("12,50", Some("12.5")),
            ("12.50-", Some("-12.5")),
            ("-3", Some("-3")),
            ("1,234.50", Some("1234.5")),
            ("1.234,50", Some("1234.5")),
            (" 1 234,5 ", Some("1234.5")),
            ("0", Some("0")),
            ("", None),
            ("-", None),
            ("12x", None),
            ("1e3", None),
        ] {
            let want = want.map(|want| want.parse::<Decimal>().unwrap());
            assert_eq!(parse(text), want, "{text}");
        }
    }

    #[test]
    fn numbers_are_sent_plainly() {
        assert_eq!(sent("3.1400".parse().unwrap()), "3.14");
        assert_eq!(sent("1000000".parse().unwrap()), "1000000");
        assert_eq!(sent_amount("12500".parse().unwrap()), "12500.00");
    }
}
