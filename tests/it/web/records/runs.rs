//! Runs: started, counted, listed, cancelled.

use ml_connector::domain::pair::Approval;
use serde_json::{Value, json};

use super::{NOBODY, Travelled, pointers, text};
use crate::support::database::{TestDatabase, both};
use crate::support::http;

both!(runs_are_started_counted_and_ended);

async fn runs_are_started_counted_and_ended(database: TestDatabase) {
    let it = Travelled::begin(database, Approval::Automatic).await;
    the_first_run_counts_everything_once(&it).await;
    later_runs_count_what_is_unchanged(&it).await;
    a_run_is_watched_and_cancelled(&it).await;
    wrong_wishes_are_refused(&it).await;
    it.app.stop().await;
}

const COUNTS: [&str; 10] = [
    "created",
    "updated",
    "linked",
    "unchanged",
    "waiting",
    "held",
    "review",
    "retrying",
    "failed",
    "ignored",
];

fn add_up(run: &Value) -> u64 {
    let mut seen = 0;
    for (flow, counts) in run["flows"].as_object().unwrap() {
        let sum: u64 = COUNTS
            .iter()
            .map(|name| counts[*name].as_u64().unwrap())
            .sum();
        assert_eq!(counts["seen"].as_u64().unwrap(), sum, "{flow}: {counts}");
        seen += sum;
    }
    seen
}

async fn the_first_run_counts_everything_once(it: &Travelled) {
    let runs = it.all("/api/v1/runs", 200).await;
    let [run] = runs.as_slice() else {
        panic!("{runs:?}")
    };
    assert_eq!(run["state"], "partial", "one order fails");
    assert_eq!(run["pair_id"], it.road.pair.to_string());
    let records = it.all("/api/v1/records", 200).await;
    assert_eq!(add_up(run), u64::try_from(records.len()).unwrap());
    let flows = &run["flows"];
    for (flow, name, state) in [
        ("vendors", "created", "succeeded"),
        ("vendors", "linked", "linked"),
        ("vendors", "review", "review"),
        ("commitments", "created", "succeeded"),
        ("commitments", "waiting", "waiting"),
        ("commitments", "failed", "failed"),
        ("commitments", "ignored", "ignored"),
    ] {
        let in_state = it.in_state(flow, state).await.len();
        assert_eq!(flows[flow][name], in_state, "{flow} {name}");
    }
    let (queued, started, ended) = (
        text(&run["queued_at"]),
        text(&run["started_at"]),
        text(&run["ended_at"]),
    );
    assert!(queued <= started && started < ended);
    assert_eq!(
        run["progress"],
        json!({"listing": null, "seen": records.len(), "at_rest": records.len()})
    );
    assert_eq!(
        it.api()
            .get(&format!("/api/v1/runs/{}", text(&run["id"])), 200)
            .await,
        *run
    );
    let of_run = it
        .all(&format!("/api/v1/records?run={}", text(&run["id"])), 200)
        .await;
    assert_eq!(of_run, records);
}

async fn later_runs_count_what_is_unchanged(it: &Travelled) {
    let before = it.in_state("vendors", "succeeded").await;
    let path = format!("/api/v1/pairs/{}/runs", it.road.pair);
    let wanted = json!({"flows": ["vendors"], "full": true, "dry_run": false});
    let started = it.api().post(&path, wanted, 202).await;
    it.settle().await;
    let run = it
        .api()
        .get(&format!("/api/v1/runs/{}", text(&started["id"])), 200)
        .await;
    assert_eq!(
        (&run["full"], &run["trigger"]),
        (&json!(true), &json!("person"))
    );
    let seen = add_up(&run);
    assert!(run["flows"].get("commitments").is_none());
    let counts = &run["flows"]["vendors"];
    assert_eq!(counts["created"], 0);
    assert_eq!(
        counts["unchanged"].as_u64().unwrap() + counts["review"].as_u64().unwrap(),
        seen
    );
    let after = it.in_state("vendors", "succeeded").await;
    assert_eq!(before.len(), after.len(), "what succeeded stays so");

    let third = it.run().await;
    let all = it.all("/api/v1/runs", 1).await;
    assert_eq!(all.len(), 3);
    assert_eq!(all[0]["id"], third, "newest first");
    let of_pair = it
        .all(&format!("/api/v1/runs?pair={}", it.road.pair), 2)
        .await;
    assert_eq!(of_pair, all);
    assert_eq!(
        it.all(&format!("/api/v1/runs?pair={NOBODY}"), 50).await,
        Vec::<Value>::new()
    );
    for run in &all {
        add_up(run);
    }
}

async fn a_run_is_watched_and_cancelled(it: &Travelled) {
    let path = format!("/api/v1/pairs/{}/runs", it.road.pair);
    let started = it.api().post(&path, json!({}), 202).await;
    let joined = it.api().post(&path, json!({}), 202).await;
    assert_eq!(started, joined, "one run of a pair is open at a time");
    let at = format!("/api/v1/runs/{}", text(&started["id"]));
    let run = it.api().get(&at, 200).await;
    assert_eq!(run["state"], "queued");
    assert_eq!(
        (&run["started_at"], &run["ended_at"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(run["progress"]["listing"], "vendors");
    for id in [text(&started["id"]).as_str(), NOBODY] {
        it.other
            .api
            .post(&format!("/api/v1/runs/{id}/cancel"), json!({}), 404)
            .await;
    }
    let ended = it.api().post(&format!("{at}/cancel"), json!({}), 200).await;
    assert_eq!(ended["state"], "cancelled");
    assert!(ended["ended_at"].is_string());
    add_up(&ended);
    it.api().post(&format!("{at}/cancel"), json!({}), 409).await;
}

async fn wrong_wishes_are_refused(it: &Travelled) {
    let path = format!("/api/v1/pairs/{}/runs", it.road.pair);
    for (body, pointer) in [
        (json!({"dry_run": "no"}), "/dry_run"),
        (json!({"full": 1}), "/full"),
        (json!({"flows": "vendors"}), "/flows"),
        (json!({"flows": []}), "/flows"),
        (json!({"flows": ["vendors", "payments"]}), "/flows/1"),
    ] {
        let refused = it.api().post(&path, body.clone(), 422).await;
        assert_eq!(pointers(&refused), [pointer], "{body}");
    }
    it.api().post(&path, json!([]), 400).await;
    it.other.api.post(&path, json!({}), 404).await;
    it.api()
        .post(&format!("/api/v1/pairs/{NOBODY}/runs"), json!({}), 404)
        .await;
    let once = async || {
        let answer = http::client()
            .post(format!("{}{path}", it.app.url))
            .bearer_auth(it.account.created.api_token.open())
            .header("Idempotency-Key", "a run")
            .json(&json!({}))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), 202);
        answer.json::<Value>().await.unwrap()
    };
    let first = once().await;
    it.settle().await;
    assert_eq!(
        once().await,
        first,
        "a key starts one run, even after it is over"
    );
    it.api()
        .post(
            &format!("/api/v1/pairs/{}/pause", it.road.pair),
            json!({}),
            200,
        )
        .await;
    let refused = it.api().post(&path, json!({}), 409).await;
    assert_eq!(refused["type"], "urn:ml-connector:problem:not_active");
}
