//! One pair as a row.

use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::column::{Column, json};
use crate::domain::clock::Timestamp;
use crate::domain::pair::{Pair, PairStatus};
use crate::store::StoreError;

/// Every column of [`PairRow`].
pub(in crate::store) const PAIR_COLUMNS: &str = "id, kind, erp_connection_id, project_connection_id, settings, status, version, next_run_at, \
         created_at, updated_at";

#[derive(FromQueryResult)]
pub(in crate::store) struct PairRow {
    id: Uuid,
    kind: String,
    erp_connection_id: Uuid,
    project_connection_id: Uuid,
    settings: String,
    status: String,
    version: i64,
    next_run_at: Option<i64>,
    created_at: i64,
    updated_at: i64,
}

impl PairRow {
    pub(in crate::store) fn into_pair(self) -> Result<Pair, StoreError> {
        let of = |column| Column::new("pair", column);
        let status = match self.status.as_str() {
            // Only a trail asks for a pair that is gone, and it stands still like a paused one.
            "removed" => PairStatus::Paused,
            status => of("status").parse(status)?,
        };
        Ok(Pair {
            id: self.id.into(),
            kind: self.kind.into(),
            erp_connection_id: self.erp_connection_id.into(),
            project_connection_id: self.project_connection_id.into(),
            settings: json(of("settings"), &self.settings)?,
            status,
            version: self.version,
            next_run_at: self.next_run_at.map(Timestamp),
            created_at: Timestamp(self.created_at),
            updated_at: Timestamp(self.updated_at),
        })
    }
}
