//! Signed heads of the chains, the nodes that are there with the master keys they know, rotations of the
//! master key, and what was paused. Adds columns without a default and new tables: locks nothing for long.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

use crate::{in_dialect, run};

pub struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m0012_keys"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == DatabaseBackend::Postgres;
        run(manager, &in_dialect(DDL, postgres)).await?;
        if postgres {
            run(manager, THRESHOLD).await?;
        }
        Ok(())
    }
}

const DDL: &str = "
-- By the newest master key; none from before this step.
ALTER TABLE audit_head ADD COLUMN signature text;

-- Processes at work, by the name they hold leases under. Belongs to no tenant.
CREATE TABLE node (
  holder text NOT NULL PRIMARY KEY,
  role text NOT NULL,
  host text NOT NULL,
  -- Master key versions that it can open with, and the one it seals with.
  versions text NOT NULL,
  sealing_version {int} NOT NULL,
  started_at {int} NOT NULL,
  -- By the database's clock.
  seen_at {int} NOT NULL
) {strict};

-- Rotations of the master key: one that did not finish is gone on with. Belongs to no tenant.
CREATE TABLE key_rotation (
  version {int} NOT NULL PRIMARY KEY,
  started_at {int} NOT NULL,
  finished_at {int}
) {strict};

-- One row at most: the whole installation writes nothing to any vendor. Belongs to no tenant.
CREATE TABLE installation_pause (
  id {int} NOT NULL PRIMARY KEY CHECK (id = 1),
  paused_at {int} NOT NULL,
  -- Lifts itself then; none: until somebody lifts it.
  until {int},
  reason text NOT NULL
) {strict};

ALTER TABLE tenant ADD COLUMN paused_at {int};
ALTER TABLE tenant ADD COLUMN pause_reason text;
ALTER TABLE connection ADD COLUMN paused_at {int};
ALTER TABLE connection ADD COLUMN pause_reason text;
";

/// Heads are read across tenants to be kept outside: numbers and hashes, nothing of anybody's business.
const THRESHOLD: &str = "
CREATE POLICY at_threshold ON audit_head FOR SELECT USING (current_setting('app.threshold', true) = 'on');
";
