//! Tenants, their people, sessions and tokens. New tables only: locks nothing that exists.

use crate::{Tables, step};

step!("m0001_accounts", TABLES);

const TABLES: Tables<'static> = Tables {
    ddl: "
CREATE TABLE tenant (
  tenant_id {id} NOT NULL PRIMARY KEY,
  name text NOT NULL,
  created_at {int} NOT NULL
) {strict};

-- The key that seals this tenant's secrets, itself sealed by a version of the master key.
CREATE TABLE data_key (
  tenant_id {id} NOT NULL REFERENCES tenant (tenant_id),
  id {id} NOT NULL,
  master_version {int} NOT NULL,
  wrapped {bytes} NOT NULL,
  -- How often it may have sealed: a key is replaced long before its nonces could repeat.
  uses {int} NOT NULL,
  created_at {int} NOT NULL,
  PRIMARY KEY (tenant_id, id)
) {strict};
CREATE INDEX data_key_by_master ON data_key (master_version);

CREATE TABLE member (
  tenant_id {id} NOT NULL REFERENCES tenant (tenant_id),
  id {id} NOT NULL,
  email text NOT NULL,
  name text NOT NULL,
  role text NOT NULL CHECK (role IN ('owner', 'admin', 'operator', 'viewer')),
  password_hash text NOT NULL,
  created_at {int} NOT NULL,
  updated_at {int} NOT NULL,
  PRIMARY KEY (tenant_id, id)
) {strict};
CREATE UNIQUE INDEX member_by_email ON member (email);

CREATE TABLE session (
  tenant_id {id} NOT NULL,
  id {id} NOT NULL,
  member_id {id} NOT NULL,
  token_hash {bytes} NOT NULL,
  created_at {int} NOT NULL,
  seen_at {int} NOT NULL,
  expires_at {int} NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id) ON DELETE CASCADE
) {strict};
CREATE UNIQUE INDEX session_by_token ON session (token_hash);
CREATE INDEX session_by_member ON session (tenant_id, member_id);

CREATE TABLE api_token (
  tenant_id {id} NOT NULL,
  id {id} NOT NULL,
  member_id {id} NOT NULL,
  name text NOT NULL,
  token_hash {bytes} NOT NULL,
  scopes text NOT NULL,
  created_at {int} NOT NULL,
  expires_at {int} NOT NULL,
  last_used_at {int},
  revoked_at {int},
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id)
) {strict};
CREATE UNIQUE INDEX api_token_by_hash ON api_token (token_hash);

-- Guesses, by account and by source. Belongs to no tenant: the account may not exist.
CREATE TABLE throttle (
  subject {bytes} NOT NULL PRIMARY KEY,
  -- Guesses in a row without a pause of a window between them.
  guesses {int} NOT NULL,
  last_guess_at {int} NOT NULL,
  day {int} NOT NULL,
  guesses_today {int} NOT NULL,
  blocked_until {int} NOT NULL
) {strict};
CREATE INDEX throttle_by_time ON throttle (last_guess_at);

-- What a POST with an Idempotency-Key was answered, kept for a day.
CREATE TABLE idempotency (
  tenant_id {id} NOT NULL REFERENCES tenant (tenant_id),
  key text NOT NULL,
  request_digest text NOT NULL,
  status {int},
  answer text,
  created_at {int} NOT NULL,
  PRIMARY KEY (tenant_id, key)
) {strict};
",
    of_tenants: &[
        "tenant",
        "data_key",
        "member",
        "session",
        "api_token",
        "idempotency",
    ],
    at_threshold: &["tenant", "data_key", "member", "session", "api_token"],
};
