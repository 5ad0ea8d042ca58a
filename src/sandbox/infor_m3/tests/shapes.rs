//! What answers look like, and how inputs are checked.

use serde_json::json;

use super::bed::{Answer, Bed};

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_answer_in_their_own_shapes() {
    let bed = Bed::start().await;
    let supplier = [("SUNO", "20003")];
    let path = "/v2/execute/CRS620MI/GetBasicData;returncols=SUNO,SUNM,CFI1,CFI2";
    let new = bed.get(path, &supplier).await;
    assert_eq!(
        new.body,
        json!({
            "results": [{"transaction": "GetBasicData", "records":
                [{"SUNO": "20003", "SUNM": "Granite Ready-Mix LLC", "CFI1": "", "CFI2": "0"}]}],
            "wasTerminated": false,
            "nrOfSuccessfullTransactions": 1,
            "nrOfFailedTransactions": 0,
        })
    );
    let short = bed
        .get(&format!("{path};excludempty=true"), &supplier)
        .await;
    assert!(short.records()[0].get("CFI1").is_none());

    let old = bed
        .old("CRS620MI/GetBasicData;returncols=SUNO,STAT", &supplier)
        .await;
    assert_eq!(old.body["Program"], "CRS620MI");
    assert_eq!(old.body["Metadata"]["Field"][0]["@length"], "10");
    assert_eq!(
        old.body["MIRecord"],
        json!([{"RowIndex": 0, "NameValue":
            [{"Name": "SUNO", "Value": "20003"}, {"Name": "STAT", "Value": "20"}]}])
    );

    let refused = bed.mi("CRS620MI/GetBasicData", &[("SUNO", "nope")]).await;
    assert_eq!(
        (refused.status, refused.refusal()),
        (400, ("WSU0103", "SUNO"))
    );
    let result = &refused.body["results"][0];
    assert_eq!(result["errorType"], "ServerReturnedNOK");
    assert_eq!(
        result["errorMessage"],
        "Supplier number NOPE does not exist"
    );
    bed.control("settings", json!({"v2_errors_in_200": true}))
        .await;
    let refused = bed.mi("CRS620MI/GetBasicData", &[("SUNO", "nope")]).await;
    assert_eq!(
        (refused.status, refused.refusal()),
        (200, ("WSU0103", "SUNO"))
    );
    let refused = bed.old("CRS620MI/GetBasicData", &[("SUNO", "nope")]).await;
    assert_eq!(
        (refused.status, &refused.body["@code"]),
        (200, &json!("WSU0103"))
    );
    assert!(refused.body["Message"].as_str().unwrap().ends_with("   "));

    let unknown = bed.mi("PPS200MI/AddHead", &[]).await;
    assert_eq!(
        (unknown.status, &unknown.body["wasTerminated"]),
        (400, &json!(true))
    );
    assert_eq!(unknown.body["terminationErrorType"], "TransactionNotFound");
    let unknown = bed.old("PPS200MI/AddHead", &[]).await;
    assert_eq!(unknown.body["@type"], "TransactionNotFound");

    bed.control("settings", json!({"v2": false})).await;
    assert_eq!(bed.mi("GENERAL/GetUserInfo", &[]).await.status, 404);
    assert_eq!(bed.old("GENERAL/GetUserInfo", &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_call_keeps_its_order_and_does_not_roll_back() {
    let bed = Bed::start().await;
    let (message, order) = bed.enter("PROCORE", json!({})).await;
    let line = |item: &str| {
        json!({"transaction": "AddLine", "selectedColumns": ["PNLI"],
            "record": {"MSGN": message, "PUNO": order, "ITNO": item, "ORQA": 1}})
    };
    let body = json!({"program": "PPS370MI", "cono": 100, "divi": "AAA",
        "transactions": [line("PCMATL"), line("NOITEM"), {"transaction": "AddNothing"}, line("PCMATL")]});
    let answer = bed.bulk(&body).await;
    assert_eq!(
        (answer.status, &answer.body["wasTerminated"]),
        (400, &json!(true))
    );
    let results = answer.body["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    assert_eq!(results[0]["records"], json!([{"PNLI": "2"}]));
    assert_eq!(results[1]["errorCode"], "WIT0103");
    assert_eq!(answer.body["nrOfSuccessfullTransactions"], 1);
    assert_eq!(answer.body["nrOfFailedTransactions"], 2);
    let two = json!({"program": "PPS370MI", "transactions": [line("PCMATL"), line("NOITEM")]});
    let next = bed.bulk(&two).await;
    assert_eq!(
        (next.status, &next.body["results"][0]["records"][0]["PNLI"]),
        (200, &json!("3"))
    );
    let unreadable = bed.bulk(&json!({"program": 7})).await;
    assert_eq!(unreadable.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_and_companies_are_checked() {
    let bed = Bed::start().await;
    let kind = |answer: &Answer| {
        answer.body["results"][0]["errorType"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let bare = bed.mi("CRS620MI/GetBasicData", &[("SUNO", " ")]).await;
    assert_eq!(
        (kind(&bare).as_str(), bare.refusal().1),
        ("MandatoryInputFieldNotFound", "SUNO")
    );
    let long = bed
        .mi("CRS620MI/GetBasicData", &[("SUNO", "12345678901")])
        .await;
    assert_eq!(kind(&long), "InputFieldTooLong");
    let number = bed
        .mi("CRS620MI/LstSuppliers", &[("LMTS", "yesterday")])
        .await;
    assert_eq!(number.refusal(), ("XNU0000", "LMTS"));
    let path = "/v2/execute/CRS620MI/GetBasicData";
    let foreign = bed.get(path, &[("SUNO", "20003"), ("cono", "200")]).await;
    assert_eq!(foreign.refusal(), ("XAU0008", "CONO"));
    let foreign = bed.get(path, &[("SUNO", "20003"), ("divi", "BBB")]).await;
    assert_eq!(foreign.refusal(), ("XRE0103", "DIVI"));
    let without = bed
        .get(path, &[("SUNO", "20003"), ("_rid", "1"), ("XYZW", "1")])
        .await;
    assert_eq!(without.text("CONO"), "100");
}
