//! The audit chain: append-only on both engines. New tables only: locks nothing.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

use crate::{Tables, run};

pub struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m0007_audit"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        TABLES.create(manager).await?;
        match manager.get_database_backend() {
            DatabaseBackend::Postgres => run(manager, APPEND_ONLY_POSTGRES).await,
            _ => run(manager, APPEND_ONLY_SQLITE).await,
        }
    }
}

const TABLES: Tables<'static> = Tables {
    ddl: "
CREATE TABLE audit_event (
  tenant_id {id} NOT NULL,
  seq {int} NOT NULL,
  at {int} NOT NULL,
  actor_kind text NOT NULL,
  actor_id text NOT NULL,
  action text NOT NULL,
  subject_kind text NOT NULL,
  subject_id text NOT NULL,
  run_id {id},
  detail_hash text NOT NULL,
  prev_hash text NOT NULL,
  hash text NOT NULL,
  PRIMARY KEY (tenant_id, seq)
) {strict};
CREATE INDEX audit_by_time ON audit_event (tenant_id, at);
CREATE INDEX audit_by_subject ON audit_event (tenant_id, subject_id, seq);
CREATE INDEX audit_by_action ON audit_event (tenant_id, action, seq);

-- Names and details lie beside the chain, which holds their salted digest, so that they can be erased.
CREATE TABLE audit_detail (
  tenant_id {id} NOT NULL,
  seq {int} NOT NULL,
  salt {bytes} NOT NULL,
  actor_name text NOT NULL,
  detail text NOT NULL,
  PRIMARY KEY (tenant_id, seq)
) {strict};

CREATE TABLE audit_head (
  tenant_id {id} NOT NULL PRIMARY KEY,
  seq {int} NOT NULL,
  hash text NOT NULL
) {strict};
",
    of_tenants: &["audit_event", "audit_detail", "audit_head"],
    at_threshold: &[],
};

const APPEND_ONLY_SQLITE: &str = "
CREATE TRIGGER audit_event_stays BEFORE UPDATE ON audit_event
BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END;
CREATE TRIGGER audit_event_remains BEFORE DELETE ON audit_event
BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END;
";

const APPEND_ONLY_POSTGRES: &str = "
CREATE FUNCTION audit_event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit events are append-only'; END $$;
CREATE TRIGGER audit_event_stays BEFORE UPDATE OR DELETE ON audit_event
FOR EACH ROW EXECUTE FUNCTION audit_event_is_append_only();
";
