//! Pairs, their mapping tables, cursors and runs. New tables only: locks nothing.

use crate::{Tables, step};

step!("m0003_pairs", TABLES);

const TABLES: Tables<'static> = Tables {
    ddl: "
CREATE TABLE pair (
  tenant_id {id} NOT NULL REFERENCES tenant (tenant_id),
  id {id} NOT NULL,
  kind text NOT NULL,
  name text NOT NULL,
  erp_connection_id {id} NOT NULL,
  project_connection_id {id} NOT NULL,
  settings text NOT NULL,
  status text NOT NULL CHECK (status IN ('draft', 'active', 'paused', 'removed')),
  -- Rises with every change of settings or mappings.
  version {int} NOT NULL,
  next_run_at {int},
  created_at {int} NOT NULL,
  updated_at {int} NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, erp_connection_id) REFERENCES connection (tenant_id, id),
  FOREIGN KEY (tenant_id, project_connection_id) REFERENCES connection (tenant_id, id)
) {strict};
CREATE INDEX pair_due ON pair (tenant_id, next_run_at) WHERE next_run_at IS NOT NULL;

CREATE TABLE mapping (
  tenant_id {id} NOT NULL,
  id {id} NOT NULL,
  pair_id {id} NOT NULL,
  kind text NOT NULL,
  position {int} NOT NULL,
  project_side text NOT NULL,
  erp_side text NOT NULL,
  note text NOT NULL,
  -- What the look-up in the ERP found; none until it was asked.
  verdict text,
  verified_at {int},
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, pair_id) REFERENCES pair (tenant_id, id)
) {strict};
CREATE INDEX mapping_of_pair ON mapping (tenant_id, pair_id, kind, position);
CREATE INDEX mapping_unverified ON mapping (tenant_id, pair_id) WHERE verified_at IS NULL;

-- Where the next listing of a flow begins: the start of the last complete one.
CREATE TABLE cursor (
  tenant_id {id} NOT NULL,
  pair_id {id} NOT NULL,
  flow text NOT NULL,
  listed_until {int} NOT NULL,
  PRIMARY KEY (tenant_id, pair_id, flow),
  FOREIGN KEY (tenant_id, pair_id) REFERENCES pair (tenant_id, id)
) {strict};

CREATE TABLE run (
  tenant_id {id} NOT NULL,
  id {id} NOT NULL,
  pair_id {id} NOT NULL,
  state text NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'partial', 'failed', 'cancelled')),
  started_by text NOT NULL CHECK (started_by IN ('schedule', 'person', 'activation', 'webhook')),
  wanted text NOT NULL,
  -- 1: lists everything instead of what changed.
  whole {int} NOT NULL,
  -- Which flow and page comes next; none once everything is listed.
  listing text,
  counts text NOT NULL,
  note text,
  fault text,
  queued_at {int} NOT NULL,
  started_at {int},
  ended_at {int},
  due_at {int},
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, pair_id) REFERENCES pair (tenant_id, id)
) {strict};
-- One run of a pair is open at a time; hints join it.
CREATE UNIQUE INDEX run_open ON run (tenant_id, pair_id) WHERE state IN ('queued', 'running');
CREATE INDEX run_of_pair ON run (tenant_id, pair_id, id);
",
    of_tenants: &["pair", "mapping", "cursor", "run"],
    at_threshold: &[],
};
