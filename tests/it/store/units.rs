//! Units share commits, and nothing else.

use std::time::Duration;

use futures::future::join_all;
use ml_connector::audit::verify;
use ml_connector::domain::audit::Happened;
use ml_connector::store::{self, Scope, StoreError, body};

use super::Bench;
use crate::connections;
use crate::support::database::{TestDatabase, both};

both!(
    a_failing_unit_rolls_back_alone,
    a_unit_that_panics_takes_nobody_with_it,
    a_statement_that_is_refused_spoils_only_its_unit,
    a_unit_whose_caller_has_gone_is_committed,
    events_of_many_units_chain_in_the_order_of_their_commits,
);

async fn keep(scope: &Scope, text: String, ends: Result<(), StoreError>) -> Result<(), StoreError> {
    let digest = body::keep(scope, text);
    scope.tell(Happened::new("body.kept", "body", digest));
    ends
}

async fn a_failing_unit_rolls_back_alone(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    let units = (0..100).map(|number| {
        bench.write(move |scope| {
            Box::pin(async move {
                let ends = match number % 3 {
                    0 => Err(StoreError::Stale("the test")),
                    _ => Ok(()),
                };
                keep(scope, format!("body {number}"), ends).await
            })
        })
    });
    let done = join_all(units).await;
    for (number, done) in done.into_iter().enumerate() {
        match number % 3 {
            0 => assert!(
                matches!(done, Err(StoreError::Stale("the test"))),
                "{done:?}"
            ),
            _ => done.unwrap(),
        }
    }
    assert_eq!(bench.count("body").await, 66);
    assert_eq!(
        connections::told(&bench.store, bench.tenant, "body.kept").await,
        66
    );
}

async fn a_unit_that_panics_takes_nobody_with_it(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    let broken = bench.write(|scope| {
        Box::pin(async move {
            keep(scope, "broken".into(), Ok(())).await?;
            panic!("a defect")
        })
    });
    let good = bench.write(|scope| Box::pin(keep(scope, "good".into(), Ok(()))));
    let (broken, good) = futures::join!(broken, good);
    let broken: Result<(), StoreError> = broken;
    assert!(matches!(broken, Err(StoreError::NotDone)), "{broken:?}");
    good.unwrap();
    bench
        .write(|scope| Box::pin(keep(scope, "afterwards".into(), Ok(()))))
        .await
        .unwrap();
    assert_eq!(bench.count("body").await, 2);
}

async fn a_statement_that_is_refused_spoils_only_its_unit(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    let pair = bench.pair;
    let refused = bench.write(move |scope| {
        Box::pin(async move {
            keep(scope, "refused".into(), Ok(())).await?;
            // The pair is there already: the database refuses the row itself.
            let kept = store::pair::find(scope, pair).await?;
            store::pair::insert(scope, &kept).await
        })
    });
    let good = bench.write(|scope| Box::pin(keep(scope, "good".into(), Ok(()))));
    let (refused, good) = futures::join!(refused, good);
    assert!(
        matches!(refused, Err(StoreError::Database(_))),
        "{refused:?}"
    );
    good.unwrap();
    assert_eq!(bench.count("body").await, 1);
}

async fn a_unit_whose_caller_has_gone_is_committed(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    let unit = bench.write(|scope| Box::pin(keep(scope, "left behind".into(), Ok(()))));
    // Polled once, so that it is in the queue, and dropped.
    let _ = tokio::time::timeout(Duration::ZERO, unit).await;
    for _ in 0..200 {
        if bench.count("body").await == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the unit was lost");
}

async fn events_of_many_units_chain_in_the_order_of_their_commits(database: TestDatabase) {
    let first = Bench::begin(&database).await;
    let second = Bench::beside(first.store.clone()).await;
    let units = (0..300).map(|number| {
        let bench = [&first, &second][number % 2];
        bench.write(move |scope| {
            Box::pin(async move {
                for part in 0..=number % 3 {
                    scope.tell(
                        Happened::new("unit.done", "unit", number)
                            .with("part", part)
                            .with("note", "a\nb \u{202e}'\"{}"),
                    );
                }
                Ok(())
            })
        })
    });
    for done in join_all(units).await {
        done.unwrap();
    }
    for bench in [&first, &second] {
        let scope = bench.scope().await;
        let filter = store::audit::Filter::default();
        let order = store::audit::Order::OldestFirst;
        let events = store::audit::list(&scope, &filter, order, None, 10_000)
            .await
            .unwrap();
        let verified = verify(&events, None).unwrap();
        assert_eq!(verified.head.seq, i64::try_from(events.len()).unwrap());
        assert_eq!(
            events
                .iter()
                .filter(|event| event.action == "unit.done")
                .count(),
            300
        );
        let mut tampered = events.clone();
        tampered[7].subject_id = "another".into();
        assert_eq!(verify(&tampered, None).unwrap_err().seq, events[7].seq);
        // Parts of one unit stay together.
        for pair in events.windows(2) {
            let part = |at: usize| pair[at].beside.as_ref().unwrap().facts();
            if pair[1].action == "unit.done" && part(1)[0].1 != "0" {
                assert_eq!(pair[0].subject_id, pair[1].subject_id);
            }
        }
    }
}
