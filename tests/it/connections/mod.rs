//! Connections, pairs and mappings below the web: their rows on both engines, log-ins, tests of a
//! connection, and what people do with them.

mod fake;
mod log_in;
mod over_http;
mod rows;

use std::sync::Arc;

use ml_connector::domain::clock::{Clock, Pace, Timestamp};
use ml_connector::domain::connection::{Connection, Environment, Settings};
use ml_connector::domain::ids::{ConnectionId, PairId, TenantId};
use ml_connector::domain::pair::{Pair, PairSettings, PairStatus, Policies, Projects};
use ml_connector::domain::schedule::Schedule;
use ml_connector::domain::system::{PairKind, SystemId};
use ml_connector::engine::{Engine, Setup};
use ml_connector::pairs::PAIRS;
use ml_connector::store::{Options, Store, migrate};
use ml_connector::vault::{MasterKeys, Vault};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement, TransactionTrait};

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

/// An engine whose systems are fakes.
async fn engine(database: &TestDatabase, network: &Arc<fake::FakeNetwork>) -> Engine {
    let store = store(database).await;
    let masters = MasterKeys::parse(&MasterKeys::generate().unwrap()).unwrap();
    with(store, Arc::new(Vault::new(masters)), network)
}

/// A second node on the same database with the same keys.
fn another(engine: &Engine, network: &Arc<fake::FakeNetwork>) -> Engine {
    with(engine.store.clone(), Arc::clone(&engine.vault), network)
}

fn with(store: Store, vault: Arc<Vault>, network: &Arc<fake::FakeNetwork>) -> Engine {
    let clock = store.clock().clone();
    Engine::new(Setup {
        store,
        vault,
        network: Arc::new(fake::Door(Arc::clone(network))),
        connectors: fake::CONNECTORS,
        pairs: PAIRS,
        clock,
        pace: Pace::default(),
    })
}

/// How often something was told in a tenant's trail.
pub async fn told(store: &Store, tenant: TenantId, action: &str) -> i64 {
    let tx = of_tenant(store, tenant).await;
    let sql = "SELECT CAST(count(*) AS BIGINT) AS events FROM audit_event WHERE tenant_id = $1 AND action = $2";
    let values = [tenant.0.into(), action.into()];
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    let row = tx.query_one_raw(statement).await.unwrap();
    row.unwrap().try_get("", "events").unwrap()
}

/// A transaction that sees one tenant.
pub async fn of_tenant(store: &Store, tenant: TenantId) -> DatabaseTransaction {
    let tx = store.connection().begin().await.expect("a transaction");
    if tx.get_database_backend() == sea_orm::DbBackend::Postgres {
        let sql = format!("SELECT set_config('app.tenant_id', '{tenant}', true)");
        tx.execute_unprepared(&sql)
            .await
            .expect("a tenant is named");
    }
    tx
}

/// A tenant that owns nothing yet.
pub async fn tenant(store: &Store) -> TenantId {
    let id = TenantId::generate();
    let tx = of_tenant(store, id).await;
    tx.execute_raw(Statement::from_sql_and_values(
        tx.get_database_backend(),
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
