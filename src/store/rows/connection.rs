//! One connection as a row.

use std::collections::BTreeMap;

use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::column::{Column, json, optional_json};
use crate::domain::clock::Timestamp;
use crate::domain::connection::Connection;
use crate::store::StoreError;

/// Every column of [`ConnectionRow`].
pub(in crate::store) const CONNECTION_COLUMNS: &str = "id, system, name, environment, settings, version, last_ping, auth_fault, created_at, updated_at";

#[derive(FromQueryResult)]
pub(in crate::store) struct ConnectionRow {
    pub id: Uuid,
    system: String,
    name: String,
    environment: String,
    settings: String,
    version: i64,
    last_ping: Option<String>,
    auth_fault: Option<String>,
    created_at: i64,
    updated_at: i64,
}

impl ConnectionRow {
    /// `credentials`: the names that are set, and since when.
    pub(in crate::store) fn into_connection(
        self,
        credentials: BTreeMap<String, Timestamp>,
    ) -> Result<Connection, StoreError> {
        let of = |column| Column::new("connection", column);
        Ok(Connection {
            id: self.id.into(),
            system: self.system.into(),
            name: self.name,
            environment: of("environment").parse(&self.environment)?,
            settings: json(of("settings"), &self.settings)?,
            credentials,
            last_ping: optional_json(of("last_ping"), self.last_ping.as_deref())?,
            auth_fault: optional_json(of("auth_fault"), self.auth_fault.as_deref())?,
            version: self.version,
            created_at: Timestamp(self.created_at),
            updated_at: Timestamp(self.updated_at),
        })
    }
}
