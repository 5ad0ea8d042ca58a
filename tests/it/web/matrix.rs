//! The table of routes over HTTP: every role and scope gets exactly what the table says, and no route
//! shows one tenant what belongs to another.

use ml_connector::domain::ids::MemberId;
use ml_connector::domain::member::{Role, Scope};
use ml_connector::store::StoreError;
use ml_connector::store::member::{self, NewMember};
use ml_connector::vault::password;
use ml_connector::web::routes::{Door, Needs, ROUTES, Route, Verb};
use reqwest::{Client, Method, StatusCode};

use crate::support::app::{Account, PASSWORD, TestApp};
use crate::support::http;
use crate::support::site::Visitor;

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

/// Somebody of this role in the tenant, signed in.
async fn member(app: &TestApp, account: &Account, role: Role) -> Visitor {
    let email = format!("{role}@example.com");
    let new = NewMember {
        id: MemberId::generate(),
        email: email.clone(),
        name: role.to_string(),
        role,
        password_hash: password::hash(PASSWORD).expect("a hash"),
    };
    let owner = app.owner(account);
    app.desk
        .store()
        .write(owner.tenant_id, &owner.actor, move |scope| {
            Box::pin(async move {
                member::add(scope, &new).await?;
                Ok::<_, StoreError>(())
            })
        })
        .await
        .expect("a member can be added");
    let mut visitor = app.visitor();
    visitor.sign_in(&email, PASSWORD).await;
    visitor
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_may_what_the_table_says() {
    let app = TestApp::start().await;
    let account = app.account("Acme").await;
    for role in Role::ALL {
        let mut visitor = member(&app, &account, *role).await;
        let form = visitor.get("/dashboard").await.hidden("csrf");
        let pages = ROUTES.iter().filter(|route| route.door == Door::Page);
        // Signing out ends the test's own session; a stream does not end by itself.
        let others = ["/sign-out", "/sign-in", "/runs/events", "/dashboard/events"];
        for route in pages.filter(|route| !others.contains(&route.path)) {
            let path = concrete(route);
            let page = match route.verb {
                Verb::Get => visitor.get(&path).await,
                _ => visitor.post_bare(&path, &[("csrf", &form)]).await,
            };
            let allowed = match route.needs {
                Needs::Nobody | Needs::Anybody => true,
                Needs::Scope(needed) => role.scopes().contains(&needed),
                Needs::OneOf(needed) => needed.iter().any(|one| role.scopes().contains(one)),
            };
            let refused = page.status == StatusCode::FORBIDDEN;
            assert_eq!(
                refused, !allowed,
                "{role} {:?} {}: {}",
                route.verb, route.path, page.status
            );
            assert!(
                page.status.as_u16() < 500,
                "{:?} {}",
                route.verb,
                route.path
            );
        }
    }
    // A role that is taken away is gone with the next request: scopes are looked up, not remembered.
    let trail = account
        .api
        .get("/api/v1/audit?action=access.refused", 200)
        .await;
    assert!(!trail["data"].as_array().unwrap().is_empty());
    app.stop().await;
}
