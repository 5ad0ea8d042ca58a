//! The API's own manners: tokens, pages, problems, keys against doing things twice.

use std::time::Duration;

use ml_connector::desk::{replay, token};
use ml_connector::domain::clock::{Clock, Timestamp};
use ml_connector::domain::member::{Caller, Origin, Scope};
use ml_connector::domain::tag::digest;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::support::app::{TestApp, Wanted};
use crate::support::database::{TestDatabase, both};
use crate::support::http;

both!(tokens_are_made_listed_and_revoked);

async fn tokens_are_made_listed_and_revoked(database: TestDatabase) {
    let app = TestApp::start_on(database, Wanted::default()).await;
    let account = app.account("Acme").await;
    let me = account.api.get("/api/v1/me", 200).await;
    assert_eq!(me["tenant"]["name"], "Acme");
    assert_eq!(me["scopes"], json!(["read", "operate", "approve", "admin"]));

    let body = json!({"name": "nightly", "scopes": ["read"], "expires_in_days": 30,
        "tenant_id": "0", "id": "x", "role": "owner"});
    let made = account.api.post("/api/v1/tokens", body, 201).await;
    let text = made["token"].as_str().unwrap();
    assert!(text.starts_with("mlc_"));
    let reader = app.api().with_token(text);
    assert_eq!(
        reader.get("/api/v1/me", 200).await["scopes"],
        json!(["read"])
    );
    let refused = reader.get("/api/v1/tokens", 403).await;
    assert_eq!(refused["status"], 403);

    let list = account.api.get("/api/v1/tokens", 200).await;
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
    assert_eq!(list["data"][0]["name"], "nightly");
    assert!(!list.to_string().contains(text));
    let first = account.api.get("/api/v1/tokens?limit=1", 200).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = account
        .api
        .get(&format!("/api/v1/tokens?limit=1&cursor={cursor}"), 200)
        .await;
    assert_ne!(first["data"][0]["id"], second["data"][0]["id"]);
    assert_eq!(second["next_cursor"], Value::Null);

    let path = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
    account.api.delete(&path, 204).await;
    account.api.delete(&path, 404).await;
    reader.get("/api/v1/me", 401).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_gives_no_more_than_its_maker_has() {
    let app = TestApp::start().await;
    let account = app.account("Acme").await;
    let admin = json!({"name": "a", "scopes": ["read", "admin"]});
    let made = account.api.post("/api/v1/tokens", admin, 201).await;
    let weaker = app.api().with_token(made["token"].as_str().unwrap());
    let body = json!({"name": "b", "scopes": ["read", "approve"]});
    let refused = weaker.post("/api/v1/tokens", body, 422).await;
    assert_eq!(refused["errors"][0]["pointer"], "/scopes");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_fields_are_told_with_pointers() {
    let app = TestApp::start().await;
    let account = app.account("Acme").await;
    let body = json!({"name": [], "scopes": "read", "expires_in_days": "soon"});
    let refused = account.api.post("/api/v1/tokens", body, 422).await;
    let pointers: Vec<&str> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers, ["/name", "/scopes", "/expires_in_days"]);
    for query in [
        "limit=0",
        "limit=999",
        "limit=x",
        "cursor=%2F%2F",
        "cursor=YWJj",
    ] {
        account
            .api
            .get(&format!("/api/v1/tokens?{query}"), 422)
            .await;
    }
    account.api.get("/api/v1/tokens?limit=%00", 400).await;
    for bad in ["", "mlc_", "mlc_x", "Bearer"] {
        app.api().with_token(bad).get("/api/v1/me", 401).await;
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_json_object_is_refused() {
    let app = TestApp::start().await;
    let account = app.account("Acme").await;
    for (kind, body, status) in [
        ("application/json", "{", 400),
        ("application/json", "[]", 400),
        ("application/json", "{\"name\":\"a\\u0000b\"}", 422),
        ("text/plain", "{}", 415),
        ("application/x-www-form-urlencoded", "name=x", 415),
        ("application/json; charset=utf-8", "{}", 422),
    ] {
        let answer = http::client()
            .post(format!("{}/api/v1/tokens", app.url))
            .bearer_auth(account.created.api_token.open())
            .header(CONTENT_TYPE, kind)
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), status, "{kind} {body}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn doors_do_not_take_each_others_keys() {
    let app = TestApp::start().await;
    let account = app.account("Acme").await;
    let mut visitor = app.signed_in(&account).await;
    assert_eq!(visitor.get("/api/v1/me").await.status, 401);
    let bearer = format!("Bearer {}", account.created.api_token.open());
    let mut program = app.visitor();
    program.headers.push(("authorization", bearer));
    assert_eq!(program.get("/dashboard").await.status, 303);
    app.stop().await;
}

both!(a_key_makes_a_post_happen_once);

async fn a_key_makes_a_post_happen_once(database: TestDatabase) {
    let app = TestApp::start_on(database, Wanted::default()).await;
    let account = app.account("Acme").await;
    let other = app.account("Other").await;
    let post = async |who: &crate::support::app::Account, key: &str, body: Value| {
        let answer = http::client()
            .post(format!("{}/api/v1/tokens", app.url))
            .bearer_auth(who.created.api_token.open())
            .header("Idempotency-Key", key)
            .json(&body)
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap())
    };
    let body = json!({"name": "once", "scopes": ["read"]});
    let (status, first) = post(&account, "k1", body.clone()).await;
    assert_eq!(status, 201);
    assert!(first["token"].is_string());
    let (status, again) = post(&account, "k1", body.clone()).await;
    assert_eq!(status, 201);
    assert_eq!(again["id"], first["id"]);
    assert!(again["token"].is_null(), "a replay shows no secret");
    let different = json!({"name": "twice", "scopes": ["read"]});
    assert_eq!(post(&account, "k1", different).await.0, 422);
    // A refused request frees its key.
    assert_eq!(post(&account, "k2", json!({})).await.0, 422);
    assert_eq!(post(&account, "k2", body.clone()).await.0, 201);
    assert_eq!(post(&account, &"k".repeat(256), body.clone()).await.0, 422);
    // Another tenant's key is another key.
    assert_eq!(post(&other, "k1", body).await.0, 201);
    let list = account.api.get("/api/v1/tokens", 200).await;
    assert_eq!(list["data"].as_array().unwrap().len(), 3);
    app.stop().await;
}

both!(a_post_that_was_cut_off_is_found_or_carried_out_once);

/// A request that held its key and died: after its act was committed, or before.
async fn cut_off(
    app: &TestApp,
    bearer: &str,
    key: &str,
    commits: bool,
    body: &Value,
) -> Option<String> {
    let caller = token::caller(&app.desk, bearer).await.unwrap().unwrap();
    let origin = Origin {
        source: "127.0.0.1".into(),
        request_id: format!("request-of-{key}"),
    };
    let caller = Caller {
        actor: caller.actor.clone().with_origin(origin),
        ..caller
    };
    let sent = [
        b"POST /api/v1/tokens\0".as_slice(),
        body.to_string().as_bytes(),
    ]
    .concat();
    let sent = digest(&sent);
    let claim = replay::claim(
        &app.desk,
        &caller,
        (key, &sent),
        (Duration::from_secs(3600), Timestamp::default()),
    );
    assert_eq!(claim.await.unwrap(), replay::Replay::New);
    if !commits {
        return None;
    }
    let new = token::NewToken {
        name: "once".into(),
        scopes: vec![Scope::Read],
        expires_in_days: None,
    };
    let made = token::create(&app.desk, &caller, new).await.unwrap();
    Some(made.token.id.to_string())
}

async fn a_post_that_was_cut_off_is_found_or_carried_out_once(database: TestDatabase) {
    let wanted = Wanted {
        clock: Clock::by_hand("2026-11-24T09:00:00Z".parse().unwrap()),
        ..Wanted::default()
    };
    let app = TestApp::start_on(database, wanted).await;
    let account = app.account("Acme").await;
    let bearer = account.created.api_token.open();
    let body = json!({"name": "once", "scopes": ["read"]});
    let post = async |key: &str| {
        let answer = http::client()
            .post(format!("{}/api/v1/tokens", app.url))
            .bearer_auth(bearer)
            .header("Idempotency-Key", key)
            .header("Content-Type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap())
    };
    let made = cut_off(&app, bearer, "after", true, &body).await.unwrap();
    cut_off(&app, bearer, "before", false, &body).await;
    app.clock.advance(Duration::from_secs(5));
    for key in ["after", "before"] {
        assert_eq!(post(key).await.0, 409, "it may still be at it");
    }
    app.clock.advance(Duration::from_secs(60));
    for _ in 0..2 {
        let (status, found) = post("after").await;
        assert_eq!((status, &found["id"]), (201, &json!(made)), "{found}");
        assert!(found["token"].is_null(), "shown once, and that was then");
    }
    let (status, first) = post("before").await;
    assert_eq!(status, 201);
    assert!(
        first["token"].is_string(),
        "nothing was made, so it is carried out"
    );
    assert_eq!(post("before").await.1["id"], first["id"]);
    let list = account.api.get("/api/v1/tokens", 200).await;
    assert_eq!(
        list["data"].as_array().unwrap().len(),
        3,
        "and the account's own"
    );
    app.stop().await;
}
