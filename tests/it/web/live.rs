//! Live pages hear that something changed, and nothing more.

use std::time::Duration;

use futures::StreamExt;
use ml_connector::domain::clock::Pace;
use ml_connector::domain::pair::Approval;
use serde_json::json;

use super::records::{Travelled, text};
use crate::support::app::{TestApp, Wanted};
use crate::support::database::{Engine, TestDatabase};
use crate::support::http;

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_says_changed_when_the_record_does() {
    let database = TestDatabase::empty(Engine::Sqlite, "live").await;
    let road = Travelled::begin(database, Approval::Review).await;
    let held = road.in_state("commitments", "held").await;
    let record = &held[0];
    let path = format!("/records/{}/events", text(&record["id"]));

    let visitor = road.app.signed_in(&road.account).await;
    let cookie = format!("mlc_session={}", visitor.cookies["mlc_session"]);
    let answer = http::client()
        .get(format!("{}{path}", road.app.url))
        .header("cookie", cookie)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let mut events = answer.bytes_stream();
    let first = events.next().await.unwrap().unwrap();
    assert!(first.starts_with(b":"), "a comment opens the stream");

    road.act(record, "reject", json!({"reason": "no"}), 200)
        .await;
    let next = tokio::time::timeout(Duration::from_secs(10), events.next()).await;
    let said = next.expect("it is said soon").unwrap().unwrap();
    assert_eq!(said, "event: changed\ndata: changed\n\n");
    drop(events);

    let mut other = road.app.signed_in(&road.other).await;
    assert_eq!(other.get(&path).await.status, 404);
    road.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_session() {
    // Half a minute is half a second here.
    let wanted = Wanted {
        pace: Pace::new(60),
        ..Wanted::default()
    };
    let app = TestApp::start_as(wanted).await;
    let account = app.account("Acme").await;
    let (mut leaves, stays) = (app.signed_in(&account).await, app.signed_in(&account).await);
    let mut streams = Vec::new();
    for visitor in [&leaves, &stays] {
        let answer = http::client()
            .get(format!("{}/dashboard/events", app.url))
            .header(
                "cookie",
                format!("mlc_session={}", visitor.cookies["mlc_session"]),
            )
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let mut events = answer.bytes_stream();
        assert!(events.next().await.unwrap().unwrap().starts_with(b":"));
        streams.push(events);
    }
    let left = leaves.submit("/dashboard", "/sign-out", &[]).await;
    assert_eq!(left.status, 303);
    let mut ends = async |at: usize| loop {
        let patience = Duration::from_secs(9);
        match tokio::time::timeout(patience, streams[at].next()).await {
            // What the sign-out itself changed.
            Ok(Some(Ok(_))) => {}
            Ok(None) => return true,
            Ok(Some(Err(error))) => panic!("{error}"),
            Err(_) => return false,
        }
    };
    assert!(ends(0).await, "who has signed out hears nothing more");
    assert!(!ends(1).await, "the other browser still listens");
    app.stop().await;
}
