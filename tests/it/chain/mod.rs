//! The chain of the trail against somebody who can write to the database's files: whatever they do to it is
//! noticed and named, over the API, by the command and in an exported file.

mod command;
mod export;
mod tamper;

use ml_connector::domain::audit::Happened;
use ml_connector::domain::ids::TenantId;
use ml_connector::domain::member::Actor;
use ml_connector::store::{Store, StoreError};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend};

use crate::support::database::TestDatabase;

/// Tells of so many things.
async fn tell(store: &Store, tenant: TenantId, count: u32) {
    for number in 1..=count {
        store
            .write(tenant, &Actor::command(), move |scope| {
                Box::pin(async move {
                    let id = format!("thing-{number}");
                    scope.tell(Happened::new("thing.done", "thing", id).with("number", number));
                    Ok::<_, StoreError>(())
                })
            })
            .await
            .expect("an event is told");
    }
}

/// Somebody with the database's own files, or its superuser: neither triggers nor walls stop them.
struct Intruder {
    connection: DatabaseConnection,
    /// The tenant as it stands in a statement.
    tenant: String,
}

impl Intruder {
    async fn at(database: &TestDatabase, tenant: TenantId) -> Self {
        let connection = Database::connect(&database.url)
            .await
            .expect("the database opens");
        let is_postgres = connection.get_database_backend() == DbBackend::Postgres;
        let silence = if is_postgres {
            "ALTER TABLE audit_event DISABLE TRIGGER USER;
             ALTER TABLE audit_event NO FORCE ROW LEVEL SECURITY;
             ALTER TABLE audit_detail NO FORCE ROW LEVEL SECURITY;
             ALTER TABLE audit_head NO FORCE ROW LEVEL SECURITY"
        } else {
            "DROP TRIGGER IF EXISTS audit_event_stays; DROP TRIGGER IF EXISTS audit_event_remains"
        };
        connection
            .execute_unprepared(silence)
            .await
            .expect("triggers are silenced");
        let tenant = if is_postgres {
            format!("'{tenant}'::uuid")
        } else {
            format!("X'{}'", tenant.0.simple())
        };
        Self { connection, tenant }
    }

    /// Runs statements in which `{t}` is the tenant's condition. Each must touch something.
    async fn run(&self, statements: &str) {
        for statement in statements.split(';') {
            let sql = statement.replace("{t}", &format!("tenant_id = {}", self.tenant));
            let done = self.connection.execute_unprepared(&sql).await;
            let done = done.unwrap_or_else(|error| panic!("{sql}: {error}"));
            assert!(done.rows_affected() > 0, "{sql} touched nothing");
        }
    }

    async fn leave(self) {
        self.connection.close().await.expect("the session ends");
    }
}
