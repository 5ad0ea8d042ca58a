//! Order inside a lane, company between lanes, and a cost that does not grow.

use std::time::Duration;

use ml_connector::domain::record::State;
use ml_connector::store;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::manners::{Gate, Manner, too_fast};
use super::sites::{order, vendor};
use super::world::{HOUR, MINUTE, World, facts};
use crate::support::database::{TestDatabase, both};

both!(
    orders_of_a_project_are_worked_one_after_the_other,
    a_lane_that_stands_holds_up_no_other,
    every_lane_gets_its_turn_under_a_limit,
    one_slow_connection_holds_up_its_own_pairs_only,
    what_hangs_in_one_pair_keeps_no_other_waiting,
    a_listing_that_hangs_keeps_no_other_pair_waiting,
    two_pairs_into_one_ledger_write_once,
    two_tenants_with_the_same_ids_never_meet,
    what_is_told_of_a_write_names_it,
    a_thousand_records_cost_the_same_each,
);

async fn orders_of_a_project_are_worked_one_after_the_other(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    // Seen in the order of their keys, changed in the other one.
    for key in (10..20).rev() {
        world.sites.put_order(order(&key.to_string()));
        world.advance(Duration::from_secs(1));
    }
    world.sync().await;
    let made: Vec<String> = world
        .books
        .ledger()
        .into_iter()
        .skip(1)
        .map(|entry| entry.key)
        .collect();
    let mut want = Vec::new();
    for key in (10..20).rev() {
        let work = world.order(&key.to_string()).await;
        let doc = world.books.doc(&work.record.target.unwrap().id).unwrap();
        want.push(doc.key);
    }
    assert_eq!(made, want);
    world.check().await;
}

async fn a_lane_that_stands_holds_up_no_other(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    let gate = Gate::new();
    world.sites.put_order(order("10"));
    world.advance(Duration::from_secs(1));
    let mut next = order("11");
    next.project_key = "8".into();
    world.sites.put_order(order("12"));
    world.sites.put_order(next);
    world
        .books
        .manners
        .will("find order", Manner::WaitsFor(gate.clone()));
    world.run().await;
    let mut work = Box::pin(world.work());
    let mut others = Box::pin(async {
        gate.reached().await;
        // One of the two lanes stands at the gate; the other one finishes meanwhile.
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let made = world.books.docs("order").len();
            if made > 0 {
                return made;
            }
        }
    });
    let made = tokio::select! {
        _ = &mut work => panic!("the slice ended although a lane stands"),
        made = &mut others => made,
    };
    assert!(made == 1 || made == 2, "{made}");
    gate.open();
    work.await;
    assert_eq!(world.books.docs("order").len(), 3);
    world.check().await;
}

async fn every_lane_gets_its_turn_under_a_limit(database: TestDatabase) {
    let world = World::begin(&database).await;
    // More lanes than are worked at once, all of them long.
    for number in 0..60 {
        world
            .sites
            .put_vendor(vendor(&format!("{number:02}"), &format!("Vendor {number}")));
    }
    for _ in 0..30 {
        world.books.manners.goes_well("make vendor");
    }
    for _ in 0..200 {
        world
            .books
            .manners
            .will("make vendor", Manner::Fails(too_fast(10)));
        world.books.manners.goes_well("make vendor");
    }
    world.run().await;
    world.pass(HOUR).await;
    assert_eq!(
        world.books.docs("vendor").len(),
        60,
        "{:#?}",
        world.standing().await
    );
    world.check().await;
}

async fn one_slow_connection_holds_up_its_own_pairs_only(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    let slow_pair = {
        let other = super::world::connect(&world.desk, world.tenant(), "sites").await;
        let pair = super::world::join(&world.desk, world.tenant(), (other, world.target)).await;
        world.map_everything(pair).await;
        pair
    };
    world.sites.put_order(order("10"));
    world
        .sites
        .manners
        .will("read order", Manner::Fails(too_fast(3600)));
    let flows = || vec!["commitments".to_owned()];
    world
        .write(move |scope| {
            Box::pin(async move {
                store::run::open(
                    scope,
                    slow_pair,
                    flows(),
                    false,
                    ml_connector::domain::run::Trigger::Person,
                )
                .await
            })
        })
        .await;
    world.work().await;
    assert_eq!(
        world
            .of_pair(slow_pair, "commitments", "10")
            .await
            .record
            .state,
        State::Pending
    );
    // The other pair's own source is well.
    world.advance(Duration::from_secs(1));
    world.sites.put_order(order("11"));
    world.sync().await;
    assert_eq!(
        world.order("11").await.record.state,
        State::Succeeded,
        "{:#?}",
        world.standing().await
    );
    world.check().await;
}

/// A pair with a source connection of its own, and its run.
async fn other_pair(world: &World) -> ml_connector::domain::ids::PairId {
    let source = super::world::connect(&world.desk, world.tenant(), "sites").await;
    let pair = super::world::join(&world.desk, world.tenant(), (source, world.target)).await;
    world.map_everything(pair).await;
    pair
}

async fn run_of(world: &World, pair: ml_connector::domain::ids::PairId, flow: &'static str) {
    let flows = vec![flow.to_owned()];
    let person = ml_connector::domain::run::Trigger::Person;
    world
        .write(move |scope| {
            Box::pin(async move { store::run::open(scope, pair, flows, false, person).await })
        })
        .await;
}

/// Waits, for as long as a test may take, until an order of the world's own pair is written.
async fn written(world: &World, key: &str) {
    for _ in 0..600 {
        let scope = world.scope().await;
        let found = store::record::of_source(&scope, world.pair, "commitments", key).await;
        if found
            .unwrap()
            .is_some_and(|work| work.record.state == State::Succeeded)
        {
            return;
        }
        drop(scope);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!(
        "{key} waits for the other pair: {:#?}",
        world.standing().await
    );
}

async fn what_hangs_in_one_pair_keeps_no_other_waiting(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    let slow_pair = other_pair(&world).await;
    let gate = Gate::new();
    // More records than lanes, and every one of them hangs.
    for number in 100..180 {
        world
            .sites
            .put_vendor(vendor(&number.to_string(), &format!("Vendor {number}")));
        world
            .sites
            .manners
            .will("read vendor", Manner::WaitsFor(gate.clone()));
    }
    run_of(&world, slow_pair, "vendors").await;
    let others = async {
        for _ in 0..24 {
            gate.reached().await;
        }
        world.sites.put_order(order("10"));
        run_of(&world, world.pair, "commitments").await;
        written(&world, "10").await;
        // Also when the turn's own time is long over.
        tokio::time::sleep(Duration::from_secs(6)).await;
        world.sites.put_order(order("11"));
        run_of(&world, world.pair, "commitments").await;
        written(&world, "11").await;
        for _ in 0..80 {
            gate.open();
        }
    };
    futures::join!(world.work(), others);
    assert_eq!(
        world
            .of_pair(slow_pair, "vendors", "179")
            .await
            .record
            .state,
        State::Succeeded
    );
    world.check().await;
}

async fn a_listing_that_hangs_keeps_no_other_pair_waiting(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    let dead_pair = other_pair(&world).await;
    world.sites.put_order(order("10"));
    run_of(&world, dead_pair, "commitments").await;
    world.work().await;
    assert_eq!(
        world
            .of_pair(dead_pair, "commitments", "10")
            .await
            .record
            .state,
        State::Succeeded,
        "{:#?}",
        world.standing().await
    );
    // Its source dies in the middle of a listing.
    let gate = Gate::new();
    world.advance(Duration::from_secs(1));
    for key in ["20", "21", "22"] {
        world.sites.put_order(order(key));
    }
    run_of(&world, dead_pair, "commitments").await;
    world
        .sites
        .manners
        .will("list orders", Manner::WaitsFor(gate.clone()));
    let others = async {
        gate.reached().await;
        run_of(&world, world.pair, "commitments").await;
        written(&world, "22").await;
        tokio::time::sleep(Duration::from_secs(6)).await;
        world.sites.put_order(order("23"));
        run_of(&world, world.pair, "commitments").await;
        written(&world, "23").await;
        gate.open();
    };
    futures::join!(world.work(), others);
    world.check().await;
}

async fn two_pairs_into_one_ledger_write_once(database: TestDatabase) {
    for takes in [Some(Duration::ZERO), Some(10 * MINUTE)] {
        let database = TestDatabase::empty(database.engine, "two_pairs").await;
        let world = World::begin(&database).await;
        let other = world.another_pair().await;
        world.sites.put_vendor(vendor("1", "Stone"));
        world.sites.put_order(order("10"));
        *world.books.finish_takes.lock().unwrap() = takes;
        let both = [world.pair, other];
        world
            .write(move |scope| {
                Box::pin(async move {
                    for pair in both {
                        let flows = vec!["vendors".to_owned(), "commitments".to_owned()];
                        let trigger = ml_connector::domain::run::Trigger::Person;
                        store::run::open(scope, pair, flows, false, trigger).await?;
                    }
                    Ok(())
                })
            })
            .await;
        world.pass(3 * HOUR).await;
        assert_eq!(
            world.books.docs("vendor").len(),
            1,
            "{:#?}",
            world.standing().await
        );
        assert_eq!(
            world.books.docs("order").len(),
            1,
            "{:#?}",
            world.standing().await
        );
        for pair in both {
            for (flow, key) in [("vendors", "1"), ("commitments", "10")] {
                let work = world.of_pair(pair, flow, key).await;
                assert!(
                    work.record.state.is_synced(),
                    "{:#?}",
                    world.standing().await
                );
            }
        }
        world.check().await;
    }
}

async fn two_tenants_with_the_same_ids_never_meet(database: TestDatabase) {
    let ours = World::begin(&database).await;
    let theirs = World::beside(ours.store().clone()).await;
    for (world, name) in [(&ours, "Our stone"), (&theirs, "Their stone")] {
        for number in 0..20 {
            world
                .sites
                .put_vendor(vendor(&number.to_string(), &format!("{name} {number}")));
            world.sites.put_order(order(&(100 + number).to_string()));
        }
        world.run().await;
    }
    futures::join!(ours.work(), theirs.work());
    for (world, name) in [(&ours, "Our"), (&theirs, "Their")] {
        let vendors = world.books.docs("vendor");
        assert_eq!(vendors.len(), 20);
        for doc in vendors {
            assert!(
                doc.content["name"].as_str().unwrap().starts_with(name),
                "{doc:?}"
            );
        }
        assert_eq!(world.books.docs("order").len(), 20);
        assert_eq!(world.records().await.len(), 40);
        world.check().await;
    }
    // The same source key has another tag in each tenant.
    let tags = |world: &World| -> Vec<String> {
        let mut tags: Vec<String> = world
            .books
            .docs("order")
            .into_iter()
            .map(|doc| doc.key)
            .collect();
        tags.sort();
        tags
    };
    assert!(tags(&ours).iter().all(|tag| !tags(&theirs).contains(tag)));
}

async fn what_is_told_of_a_write_names_it(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    for key in ["10", "11", "12"] {
        world.sites.put_order(order(key));
    }
    world.books.manners.goes_well("make order");
    world.books.manners.will("make order", Manner::LosesAnswer);
    world
        .books
        .manners
        .will("make order", Manner::Fails(super::manners::refused()));
    world.sync().await;
    world.pass(HOUR).await;
    for action in [
        "write.intent",
        "write.confirmed",
        "write.unknown",
        "write.rejected",
    ] {
        let told = world.told(action).await;
        assert!(!told.is_empty(), "{action}");
        for event in told {
            assert_eq!(event.subject_kind, "record");
            assert!(event.run_id.is_some(), "{action} names its run");
            let facts = facts(&event);
            for name in ["operation", "target", "digest", "attempt"] {
                let value = facts.get(name).map(String::as_str).unwrap_or_default();
                assert!(!value.is_empty(), "{action} says no {name}: {facts:?}");
            }
        }
    }
    let work = world.order("10").await;
    let events: Vec<String> = world
        .trail()
        .await
        .into_iter()
        .filter(|event| event.subject_id == work.record.id.to_string())
        .map(|event| event.action)
        .collect();
    assert_eq!(
        events,
        ["write.intent", "write.confirmed"],
        "one entry an act"
    );
}

async fn a_thousand_records_cost_the_same_each(database: TestDatabase) {
    let world = World::begin(&database).await;
    if world.store().connection().get_database_backend() != DbBackend::Postgres {
        return;
    }
    // Rows that the database touched tell the cost; time would tell of the machine.
    let touched = async || -> i64 {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let sql = "SELECT CAST(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) AS BIGINT) AS rows FROM pg_stat_user_tables";
        let statement = Statement::from_string(DbBackend::Postgres, sql.to_owned());
        let row = world
            .store()
            .connection()
            .query_one_raw(statement)
            .await
            .unwrap()
            .unwrap();
        row.try_get("", "rows").unwrap()
    };
    let statistics = async || {
        for table in [
            "record",
            "effect",
            "link",
            "body",
            "exchange",
            "run",
            "audit_event",
            "audit_detail",
            "wait",
        ] {
            let owner = sea_orm::Database::connect(&database.url).await.unwrap();
            owner
                .execute_unprepared(&format!("ANALYZE {table}"))
                .await
                .unwrap();
            owner.close().await.unwrap();
        }
    };
    let mut costs = Vec::new();
    for batch in 0..5 {
        for number in 0..200 {
            world.sites.put_vendor(vendor(
                &format!("{batch}-{number}"),
                &format!("Vendor {batch} {number}"),
            ));
        }
        if batch > 0 {
            statistics().await;
        }
        let before = touched().await;
        world.sync().await;
        costs.push((touched().await - before) / 200);
        // Out of the next listing's overlap.
        world.advance(3 * HOUR);
    }
    assert_eq!(world.books.docs("vendor").len(), 1_000);
    println!("rows touched per record: {costs:?}");
    assert!(
        costs[4] < costs[1] * 2,
        "the cost of a record grows: {costs:?}"
    );
    world.check().await;
}
