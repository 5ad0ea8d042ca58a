//! Schema steps, one file a step, the same for SQLite and PostgreSQL. Steps only ever grow: expand,
//! backfill and contract in separate releases.

use sea_orm_migration::prelude::*;
pub use sea_orm_migration::prelude::{DbErr, MigratorTrait};
use sea_orm_migration::sea_orm::DatabaseBackend;

mod m0001_accounts;
mod m0002_connections;
mod m0003_pairs;
mod m0004_records;
mod m0005_writes;
mod m0006_work;
mod m0007_audit;
mod m0008_hooks;
mod m0009_rehearsal;
mod m0010_codes;
mod m0011_readback;
mod m0012_heads;
mod m0013_rest;
mod m0014_link_order;
mod m0015_keys;

/// Every step in order.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_accounts::Step),
            Box::new(m0002_connections::Step),
            Box::new(m0003_pairs::Step),
            Box::new(m0004_records::Step),
            Box::new(m0005_writes::Step),
            Box::new(m0006_work::Step),
            Box::new(m0007_audit::Step),
            Box::new(m0008_hooks::Step),
            Box::new(m0009_rehearsal::Step),
            Box::new(m0010_codes::Step),
            Box::new(m0011_readback::Step),
            Box::new(m0012_heads::Step),
            Box::new(m0013_rest::Step),
            Box::new(m0014_link_order::Step),
            Box::new(m0015_keys::Step),
        ]
    }
}

/// Tables of one step.
pub(crate) struct Tables<'a> {
    /// Statements with `{id}`, `{int}`, `{bytes}` and `{strict}` where the engines differ.
    pub ddl: &'a str,
    /// Tables whose rows belong to a tenant by `tenant_id`.
    pub of_tenants: &'a [&'a str],
    /// Those of them that are also looked at before the tenant is known.
    pub at_threshold: &'a [&'a str],
}

impl Tables<'_> {
    /// Creates the tables; on PostgreSQL also puts the wall of row-level security around them and
    /// grants the serving role what it needs.
    pub(crate) async fn create(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == DatabaseBackend::Postgres;
        run(manager, &in_dialect(self.ddl, postgres)).await?;
        if postgres {
            for table in self.of_tenants {
                run(manager, &wall(table, self.at_threshold.contains(table))).await?;
            }
        }
        Ok(())
    }
}

/// Runs several statements.
pub(crate) async fn run(manager: &SchemaManager<'_>, statements: &str) -> Result<(), DbErr> {
    manager
        .get_connection()
        .execute_unprepared(statements)
        .await?;
    Ok(())
}

/// Ids are 16 bytes, instants and amounts whole numbers of 64 bits, documents are text on both engines.
pub(crate) fn in_dialect(ddl: &str, postgres: bool) -> String {
    let words = if postgres {
        [
            ("{id}", "uuid"),
            ("{int}", "bigint"),
            ("{bytes}", "bytea"),
            ("{strict}", ""),
        ]
    } else {
        [
            ("{id}", "BLOB"),
            ("{int}", "INTEGER"),
            ("{bytes}", "BLOB"),
            ("{strict}", "STRICT"),
        ]
    };
    words.iter().fold(ddl.to_owned(), |text, (mark, word)| {
        text.replace(mark, word)
    })
}

/// The second wall: without the tenant set for the transaction, no row is seen and none can be written.
fn wall(table: &str, at_threshold: bool) -> String {
    let mine = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid";
    let mut statements = format!(
        "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
         ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
         CREATE POLICY of_tenant ON {table} USING ({mine}) WITH CHECK ({mine});"
    );
    if at_threshold {
        let threshold = "current_setting('app.threshold', true) = 'on'";
        statements.push_str(&format!(
            "CREATE POLICY at_threshold ON {table} USING ({threshold}) WITH CHECK ({threshold});"
        ));
    }
    statements
}

macro_rules! step {
    ($name:literal, $tables:expr) => {
        use sea_orm_migration::prelude::*;

        pub struct Step;

        impl MigrationName for Step {
            fn name(&self) -> &str {
                $name
            }
        }

        #[async_trait::async_trait]
        impl MigrationTrait for Step {
            async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
                $tables.create(manager).await
            }
        }
    };
}
pub(crate) use step;
