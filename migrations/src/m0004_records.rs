//! Records with what they wait for, and the bodies kept beside them. New tables only: locks nothing.

use crate::{Tables, step};

step!("m0004_records", TABLES);

const TABLES: Tables<'static> = Tables {
    ddl: "
CREATE TABLE record (
  tenant_id {id} NOT NULL,
  id {id} NOT NULL,
  pair_id {id} NOT NULL,
  flow text NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'syncing', 'succeeded', 'unchanged', 'linked',
    'waiting', 'held', 'review', 'retrying', 'failed', 'ignored')),
  substate text,
  reason text,
  explanation text NOT NULL,
  flags text NOT NULL,
  number text,
  counterparty text,
  -- Its name as people compare names: records of one flow with the same one may be twins.
  twin_key text,
  project_key text,
  project text,
  -- Ten-thousandths of the currency's unit.
  amount {int},
  currency text,
  source_system text NOT NULL,
  source_entity text NOT NULL,
  source_id text NOT NULL,
  source_place text NOT NULL,
  -- The source's version when it was last read, and the newest one that was seen listed.
  source_version text,
  seen_version text NOT NULL,
  source_at {int} NOT NULL,
  target_system text,
  target_entity text,
  target_id text,
  attempts {int} NOT NULL,
  -- When the engine looks at it next; none while it is at rest.
  due_at {int},
  first_failed_at {int},
  rank {int} NOT NULL,
  lane text NOT NULL,
  fault text,
  waiting_for text NOT NULL,
  plan_action text,
  -- Digests of bodies: the source snapshot, the draft (the exact write) and the candidates.
  snapshot_digest text,
  draft_digest text,
  changes_digest text,
  candidates_digest text,
  -- The digest that a person said yes to.
  approved_digest text,
  approved_by text,
  -- What a person decided for the next travel: replay, create, link.
  wish text,
  -- The pair's version when it last travelled.
  pair_version {int} NOT NULL,
  run_id {id},
  -- How the run counts it: created, updated, linked, unchanged.
  outcome text,
  first_seen_at {int} NOT NULL,
  updated_at {int} NOT NULL,
  -- Rises with every change: whoever read an older one has been overtaken.
  revision {int} NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, pair_id) REFERENCES pair (tenant_id, id)
) {strict};
CREATE UNIQUE INDEX record_identity ON record (tenant_id, pair_id, flow, source_system, source_id);
CREATE INDEX record_due ON record (tenant_id, rank, lane, source_at, source_id) WHERE due_at IS NOT NULL;
CREATE INDEX record_due_next ON record (tenant_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX record_syncing ON record (tenant_id, lane) WHERE state = 'syncing';
CREATE INDEX record_by_state ON record (tenant_id, pair_id, flow, state, id);
CREATE INDEX record_of_run ON record (tenant_id, run_id, state) WHERE run_id IS NOT NULL;
CREATE INDEX record_by_number ON record (tenant_id, number);
CREATE INDEX record_twins ON record (tenant_id, pair_id, flow, twin_key) WHERE twin_key IS NOT NULL;
CREATE INDEX record_by_update ON record (tenant_id, updated_at, id);

CREATE TABLE wait (
  tenant_id {id} NOT NULL,
  record_id {id} NOT NULL,
  pair_id {id} NOT NULL,
  kind text NOT NULL,
  key text NOT NULL,
  PRIMARY KEY (tenant_id, record_id, kind, key),
  FOREIGN KEY (tenant_id, record_id) REFERENCES record (tenant_id, id) ON DELETE CASCADE
) {strict};
CREATE INDEX wait_for ON wait (tenant_id, pair_id, kind, key);

-- Snapshots, drafts and exchanges by digest: kept apart, so that they can be erased by themselves.
CREATE TABLE body (
  tenant_id {id} NOT NULL,
  digest text NOT NULL,
  content text NOT NULL,
  created_at {int} NOT NULL,
  PRIMARY KEY (tenant_id, digest)
) {strict};

-- What was said between us and the vendors while a record was worked on.
CREATE TABLE exchange (
  tenant_id {id} NOT NULL,
  id {id} NOT NULL,
  record_id {id} NOT NULL,
  attempt {int} NOT NULL,
  at {int} NOT NULL,
  calls {int} NOT NULL,
  body_digest text NOT NULL,
  PRIMARY KEY (tenant_id, id)
) {strict};
CREATE INDEX exchange_of_record ON exchange (tenant_id, record_id, id);
",
    of_tenants: &["record", "wait", "body", "exchange"],
    at_threshold: &[],
};
