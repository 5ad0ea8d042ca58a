//! A system that cannot be reached: one call at a time finds out whether it is back, none of them a write, and what
//! it kept from going on loses nothing.

use std::time::Duration;

use ml_connector::domain::fault::Fault;
use ml_connector::domain::record::State;

use super::books::Chain;
use super::manners::{Manner, too_fast, unreachable};
use super::sites::{order, vendor};
use super::world::{HOUR, World};
use crate::support::database::{TestDatabase, both};

both!(
    one_call_at_a_time_finds_out_whether_a_system_is_back,
    a_write_that_was_begun_is_not_what_finds_out,
    what_waits_to_try_again_is_due_soon_after,
);

const VENDORS: usize = 12;

impl World {
    /// Nobody answers an operation until it is well again.
    fn out_of_reach(&self, operation: &'static str) {
        for _ in 0..100 {
            let fails = Manner::Fails(unreachable());
            self.books.manners.will(operation, fails);
        }
    }
}

async fn one_call_at_a_time_finds_out_whether_a_system_is_back(database: TestDatabase) {
    let world = World::begin(&database).await;
    for key in 0..VENDORS {
        world
            .sites
            .put_vendor(vendor(&key.to_string(), &format!("Vendor {key}")));
    }
    world.out_of_reach("find vendor");
    let calls = || world.books.manners.calls("find vendor");
    world.run().await;
    world.work().await;
    let met = calls();
    assert!((5..=VENDORS).contains(&met), "{met} met it");
    for rest in [15, 30, 60] {
        let before = calls();
        world.advance(Duration::from_secs(rest - 1));
        world.work().await;
        assert_eq!(calls(), before, "it rests for {rest} s");
        world.advance(Duration::from_secs(1));
        world.work().await;
        assert_eq!(calls(), before + 1, "one call after {rest} s");
        assert!(world.books.docs("vendor").is_empty());
    }
    world.books.manners.is_well_again("find vendor");
    world.advance(Duration::from_secs(60));
    world.work().await;
    let standing = world.standing().await;
    assert_eq!(world.books.docs("vendor").len(), VENDORS, "{standing:#?}");
    assert_eq!(calls(), met + 3 + VENDORS, "each is looked for once more");
    for work in world.records().await {
        assert_eq!(work.record.state, State::Succeeded);
    }
    world.check().await;
}

async fn a_write_that_was_begun_is_not_what_finds_out(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    world.books.is(Chain::Documents);
    world.sites.put_order(order("10"));
    let slow = Manner::Fails(too_fast(30));
    world.books.manners.will("document line", slow);
    world.run().await;
    world.work().await;
    assert_eq!(world.books.manners.calls("document line"), 1);
    // Meanwhile nobody answers any more: its next steps find that out.
    world.out_of_reach("document line");
    world.out_of_reach("find order");
    let lines = || world.books.manners.calls("document line");
    let looks = || world.books.manners.calls("find order");
    while lines() < 1 + 5 {
        let next = world.work().await.unwrap();
        world.advance(next.since(world.now()));
    }
    let (before, looked) = (lines(), looks());
    for rest in [15, 30, 60, 60] {
        world.advance(Duration::from_secs(rest));
        world.work().await;
    }
    assert_eq!(lines(), before, "a step of a write is no way to find out");
    assert_eq!(looks(), looked + 4);
    for operation in ["document line", "find order"] {
        world.books.manners.is_well_again(operation);
    }
    world.pass(HOUR).await;
    let standing = world.standing().await;
    assert_eq!(
        world.order("10").await.record.state,
        State::Succeeded,
        "{standing:#?}"
    );
    assert_eq!(world.books.docs("order").len(), 1);
    world.check().await;
}

async fn what_waits_to_try_again_is_due_soon_after(database: TestDatabase) {
    let world = World::begin(&database).await;
    world.sites.put_vendor(vendor("1", "Stone"));
    for _ in 0..7 {
        let fault = Fault::Transient {
            code: "http_500".into(),
            message: "it is not well".into(),
        };
        world
            .books
            .manners
            .will("find vendor", Manner::Fails(fault));
    }
    world.run().await;
    loop {
        let next = world.work().await.unwrap();
        let left = next.since(world.now());
        if world.vendor("1").await.record.attempts >= 7 {
            assert!(left > Duration::from_secs(60), "{left:?}");
            break;
        }
        world.advance(left);
    }
    for key in 0..VENDORS {
        world
            .sites
            .put_vendor(vendor(&format!("1{key}"), &format!("Vendor {key}")));
    }
    world.out_of_reach("find vendor");
    world.run().await;
    world.work().await;
    world.books.manners.is_well_again("find vendor");
    world.advance(Duration::from_secs(15));
    world.work().await;
    assert_eq!(world.books.docs("vendor").len(), VENDORS);
    let waits = world.vendor("1").await.record;
    assert_eq!(waits.state, State::Retrying);
    let left = waits.next_attempt_at.unwrap().since(world.now());
    assert!(left <= Duration::from_secs(60), "{left:?}");
    world.advance(Duration::from_secs(60));
    world.work().await;
    assert_eq!(world.vendor("1").await.record.state, State::Succeeded);
    world.check().await;
}
