//! Chains of calls: cut off, slowed down or refused at every one of their steps.

use std::time::Duration;

use ml_connector::domain::record::State;

use super::books::Chain;
use super::manners::{Manner, exists, refused, too_fast, unreachable};
use super::sites::order;
use super::world::{HOUR, MINUTE, World};
use crate::support::database::{TestDatabase, both};

both!(
    every_step_of_a_chain_may_be_cut_off,
    a_rate_limit_in_the_middle_goes_on_where_it_stood,
    a_refusal_takes_back_what_was_begun,
    a_conflict_is_looked_at_once_more,
    attempts_have_an_end,
    news_in_the_middle_of_a_chain_starts_it_afresh,
    a_long_chain_yields_to_others,
);

/// The steps of a chain for an order of two lines: operation and how many calls go well before it.
fn steps(chain: Chain) -> Vec<(&'static str, usize)> {
    match chain {
        Chain::One => vec![("make order", 0)],
        Chain::Batch => vec![
            ("start order", 0),
            ("order line", 0),
            ("order line", 1),
            ("finish order", 0),
        ],
        Chain::Documents => vec![
            ("order head", 0),
            ("document line", 0),
            ("document line", 1),
        ],
    }
}

async fn begin(database: &TestDatabase, name: &str, chain: Chain) -> World {
    let world = World::of_its_own(database, name).await;
    world.books.is(chain);
    world.sites.put_order(order("10"));
    world
}

async fn arrived_once(world: &World, chain: Chain, story: &str) {
    let work = world.order("10").await;
    assert!(
        work.record.state.is_synced(),
        "{story}: {:#?}",
        world.standing().await
    );
    assert_eq!(work.record.flags, Vec::<String>::new(), "{story}");
    let docs = world.books.docs("order");
    assert_eq!(docs.len(), 1, "{story}: {docs:#?}");
    if chain == Chain::Documents {
        assert_eq!(docs[0].lines, 2, "{story}");
    }
    world.check().await;
}

async fn every_step_of_a_chain_may_be_cut_off(database: TestDatabase) {
    for chain in [Chain::One, Chain::Batch, Chain::Documents] {
        for (operation, well) in steps(chain) {
            for (how, manner) in [
                ("the request is lost", Manner::LosesRequest),
                ("the answer is lost", Manner::LosesAnswer),
                ("nobody answers", Manner::Fails(unreachable())),
                ("it panics", Manner::Panics),
            ] {
                let story = format!("{chain:?}, {operation} {well}: {how}");
                let world = begin(&database, "cut", chain).await;
                for _ in 0..well {
                    world.books.manners.goes_well(operation);
                }
                world.books.manners.will(operation, manner);
                world.sync().await;
                if how == "it panics" {
                    let work = world.order("10").await;
                    assert_eq!(
                        work.record.state,
                        State::Failed,
                        "{story}: {:#?}",
                        world.standing().await
                    );
                    world
                        .do_with(&work, ml_connector::desk::record::Act::Retry)
                        .await;
                }
                world.pass(HOUR).await;
                arrived_once(&world, chain, &story).await;
            }
        }
    }
}

async fn a_rate_limit_in_the_middle_goes_on_where_it_stood(database: TestDatabase) {
    for chain in [Chain::One, Chain::Batch, Chain::Documents] {
        for (operation, well) in steps(chain) {
            let story = format!("{chain:?}, {operation} {well}");
            let world = begin(&database, "limited", chain).await;
            for _ in 0..well {
                world.books.manners.goes_well(operation);
            }
            world
                .books
                .manners
                .will(operation, Manner::Fails(too_fast(40)));
            world.run().await;
            let next = world.work().await.expect("it goes on later");
            assert_eq!(next, world.now().plus(Duration::from_secs(40)), "{story}");
            let work = world.order("10").await;
            assert!(
                matches!(work.record.state, State::Syncing | State::Pending),
                "{story}"
            );
            assert_eq!(
                work.record.substate.as_deref(),
                Some("rate_limited"),
                "{story}"
            );
            assert_eq!(work.record.attempts, 0, "{story}: a limit costs no attempt");
            // Nothing is called before.
            let calls = world.books.manners.calls(operation);
            world.pass(Duration::from_secs(39)).await;
            assert_eq!(world.books.manners.calls(operation), calls, "{story}");
            world.pass(MINUTE).await;
            arrived_once(&world, chain, &story).await;
            if chain == Chain::Batch {
                let starts = if operation == "start order" { 2 } else { 1 };
                assert_eq!(world.books.manners.calls("start order"), starts, "{story}");
                assert_eq!(world.books.undone(), Vec::<String>::new(), "{story}");
            }
        }
    }
}

async fn a_refusal_takes_back_what_was_begun(database: TestDatabase) {
    for (operation, well) in steps(Chain::Batch) {
        let story = format!("{operation} {well}");
        let world = begin(&database, "refused", Chain::Batch).await;
        for _ in 0..well {
            world.books.manners.goes_well(operation);
        }
        world
            .books
            .manners
            .will(operation, Manner::Fails(refused()));
        world.sync().await;
        let work = world.order("10").await;
        assert_eq!(work.record.state, State::Failed, "{story}");
        assert_eq!(work.record.reason.as_deref(), Some("XPO0002"), "{story}");
        assert!(
            work.record.explanation.contains("the account is closed"),
            "{story}"
        );
        assert_eq!(world.told("write.rejected").await.len(), 1, "{story}");
        let begun = usize::from(operation != "start order");
        assert_eq!(world.books.undone().len(), begun, "{story}");
        // Nothing goes on by itself; a person mends it and tries again.
        world.pass(24 * HOUR).await;
        assert_eq!(
            world.order("10").await.record.state,
            State::Failed,
            "{story}"
        );
        world
            .do_with(&work, ml_connector::desk::record::Act::Retry)
            .await;
        arrived_once(&world, Chain::Batch, &story).await;
    }
}

async fn a_conflict_is_looked_at_once_more(database: TestDatabase) {
    let world = begin(&database, "conflict", Chain::One).await;
    world
        .books
        .manners
        .will("make order", Manner::Fails(unreachable()));
    world
        .books
        .manners
        .will("make order", Manner::Fails(unreachable()));
    world
        .books
        .manners
        .will("make order", Manner::Fails(exists()));
    world.sync().await;
    world.pass(HOUR).await;
    arrived_once(&world, Chain::One, "a conflict after trouble").await;
    assert_eq!(world.books.manners.calls("find order"), 4);

    let world = begin(&database, "conflict", Chain::One).await;
    world
        .books
        .manners
        .will("make order", Manner::Fails(exists()));
    world
        .books
        .manners
        .will("make order", Manner::Fails(exists()));
    world.sync().await;
    world.pass(MINUTE).await;
    let work = world.order("10").await;
    assert_eq!(
        work.record.state,
        State::Failed,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(world.books.manners.calls("make order"), 2);
}

async fn attempts_have_an_end(database: TestDatabase) {
    for operation in [
        "read order",
        "find order",
        "vendor status",
        "start order",
        "finish order",
    ] {
        let world = begin(&database, "attempts", Chain::Batch).await;
        let busy = || {
            Manner::Fails(ml_connector::domain::fault::Fault::Transient {
                code: "http_500".into(),
                message: "the system is in trouble".into(),
            })
        };
        for _ in 0..40 {
            if operation == "read order" {
                world.sites.manners.will(operation, busy());
            } else {
                world.books.manners.will(operation, busy());
            }
        }
        world.sync().await;
        let first = world.order("10").await;
        assert_eq!(
            (first.record.state, first.record.attempts),
            (State::Retrying, 1),
            "{operation}"
        );
        world.pass(24 * HOUR).await;
        let work = world.order("10").await;
        assert_eq!(
            work.record.state,
            State::Failed,
            "{operation}: {:#?}",
            world.standing().await
        );
        assert_eq!(work.record.attempts, 8, "{operation}");
        let calls = world.books.manners.calls(operation) + world.sites.manners.calls(operation);
        assert_eq!(calls, 8, "{operation}");
        assert_eq!(work.record.next_attempt_at, None, "{operation}");
        world.check().await;
    }
}

async fn news_in_the_middle_of_a_chain_starts_it_afresh(database: TestDatabase) {
    let world = begin(&database, "news", Chain::Batch).await;
    world.books.manners.goes_well("order line");
    world
        .books
        .manners
        .will("order line", Manner::Fails(too_fast(600)));
    world.sync().await;
    world.advance(MINUTE);
    world
        .sites
        .change_order("10", |order| order.number = "PO-10-B".into());
    world.run().await;
    world.pass(HOUR).await;
    arrived_once(&world, Chain::Batch, "news").await;
    assert_eq!(world.books.docs("order")[0].content["number"], "PO-10-B");
    assert_eq!(
        world.books.undone().len(),
        1,
        "the batch with the old lines is taken back"
    );
}

async fn a_long_chain_yields_to_others(database: TestDatabase) {
    let world = begin(&database, "long", Chain::Batch).await;
    world.sites.change_order("10", |order| {
        let line = order.lines[0].clone();
        order.lines = (0..60)
            .map(|at| ml_connector::domain::records::OrderLine {
                key: format!("10-{at}"),
                position: at,
                ..line.clone()
            })
            .collect();
        order.total = order.lines_total();
    });
    *world.books.manners.slow.lock().unwrap() = Duration::from_millis(250);
    world.run().await;
    let began = std::time::Instant::now();
    let ended = world
        .engine()
        .work_tenant(world.tenant(), "test")
        .await
        .unwrap();
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "a slice ended after {:?}",
        began.elapsed()
    );
    assert_eq!(ended, ml_connector::engine::Ended::DueNow);
    let work = world.order("10").await;
    assert_eq!(work.record.state, State::Syncing);
    *world.books.manners.slow.lock().unwrap() = Duration::ZERO;
    world.work().await;
    arrived_once(&world, Chain::Batch, "a long chain").await;
    assert_eq!(world.books.manners.calls("start order"), 1);
    assert_eq!(world.books.manners.calls("order line"), 60);
}
