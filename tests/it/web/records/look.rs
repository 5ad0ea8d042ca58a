//! Looking: lists with their filters and pages, one record whole, its trail, cross-references.

use std::collections::BTreeSet;

use ml_connector::domain::pair::Approval;
use serde_json::{Value, json};

use super::{NOBODY, Travelled, field, pointers, text};
use crate::support::database::{TestDatabase, both};

both!(what_travelled_can_be_looked_at);

async fn what_travelled_can_be_looked_at(database: TestDatabase) {
    let it = Travelled::begin(database, Approval::Automatic).await;
    pages_lose_and_repeat_nothing(&it).await;
    filters_narrow(&it).await;
    wrong_filters_are_refused(&it).await;
    an_order_is_shown_whole(&it).await;
    trouble_is_shown_whole(&it).await;
    the_trail_is_one_chain(&it).await;
    cross_references_are_found_from_both_sides(&it).await;
    nothing_is_shown_to_another_tenant(&it).await;
    it.app.stop().await;
}

async fn pages_lose_and_repeat_nothing(it: &Travelled) {
    for path in [
        "/api/v1/records",
        "/api/v1/cross-references",
        "/api/v1/audit",
    ] {
        let whole = it.all(path, 200).await;
        assert!(whole.len() > 30, "{path}: {}", whole.len());
        let pieces = it.all(path, 7).await;
        assert_eq!(whole, pieces, "{path}");
        let once: BTreeSet<String> = whole.iter().map(Value::to_string).collect();
        assert_eq!(once.len(), whole.len(), "{path}");
    }
    let page = it.api().get("/api/v1/records", 200).await;
    assert_eq!(page["data"].as_array().unwrap().len(), 50);
    let first_seen: Vec<String> = field(&it.all("/api/v1/records", 200).await, "id")
        .iter()
        .map(|id| text(id))
        .collect();
    let mut newest_first = first_seen.clone();
    newest_first.sort();
    newest_first.reverse();
    assert_eq!(first_seen, newest_first);
}

async fn filters_narrow(it: &Travelled) {
    let pair = it.road.pair;
    let all = it.all("/api/v1/records", 200).await;
    let count = |query: &str| {
        let path = format!("/api/v1/records?{query}");
        async move { it.all(&path, 200).await }
    };
    assert_eq!(count(&format!("pair={pair}")).await.len(), all.len());
    assert_eq!(count(&format!("pair={NOBODY}")).await, Vec::<Value>::new());
    assert_eq!(count("flow=payments").await, Vec::<Value>::new());
    let vendors = count("flow=vendors").await;
    let orders = count("flow=commitments").await;
    assert_eq!(vendors.len() + orders.len(), all.len());
    assert!(
        field(&vendors, "flow")
            .iter()
            .all(|flow| *flow == "vendors")
    );
    let repeated = count("state=failed&state=waiting").await;
    assert_eq!(repeated, count("state=failed,waiting").await);
    assert_eq!(repeated, count("state=waiting,%20failed,failed").await);
    let states: BTreeSet<String> = field(&repeated, "state").iter().map(|s| text(s)).collect();
    assert_eq!(
        states.into_iter().collect::<Vec<_>>(),
        ["failed", "waiting"]
    );
    for (q, number) in [
        ("PO-24101-006", "PO-24101-006"),
        ("po-24101-006", "PO-24101-006"),
        ("sc-26003-002", "SC-26003-002"),
        ("%C3%89lectricit%C3%A9+Beaus%C3%A9jour", "SC-26003-002"),
        ("%C3%A9lectricit%C3%A9+beaus%C3%A9jour", "SC-26003-002"),
        ("ELECTRICIT%C3%89", ""),
    ] {
        let found = count(&format!("flow=commitments&q={q}")).await;
        let numbers = field(&found, "number");
        let wanted: Vec<Value> = Some(number)
            .filter(|n| !n.is_empty())
            .map(Value::from)
            .into_iter()
            .collect();
        assert_eq!(numbers, wanted.iter().collect::<Vec<_>>(), "{q}");
    }
    // What people type is looked for literally.
    for q in ["%25", "_", "%27", "%22%3B--", "\\"] {
        for row in count(&format!("q={q}")).await {
            let plain = row.to_string();
            let typed = match q {
                "%25" => "%",
                "%27" => "'",
                "_" => "_",
                _ => "no such thing",
            };
            assert!(plain.contains(typed), "{q}: {plain}");
        }
    }
    let latest = field(&all, "updated_at")
        .iter()
        .map(|at| text(at))
        .max()
        .unwrap();
    assert_eq!(
        count(&format!("updated_after={latest}")).await,
        Vec::<Value>::new()
    );
    let with_plus = count("updated_after=2020-01-01T00:00:00+01:00").await;
    assert_eq!(with_plus.len(), all.len());
}

async fn wrong_filters_are_refused(it: &Travelled) {
    let long = format!("/api/v1/records?q={}", "x".repeat(201));
    for (path, pointer) in [
        ("/api/v1/records?state=broken", "/state"),
        ("/api/v1/records?state=failed,broken", "/state"),
        ("/api/v1/records?limit=0", "/limit"),
        ("/api/v1/records?limit=201", "/limit"),
        ("/api/v1/records?limit=many", "/limit"),
        ("/api/v1/records?cursor=%25", "/cursor"),
        ("/api/v1/records?cursor=bm90LWFuLWlk", "/cursor"),
        ("/api/v1/records?updated_after=yesterday", "/updated_after"),
        (&long, "/q"),
        ("/api/v1/runs?limit=0", "/limit"),
        ("/api/v1/runs?cursor=bm90LWFuLWlk", "/cursor"),
        ("/api/v1/cross-references?cursor=bm90LWFuLWlk", "/cursor"),
        ("/api/v1/audit?from=yesterday", "/from"),
        ("/api/v1/audit?to=2026-13-01", "/to"),
        ("/api/v1/audit?cursor=bm90LWFuLWlk", "/cursor"),
    ] {
        let refused = it.api().get(path, 422).await;
        assert_eq!(pointers(&refused), [pointer], "{path}");
        assert_eq!(refused["status"], 422);
        assert!(refused["request_id"].is_string());
    }
    let both = it
        .api()
        .get("/api/v1/records?limit=0&cursor=%25", 422)
        .await;
    assert_eq!(pointers(&both), ["/limit", "/cursor"]);
}

const RECORD: [&str; 22] = [
    "amount",
    "attempts",
    "counterparty",
    "currency",
    "explanation",
    "fault",
    "first_seen_at",
    "flags",
    "flow",
    "id",
    "next_attempt_at",
    "number",
    "pair_id",
    "project",
    "reason",
    "run_id",
    "source",
    "state",
    "substate",
    "target",
    "updated_at",
    "waiting_for",
];

fn names(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names
}

async fn an_order_is_shown_whole(it: &Travelled) {
    let found = it
        .all(
            "/api/v1/records?flow=commitments&state=succeeded&q=PO-24101-001",
            200,
        )
        .await;
    let [order] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(names(order), RECORD);
    assert_eq!(order["amount"], "56265.70");
    assert_eq!(order["currency"], "USD");
    assert_eq!(order["source"]["system"], "procore");
    assert_eq!(order["source"]["entity"], "commitment");
    assert!(order["source"]["version"].is_string());
    assert_eq!(order["target"]["system"], "infor_m3");
    assert_eq!(order["target"]["entity"], "commitment");
    assert_eq!(
        (&order["fault"], &order["next_attempt_at"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(order["waiting_for"], json!([]));
    let whole = it.whole(order).await;
    for name in RECORD {
        assert_eq!(whole[name], order[name], "{name}");
    }
    assert!(whole["source_snapshot"].is_object() && whole["mapped"].is_object());
    assert_eq!(whole["plan"]["action"], "create");
    assert_eq!(text(&whole["plan"]["digest"]).len(), 64);
    let changes = whole["plan"]["changes"].as_array().unwrap();
    assert!(changes.len() > 5 && changes.iter().all(|change| change["from"].is_null()));
    assert_eq!(whole["candidates"], json!([]));
    links_of_the_order(it, &whole).await;
}

async fn links_of_the_order(it: &Travelled, whole: &Value) {
    let links = whole["links"].as_array().unwrap();
    let of = |entity: &str| -> Vec<&Value> {
        links
            .iter()
            .filter(|link| link["entity"] == entity)
            .collect()
    };
    let [own] = of("commitment")[..] else {
        panic!("{links:?}")
    };
    assert_eq!(own["source"]["id"], whole["source"]["id"]);
    assert_eq!(own["target"]["id"], whole["target"]["id"]);
    assert_eq!(own["record_id"], whole["id"]);
    assert_eq!(own["matched_by"], "created");
    let number = text(&whole["target"]["id"]);
    let lines = of("order_line");
    assert_eq!(lines.len(), 3);
    for line in lines {
        let parts: Vec<String> = text(&line["target"]["id"])
            .split('/')
            .map(str::to_owned)
            .collect();
        assert_eq!(
            (parts.len(), &parts[0], &parts[2]),
            (3, &number, &"0".to_owned())
        );
        assert!(
            text(&line["source"]["id"])
                .bytes()
                .all(|digit| digit.is_ascii_digit())
        );
        assert_eq!(line["record_id"], Value::Null);
    }
    let [vendor] = of("vendor")[..] else {
        panic!("{links:?}")
    };
    let path = format!("/api/v1/records/{}", text(&vendor["record_id"]));
    let record = it.api().get(&path, 200).await;
    assert_eq!(record["flow"], "vendors");
    assert_eq!(record["target"]["id"], vendor["target"]["id"]);
}

async fn trouble_is_shown_whole(it: &Travelled) {
    let failed = it.in_state("commitments", "failed").await;
    let fault = &failed[0]["fault"];
    assert_eq!(fault["class"], "rejected");
    assert!(fault["code"].is_string() && fault["message"].is_string());
    for issue in fault["issues"].as_array().unwrap() {
        assert_eq!(names(issue), ["code", "field", "message"]);
    }
    let waiting = it.in_state("commitments", "waiting").await;
    const KINDS: [&str; 10] = [
        "vendor",
        "order",
        "project",
        "cost_codes",
        "items",
        "tax_codes",
        "units",
        "dimension",
        "period",
        "batch",
    ];
    for record in &waiting {
        let waits = record["waiting_for"].as_array().unwrap();
        assert!(!waits.is_empty());
        for wait in waits {
            assert!(KINDS.contains(&text(&wait["kind"]).as_str()), "{wait}");
            assert!(!text(&wait["key"]).is_empty() && !text(&wait["label"]).is_empty());
        }
    }
    let unmapped = waiting
        .iter()
        .find(|record| record["number"] == "PO-24101-006")
        .unwrap();
    assert_eq!(unmapped["waiting_for"][0]["kind"], "cost_codes");
    assert_eq!(unmapped["waiting_for"][0]["key"], "99-999");
    let whole = it.whole(unmapped).await;
    assert_eq!(
        whole["plan"],
        json!({"action": "wait", "digest": null, "changes": []})
    );
    assert_eq!(whole["mapped"], Value::Null);
    let review = it.in_state("vendors", "review").await;
    let whole = it.whole(&review[0]).await;
    let candidates = whole["candidates"].as_array().unwrap();
    assert!(!candidates.is_empty());
    for candidate in candidates {
        assert_eq!(
            names(candidate),
            ["facts", "matched_by", "score", "target_id"]
        );
        assert_eq!(names(&candidate["facts"][0]), ["label", "value"]);
    }
    assert_eq!(whole["plan"]["action"], "review");
    let ignored = it.in_state("commitments", "ignored").await;
    assert!(
        ignored
            .iter()
            .all(|record| record["reason"] == "status_not_selected")
    );
}

async fn the_trail_is_one_chain(it: &Travelled) {
    let mut events = it.all("/api/v1/audit", 200).await;
    events.reverse();
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event["seq"], i64::try_from(at).unwrap() + 1);
        if let Some(next) = events.get(at + 1) {
            assert_eq!(next["prev_hash"], event["hash"]);
        }
        assert_eq!(
            names(event),
            [
                "action",
                "actor",
                "at",
                "detail",
                "hash",
                "prev_hash",
                "run_id",
                "seq",
                "subject"
            ]
        );
    }
    let order = &it
        .all("/api/v1/records?q=PO-24101-001&state=succeeded", 200)
        .await[0];
    let path = format!("/api/v1/records/{}/audit", text(&order["id"]));
    let trail = it.all(&path, 1).await;
    assert_eq!(trail, it.all(&path, 200).await);
    let actions: Vec<String> = field(&trail, "action")
        .iter()
        .map(|action| text(action))
        .collect();
    let at = |action: &str| actions.iter().position(|known| known == action);
    assert!(
        at("write.intent").unwrap() < at("write.confirmed").unwrap(),
        "{actions:?}"
    );
    for event in &trail {
        assert_eq!(
            event["subject"],
            json!({"kind": "record", "id": order["id"]})
        );
        assert_eq!(event["actor"]["kind"], "worker");
    }
    let confirmed = trail
        .iter()
        .find(|event| event["action"] == "write.confirmed")
        .unwrap();
    assert_eq!(confirmed["detail"]["target"], order["target"]["id"]);
    assert_eq!(
        confirmed["detail"]["digest"],
        it.whole(order).await["plan"]["digest"]
    );
    assert_eq!(confirmed["run_id"], order["run_id"]);

    let seqs = |events: &[Value]| {
        field(events, "seq")
            .into_iter()
            .cloned()
            .collect::<Vec<_>>()
    };
    let mut by_record = it
        .all(&format!("/api/v1/audit?record={}", text(&order["id"])), 200)
        .await;
    by_record.reverse();
    assert_eq!(seqs(&by_record), seqs(&trail));
    let by_action = it.all("/api/v1/audit?action=write.confirmed", 200).await;
    assert!(
        by_action.len() > 20
            && by_action
                .iter()
                .all(|event| event["action"] == "write.confirmed")
    );
    let by_actor = it.all("/api/v1/audit?actor=worker", 200).await;
    assert!(
        by_actor
            .iter()
            .all(|event| event["actor"]["id"] == "worker")
    );
    assert_eq!(
        it.all("/api/v1/audit?to=2020-01-01", 200).await,
        Vec::<Value>::new()
    );
    let last = text(&events.last().unwrap()["at"]);
    let since = it.all(&format!("/api/v1/audit?from={last}"), 200).await;
    assert!(!since.is_empty() && since.len() < events.len());
}

async fn cross_references_are_found_from_both_sides(it: &Travelled) {
    let pair = it.road.pair.to_string();
    let all = it.all("/api/v1/cross-references", 200).await;
    let entities: BTreeSet<String> = field(&all, "entity")
        .iter()
        .map(|entity| text(entity))
        .collect();
    assert_eq!(
        entities.into_iter().collect::<Vec<_>>(),
        ["commitment", "order_line", "vendor"]
    );
    for link in &all {
        assert_eq!(
            names(link),
            [
                "created_at",
                "entity",
                "matched_by",
                "pair_id",
                "scope",
                "source",
                "target"
            ]
        );
        assert_eq!(link["pair_id"], pair);
        assert_eq!(names(&link["source"]), ["id", "system"]);
        assert!(text(&link["scope"]).ends_with("/100/AAA"), "{link}");
    }
    let one = &all[all.len() / 2];
    for query in [
        format!("source_id={}", text(&one["source"]["id"])),
        format!("target_id={}", text(&one["target"]["id"])),
        format!("pair={pair}&source_id={}", text(&one["source"]["id"])),
    ] {
        let query = format!(
            "/api/v1/cross-references?entity={}&{query}",
            text(&one["entity"])
        );
        assert_eq!(
            &it.all(&query, 200).await,
            std::slice::from_ref(one),
            "{query}"
        );
    }
    let nothing = it
        .all(&format!("/api/v1/cross-references?pair={NOBODY}"), 200)
        .await;
    assert_eq!(nothing, Vec::<Value>::new());
}

async fn nothing_is_shown_to_another_tenant(it: &Travelled) {
    let record = text(&it.all("/api/v1/records", 200).await[0]["id"]);
    let run = text(&it.all("/api/v1/runs", 200).await[0]["id"]);
    for path in [
        format!("/api/v1/records?pair={}", it.road.pair),
        format!("/api/v1/records?run={run}"),
        format!("/api/v1/runs?pair={}", it.road.pair),
        format!("/api/v1/cross-references?pair={}", it.road.pair),
        format!("/api/v1/audit?record={record}"),
    ] {
        let page = it.other.api.get(&path, 200).await;
        assert_eq!(page, json!({"data": [], "next_cursor": null}), "{path}");
    }
    for path in [
        format!("/api/v1/records/{record}"),
        format!("/api/v1/records/{record}/audit"),
        format!("/api/v1/runs/{run}"),
        format!("/api/v1/records/{NOBODY}"),
        "/api/v1/records/not-an-id".to_owned(),
        format!("/api/v1/records/{NOBODY}/audit"),
        format!("/api/v1/runs/{NOBODY}"),
    ] {
        it.other.api.get(&path, 404).await;
    }
}
