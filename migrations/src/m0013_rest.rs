//! Lists stay quick at a million records: an index of the few that are not at rest, one of what people did. Both
//! are partial and small; building them locks their table's writes for as long as one read of it takes.

use crate::{Tables, step};

step!("m0013_rest", TABLES);

const TABLES: Tables<'static> = Tables {
    ddl: "
-- Whatever is in work or waits for somebody, newest first, with what is counted and added up of it.
CREATE INDEX record_in_need ON record (tenant_id, state, id, pair_id, currency, amount)
  WHERE state IN ('pending', 'syncing', 'waiting', 'held', 'review', 'retrying', 'failed');
-- What the program does by itself is most of the trail, and is found without this.
CREATE INDEX audit_by_person ON audit_event (tenant_id, actor_id, seq) WHERE actor_kind <> 'worker';
",
    of_tenants: &[],
    at_threshold: &[],
};
