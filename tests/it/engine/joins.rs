//! A run that is asked for while the pair has an open one: that one does all that was asked, and whoever has
//! its id sees it there.

use ml_connector::desk::run::{Wanted, start};
use ml_connector::domain::clock::Timestamp;
use ml_connector::domain::fault::Fault;
use ml_connector::domain::ids::RunId;
use ml_connector::domain::run::{Counts, Run, RunState, Trigger};
use ml_connector::store::run::{Ending, Listing};
use ml_connector::store::{self, StoreError};

use super::manners::{Gate, Manner};
use super::sites::{order, vendor};
use super::world::{DAY, HOUR, MINUTE, World};
use crate::support::database::{TestDatabase, both};

both!(
    another_flow_is_listed_by_the_open_run,
    everything_is_listed_anew_for_the_flow_that_asks_for_it,
    what_changed_before_somebody_asked_is_in_the_run_they_were_told_of,
    a_listing_that_was_given_up_is_made_good_by_the_next_request,
    a_run_that_was_asked_for_more_is_not_closed_over_it,
);

const ALL: [&str; 2] = ["vendors", "commitments"];

impl World {
    async fn ask(&self, flows: &[&str], full: bool) -> RunId {
        let wanted = Wanted {
            flows: Some(flows.iter().map(|flow| (*flow).to_owned()).collect()),
            full,
            dry_run: false,
        };
        start(&self.desk, &self.caller, self.pair, wanted)
            .await
            .unwrap()
    }

    /// Three orders that are written and whose cursor is long past them.
    async fn with_old_orders(database: &TestDatabase) -> Self {
        let world = Self::with_vendor(database).await;
        for number in 10..13 {
            world.sites.put_order(order(&number.to_string()));
        }
        world.sync().await;
        world.advance(DAY);
        world.sync().await;
        world.advance(DAY);
        world.sites.manners.forget_calls();
        world
    }
}

fn of<'a>(run: &'a Run, flow: &str) -> &'a Counts {
    &run.flows[flow]
}

async fn another_flow_is_listed_by_the_open_run(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    world.sites.put_order(order("10"));
    let gate = Gate::new();
    world
        .sites
        .manners
        .will("list vendors", Manner::WaitsFor(gate.clone()));
    let first = world.ask(&["vendors"], false).await;
    let asked_in_between = async {
        gate.reached().await;
        let second = world.ask(&["commitments"], false).await;
        gate.open();
        second
    };
    let (_, second) = futures::join!(world.work(), asked_in_between);
    assert_eq!(second, first);
    world.pass(HOUR).await;
    let run = world.run_of(second).await;
    assert_eq!(run.state, RunState::Succeeded, "{run:?}");
    assert_eq!(of(&run, "commitments").created, 1);
    assert_eq!(of(&run, "vendors").seen, 1);
    assert_eq!(
        world.sites.manners.calls("list vendors"),
        2,
        "once by the run that linked the vendor, once by this one"
    );
    world.check().await;
}

async fn everything_is_listed_anew_for_the_flow_that_asks_for_it(database: TestDatabase) {
    let world = World::with_old_orders(&database).await;
    *world.sites.page_size.lock().unwrap() = 2;
    world.sites.put_order(order("13"));
    let gate = Gate::new();
    world
        .sites
        .manners
        .will("list orders", Manner::WaitsFor(gate.clone()));
    let first = world.ask(&ALL, false).await;
    let asked_in_between = async {
        gate.reached().await;
        let second = world.ask(&["commitments"], true).await;
        gate.open();
        second
    };
    let (_, second) = futures::join!(world.work(), asked_in_between);
    assert_eq!(second, first);
    world.pass(HOUR).await;
    let run = world.run_of(second).await;
    assert_eq!(run.state, RunState::Succeeded, "{run:?}");
    assert!(run.full);
    let orders = of(&run, "commitments");
    assert_eq!(
        (orders.seen, orders.created, orders.unchanged),
        (4, 1, 3),
        "each once; what this run created it still has created: {orders:?}"
    );
    assert_eq!(
        of(&run, "vendors").seen,
        0,
        "nobody asked for all vendors, and none changed"
    );
    assert_eq!(
        (
            world.sites.manners.calls("list vendors"),
            world.sites.manners.calls("list orders")
        ),
        (1, 1 + 2),
        "what changed on one page, then everything on two"
    );
    assert_eq!(world.books.docs("order").len(), 4);
    world.check().await;
}

async fn what_changed_before_somebody_asked_is_in_the_run_they_were_told_of(
    database: TestDatabase,
) {
    let world = World::with_old_orders(&database).await;
    *world.sites.page_size.lock().unwrap() = 1;
    world.sites.put_order(order("20"));
    world.sites.put_order(order("21"));
    let gate = Gate::new();
    world.sites.manners.goes_well("list orders");
    world
        .sites
        .manners
        .will("list orders", Manner::WaitsFor(gate.clone()));
    let first = world.ask(&["commitments"], false).await;
    let asked_in_between = async {
        gate.reached().await;
        // Its place is on the page that the listing has passed already.
        world.advance(MINUTE);
        world
            .sites
            .change_order("10", |order| order.number = "PO-10-B".into());
        // However often they ask: one more listing serves all of them.
        world.ask(&["commitments"], false).await;
        let second = world.ask(&["commitments"], false).await;
        gate.open();
        second
    };
    let (_, second) = futures::join!(world.work(), asked_in_between);
    assert_eq!(second, first);
    world.pass(HOUR).await;
    let run = world.run_of(second).await;
    assert_eq!(of(&run, "commitments").seen, 3, "{run:?}");
    assert_eq!(of(&run, "commitments").created, 2, "{run:?}");
    assert_eq!(
        world.order("10").await.record.number.as_deref(),
        Some("PO-10-B")
    );
    world.check().await;
}

async fn a_listing_that_was_given_up_is_made_good_by_the_next_request(database: TestDatabase) {
    let world = World::with_old_orders(&database).await;
    *world.books.finish_takes.lock().unwrap() = Some(2 * HOUR);
    world.sites.put_order(order("13"));
    let run = world.ask(&["commitments"], false).await;
    world.work().await;
    // Its record is still in work when another flow of it can surely not be listed.
    world.ask(&["vendors"], false).await;
    world.sites.put_vendor(vendor("2", "Wood"));
    world.sites.manners.will(
        "list vendors",
        Manner::Fails(Fault::Broken {
            code: "not_json".into(),
            message: "the answer cannot be read".into(),
        }),
    );
    world.work().await;
    assert!(world.run_of(run).await.fault.is_some());
    assert_eq!(world.ask(&["commitments"], false).await, run);
    world.pass(DAY).await;
    let closed = world.run_of(run).await;
    assert_eq!(closed.state, RunState::Succeeded, "{closed:?}");
    assert_eq!(of(&closed, "vendors").created, 1, "{closed:?}");
    world.check().await;
}

async fn a_run_that_was_asked_for_more_is_not_closed_over_it(database: TestDatabase) {
    let world = World::begin(&database).await;
    let run = world.ask(&["vendors"], false).await;
    let counts = world.run_of(run).await.flows;
    // Listed to its end; somebody counts its records, and is about to close it.
    world
        .write(move |scope| {
            Box::pin(async move {
                store::run::move_listing(scope, run, Timestamp(0), |listing: Listing| {
                    listing.after_page(None)
                })
                .await
            })
        })
        .await;
    assert_eq!(world.ask(&["commitments"], false).await, run);
    let closed = world
        .store()
        .write(world.tenant(), &world.caller.actor, move |scope| {
            Box::pin(async move {
                let ending = Ending {
                    state: RunState::Succeeded,
                    counts: &counts,
                    note: None,
                    fault: None,
                };
                store::run::close(scope, run, &ending).await
            })
        })
        .await;
    assert!(matches!(closed, Err(StoreError::Stale(_))), "{closed:?}");
    world.work().await;
    let run = world.run_of(run).await;
    assert_eq!(
        (run.state, run.trigger),
        (RunState::Succeeded, Trigger::Person)
    );
    assert_eq!(run.flows.len(), 2);
}
