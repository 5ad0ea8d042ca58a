//! The gate: nothing leaves before a person said yes to exactly that.

use ml_connector::desk::DeskError;
use ml_connector::desk::record::Act;
use ml_connector::domain::record::State;

use super::sites::order;
use super::world::{HOUR, MINUTE, World, facts};
use crate::support::database::{TestDatabase, both};

both!(
    held_until_approved,
    an_approval_is_of_one_exact_write,
    what_was_rejected_stays_until_it_changes,
    a_held_record_whose_source_is_withdrawn_leaves_the_gate,
);

async fn held(database: &TestDatabase) -> World {
    let world = World::with_vendor(database).await;
    world.asks_for_approval().await;
    world.sites.put_order(order("10"));
    world.sync().await;
    let work = world.order("10").await;
    assert_eq!(
        work.record.state,
        State::Held,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(world.books.docs("order").len(), 0);
    world
}

fn approve(digest: Option<String>) -> Act {
    Act::Approve { digest }
}

async fn held_until_approved(database: TestDatabase) {
    let world = held(&database).await;
    world.pass(HOUR).await;
    let work = world.order("10").await;
    assert_eq!(work.record.state, State::Held);
    assert!(
        work.record.explanation.contains("350"),
        "{}",
        work.record.explanation
    );
    world
        .do_with(&work, approve(work.draft_digest.clone()))
        .await;
    let done = world.order("10").await;
    assert_eq!(
        done.record.state,
        State::Succeeded,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(world.books.docs("order").len(), 1);
    let approved = world.told("record.approved").await;
    assert_eq!(approved.len(), 1);
    let intent = world.told("write.intent").await.pop().unwrap();
    assert_eq!(facts(&approved[0])["digest"], facts(&intent)["digest"]);
    // Twice is too late.
    let again = world.act(work.record.id, approve(None)).await;
    assert!(matches!(again, Err(DeskError::NotNow { .. })), "{again:?}");
    world.check().await;
}

async fn an_approval_is_of_one_exact_write(database: TestDatabase) {
    let world = held(&database).await;
    let seen = world.order("10").await;
    world.advance(MINUTE);
    world
        .sites
        .change_order("10", |order| order.number = "PO-10-B".into());
    // Changed behind our back, and approved as it was: asked again.
    world
        .do_with(&seen, approve(seen.draft_digest.clone()))
        .await;
    let work = world.order("10").await;
    assert_eq!(
        work.record.state,
        State::Held,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(
        work.record.reason.as_deref(),
        Some("changed_since_approval")
    );
    assert_ne!(work.draft_digest, seen.draft_digest);
    assert_eq!(work.approved_digest, None);
    assert_eq!(world.books.docs("order").len(), 0);
    // The old digest is no longer current.
    let stale = world
        .act(work.record.id, approve(seen.draft_digest.clone()))
        .await;
    assert!(
        matches!(stale, Err(DeskError::NotNow { code: "digest", .. })),
        "{stale:?}"
    );
    assert_eq!(world.order("10").await.record.state, State::Held);
    // A change that a listing shows is asked about again as well.
    world.advance(MINUTE);
    world
        .sites
        .change_order("10", |order| order.number = "PO-10-C".into());
    world.sync().await;
    let newest = world.order("10").await;
    assert_eq!(newest.record.state, State::Held);
    assert_ne!(newest.draft_digest, work.draft_digest);
    world.do_with(&newest, approve(None)).await;
    assert_eq!(world.order("10").await.record.state, State::Succeeded);
    assert_eq!(world.books.docs("order")[0].content["number"], "PO-10-C");
    world.check().await;
}

async fn what_was_rejected_stays_until_it_changes(database: TestDatabase) {
    let world = held(&database).await;
    let work = world.order("10").await;
    let reason = "wrong vendor".to_owned();
    world.do_with(&work, Act::Reject { reason }).await;
    world.sync().await;
    let work = world.order("10").await;
    assert_eq!(work.record.state, State::Failed);
    assert!(work.record.explanation.contains("wrong vendor"));
    assert_eq!(world.told("record.rejected").await.len(), 1);
    world.advance(MINUTE);
    world
        .sites
        .change_order("10", |order| order.number = "PO-10-B".into());
    world.sync().await;
    assert_eq!(world.order("10").await.record.state, State::Held);
    assert_eq!(world.books.docs("order").len(), 0);
    world.check().await;
}

async fn a_held_record_whose_source_is_withdrawn_leaves_the_gate(database: TestDatabase) {
    let world = held(&database).await;
    world.advance(MINUTE);
    world
        .sites
        .change_order("10", |order| order.status = "Void".into());
    world.sync().await;
    let work = world.order("10").await;
    assert_eq!(
        work.record.state,
        State::Ignored,
        "{:#?}",
        world.standing().await
    );
    assert_eq!(work.record.reason.as_deref(), Some("status_not_selected"));
    let refused = world.act(work.record.id, approve(None)).await;
    assert!(
        matches!(refused, Err(DeskError::NotNow { .. })),
        "{refused:?}"
    );
    // Gone between the look and the approval.
    world.advance(MINUTE);
    world
        .sites
        .change_order("10", |order| order.status = "Approved".into());
    world.sync().await;
    let work = world.order("10").await;
    assert_eq!(work.record.state, State::Held);
    world.sites.remove_order("10");
    world.do_with(&work, approve(None)).await;
    assert_eq!(world.order("10").await.record.state, State::Ignored);
    assert_eq!(world.books.docs("order").len(), 0);
    world.check().await;
}
