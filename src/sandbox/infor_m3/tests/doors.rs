//! Who comes in, how often, and at which address.

use serde_json::json;

use super::bed::{Bed, read};

#[tokio::test(flavor = "multi_thread")]
async fn the_doors_are_in_order() {
    let mut bed = Bed::start().await;
    let refused = bed.ask_token("wrong").await;
    assert_eq!(
        (refused.status, &refused.body["error"]),
        (400, &json!("invalid_grant"))
    );
    let stranger = bed.post_form("ot", &[("grant_type", "password")]).await;
    assert_eq!(
        (stranger.status, &stranger.body["error"]),
        (401, &json!("invalid_client"))
    );

    assert_eq!(
        bed.mi("GENERAL/GetUserInfo", &[]).await.text("ZDCONO"),
        "100"
    );
    let known = std::mem::take(&mut bed.token);
    let nobody = bed.mi("GENERAL/GetUserInfo", &[]).await;
    assert_eq!(
        (nobody.status, &nobody.body["error"]),
        (401, &json!("Unauthorized"))
    );
    assert!(nobody.header("www-authenticate").contains("error"));
    bed.token = known;

    for path in [
        "OTHER_TST/M3/m3api-rest",
        "DEMO_TST/M4/x",
        "DEMO_TST/M3/other",
    ] {
        let url = format!(
            "{}/{path}/v2/execute/GENERAL/GetUserInfo",
            bed.running.url()
        );
        let lost = read(bed.client.get(url).bearer_auth(&bed.token))
            .await
            .unwrap();
        assert_eq!(lost.status, 404, "{path}");
    }

    bed.control("clock", json!({"advance_seconds": 7201})).await;
    assert_eq!(bed.mi("GENERAL/GetUserInfo", &[]).await.status, 401);
    bed.sign_in().await;
    bed.control("faults", json!({"kind": "expire_token"})).await;
    assert_eq!(bed.mi("GENERAL/GetUserInfo", &[]).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_refreshed_revoked_and_rationed() {
    let mut bed = Bed::start().await;
    bed.control(
        "settings",
        json!({"refresh_tokens": true, "token_seconds": 60}),
    )
    .await;
    let first = bed.ask_token(bed.part("sask")).await;
    assert_eq!(first.body["expires_in"], 60);
    let refresh = first.body["refresh_token"].as_str().unwrap();
    let again = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let url = format!("{}{}", bed.part("pu"), bed.part("ot"));
    let asked = bed.client.post(&url).form(&again);
    let asked = asked.basic_auth(bed.part("ci"), Some(bed.part("cs")));
    let renewed = read(asked).await.unwrap();
    assert_eq!(renewed.status, 200);
    assert!(renewed.body["refresh_token"].is_null());

    let token = renewed.body["access_token"].as_str().unwrap().to_owned();
    bed.token.clone_from(&token);
    assert_eq!(bed.mi("GENERAL/GetUserInfo", &[]).await.status, 200);
    let client = [
        ("client_id", bed.part("ci")),
        ("client_secret", bed.part("cs")),
    ];
    let form = [&client[..], &[("token", token.as_str())]].concat();
    assert_eq!(bed.post_form("or", &form).await.status, 200);
    assert_eq!(bed.mi("GENERAL/GetUserInfo", &[]).await.status, 401);

    bed.control("clock", json!({"frozen": true})).await;
    bed.control(
        "settings",
        json!({"logins_per_minute": 3, "tokens_per_day": 6}),
    )
    .await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(bed.ask_token(bed.part("sask")).await.status);
    }
    // Two of this minute's log-ins were used above.
    assert_eq!(
        statuses.iter().filter(|status| **status == 429).count(),
        3,
        "{statuses:?}"
    );
    bed.control("clock", json!({"advance_seconds": 61})).await;
    assert_eq!(bed.ask_token(bed.part("sask")).await.status, 200);
    bed.control(
        "settings",
        json!({"calls_per_minute": 2, "retry_after_on_429": true}),
    )
    .await;
    bed.sign_in().await;
    assert_eq!(bed.mi("GENERAL/GetUserInfo", &[]).await.status, 200);
    assert_eq!(bed.mi("GENERAL/GetUserInfo", &[]).await.status, 200);
    let refused = bed.mi("GENERAL/GetUserInfo", &[]).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "60"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_tells_this_address() {
    let bed = Bed::start().await;
    assert_eq!(bed.look("infor_m3/ionapi").await, bed.file);
    assert_eq!(bed.part("iu"), bed.running.url());
    assert!(bed.part("saak").starts_with("DEMO_TST#"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_manners_are_told_by_program_and_transaction() {
    let bed = Bed::start().await;
    let (message, _) = bed.enter("PROCORE", json!({})).await;
    let on = json!({"program": "PPS370MI", "transaction": "FinishEntry"});
    bed.control(
        "faults",
        json!({"kind": "status", "status": 504, "applied": true, "match": on}),
    )
    .await;
    let lost = bed
        .write("PPS370MI", "FinishEntry", json!({"MSGN": message}))
        .await;
    assert_eq!(
        (lost.status, lost.header("content-type")),
        (504, "text/html")
    );
    assert_eq!(bed.batch(&message).await["status"], "20");
    let on = json!({"program": "GENERAL"});
    bed.control(
        "faults",
        json!({"kind": "throttle", "retry_after": 4, "match": on}),
    )
    .await;
    let refused = bed.mi("GENERAL/GetServerTime", &[]).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "4"));

    bed.control("settings", json!({"padded": true, "decimal_comma": true}))
        .await;
    let path = "/execute/CRS620MI/GetBasicData;returncols=SUNM";
    let padded = bed.get(path, &[("SUNO", "20003")]).await;
    let value = padded.body["MIRecord"][0]["NameValue"][0]["Value"]
        .as_str()
        .unwrap();
    assert_eq!(value.len(), 36);
    // One field comes alone instead of in a list.
    assert_eq!(padded.body["Metadata"]["Field"]["@name"], "SUNM");
    let trimmed = bed
        .get(
            "/v2/execute/CRS620MI/GetBasicData;righttrim=true",
            &[("SUNO", "20003")],
        )
        .await;
    assert_eq!(trimmed.text("SUNM"), "Granite Ready-Mix LLC");
    bed.control("reset", json!({})).await;
    assert_eq!(bed.mi("GENERAL/GetServerTime", &[]).await.status, 401);
}
