//! Which other records a source record names, read out of the body that was kept of it.

use serde_json::Value;

use super::Engine;
use crate::contract::Canonical;
use crate::domain::connection::Connection;
use crate::domain::pair::Pair;
use crate::domain::system::Entity;
use crate::flows::{Flow, RecordKind, SideName};
use crate::store::{self, Scope, StoreError};

impl Engine {
    /// Entity and source key of everything that a record names. Nothing where the body cannot be read
    /// any more, or its connection is gone.
    ///
    /// # Errors
    /// `Database`, `Corrupt`.
    pub async fn named_by(
        &self,
        scope: &Scope,
        pair: &Pair,
        flow: &str,
        kept: &Value,
    ) -> Result<Vec<(Entity, String)>, StoreError> {
        let kind = self.pair_kind(&pair.kind);
        let Some(flow) = kind.and_then(|kind| kind.flow(flow)) else {
            return Ok(Vec::new());
        };
        let source = match flow.from {
            SideName::Project => pair.project_connection_id,
            SideName::Erp => pair.erp_connection_id,
        };
        let source = match store::connection::find(scope, source).await {
            Ok(connection) => connection,
            Err(StoreError::Missing(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        Ok(match flow.record {
            RecordKind::Vendor => self.names(&crate::flows::VENDOR, &source, kept),
            RecordKind::CostCode => self.names(&crate::flows::COST_CODE, &source, kept),
            RecordKind::Order => self.names(&crate::flows::ORDER, &source, kept),
        })
    }

    fn names<E: Canonical>(
        &self,
        flow: &Flow<E>,
        source: &Connection,
        kept: &Value,
    ) -> Vec<(Entity, String)> {
        let connector = self.connector(&source.system);
        let reads = connector.and_then(|connector| E::port(&connector.ports).reads);
        let record = reads.and_then(|reads| reads.translate(kept, &source.settings).ok());
        record.map_or_else(Vec::new, |record| (flow.refers_to)(&record))
    }

    /// The flow of a pair whose links join this.
    #[must_use]
    pub fn flow_of(&self, pair: &Pair, entity: &Entity) -> Option<&'static str> {
        let flows = self.pair_kind(&pair.kind)?.flows;
        flows
            .iter()
            .find(|flow| flow.entity == *entity)
            .map(|flow| flow.name)
    }
}
