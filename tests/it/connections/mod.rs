//! Connections, pairs and mappings below the web: their rows on both engines, log-ins, tests of a
//! connection, and what people do with them.

mod rows;

use ml_connector::domain::clock::{Clock, Timestamp};
use ml_connector::domain::connection::{Connection, Environment, Settings};
use ml_connector::domain::ids::{ConnectionId, PairId, TenantId};
use ml_connector::domain::pair::{Pair, PairSettings, PairStatus, Policies, Projects};
use ml_connector::domain::schedule::Schedule;
use ml_connector::domain::system::{PairKind, SystemId};
use ml_connector::store::{Options, Store, migrate};
use sea_orm::{ConnectionTrait, Statement, TransactionTrait};

use crate::support::database::TestDatabase;

/// When the tests' clocks begin.
pub fn start() -> Timestamp {
    "2026-11-24T09:00:00Z".parse().expect("an instant")
}

/// The database with its schema, and a clock that is moved by hand.
pub async fn store(database: &TestDatabase) -> Store {
    migrate::up(&database.url).await.expect("the schema");
    Store::open(Options {
        url: database.url.clone(),
        clock: Clock::by_hand(start()),
    })
    .await
    .expect("the database opens")
}

/// A tenant that owns nothing yet.
pub async fn tenant(store: &Store) -> TenantId {
    let id = TenantId::generate();
    let tx = store.connection().begin().await.expect("a transaction");
    let backend = tx.get_database_backend();
    if backend == sea_orm::DbBackend::Postgres {
        let sql = format!("SELECT set_config('app.tenant_id', '{id}', true)");
        tx.execute_unprepared(&sql)
            .await
            .expect("a tenant is named");
    }
    tx.execute_raw(Statement::from_sql_and_values(
        backend,
        "INSERT INTO tenant (tenant_id, name, created_at) VALUES ($1, 'Acme', 0)",
        [id.0.into()],
    ))
    .await
    .expect("a tenant is kept");
    tx.commit().await.expect("a commit");
    id
}

pub fn connection(system: &'static str) -> Connection {
    Connection {
        id: ConnectionId::generate(),
        system: SystemId::new(system),
        name: format!("Our {system}"),
        environment: Environment::Sandbox,
        settings: Settings::default(),
        credentials: Default::default(),
        last_ping: None,
        auth_fault: None,
        version: 1,
        created_at: start(),
        updated_at: start(),
    }
}

pub fn pair(erp: &Connection, project: &Connection) -> Pair {
    Pair {
        id: PairId::generate(),
        kind: PairKind::new("infor_m3_procore"),
        erp_connection_id: erp.id,
        project_connection_id: project.id,
        settings: PairSettings {
            name: "Head office".to_owned(),
            flows: Default::default(),
            projects: Projects::default(),
            schedule: Schedule::default(),
            start_date: None,
            policies: Policies::default(),
        },
        status: PairStatus::Draft,
        version: 1,
        next_run_at: None,
        created_at: start(),
        updated_at: start(),
    }
}
