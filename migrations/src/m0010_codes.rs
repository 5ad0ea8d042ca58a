//! Codes of both sides: what is read of them and kept, what is looked at again and again, and links of which many
//! have one target. New tables; the index is small and made anew at once.

use sea_orm_migration::prelude::*;

use crate::{Tables, in_dialect, run};

pub struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m0010_codes"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        TABLES.create(manager).await?;
        let postgres =
            manager.get_database_backend() == sea_orm_migration::sea_orm::DatabaseBackend::Postgres;
        run(manager, &in_dialect(INDEXES, postgres)).await
    }
}

const TABLES: Tables<'static> = Tables {
    ddl: "
-- Work of a pair that comes again and again, beside its records and its runs.
CREATE TABLE chore (
  tenant_id {id} NOT NULL,
  pair_id {id} NOT NULL,
  word text NOT NULL,
  due_at {int} NOT NULL,
  -- How far it has come; empty at its beginning.
  progress text NOT NULL,
  PRIMARY KEY (tenant_id, pair_id, word),
  FOREIGN KEY (tenant_id, pair_id) REFERENCES pair (tenant_id, id)
) {strict};
CREATE INDEX chore_due ON chore (tenant_id, due_at);

-- Codes that a connection was seen to have, one list a kind and place, and what they are compared by.
CREATE TABLE catalogue (
  tenant_id {id} NOT NULL,
  connection_id {id} NOT NULL,
  kind text NOT NULL,
  -- The project, where each has a list of its own.
  place text NOT NULL,
  -- A JSON array of entries.
  content text NOT NULL,
  digest text NOT NULL,
  seen_at {int} NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, kind, place),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id) ON DELETE CASCADE
) {strict};
",
    of_tenants: &["chore", "catalogue"],
    at_threshold: &[],
};

/// Many codes are booked on one account; everything else still has one source a target.
const INDEXES: &str = "
DROP INDEX link_by_target;
CREATE UNIQUE INDEX link_by_target ON link (tenant_id, pair_id, entity, target_id)
  WHERE alias = 0 AND entity <> 'cost_code';
DROP INDEX dry_run_change_target;
CREATE UNIQUE INDEX dry_run_change_target ON dry_run_change (tenant_id, run_id, flow, target_id)
  WHERE target_id IS NOT NULL AND flow <> 'cost_codes';
CREATE INDEX dry_run_change_of_target ON dry_run_change (tenant_id, run_id, flow, target_id)
  WHERE target_id IS NOT NULL;
CREATE INDEX link_of_target ON link (tenant_id, pair_id, entity, target_id) WHERE alias = 0;
";
