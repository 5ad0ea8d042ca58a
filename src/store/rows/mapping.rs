//! One row of a mapping table as a row of ours.

use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::column::{Column, json, json_text, optional_json};
use crate::domain::clock::Timestamp;
use crate::domain::ids::MappingId;
use crate::domain::mapping::{CheckedRow, Row, Side};
use crate::store::StoreError;

const fn of(column: &'static str) -> Column {
    Column::new("mapping", column)
}

/// Every column of [`MappingRow`].
pub(in crate::store) const MAPPING_COLUMNS: &str =
    "id, kind, position, project_side, erp_side, note, verdict, verified_at";

#[derive(FromQueryResult)]
pub(in crate::store) struct MappingRow {
    pub id: Uuid,
    pub kind: String,
    pub position: i64,
    pub project_side: String,
    pub erp_side: String,
    pub note: String,
    pub verdict: Option<String>,
    pub verified_at: Option<i64>,
}

impl MappingRow {
    pub(in crate::store) fn row(&self) -> Result<Row, StoreError> {
        Ok(Row {
            id: Some(MappingId(self.id)),
            project_side: json(of("project_side"), &self.project_side)?,
            erp_side: json(of("erp_side"), &self.erp_side)?,
            note: self.note.clone(),
        })
    }

    /// It was looked up, and nothing was wrong with it.
    pub(in crate::store) fn is_well(&self) -> bool {
        self.checked()
            .ok()
            .and_then(|checked| checked.verdict)
            .is_some_and(|verdict| verdict.issues.is_empty())
    }

    pub(in crate::store) fn checked(&self) -> Result<CheckedRow, StoreError> {
        Ok(CheckedRow {
            row: self.row()?,
            verdict: optional_json(of("verdict"), self.verdict.as_deref())?,
            verified_at: self.verified_at.map(Timestamp),
        })
    }
}

/// A side as it is stored: equal sides give equal texts, because names are sorted.
pub(in crate::store) fn side_text(side: &Side) -> Result<String, StoreError> {
    json_text(of("project_side"), side)
}
