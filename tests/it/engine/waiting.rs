//! What a record lacks, and its release by itself.

use std::time::Duration;

use ml_connector::desk::record::Act;
use ml_connector::domain::mapping::MappingKind;
use ml_connector::domain::record::State;

use super::manners::{Gate, Manner};
use super::sites::{order, vendor};
use super::world::{HOUR, MINUTE, World, cost_code, project};
use crate::support::database::{TestDatabase, both};

both!(
    an_order_waits_for_its_vendor,
    a_code_that_is_mapped_releases_its_orders,
    a_vendor_that_arrives_meanwhile_is_not_missed,
    a_code_that_is_mapped_meanwhile_is_not_missed,
    a_blocked_vendor_is_looked_at_hourly,
    taken_and_created_later,
    patience_ends_and_it_succeeds_by_itself,
    what_the_erp_works_on_closes_no_lane,
);

async fn an_order_waits_for_its_vendor(database: TestDatabase) {
    let world = World::begin(&database).await;
    world.sites.put_vendor(vendor("1", ""));
    world.sites.put_order(order("10"));
    world.sync().await;
    let work = world.order("10").await;
    assert_eq!(
        work.record.state,
        State::Waiting,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(work.record.waiting_for[0].kind, "vendor");
    assert_eq!(work.record.waiting_for[0].key, "1");
    assert!(
        work.record.explanation.contains("Stone"),
        "{}",
        work.record.explanation
    );
    let failed = world.vendor("1").await;
    assert_eq!(failed.record.state, State::Failed);
    assert_eq!(
        failed.record.fault.as_ref().unwrap().issues().len(),
        2,
        "every issue at once"
    );
    world.pass(2 * HOUR).await;
    assert_eq!(world.order("10").await.record.state, State::Waiting);
    world.sites.put_vendor(vendor("1", "Stone"));
    world.sync().await;
    assert_eq!(
        world.order("10").await.record.state,
        State::Succeeded,
        "{:#?}",
        world.standing().await
    );
    world.check().await;
}

async fn a_code_that_is_mapped_releases_its_orders(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    for key in ["10", "11"] {
        let mut unmapped = order(key);
        unmapped.lines[1].coding.cost_code = "05-120".into();
        world.sites.put_order(unmapped);
    }
    world.sites.put_order(order("12"));
    world.sync().await;
    let work = world.order("10").await;
    assert_eq!(work.record.state, State::Waiting);
    assert_eq!(work.record.waiting_for[0].kind, "cost_codes");
    assert_eq!(work.record.waiting_for[0].key, "05-120");
    assert_eq!(world.order("12").await.record.state, State::Succeeded);
    world
        .map(
            MappingKind::CostCodes,
            vec![cost_code("03-300"), cost_code("05-120")],
        )
        .await;
    world.work().await;
    for key in ["10", "11"] {
        assert_eq!(
            world.order(key).await.record.state,
            State::Succeeded,
            "{:#?}",
            world.standing().await
        );
    }
    assert_eq!(world.told("mapping.changed").await.len(), 4);
    world.check().await;
}

async fn a_vendor_that_arrives_meanwhile_is_not_missed(database: TestDatabase) {
    let world = World::begin(&database).await;
    world.sites.put_vendor(vendor("1", "Stone"));
    world.sites.put_order(order("10"));
    // The order finds no vendor and is about to wait; the vendor arrives before it does.
    let gate = Gate::new();
    world
        .sites
        .manners
        .will("read order", Manner::WaitsFor(gate.clone()));
    let slow_vendor = Gate::new();
    world
        .books
        .manners
        .will("make vendor", Manner::WaitsFor(slow_vendor.clone()));
    world.run().await;
    let work = world.work();
    let meanwhile = async {
        gate.reached().await;
        slow_vendor.reached().await;
        slow_vendor.open();
        gate.open();
    };
    futures::join!(work, meanwhile);
    assert_eq!(
        world.order("10").await.record.state,
        State::Succeeded,
        "{:#?}",
        world.standing().await
    );
    world.check().await;
}

async fn a_code_that_is_mapped_meanwhile_is_not_missed(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    world.map(MappingKind::CostCodes, vec![]).await;
    world.work().await;
    world.sites.put_order(order("10"));
    let gate = Gate::new();
    world
        .sites
        .manners
        .will("read order", Manner::WaitsFor(gate.clone()));
    world.run().await;
    let work = world.work();
    let meanwhile = async {
        gate.reached().await;
        // The tables of this slice are read by now, without the code.
        world
            .map(MappingKind::CostCodes, vec![cost_code("03-300")])
            .await;
        gate.open();
    };
    futures::join!(work, meanwhile);
    assert_eq!(
        world.order("10").await.record.state,
        State::Succeeded,
        "{:#?}",
        world.standing().await
    );
    world.check().await;
}

async fn a_blocked_vendor_is_looked_at_hourly(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    let supplier = world.vendor("1").await.record.target.unwrap().id;
    world.books.blocked.lock().unwrap().push(supplier);
    world.sites.put_order(order("10"));
    world.sync().await;
    let work = world.order("10").await;
    assert_eq!(work.record.state, State::Waiting);
    assert_eq!(work.record.next_attempt_at, Some(world.now().plus(HOUR)));
    world.pass(3 * HOUR + MINUTE).await;
    assert_eq!(world.order("10").await.record.state, State::Waiting);
    let looks = world.books.manners.calls("vendor status");
    assert!((3..=5).contains(&looks), "{looks} looks in three hours");
    world.books.blocked.lock().unwrap().clear();
    world.pass(HOUR).await;
    assert_eq!(
        world.order("10").await.record.state,
        State::Succeeded,
        "{:#?}",
        world.standing().await
    );
    world.check().await;
}

async fn taken_and_created_later(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    *world.books.finish_takes.lock().unwrap() = Some(20 * Duration::from_secs(1));
    world.sites.put_order(order("10"));
    world.sync().await;
    let work = world.order("10").await;
    assert_eq!(work.record.state, State::Syncing);
    assert_eq!(work.record.substate.as_deref(), Some("in_erp_batch"));
    world.pass(2 * MINUTE).await;
    let work = world.order("10").await;
    assert_eq!(
        work.record.state,
        State::Succeeded,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(work.record.substate, None);
    assert_eq!(world.books.manners.calls("make order"), 1);
    assert_eq!(world.told("write.intent").await.len(), 2);
    assert_eq!(world.told("write.confirmed").await.len(), 2);
    world.check().await;
}

async fn patience_ends_and_it_succeeds_by_itself(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    *world.books.finish_takes.lock().unwrap() = Some(30 * HOUR);
    world.sites.put_order(order("10"));
    let run = world.run().await;
    world.work().await;
    world.pass(29 * MINUTE).await;
    assert_eq!(world.order("10").await.record.state, State::Syncing);
    world.pass(2 * MINUTE).await;
    let work = world.order("10").await;
    assert_eq!(
        work.record.state,
        State::Waiting,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(work.record.reason.as_deref(), Some("batch"));
    assert_eq!(work.record.waiting_for[0].kind, "batch");
    assert!(
        work.record.explanation.contains("own job"),
        "{}",
        work.record.explanation
    );
    assert!(
        world.run_of(run).await.ended_at.is_some(),
        "a run does not wait for a batch that stands"
    );
    // A person asks in between: nothing changes, and patience does not begin anew.
    world.do_with(&work, Act::Retry).await;
    assert_eq!(world.order("10").await.record.state, State::Waiting);
    assert_eq!(world.told("write.accepted").await.len(), 1);
    world.books.manners.forget_calls();
    world.pass(24 * HOUR).await;
    let looks = world.books.manners.calls("check order");
    assert!((20..=26).contains(&looks), "{looks} looks in a day");
    world.pass(48 * HOUR).await;
    assert_eq!(
        world.order("10").await.record.state,
        State::Succeeded,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(world.books.manners.calls("make order"), 0);
    world.check().await;
}

async fn what_the_erp_works_on_closes_no_lane(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    *world.books.finish_takes.lock().unwrap() = None;
    for key in ["10", "11", "12"] {
        world.sites.put_order(order(key));
    }
    world.sync().await;
    // All three are of one project, and all three were sent.
    assert_eq!(
        world.books.manners.calls("make order"),
        3,
        "{:#?}",
        world.standing().await
    );
    world.map(MappingKind::Projects, vec![project("7")]).await;
    world.check().await;
}
