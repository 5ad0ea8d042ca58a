//! Logging in, testing a connection, and looking mapping rows up.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_good_connection_is_well_in_every_step() {
    let bed = bed();
    let steps = bed.probe(&["vendors", "commitments"]).await;
    let bad: Vec<_> = steps.iter().filter(|step| !step.ok).collect();
    assert!(bad.is_empty(), "{bad:?}");
    let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names.first(), Some(&"company"));
    assert!(names.contains(&"permission:PPS370MI") && names.contains(&"permission:CRS620MI"));
    assert_eq!(names[names.len() - 2..], ["defaults", "sample_read"]);
    assert!(
        steps
            .iter()
            .all(|step| step.hint.is_none() && !step.detail.is_empty())
    );
    assert_eq!(bed.logins.count(), 1);
    let ledger = bed.desk.get("/_sandbox/ledger", 200).await;
    assert_eq!(ledger["data"], json!([]), "a test writes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_connection_is_named_with_a_hint() {
    let bed = bed_with(&[("facility", "X99"), ("supplier_template", "NOPE")]);
    switch(
        &bed,
        json!({"withheld": ["EXPORTMI"], "missing": ["PPS370MI/AddAccString"]}),
    )
    .await;
    let steps = bed.probe(&["commitments"]).await;
    let step = |name: &str| steps.iter().find(|step| step.name == name).unwrap().clone();
    let defaults = step("defaults");
    assert!(!defaults.ok && defaults.detail.contains("X99") && defaults.detail.contains("NOPE"));
    let entry = step("permission:PPS370MI");
    assert!(
        !entry.ok && entry.detail.contains("AddAccString"),
        "{entry:?}"
    );
    assert!(step("permission:EXPORTMI").ok, "it can be done without");
    let blind = bed_with(&[("purchaser", "")]);
    switch(&blind, json!({"missing": ["EXPORTMI", "PPSSPPMI"]})).await;
    let lookups = blind.probe(&["commitments"]).await;
    let last = lookups
        .iter()
        .rfind(|step| step.name == "permission:PPSSPPMI")
        .unwrap();
    assert!(!last.ok, "{last:?}");
    assert!(
        !steps.iter().any(|step| step.name == "permission:CRS111MI"),
        "only what the flows call"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_company_or_division_is_named_with_the_right_ones() {
    let steps = bed_with(&[("divi", "ZZZ")]).probe(&["vendors"]).await;
    let hint = steps[0].hint.as_deref().unwrap();
    assert!(
        !steps[0].ok && steps[0].name == "company" && hint.contains(DIVI),
        "{hint}"
    );
    let steps = bed_with(&[("cono", "999"), ("divi", "")])
        .probe(&["vendors"])
        .await;
    assert!(!steps[0].ok && steps[0].hint.is_some(), "{:?}", steps[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_is_renewed_once_and_a_limit_slows_the_line() {
    let bed = bed();
    let draft = order_draft(&bed, &three_lines("13"));
    arm(
        &bed,
        json!({"kind": "expire_token", "match": {"program": "PPS370MI", "transaction": "AddLine"}}),
    )
    .await;
    place(&bed, &draft).await;
    assert_eq!(bed.logins.count(), 2);
    assert_eq!(writes_of(&bed, "PPS370MI/AddLine").await.len(), 3);

    let other = three_lines("14");
    let draft = order_draft(&bed, &other);
    arm(
        &bed,
        json!({"kind": "throttle", "retry_after": 7, "match": {"program": "PPS370MI"}}),
    )
    .await;
    let fault = orders()
        .step(&bed.session, &draft, &Progress::start())
        .await
        .unwrap_err();
    assert!(
        matches!(fault, Fault::RateLimited { retry_after, .. } if retry_after.as_secs() == 7),
        "{fault:?}"
    );
    let again = orders()
        .step(&bed.session, &draft, &Progress::start())
        .await
        .unwrap_err();
    assert_eq!(again.class(), "rate_limited");
    assert_eq!(writes_of(&bed, "PPS370MI/StartEntry").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_log_in_says_what_to_do() {
    let bed = bed();
    let file = bed.desk.get("/_sandbox/infor_m3/ionapi", 200).await;
    let mut wrong = file;
    wrong["sask"] = json!("canary-wrong");
    let running = infor_m3::start(Options::default()).unwrap();
    for address in ["iu", "pu"] {
        let path = if address == "iu" {
            String::new()
        } else {
            format!("/{}/as/", infor_m3::TENANT)
        };
        wrong[address] = json!(format!("{}{path}", running.url()));
    }
    let settings = [("cono", CONO), ("requests_per_minute", "0")];
    let refused = Bed::new(
        &CONNECTOR,
        running,
        &settings,
        &[("ionapi", &wrong.to_string())],
    );
    let fault = refused.session.tokens.current().await.unwrap_err();
    assert_eq!(fault.class(), "auth");
    assert!(!fault.to_string().contains("canary"));
}

#[tokio::test(flavor = "multi_thread")]
async fn mapping_rows_are_looked_up_in_m3() {
    let bed = bed();
    let verdicts = async |kind, rows: Vec<Row>| -> Vec<Verdict> {
        let verifies = CONNECTOR.verifies.unwrap();
        verifies.verify(&bed.session, kind, &rows).await.unwrap()
    };
    let erp = |cells: &[(&str, &str)]| row(&[], cells);
    let codes_of = |verdict: &Verdict| -> Vec<(String, String)> {
        verdict
            .issues
            .iter()
            .map(|issue| (issue.field.clone(), issue.code.clone()))
            .collect()
    };
    let want = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(field, code)| ((*field).to_owned(), (*code).to_owned()))
            .collect()
    };

    let accounts = verdicts(
        MappingKind::CostCodes,
        vec![
            erp(&[("ait1", "50320"), ("ait2", "4200")]),
            erp(&[("ait1", "50320")]),
            erp(&[("ait1", "99999"), ("ait2", "4200")]),
            erp(&[("ait1", "51620"), ("ait2", "4200")]),
        ],
    )
    .await;
    assert_eq!(codes_of(&accounts[0]), []);
    assert!(!accounts[0].found.is_empty());
    assert_eq!(codes_of(&accounts[1]), want(&[("ait2", "demanded")]));
    assert_eq!(codes_of(&accounts[2]), want(&[("ait1", "not_in_erp")]));
    assert_eq!(codes_of(&accounts[3]), want(&[("ait1", "closed")]));

    for (kind, good, bad, column) in [
        (MappingKind::Items, ("item", "PCMATL"), "NOPE", "item"),
        (
            MappingKind::Vendors,
            ("supplier", SUPPLIER),
            "NOPE",
            "supplier",
        ),
        (MappingKind::PaymentTerms, ("code", "30"), "77", "code"),
        (MappingKind::Currencies, ("code", "CAD"), "XYZ", "code"),
        (
            MappingKind::Projects,
            ("facility", "C01"),
            "X99",
            "facility",
        ),
        (
            MappingKind::Projects,
            ("warehouse", WAREHOUSE),
            "X99",
            "warehouse",
        ),
    ] {
        let found = verdicts(kind, vec![erp(&[good]), erp(&[(good.0, bad)])]).await;
        assert_eq!(codes_of(&found[0]), [], "{kind}");
        assert_eq!(
            codes_of(&found[1]),
            want(&[(column, "not_in_erp")]),
            "{kind}"
        );
    }
    let other = verdicts(MappingKind::Projects, vec![erp(&[("cono", "200")])]).await;
    assert_eq!(codes_of(&other[0]), want(&[("cono", "other_company")]));
    let units = verdicts(
        MappingKind::Units,
        vec![erp(&[("code", "EA")]), erp(&[("code", "EACH")])],
    )
    .await;
    assert_eq!(
        (codes_of(&units[0]).len(), codes_of(&units[1]).len()),
        (0, 1)
    );
}
