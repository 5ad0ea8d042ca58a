//! What targets held when they were last read, which of them are looked at next, and the sweeps after a takeover.
//! New tables only: locks nothing.

use crate::{Tables, step};

step!("m0011_readback", TABLES);

const TABLES: Tables<'static> = Tables {
    ddl: "
-- One row a link, and gone with what it says once the link points elsewhere.
CREATE TABLE readback (
  tenant_id {id} NOT NULL,
  link_id {id} NOT NULL,
  pair_id {id} NOT NULL,
  entity text NOT NULL,
  target_id text NOT NULL,
  -- The fields as the target held them when we last wrote or adopted it; none: not read yet.
  held text,
  -- Where it differs from that now; none while it agrees.
  differs text,
  -- Why no new document may name it; none while it is open.
  closed text,
  -- How the target's list showed it at the last look, and how it shows it now.
  version text NOT NULL,
  seen_version text NOT NULL,
  checked_at {int} NOT NULL,
  due_at {int},
  PRIMARY KEY (tenant_id, link_id)
) {strict};
CREATE INDEX readback_due ON readback (tenant_id, pair_id, entity, due_at) WHERE due_at IS NOT NULL;

-- How far the look at a flow's target has come.
CREATE TABLE watch (
  tenant_id {id} NOT NULL,
  pair_id {id} NOT NULL,
  flow text NOT NULL,
  -- On the target's own clock: what changed before this was noticed.
  noticed_until {int},
  -- 1: its list is to be asked; 0: what it showed is looked at one by one.
  asks {int} NOT NULL,
  tries {int} NOT NULL,
  -- None while there is nothing to look at.
  due_at {int},
  PRIMARY KEY (tenant_id, pair_id, flow)
) {strict};

-- A write that was in flight when its worker went away, to be counted in the target.
CREATE TABLE sweep (
  tenant_id {id} NOT NULL,
  record_id {id} NOT NULL,
  draft_digest text NOT NULL,
  natural_key text NOT NULL,
  -- When the worker that had it in flight was found gone.
  found_at {int} NOT NULL,
  due_at {int} NOT NULL,
  PRIMARY KEY (tenant_id, record_id)
) {strict};
CREATE INDEX sweep_due ON sweep (tenant_id, due_at);
",
    of_tenants: &["readback", "watch", "sweep"],
    at_threshold: &[],
};
