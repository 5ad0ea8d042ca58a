//! How much of what at which price: as the source says where that gives its amount exactly, else a lump sum.

use rust_decimal::Decimal;

use crate::domain::money::plain;
use crate::domain::records::OrderLine;

/// Decimals that M3 keeps of quantities and prices.
/// Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (PPS200MI/LstLine example).
const DECIMALS_MAX: u32 = 6;

/// A line's quantity and price; their product is the line's amount, exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Priced {
    pub quantity: Decimal,
    pub price: Decimal,
    /// The source's unit; none for a lump sum, which has the item's.
    pub unit: Option<String>,
    pub why: String,
}

/// Quantity and price of a line whose amount is not negative.
///
/// A lump sum is ordered as its amount at a price of 1, so that it can be received and invoiced in part without
/// fractions.
pub(super) fn priced(line: &OrderLine, by_unit: bool) -> Priced {
    let (Some(quantity), Some(price)) = (&line.quantity, line.unit_price) else {
        return lump_sum(line, "lump sum".to_owned());
    };
    if !by_unit {
        return lump_sum(line, "lump sum".to_owned());
    }
    let (value, price) = (quantity.value.normalize(), price.normalize());
    let is_exact = value.checked_mul(price) == Some(line.amount)
        && value > Decimal::ZERO
        && value.scale() <= DECIMALS_MAX
        && price.scale() <= DECIMALS_MAX;
    if !is_exact {
        return lump_sum(
            line,
            format!(
                "lump sum, because {value} {} × {price} is not exactly {}",
                quantity.unit,
                plain(line.amount)
            ),
        );
    }
    Priced {
        quantity: value,
        price,
        unit: Some(quantity.unit.clone()),
        why: "source".to_owned(),
    }
}

fn lump_sum(line: &OrderLine, why: String) -> Priced {
    Priced {
        quantity: line.amount.normalize(),
        price: Decimal::ONE,
        unit: None,
        why,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::quantity::Quantity;
    use crate::domain::records::Coding;

    #[test]
    fn a_unit_line_stays_one_only_where_its_product_is_its_amount() {
        for (by_unit, quantity, price, amount, want) in [
            (true, Some("3"), Some("33.33"), "99.99", ("3", "33.33")),
            (
                true,
                Some("3.00"),
                Some("33.3300"),
                "99.9900",
                ("3", "33.33"),
            ),
            (true, Some("3"), Some("33.33"), "100.00", ("100", "1")),
            (true, Some("12.5"), Some("18.37"), "229.63", ("229.63", "1")),
            (true, Some("0.0000001"), Some("10000000"), "1", ("1", "1")),
            (true, Some("-2"), Some("-5"), "10", ("10", "1")),
            (true, None, Some("5"), "5.00", ("5", "1")),
            (true, Some("5"), None, "5.00", ("5", "1")),
            (false, Some("3"), Some("33.33"), "99.99", ("99.99", "1")),
        ] {
            let line = OrderLine {
                key: "1".into(),
                position: 1,
                description: String::new(),
                coding: Coding {
                    cost_code: String::new(),
                    cost_type: String::new(),
                    sub_job: String::new(),
                },
                quantity: quantity.map(|value| Quantity {
                    value: value.parse().unwrap(),
                    unit: "EA".into(),
                }),
                unit_price: price.map(|price| price.parse().unwrap()),
                amount: amount.parse().unwrap(),
                tax_code: None,
            };
            let found = priced(&line, by_unit);
            assert_eq!(
                (
                    found.quantity.to_string().as_str(),
                    found.price.to_string().as_str()
                ),
                want,
                "{amount}"
            );
            assert_eq!(found.quantity * found.price, line.amount);
        }
    }
}
