//! Signed heads of the audit chains. Adds a column without a default: locks nothing for long.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

use crate::{in_dialect, run};

pub struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m0012_heads"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == DatabaseBackend::Postgres;
        run(manager, &in_dialect(DDL, postgres)).await?;
        if postgres {
            run(manager, THRESHOLD).await?;
        }
        Ok(())
    }
}

const DDL: &str = "
-- By the newest master key; none from before this step.
ALTER TABLE audit_head ADD COLUMN signature text;
";

/// Heads are read across tenants to be kept outside: numbers and hashes, nothing of anybody's business.
const THRESHOLD: &str = "
CREATE POLICY at_threshold ON audit_head FOR SELECT USING (current_setting('app.threshold', true) = 'on');
";
