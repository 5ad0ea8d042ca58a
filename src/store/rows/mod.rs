//! Rows as the database keeps them, and how they become words of the domain. Never seen outside `store`.

mod column;
mod connection;
mod mapping;
mod pair;
mod record;

pub(super) use column::{Column, json, json_text, optional_json};
pub(super) use connection::{CONNECTION_COLUMNS, ConnectionRow};
pub(super) use mapping::{MAPPING_COLUMNS, MappingRow, side_text};
pub(super) use pair::{PAIR_COLUMNS, PairRow};
pub(super) use record::{COLUMNS, RecordRow};
