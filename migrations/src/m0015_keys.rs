//! The processes that are there with the master keys they know, and rotations of the master key. New tables
//! only: locks nothing.

use crate::{Tables, step};

step!("m0015_keys", TABLES);

const TABLES: Tables<'static> = Tables {
    ddl: "
-- Processes at work. Belongs to no tenant.
CREATE TABLE node (
  id text NOT NULL PRIMARY KEY,
  role text NOT NULL,
  host text NOT NULL,
  -- Master key versions that it can open with, and the one it seals with.
  versions text NOT NULL,
  sealing_version {int} NOT NULL,
  started_at {int} NOT NULL,
  -- By the database's clock.
  seen_at {int} NOT NULL
) {strict};

-- Rotations of the master key: one that did not finish is gone on with. Belongs to no tenant.
CREATE TABLE key_rotation (
  version {int} NOT NULL PRIMARY KEY,
  started_at {int} NOT NULL,
  finished_at {int}
) {strict};
",
    of_tenants: &[],
    at_threshold: &[],
};
