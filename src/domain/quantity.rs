//! A quantity with its unit. The unit is the source's word until a mapping translates it.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// So many of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantity {
    pub value: Decimal,
    /// The unit's code as the source spells it; empty when the source names none.
    pub unit: String,
}
