//! Connections with their sealed credentials and vendor tokens. New tables only: locks nothing.

use crate::{Tables, step};

step!("m0002_connections", TABLES);

const TABLES: Tables<'static> = Tables {
    ddl: "
CREATE TABLE connection (
  tenant_id {id} NOT NULL REFERENCES tenant (tenant_id),
  id {id} NOT NULL,
  system text NOT NULL,
  name text NOT NULL,
  environment text NOT NULL CHECK (environment IN ('production', 'sandbox')),
  settings text NOT NULL,
  -- Rises with every change of settings or credentials: what was remembered about it is stale.
  version {int} NOT NULL,
  last_ping text,
  -- Why log-in fails, while it does; due records of the connection are not tried meanwhile.
  auth_fault text,
  created_at {int} NOT NULL,
  updated_at {int} NOT NULL,
  -- Pairs that are gone keep their trail, and with it the name of the connection.
  removed_at {int},
  PRIMARY KEY (tenant_id, id)
) {strict};

CREATE TABLE credential (
  tenant_id {id} NOT NULL,
  connection_id {id} NOT NULL,
  name text NOT NULL,
  sealed {bytes} NOT NULL,
  changed_at {int} NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, name),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id) ON DELETE CASCADE
) {strict};

-- The vendor's access token, sealed. `refreshing_until` is won by one refresher at a time.
CREATE TABLE vendor_token (
  tenant_id {id} NOT NULL,
  connection_id {id} NOT NULL,
  sealed {bytes},
  expires_at {int} NOT NULL,
  generation {int} NOT NULL,
  refreshing_until {int} NOT NULL,
  PRIMARY KEY (tenant_id, connection_id),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id) ON DELETE CASCADE
) {strict};

-- Projects that a connection was seen to have, for names on pages and for scope.
CREATE TABLE known_project (
  tenant_id {id} NOT NULL,
  connection_id {id} NOT NULL,
  source_key text NOT NULL,
  number text,
  name text NOT NULL,
  active {int} NOT NULL,
  seen_at {int} NOT NULL,
  PRIMARY KEY (tenant_id, connection_id, source_key),
  FOREIGN KEY (tenant_id, connection_id) REFERENCES connection (tenant_id, id) ON DELETE CASCADE
) {strict};
",
    of_tenants: &["connection", "credential", "vendor_token", "known_project"],
    at_threshold: &[],
};
