//! Webhooks: addresses, what was delivered to them, and what is still to be looked at. New tables only:
//! locks nothing.

use crate::{Tables, step};

step!("m0008_hooks", TABLES);

const TABLES: Tables<'static> = Tables {
    ddl: "
-- One address for each connection that ever needed one.
CREATE TABLE hook (
  tenant_id {id} NOT NULL,
  connection_id {id} NOT NULL,
  system text NOT NULL,
  -- Whose events belong to it, in the sender's own words.
  owner text NOT NULL,
  state text NOT NULL CHECK (state IN ('wanted', 'registered', 'polling', 'off')),
  why text NOT NULL,
  -- The address and the secret: SHA-256 to recognise them, sealed to register them again.
  key_hash {bytes},
  key_sealed {bytes},
  secret_hash {bytes},
  secret_sealed {bytes},
  -- The secret before, and until when it is still taken.
  old_secret_hash {bytes},
  old_until {int},
  -- A secret that the vendor was not told yet.
  next_secret_hash {bytes},
  next_secret_sealed {bytes},
  vendor_hook_id text,
  resources text NOT NULL,
  unheard text NOT NULL,
  own_user text,
  checked_at {int},
  tries {int} NOT NULL,
  -- When it is looked after next; none: when a pair starts or stops.
  due_at {int},
  -- Rises with every change that a receiver must know.
  revision {int} NOT NULL,
  PRIMARY KEY (tenant_id, connection_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id)
) {strict};
CREATE UNIQUE INDEX hook_address ON hook (key_hash) WHERE key_hash IS NOT NULL;
CREATE INDEX hook_due ON hook (tenant_id, due_at) WHERE due_at IS NOT NULL;

-- What was received: small rows, kept for thirty days, so that a repeat is known as one.
CREATE TABLE delivery (
  tenant_id {id} NOT NULL,
  id {id} NOT NULL,
  connection_id {id} NOT NULL,
  -- SHA-256 of the sender's id of it, or of the body.
  identity {bytes} NOT NULL,
  received_at {int} NOT NULL,
  sender_id text,
  resource text NOT NULL,
  resource_id text NOT NULL,
  event text NOT NULL,
  user_id text,
  -- Which record it is about, for the hint.
  entity text NOT NULL,
  subject text NOT NULL,
  place text NOT NULL,
  project_key text NOT NULL,
  state text NOT NULL CHECK (state IN ('queued', 'processed', 'duplicate', 'echo', 'ignored', 'rejected', 'failed')),
  note text NOT NULL,
  hint_id {id},
  record_ids text NOT NULL,
  done_at {int},
  PRIMARY KEY (tenant_id, id)
) {strict};
CREATE UNIQUE INDEX delivery_once ON delivery (tenant_id, connection_id, identity);
CREATE INDEX delivery_by_state ON delivery (tenant_id, state, id);
CREATE INDEX delivery_queued ON delivery (tenant_id, connection_id, entity, subject)
  WHERE state = 'queued' AND hint_id IS NULL;
CREATE INDEX delivery_of_hint ON delivery (tenant_id, hint_id) WHERE hint_id IS NOT NULL AND state = 'queued';

-- Bodies as received, kept for seven days.
CREATE TABLE delivery_body (
  tenant_id {id} NOT NULL,
  delivery_id {id} NOT NULL,
  received_at {int} NOT NULL,
  content text NOT NULL,
  PRIMARY KEY (tenant_id, delivery_id)
) {strict};
CREATE INDEX delivery_body_age ON delivery_body (received_at);

-- What is to be looked at: at most one untaken line for each subject of a connection.
CREATE TABLE hook_hint (
  tenant_id {id} NOT NULL,
  id {id} NOT NULL,
  connection_id {id} NOT NULL,
  entity text NOT NULL,
  -- The source's id, or `*` and a project: something in it changed.
  subject text NOT NULL,
  place text NOT NULL,
  project_key text NOT NULL,
  event text NOT NULL,
  first_at {int} NOT NULL,
  due_at {int} NOT NULL,
  taken_at {int},
  record_ids text NOT NULL,
  PRIMARY KEY (tenant_id, id)
) {strict};
CREATE UNIQUE INDEX hook_hint_once ON hook_hint (tenant_id, connection_id, entity, subject)
  WHERE taken_at IS NULL;
CREATE INDEX hook_hint_due ON hook_hint (tenant_id, due_at) WHERE taken_at IS NULL;
CREATE INDEX hook_hint_taken ON hook_hint (tenant_id, id) WHERE taken_at IS NOT NULL;
",
    of_tenants: &["hook", "delivery", "delivery_body", "hook_hint"],
    at_threshold: &["hook", "delivery", "delivery_body", "hook_hint"],
};
