//! Rows as the database keeps them, and how they become words of the domain. Never seen outside `store`.

mod column;
mod record;

pub(super) use column::{Column, json, json_text, optional_json};
pub(super) use record::{COLUMNS, RecordRow};
