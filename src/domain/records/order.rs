//! An order: what a vendor has agreed to deliver or build, line by line.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use time::Date;

use super::Coding;
use crate::domain::clock::Timestamp;
use crate::domain::money::{Currency, Money};
use crate::domain::quantity::Quantity;

/// Goods or works. The words are those of the mapping tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    PurchaseOrder,
    Subcontract,
}

impl OrderKind {
    /// As the mapping tables spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PurchaseOrder => "purchase_order",
            Self::Subcontract => "subcontract",
        }
    }

    /// As people say it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::PurchaseOrder => "purchase order",
            Self::Subcontract => "subcontract",
        }
    }
}

/// One order with all its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub key: String,
    pub kind: OrderKind,
    pub number: String,
    pub title: String,
    /// The status in the source's own word.
    pub status: String,
    pub vendor_key: Option<String>,
    pub vendor_name: Option<String>,
    pub project_key: String,
    pub currency: Option<Currency>,
    /// When the contract was made.
    pub order_date: Option<Date>,
    /// When the goods are wanted.
    pub delivery_date: Option<Date>,
    /// When the works are expected to be complete.
    pub completion_date: Option<Date>,
    pub created_at: Option<Timestamp>,
    /// Free text in the source.
    pub payment_terms: Option<String>,
    /// True: lines are quantity and price. False: lump sums.
    pub by_unit: bool,
    pub lines: Vec<OrderLine>,
    /// The total the source states; compared with the sum of the lines.
    pub total: Decimal,
}

/// One line of the schedule of values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    pub key: String,
    /// 1-based place in the source.
    pub position: u32,
    pub description: String,
    pub coding: Coding,
    pub quantity: Option<Quantity>,
    pub unit_price: Option<Decimal>,
    /// The stored amount; never recomputed.
    pub amount: Decimal,
    pub tax_code: Option<String>,
}

impl Order {
    /// The sum of the lines.
    #[must_use]
    pub fn lines_total(&self) -> Decimal {
        self.lines.iter().map(|line| line.amount).sum()
    }

    /// The stated total in the order's currency, where it has one.
    #[must_use]
    pub fn money(&self) -> Option<Money> {
        let currency = self.currency.clone()?;
        Some(Money::new(self.total, currency))
    }
}
