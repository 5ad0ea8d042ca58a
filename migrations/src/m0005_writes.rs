//! Links and the journal of writes. New tables only: locks nothing.

use crate::{Tables, step};

step!("m0005_writes", TABLES);

const TABLES: Tables<'static> = Tables {
    ddl: "
CREATE TABLE link (
  tenant_id {id} NOT NULL,
  id {id} NOT NULL,
  pair_id {id} NOT NULL,
  entity text NOT NULL,
  scope text NOT NULL,
  source_system text NOT NULL,
  source_id text NOT NULL,
  target_system text NOT NULL,
  target_id text NOT NULL,
  matched_by text NOT NULL,
  -- 1: an old id that stays resolvable.
  alias {int} NOT NULL,
  draft_digest text,
  created_at {int} NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, pair_id) REFERENCES pair (tenant_id, id)
) {strict};
CREATE UNIQUE INDEX link_by_source ON link (tenant_id, pair_id, entity, source_id) WHERE alias = 0;
CREATE UNIQUE INDEX link_by_target ON link (tenant_id, pair_id, entity, target_id) WHERE alias = 0;
CREATE INDEX link_page ON link (tenant_id, id);

-- One intended write. Its identity is the physical target, the kind of object and the natural key,
-- so that two pairs into one company meet here and not in the vendor's books.
CREATE TABLE effect (
  tenant_id {id} NOT NULL,
  id {id} NOT NULL,
  record_id {id} NOT NULL,
  place text NOT NULL,
  entity text NOT NULL,
  natural_key text NOT NULL,
  state text NOT NULL CHECK (state IN ('open', 'intent', 'ambiguous', 'accepted', 'confirmed', 'rejected')),
  operation text NOT NULL,
  attempt {int} NOT NULL,
  fence {int} NOT NULL,
  draft_digest text NOT NULL,
  progress text NOT NULL,
  -- The latest moment that the last send was allowed to begin.
  send_deadline {int},
  quiet_until {int},
  absent_seen {int} NOT NULL,
  -- Final steps of its chain that surely landed: from the first one on it can no longer be taken back.
  counted {int} NOT NULL,
  created_at {int} NOT NULL,
  updated_at {int} NOT NULL,
  PRIMARY KEY (tenant_id, id)
) {strict};
CREATE UNIQUE INDEX effect_identity ON effect (tenant_id, place, entity, natural_key);
CREATE INDEX effect_of_record ON effect (tenant_id, record_id);
",
    of_tenants: &["link", "effect"],
    at_threshold: &[],
};
