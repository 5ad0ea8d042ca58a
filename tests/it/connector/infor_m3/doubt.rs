//! Answers that are lost, spoiled, hostile, or in another spelling.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_finish_makes_one_order_however_it_was_lost() {
    for kind in ["reset_after", "reset_before"] {
        for origin in [BATCH_ORIGIN, WAITING_BATCH_ORIGIN] {
            let bed = bed_with(&[("batch_origin", origin)]);
            let order = three_lines("3");
            let draft = order_draft(&bed, &order);
            let (at, _) = walk(&bed, orders(), &draft, Progress::start(), "finish").await;
            assert_eq!(orders().upcoming(&draft, &at).weight, Weight::Final);
            arm(&bed, json!({"kind": kind, "match": finish_only()})).await;
            let fault = orders().step(&bed.session, &draft, &at).await.unwrap_err();
            assert_eq!(fault.class(), "ambiguous");
            pass(&bed, 600).await;
            let is_there = kind == "reset_after" && origin == BATCH_ORIGIN;
            let found = find_order(&bed, &draft, &order).await;
            assert_eq!(found != Found::None, is_there, "{kind} {origin}");
            // Asked again with the same message number: accepted, whatever had become of the first.
            let Step::More { at, .. } = orders().step(&bed.session, &draft, &at).await.unwrap()
            else {
                panic!("it goes on to the proof")
            };
            assert_eq!(at.next, "proof");
            pass(&bed, 600).await;
            bed.tell("infor_m3/batches/release", json!({})).await;
            done(orders().check(&bed.session, &draft, &at).await.unwrap());
            assert_eq!(writes_of(&bed, "PPS370MI/StartEntry").await.len(), 1);
            assert_eq!(writes_of(&bed, "PPS370MI/FinishEntry").await.len(), 1);
            assert_eq!(writes_of(&bed, "PPS370MI/DeleteEntry").await.len(), 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doubt_before_the_finish_is_taken_back() {
    let bed = bed();
    let draft = order_draft(&bed, &three_lines("4"));
    arm(&bed, json!({"kind": "reset_after", "skip": 1, "match": {"program": "PPS370MI", "transaction": "AddLine"}})).await;
    let (at, step) = walk(&bed, orders(), &draft, Progress::start(), "").await;
    assert_eq!(step.unwrap_err().class(), "ambiguous");
    assert_eq!((at.next.as_str(), at.index), ("line", 1));
    assert_eq!(orders().upcoming(&draft, &at).weight, Weight::Harmless);
    orders().undo(&bed.session, &at).await.unwrap();
    orders().undo(&bed.session, &at).await.unwrap();
    orders()
        .undo(&bed.session, &Progress::start())
        .await
        .unwrap();
    assert_eq!(writes_of(&bed, "PPS370MI/DeleteEntry").await.len(), 1);
    let batches = bed.desk.get("/_sandbox/infor_m3/batches", 200).await;
    assert_eq!(batches["data"], json!([]));
    assert!(place(&bed, &draft).await.target_id.len() == 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finish_that_is_refused_for_good_leaves_nothing_behind() {
    let bed = bed();
    let draft = order_draft(&bed, &three_lines("6"));
    let (at, _) = walk(&bed, orders(), &draft, Progress::start(), "finish").await;
    let refusal = json!({"results": [{"transaction": "FinishEntry", "errorMessage": "not now", "errorType":
        "ServerReturnedNOK", "errorCode": "XST0020", "errorField": "MSGN"}], "nrOfFailedTransactions": 1});
    arm(
        &bed,
        json!({"kind": "body", "status": 400, "body": refusal, "match": finish_only()}),
    )
    .await;
    let fault = orders().step(&bed.session, &draft, &at).await.unwrap_err();
    assert_eq!((fault.class(), fault.code()), ("rejected", "XST0020"));
    let batches = bed.desk.get("/_sandbox/infor_m3/batches", 200).await;
    assert_eq!(
        batches["data"],
        json!([]),
        "the unfinished batch was deleted"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn spoiled_answers_are_faults_and_never_a_success() {
    let bed = bed();
    let draft = order_draft(&bed, &three_lines("16"));
    let read = json!({"program": "CRS620MI", "transaction": "GetBasicData"});
    let start = json!({"program": "PPS370MI", "transaction": "StartEntry"});
    for (fault, on_read, on_write) in [
        (
            json!({"kind": "body", "body": "<h1>Maintenance</h1>"}),
            "broken",
            "ambiguous",
        ),
        (
            json!({"kind": "body", "body": "{\"results\": [", "cut": true}),
            "transient",
            "ambiguous",
        ),
        (json!({"kind": "body", "body": ""}), "broken", "ambiguous"),
        (
            json!({"kind": "body", "body": "{\"results\": []}"}),
            "transient",
            "ambiguous",
        ),
        (
            json!({"kind": "body", "body": {"unexpected": true}}),
            "broken",
            "ambiguous",
        ),
        (
            json!({"kind": "body", "bytes": 52_428_800}),
            "broken",
            "ambiguous",
        ),
        (
            json!({"kind": "body", "body": {"results": [], "wasTerminated": "true", "terminationReason": "x"}}),
            "transient",
            "ambiguous",
        ),
        (
            json!({"kind": "status", "status": 504, "body": "<html>Gateway Timeout</html>"}),
            "transient",
            "ambiguous",
        ),
        (
            json!({"kind": "status", "status": 503}),
            "transient",
            "ambiguous",
        ),
        (
            json!({"kind": "status", "status": 408}),
            "transient",
            "ambiguous",
        ),
        (
            json!({"kind": "status", "status": 302}),
            "broken",
            "ambiguous",
        ),
        (json!({"kind": "status", "status": 403}), "auth", "auth"),
        (
            json!({"kind": "delay", "ms": 4000}),
            "transient",
            "ambiguous",
        ),
    ] {
        let mut on = fault.clone();
        on["match"] = read.clone();
        arm(&bed, on).await;
        let met = orders().lacking(&bed.session, &draft).await.unwrap_err();
        assert_eq!(met.class(), on_read, "{fault} {met:?}");
        let mut on = fault.clone();
        on["match"] = start.clone();
        arm(&bed, on).await;
        let met = orders()
            .step(&bed.session, &draft, &Progress::start())
            .await
            .unwrap_err();
        assert_eq!(met.class(), on_write, "{fault} {met:?}");
    }
    let exchanges = bed.session.take_exchanges();
    assert!(!format!("{exchanges:?}").contains("sandbox-m3-secret-key"));
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_texts_arrive_as_one_literal_value() {
    let bed = bed();
    for (key, name) in [
        ("201", "Robert'); DROP TABLE suppliers;--"),
        ("202", "a&SUNO=X?b#c%00/../d"),
        ("203", "<script>alert(1)</script>"),
        ("204", "=SUM(A1) $filter eq 'x'"),
        ("205", "Line\r\nX-Evil: 1"),
        ("206", "大阪計器工業 ☀️ \u{202e}gnp"),
    ] {
        let draft = vendor_draft(&bed, &vendor(key, name));
        find_vendor(&bed, &draft).await;
        let (_, step) = walk(&bed, suppliers(), &draft, Progress::start(), "").await;
        done(step.unwrap());
        let made = writes_of(&bed, "CRS620MI/UpdSupplier").await;
        assert_eq!(made.last().unwrap()["SUNM"], name);
    }
    let mut order = three_lines("15");
    order.number = "PO'; x=1 & <b>".to_owned();
    order.lines[0].description = "50% \"off\" / & + = ?\r\n#".to_owned();
    let draft = order_draft(&bed, &order);
    assert_eq!(find_order(&bed, &draft, &order).await, Found::None);
    place(&bed, &draft).await;
    let lines = writes_of(&bed, "PPS370MI/AddLine").await;
    assert_eq!(lines[0]["PITD"], "50% \"off\" / & + = ?\r\n#");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_interface_and_other_spellings_do_as_well() {
    for settings in [
        json!({"v2": false}),
        json!({"v2_errors_in_200": true, "padded": true}),
        json!({"decimal_comma": true, "padded": true}),
    ] {
        let bed = bed();
        switch(&bed, settings.clone()).await;
        let new = vendor("31", "Old Interface Masonry");
        let draft = vendor_draft(&bed, &new);
        assert_eq!(find_vendor(&bed, &draft).await, Found::None, "{settings}");
        let (_, step) = walk(&bed, suppliers(), &draft, Progress::start(), "").await;
        done(step.unwrap());
        let order = three_lines("17");
        let draft = order_draft(&bed, &order);
        assert_eq!(orders().lacking(&bed.session, &draft).await.unwrap(), []);
        assert_eq!(find_order(&bed, &draft, &order).await, Found::None);
        let written = place(&bed, &draft).await;
        assert_eq!(
            one(find_order(&bed, &draft, &order).await).target_id,
            written.target_id
        );
        assert!(
            orders()
                .differences(&bed.session, &draft, &written.target_id)
                .await
                .unwrap()
                .is_empty()
        );
    }
}
