//! Connections, pairs and mappings as a program meets them: over HTTP, on both engines, with systems that
//! are fakes.

use std::sync::Arc;
use std::time::Duration;

use ml_connector::domain::clock::Clock;
use ml_connector::engine::verify::verify_due;
use ml_connector::store;
use serde_json::{Value, json};

use super::fake::{CONNECTORS, Door, FakeNetwork, Mood};
use super::start;
use crate::support::app::{Account, TestApp, Wanted};
use crate::support::database::{TestDatabase, both};

both!(
    a_connection_is_made_tested_changed_and_removed,
    every_wrong_field_of_a_connection_has_its_pointer,
    another_host_forgets_the_secrets,
    a_pair_is_made_blocked_activated_and_paused,
    every_wrong_field_of_a_pair_has_its_pointer,
    settings_of_a_pair_are_merged_and_shown,
    one_project_moves_money_in_one_pair,
    a_mapping_is_replaced_whole_or_not_at_all,
    rows_are_looked_up_as_due_work,
    a_row_of_vendors_is_a_link,
    another_tenant_meets_nothing,
);

struct Bed {
    app: TestApp,
    network: Arc<FakeNetwork>,
    account: Account,
}

impl Bed {
    async fn on(database: TestDatabase) -> Self {
        let network = FakeNetwork::new();
        let wanted = Wanted {
            clock: Clock::by_hand(start()),
            connectors: CONNECTORS,
            network: Some(Arc::new(Door(Arc::clone(&network)))),
            ..Wanted::default()
        };
        let app = TestApp::start_on(database, wanted).await;
        let account = app.account("Acme").await;
        Bed {
            app,
            network,
            account,
        }
    }

    async fn get(&self, path: &str) -> Value {
        self.account.api.get(&at(path), 200).await
    }

    async fn post(&self, path: &str, body: Value, expected: u16) -> Value {
        self.account.api.post(&at(path), body, expected).await
    }

    async fn patch(&self, path: &str, body: Value, expected: u16) -> Value {
        self.account.api.patch(&at(path), body, expected).await
    }

    async fn put(&self, path: &str, body: Value, expected: u16) -> Value {
        self.account.api.put(&at(path), body, expected).await
    }

    async fn delete(&self, path: &str, expected: u16) -> Value {
        self.account.api.delete(&at(path), expected).await
    }

    /// A connection that was tested.
    async fn connected(&self, system: &str) -> String {
        let made = self.post("connections", connection(system), 201).await;
        let id = made["id"].as_str().unwrap().to_owned();
        let ping = self
            .post(&format!("connections/{id}/ping"), json!({}), 200)
            .await;
        assert_eq!(ping["ok"], true, "{ping}");
        id
    }

    /// A pair whose both connections were tested.
    async fn pair(&self, name: &str) -> String {
        let (erp, project) = (
            self.connected("infor_m3").await,
            self.connected("procore").await,
        );
        self.pair_of(name, &erp, &project).await
    }

    async fn pair_of(&self, name: &str, erp: &str, project: &str) -> String {
        let made = self.post("pairs", pair(name, erp, project), 201).await;
        made["id"].as_str().unwrap().to_owned()
    }

    async fn map_projects(&self, pair: &str, projects: &[&str], expected: u16) -> Value {
        let rows: Vec<Value> = projects
            .iter()
            .map(|id| json!({"procore": {"project_id": id}, "erp": {"project": "P1"}}))
            .collect();
        self.put(
            &format!("pairs/{pair}/mappings/projects"),
            json!(rows),
            expected,
        )
        .await
    }
}

fn at(path: &str) -> String {
    format!("/api/v1/{path}")
}

fn connection(system: &str) -> Value {
    json!({
        "system": system,
        "name": format!("Our {system}"),
        "environment": "sandbox",
        "settings": {"address": "https://api.example", "company_id": 4280001, "cono": "100"},
        "credentials": {"client_secret": "canary-9917"},
    })
}

fn pair(name: &str, erp: &str, project: &str) -> Value {
    json!({
        "name": name,
        "kind": "infor_m3_procore",
        "erp_connection_id": erp,
        "procore_connection_id": project,
        "flows": {"vendors": {"enabled": true, "approval": "automatic"},
                  "commitments": {"enabled": true, "approval": "review"}},
        "projects": {"include": "all"},
        "schedule": {"every_minutes": 15,
            "business_hours": {"days": ["mon","tue","wed","thu","fri"], "from": "07:00", "to": "19:00"},
            "time_zone": "America/Chicago", "holidays": ["2026-12-25"]},
        "start_date": "2026-11-01",
        "policies": {"statuses": {"commitments": ["Approved"], "invoices": ["Approved", "Approved As Noted"]},
            "po_number": "erp", "closed_period": "hold", "zero_invoice": "skip", "over_billing": "warn",
            "tax_on_retainage": "gross", "write_origin_id": false, "four_eyes": false, "orphans": "mark"},
    })
}

fn pointers(problem: &Value) -> Vec<String> {
    let errors = problem["errors"].as_array().unwrap().iter();
    errors
        .map(|error| error["pointer"].as_str().unwrap().to_owned())
        .collect()
}

fn codes(blockers: &Value) -> Vec<&str> {
    let blockers = blockers.as_array().unwrap().iter();
    blockers.map(|one| one["code"].as_str().unwrap()).collect()
}

async fn a_connection_is_made_tested_changed_and_removed(database: TestDatabase) {
    let bed = Bed::on(database).await;
    let made = bed.post("connections", connection("procore"), 201).await;
    let path = format!("connections/{}", made["id"].as_str().unwrap());
    assert_eq!(made["settings"]["company_id"], "4280001");
    assert_eq!(made["credentials"]["client_secret"]["set"], true);
    assert_eq!(made["last_ping"], Value::Null);
    assert!(!made.to_string().contains("canary"));

    let ping = bed.post(&format!("{path}/ping"), json!({}), 200).await;
    assert_eq!(ping["ok"], true);
    let names: Vec<&str> = ping["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["address", "tls", "token", "company", "permission:flows"]
    );
    assert!(ping["steps"][0]["hint"].is_null() && ping["steps"][0]["ms"].is_u64());
    assert_eq!(bed.get(&path).await["last_ping"], ping);

    // A name alone leaves everything that was found as it is.
    let renamed = bed
        .patch(&path, json!({"name": " Head office "}), 200)
        .await;
    assert_eq!(renamed["name"], "Head office");
    assert_eq!(renamed["last_ping"], ping);
    let changed = bed
        .patch(
            &path,
            json!({"settings": {"lead_days": "21", "company_id": null,
            "programs": {"A": "B"}, "eager": true}}),
            200,
        )
        .await;
    let settings = &changed["settings"];
    assert_eq!(settings["lead_days"], 21);
    assert_eq!(settings["company_id"], Value::Null);
    assert_eq!(settings["programs"], json!({"A": "B"}));
    assert_eq!(settings["eager"], true);
    assert_eq!(changed["last_ping"], Value::Null, "it counts as untested");
    assert_eq!(changed["credentials"], made["credentials"]);

    // A secret is replaced, and the next log-in uses the new one.
    let body = json!({"credentials": {"client_secret": "second-2231", "file": "from-file"}});
    let replaced = bed.patch(&path, body, 200).await;
    assert_eq!(replaced["settings"]["from_file"], "from-file");
    // What is shown may be sent back.
    bed.patch(
        &path,
        json!({"settings": replaced["settings"], "system": "procore"}),
        200,
    )
    .await;
    bed.post(&format!("{path}/ping"), json!({}), 200).await;
    let (_, sent) = bed.network.sent.lock().unwrap().last().unwrap().clone();
    assert_eq!(sent[0].1, "second-2231");

    bed.network.is(Mood::Refuses);
    bed.patch(
        &path,
        json!({"credentials": {"client_secret": "wrong"}}),
        200,
    )
    .await;
    let refused = bed.post(&format!("{path}/ping"), json!({}), 200).await;
    assert_eq!(refused["ok"], false);
    assert!(refused["steps"][2]["hint"].as_str().unwrap().len() > 20);
    let shown = bed.get(&path).await;
    assert_eq!(shown["log_in_fault"]["code"], "invalid_client");

    let list = bed.get("connections?limit=1").await;
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    bed.delete(&path, 204).await;
    bed.delete(&path, 404).await;
    bed.account.api.get(&at(&path), 404).await;
    assert_eq!(bed.get("connections").await["data"], json!([]));
    bed.app.stop().await;
}

async fn every_wrong_field_of_a_connection_has_its_pointer(database: TestDatabase) {
    let bed = Bed::on(database).await;
    let with = |pointer: &str, value: Value| {
        let mut body = connection("procore");
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let add = |group: &str, name: &str, value: Value| {
        let mut body = connection("procore");
        body[group][name] = value;
        body
    };
    for (body, want) in [
        (json!({}), "/system"),
        (with("/system", json!("sap")), "/system"),
        (with("/name", json!("")), "/name"),
        (with("/name", json!("x".repeat(121))), "/name"),
        (with("/environment", json!("test")), "/environment"),
        (with("/settings", json!([])), "/settings"),
        (with("/settings/address", json!("")), "/settings/address"),
        (
            with("/settings/address", json!("http://169.254.169.254")),
            "/settings/address",
        ),
        (
            with("/settings/address", json!("https://evil.test")),
            "/settings/address",
        ),
        (
            add("settings", "lead_days", json!(731)),
            "/settings/lead_days",
        ),
        (
            add("settings", "exports", json!("maybe")),
            "/settings/exports",
        ),
        (
            add("settings", "tenant_id", json!("x")),
            "/settings/tenant_id",
        ),
        (
            add("settings", "from_file", json!("x")),
            "/settings/from_file",
        ),
        (
            with("/credentials", json!({})),
            "/credentials/client_secret",
        ),
        (
            with("/credentials/client_secret", json!(" ")),
            "/credentials/client_secret",
        ),
        (
            add("credentials", "password", json!("x")),
            "/credentials/password",
        ),
        (
            add("credentials", "file", json!("broken")),
            "/credentials/file",
        ),
        (
            add("credentials", "file", json!({"ti": "A"})),
            "/credentials/file",
        ),
        (
            add("credentials", "file", json!("x".repeat(70_000))),
            "/credentials/file",
        ),
    ] {
        let problem = bed.post("connections", body.clone(), 422).await;
        assert_eq!(pointers(&problem), [want], "{body}");
    }
    let mut many = connection("procore");
    many["name"] = json!("");
    many["settings"] = json!({"lead_days": "x"});
    many["credentials"] = json!({});
    let problem = bed.post("connections", many, 422).await;
    assert_eq!(
        pointers(&problem),
        [
            "/name",
            "/settings/lead_days",
            "/settings/address",
            "/credentials/client_secret"
        ]
    );
    assert_eq!(bed.get("connections").await["data"], json!([]));
    // Another system is another connection.
    let made = bed.post("connections", connection("procore"), 201).await;
    let path = format!("connections/{}", made["id"].as_str().unwrap());
    let problem = bed.patch(&path, json!({"system": "infor_m3"}), 422).await;
    assert_eq!(pointers(&problem), ["/system"]);
    bed.app.stop().await;
}

async fn another_host_forgets_the_secrets(database: TestDatabase) {
    let bed = Bed::on(database).await;
    let id = bed.connected("procore").await;
    let path = format!("connections/{id}");
    let body = json!({"settings": {"address": "https://api.example/v2"}});
    let same_host = bed.patch(&path, body, 200).await;
    assert_eq!(same_host["credentials"]["client_secret"]["set"], true);

    let body = json!({"settings": {"address": "https://other.example"}});
    let moved = bed.patch(&path, body, 200).await;
    assert_eq!(moved["credentials"], json!({}));
    let before = bed.network.sent.lock().unwrap().len();
    let ping = bed.post(&format!("{path}/ping"), json!({}), 200).await;
    assert_eq!(ping["ok"], false);
    assert_eq!(ping["steps"][2]["name"], "token");
    assert_eq!(
        bed.network.sent.lock().unwrap().len(),
        before,
        "nothing was sent"
    );

    let body = json!({"settings": {"address": "https://third.example"},
        "credentials": {"client_secret": "for-the-third"}});
    bed.patch(&path, body, 200).await;
    bed.app.clock.advance(Duration::from_secs(10));
    bed.post(&format!("{path}/ping"), json!({}), 200).await;
    let sent = bed.network.sent.lock().unwrap().clone();
    for (host, form) in sent {
        let secret = &form[0].1;
        let expected = if host == "third.example" {
            "for-the-third"
        } else {
            "canary-9917"
        };
        assert_eq!(secret, expected, "{host}");
    }
    bed.app.stop().await;
}

async fn a_pair_is_made_blocked_activated_and_paused(database: TestDatabase) {
    let bed = Bed::on(database).await;
    let (erp, project) = (connection("infor_m3"), connection("procore"));
    let erp = bed.post("connections", erp, 201).await["id"].clone();
    let project = bed.post("connections", project, 201).await["id"].clone();
    let (erp, project) = (erp.as_str().unwrap(), project.as_str().unwrap());
    let id = bed.pair_of("Main", erp, project).await;
    let path = format!("pairs/{id}");
    let draft = bed.get(&path).await;
    assert_eq!(draft["status"], "draft");
    assert_eq!(draft["procore_connection_id"], project);
    assert_eq!(draft["work"]["pending"], 0);
    let want = [
        "connection_not_tested",
        "connection_not_tested",
        "no_project",
        "no_dry_run",
    ];
    assert_eq!(codes(&draft["blockers"]), want);
    assert_eq!(draft["blockers"][0]["subject"], project);

    let refused = bed.post(&format!("{path}/activate"), json!({}), 409).await;
    assert_eq!(refused["blockers"], draft["blockers"]);
    bed.post(&format!("{path}/pause"), json!({}), 409).await;
    bed.delete(&format!("connections/{erp}"), 409).await;

    for connection in [erp, project] {
        bed.post(&format!("connections/{connection}/ping"), json!({}), 200)
            .await;
    }
    bed.map_projects(&id, &["7"], 200).await;
    let waive = json!({"without_dry_run": true});
    let insists = json!({"without_dry_run": false});
    let refused = bed.post(&format!("{path}/activate"), insists, 409).await;
    assert_eq!(codes(&refused["blockers"]), ["no_dry_run"]);
    let active = bed
        .post(&format!("{path}/activate"), waive.clone(), 200)
        .await;
    assert_eq!(active["status"], "active");
    assert_eq!(active["blockers"], json!([]));
    // Tuesday, 3 in the morning in Chicago: the doors open at 7.
    assert_eq!(active["next_run_at"], "2026-11-24T13:00:00Z");
    assert_eq!(
        codes(&active["warnings"]),
        ["unmapped_codes", "unmapped_codes"],
        "cost codes and items"
    );
    bed.post(&format!("{path}/activate"), waive, 409).await;
    bed.delete(&path, 409).await;
    let body = json!({"environment": "production"});
    bed.patch(&format!("connections/{erp}"), body, 409).await;
    let scope = bed
        .app
        .desk
        .store()
        .read(bed.account.created.tenant_id)
        .await
        .unwrap();
    let run = store::run::open_of_pair(&scope, id.parse().unwrap()).await;
    assert!(run.unwrap().is_some(), "the first run is open");
    drop(scope);

    let paused = bed.post(&format!("{path}/pause"), json!({}), 200).await;
    assert_eq!(paused["status"], "paused");
    assert_eq!(paused["next_run_at"], Value::Null);
    bed.delete(&path, 204).await;
    bed.account.api.get(&at(&path), 404).await;
    bed.delete(&format!("connections/{erp}"), 204).await;
    bed.app.stop().await;
}

async fn every_wrong_field_of_a_pair_has_its_pointer(database: TestDatabase) {
    let bed = Bed::on(database).await;
    let (erp, project) = (
        bed.connected("infor_m3").await,
        bed.connected("procore").await,
    );
    let with = |pointer: &str, value: Value| {
        let mut body = pair("Main", &erp, &project);
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value;
        body
    };
    for (pointer, value) in [
        ("/name", json!(null)),
        ("/name", json!("")),
        ("/kind", json!("sap_procore")),
        ("/erp_connection_id", json!("")),
        ("/procore_connection_id", json!("7")),
        ("/flows", json!([])),
        ("/flows/invoices", json!({"enabled": true})),
        ("/flows/vendors", json!(true)),
        ("/flows/vendors/enabled", json!("perhaps")),
        ("/flows/vendors/approval", json!("sometimes")),
        ("/flows/vendors/speed", json!(1)),
        ("/projects", json!("7")),
        ("/projects/include", json!("some")),
        ("/projects/include", json!([{}])),
        ("/projects/exclude", json!([])),
        ("/schedule/every_minutes", json!(0)),
        ("/schedule/every_minutes", json!(1441)),
        ("/schedule/every_minutes", json!("soon")),
        ("/schedule/time_zone", json!("Mars/Olympus")),
        ("/schedule/business_hours/days", json!(["noon"])),
        ("/schedule/business_hours/from", json!("7")),
        ("/schedule/business_hours/to", json!("06:00")),
        ("/schedule/business_hours/lunch", json!("12:00")),
        ("/schedule/holidays", json!(["2026-02-30"])),
        ("/schedule/cron", json!("* * * * *")),
        ("/start_date", json!("01.11.2026")),
        ("/start_date", json!("2026-W44-1")),
        ("/policies", json!("none")),
        ("/policies/po_number", json!("procore")),
        ("/policies/four_eyes", json!("perhaps")),
        ("/policies/closed_through", json!("yesterday")),
        ("/policies/batch_patience_minutes", json!(0)),
        ("/policies/colour", json!("red")),
        ("/policies/statuses/commitments", json!([])),
        ("/policies/statuses/commitments", json!("Approved")),
    ] {
        let problem = bed.post("pairs", with(pointer, value.clone()), 422).await;
        assert_eq!(pointers(&problem), [pointer], "{value}");
    }
    let nested = with("/policies/cost_codes", json!({"create_in": "m3"}));
    let problem = bed.post("pairs", nested, 422).await;
    assert_eq!(pointers(&problem), ["/policies/cost_codes/create_in"]);

    // Sides that stand on the wrong foot.
    let problem = bed.post("pairs", pair("Main", &project, &erp), 422).await;
    assert_eq!(
        pointers(&problem),
        ["/erp_connection_id", "/procore_connection_id"]
    );
    let nobody = "01980000-0000-7000-8000-00000000dead";
    bed.post("pairs", pair("Main", nobody, &project), 404).await;

    // Sandbox and production meet only when somebody says so.
    let body = json!({"environment": "production"});
    bed.patch(&format!("connections/{erp}"), body, 200).await;
    let problem = bed.post("pairs", pair("Main", &erp, &project), 422).await;
    assert_eq!(pointers(&problem), ["/policies/mixed_environments"]);
    bed.post(
        "pairs",
        with("/policies/mixed_environments", json!(true)),
        201,
    )
    .await;
    assert_eq!(bed.get("pairs").await["data"].as_array().unwrap().len(), 1);
    bed.app.stop().await;
}

async fn settings_of_a_pair_are_merged_and_shown(database: TestDatabase) {
    let bed = Bed::on(database).await;
    let (erp, project) = (
        bed.connected("infor_m3").await,
        bed.connected("procore").await,
    );
    let bare = json!({"name": "Bare", "kind": "infor_m3_procore", "erp_connection_id": erp,
        "procore_connection_id": project, "flows": {"vendors": {}}});
    let made = bed.post("pairs", bare, 201).await;
    assert_eq!(made["flows"]["vendors"]["enabled"], false);
    assert_eq!(made["flows"]["commitments"]["approval"], "review");
    assert_eq!(made["projects"]["include"], "all");
    assert_eq!(made["schedule"]["business_hours"], Value::Null);
    assert_eq!(made["start_date"], Value::Null);
    let policies = &made["policies"];
    assert_eq!(policies["po_number"], "erp");
    assert_eq!(policies["four_eyes"], false);
    assert_eq!(policies["batch_patience_minutes"], 30);
    assert_eq!(policies["closed_through"], Value::Null);
    assert_eq!(policies["cost_codes"], json!({"create_in": "none"}));
    assert_eq!(policies["statuses"]["commitments"], json!(["Approved"]));

    let path = format!("pairs/{}", made["id"].as_str().unwrap());
    let change = json!({
        "flows": {"vendors": {"enabled": "true"}},
        "projects": {"include": [7, "12", "7"]},
        "schedule": {"every_minutes": "5", "holidays": ["2026-12-26", "2026-12-25"],
            "business_hours": {"days": ["MON"], "from": "07:00", "to": "19:00"}},
        "start_date": "2026-11-01",
        "policies": {"cost_codes": {"create_in": "erp"}, "batch_patience_minutes": "45",
            "statuses": {"commitments": ["Approved", "Complete"]}, "closed_through": "2026-10-31"},
        "status": "active", "id": "x", "tenant_id": "y",
    });
    let changed = bed.patch(&path, change, 200).await;
    assert_eq!(
        changed["flows"]["vendors"],
        json!({"enabled": true, "approval": "automatic"})
    );
    assert_eq!(changed["projects"]["include"], json!(["12", "7"]));
    assert_eq!(
        changed["schedule"]["holidays"],
        json!(["2026-12-25", "2026-12-26"])
    );
    assert_eq!(changed["schedule"]["every_minutes"], 5);
    assert_eq!(changed["schedule"]["time_zone"], "UTC");
    assert_eq!(
        changed["schedule"]["business_hours"]["days"],
        json!(["mon"])
    );
    assert_eq!(changed["policies"]["cost_codes"]["create_in"], "erp");
    assert_eq!(changed["policies"]["closed_through"], "2026-10-31");
    assert_eq!(changed["status"], "draft", "nobody activates by a change");
    assert_eq!(changed["id"], made["id"]);
    assert_eq!(changed["version"], 2);

    let back = json!({"start_date": null, "schedule": {"business_hours": null},
        "policies": {"closed_through": null, "cost_codes": {"create_in": null}}});
    let back = bed.patch(&path, back, 200).await;
    assert_eq!(back["start_date"], Value::Null);
    assert_eq!(back["schedule"]["business_hours"], Value::Null);
    assert_eq!(back["policies"]["cost_codes"]["create_in"], "none");
    assert_eq!(back["policies"]["batch_patience_minutes"], 45);
    // The whole of it may be sent back as it is shown; nothing has changed then.
    let same = bed.patch(&path, back.clone(), 200).await;
    assert_eq!(same["version"], back["version"]);
    let other = json!({"erp_connection_id": project});
    assert_eq!(
        pointers(&bed.patch(&path, other, 422).await),
        ["/erp_connection_id"]
    );
    bed.app.stop().await;
}

async fn one_project_moves_money_in_one_pair(database: TestDatabase) {
    let bed = Bed::on(database).await;
    let (first, second) = (bed.pair("First").await, bed.pair("Second").await);
    bed.map_projects(&first, &["7", "8"], 200).await;
    bed.map_projects(&second, &["8", "9"], 200).await;
    let waive = json!({"without_dry_run": true});
    bed.post(&format!("pairs/{first}/activate"), waive.clone(), 200)
        .await;
    let path = format!("pairs/{second}/activate");
    let refused = bed.post(&path, waive.clone(), 409).await;
    assert_eq!(codes(&refused["blockers"]), ["project_in_other_pair"]);
    assert_eq!(refused["blockers"][0]["subject"], "8");

    let only_nine = json!({"projects": {"include": ["9"]}});
    bed.patch(&format!("pairs/{second}"), only_nine, 200).await;
    bed.post(&path, waive, 200).await;
    // Nor can an active pair take it, neither by its settings nor by its mapping.
    let all = json!({"projects": {"include": "all"}});
    let refused = bed.patch(&format!("pairs/{second}"), all, 409).await;
    assert_eq!(codes(&refused["blockers"]), ["project_in_other_pair"]);
    let shown = bed.get(&format!("pairs/{second}")).await;
    assert_eq!(
        shown["projects"]["include"],
        json!(["9"]),
        "nothing was changed"
    );
    let refused = bed.map_projects(&first, &["7", "9"], 409).await;
    assert_eq!(codes(&refused["blockers"]), ["project_in_other_pair"]);
    let rows = bed.get(&format!("pairs/{first}/mappings/projects")).await;
    assert_eq!(rows["data"][1]["procore"]["project_id"], "8");
    bed.app.stop().await;
}

fn code(cost_code: &str, account: &str) -> Value {
    json!({"procore": {"cost_code": cost_code}, "erp": {"ait1": account}, "note": ""})
}

async fn a_mapping_is_replaced_whole_or_not_at_all(database: TestDatabase) {
    let bed = Bed::on(database).await;
    let pair = bed.pair("Main").await;
    let path = format!("pairs/{pair}/mappings/cost_codes");
    let rows = json!([
        code("01", "5100"),
        code("1", "5100"),
        code("03-300 A", "5200")
    ]);
    let replaced = bed.put(&path, rows, 200).await;
    assert_eq!(
        replaced,
        json!({"rows": 3, "added": 3, "removed": 0, "kept": 0})
    );
    let first = bed.get(&format!("{path}?limit=2")).await;
    assert_eq!(first["data"][0]["procore"]["cost_code"], "01");
    assert_eq!(first["data"][0]["verified_at"], Value::Null);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = bed.get(&format!("{path}?limit=2&cursor={cursor}")).await;
    assert_eq!(rest["data"][0]["procore"]["cost_code"], "03-300 A");
    assert_eq!(rest["data"].as_array().unwrap().len(), 1);
    assert_eq!(rest["next_cursor"], Value::Null);

    let bad = json!([
        code("01", "5100"),
        code("01", "5300"),
        code("", "5100"),
        {"procore": {"cost_code": "2", "colour": "red"}, "erp": {"ait1": "5100"}},
        {"procore": {"cost_code": "3"}, "erp": {"ait1": "51\u{7}00"}},
        code("4", "5100"),
    ]);
    let problem = bed.put(&path, bad, 422).await;
    assert_eq!(
        pointers(&problem),
        ["/rows/1", "/rows/2", "/rows/3", "/rows/4"]
    );
    assert_eq!(bed.get(&path).await["data"].as_array().unwrap().len(), 3);
    bed.put(&path, json!({"rows": []}), 422).await;

    // Another company is another connection.
    let foreign = json!([{"procore": {"project_id": "7"}, "erp": {"cono": "200"}}]);
    let projects = format!("pairs/{pair}/mappings/projects");
    let problem = bed.put(&projects, foreign, 422).await;
    assert_eq!(pointers(&problem), ["/rows/0"]);
    let own = json!([{"procore": {"project_id": 7}, "erp": {"cono": 100, "divi": "AAA"}}]);
    bed.put(&projects, own, 200).await;

    for (path, status) in [
        (format!("pairs/{pair}/mappings/colours"), 404),
        (format!("pairs/{pair}/mappings/accounts"), 404),
    ] {
        bed.account.api.get(&at(&path), status).await;
        bed.put(&path, json!([]), status).await;
    }
    bed.put(&path, json!([]), 200).await;
    assert_eq!(bed.get(&path).await["data"], json!([]));
    bed.app.stop().await;
}

async fn rows_are_looked_up_as_due_work(database: TestDatabase) {
    let bed = Bed::on(database).await;
    let pair = bed.pair("Main").await;
    let path = format!("pairs/{pair}/mappings/cost_codes");
    let mut rows: Vec<Value> = (0..30).map(|n| code(&n.to_string(), "5100")).collect();
    rows.push(code("99", "9999"));
    bed.put(&path, json!(rows), 200).await;
    bed.map_projects(&pair, &["7"], 200).await;
    let tenant = bed.account.created.tenant_id;
    let id = pair.parse().unwrap();
    let engine = &bed.app.desk.engine;
    let verify = async || verify_due(engine, tenant, id).await.unwrap();

    // The ERP is down: nothing is found, and it is left alone for a minute.
    *bed.network.known.lock().unwrap() = vec!["down".into()];
    let later = verify().await.unwrap();
    assert_eq!(later, start().plus(Duration::from_secs(60)));
    let asked = bed.network.sent.lock().unwrap().len();
    assert_eq!(verify().await, Some(later));
    assert_eq!(
        bed.network.sent.lock().unwrap().len(),
        asked,
        "it was not asked"
    );

    *bed.network.known.lock().unwrap() = vec!["5100".into()];
    engine.clock.advance(Duration::from_secs(60));
    let mut turns = 0;
    while verify().await.is_some() {
        turns += 1;
    }
    assert_eq!(turns, 3, "two for the codes, one for the project");
    let rows = bed.get(&format!("{path}?limit=200")).await;
    let rows = rows["data"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["verified_at"].is_string()));
    assert_eq!(rows[0]["issues"], json!([]));
    assert_eq!(rows[30]["issues"][0]["field"], "ait1");
    let shown = bed.get(&format!("pairs/{pair}")).await;
    let warnings = codes(&shown["warnings"]);
    assert_eq!(warnings, ["unmapped_codes", "faulty_rows"]);

    // Once the ERP has the account, a good test of the connection finds it.
    *bed.network.known.lock().unwrap() = vec!["5100".into(), "9999".into()];
    let erp = shown["erp_connection_id"].as_str().unwrap();
    bed.post(&format!("connections/{erp}/ping"), json!({}), 200)
        .await;
    assert!(verify().await.is_some());
    let mended = bed.get(&format!("pairs/{pair}")).await;
    assert_eq!(codes(&mended["warnings"]), ["unmapped_codes"]);
    assert_eq!(verify().await, None);

    // What was found stays with a row that stays.
    bed.put(&path, json!([code("0", "5100"), code("100", "5100")]), 200)
        .await;
    let rows = bed.get(&path).await;
    assert!(rows["data"][0]["verified_at"].is_string());
    assert!(rows["data"][1]["verified_at"].is_null());
    bed.app.stop().await;
}

async fn a_row_of_vendors_is_a_link(database: TestDatabase) {
    let bed = Bed::on(database).await;
    let pair = bed.pair("Main").await;
    let path = format!("pairs/{pair}/mappings/vendors");
    let row = |vendor: &str, supplier: &str| json!({"procore": {"vendor_id": vendor}, "erp": {"supplier": supplier}});
    bed.put(&path, json!([row("1", "S1"), row("2", "S2")]), 200)
        .await;
    let tenant = bed.account.created.tenant_id;
    let links = async || {
        let scope = bed.app.desk.store().read(tenant).await.unwrap();
        let filter = store::link::Filter {
            pair: Some(pair.parse().unwrap()),
            ..Default::default()
        };
        let mut links: Vec<String> = store::link::list(&scope, &filter, None, 10)
            .await
            .unwrap()
            .into_iter()
            .map(|link| format!("{}={} {}", link.source.id, link.target.id, link.matched_by))
            .collect();
        links.sort();
        links
    };
    assert_eq!(links().await, ["1=S1 mapping", "2=S2 mapping"]);
    // Two rows exchange their suppliers.
    bed.put(&path, json!([row("1", "S2"), row("2", "S1")]), 200)
        .await;
    assert_eq!(links().await, ["1=S2 mapping", "2=S1 mapping"]);
    let problem = bed
        .put(&path, json!([row("1", "S3"), row("2", "S3")]), 422)
        .await;
    assert_eq!(pointers(&problem), ["/rows/1"]);
    // A row that goes does not free the supplier: the link was made, and stays.
    let problem = bed.put(&path, json!([row("9", "S1")]), 422).await;
    assert_eq!(pointers(&problem), ["/rows/0"]);
    assert_eq!(links().await, ["1=S2 mapping", "2=S1 mapping"]);
    assert_eq!(bed.get(&path).await["data"].as_array().unwrap().len(), 2);
    bed.app.stop().await;
}

async fn another_tenant_meets_nothing(database: TestDatabase) {
    let bed = Bed::on(database).await;
    let pair_id = bed.pair("Main").await;
    let connection_id = bed.connected("procore").await;
    let other = bed.app.account("Other").await.api;
    let nobody = "01980000-0000-7000-8000-00000000dead";
    for path in [
        format!("connections/{connection_id}"),
        format!("pairs/{pair_id}"),
        format!("pairs/{pair_id}/mappings/projects"),
    ] {
        let unknown = path
            .replace(&connection_id, nobody)
            .replace(&pair_id, nobody);
        let mut theirs = other.get(&at(&path), 404).await;
        let mut random = other.get(&at(&unknown), 404).await;
        for answer in [&mut theirs, &mut random] {
            answer["request_id"] = Value::Null;
        }
        assert_eq!(theirs, random);
    }
    let connection_path = at(&format!("connections/{connection_id}"));
    other
        .patch(&connection_path, json!({"name": "x"}), 404)
        .await;
    other
        .post(&format!("{connection_path}/ping"), json!({}), 404)
        .await;
    other.delete(&connection_path, 404).await;
    let pair_path = at(&format!("pairs/{pair_id}"));
    other.patch(&pair_path, json!({"name": "x"}), 404).await;
    other
        .post(&format!("{pair_path}/activate"), json!({}), 404)
        .await;
    other
        .post(&format!("{pair_path}/pause"), json!({}), 404)
        .await;
    other
        .put(&format!("{pair_path}/mappings/projects"), json!([]), 404)
        .await;
    other.delete(&pair_path, 404).await;
    // In a body, too.
    other
        .post(
            &at("pairs"),
            pair("Theirs", &connection_id, &connection_id),
            404,
        )
        .await;
    for list in ["connections", "pairs"] {
        assert_eq!(other.get(&at(list), 200).await["data"], json!([]));
    }
    assert_eq!(bed.get("pairs").await["data"].as_array().unwrap().len(), 1);
    bed.app.stop().await;
}
