//! What waits is released when the last thing it waits for appears, and not before.

use ml_connector::domain::record::{State, WaitingFor};
use ml_connector::store::wait;

use super::{Bench, seen};
use crate::support::database::{TestDatabase, both};

both!(
    the_last_thing_releases_a_record,
    however_many_wait_all_are_released,
    a_whole_table_releases_its_kind,
    only_what_waits_is_released,
);

impl Bench {
    async fn waits(&self, id: &str, fors: &[(&str, &str)]) {
        self.hint(vec![seen(id)]).await;
        let waits: Vec<WaitingFor> = fors
            .iter()
            .map(|(kind, key)| WaitingFor::new(kind, *key, format!("{kind} {key}")))
            .collect();
        let work = self
            .save(id, |work| {
                work.record.state = State::Waiting;
                work.record.next_attempt_at = None;
                work.record.waiting_for = waits.clone();
            })
            .await;
        let (pair, record) = (self.pair, work.record.id);
        self.write(move |scope| {
            Box::pin(async move { wait::set(scope, pair, record, &waits).await })
        })
        .await
        .unwrap();
    }

    async fn appears(&self, kind: &'static str, key: &'static str) -> u64 {
        let pair = self.pair;
        self.write(move |scope| Box::pin(wait::release(scope, pair, kind, key)))
            .await
            .unwrap()
    }
}

async fn the_last_thing_releases_a_record(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    bench
        .waits(
            "10",
            &[("vendor", "1"), ("cost_codes", "03"), ("cost_codes", "04")],
        )
        .await;
    bench.waits("11", &[("vendor", "1")]).await;
    bench.waits("12", &[("vendor", "2")]).await;
    assert_eq!(bench.appears("vendor", "1").await, 1);
    assert_eq!(bench.record("10").await.record.state, State::Waiting);
    assert_eq!(bench.record("11").await.record.state, State::Pending);
    assert_eq!(
        bench.record("11").await.record.next_attempt_at,
        Some(bench.now())
    );
    assert_eq!(bench.record("12").await.record.state, State::Waiting);
    assert_eq!(bench.appears("cost_codes", "03").await, 0);
    assert_eq!(bench.appears("cost_codes", "04").await, 1);
    assert_eq!(bench.record("10").await.record.state, State::Pending);
    assert_eq!(bench.appears("cost_codes", "04").await, 0);
    assert_eq!(bench.count("wait").await, 1);
    // What a record waits for is replaced, not added to.
    bench.waits("12", &[("items", "M")]).await;
    assert_eq!(bench.appears("vendor", "2").await, 0);
    assert_eq!(bench.appears("items", "M").await, 1);
}

async fn however_many_wait_all_are_released(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    let page = (0..1_200).map(|number| seen(&number.to_string())).collect();
    bench.hint(page).await;
    let pair = bench.pair;
    let ids: Vec<_> = {
        let scope = bench.scope().await;
        let all =
            ml_connector::store::search::records(&scope, &Default::default(), None, 2_000).await;
        all.unwrap()
            .into_iter()
            .map(|work| work.record.id)
            .collect()
    };
    bench
        .write(move |scope| {
            Box::pin(async move {
                for id in ids {
                    let mut work = ml_connector::store::record::find(scope, id).await?;
                    work.record.state = State::Waiting;
                    work.record.next_attempt_at = None;
                    ml_connector::store::record::save(scope, &work).await?;
                    wait::set(
                        scope,
                        pair,
                        id,
                        &[WaitingFor::new("vendor", "1", "vendor 1")],
                    )
                    .await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
    assert_eq!(bench.appears("vendor", "1").await, 1_200);
    assert_eq!(bench.count("wait").await, 0);
}

async fn a_whole_table_releases_its_kind(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    bench
        .waits("10", &[("cost_codes", "03"), ("vendor", "1")])
        .await;
    bench.waits("11", &[("cost_codes", "04")]).await;
    bench.waits("12", &[("vendor", "1")]).await;
    let pair = bench.pair;
    let released = bench
        .write(move |scope| Box::pin(wait::release_kind(scope, pair, "cost_codes")))
        .await
        .unwrap();
    // Both are looked at: the table may hold what they lack. What else 10 waits for is found out again.
    assert_eq!(released, 2);
    assert_eq!(bench.record("10").await.record.state, State::Pending);
    assert_eq!(bench.record("11").await.record.state, State::Pending);
    assert_eq!(bench.record("12").await.record.state, State::Waiting);
}

async fn only_what_waits_is_released(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    for (id, state) in [
        ("10", State::Ignored),
        ("11", State::Failed),
        ("12", State::Syncing),
    ] {
        bench.waits(id, &[("vendor", "1")]).await;
        bench.rest(id, state).await;
    }
    assert_eq!(bench.appears("vendor", "1").await, 0);
    assert_eq!(bench.record("10").await.record.state, State::Ignored);
    assert_eq!(bench.record("11").await.record.state, State::Failed);
    assert_eq!(bench.record("12").await.record.state, State::Syncing);
}
