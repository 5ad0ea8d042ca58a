//! Dry runs over the API and on pages: started, followed, read, exported, and the way to activation.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use ml_connector::domain::pair::{Approval, PairStatus};
use ml_connector::store;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{NOBODY, Travelled, pointers, text};
use crate::support::database::{TestDatabase, both};
use crate::support::http;

both!(a_pair_is_rehearsed_read_about_and_activated);

async fn a_pair_is_rehearsed_read_about_and_activated(database: TestDatabase) {
    let it = Travelled::still(database, Approval::Review).await;
    it.be_a_draft().await;
    let run = it.rehearse(json!({"dry_run": true})).await;
    counts_and_sums_agree(&it, &run).await;
    rows_say_what_would_be_done(&it, &run).await;
    rows_are_filtered_and_paged(&it, &run).await;
    files_hold_every_row(&it, &run).await;
    nobody_else_sees_it(&it, &run).await;
    pages_show_it(&it, &run).await;
    a_dry_run_is_cancelled(&it).await;
    the_way_to_activation(&it).await;
    it.app.stop().await;
}

impl Travelled {
    async fn be_a_draft(&self) {
        let (pair, caller) = (self.road.pair, &self.road.caller);
        self.road
            .desk
            .store()
            .write(caller.tenant_id, &caller.actor, move |scope| {
                Box::pin(async move {
                    store::pair::set_status(scope, pair, PairStatus::Draft, None).await
                })
            })
            .await
            .unwrap();
    }

    /// Makes a dry run and follows it to its end.
    pub async fn rehearse(&self, wanted: Value) -> Value {
        let path = format!("/api/v1/pairs/{}/runs", self.road.pair);
        let started = self.api().post(&path, wanted, 202).await;
        let at = format!("/api/v1/runs/{}", text(&started["id"]));
        let began = Instant::now();
        loop {
            let run = self.api().get(&at, 200).await;
            assert_eq!(run["dry_run"], true);
            if !run["ended_at"].is_null() {
                return run;
            }
            assert!(["queued", "running"].contains(&text(&run["state"]).as_str()));
            assert!(began.elapsed() < Duration::from_secs(90), "{run}");
            self.road
                .desk
                .engine
                .work_tenant(self.road.caller.tenant_id, "test")
                .await
                .unwrap();
        }
    }

    async fn changes(&self, run: &Value, query: &str, limit: u32) -> Vec<Value> {
        let path = format!("/api/v1/runs/{}/changes{query}", text(&run["id"]));
        self.all(&path, limit).await
    }
}

async fn counts_and_sums_agree(it: &Travelled, run: &Value) {
    assert_eq!(run["state"], "succeeded");
    assert_eq!(it.all("/api/v1/records", 200).await, Vec::<Value>::new());
    let rows = it.changes(run, "", 200).await;
    assert_eq!(run["progress"]["seen"], rows.len());
    assert_eq!(run["progress"]["at_rest"], rows.len());
    let mut sums: BTreeMap<(String, String), u64> = BTreeMap::new();
    for row in &rows {
        let key = (text(&row["flow"]), text(&row["action"]));
        *sums.entry(key).or_default() += 1;
    }
    for total in run["foreseen"].as_array().unwrap() {
        let key = (text(&total["flow"]), text(&total["action"]));
        assert_eq!(sums.remove(&key), total["records"].as_u64(), "{total}");
    }
    assert_eq!(sums, BTreeMap::new());
    let created = |row: &&Value| row["flow"] == "commitments" && row["action"] == "create";
    let count = rows.iter().filter(created).count();
    assert_eq!(run["flows"]["commitments"]["created"], count);
    // Money per currency, never across.
    let mut money: BTreeMap<String, Decimal> = BTreeMap::new();
    for row in rows.iter().filter(created) {
        let amount: Decimal = text(&row["amount"]).parse().unwrap();
        *money.entry(text(&row["currency"])).or_default() += amount;
    }
    assert!(money.len() > 1, "{money:?}");
    let totals = run["foreseen"].as_array().unwrap();
    let total = totals.iter().find(created).unwrap();
    for sum in total["money"].as_array().unwrap() {
        let amount: Decimal = text(&sum["amount"]).parse().unwrap();
        let want = money.remove(&text(&sum["currency"])).unwrap();
        assert_eq!(amount, want, "{sum}");
    }
    assert!(money.is_empty());
}

async fn rows_say_what_would_be_done(it: &Travelled, run: &Value) {
    for row in it.changes(run, "", 200).await {
        let names: BTreeSet<&str> = row
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        for name in [
            "flow",
            "source",
            "number",
            "amount",
            "currency",
            "action",
            "changes",
            "reason",
            "explanation",
        ] {
            assert!(names.contains(name), "{name}: {row}");
        }
        assert_eq!(row["source"]["system"], "procore");
        let change = &row["changes"][0];
        match row["action"].as_str().unwrap() {
            "create" => {
                assert!(
                    change["field"].is_string() && change["to"].is_string(),
                    "{row}"
                );
                assert!(change["from"].is_null(), "{row}");
            }
            "link" => assert!(row["target_id"].is_string(), "{row}"),
            "wait" => assert!(row["waiting_for"][0]["key"].is_string(), "{row}"),
            "skip" | "review" => assert!(row["reason"].is_string(), "{row}"),
            other => panic!("{other}: {row}"),
        }
    }
}

async fn rows_are_filtered_and_paged(it: &Travelled, run: &Value) {
    let all = it.changes(run, "", 200).await;
    assert_eq!(it.changes(run, "", 7).await, all);
    let some = it
        .changes(run, "?flow=vendors&action=link,create", 10)
        .await;
    let want: Vec<Value> = all
        .iter()
        .filter(|row| row["flow"] == "vendors")
        .filter(|row| row["action"] == "link" || row["action"] == "create")
        .cloned()
        .collect();
    assert_eq!(some, want);
    assert!(!some.is_empty());
    let none = it.changes(run, "?flow=payments", 10).await;
    assert_eq!(none, Vec::<Value>::new());
    let at = format!("/api/v1/runs/{}/changes", text(&run["id"]));
    for (query, pointer) in [
        ("action=destroy", "/action"),
        ("format=xlsx", "/format"),
        ("limit=0", "/limit"),
        ("cursor=%21", "/cursor"),
    ] {
        let refused = it.api().get(&format!("{at}?{query}"), 422).await;
        assert_eq!(pointers(&refused), [pointer], "{query}");
    }
}

async fn files_hold_every_row(it: &Travelled, run: &Value) {
    let all = it.changes(run, "", 200).await;
    let url = format!("{}/api/v1/runs/{}/changes", it.app.url, text(&run["id"]));
    let get = async |query: &str, accept: &str| {
        let answer = http::client()
            .get(format!("{url}{query}"))
            .bearer_auth(it.account.created.api_token.open())
            .header("accept", accept)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let kind = answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        (kind, answer.text().await.unwrap())
    };
    let (kind, lines) = get("?format=jsonl", "*/*").await;
    assert!(kind.starts_with("application/x-ndjson"), "{kind}");
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines, all);
    let (kind, table) = get("", "text/csv").await;
    assert!(kind.starts_with("text/csv"), "{kind}");
    assert_eq!(get("?format=csv", "*/*").await.1, table);
    assert!(table.starts_with("flow,action,source.system,"));
    // A name that a spreadsheet would run is only a text there.
    assert!(table.contains("'=cmd|' /C calc'!A0"), "{table}");
    let (_, some) = get("?format=csv&action=link", "*/*").await;
    let linked = all.iter().filter(|row| row["action"] == "link").count();
    assert_eq!(some.matches("\r\n").count(), linked + 1);
}

async fn nobody_else_sees_it(it: &Travelled, run: &Value) {
    let at = format!("/api/v1/runs/{}/changes", text(&run["id"]));
    it.other.api.get(&at, 404).await;
    it.other.api.get(&format!("{at}?format=csv"), 404).await;
    it.api()
        .get(&format!("/api/v1/runs/{NOBODY}/changes"), 404)
        .await;
}

async fn pages_show_it(it: &Travelled, run: &Value) {
    let mut visitor = it.app.signed_in(&it.account).await;
    let id = text(&run["id"]);
    let report = visitor.get(&format!("/runs/{id}")).await;
    assert_eq!(report.status, 200);
    for words in [
        "Dry run of Road",
        "Nothing was written to any system",
        "What would happen",
        "this will create",
        "each after accounting has approved it",
        "Activate the pair",
    ] {
        assert!(report.text.contains(words), "{words}\n{}", report.text);
    }
    let filtered = visitor
        .get(&format!("/runs/{id}?action=wait&flow=commitments"))
        .await;
    assert!(filtered.text.contains("Waiting for"));
    assert!(!filtered.text.contains("Left out:"));
    let file = visitor.get(&format!("/runs/{id}/changes?format=csv")).await;
    assert!(file.text.starts_with("flow,action,"));
    let pair = visitor.get(&format!("/pairs/{}", it.road.pair)).await;
    for words in [
        "would be created",
        "Activating the pair:",
        "Make another dry run",
    ] {
        assert!(pair.text.contains(words), "{words}\n{}", pair.text);
    }
    assert!(!pair.text.contains("without_dry_run"));
    let list = visitor.get("/runs").await;
    assert!(list.text.contains("Dry run"));
}

async fn a_dry_run_is_cancelled(it: &Travelled) {
    let path = format!("/api/v1/pairs/{}/runs", it.road.pair);
    let wanted = json!({"dry_run": true, "flows": ["vendors"]});
    let started = it.api().post(&path, wanted, 202).await;
    let at = format!("/api/v1/runs/{}", text(&started["id"]));
    let ended = it.api().post(&format!("{at}/cancel"), json!({}), 200).await;
    assert_eq!(ended["state"], "cancelled");
    it.api().post(&format!("{at}/cancel"), json!({}), 409).await;
}

async fn the_way_to_activation(it: &Travelled) {
    let pair = format!("/api/v1/pairs/{}", it.road.pair);
    let blockers = async || -> Vec<String> {
        let shown = it.api().get(&pair, 200).await;
        let blockers = shown["blockers"].as_array().unwrap().clone();
        blockers.iter().map(|one| text(&one["code"])).collect()
    };
    // A later start leaves the dry run valid; another change does not.
    assert!(blockers().await.is_empty());
    let later = json!({"start_date": "2020-01-01"});
    it.api().patch(&pair, later, 200).await;
    assert!(blockers().await.is_empty());
    let policies = json!({"policies": {"orphans": "keep"}});
    it.api().patch(&pair, policies, 200).await;
    assert_eq!(blockers().await, ["no_dry_run"]);
    let at = format!("{pair}/activate");
    let refused = it.api().post(&at, json!({}), 409).await;
    assert_eq!(refused["blockers"][0]["code"], "no_dry_run");
    it.rehearse(json!({"dry_run": true, "full": true})).await;
    let active = it.api().post(&at, json!({}), 200).await;
    assert_eq!(active["status"], "active");
    it.settle().await;
    let runs = it.all("/api/v1/runs?pair=", 200).await;
    let real = runs.iter().find(|run| run["dry_run"] == false).unwrap();
    let at = format!("/api/v1/runs/{}/changes", text(&real["id"]));
    let refused = it.api().get(&at, 409).await;
    assert_eq!(refused["status"], 409);
}
