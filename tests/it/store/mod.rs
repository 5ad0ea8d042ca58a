//! The store below everything else: what a commit keeps, who sees it, and what wakes whom.

mod effects;
mod hints;
mod leases;
mod links;
mod search;
mod tenants;
mod units;
mod waits;
mod walls;

use std::time::Duration;

use futures::future::BoxFuture;
use ml_connector::domain::clock::Timestamp;
use ml_connector::domain::ids::{PairId, RunId, TenantId};
use ml_connector::domain::member::Actor;
use ml_connector::domain::pair::PairStatus;
use ml_connector::domain::record::State;
use ml_connector::domain::system::{Entity, SystemId};
use ml_connector::store::hint::{self, Hint, Page};
use ml_connector::store::record::Work;
use ml_connector::store::{Scope, Store, StoreError, connection, pair, record};
use sea_orm::{ConnectionTrait, Statement, Value};

use crate::connections;
use crate::support::database::TestDatabase;

/// A tenant with one active pair.
struct Bench {
    store: Store,
    tenant: TenantId,
    pair: PairId,
}

impl Bench {
    async fn begin(database: &TestDatabase) -> Self {
        Self::beside(connections::store(database).await).await
    }

    /// One more tenant in the same database.
    async fn beside(store: Store) -> Self {
        let tenant = connections::tenant(&store).await;
        let (erp, project) = (
            connections::connection("infor_m3"),
            connections::connection("procore"),
        );
        let new = ml_connector::domain::pair::Pair {
            status: PairStatus::Active,
            ..connections::pair(&erp, &project)
        };
        let bench = Self {
            store,
            tenant,
            pair: new.id,
        };
        bench
            .write(move |scope| {
                Box::pin(async move {
                    connection::insert(scope, &erp, &[]).await?;
                    connection::insert(scope, &project, &[]).await?;
                    pair::insert(scope, &new).await
                })
            })
            .await
            .unwrap();
        bench
    }

    async fn write<T: Send + 'static>(
        &self,
        unit: impl for<'s> FnOnce(&'s Scope) -> BoxFuture<'s, Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.store.write(self.tenant, &Actor::worker(), unit).await
    }

    async fn scope(&self) -> Scope {
        self.store.read(self.tenant).await.unwrap()
    }

    fn now(&self) -> Timestamp {
        self.store.clock().now()
    }

    fn advance(&self, seconds: u64) {
        self.store.clock().advance(Duration::from_secs(seconds));
    }

    /// Stores one page of hints as a listing would.
    async fn hint(&self, hints: Vec<Hint>) {
        self.hint_at(1, false, None, hints).await;
    }

    async fn hint_at(&self, pair_version: i64, whole: bool, run: Option<RunId>, hints: Vec<Hint>) {
        let pair = self.pair;
        self.write(move |scope| {
            Box::pin(async move {
                let page = Page {
                    pair,
                    pair_version,
                    flow: "commitments",
                    system: SystemId::new("procore"),
                    entity: Entity::new("commitment"),
                    rank: 2,
                    run,
                    whole,
                };
                hint::take(scope, &page, &hints).await
            })
        })
        .await
        .unwrap();
    }

    async fn record(&self, source_id: &str) -> Work {
        let scope = self.scope().await;
        let found = record::of_source(&scope, self.pair, "commitments", source_id)
            .await
            .unwrap();
        found.unwrap_or_else(|| panic!("{source_id} was never seen"))
    }

    /// Brings a record to rest in a state.
    async fn rest(&self, source_id: &str, state: State) -> Work {
        self.save(source_id, |work| {
            work.record.state = state;
            work.record.next_attempt_at = None;
        })
        .await
    }

    async fn save(&self, source_id: &str, change: impl FnOnce(&mut Work)) -> Work {
        let mut work = self.record(source_id).await;
        change(&mut work);
        self.write(move |scope| Box::pin(async move { record::save(scope, &work).await }))
            .await
            .unwrap();
        self.record(source_id).await
    }

    /// How many rows a table shows to this tenant.
    async fn count(&self, table: &str) -> i64 {
        let tx = connections::of_tenant(&self.store, self.tenant).await;
        let sql =
            format!("SELECT CAST(count(*) AS BIGINT) AS rows FROM {table} WHERE tenant_id = $1");
        let values: [Value; 1] = [self.tenant.0.into()];
        let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
        let row = tx.query_one_raw(statement).await.unwrap().unwrap();
        row.try_get("", "rows").unwrap()
    }
}

/// News of one record of project 7, at its first version.
fn seen(source_id: &str) -> Hint {
    seen_at(source_id, "v1")
}

fn seen_at(source_id: &str, version: &str) -> Hint {
    Hint {
        source_id: source_id.to_owned(),
        place: String::new(),
        version: version.to_owned(),
        source_at: connections::start(),
        project_key: Some("7".to_owned()),
        lane: "project:7".to_owned(),
        twin_key: None,
    }
}

/// Due records of a rank, whatever pair they are of.
fn due(rank: u8, now: Timestamp) -> record::Due<'static> {
    record::Due {
        rank,
        now,
        resting: &[],
    }
}
