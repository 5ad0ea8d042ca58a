//! Sending, paging and what becomes of spoiled answers.

use serde_json::{Value, json};

use super::script::{self, answer};
use crate::connectors::procore::client::{Ask, Client, token_url};
use crate::contract::ListScope;
use crate::domain::records::OrderKind;

fn rows(ids: std::ops::Range<i64>) -> String {
    let rows: Vec<Value> = ids.map(|id| json!({ "id": id })).collect();
    Value::Array(rows).to_string()
}

#[tokio::test]
async fn addresses_are_joined_and_encoded() {
    let (session, script) = script::session([answer(200, &[], "[]")]);
    let client = Client::of(&session).unwrap();
    let scope = ListScope {
        since: Some("2026-11-20T10:00:00.7Z".parse().unwrap()),
        until: "2026-11-20T11:00:00.2Z".parse().unwrap(),
        ..ListScope::default()
    };
    let ask = Ask::contracts(OrderKind::Subcontract, 316_001, &scope);
    client.page(&ask, 3).await.unwrap();
    let wanted = "/base/rest/v1.0/work_order_contracts?project_id=316001&view=extended\
        &filters%5Binclude_deleted%5D=with\
        &filters%5Bupdated_at%5D=2026-11-20T10%3A00%3A00Z...2026-11-21T11%3A00%3A01Z\
        &page=3&per_page=500";
    assert_eq!(script.paths(), [wanted]);
    let asked = script.asked.lock().unwrap();
    let company = ("Procore-Company-Id", "4280001".to_owned());
    assert!(
        asked
            .iter()
            .all(|request| request.headers.contains(&company))
    );
    assert_eq!(
        token_url(&session.settings).unwrap().as_str(),
        "https://login.example/oauth/token"
    );
}

#[tokio::test]
async fn a_whole_list_has_each_row_once() {
    let counted = [("total", "5"), ("per-page", "2")];
    let (session, script) = script::session([
        answer(200, &counted, &rows(1..3)),
        // A row moved from the page before while it was read.
        answer(200, &counted, &rows(2..4)),
        answer(200, &counted, &rows(4..6)),
    ]);
    let client = Client::of(&session).unwrap();
    let lines = client.all(&Ask::sub_jobs(7)).await.unwrap();
    assert_eq!(Value::Array(lines).to_string(), rows(1..6));
    assert_eq!(script.paths().len(), 3);
}

#[tokio::test]
async fn a_list_that_is_not_whole_is_no_list() {
    let counted = [("total", "5"), ("per-page", "3")];
    let pages = [
        answer(200, &counted, &rows(1..4)),
        answer(200, &counted, &rows(4..5)),
    ];
    let (session, _) = script::session(pages);
    let client = Client::of(&session).unwrap();
    let fault = client.all(&Ask::sub_jobs(7)).await.unwrap_err();
    assert_eq!((fault.class(), fault.code()), ("transient", "list_changed"));
}

#[tokio::test]
async fn repeated_pages_end_or_break() {
    let counted = [("total", "50"), ("per-page", "5")];
    let (session, _) = script::session([
        answer(200, &counted, &rows(1..6)),
        answer(200, &counted, &rows(1..6)),
    ]);
    let client = Client::of(&session).unwrap();
    let fault = client.all(&Ask::sub_jobs(7)).await.unwrap_err();
    assert_eq!(fault.code(), "endless_list");

    // Without any header the same answer twice is a list without pages.
    let (session, _) =
        script::session([answer(200, &[], &rows(1..6)), answer(200, &[], &rows(1..6))]);
    let client = Client::of(&session).unwrap();
    assert_eq!(client.all(&Ask::sub_jobs(7)).await.unwrap().len(), 5);
}

#[tokio::test]
async fn spoiled_bodies_are_faults() {
    for body in [
        "",
        "<html>Maintenance</html>",
        "{\"id\":1",
        "{}",
        "null",
        "7",
    ] {
        let (session, _) = script::session([answer(200, &[], body), answer(200, &[], body)]);
        let client = Client::of(&session).unwrap();
        let fault = client.page(&Ask::companies(), 1).await.unwrap_err();
        assert_eq!(fault.class(), "broken", "{body}");
        let fault = client.one(&Ask::vendor(1, "7")).await.unwrap_err();
        assert_eq!(fault.class(), "broken", "{body}");
    }
    let refused = r#"{"errors":"Down for maintenance"}"#;
    let (session, _) = script::session([answer(200, &[], refused)]);
    let client = Client::of(&session).unwrap();
    let fault = client.one(&Ask::vendor(1, "7")).await.unwrap_err();
    assert!(fault.to_string().contains("Down for maintenance"));
}

#[tokio::test]
async fn hidden_is_not_empty() {
    let hidden = || answer(404, &[], r#"{"errors":"Not Found"}"#);
    let (session, _) = script::session([hidden(), hidden()]);
    let client = Client::of(&session).unwrap();
    let fault = client.page(&Ask::companies(), 1).await.unwrap_err();
    assert_eq!((fault.class(), fault.code()), ("auth", "not_visible"));
    assert!(!client.shows_any(Ask::companies()).await.unwrap());
    let (session, _) = script::session([answer(401, &[], ""), answer(401, &[], "")]);
    let client = Client::of(&session).unwrap();
    assert!(client.shows_any(Ask::companies()).await.is_err());
}
