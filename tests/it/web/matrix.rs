//! The table of routes over HTTP: every role and scope gets exactly what the table says, and no route
//! shows one tenant what belongs to another.

use ml_connector::domain::member::Scope;
use ml_connector::web::routes::{Door, Needs, ROUTES, Route, Verb};
use reqwest::{Client, Method, StatusCode};

use crate::support::app::{Account, TestApp};
use crate::support::http;

/// A path of the table with ids that nobody has.
fn concrete(route: &Route) -> String {
    route
        .path
        .replace("{file:.*}", "css/foundation.css")
        .split('/')
        .map(|part| {
            if part.starts_with('{') {
                "01980000-0000-7000-8000-00000000dead"
            } else {
                part
            }
        })
        .collect::<Vec<_>>()
        .join("/")
}

fn method(route: &Route) -> Method {
    route.verb.as_str().parse().expect("a method")
}

async fn call(client: &Client, app: &TestApp, route: &Route, token: &str) -> StatusCode {
    let url = format!("{}{}", app.url, concrete(route));
    let mut request = client.request(method(route), url).bearer_auth(token);
    if route.verb.writes() {
        request = request.json(&serde_json::json!({}));
    }
    request.send().await.expect("an answer").status()
}

async fn token_with(account: &Account, scopes: &[Scope]) -> String {
    let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let body = serde_json::json!({"name": words.join(" "), "scopes": words});
    let made = account.api.post("/api/v1/tokens", body, 201).await;
    made["token"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scope_opens_what_the_table_says() {
    let app = TestApp::start().await;
    let account = app.account("Acme").await;
    let client = http::client();
    let mut seen = 0;
    for scope in Scope::ALL {
        let token = token_with(&account, &[*scope]).await;
        for route in ROUTES.iter().filter(|route| route.door == Door::Api) {
            let status = call(&client, &app, route, &token).await;
            let allowed = match route.needs {
                Needs::Nobody | Needs::Anybody => true,
                Needs::Scope(needed) => needed == *scope,
                Needs::OneOf(needed) => needed.contains(scope),
            };
            let refused = status == StatusCode::FORBIDDEN;
            assert_eq!(
                refused, !allowed,
                "{scope} {:?} {}: {status}",
                route.verb, route.path
            );
            assert!(
                status.as_u16() < 500,
                "{:?} {}: {status}",
                route.verb,
                route.path
            );
            seen += 1;
        }
    }
    assert!(seen >= 16);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_every_door_is_closed() {
    let app = TestApp::start().await;
    let client = http::client();
    for route in ROUTES {
        let url = format!("{}{}", app.url, concrete(route));
        let answer = client.request(method(route), url).send().await.unwrap();
        let status = answer.status().as_u16();
        let expected: &[u16] = match (route.door, route.needs, route.verb) {
            (Door::Open, ..) => &[200],
            (Door::Api, ..) => &[401],
            (Door::Page, Needs::Nobody, Verb::Get) => &[200],
            (Door::Page, Needs::Nobody, _) => &[403],
            (Door::Page, ..) => &[303],
        };
        assert!(
            expected.contains(&status),
            "{:?} {}: {status}",
            route.verb,
            route.path
        );
    }
    app.stop().await;
}
