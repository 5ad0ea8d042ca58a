//! Which tenant is due, and who works it. New tables only: locks nothing.

use crate::{Tables, step};

step!("m0006_work", TABLES);

const TABLES: Tables<'static> = Tables {
    ddl: "
CREATE TABLE tenant_work (
  tenant_id {id} NOT NULL PRIMARY KEY REFERENCES tenant (tenant_id),
  due_at {int} NOT NULL,
  -- Rises with every wake, so that a slice that ends does not put a later one to sleep.
  wake_seq {int} NOT NULL,
  queued_at {int}
) {strict};
CREATE INDEX tenant_work_due ON tenant_work (due_at) WHERE queued_at IS NULL;

CREATE TABLE tenant_lease (
  tenant_id {id} NOT NULL PRIMARY KEY REFERENCES tenant (tenant_id),
  holder text NOT NULL,
  until {int} NOT NULL,
  fence {int} NOT NULL
) {strict};
",
    of_tenants: &["tenant_work", "tenant_lease"],
    at_threshold: &["tenant_work", "tenant_lease"],
};
