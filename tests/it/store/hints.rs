//! News becomes due records, once, and never against a person's word.

use ml_connector::domain::clock::Timestamp;
use ml_connector::domain::record::State;
use ml_connector::domain::run::Trigger;
use ml_connector::store::hint::{self, Hint, Page};
use ml_connector::store::record::{self, Outcome, Wish};
use ml_connector::store::run;
use std::time::Duration;

use super::{Bench, due, seen, seen_at};
use crate::support::database::{TestDatabase, both};

both!(
    a_new_record_is_due_and_a_known_one_is_not,
    news_makes_a_record_at_rest_due_again,
    work_in_progress_is_left_alone_and_comes_back,
    what_a_person_put_aside_stays_aside,
    a_page_may_name_a_record_twice,
    a_large_page_is_one_commit,
    lanes_come_in_order_and_long_ones_hide_none,
    a_needed_record_travels_whatever_left_it_out,
);

async fn a_new_record_is_due_and_a_known_one_is_not(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    bench.hint(vec![seen("10")]).await;
    let new = bench.record("10").await;
    assert_eq!(new.record.state, State::Pending);
    assert_eq!(new.record.next_attempt_at, Some(bench.now()));
    assert_eq!(new.record.first_seen_at, bench.now());
    bench
        .save("10", |work| {
            work.record.state = State::Succeeded;
            work.record.next_attempt_at = None;
            work.outcome = Some(Outcome::Created);
        })
        .await;
    bench.advance(60);
    bench.hint(vec![seen("10")]).await;
    let known = bench.record("10").await;
    assert_eq!(
        (known.record.state, known.record.next_attempt_at),
        (State::Succeeded, None)
    );
    assert_eq!(bench.count("record").await, 1);
}

async fn news_makes_a_record_at_rest_due_again(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    let at_rest = [
        State::Succeeded,
        State::Unchanged,
        State::Linked,
        State::Waiting,
        State::Held,
        State::Review,
        State::Retrying,
        State::Failed,
        State::Ignored,
    ];
    for (number, state) in at_rest.into_iter().enumerate() {
        let id = number.to_string();
        bench.hint(vec![seen(&id)]).await;
        bench.rest(&id, state).await;
        // The same version again, and a pair that did not change: no news.
        bench.hint(vec![seen(&id)]).await;
        assert_eq!(bench.record(&id).await.record.state, state);
        bench.hint(vec![seen_at(&id, "v2")]).await;
        let work = bench.record(&id).await;
        assert_eq!(work.record.state, State::Pending, "{state}");
        assert_eq!(work.record.next_attempt_at, Some(bench.now()), "{state}");
        // A mapping or a setting changed: the pair's version is news of every record.
        bench.rest(&id, state).await;
        bench
            .hint_at(2, false, None, vec![seen_at(&id, "v2")])
            .await;
        assert_eq!(
            bench.record(&id).await.record.state,
            State::Pending,
            "{state}"
        );
        // Everything is to be looked at again.
        bench.rest(&id, state).await;
        bench.hint_at(1, true, None, vec![seen_at(&id, "v2")]).await;
        assert_eq!(
            bench.record(&id).await.record.state,
            State::Pending,
            "{state}"
        );
    }
}

async fn work_in_progress_is_left_alone_and_comes_back(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    bench.hint(vec![seen("10")]).await;
    let in_work = bench.record("10").await;
    let later = bench.now().plus(Duration::from_secs(600));
    for state in [State::Pending, State::Syncing] {
        let saved = bench
            .save("10", |work| {
                work.record.state = state;
                work.record.next_attempt_at = Some(later);
            })
            .await;
        bench.hint(vec![seen_at("10", &format!("{state}"))]).await;
        let now = bench.record("10").await;
        assert_eq!(
            (now.record.state, now.record.next_attempt_at),
            (state, Some(later))
        );
        assert_ne!(now.seen_version, saved.seen_version);
    }
    // A worker that read the record before the news brings it to rest: it is due again at once.
    let mut done = bench.record("10").await;
    done.seen_version = in_work.seen_version;
    done.record.state = State::Succeeded;
    done.record.next_attempt_at = None;
    bench
        .write(move |scope| Box::pin(async move { record::save(scope, &done).await }))
        .await
        .unwrap();
    let again = bench.record("10").await;
    assert_eq!(again.record.state, State::Pending);
    assert_eq!(again.record.next_attempt_at, Some(bench.now()));
    // With the news read, it rests.
    let rested = bench.rest("10", State::Succeeded).await;
    assert_eq!(
        (rested.record.state, rested.record.next_attempt_at),
        (State::Succeeded, None)
    );
}

async fn what_a_person_put_aside_stays_aside(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    for (id, reason) in [
        ("10", Some("ignored_by_person")),
        ("11", Some("inactive")),
        ("12", None),
    ] {
        bench.hint(vec![seen(id)]).await;
        bench
            .save(id, |work| {
                work.record.state = State::Ignored;
                work.record.reason = reason.map(str::to_owned);
                work.record.next_attempt_at = None;
            })
            .await;
    }
    let news = ["10", "11", "12"].map(|id| seen_at(id, "v2")).to_vec();
    bench.hint_at(2, true, None, news).await;
    assert_eq!(bench.record("10").await.record.state, State::Ignored);
    assert_eq!(bench.record("11").await.record.state, State::Pending);
    assert_eq!(bench.record("12").await.record.state, State::Pending);
}

async fn a_page_may_name_a_record_twice(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    let page = vec![seen("10"), seen("11"), seen_at("10", "v2"), seen("11")];
    bench.hint(page.clone()).await;
    bench.hint(page).await;
    assert_eq!(bench.count("record").await, 2);
    assert_eq!(bench.record("10").await.seen_version, "v2");
}

async fn a_large_page_is_one_commit(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    let page: Vec<Hint> = (0..2_500).map(|number| seen(&number.to_string())).collect();
    let pair = bench.pair;
    let run = bench
        .write(move |scope| {
            Box::pin(async move {
                run::open(
                    scope,
                    pair,
                    vec!["commitments".into()],
                    false,
                    Trigger::Person,
                )
                .await
            })
        })
        .await
        .unwrap();
    bench.hint_at(1, false, Some(run), page).await;
    assert_eq!(bench.count("record").await, 2_500);
    let scope = bench.scope().await;
    let counted = record::count_of_run(&scope, run).await.unwrap();
    assert_eq!(
        counted,
        [("commitments".to_owned(), "pending".to_owned(), 2_500)]
    );
}

async fn lanes_come_in_order_and_long_ones_hide_none(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    let hint = |lane: u32, number: u32, at: i64| Hint {
        lane: format!("project:{lane:02}"),
        source_at: Timestamp(at),
        ..seen(&format!("{lane:02}/{number:04}"))
    };
    // Lane 3 is long, and its records come in backwards.
    let mut page: Vec<Hint> = (0..600)
        .map(|number| hint(3, number, 10_000 - i64::from(number)))
        .collect();
    page.extend((0..30).map(|lane| hint(lane, 9_999, 1)));
    bench.hint(page).await;
    let scope = bench.scope().await;
    let now = bench.now();
    let names = |from: u32, to: u32| -> Vec<String> {
        (from..to)
            .map(|lane| format!("project:{lane:02}"))
            .collect()
    };
    let lanes = async |due, after: &str| -> Vec<String> {
        let lanes = record::due_lanes(&scope, due, after, 20).await.unwrap();
        assert!(lanes.iter().all(|lane| lane.pair == Some(bench.pair)));
        lanes.into_iter().map(|lane| lane.name).collect()
    };
    let first = lanes(due(2, now), "").await;
    assert_eq!(first, names(0, 20));
    let rest = lanes(due(2, now), first.last().unwrap()).await;
    assert_eq!(rest, names(20, 30));
    assert_eq!(lanes(due(0, now), "").await, Vec::<String>::new());
    let before = now.minus(Duration::from_secs(1));
    assert_eq!(lanes(due(2, before), "").await, Vec::<String>::new());
    let lane = record::due_in_lane(&scope, due(2, now), "project:03", 3)
        .await
        .unwrap();
    let ids: Vec<&str> = lane
        .iter()
        .map(|work| work.record.source.id.as_str())
        .collect();
    assert_eq!(
        ids,
        ["03/9999", "03/0599", "03/0598"],
        "by the source's time, then by its key"
    );
    drop(scope);
    // A lane is closed while a chain of calls of its goes on later, but not while the ERP works by itself.
    let later = now.plus(Duration::from_secs(60));
    for (id, substate) in [
        ("05/9999", None),
        ("06/9999", Some("rate_limited")),
        ("07/9999", Some("in_erp_batch")),
    ] {
        bench
            .save(id, |work| {
                work.record.state = State::Syncing;
                work.record.substate = substate.map(str::to_owned);
                work.record.next_attempt_at = Some(later);
            })
            .await;
    }
    let scope = bench.scope().await;
    let mut closed = record::closed_lanes(&scope, now).await.unwrap();
    closed.sort();
    assert_eq!(closed, ["project:05", "project:06"]);
}

async fn a_needed_record_travels_whatever_left_it_out(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    for (id, state, reason) in [
        ("left out", State::Ignored, Some("before_start_date")),
        ("put aside", State::Ignored, Some("ignored_by_person")),
        ("failed", State::Failed, Some("name")),
        ("due", State::Pending, None),
    ] {
        bench.hint(vec![seen(id)]).await;
        bench
            .save(id, |work| {
                work.record.state = state;
                work.record.reason = reason.map(str::to_owned);
                work.record.next_attempt_at = (state == State::Pending).then(connections_start);
            })
            .await;
    }
    let pair = bench.pair;
    for id in ["left out", "put aside", "failed", "due", "new"] {
        bench
            .write(move |scope| {
                Box::pin(async move {
                    let page = Page {
                        pair,
                        pair_version: 1,
                        flow: "commitments",
                        system: ml_connector::domain::system::SystemId::new("procore"),
                        entity: ml_connector::domain::system::Entity::new("commitment"),
                        rank: 2,
                        run: None,
                        whole: false,
                    };
                    hint::need(scope, &page, &seen(id)).await
                })
            })
            .await
            .unwrap();
    }
    for (id, state, wish) in [
        ("left out", State::Pending, Some(Wish::Needed)),
        ("put aside", State::Ignored, None),
        ("failed", State::Failed, None),
        ("due", State::Pending, Some(Wish::Needed)),
        ("new", State::Pending, Some(Wish::Needed)),
    ] {
        let work = bench.record(id).await;
        assert_eq!((work.record.state, work.wish), (state, wish), "{id}");
    }
}

fn connections_start() -> Timestamp {
    crate::connections::start()
}
