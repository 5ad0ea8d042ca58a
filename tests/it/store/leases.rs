//! Whose turn it is, and that no wake is lost.

use std::time::Duration;

use ml_connector::store::work::{self, Lease};
use ml_connector::store::{Store, StoreError, threshold};
use sea_orm::{ConnectionTrait, Statement};

use super::Bench;
use crate::connections;
use crate::support::database::{TestDatabase, both};

both!(
    one_holder_at_a_time_and_fences_rise,
    a_lost_lease_commits_nothing,
    a_wake_during_a_slice_is_not_lost,
    a_tenant_is_queued_once,
    sleepers_are_found_when_their_time_comes,
    what_the_queue_forgot_is_found,
);

impl Bench {
    async fn take(&self, holder: &'static str) -> Option<Lease> {
        self.write(move |scope| Box::pin(work::take(scope, holder)))
            .await
            .unwrap()
    }

    async fn end(&self, lease: &Lease, seconds: Option<u64>) -> bool {
        let lease = lease.clone();
        let next = seconds.map(|seconds| self.now().plus(Duration::from_secs(seconds)));
        self.write(move |scope| Box::pin(async move { work::end(scope, &lease, next).await }))
            .await
            .unwrap()
    }

    async fn check(&self, lease: &Lease) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.write(move |scope| Box::pin(async move { work::check(scope, &lease).await }))
            .await
    }

    async fn extend(&self, lease: &Lease, seconds: i64) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.write(move |scope| Box::pin(async move { work::extend(scope, &lease, seconds).await }))
            .await
    }

    async fn wake(&self, seconds: u64) {
        let at = self.now().plus(Duration::from_secs(seconds));
        self.write(move |scope| {
            Box::pin(async move {
                scope.wake(at);
                Ok(())
            })
        })
        .await
        .unwrap();
    }

    /// The lease runs out on the database's own clock, which tests cannot move.
    async fn expire(&self) {
        self.execute("UPDATE tenant_lease SET until = 1 WHERE tenant_id = $1")
            .await;
    }

    async fn execute(&self, sql: &str) {
        let tx = connections::of_tenant(&self.store, self.tenant).await;
        let statement =
            Statement::from_sql_and_values(tx.get_database_backend(), sql, [self.tenant.0.into()]);
        tx.execute_raw(statement).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// Slices that wait in the queue.
async fn queued(store: &Store) -> i64 {
    let connection = store.connection();
    let sql = match connection.get_database_backend() {
        sea_orm::DbBackend::Postgres => {
            "SELECT CAST(count(*) AS BIGINT) AS jobs FROM apalis.jobs WHERE status = 'Pending'"
        }
        _ => "SELECT CAST(count(*) AS BIGINT) AS jobs FROM Jobs WHERE status = 'Pending'",
    };
    let statement = Statement::from_string(connection.get_database_backend(), sql.to_owned());
    let row = connection.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get("", "jobs").unwrap()
}

fn is_lost(done: Result<(), StoreError>) {
    let error = done.expect_err("the lease is somebody else's");
    assert!(error.is_turn_lost(), "{error:?}");
}

async fn one_holder_at_a_time_and_fences_rise(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    let first = bench.take("a").await.expect("nobody holds it");
    assert_eq!(first.fence, 1);
    assert_eq!(bench.take("b").await, None);
    assert_eq!(
        bench.take("a").await,
        None,
        "not even its own holder takes it twice"
    );
    bench.check(&first).await.unwrap();
    bench.extend(&first, 60).await.unwrap();
    bench.end(&first, None).await;
    let second = bench.take("b").await.expect("it was given back");
    assert!(second.fence > first.fence);
    is_lost(bench.check(&first).await);
    is_lost(bench.extend(&first, 60).await);
    // An end that comes late takes nothing from the new holder.
    assert!(!bench.end(&first, None).await);
    bench.check(&second).await.unwrap();
    assert_eq!(bench.take("c").await, None);
    // Another tenant's lease is its own.
    let other = Bench::beside(bench.store.clone()).await;
    assert_eq!(other.take("c").await.expect("its own lease").fence, 1);
}

async fn a_lost_lease_commits_nothing(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    let frozen = bench.take("a").await.unwrap();
    bench.expire().await;
    is_lost(bench.extend(&frozen, 30).await);
    // Ran out, but nobody came: an outcome may still be kept.
    bench.check(&frozen).await.unwrap();
    let next = bench.take("b").await.expect("it ran out");
    assert_eq!(next.fence, frozen.fence + 1);
    let late = frozen.clone();
    let outcome = bench
        .write(move |scope| {
            Box::pin(async move {
                work::check(scope, &late).await?;
                ml_connector::store::body::keep(scope, "an outcome".to_owned());
                Ok(())
            })
        })
        .await;
    is_lost(outcome);
    assert_eq!(bench.count("body").await, 0);
}

async fn a_wake_during_a_slice_is_not_lost(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    bench.wake(0).await;
    let lease = bench.take("a").await.unwrap();
    bench.wake(0).await;
    assert!(bench.end(&lease, None).await, "it is due at once");
    // Without a wake in between it sleeps.
    let lease = bench.take("a").await.unwrap();
    assert!(!bench.end(&lease, Some(60)).await);
    // A wake that lies in the future counts too: the end may not know of it.
    let lease = bench.take("a").await.unwrap();
    bench.wake(30).await;
    assert!(
        bench.end(&lease, None).await,
        "somebody must look what it was"
    );
}

async fn a_tenant_is_queued_once(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    for _ in 0..5 {
        bench.wake(0).await;
    }
    assert_eq!(queued(&bench.store).await, 1);
    for _ in 0..3 {
        let again = bench
            .write(|scope| Box::pin(work::queue(scope)))
            .await
            .unwrap();
        assert!(!again);
    }
    assert_eq!(queued(&bench.store).await, 1);
    let lease = bench.take("a").await.unwrap();
    // Due while it is worked: the slice itself queues it again at its end.
    bench.wake(0).await;
    assert_eq!(queued(&bench.store).await, 1);
    assert!(bench.end(&lease, None).await);
    assert_eq!(queued(&bench.store).await, 2);
}

async fn sleepers_are_found_when_their_time_comes(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    bench.wake(60).await;
    let due = async |bench: &Bench| {
        threshold::due_tenants(&bench.store, bench.now())
            .await
            .unwrap()
    };
    assert_eq!(due(&bench).await, []);
    assert_eq!(queued(&bench.store).await, 0);
    bench.advance(60);
    assert_eq!(due(&bench).await, [bench.tenant]);
    assert!(
        bench
            .write(|scope| Box::pin(work::queue(scope)))
            .await
            .unwrap()
    );
    assert_eq!(due(&bench).await, [], "it is queued now");
    // An earlier wake wins over a later one, in either order.
    let other = Bench::beside(bench.store.clone()).await;
    other.wake(100).await;
    other.wake(10).await;
    other.wake(50).await;
    bench.advance(10);
    assert_eq!(due(&bench).await, [other.tenant]);
}

async fn what_the_queue_forgot_is_found(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    bench.wake(0).await;
    let forgotten = async |bench: &Bench| {
        let before = bench.now().minus(Duration::from_secs(10));
        threshold::forgotten_tenants(&bench.store, before)
            .await
            .unwrap()
    };
    assert_eq!(forgotten(&bench).await, []);
    bench.advance(10);
    assert_eq!(forgotten(&bench).await, [bench.tenant]);
    let lease = bench.take("a").await.unwrap();
    bench.end(&lease, Some(60)).await;
    assert_eq!(forgotten(&bench).await, []);
}
