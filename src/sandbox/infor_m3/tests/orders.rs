//! Orders, from the batch to the changed line.

use serde_json::{Value, json};

use super::super::CLOSED_ITEM;
use super::bed::Bed;

#[tokio::test(flavor = "multi_thread")]
async fn an_order_appears_after_its_batch_was_worked_on() {
    let bed = Bed::start().await;
    bed.control(
        "clock",
        json!({"now": "2026-11-24T12:00:00Z", "frozen": true}),
    )
    .await;
    let (message, order) = bed
        .enter("procore", json!({"PNLI": "5", "COCE": "4200"}))
        .await;
    assert_eq!(
        (message.as_str(), order.as_str()),
        ("PE0000000012345", "7000123")
    );
    let line = |number: &str| {
        json!({"MSGN": message, "PUNO": order, "ITNO": "PCSUBC", "ORQA": "100.00",
        "PUPR": "1", "PUUN": "LS", "PNLI": number})
    };
    let again = bed.write("PPS370MI", "AddLine", line("5")).await;
    assert_eq!(again.refusal(), ("XRE0104", "PNLI"));
    bed.write("PPS370MI", "AddLine", line("6")).await.records();
    let coding =
        json!({"MSGN": message, "PUNO": order, "PNLI": 5, "AIT1": "50320", "AIT2": "4200"});
    bed.write("PPS370MI", "AddAccString", coding)
        .await
        .records();
    let text = json!({"MSGN": message, "PUNO": order, "TX40": "PO-24101-001"});
    bed.write("PPS370MI", "AddText", text).await.records();
    let lost = json!({"MSGN": message, "PUNO": order, "LREF": "nowhere", "AIT1": "50320"});
    let lost = bed.write("PPS370MI", "AddAccString", lost).await;
    assert_eq!(lost.refusal(), ("WPN0103", "PNLI"));
    bed.finish(&message).await;
    let again = bed
        .write("PPS370MI", "FinishEntry", json!({"MSGN": message}))
        .await;
    assert_eq!(again.refusal(), ("XST0020", "MSGN"));
    let delete = bed
        .write("PPS370MI", "DeleteEntry", json!({"MSGN": message}))
        .await;
    assert_eq!(delete.refusal().0, "XST0020");

    let head = |order: String| {
        let bed = &bed;
        async move { bed.mi("PPS200MI/GetHead", &[("PUNO", &order)]).await }
    };
    assert_eq!(head(order.clone()).await.refusal(), ("WPU0803", "PUNO"));
    bed.control("clock", json!({"advance_seconds": 2})).await;
    let made = head(order.clone()).await;
    assert_eq!(made.text("NTAM"), "39365.70");
    assert_eq!(
        (made.text("YRE1"), made.text("CUCD")),
        ("MLC-0123456789ABCDEF", "USD")
    );
    assert_eq!((made.text("TEPY"), made.text("PUDT")), ("30", "20261124"));
    let lines = bed.mi("PPS200MI/LstLine", &[("PUNO", &order)]).await;
    assert_eq!(lines.column("PNLI"), ["5", "6"]);
    assert_eq!(lines.column("LNAM"), ["39265.70", "100.00"]);
    assert_eq!(lines.column("ORQA"), ["1250.500000", "100.000000"]);
    assert_eq!(lines.column("PUSL"), ["15", "15"]);
    assert_eq!(bed.batch(&message).await["status"], "90");
    let state = bed.look("state").await;
    assert_eq!(state["state"]["counts"]["orders"], 1);
    let held = &state["state"]["orders"][0];
    assert_eq!(
        held["lines"][0]["coding"],
        json!({"AIT1": "50320", "AIT2": "4200"})
    );
    assert_eq!(held["texts"][0]["TX40"], "PO-24101-001");

    for (supplier, since, want) in [
        ("20003", "0", 1),
        ("20003", "1795521602000", 1),
        ("20003", "1795521602001", 0),
        ("20005", "0", 0),
    ] {
        let found = bed
            .mi(
                "PPSSPPMI/LstSupHead",
                &[("SUNO", supplier), ("LMTS", since)],
            )
            .await;
        assert_eq!(found.records().len(), want, "{supplier} {since}");
    }
    let by_purchaser = bed
        .mi("PPS001MI/ListHeadBasic", &[("PURC", "SVCPRC")])
        .await;
    assert_eq!(by_purchaser.column("PUNO"), [order.as_str()]);
    let search = [("SQRY", "YRE1:MLC-0123456789ABCDEF")];
    assert!(
        bed.mi("PPS200MI/SearchHead", &search)
            .await
            .records()
            .is_empty()
    );
    bed.control("clock", json!({"advance_seconds": 10})).await;
    assert_eq!(
        bed.mi("PPS200MI/SearchHead", &search).await.column("PUNO"),
        [order.as_str()]
    );
    let search = [("SQRY", "PITD:rebar")];
    assert_eq!(
        bed.mi("PPS200MI/SearchLine", &search).await.column("PNLI"),
        ["5"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn adds_are_not_idempotent_and_a_deleted_batch_burns_its_number() {
    let bed = Bed::start().await;
    bed.control("settings", json!({"batch_delay_seconds": 0}))
        .await;
    let (first, burnt) = bed.enter("PROCORE", json!({})).await;
    let head =
        json!({"MSGN": first, "FACI": "A01", "WHLO": "100", "SUNO": "20003", "DWDT": "20270129"});
    let second = bed.write("PPS370MI", "AddHead", head).await;
    assert_ne!(second.text("PUNO"), burnt);
    let unclear = json!({"MSGN": first, "ITNO": "PCMATL", "ORQA": "1"});
    let unclear = bed.write("PPS370MI", "AddLine", unclear).await;
    assert_eq!(unclear.refusal(), ("WPU0803", "PUNO"));
    let named =
        json!({"MSGN": first, "HREF": "MLC-0123456789ABCDEF", "ITNO": "PCMATL", "ORQA": "1"});
    let named = bed.write("PPS370MI", "AddLine", named).await;
    assert_eq!(named.text("PUNO"), burnt);
    bed.write("PPS370MI", "DeleteEntry", json!({"MSGN": first}))
        .await
        .records();
    let gone = bed
        .write("PPS370MI", "DeleteEntry", json!({"MSGN": first}))
        .await;
    assert_eq!(gone.refusal(), ("XRE0103", "MSGN"));

    let (message, order) = bed.enter("PROCORE", json!({})).await;
    assert!(order > burnt && message > first);
    bed.finish(&message).await;
    assert_eq!(bed.look("state").await["state"]["counts"]["orders"], 1);
    let unknown = bed
        .write("PPS370MI", "StartEntry", json!({"BAOR": "NOBODY"}))
        .await;
    assert_eq!(unknown.refusal(), ("XRE0103", "BAOR"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_may_wait_for_a_person_or_keep_its_errors_to_itself() {
    let bed = Bed::start().await;
    bed.control("settings", json!({"batch_delay_seconds": 0}))
        .await;
    let (waiting, order) = bed.enter("REVIEW", json!({})).await;
    bed.finish(&waiting).await;
    assert_eq!(bed.batch(&waiting).await["status"], "20");
    let released = bed
        .control(&format!("infor_m3/batches/{waiting}/release"), json!({}))
        .await;
    assert_eq!(released["released"], json!([waiting]));
    assert_eq!(
        bed.mi("PPS200MI/GetHead", &[("PUNO", &order)])
            .await
            .text("PUNO"),
        order
    );

    for (line, coding, code) in [
        (json!({"ELNO": "77777"}), json!({}), "XRE0103"),
        (
            json!({"ITNO": CLOSED_ITEM, "PUUN": "LS"}),
            json!({}),
            "XIT0107",
        ),
        (
            json!({}),
            json!({"AIT1": "51620", "AIT2": "4200"}),
            "CPF9898",
        ),
        (json!({}), json!({"AIT1": "50320"}), "XRE0103"),
    ] {
        let (faulty, order) = bed.enter("PROCORE", line).await;
        let mut record = json!({"MSGN": faulty, "PUNO": order, "PNLI": "1"});
        record
            .as_object_mut()
            .unwrap()
            .extend(coding.as_object().unwrap().clone());
        bed.write("PPS370MI", "AddAccString", record)
            .await
            .records();
        bed.finish(&faulty).await;
        let batch = bed.batch(&faulty).await;
        assert_eq!(batch["status"], "23", "{batch}");
        assert!(
            batch["messages"][0].as_str().unwrap().contains(code),
            "{batch}"
        );
        assert_eq!(
            bed.mi("PPS200MI/GetHead", &[("PUNO", &order)])
                .await
                .refusal()
                .0,
            "WPU0803"
        );
    }

    bed.control("infor_m3/suppliers/20003/block", json!({}))
        .await;
    let (faulty, order) = bed.enter("PROCORE", json!({})).await;
    bed.finish(&faulty).await;
    assert_eq!(bed.batch(&faulty).await["status"], "23");
    bed.control("infor_m3/suppliers/20003/unblock", json!({}))
        .await;
    bed.control(&format!("infor_m3/batches/{faulty}/release"), json!({}))
        .await;
    assert_eq!(
        bed.mi("PPS200MI/GetHead", &[("PUNO", &order)])
            .await
            .text("SUNO"),
        "20003"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn entry_looks_codes_up_unless_told_not_to() {
    let bed = Bed::start().await;
    let started = bed
        .write("PPS370MI", "StartEntry", json!({"BAOR": "PROCORE"}))
        .await;
    let message = started.text("MSGN").to_owned();
    let head = |field: &str, value: &str| {
        let mut head = json!({"MSGN": message, "FACI": "A01", "WHLO": "100", "SUNO": "20003", "DWDT": "20270129"});
        head[field] = json!(value);
        bed.write("PPS370MI", "AddHead", head)
    };
    for (field, value, want) in [
        ("SUNO", "99999", ("WSU0103", "SUNO")),
        ("FACI", "X01", ("WFAC303", "FACI")),
        ("WHLO", "200", ("WWH0103", "WHLO")),
        ("ORTY", "999", ("WTT0403", "ORTY")),
        ("TEPY", "99", ("XRE0103", "TEPY")),
        ("DWDT", "20270230", ("XDT0001", "DWDT")),
    ] {
        assert_eq!(head(field, value).await.refusal(), want, "{field}");
    }
    let order = head("OURR", "x").await.text("PUNO").to_owned();
    let line = |field: &str, value: &str| {
        let mut line =
            json!({"MSGN": message, "PUNO": order, "ITNO": "PCMATL", "ORQA": "1", "PUPR": "1"});
        line[field] = json!(value);
        bed.write("PPS370MI", "AddLine", line)
    };
    for (field, value, want) in [
        ("PUUN", "MO", ("XRE0103", "PUUN")),
        ("ITNO", "GHOST", ("WIT0103", "ITNO")),
        ("ORQA", "0", ("XNU0000", "ORQA")),
        ("PUPR", "-1", ("XNU0003", "PUPR")),
        ("PUPR", "0.0000001", ("XNU0000", "PUPR")),
    ] {
        assert_eq!(line(field, value).await.refusal(), want, "{field}");
    }
    bed.control(
        "settings",
        json!({"strict_entry": false, "batch_delay_seconds": 0}),
    )
    .await;
    line("ITNO", "GHOST").await.records();
    bed.finish(&message).await;
    assert_eq!(bed.batch(&message).await["status"], "23");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_changed_as_far_as_its_status_allows() {
    let bed = Bed::start().await;
    bed.control("settings", json!({"batch_delay_seconds": 0}))
        .await;
    let (message, order) = bed.enter("PROCORE", json!({})).await;
    bed.finish(&message).await;
    let on = |line: &str, more: Value| {
        let mut record = json!({"PUNO": order, "PNLI": line, "PNLS": "0"});
        record
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        record
    };
    let add = |line: &str| on(line, json!({"ITNO": "PCSUBC", "ORQA": "50", "PUPR": "2"}));
    bed.write("PPS200MI", "AddLine", add("2")).await.records();
    assert_eq!(
        bed.write("PPS200MI", "AddLine", add("2")).await.refusal().0,
        "XRE0104"
    );
    bed.write(
        "PPS200MI",
        "UpdLine",
        on("1", json!({"ORQA": "10", "PUPR": "3.333"})),
    )
    .await
    .records();
    bed.write(
        "PPS200MI",
        "UpdHead",
        json!({"PUNO": order, "DWDT": "20270301"}),
    )
    .await
    .records();
    let head = bed.mi("PPS001MI/GetHeadBasic", &[("PUNO", &order)]).await;
    assert_eq!(head.text("DWDT"), "20270301");
    let number = [("PUNO", order.as_str())];
    assert_eq!(
        bed.mi("PPS200MI/GetHead", &number).await.text("NTAM"),
        "133.33"
    );

    let path = format!("infor_m3/orders/{order}/lines/1");
    bed.control(&path, json!({"PUST": "50", "RVQA": "4"})).await;
    let low = bed
        .write("PPS200MI", "UpdLine", on("1", json!({"ORQA": "3"})))
        .await;
    assert_eq!(low.refusal(), ("XPO0002", "PUST"));
    assert_eq!(
        bed.write("PPS200MI", "DltLine", on("1", json!({})))
            .await
            .refusal()
            .0,
        "XPO0002"
    );
    bed.control(&path, json!({"PUST": "85"})).await;
    let late = bed
        .write("PPS200MI", "UpdLine", on("1", json!({"PITD": "x"})))
        .await;
    assert_eq!(late.refusal().0, "XPO0002");
    bed.write("PPS200MI", "DltLine", on("2", json!({})))
        .await
        .records();
    let line = bed
        .mi("PPS200MI/GetLine", &[("PUNO", &order), ("PNLI", "2")])
        .await;
    assert_eq!(line.refusal(), ("WPN0103", "PNLI"));
    let by_hand = json!({"SUNO": "20003", "OURR": "PO-1", "lines": [{"ITNO": "PCMATL", "ORQA": 2, "PUPR": "5.5"}]});
    let by_hand = bed.control("infor_m3/orders", by_hand).await;
    let number = by_hand["PUNO"].as_str().unwrap();
    assert_eq!(
        bed.mi("PPS200MI/GetHead", &[("PUNO", number)])
            .await
            .text("NTAM"),
        "11.00"
    );
}
