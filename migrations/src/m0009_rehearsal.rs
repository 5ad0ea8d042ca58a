//! Dry runs: which runs are some, what they were judged by, and what they foresee; and why records failed, to group
//! them by. Columns that may be empty or have a default, and indexes: locks run and record for as long as those take.

use crate::{Tables, step};

step!("m0009_rehearsal", TABLES);

const TABLES: Tables<'static> = Tables {
    ddl: "
ALTER TABLE run ADD COLUMN dry_run {int} NOT NULL DEFAULT 0;
-- Versions of the pair and its connections when a dry run began: what it says holds for these.
ALTER TABLE run ADD COLUMN pair_version {int};
ALTER TABLE run ADD COLUMN erp_version {int};
ALTER TABLE run ADD COLUMN project_version {int};
DROP INDEX run_open;
-- One run and one dry run of a pair are open at a time; hints join the run.
CREATE UNIQUE INDEX run_open ON run (tenant_id, pair_id, dry_run) WHERE state IN ('queued', 'running');
CREATE INDEX run_rehearsed ON run (tenant_id, pair_id, id) WHERE dry_run = 1;

-- One source record of one dry run: first what was listed, then what would be done with it.
CREATE TABLE dry_run_change (
  tenant_id {id} NOT NULL,
  id {id} NOT NULL,
  run_id {id} NOT NULL,
  flow text NOT NULL,
  source_system text NOT NULL,
  source_entity text NOT NULL,
  source_id text NOT NULL,
  source_place text NOT NULL,
  seen_version text NOT NULL,
  source_at {int} NOT NULL,
  project_key text,
  twin_key text,
  rank {int} NOT NULL,
  -- 1: another record of the dry run needs it.
  needed {int} NOT NULL,
  -- When it is judged; none once it is.
  due_at {int},
  attempts {int} NOT NULL,
  action text CHECK (action IN ('create', 'update', 'link', 'none', 'wait', 'skip', 'review', 'fail')),
  number text,
  counterparty text,
  project text,
  -- Ten-thousandths of the currency's unit.
  amount {int},
  currency text,
  -- Its key in the target, as far as that is known or chosen beforehand.
  target_id text,
  digest text,
  reason text,
  explanation text NOT NULL,
  changes text NOT NULL,
  issues text NOT NULL,
  candidates text NOT NULL,
  waiting_for text NOT NULL,
  created_at {int} NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, run_id) REFERENCES run (tenant_id, id)
) {strict};
CREATE UNIQUE INDEX dry_run_change_source ON dry_run_change (tenant_id, run_id, source_id, flow);
CREATE UNIQUE INDEX dry_run_change_target ON dry_run_change (tenant_id, run_id, flow, target_id)
  WHERE target_id IS NOT NULL;
CREATE INDEX dry_run_change_due ON dry_run_change (tenant_id, run_id, rank, source_at, source_id)
  WHERE due_at IS NOT NULL;
CREATE INDEX dry_run_change_page ON dry_run_change (tenant_id, run_id, flow, action, id);
CREATE INDEX dry_run_change_twins ON dry_run_change (tenant_id, run_id, flow, twin_key) WHERE twin_key IS NOT NULL;
CREATE INDEX dry_run_change_age ON dry_run_change (tenant_id, created_at);

-- Class, code and field of what a failed record failed of: records of one cause are mended together.
ALTER TABLE record ADD COLUMN cause text;
CREATE INDEX record_by_cause ON record (tenant_id, cause) WHERE state = 'failed';
CREATE INDEX wait_by_key ON wait (tenant_id, kind, key);
",
    of_tenants: &["dry_run_change"],
    at_threshold: &[],
};
