//! Links are found by the key that tells them apart first: with company-wide columns in front, PostgreSQL took
//! either index for either side and read through a whole kind of links. Rebuilds three indexes: blocks writes to
//! links for seconds at a million of them.

use sea_orm_migration::prelude::*;

use crate::run;

pub struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m0014_link_order"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, INDEXES).await
    }
}

const INDEXES: &str = "
DROP INDEX link_by_source;
CREATE UNIQUE INDEX link_by_source ON link (tenant_id, source_id, entity, pair_id) WHERE alias = 0;
DROP INDEX link_by_target;
CREATE UNIQUE INDEX link_by_target ON link (tenant_id, target_id, entity, pair_id)
  WHERE alias = 0 AND entity <> 'cost_code';
DROP INDEX link_of_target;
CREATE INDEX link_of_target ON link (tenant_id, target_id, entity, pair_id) WHERE alias = 0;
";
