//! Commitments: translation by fixtures, the cost of a read, what a lost one means.

use serde_json::{Value, json};

use super::fixture;
use super::script::{self, answer};
use crate::connectors::procore::order::{Orders, translated, version};
use crate::contract::{ListScope, Lists, Reads, SourceKey};

#[test]
fn every_order_is_translated_or_explained() {
    fixture::check("order", translated);
}

fn whole_order() -> Value {
    let text = include_str!("../../../../tests/fixtures/procore/order/unit_contract.json");
    serde_json::from_str(text).unwrap()
}

/// Every place in a value, as a pointer.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), value))
            .collect(),
        Value::Array(items) => (0..)
            .zip(items)
            .map(|(at, value): (usize, _)| (at.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    for (name, value) in inner {
        let at = format!("{at}/{name}");
        places(value, &at, found);
        found.push(at);
    }
}

#[test]
fn no_mutation_changes_an_amount_unseen() {
    let whole = whole_order();
    let right = translated(&whole).unwrap();
    let mut all = Vec::new();
    places(&whole, "", &mut all);
    assert!(all.len() > 100);
    let spoiled = [
        Value::Null,
        json!({}),
        json!([]),
        json!(true),
        json!("99999999999999999999999999999999"),
        json!("twelve"),
        json!(""),
    ];
    for place in &all {
        for value in &spoiled {
            let mut mutated = whole.clone();
            *mutated.pointer_mut(place).unwrap() = value.clone();
            if let Ok(order) = translated(&mutated) {
                assert_eq!(order.total, right.total, "{place} {value}");
                let lost = place == "/lines";
                assert!(
                    lost || order.lines_total() == right.lines_total(),
                    "{place} {value}"
                );
            }
        }
    }
    for name in ["id", "number", "status", "grand_total"] {
        let mut mutated = whole.clone();
        mutated["head"].as_object_mut().unwrap().remove(name);
        assert_eq!(translated(&mutated).unwrap_err().len(), 1, "{name}");
    }
    for name in ["id", "amount"] {
        let mut mutated = whole.clone();
        mutated["lines"][0].as_object_mut().unwrap().remove(name);
        assert_eq!(translated(&mutated).unwrap_err().len(), 1, "{name}");
    }
}

const COUNTED: [(&str, &str); 2] = [("total", "1"), ("per-page", "500")];

fn key(place: &str) -> SourceKey {
    SourceKey {
        id: "9930001".to_owned(),
        place: place.to_owned(),
    }
}

#[tokio::test]
async fn an_order_costs_its_head_and_its_pages() {
    let whole = whole_order();
    let (session, script) = script::session([
        answer(200, &[], &whole["head"].to_string()),
        answer(200, &COUNTED, &whole["lines"].to_string()),
    ]);
    let read = Orders.read(&session, &key("316001/purchase_order")).await;
    let read = read.unwrap().unwrap();
    assert_eq!(read.record, translated(&read.raw).unwrap());
    assert_eq!(read.record.lines_total(), read.record.total);
    let row = whole["head"].as_object().unwrap();
    assert_eq!(read.version, version(row));
    let wanted = [
        "/base/rest/v1.0/purchase_order_contracts/9930001?project_id=316001",
        "/base/rest/v1.0/purchase_order_contracts/9930001/line_items?project_id=316001&page=1&per_page=500",
    ];
    assert_eq!(script.paths(), wanted);
}

#[tokio::test]
async fn what_lines_point_at_is_asked_once() {
    let mut whole = whole_order();
    whole["lines"][0]["cost_code"]["biller_type"] = json!("SubJob");
    whole["lines"][0]["cost_code"]["biller_id"] = json!(4411);
    whole["lines"][0]["tax_code_id"] = json!(61_001);
    whole["head"]["currency_configuration"] = Value::Null;
    let (head, lines) = (whole["head"].to_string(), whole["lines"].to_string());
    let (session, script) = script::session([
        answer(200, &[], &head),
        answer(200, &COUNTED, &lines),
        answer(
            200,
            &COUNTED,
            r#"[{"id":4411,"code":"SJ-01","name":"North"}]"#,
        ),
        answer(403, &[], r#"{"errors":"No"}"#),
        answer(
            200,
            &[],
            r#"{"id":316001,"currency_configuration":{"currency_iso_code":"CAD"}}"#,
        ),
        answer(200, &[], &head),
        answer(200, &COUNTED, &lines),
        answer(403, &[], r#"{"errors":"No"}"#),
    ]);
    for _ in 0..2 {
        let read = Orders.read(&session, &key("316001/purchase_order")).await;
        let order = read.unwrap().unwrap().record;
        let line = order.lines.first().unwrap();
        assert_eq!(line.coding.sub_job, "SJ-01");
        assert_eq!(line.tax_code.as_deref(), Some("61001"));
        assert_eq!(order.currency.unwrap().as_str(), "CAD");
    }
    assert_eq!(script.paths().len(), 8);
}

#[tokio::test]
async fn gone_is_told_from_hidden() {
    let deleted = r#"{"id":1,"deleted_at":"2026-02-01T00:00:00Z"}"#;
    let gone = || answer(404, &[], r#"{"errors":"Not Found"}"#);
    let table = [
        (vec![answer(200, &[], deleted)], Ok(())),
        (vec![gone(), answer(200, &[], r#"[{"id":2}]"#)], Ok(())),
        (vec![gone(), answer(200, &[], "[]")], Err("missing")),
        (vec![gone(), gone()], Err("missing")),
        (vec![gone(), answer(403, &[], "")], Err("missing")),
        (vec![gone(), answer(500, &[], "")], Err("transient")),
        (vec![answer(403, &[], "")], Err("auth")),
    ];
    for (answers, wanted) in table {
        let (session, _) = script::session(answers);
        let read = Orders.read(&session, &key("316001/subcontract")).await;
        match (read, wanted) {
            (Ok(read), Ok(())) => assert!(read.is_none()),
            (Err(fault), Err(class)) => assert_eq!(fault.class(), class),
            (read, wanted) => panic!("{wanted:?}: {read:?}"),
        }
    }
}

#[tokio::test]
async fn every_list_of_every_project_is_gone_through() {
    let more = [("total", "3"), ("per-page", "2")];
    let (session, script) = script::session([
        answer(200, &more, r#"[{"id":1},{"id":2}]"#),
        answer(200, &more, r#"[{"id":3}]"#),
        answer(200, &[], "[]"),
        answer(200, &[], r#"[{"id":"4"}]"#),
        answer(200, &[], "[]"),
    ]);
    let scope = ListScope {
        projects: vec!["7".to_owned(), "8".to_owned()],
        ..ListScope::default()
    };
    let (mut found, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = Orders
            .changed(&session, &scope, after.as_deref())
            .await
            .unwrap();
        let keys = page
            .rows
            .into_iter()
            .map(|seen| format!("{} {}", seen.key.place, seen.key.id));
        found.extend(keys);
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let wanted = [
        "7/purchase_order 1",
        "7/purchase_order 2",
        "7/purchase_order 3",
        "8/purchase_order 4",
    ];
    assert_eq!(found, wanted);
    assert_eq!(script.paths().len(), 5);
    let nowhere = Orders.changed(&session, &ListScope::default(), None).await;
    assert!(nowhere.unwrap().next.is_none());
}

#[tokio::test]
async fn a_hidden_project_does_not_keep_the_others_back() {
    let hidden = || answer(404, &[], "");
    let answers = [
        hidden(),
        hidden(),
        answer(200, &[], r#"[{"id":4}]"#),
        answer(200, &[], "[]"),
    ];
    let (session, script) = script::session(answers);
    let projects = ["7", "8", "Harbor"];
    let scope = ListScope {
        projects: projects.map(str::to_owned).to_vec(),
        ..ListScope::default()
    };
    let (mut found, mut after) = (0, None::<String>);
    let fault = loop {
        match Orders.changed(&session, &scope, after.as_deref()).await {
            Ok(page) => {
                found += page.rows.len();
                after = Some(page.next.unwrap());
            }
            Err(fault) => break fault,
        }
    };
    assert_eq!((found, script.paths().len()), (1, 4));
    assert_eq!(
        (fault.class(), fault.code()),
        ("missing", "project_not_visible")
    );
    assert!(fault.to_string().contains("not shown: Harbor, 7."));

    // All of them hidden: the right to commitments is what is missing.
    let (session, _) = script::session([answer(403, &[], ""), answer(403, &[], "")]);
    let scope = ListScope {
        projects: vec!["7".to_owned()],
        ..ListScope::default()
    };
    let page = Orders.changed(&session, &scope, None).await.unwrap();
    let page = Orders
        .changed(&session, &scope, page.next.as_deref())
        .await
        .unwrap();
    let end = Orders.changed(&session, &scope, page.next.as_deref()).await;
    assert_eq!(end.unwrap_err().class(), "auth");
}
