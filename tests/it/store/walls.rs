//! The walls that the database itself puts up: row-level security, and a trail that only grows.

use ml_connector::domain::audit::Happened;
use ml_connector::domain::ids::TenantId;
use ml_connector::store::body;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, TransactionTrait};

use super::{Bench, seen};
use crate::connections;
use crate::support::database::{TestDatabase, both};

both!(
    every_table_of_a_tenant_is_behind_a_wall,
    the_serving_role_owns_nothing,
    events_can_only_be_added,
);

async fn texts(connection: &impl ConnectionTrait, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(connection.get_database_backend(), sql.to_owned());
    let rows = connection.query_all_raw(statement).await.unwrap();
    rows.iter()
        .map(|row| row.try_get("", "text").unwrap())
        .collect()
}

/// Every table of ours that has a tenant.
async fn tables(connection: &DatabaseConnection) -> Vec<String> {
    let sql = match connection.get_database_backend() {
        DbBackend::Postgres => {
            "SELECT table_name AS text FROM information_schema.columns
             WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY 1"
        }
        _ => {
            "SELECT m.name AS text FROM sqlite_master m, pragma_table_info(m.name) c
             WHERE m.type = 'table' AND c.name = 'tenant_id' ORDER BY 1"
        }
    };
    texts(connection, sql).await
}

async fn every_table_of_a_tenant_is_behind_a_wall(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    bench.hint(vec![seen("10")]).await;
    bench
        .write(|scope| {
            Box::pin(async move {
                scope.tell(Happened::new("body.kept", "body", 1));
                Ok(body::keep(scope, "text".to_owned()))
            })
        })
        .await
        .unwrap();
    let connection = bench.store.connection();
    let tables = tables(connection).await;
    assert!(tables.len() > 20, "{tables:?}");
    assert!(tables.contains(&"record".to_owned()));
    if connection.get_database_backend() != DbBackend::Postgres {
        return;
    }
    let walled = "SELECT relname::text AS text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relrowsecurity AND relforcerowsecurity
        ORDER BY 1";
    assert_eq!(texts(connection, walled).await, tables);
    for table in &tables {
        let count = format!("SELECT CAST(count(*) AS text) AS text FROM {table}");
        assert_eq!(
            texts(connection, &count).await,
            ["0"],
            "{table} without a tenant"
        );
        let (column, id) = ("tenant_id", bench.tenant);
        let insert = format!("INSERT INTO {table} ({column}) VALUES ('{id}')");
        let refused = connection
            .execute_unprepared(&insert)
            .await
            .unwrap_err()
            .to_string();
        assert!(refused.contains("row-level security"), "{table}: {refused}");
        let empty = connection
            .execute_unprepared(&format!("UPDATE {table} SET {column} = {column}"))
            .await;
        // The trail refuses the statement itself, all others find nothing to change.
        assert!(
            empty.is_err() == (table == "audit_event"),
            "{table}: {empty:?}"
        );
        if let Ok(touched) = empty {
            assert_eq!(touched.rows_affected(), 0, "{table} without a tenant");
        }
    }
    // A second tenant's transaction sees nothing of the first.
    let tx = connections::of_tenant(&bench.store, TenantId::generate()).await;
    for table in &tables {
        let count = format!("SELECT CAST(count(*) AS text) AS text FROM {table}");
        assert_eq!(
            texts(&tx, &count).await,
            ["0"],
            "{table} for another tenant"
        );
    }
}

async fn the_serving_role_owns_nothing(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    let connection = bench.store.connection();
    if connection.get_database_backend() != DbBackend::Postgres {
        return;
    }
    assert_eq!(
        texts(connection, "SELECT current_user::text AS text").await,
        ["mlc_app"]
    );
    let rights = "SELECT (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolcanlogin)::text AS text
        FROM pg_roles WHERE rolname = 'mlc_app'";
    assert_eq!(texts(connection, rights).await, ["false"]);
    let owned = "SELECT relname::text AS text FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
        WHERE r.rolname = 'mlc_app'
        UNION ALL SELECT nspname::text FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner
        WHERE r.rolname = 'mlc_app'";
    assert_eq!(texts(connection, owned).await, Vec::<String>::new());
    for statement in [
        "CREATE TABLE mine (name text)",
        "ALTER TABLE record DISABLE ROW LEVEL SECURITY",
        "DROP POLICY of_tenant ON record",
        "DROP TRIGGER audit_event_stays ON audit_event",
        "TRUNCATE audit_event",
        "DELETE FROM seaql_migrations",
    ] {
        connection
            .execute_unprepared(statement)
            .await
            .expect_err(statement);
    }
}

async fn events_can_only_be_added(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    bench
        .write(|scope| {
            Box::pin(async move {
                scope.tell(Happened::new("body.kept", "body", 1));
                Ok(())
            })
        })
        .await
        .unwrap();
    for statement in [
        "UPDATE audit_event SET action = 'nothing.happened'",
        "DELETE FROM audit_event",
        "UPDATE audit_event SET hash = hash WHERE seq = 1",
    ] {
        let tx = connections::of_tenant(&bench.store, bench.tenant).await;
        tx.execute_unprepared(statement).await.expect_err(statement);
        tx.rollback().await.unwrap();
    }
    assert_eq!(
        connections::told(&bench.store, bench.tenant, "body.kept").await,
        1
    );
    // Not even the role that owns the schema may.
    let owner = sea_orm::Database::connect(&database.url).await.unwrap();
    let tx = owner.begin().await.unwrap();
    if tx.get_database_backend() == DbBackend::Postgres {
        let tenant = format!(
            "SELECT set_config('app.tenant_id', '{}', true)",
            bench.tenant
        );
        tx.execute_unprepared(&tenant).await.unwrap();
    }
    tx.execute_unprepared("DELETE FROM audit_event")
        .await
        .expect_err("the owner deletes events");
}
