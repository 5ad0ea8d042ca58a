//! Workers that go away or freeze in the middle, and those who take over.

use std::time::Duration;

use ml_connector::desk::record::Act;
use ml_connector::domain::ids::TenantId;
use ml_connector::domain::record::{DUPLICATE, State};
use ml_connector::engine::{Ended, Engine};

use super::books::Chain;
use super::manners::{Gate, Manner};
use super::sites::order;
use super::world::{HOUR, World};
use crate::support::database::{TestDatabase, both};

both!(
    a_worker_that_dies_at_any_step_leaves_no_second_one,
    a_worker_that_dies_before_it_writes_leaves_nothing,
    a_frozen_worker_sends_nothing_and_commits_nothing,
    a_defect_in_one_record_stops_no_other,
    what_was_in_flight_is_counted_after_a_takeover,
);

async fn begin(database: &TestDatabase, name: &str, chain: Chain) -> World {
    let world = World::of_its_own(database, name).await;
    world.books.is(chain);
    world.sites.put_order(order("10"));
    world
}

/// A slice that is cut off once a call stands before the gate.
async fn dies_at(world: &World, gate: &Gate) {
    world.run().await;
    let (engine, tenant) = (world.engine().clone(), world.tenant());
    let slice = tokio::spawn(async move { engine.work_tenant(tenant, "dying").await });
    gate.reached().await;
    slice.abort();
    assert!(slice.await.unwrap_err().is_cancelled());
    world.expire_lease().await;
}

async fn pass(engine: &Engine, tenant: TenantId, horizon: Duration) {
    let end = engine.clock.now().plus(horizon);
    for _ in 0..500 {
        match engine.work_tenant(tenant, "second").await.unwrap() {
            Ended::DueNow => {}
            Ended::Until(Some(next)) if next <= end => {
                engine.clock.advance(next.since(engine.clock.now()));
            }
            Ended::Until(_) => return,
            Ended::NotOurs => panic!("the dead worker's lease is still held"),
        }
    }
    panic!("something is due again and again");
}

async fn arrived_once(world: &World, story: &str) {
    let work = world.order("10").await;
    assert!(
        work.record.state.is_synced(),
        "{story}: {:#?}",
        world.standing().await
    );
    assert_eq!(world.books.docs("order").len(), 1, "{story}");
    world.check().await;
}

async fn a_worker_that_dies_at_any_step_leaves_no_second_one(database: TestDatabase) {
    let table = [
        (Chain::One, vec![("make order", 0)]),
        (
            Chain::Batch,
            vec![
                ("start order", 0),
                ("order line", 0),
                ("order line", 1),
                ("finish order", 0),
            ],
        ),
        (
            Chain::Documents,
            vec![
                ("order head", 0),
                ("document line", 0),
                ("document line", 1),
            ],
        ),
    ];
    for (chain, steps) in table {
        for (operation, well) in steps {
            for is_sent in [false, true] {
                let story = format!("{chain:?}, {operation} {well}, sent {is_sent}");
                let world = begin(&database, "dies", chain).await;
                let gate = Gate::new();
                for _ in 0..well {
                    world.books.manners.goes_well(operation);
                }
                let manner = match is_sent {
                    true => Manner::AnswersThrough(gate.clone()),
                    false => Manner::WaitsFor(gate.clone()),
                };
                world.books.manners.will(operation, manner);
                dies_at(&world, &gate).await;
                let calls = world.books.manners.calls(operation);
                let second = world.second();
                second.work_tenant(world.tenant(), "second").await.unwrap();
                let is_final = !matches!(operation, "start order" | "order line");
                if is_final && !is_sent {
                    assert_eq!(
                        world.books.manners.calls(operation),
                        calls,
                        "{story}: sent blind"
                    );
                }
                pass(&second, world.tenant(), HOUR).await;
                arrived_once(&world, &story).await;
            }
        }
    }
}

async fn a_worker_that_dies_before_it_writes_leaves_nothing(database: TestDatabase) {
    for operation in ["list orders", "read order", "vendor status", "find order"] {
        let world = begin(&database, "before", Chain::One).await;
        let gate = Gate::new();
        let manners = match operation {
            "list orders" | "read order" => &world.sites.manners,
            _ => &world.books.manners,
        };
        manners.will(operation, Manner::WaitsFor(gate.clone()));
        dies_at(&world, &gate).await;
        let second = world.second();
        second.work_tenant(world.tenant(), "second").await.unwrap();
        arrived_once(&world, operation).await;
        assert_eq!(world.books.manners.calls("make order"), 1, "{operation}");
    }
}

async fn a_frozen_worker_sends_nothing_and_commits_nothing(database: TestDatabase) {
    for (operation, is_sent) in [
        ("read order", false),
        ("find order", false),
        ("make order", false),
        ("make order", true),
    ] {
        let story = format!("{operation}, sent {is_sent}");
        let world = begin(&database, "frozen", Chain::One).await;
        let gate = Gate::new();
        let manners = match operation {
            "read order" => &world.sites.manners,
            _ => &world.books.manners,
        };
        let manner = match is_sent {
            true => Manner::AnswersThrough(gate.clone()),
            false => Manner::WaitsFor(gate.clone()),
        };
        manners.will(operation, manner);
        world.run().await;
        let (engine, tenant) = (world.engine().clone(), world.tenant());
        let frozen = tokio::spawn(async move { engine.work_tenant(tenant, "frozen").await });
        gate.reached().await;
        // The other one takes over, and finishes.
        world.expire_lease().await;
        let second = world.second();
        pass(&second, world.tenant(), HOUR).await;
        let before = world.order("10").await;
        assert!(
            before.record.state.is_synced(),
            "{story}: {:#?}",
            world.standing().await
        );
        let (calls, told) = (
            world.books.manners.calls("make order"),
            world.trail().await.len(),
        );
        if operation == "make order" && !is_sent {
            // A lease lasts longer than the time in which a write may begin; that one is not moved by hand.
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        // Now the frozen one wakes up.
        gate.open();
        let ended = frozen.await.unwrap();
        assert!(
            matches!(&ended, Err(error) if error.is_turn_lost()),
            "{story}: {ended:?}"
        );
        assert_eq!(
            world.books.manners.calls("make order"),
            calls,
            "{story}: it sent something"
        );
        assert_eq!(
            world.trail().await.len(),
            told,
            "{story}: it told something"
        );
        assert_eq!(
            world.order("10").await,
            before,
            "{story}: it changed something"
        );
        arrived_once(&world, &story).await;
    }
}

async fn a_defect_in_one_record_stops_no_other(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    for key in ["10", "11", "12"] {
        world.sites.put_order(order(key));
    }
    world.sites.manners.will("read order", Manner::Panics);
    let run = world.run().await;
    world.work().await;
    let broken = world.order("10").await;
    assert_eq!(
        broken.record.state,
        State::Failed,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(broken.record.fault.as_ref().unwrap().class(), "broken");
    for key in ["11", "12"] {
        assert_eq!(world.order(key).await.record.state, State::Succeeded);
    }
    let run = world.run_of(run).await;
    assert_eq!(run.flows["commitments"].failed, 1);
    assert_eq!(run.flows["commitments"].created, 2);
    world.check().await;
}

async fn what_was_in_flight_is_counted_after_a_takeover(database: TestDatabase) {
    for is_double in [false, true] {
        let world = begin(&database, "swept", Chain::One).await;
        let gate = Gate::new();
        let manner = Manner::AnswersThrough(gate.clone());
        world.books.manners.will("make order", manner);
        dies_at(&world, &gate).await;
        let second = world.second();
        second.work_tenant(world.tenant(), "second").await.unwrap();
        arrived_once(&world, "found again").await;
        let made = world.order("10").await.record.target.unwrap().id;
        if is_double {
            // The frozen one sent after all, later than anybody could know.
            world.books.double(&made, "ORDER-TWIN");
        }
        pass(&second, world.tenant(), HOUR).await;
        let work = world.order("10").await;
        let told = world.told("write.duplicate").await.len();
        if !is_double {
            assert!(
                work.record.state.is_synced(),
                "{:#?}",
                world.standing().await
            );
            assert_eq!(told, 0);
            continue;
        }
        assert_eq!(
            work.record.state,
            State::Review,
            "{:#?}",
            world.standing().await
        );
        assert_eq!(
            (work.record.flags.clone(), told),
            (vec![DUPLICATE.to_owned()], 1)
        );
        assert!(
            work.record.explanation.contains("ORDER-TWIN"),
            "{}",
            work.record.explanation
        );
        // A person says which one counts.
        world
            .act(
                work.record.id,
                Act::Link {
                    target_id: made.clone(),
                },
            )
            .await
            .unwrap();
        pass(&second, world.tenant(), HOUR).await;
        let work = world.order("10").await;
        assert!(
            work.record.state.is_synced(),
            "{:#?}",
            world.standing().await
        );
        assert_eq!(work.record.flags, Vec::<String>::new());
        assert_eq!(work.record.target.unwrap().id, made);
    }
}
