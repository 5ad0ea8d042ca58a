//! The API's own manners: tokens, pages, problems, keys against doing things twice.

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
