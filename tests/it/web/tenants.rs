//! Every route of the table with another tenant's ids: answered like ids that nobody has, and without one
//! byte of the other's. A route that names something unknown to this test fails it.

use ml_connector::domain::pair::Approval;
use ml_connector::web::routes::{Door, ROUTES, Route, Verb};
use reqwest::Method;
use serde_json::json;

use super::records::{NOBODY, Travelled, text};
use crate::support::database::{TestDatabase, both};
use crate::support::http;

/// What tenant A has, by the first word of a path.
struct Known {
    ids: Vec<(&'static str, String)>,
}

impl Known {
    async fn of(road: &Travelled) -> Self {
        let first = async |path: &str| text(&road.all(path, 1).await[0]["id"]);
        let held = first("/api/v1/records?state=held").await;
        Known {
            ids: vec![
                ("tokens", first("/api/v1/tokens").await),
                ("connections", first("/api/v1/connections").await),
                ("pairs", road.road.pair.to_string()),
                ("records", held.clone()),
                ("approvals", held),
                // A session of one's own is another test's; here nobody's is as good as A's.
                ("account", NOBODY.to_owned()),
                ("runs", first("/api/v1/runs").await),
            ],
        }
    }

    /// The route's path with A's id, and with one that nobody has.
    fn paths(&self, route: &Route) -> Option<(String, String)> {
        if !route.path.contains("{id}") {
            return None;
        }
        let word = route
            .path
            .trim_start_matches("/api/v1")
            .split('/')
            .nth(1)
            .unwrap();
        let id = self.ids.iter().find(|(known, _)| *known == word);
        let (_, id) = id.unwrap_or_else(|| panic!("nothing is known of {}", route.path));
        let with = |id: &str| {
            let path = route.path.replace("{id}", id).replace("{kind}", "projects");
            assert!(!path.contains('{'), "{path}");
            path
        };
        Some((with(id), with(NOBODY)))
    }
}

/// Without what differs from request to request, and the id that was asked for.
fn plain(body: &str, request_id: &str, id: &str) -> String {
    body.replace(request_id, "REQUEST").replace(id, "ID")
}

both!(another_tenants_ids_are_nobodys);

async fn another_tenants_ids_are_nobodys(database: TestDatabase) {
    let road = Travelled::begin(database, Approval::Review).await;
    let known = Known::of(&road).await;
    let mut visitor = road.app.signed_in(&road.other).await;
    let form = visitor.get("/tokens/new").await.hidden("csrf");
    let client = http::client();
    let token = road.other.created.api_token.open().clone();
    let session = format!("mlc_session={}", visitor.cookies["mlc_session"]);
    let mut met = 0;
    for route in ROUTES {
        let Some((theirs, nobodys)) = known.paths(route) else {
            continue;
        };
        let mut answers = Vec::new();
        for path in [&theirs, &nobodys] {
            let method: Method = route.verb.as_str().parse().unwrap();
            let mut request = client.request(method, format!("{}{path}", road.app.url));
            request = match (route.door, route.verb) {
                (Door::Api, Verb::Get) => request.bearer_auth(&token),
                (Door::Api, _) => request.bearer_auth(&token).json(&body_of(route)),
                (_, Verb::Get) => request.header("cookie", &session),
                _ => request.header("cookie", &session).form(&[
                    ("csrf", form.as_str()),
                    ("reason", "x"),
                    ("target_id", "1"),
                    ("without_dry_run", "on"),
                ]),
            };
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            let request_id = answer.headers()["x-request-id"]
                .to_str()
                .unwrap()
                .to_owned();
            let id = path.split('/').find(|part| part.len() == 36).unwrap();
            let text = answer.text().await.unwrap();
            answers.push((status, plain(&text, &request_id, id)));
        }
        assert_eq!(answers[0], answers[1], "{:?} {}", route.verb, route.path);
        assert_eq!(
            answers[0].0, 404,
            "{:?} {}: {}",
            route.verb, route.path, answers[0].1
        );
        met += 1;
    }
    assert!(met > 40, "{met}");
    // Nothing of A happened.
    let trail = road.all("/api/v1/audit?action=record.rejected", 200).await;
    assert!(trail.is_empty());
    road.app.stop().await;
}

/// A body that the route would take.
fn body_of(route: &Route) -> serde_json::Value {
    match route.path {
        path if path.ends_with("/mappings/{kind}") => json!([]),
        path if path.ends_with("/activate") => json!({"without_dry_run": true}),
        path if path.ends_with("/link") => json!({"target_id": "1"}),
        _ => json!({"reason": "x", "name": "x"}),
    }
}

both!(lists_show_nothing_of_another_tenant);

async fn lists_show_nothing_of_another_tenant(database: TestDatabase) {
    let road = Travelled::begin(database, Approval::Review).await;
    let known = Known::of(&road).await;
    let pair = road.road.pair.to_string();
    let mut visitor = road.app.signed_in(&road.other).await;
    let token = road.other.created.api_token.open();
    let client = http::client();
    let marks: Vec<String> = known
        .ids
        .iter()
        .map(|(_, id)| id.clone())
        .chain([road.account.email.clone(), "Bow Valley Asphalt".to_owned()])
        .collect();
    for route in ROUTES.iter().filter(|route| route.verb == Verb::Get) {
        let is_list = !route.path.contains('{') && !route.path.ends_with("/events");
        if !is_list || route.door == Door::Open {
            continue;
        }
        // Filters by the other's ids are tried too.
        for query in [
            "",
            &format!("?pair={pair}"),
            &format!("?run={pair}&record={pair}&q=Bow"),
        ] {
            let path = format!("{}{query}", route.path);
            let text = match route.door {
                Door::Api => {
                    let asked = client
                        .get(format!("{}{path}", road.app.url))
                        .bearer_auth(token);
                    asked.send().await.unwrap().text().await.unwrap()
                }
                _ => visitor.get(&path).await.text,
            };
            for mark in &marks {
                // What was asked for may stand in the filter's own fields.
                let shown = text.replace(&pair, "");
                assert!(
                    !shown.contains(mark) || mark == &pair,
                    "{path} shows {mark}"
                );
            }
        }
    }
    road.app.stop().await;
}
