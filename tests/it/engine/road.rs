//! The road when nothing is in the way.

use ml_connector::domain::record::State;
use ml_connector::domain::run::RunState;

use super::sites::{order, vendor};
use super::world::World;
use crate::support::database::{TestDatabase, both};

both!(a_vendor_and_its_orders_arrive_once);

async fn a_vendor_and_its_orders_arrive_once(database: TestDatabase) {
    let world = World::begin(&database).await;
    world.sites.put_vendor(vendor("1", "Stone"));
    world.sites.put_vendor(vendor("2", "Wood"));
    for key in ["10", "11", "12"] {
        world.sites.put_order(order(key));
    }
    let run = world.run().await;
    world.work().await;
    for work in world.records().await {
        assert_eq!(
            work.record.state,
            State::Succeeded,
            "{:#?}",
            world.standing().await
        );
    }
    assert_eq!(world.books.docs("vendor").len(), 2);
    assert_eq!(world.books.docs("order").len(), 3);
    let run = world.run_of(run).await;
    assert_eq!(run.state, RunState::Succeeded);
    assert_eq!(
        (run.flows["vendors"].seen, run.flows["vendors"].created),
        (2, 2)
    );
    assert_eq!(
        (
            run.flows["commitments"].seen,
            run.flows["commitments"].created
        ),
        (3, 3)
    );
    world.check().await;
}
