//! A vendor: who is paid.

use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;

/// A company that orders are placed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vendor {
    /// The bare key in its own system.
    pub key: String,
    pub name: String,
    /// The number that the other side is said to know it by; empty string never occurs.
    pub number: Option<String>,
    pub tax_id: Option<String>,
    pub phone: Option<String>,
    pub email: Option<String>,
    pub address: Address,
    /// False: no new documents should name it.
    pub active: bool,
    pub created_at: Option<Timestamp>,
}

/// A postal address. Country is ISO 3166 alpha-2, region its subdivision code.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Address {
    pub street: Option<String>,
    pub city: Option<String>,
    pub region: Option<String>,
    pub postal_code: Option<String>,
    pub country: Option<String>,
}

impl Address {
    /// No part of it is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
