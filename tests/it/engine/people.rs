//! What people do with records, and what becomes of it.

use ml_connector::desk::record::Act;
use ml_connector::domain::record::{DIVERGED, ORPHANED, State};
use serde_json::json;

use super::manners::{Gate, Manner};
use super::sites::{order, vendor};
use super::world::{HOUR, MINUTE, World, facts};
use crate::support::database::{TestDatabase, both};

both!(
    a_person_chooses_among_candidates,
    a_wrong_choice_is_said_and_can_be_mended,
    what_was_keyed_in_by_hand_is_adopted,
    nothing_is_written_when_nothing_changed,
    a_frozen_document_shows_what_differs,
    the_master_of_a_record_is_not_overwritten,
    a_withdrawn_source_removes_nothing,
    a_replay_works_from_the_stored_source,
    an_act_in_the_middle_of_work_is_not_overwritten,
    a_linked_record_moves_to_another_target,
    a_synced_record_that_can_no_longer_be_drafted_says_so,
);

async fn a_person_chooses_among_candidates(database: TestDatabase) {
    let world = World::begin(&database).await;
    for id in ["OLD1", "OLD2"] {
        world.books.key_in("vendor", id, json!({"name": "stone"}));
    }
    for key in ["1", "2"] {
        world
            .sites
            .put_vendor(vendor(key, if key == "1" { "Stone" } else { "STONE" }));
    }
    world.sync().await;
    for key in ["1", "2"] {
        let work = world.vendor(key).await;
        assert_eq!(
            work.record.state,
            State::Review,
            "{:#?}",
            world.standing().await
        );
        assert!(work.candidates_digest.is_some());
    }
    world.pass(HOUR).await;
    assert_eq!(
        world.vendor("1").await.record.state,
        State::Review,
        "nothing chooses by itself"
    );
    let target_id = "OLD2".to_owned();
    world
        .do_with(&world.vendor("1").await, Act::Link { target_id })
        .await;
    let linked = world.vendor("1").await;
    assert_eq!(
        linked.record.state,
        State::Linked,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(linked.record.target.unwrap().id, "OLD2");
    assert_eq!(world.told("record.linked").await.len(), 1);
    world.do_with(&world.vendor("2").await, Act::Create).await;
    let created = world.vendor("2").await;
    assert_eq!(
        created.record.state,
        State::Succeeded,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(world.books.docs("vendor").len(), 3);
    world.check().await;
}

async fn a_wrong_choice_is_said_and_can_be_mended(database: TestDatabase) {
    let world = World::begin(&database).await;
    for id in ["OLD1", "OLD2"] {
        world.books.key_in("vendor", id, json!({"name": "stone"}));
    }
    world.sites.put_vendor(vendor("1", "Stone"));
    world.sites.put_vendor(vendor("2", "Stone"));
    world.sync().await;
    let nowhere = Act::Link {
        target_id: "NONE".into(),
    };
    world.do_with(&world.vendor("1").await, nowhere).await;
    let work = world.vendor("1").await;
    assert_eq!(
        work.record.state,
        State::Failed,
        "{:#?}",
        world.standing().await
    );
    assert!(
        work.record.explanation.contains("NONE"),
        "{}",
        work.record.explanation
    );
    let mended = Act::Link {
        target_id: "OLD1".into(),
    };
    world.do_with(&work, mended).await;
    assert_eq!(world.vendor("1").await.record.state, State::Linked);
    // One target is one source's.
    let taken = Act::Link {
        target_id: "OLD1".into(),
    };
    world.do_with(&world.vendor("2").await, taken).await;
    let work = world.vendor("2").await;
    assert_eq!(
        work.record.state,
        State::Review,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(work.record.reason.as_deref(), Some("already_linked"));
    world
        .do_with(
            &work,
            Act::Link {
                target_id: "OLD2".into(),
            },
        )
        .await;
    assert_eq!(world.vendor("2").await.record.state, State::Linked);
    assert_eq!(world.books.ledger().len(), 0);
    world.check().await;
}

async fn what_was_keyed_in_by_hand_is_adopted(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    let supplier = world.vendor("1").await.record.target.unwrap().id;
    let same = json!({
        "number": "PO-10", "vendor": supplier, "total": "350",
        "lines": [{"key": "10-1", "amount": "100"}, {"key": "10-2", "amount": "250"}],
    });
    world.books.key_in("order", "BY-HAND", same);
    world
        .books
        .key_in("order", "OTHER", json!({"number": "PO-11", "total": "999"}));
    world.sites.put_order(order("10"));
    world.sites.put_order(order("11"));
    world.sync().await;
    let adopted = world.order("10").await;
    assert_eq!(
        adopted.record.state,
        State::Linked,
        "{:#?}",
        world.standing().await
    );
    // Equal key, other content: a person looks.
    assert_eq!(world.order("11").await.record.state, State::Review);
    assert_eq!(world.books.manners.calls("make order"), 0);
    world.check().await;
}

async fn nothing_is_written_when_nothing_changed(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    world.sites.put_order(order("10"));
    world.sync().await;
    world.books.manners.forget_calls();
    world.sites.manners.forget_calls();
    world.advance(MINUTE);
    let run = world.run().await;
    world.work().await;
    assert_eq!(
        world.sites.manners.calls("read order"),
        0,
        "its version is known"
    );
    let run = world.run_of(run).await;
    assert_eq!(
        (
            run.flows["commitments"].seen,
            run.flows["commitments"].unchanged
        ),
        (1, 1)
    );
    // Touched in the source, with the same content.
    world.sites.change_order("10", |_| {});
    world.sync().await;
    assert_eq!(world.sites.manners.calls("read order"), 1);
    assert_eq!(world.books.manners.calls("make order"), 0);
    assert_eq!(
        world.books.manners.calls("compare order"),
        0,
        "the target is known to hold it"
    );
    assert_eq!(world.order("10").await.record.state, State::Succeeded);
    world.check().await;
}

async fn a_frozen_document_shows_what_differs(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    world.sites.put_order(order("10"));
    world.sync().await;
    world.advance(MINUTE);
    world.sites.change_order("10", |order| {
        order.lines[0].amount = 175.into();
        order.total = 425.into();
    });
    world.sync().await;
    let work = world.order("10").await;
    assert_eq!(
        work.record.state,
        State::Succeeded,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(work.record.flags, [DIVERGED]);
    assert_eq!(work.record.reason.as_deref(), Some(DIVERGED));
    for value in ["350", "425"] {
        assert!(
            work.record.explanation.contains(value),
            "{}",
            work.record.explanation
        );
    }
    assert!(work.changes_digest.is_some());
    assert_eq!(world.books.manners.calls("make order"), 1);
    // Changed back: the flag goes.
    world.advance(MINUTE);
    world.sites.put_order(order("10"));
    world.sync().await;
    let work = world.order("10").await;
    assert_eq!(work.record.flags, Vec::<String>::new());
    assert_eq!(work.record.reason, None);
    // A status that was deselected is no withdrawal of what is written.
    world.advance(MINUTE);
    world
        .sites
        .change_order("10", |order| order.status = "Void".into());
    world.sync().await;
    let work = world.order("10").await;
    assert_eq!(
        (work.record.state, work.record.flags.len()),
        (State::Succeeded, 1)
    );
    world.advance(MINUTE);
    world
        .sites
        .change_order("10", |order| order.status = "Complete".into());
    world.sync().await;
    let work = world.order("10").await;
    assert_eq!(work.record.state, State::Succeeded);
    assert_eq!(
        work.record.flags,
        Vec::<String>::new(),
        "finished is not withdrawn"
    );
    world.check().await;
}

async fn the_master_of_a_record_is_not_overwritten(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    world.advance(MINUTE);
    world.sites.put_vendor(vendor("1", "Stone and Sons"));
    world.sync().await;
    let work = world.vendor("1").await;
    assert_eq!(work.record.state, State::Succeeded);
    assert_eq!(work.record.flags, Vec::<String>::new());
    for value in ["is master", "Stone and Sons"] {
        assert!(
            work.record.explanation.contains(value),
            "{}",
            work.record.explanation
        );
    }
    assert_eq!(world.books.ledger().len(), 1);
    world.check().await;
}

async fn a_withdrawn_source_removes_nothing(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    world.sites.put_order(order("10"));
    world.sites.put_order(order("11"));
    world.asks_for_approval().await;
    world.sync().await;
    world
        .do_with(&world.order("10").await, Act::Approve { digest: None })
        .await;
    world.sites.remove_order("10");
    world.sites.remove_order("11");
    for key in ["10", "11"] {
        world.do_with(&world.order(key).await, Act::Retry).await;
    }
    let written = world.order("10").await;
    assert_eq!(
        written.record.state,
        State::Succeeded,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(written.record.flags, [ORPHANED]);
    assert_eq!(world.order("11").await.record.state, State::Ignored);
    assert_eq!(world.books.docs("order").len(), 1);
    // It comes back.
    world.sites.put_order(order("10"));
    world.do_with(&written, Act::Retry).await;
    assert_eq!(world.order("10").await.record.flags, Vec::<String>::new());
    world.check().await;
}

async fn a_replay_works_from_the_stored_source(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    world.sites.put_order(order("10"));
    world
        .books
        .manners
        .will("make order", Manner::Fails(super::manners::refused()));
    world.sync().await;
    let work = world.order("10").await;
    assert_eq!(work.record.state, State::Failed);
    world.sites.manners.forget_calls();
    world.do_with(&work, Act::Replay).await;
    assert_eq!(world.sites.manners.calls("read order"), 0);
    assert_eq!(
        world.order("10").await.record.state,
        State::Succeeded,
        "{:#?}",
        world.standing().await
    );
    // Again, when it is there: nothing is written.
    world.do_with(&world.order("10").await, Act::Replay).await;
    world.do_with(&world.order("10").await, Act::Retry).await;
    assert_eq!(world.books.docs("order").len(), 1);
    assert_eq!(world.told("record.replayed").await.len(), 2);
    world.check().await;
}

async fn an_act_in_the_middle_of_work_is_not_overwritten(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    world.sites.put_order(order("10"));
    let gate = Gate::new();
    world
        .books
        .manners
        .will("find order", Manner::WaitsFor(gate.clone()));
    world.run().await;
    let work = world.work();
    let meanwhile = async {
        gate.reached().await;
        let id = world.order("10").await.record.id;
        let reason = "not ours".to_owned();
        world.act(id, Act::Ignore { reason }).await.unwrap();
        gate.open();
    };
    futures::join!(work, meanwhile);
    let work = world.order("10").await;
    assert_eq!(
        work.record.state,
        State::Ignored,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(work.record.reason.as_deref(), Some("ignored_by_person"));
    assert_eq!(
        world.books.manners.calls("make order"),
        0,
        "nothing was sent after that"
    );
    world.check().await;
}

async fn a_linked_record_moves_to_another_target(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    world.sites.put_order(order("10"));
    world.sync().await;
    // It fails later on, and a person says that it is another record of the target.
    world
        .books
        .key_in("order", "BY-HAND", json!({"number": "PO-10", "total": "1"}));
    world.advance(MINUTE);
    world
        .sites
        .change_order("10", |order| order.number = "PO-10-B".into());
    world
        .books
        .manners
        .will("compare order", Manner::Fails(super::manners::refused()));
    world.sync().await;
    let work = world.order("10").await;
    assert_eq!(
        work.record.state,
        State::Failed,
        "{:#?}",
        world.standing().await
    );
    world
        .do_with(
            &work,
            Act::Link {
                target_id: "BY-HAND".into(),
            },
        )
        .await;
    let work = world.order("10").await;
    assert_eq!(
        work.record.target.as_ref().unwrap().id,
        "BY-HAND",
        "{:#?}",
        world.standing().await
    );
    assert_eq!(work.record.state, State::Linked);
    let linked = world.told("record.linked").await.pop().unwrap();
    assert_eq!(facts(&linked)["target"], "BY-HAND");
    world.check().await;
}

async fn a_synced_record_that_can_no_longer_be_drafted_says_so(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    world.sites.put_order(order("10"));
    world.sync().await;
    world.advance(MINUTE);
    world.sites.change_order("10", |order| {
        order.lines[1].coding.cost_code = "99-999".into();
        order.total = 1.into();
    });
    world.sync().await;
    let work = world.order("10").await;
    assert_eq!(
        work.record.state,
        State::Succeeded,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(work.record.flags, [DIVERGED]);
    assert!(
        work.record.explanation.contains("do not add up"),
        "{}",
        work.record.explanation
    );
    world.check().await;
}
