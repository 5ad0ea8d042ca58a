//! Stored texts read back: closed words, documents, currencies.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::StoreError;

/// Where a value stands, for the error that names it.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Column {
    pub table: &'static str,
    pub column: &'static str,
}

impl Column {
    pub(in crate::store) const fn new(table: &'static str, column: &'static str) -> Self {
        Self { table, column }
    }

    pub(in crate::store) fn corrupt(self) -> StoreError {
        StoreError::Corrupt {
            table: self.table,
            column: self.column,
        }
    }

    /// Parses a stored word or id.
    pub(in crate::store) fn parse<T: std::str::FromStr>(self, text: &str) -> Result<T, StoreError> {
        text.parse().map_err(|_| self.corrupt())
    }
}

/// A stored document.
pub(in crate::store) fn json<T: DeserializeOwned>(
    column: Column,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| column.corrupt())
}

/// A stored document that may be absent.
pub(in crate::store) fn optional_json<T: DeserializeOwned>(
    column: Column,
    text: Option<&str>,
) -> Result<Option<T>, StoreError> {
    text.map(|text| json(column, text)).transpose()
}

/// A document as it is stored.
pub(in crate::store) fn json_text<T: Serialize>(
    column: Column,
    value: &T,
) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| column.corrupt())
}
