//! Writes whose answer was lost: looked up, and never sent again blind.

use std::time::Duration;

use ml_connector::contract::Repeat;
use ml_connector::desk::record::Act;
use ml_connector::domain::record::{OUTCOME_UNKNOWN, State};
use serde_json::json;

use super::manners::Manner;
use super::sites::order;
use super::world::{HOUR, MINUTE, World};
use crate::support::database::{TestDatabase, both};

both!(
    it_landed,
    it_never_landed,
    it_lands_late_but_within_the_quiet_period,
    the_search_lags_behind,
    a_vendor_that_refuses_repeats_is_asked_again_at_once,
    a_repeat_meets_what_landed_late,
    an_unsafe_repeat_is_a_persons_choice,
    something_like_it_is_there,
    the_look_up_itself_fails,
    the_source_withdraws_it_meanwhile,
    the_source_changes_it_meanwhile,
);

const QUIET: Duration = Duration::from_secs(300);

/// A world whose next order ends in doubt.
async fn doubtful(database: &TestDatabase, manner: Manner) -> World {
    let world = World::with_vendor(database).await;
    world.sites.put_order(order("10"));
    world.books.manners.will("make order", manner);
    world.sync().await;
    let work = world.order("10").await;
    assert_eq!(
        work.record.state,
        State::Retrying,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(work.record.reason.as_deref(), Some(OUTCOME_UNKNOWN));
    assert!(work.record.flags.contains(&OUTCOME_UNKNOWN.to_owned()));
    assert_eq!(world.told("write.unknown").await.len(), 1);
    world
}

async fn settled(world: &World) {
    let work = world.order("10").await;
    assert_eq!(
        work.record.state,
        State::Succeeded,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(work.record.flags, Vec::<String>::new());
    assert_eq!(work.record.fault, None);
    assert_eq!(work.record.attempts, 0);
    assert_eq!(world.books.docs("order").len(), 1);
    world.check().await;
}

async fn it_landed(database: TestDatabase) {
    let world = doubtful(&database, Manner::LosesAnswer).await;
    world.pass(MINUTE).await;
    settled(&world).await;
    assert_eq!(world.books.manners.calls("make order"), 1);
    assert_eq!(world.told("write.confirmed").await.len(), 2);
}

async fn it_never_landed(database: TestDatabase) {
    let world = doubtful(&database, Manner::LosesRequest).await;
    world.pass(QUIET - MINUTE).await;
    assert_eq!(
        world.books.manners.calls("make order"),
        1,
        "nothing is sent in the quiet period"
    );
    let work = world.order("10").await;
    assert_eq!(work.record.state, State::Retrying);
    assert!(
        work.record.explanation.contains("nothing is sent before"),
        "{}",
        work.record.explanation
    );
    world.pass(5 * MINUTE).await;
    settled(&world).await;
    assert_eq!(world.books.manners.calls("make order"), 2);
}

async fn it_lands_late_but_within_the_quiet_period(database: TestDatabase) {
    let world = doubtful(&database, Manner::DoesLate(QUIET - Duration::from_secs(10))).await;
    world.pass(HOUR).await;
    settled(&world).await;
    assert_eq!(world.books.manners.calls("make order"), 1);
}

async fn the_search_lags_behind(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    *world.books.search_lag.lock().unwrap() = QUIET - Duration::from_secs(10);
    world.sites.put_order(order("10"));
    world.books.manners.will("make order", Manner::LosesAnswer);
    world.sync().await;
    world.pass(HOUR).await;
    settled(&world).await;
    assert_eq!(world.books.manners.calls("make order"), 1);
}

async fn a_vendor_that_refuses_repeats_is_asked_again_at_once(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    world.books.repeats(Repeat::Enforced);
    world.sites.put_order(order("10"));
    world.books.manners.will("make order", Manner::LosesRequest);
    world.sync().await;
    world.pass(MINUTE).await;
    settled(&world).await;
    assert_eq!(world.books.manners.calls("make order"), 2);
}

async fn a_repeat_meets_what_landed_late(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    world.books.repeats(Repeat::Enforced);
    world.sites.put_order(order("10"));
    // The search shows it only after the repeat was refused.
    *world.books.search_lag.lock().unwrap() = Duration::from_secs(40);
    world.books.manners.will("make order", Manner::LosesAnswer);
    world.sync().await;
    world.pass(HOUR).await;
    let work = world.order("10").await;
    assert!(
        work.record.state.is_synced(),
        "{:#?}",
        world.standing().await
    );
    assert_eq!(world.books.docs("order").len(), 1);
    world.check().await;
}

async fn an_unsafe_repeat_is_a_persons_choice(database: TestDatabase) {
    for choice in ["look again", "resend", "link", "drop"] {
        let world = World::of_its_own(&database, choice).await;
        world.books.repeats(Repeat::Never);
        world.sites.put_order(order("10"));
        world.books.manners.will("make order", Manner::LosesRequest);
        world.sync().await;
        world.pass(HOUR).await;
        let work = world.order("10").await;
        assert_eq!(
            work.record.state,
            State::Failed,
            "{:#?}",
            world.standing().await
        );
        assert_eq!(work.record.reason.as_deref(), Some(OUTCOME_UNKNOWN));
        assert!(work.record.flags.contains(&OUTCOME_UNKNOWN.to_owned()));
        assert_eq!(world.books.manners.calls("make order"), 1);
        match choice {
            "look again" => {
                world.do_with(&work, Act::Retry).await;
                let work = world.order("10").await;
                assert_eq!(work.record.state, State::Failed, "it is still not there");
                assert_eq!(world.books.manners.calls("make order"), 1);
            }
            "resend" => {
                world.do_with(&work, Act::Create).await;
                world.pass(MINUTE).await;
                settled(&world).await;
                assert_eq!(world.books.manners.calls("make order"), 2);
            }
            "link" => {
                world
                    .books
                    .key_in("order", "BY-HAND", json!({"number": "other"}));
                let target_id = "BY-HAND".to_owned();
                world.do_with(&work, Act::Link { target_id }).await;
                let work = world.order("10").await;
                assert_eq!(
                    work.record.state,
                    State::Linked,
                    "{:#?}",
                    world.standing().await
                );
                assert_eq!(work.record.target.unwrap().id, "BY-HAND");
                assert_eq!(world.books.manners.calls("make order"), 1);
                world.check().await;
            }
            _ => {
                let reason = "keyed in elsewhere".to_owned();
                world.do_with(&work, Act::Ignore { reason }).await;
                world.pass(HOUR).await;
                let work = world.order("10").await;
                assert_eq!(work.record.state, State::Ignored);
                assert_eq!(world.books.manners.calls("make order"), 1);
                // Taken up again, it is looked for before anything else.
                world.books.manners.forget_calls();
                world.do_with(&work, Act::Retry).await;
                assert_eq!(world.books.manners.calls("make order"), 0);
                assert_eq!(world.books.manners.calls("find order"), 1);
            }
        }
    }
}

async fn something_like_it_is_there(database: TestDatabase) {
    let world = doubtful(&database, Manner::LosesRequest).await;
    world
        .books
        .key_in("order", "BY-HAND", json!({"number": "PO-10", "total": "1"}));
    world.pass(HOUR).await;
    let work = world.order("10").await;
    assert_eq!(
        work.record.state,
        State::Failed,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(world.books.manners.calls("make order"), 1);
    // A person says that it is another one.
    world.do_with(&work, Act::Create).await;
    world.pass(HOUR).await;
    let work = world.order("10").await;
    assert_eq!(
        work.record.state,
        State::Succeeded,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(world.books.manners.calls("make order"), 2);
    world.check().await;
}

async fn the_look_up_itself_fails(database: TestDatabase) {
    let world = doubtful(&database, Manner::LosesRequest).await;
    let fault = || ml_connector::domain::fault::Fault::Transient {
        code: "http_500".into(),
        message: "the search is in trouble".into(),
    };
    for _ in 0..5 {
        world
            .books
            .manners
            .will("find order", Manner::Fails(fault()));
    }
    world.pass(4 * MINUTE).await;
    assert_eq!(
        world.books.manners.calls("make order"),
        1,
        "nothing is sent on a look-up that failed"
    );
    world.pass(HOUR).await;
    settled(&world).await;
    assert_eq!(world.books.manners.calls("make order"), 2);

    // For good: a person is told, and nothing is sent until a look-up works.
    world.sites.put_order(order("11"));
    world.books.manners.will("make order", Manner::LosesAnswer);
    world.sync().await;
    for _ in 0..20 {
        world
            .books
            .manners
            .will("find order", Manner::Fails(fault()));
    }
    world.pass(24 * HOUR).await;
    let work = world.order("11").await;
    assert_eq!(
        work.record.state,
        State::Failed,
        "{:#?}",
        world.standing().await
    );
    assert!(work.record.flags.contains(&OUTCOME_UNKNOWN.to_owned()));
    for _ in 0..20 {
        world.books.manners.goes_well("find order");
    }
    for _ in 0..20 {
        world.do_with(&world.order("11").await, Act::Retry).await;
        world.pass(HOUR).await;
        if world.order("11").await.record.state == State::Succeeded {
            break;
        }
    }
    assert_eq!(world.books.docs("order").len(), 2);
    assert_eq!(world.books.manners.calls("make order"), 3);
    world.check().await;
}

async fn the_source_withdraws_it_meanwhile(database: TestDatabase) {
    let world = doubtful(&database, Manner::LosesRequest).await;
    world.sites.remove_order("10");
    world.pass(HOUR).await;
    let work = world.order("10").await;
    assert_eq!(
        work.record.state,
        State::Ignored,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(world.books.manners.calls("make order"), 1);
    assert_eq!(world.books.docs("order").len(), 0);
    world.check().await;
}

async fn the_source_changes_it_meanwhile(database: TestDatabase) {
    let world = doubtful(&database, Manner::LosesRequest).await;
    world.advance(Duration::from_secs(1));
    world
        .sites
        .change_order("10", |order| order.number = "PO-10-B".into());
    world.pass(HOUR).await;
    settled(&world).await;
    let docs = world.books.docs("order");
    assert_eq!(
        docs[0].content["number"], "PO-10-B",
        "the newest version is written"
    );
}
