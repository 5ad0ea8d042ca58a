//! Two tenants side by side whose systems hold the same ids and names: nothing of one is ever seen,
//! written or told in the other.

use std::collections::BTreeSet;
use std::time::Duration;

use ml_connector::connectors;
use ml_connector::domain::clock::Pace;
use ml_connector::domain::pair::Approval;
use ml_connector::store;
use ml_connector::store::audit::{Event, Filter, Order};
use ml_connector::web::routes::{Door, ROUTES, Route, Verb};
use reqwest::Method;
use serde_json::{Value, json};

use crate::road::setting::Setting;
use crate::support::app::{Account, TestApp, Wanted};
use crate::support::database::{TestDatabase, both};
use crate::support::http;

/// An id that nobody has.
const NOBODY: &str = "01980000-0000-7000-8000-00000000dead";

struct Tenant {
    account: Account,
    road: Setting,
}

impl Tenant {
    async fn begin(app: &TestApp, name: &str) -> Self {
        let account = app.account(name).await;
        let road = Setting::on(app.desk.clone(), app.owner(&account), Approval::Automatic).await;
        Self { account, road }
    }

    async fn travel(&self) {
        self.road.run().await;
        self.road.settle(Duration::from_secs(120)).await;
    }

    /// Every row of a list.
    async fn all(&self, path: &str) -> Vec<Value> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        loop {
            let at = format!("/api/v1/{path}?limit=200{cursor}");
            let page = self.account.api.get(&at, 200).await;
            rows.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                None => return rows,
                Some(next) => cursor = format!("&cursor={next}"),
            }
        }
    }

    async fn events(&self) -> Vec<Event> {
        let scope = self.road.scope().await;
        store::audit::list(
            &scope,
            &Filter::default(),
            Order::OldestFirst,
            None,
            100_000,
        )
        .await
        .unwrap()
    }

    /// Host and port of both systems, as they stand in every address.
    fn hosts(&self) -> [String; 2] {
        [&self.road.source, &self.road.erp].map(|system| format!("127.0.0.1:{}", system.port()))
    }

    /// An id of the tenant's own for a path of the table.
    async fn id_for(&self, path: &str) -> String {
        let kind = path
            .trim_start_matches("/api/v1")
            .split('/')
            .nth(1)
            .unwrap();
        let list = match kind {
            "approvals" => "records",
            // Sessions are listed on a page only, where the tests of the web try their ids.
            "account" => "tokens",
            kind => kind,
        };
        text(&self.all(list).await[0]["id"])
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

fn texts(rows: &[Value], pointer: &str) -> BTreeSet<String> {
    rows.iter()
        .map(|row| text(row.pointer(pointer).unwrap()))
        .collect()
}

async fn two(database: TestDatabase) -> (TestApp, Tenant, Tenant) {
    let wanted = Wanted {
        connectors: connectors::ALL,
        pace: Pace::new(60),
        ..Wanted::default()
    };
    let app = TestApp::start_on(database, wanted).await;
    let (one, two) = (
        Tenant::begin(&app, "Acme").await,
        Tenant::begin(&app, "Zenith").await,
    );
    tokio::join!(one.travel(), two.travel());
    (app, one, two)
}

both!(two_tenants_with_the_same_ids_never_meet);

async fn two_tenants_with_the_same_ids_never_meet(database: TestDatabase) {
    let (app, one, two) = two(database).await;
    for (own, other) in [(&one, &two), (&two, &one)] {
        records_and_links_are_their_own(own, other).await;
        the_trail_tells_of_nobody_else(own, other).await;
        no_call_went_to_the_others_systems(own, other).await;
        the_ledger_holds_what_its_tenant_wrote(own, other).await;
    }
    app.stop().await;
}

async fn records_and_links_are_their_own(own: &Tenant, other: &Tenant) {
    let (ours, theirs) = (own.all("records").await, other.all("records").await);
    assert!(ours.len() > 60);
    // The same at the source: what differs is whose it is.
    assert_eq!(texts(&ours, "/source/id"), texts(&theirs, "/source/id"));
    assert!(texts(&ours, "/id").is_disjoint(&texts(&theirs, "/id")));
    assert_eq!(texts(&ours, "/pair_id"), [own.road.pair.to_string()].into());
    let state = |rows: &[Value]| -> BTreeSet<String> {
        let told = rows.iter();
        told.map(|row| format!("{} {} {}", row["flow"], row["source"]["id"], row["state"]))
            .collect()
    };
    assert_eq!(
        state(&ours),
        state(&theirs),
        "neither stood in the other's way"
    );
    let links = own.all("cross-references").await;
    assert!(links.len() > 60);
    assert_eq!(
        texts(&links, "/pair_id"),
        [own.road.pair.to_string()].into()
    );
    let [_, erp] = own.hosts();
    assert!(
        texts(&links, "/scope")
            .iter()
            .all(|scope| scope.starts_with(&erp)),
        "{erp}"
    );
}

async fn the_trail_tells_of_nobody_else(own: &Tenant, other: &Tenant) {
    let events = own.events().await;
    ml_connector::audit::verify(&events, None).unwrap();
    let ours: BTreeSet<String> = texts(&own.all("records").await, "/id");
    let mut foreign: Vec<String> = texts(&other.all("records").await, "/id")
        .into_iter()
        .collect();
    for list in ["runs", "connections", "pairs", "tokens"] {
        foreign.extend(texts(&other.all(list).await, "/id"));
    }
    foreign.extend(other.hosts());
    foreign.push(other.account.created.tenant_id.to_string());
    foreign.push(other.account.created.member_id.to_string());
    for event in &events {
        if event.subject_kind == "record" {
            assert!(ours.contains(&event.subject_id), "{event:?}");
        }
        let told = format!("{event:?}");
        let found = foreign.iter().find(|word| told.contains(word.as_str()));
        assert_eq!(found, None, "{told}");
    }
}

/// What was said to vendors is kept with each record: every call names its address.
async fn no_call_went_to_the_others_systems(own: &Tenant, other: &Tenant) {
    let scope = own.road.scope().await;
    let mut calls = 0;
    for work in own.road.records().await {
        for exchanges in store::exchange::of_record(&scope, work.record.id, 100)
            .await
            .unwrap()
        {
            let content = exchanges.content.unwrap();
            calls += exchanges.calls;
            for host in other.hosts() {
                assert!(!content.contains(&host), "{host}: {content}");
            }
            assert!(
                own.hosts().iter().any(|host| content.contains(host)),
                "{content}"
            );
        }
    }
    assert!(calls > 100, "{calls}");
}

async fn the_ledger_holds_what_its_tenant_wrote(own: &Tenant, other: &Tenant) {
    let ledger = own.road.ledger_of_the_erp().await;
    let entries = ledger["data"].as_array().unwrap();
    let count = |operation: &str| {
        entries
            .iter()
            .filter(|entry| entry["operation"] == operation)
            .count()
    };
    let created = own.all("records").await;
    let created = |flow: &str| {
        let is_ours = |row: &&Value| row["flow"] == flow && row["state"] == "succeeded";
        created.iter().filter(is_ours).count()
    };
    assert_eq!(count("CRS620MI/CopyTemplate"), created("vendors"));
    assert!(created("commitments") > 10);
    let finished = count("PPS370MI/FinishEntry");
    assert_eq!(finished, created("commitments"), "one order each");
    let (ours, theirs) = (tags(&ledger), tags(&other.road.ledger_of_the_erp().await));
    assert!(ours.len() >= finished);
    assert!(ours.is_disjoint(&theirs));
}

/// Every reference of ours in a text.
fn tags(ledger: &Value) -> BTreeSet<String> {
    let text = ledger.to_string();
    let found = text.match_indices("MLC-");
    found
        .filter_map(|(at, _)| text.get(at..at + 20).map(str::to_owned))
        .collect()
}

both!(no_route_tells_another_tenants_ids_from_ids_that_nobody_has);

async fn no_route_tells_another_tenants_ids_from_ids_that_nobody_has(database: TestDatabase) {
    let (app, owner, stranger) = two(database).await;
    let before = everything(&owner).await;
    let mut tried = 0;
    for route in ROUTES.iter().filter(|route| route.path.contains("{id}")) {
        let theirs = owner.id_for(route.path).await;
        let (real, random) = match route.door {
            Door::Api => (
                called(&app, &stranger, route, &theirs).await,
                called(&app, &stranger, route, NOBODY).await,
            ),
            Door::Page if route.verb == Verb::Get => (
                opened(&app, &stranger, route, &theirs).await,
                opened(&app, &stranger, route, NOBODY).await,
            ),
            Door::Page | Door::Open => continue,
        };
        assert_eq!(real.0, 404, "{:?} {}: {}", route.verb, route.path, real.1);
        assert_eq!(real, random, "{:?} {}", route.verb, route.path);
        tried += 1;
    }
    assert!(tried > 25, "{tried}");
    ids_in_bodies_are_nobodys_too(&app, &owner, &stranger).await;
    filters_match_nothing(&owner, &stranger).await;
    assert_eq!(everything(&owner).await, before, "nothing was changed");
    app.stop().await;
}

async fn everything(tenant: &Tenant) -> Vec<Value> {
    let mut all = Vec::new();
    for list in [
        "records",
        "runs",
        "cross-references",
        "connections",
        "pairs",
        "audit",
    ] {
        all.extend(tenant.all(list).await);
    }
    all
}

fn concrete(route: &Route, id: &str) -> String {
    route.path.replace("{id}", id).replace("{kind}", "projects")
}

/// A body that says what the route wants to know.
fn body(route: &Route) -> Value {
    match route.path.rsplit('/').next().unwrap() {
        "link" => json!({"target_id": "1"}),
        "reject" => json!({"reason": "x"}),
        "activate" => json!({"without_dry_run": true}),
        "{kind}" => json!([]),
        _ => json!({}),
    }
}

async fn called(app: &TestApp, who: &Tenant, route: &Route, id: &str) -> (u16, String) {
    let method: Method = route.verb.as_str().parse().unwrap();
    let mut request = http::client()
        .request(method, format!("{}{}", app.url, concrete(route, id)))
        .bearer_auth(who.account.created.api_token.open());
    if route.verb.writes() {
        request = request.json(&body(route));
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, without_number(&answer.text().await.unwrap()))
}

async fn opened(app: &TestApp, who: &Tenant, route: &Route, id: &str) -> (u16, String) {
    let mut visitor = app.signed_in(&who.account).await;
    let page = visitor.get(&concrete(route, id)).await;
    // The page says which address it was, and every visit has a key of its own.
    let plain: Vec<&str> = page
        .text
        .split_whitespace()
        .filter(|word| !word.contains("csrf"))
        .collect();
    let plain = plain.join(" ").replace(id, "ID");
    (page.status.as_u16(), without_values(&plain))
}

/// Every request has a number of its own.
fn without_number(problem: &str) -> String {
    let mut problem: Value = serde_json::from_str(problem).unwrap();
    problem.as_object_mut().unwrap().remove("request_id");
    problem.to_string()
}

/// A page without what differs from visit to visit: ids of requests, keys of forms.
fn without_values(page: &str) -> String {
    let is_random =
        |word: &&str| word.len() < 30 || !word.bytes().any(|byte| byte.is_ascii_digit());
    let words = page.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    words.filter(is_random).collect::<Vec<_>>().join(" ")
}

async fn ids_in_bodies_are_nobodys_too(app: &TestApp, owner: &Tenant, stranger: &Tenant) {
    let connections = owner.all("connections").await;
    let of = |system: &str| {
        let found = connections.iter().find(|row| row["system"] == system);
        text(&found.unwrap()["id"])
    };
    let wish = |erp: &str, project: &str| {
        json!({"name": "Stolen", "kind": "infor_m3_procore", "erp_connection_id": erp,
            "procore_connection_id": project, "flows": {"vendors": {"enabled": true, "approval": "automatic"}}})
    };
    let post = async |body: Value| {
        let answer = http::client()
            .post(format!("{}/api/v1/pairs", app.url))
            .bearer_auth(stranger.account.created.api_token.open())
            .json(&body)
            .send()
            .await
            .unwrap();
        (
            answer.status().as_u16(),
            without_number(&answer.text().await.unwrap()),
        )
    };
    let real = post(wish(&of("infor_m3"), &of("procore"))).await;
    assert!([404, 422].contains(&real.0), "{real:?}");
    assert_eq!(real, post(wish(NOBODY, NOBODY)).await);
}

async fn filters_match_nothing(owner: &Tenant, stranger: &Tenant) {
    let (record, run) = (owner.id_for("/records").await, owner.id_for("/runs").await);
    let (pair, member) = (owner.road.pair, owner.account.created.member_id);
    for path in [
        format!("records?pair={pair}"),
        format!("records?run={run}"),
        format!("runs?pair={pair}"),
        format!("cross-references?pair={pair}"),
        format!("audit?record={record}"),
        format!("audit?actor={member}"),
    ] {
        let page = stranger
            .account
            .api
            .get(&format!("/api/v1/{path}"), 200)
            .await;
        assert_eq!(page, json!({"data": [], "next_cursor": null}), "{path}");
    }
    let wish = json!({"filter": {"pair": pair}, "action": "retry"});
    let done = stranger
        .account
        .api
        .post("/api/v1/records/bulk", wish, 202)
        .await;
    assert_eq!(done["matched"], 0);
}
