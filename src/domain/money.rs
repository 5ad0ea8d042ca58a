//! Money: an exact decimal and its currency. Never a float, never rounded on the way to a column.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::fault::Issue;

/// An ISO 4217 code, three upper-case letters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(String);

impl Currency {
    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Currency {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let code = text.trim().to_ascii_uppercase();
        if code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()) {
            Ok(Self(code))
        } else {
            Err(format!("`{text}` is not a currency code of three letters"))
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.0
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An amount in a currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Exact; as many decimals as the source gave.
    pub amount: Decimal,
    pub currency: Currency,
}

/// Ten-thousandths in one unit: what a column keeps.
const SCALE: u32 = 4;

impl Money {
    #[must_use]
    pub fn new(amount: Decimal, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// For a column: whole ten-thousandths.
    ///
    /// # Errors
    /// An issue at `amount` when it has more than four decimals or does not fit; nothing is rounded.
    pub fn ten_thousandths(&self) -> Result<i64, Issue> {
        let mut exact = self.amount.normalize();
        if exact.scale() > SCALE {
            return Err(Issue::new(
                "amount",
                "too_many_decimals",
                format!("{} has more than four decimals", self.amount),
            ));
        }
        exact.rescale(SCALE);
        i64::try_from(exact.mantissa()).map_err(|_| {
            Issue::new(
                "amount",
                "too_large",
                format!("{} is too large", self.amount),
            )
        })
    }

    /// From a column.
    #[must_use]
    pub fn from_ten_thousandths(units: i64, currency: Currency) -> Self {
        Self::new(Decimal::new(units, SCALE), currency)
    }
}

/// Two decimals at least, more only where the amount has them: `1250.00`, `0.3333`.
#[must_use]
pub fn plain(amount: Decimal) -> String {
    let mut exact = amount.normalize();
    if exact.scale() < 2 {
        exact.rescale(2);
    }
    exact.to_string()
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", plain(self.amount), self.currency)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Money {
        Money::new(text.parse().unwrap(), "usd".parse().unwrap())
    }

    #[test]
    fn columns_keep_the_exact_amount_or_refuse() {
        for (text, units) in [
            ("0", 0),
            ("1250.5", 12_505_000),
            ("-0.0001", -1),
            ("99.990000", 999_900),
        ] {
            assert_eq!(usd(text).ten_thousandths().unwrap(), units, "{text}");
            assert_eq!(
                Money::from_ten_thousandths(units, "USD".parse().unwrap()).amount,
                usd(text).amount
            );
        }
        assert_eq!(
            usd("0.00001").ten_thousandths().unwrap_err().code,
            "too_many_decimals"
        );
        assert_eq!(
            usd("9999999999999999").ten_thousandths().unwrap_err().code,
            "too_large"
        );
    }

    #[test]
    fn people_see_two_decimals_at_least() {
        assert_eq!(
            usd("12345678901234.5678").to_string(),
            "12345678901234.5678 USD"
        );
        assert_eq!(usd("7").to_string(), "7.00 USD");
        assert!("US".parse::<Currency>().is_err());
    }
}
