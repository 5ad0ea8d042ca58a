//! Doing: the gate, retry, replay, ignore, link, one and many, and who may.

use ml_connector::domain::pair::Approval;
use serde_json::{Value, json};

use super::{NOBODY, Travelled, field, pointers, text};
use crate::support::database::{TestDatabase, both};
use crate::support::http::Api;

both!(people_act_on_records);

async fn people_act_on_records(database: TestDatabase) {
    let it = Travelled::begin(database, Approval::Review).await;
    the_gate_binds_to_what_was_shown(&it).await;
    rights_are_asked_for(&it).await;
    bodies_are_checked(&it).await;
    what_needs_a_match_is_matched(&it).await;
    failed_records_are_retried_and_put_aside(&it).await;
    many_are_acted_on_at_once(&it).await;
    nobody_acts_on_what_is_not_theirs(&it).await;
    it.app.stop().await;
}

async fn the_gate_binds_to_what_was_shown(it: &Travelled) {
    let held = it.in_state("commitments", "held").await;
    assert!(held.len() > 10);
    let whole = it.whole(&held[0]).await;
    assert_eq!(whole["plan"]["action"], "create");
    assert_eq!(whole["reason"], "approval");
    assert_eq!(
        (&whole["target"], &whole["attempts"]),
        (&Value::Null, &json!(0))
    );
    let digest = text(&whole["plan"]["digest"]);
    let stale = it
        .act(&held[0], "approve", json!({"digest": "0".repeat(64)}), 409)
        .await;
    assert_eq!(stale["type"], "urn:ml-connector:problem:digest");
    assert_eq!(it.whole(&held[0]).await["state"], "held");
    let approved = it
        .act(&held[0], "approve", json!({"digest": digest}), 202)
        .await;
    assert_eq!(approved["state"], "pending");
    // Approved already: it does not wait for approval any more.
    it.act(&held[0], "approve", json!({}), 409).await;
    it.act(&held[0], "reject", json!({"reason": "late"}), 409)
        .await;

    let rejected = it
        .act(
            &held[1],
            "reject",
            json!({"reason": "The price is wrong."}),
            200,
        )
        .await;
    assert_eq!(
        (&rejected["state"], &rejected["reason"]),
        (&json!("failed"), &json!("rejected"))
    );
    assert_eq!(rejected["fault"]["class"], "rejected");
    assert_eq!(
        rejected["fault"]["issues"][0]["message"],
        "The price is wrong."
    );
    // Without a digest the current plan is approved; a body is not needed.
    it.act(&held[2], "approve", Value::Null, 202).await;
    it.settle().await;
    for record in [&held[0], &held[2]] {
        let whole = it.whole(record).await;
        assert_eq!(whole["state"], "succeeded", "{}", whole["explanation"]);
        assert!(whole["target"]["id"].is_string());
    }
    assert_eq!(it.whole(&held[0]).await["plan"]["digest"], digest);
    let trail = it
        .all(
            &format!("/api/v1/records/{}/audit", text(&held[0]["id"])),
            200,
        )
        .await;
    let approval = trail
        .iter()
        .find(|event| event["action"] == "record.approved")
        .unwrap();
    assert_eq!(approval["detail"]["digest"], digest);
    assert_eq!(approval["actor"]["kind"], "token");
}

async fn token(it: &Travelled, scopes: &[&str]) -> Api {
    let body = json!({"name": scopes.join(" "), "scopes": scopes});
    let made = it.api().post("/api/v1/tokens", body, 201).await;
    it.app.api().with_token(&text(&made["token"]))
}

async fn rights_are_asked_for(it: &Travelled) {
    let held = it.in_state("commitments", "held").await;
    let id = text(&held[0]["id"]);
    let (reads, operates, approves) = (
        token(it, &["read"]).await,
        token(it, &["operate"]).await,
        token(it, &["approve"]).await,
    );
    for act in ["retry", "replay", "ignore", "link"] {
        let path = format!("/api/v1/records/{id}/{act}");
        reads.post(&path, json!({}), 403).await;
        approves.post(&path, json!({}), 403).await;
    }
    for act in ["approve", "reject"] {
        let path = format!("/api/v1/records/{id}/{act}");
        reads.post(&path, json!({}), 403).await;
        operates.post(&path, json!({}), 403).await;
    }
    let none = json!({"pair": NOBODY});
    for (action, allowed, refused) in [
        ("retry", &operates, &approves),
        ("ignore", &operates, &approves),
        ("approve", &approves, &operates),
        ("reject", &approves, &operates),
    ] {
        let body = json!({"filter": none, "action": action, "reason": "because"});
        reads.post("/api/v1/records/bulk", body.clone(), 403).await;
        refused
            .post("/api/v1/records/bulk", body.clone(), 403)
            .await;
        let done = allowed.post("/api/v1/records/bulk", body, 202).await;
        assert_eq!(done, json!({"matched": 0}));
    }
    let told = it.all("/api/v1/audit?action=access.refused", 200).await;
    let lines: Vec<String> = told
        .iter()
        .map(|event| text(&event["detail"]["request_line"]))
        .collect();
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("POST /api/v1/records/")),
        "{lines:?}"
    );
    let path = format!("/api/v1/pairs/{}/runs", it.road.pair);
    reads.post(&path, json!({}), 403).await;
    approves.post(&path, json!({}), 403).await;
}

async fn bodies_are_checked(it: &Travelled) {
    let held = it.in_state("commitments", "held").await;
    let record = &held[0];
    let long = "x".repeat(501);
    for (act, body, pointer) in [
        ("reject", json!({}), "/reason"),
        ("reject", json!({"reason": "  "}), "/reason"),
        ("reject", json!({"reason": long}), "/reason"),
        ("reject", json!({"reason": ["x"]}), "/reason"),
        ("ignore", json!({"reason": {}}), "/reason"),
        ("approve", json!({"digest": true}), "/digest"),
        ("link", json!({}), "/target_id"),
        ("link", json!({"create": false}), "/target_id"),
        ("link", json!({"create": "yes"}), "/create"),
        ("link", json!({"target_id": "1", "create": true}), "/create"),
        ("link", json!({"target_id": " "}), "/target_id"),
    ] {
        let refused = it.act(record, act, body.clone(), 422).await;
        assert_eq!(pointers(&refused)[0], pointer, "{act} {body}");
    }
    it.act(record, "approve", json!(["x"]), 400).await;
    for (body, expected) in [
        (json!({}), vec!["/filter", "/action"]),
        (json!({"filter": {}, "action": "delete"}), vec!["/action"]),
        (json!({"filter": [], "action": "retry"}), vec!["/filter"]),
        (
            json!({"filter": {"states": "held"}, "action": "retry"}),
            vec!["/filter/states"],
        ),
        (
            json!({"filter": {"state": "heldd"}, "action": "retry"}),
            vec!["/filter/state"],
        ),
        (
            json!({"filter": {"state": {}}, "action": "retry"}),
            vec!["/filter/state"],
        ),
        (
            json!({"filter": {"updated_after": "soon"}, "action": "retry"}),
            vec!["/filter/updated_after"],
        ),
        (json!({"filter": {}, "action": "reject"}), vec!["/reason"]),
    ] {
        let refused = it
            .api()
            .post("/api/v1/records/bulk", body.clone(), 422)
            .await;
        assert_eq!(pointers(&refused), expected, "{body}");
    }
    assert_eq!(it.whole(record).await["state"], "held");
}

async fn what_needs_a_match_is_matched(it: &Travelled) {
    let review = it.in_state("vendors", "review").await;
    let by_name = |name: &str| {
        let found = review.iter().find(|record| record["counterparty"] == name);
        found.unwrap_or_else(|| panic!("{name} among {:?}", field(&review, "counterparty")))
    };
    let (linked, created) = (
        by_name("Sandstone Tile & Terrazzo"),
        by_name("ACME Steel, Limited"),
    );
    let candidates = it.whole(linked).await["candidates"].clone();
    let target_id = text(&candidates[0]["target_id"]);
    let done = it
        .act(linked, "link", json!({"target_id": target_id}), 202)
        .await;
    assert_eq!(done["state"], "pending");
    it.act(created, "link", json!({"create": true}), 202).await;
    it.settle().await;
    let whole = it.whole(linked).await;
    assert_eq!(
        (&whole["state"], &whole["target"]["id"]),
        (&json!("linked"), &json!(target_id))
    );
    assert_eq!(whole["links"][0]["matched_by"], "person");
    let whole = it.whole(created).await;
    assert_eq!(whole["state"], "succeeded", "{}", whole["explanation"]);
    // Synced by now: there is nothing to match or to put aside.
    it.act(linked, "link", json!({"target_id": target_id}), 409)
        .await;
    it.act(linked, "link", json!({"create": true}), 409).await;
    it.act(linked, "ignore", json!({}), 409).await;
    // The order that waited for the vendor goes on by itself.
    let order = &it.all("/api/v1/records?q=SC-25027-002", 200).await[0];
    assert_eq!(order["state"], "held", "{}", order["explanation"]);
}

async fn failed_records_are_retried_and_put_aside(it: &Travelled) {
    let failed = it.in_state("commitments", "failed").await;
    let rejected = failed
        .iter()
        .find(|record| record["reason"] == "rejected")
        .unwrap();
    let retried = it.act(rejected, "retry", json!({}), 202).await;
    assert_eq!(
        (&retried["state"], &retried["attempts"]),
        (&json!("pending"), &json!(0))
    );
    it.settle().await;
    assert_eq!(it.whole(rejected).await["state"], "held");
    let replayed = it.act(rejected, "replay", Value::Null, 202).await;
    assert_eq!(replayed["state"], "pending");
    it.settle().await;
    assert_eq!(it.whole(rejected).await["state"], "held");
    let aside = it
        .act(rejected, "ignore", json!({"reason": "Not ours."}), 200)
        .await;
    assert_eq!(aside["state"], "ignored");
    assert!(text(&aside["explanation"]).contains("Not ours."));
    it.run().await;
    assert_eq!(
        it.whole(rejected).await["state"],
        "ignored",
        "no listing brings it back"
    );
    it.act(rejected, "retry", json!({}), 202).await;
    it.settle().await;
    assert_eq!(it.whole(rejected).await["state"], "held");
}

async fn many_are_acted_on_at_once(it: &Travelled) {
    let bulk = |body: Value| async move {
        let done = it.api().post("/api/v1/records/bulk", body, 202).await;
        done["matched"].as_u64().unwrap()
    };
    let pair = it.road.pair;
    let held = it.in_state("commitments", "held").await;
    let one = text(&held[0]["number"]);
    let filter =
        json!({"pair": pair, "flow": "commitments", "state": ["held", "failed"], "q": one});
    let body = json!({"filter": filter, "action": "reject", "reason": "All wrong."});
    assert_eq!(bulk(body).await, 1);
    assert_eq!(
        it.whole(&held[0]).await["fault"]["issues"][0]["message"],
        "All wrong."
    );
    let failed = it.in_state("commitments", "failed").await.len();
    let body = json!({"filter": {"state": "failed"}, "action": "retry"});
    assert_eq!(bulk(body).await, u64::try_from(failed).unwrap());
    it.settle().await;
    let held = it.in_state("commitments", "held").await.len();
    // A filter without a state means those that the act is for.
    let body = json!({"filter": {"pair": pair}, "action": "approve"});
    assert_eq!(bulk(body.clone()).await, u64::try_from(held).unwrap());
    assert_eq!(bulk(body).await, 0);
    it.settle().await;
    assert_eq!(
        it.in_state("commitments", "held").await,
        Vec::<Value>::new()
    );
    let aside = it.in_state("commitments", "waiting").await.len()
        + it.in_state("commitments", "failed").await.len();
    let body =
        json!({"filter": {"flow": "commitments", "state": "waiting,failed"}, "action": "ignore"});
    assert_eq!(bulk(body).await, u64::try_from(aside).unwrap());
    assert_eq!(
        it.in_state("commitments", "waiting").await,
        Vec::<Value>::new()
    );
}

async fn nobody_acts_on_what_is_not_theirs(it: &Travelled) {
    let record = text(&it.all("/api/v1/records", 200).await[0]["id"]);
    for id in [record.as_str(), NOBODY, "not-an-id"] {
        for (act, body) in [
            ("retry", json!({})),
            ("replay", json!({})),
            ("ignore", json!({})),
            ("link", json!({"target_id": "1"})),
            ("approve", json!({})),
            ("reject", json!({"reason": "x"})),
        ] {
            it.other
                .api
                .post(&format!("/api/v1/records/{id}/{act}"), body, 404)
                .await;
        }
    }
    let before = it.all("/api/v1/records", 200).await;
    let body = json!({"filter": {"pair": it.road.pair}, "action": "retry"});
    let done = it.other.api.post("/api/v1/records/bulk", body, 202).await;
    assert_eq!(done["matched"], 0);
    assert_eq!(it.all("/api/v1/records", 200).await, before);
}
