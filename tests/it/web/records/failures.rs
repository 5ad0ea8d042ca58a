//! Failures by cause: every failed and waiting record is behind one, with its money, and each unmapped project is one.

use std::collections::BTreeSet;

use ml_connector::domain::pair::Approval;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{NOBODY, Travelled, text};
use crate::support::database::{TestDatabase, both};

both!(what_stands_still_is_told_by_cause);

async fn what_stands_still_is_told_by_cause(database: TestDatabase) {
    let it = Travelled::begin(database, Approval::Automatic).await;
    every_record_is_behind_a_cause(&it).await;
    pages_and_filters_agree(&it).await;
    a_rejection_is_a_cause(&it).await;
    an_unmapped_project_is_one_row(&it).await;
    let none = it.other.api.get("/api/v1/failures", 200).await;
    assert_eq!(none["data"], json!([]));
    it.app.stop().await;
}

fn waits_for(record: &Value, cause: &str) -> bool {
    let waits = record["waiting_for"].as_array().unwrap();
    waits
        .iter()
        .any(|wait| cause == format!("waiting/{}/{}", text(&wait["kind"]), text(&wait["key"])))
}

fn fails_of(record: &Value, cause: &str) -> bool {
    let fault = &record["fault"];
    let begin = format!("{}/{}", text(&fault["class"]), text(&fault["code"]));
    cause == begin || cause.starts_with(&format!("{begin}/"))
}

async fn every_record_is_behind_a_cause(it: &Travelled) {
    let failures = it.all("/api/v1/failures", 200).await;
    let records = it.all("/api/v1/records?state=failed,waiting", 200).await;
    let mut behind = BTreeSet::new();
    for failure in &failures {
        let cause = text(&failure["cause"]);
        let of_cause: Vec<&Value> = records
            .iter()
            .filter(|record| record["state"] == failure["state"])
            .filter(|record| match text(&failure["state"]).as_str() {
                "failed" => fails_of(record, &cause),
                _ => waits_for(record, &cause),
            })
            .collect();
        assert_eq!(failure["count"], of_cause.len(), "{failure}");
        assert!(!of_cause.is_empty(), "{failure}");
        for sum in failure["money"].as_array().unwrap() {
            let parts = of_cause
                .iter()
                .filter(|record| record["currency"] == sum["currency"]);
            let want: Decimal = parts
                .map(|record| text(&record["amount"]).parse::<Decimal>().unwrap())
                .sum();
            let amount: Decimal = text(&sum["amount"]).parse().unwrap();
            assert_eq!(amount, want, "{failure}");
        }
        let (first, last) = (&failure["first_seen_at"], &failure["last_seen_at"]);
        assert!(text(first) <= text(last), "{failure}");
        for words in ["explanation", "mend", "class"] {
            assert!(!text(&failure[words]).is_empty(), "{failure}");
        }
        let example = text(&failure["record_id"]);
        assert!(
            of_cause
                .iter()
                .any(|record| record["id"] == example.as_str())
        );
        behind.extend(of_cause.iter().map(|record| text(&record["id"])));
    }
    let all: BTreeSet<String> = records.iter().map(|record| text(&record["id"])).collect();
    assert_eq!(behind, all);
    let causes: Vec<String> = failures.iter().map(|one| text(&one["cause"])).collect();
    for cause in ["waiting/cost_codes/99-999", "rejected/XRE0103/lines/*/PUUN"] {
        assert!(causes.iter().any(|known| known == cause), "{causes:?}");
    }
    let once: BTreeSet<&String> = causes.iter().collect();
    assert_eq!(once.len(), causes.len());
}

async fn pages_and_filters_agree(it: &Travelled) {
    let all = it.all("/api/v1/failures", 200).await;
    assert!(all.len() > 2);
    assert_eq!(it.all("/api/v1/failures", 1).await, all);
    let of_pair = format!("/api/v1/failures?pair={}", it.road.pair);
    assert_eq!(it.all(&of_pair, 2).await, all);
    for pair in [NOBODY, "no-id"] {
        let none = it.all(&format!("/api/v1/failures?pair={pair}"), 200).await;
        assert_eq!(none, Vec::<Value>::new());
    }
    it.api().get("/api/v1/failures?cursor=AAAA", 422).await;
}

async fn a_rejection_is_a_cause(it: &Travelled) {
    let flows = json!({"flows": {"commitments": {"enabled": true, "approval": "review"}}});
    let pair = format!("/api/v1/pairs/{}", it.road.pair);
    it.api().patch(&pair, flows, 200).await;
    let [failed] = &it.in_state("commitments", "failed").await[..] else {
        panic!("one order fails")
    };
    it.act(failed, "retry", json!({}), 202).await;
    it.settle().await;
    let held = &it.in_state("commitments", "held").await[0];
    it.act(held, "reject", json!({"reason": "not ours"}), 200)
        .await;
    let failures = it.all("/api/v1/failures", 200).await;
    let rejected = failures
        .iter()
        .find(|one| one["cause"] == "rejected/rejected")
        .unwrap();
    assert_eq!(rejected["count"], 1);
    assert!(text(&rejected["mend"]).contains("Accounting said no"));
    let is_unit = |one: &Value| text(&one["cause"]).contains("XRE0103");
    assert!(!failures.iter().any(is_unit));
}

async fn an_unmapped_project_is_one_row(it: &Travelled) {
    let before = it.all("/api/v1/failures", 200).await;
    let at = format!("/api/v1/pairs/{}/mappings/projects", it.road.pair);
    let rows = it.all(&at, 200).await;
    let (gone, kept) = rows.split_first().unwrap();
    let kept: Vec<Value> = kept
        .iter()
        .map(|row| json!({"procore": row["procore"], "erp": row["erp"]}))
        .collect();
    it.api().put(&at, json!(kept), 200).await;
    let cause = format!("waiting/project/{}", text(&gone["procore"]["project_id"]));
    let after = it.all("/api/v1/failures", 1).await;
    let row = after
        .iter()
        .find(|one| one["cause"] == cause.as_str())
        .unwrap();
    assert_eq!(
        (&row["count"], &row["state"]),
        (&json!(0), &json!("waiting"))
    );
    assert_eq!(row["money"], json!([]));
    assert!(text(&row["mend"]).contains("projects mapping"));
    assert_eq!(after.len(), before.len() + 1);
}
