//! Orders: entered, proved, found.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_order_arrives_whole_with_exact_amounts_and_accounts() {
    let bed = bed();
    let order = three_lines("1");
    let draft = order_draft(&bed, &order);
    assert_eq!(orders().lacking(&bed.session, &draft).await.unwrap(), []);
    assert_eq!(find_order(&bed, &draft, &order).await, Found::None);
    let written = place(&bed, &draft).await;

    let tag = tag("commitments", "1");
    let head = &writes_of(&bed, "PPS370MI/AddHead").await[0];
    assert_eq!(
        (&head["YRE1"], &head["DWDT"]),
        (&json!(tag.as_str()), &json!("20300115"))
    );
    assert_eq!(
        (&head["SUNO"], &head["CUCD"]),
        (&json!(SUPPLIER), &json!("USD"))
    );
    let lines = writes_of(&bed, "PPS370MI/AddLine").await;
    let sent: Vec<[&str; 4]> = lines
        .iter()
        .map(|line| {
            ["PNLI", "ORQA", "PUPR", "PUUN"].map(|name| line[name].as_str().unwrap_or_default())
        })
        .collect();
    assert_eq!(
        sent,
        [
            ["1", "12.5", "18.40", "EA"],
            ["2", "100", "1.00", "EA"],
            ["3", "12500", "1.00", "HR"]
        ]
    );
    let strings = writes_of(&bed, "PPS370MI/AddAccString").await;
    assert_eq!(strings.len(), 3);
    assert_eq!(
        (&strings[0]["AIT1"], &strings[0]["AIT2"]),
        (&json!("50320"), &json!("4200"))
    );
    assert_eq!(
        writes_of(&bed, "PPS370MI/AddText").await[0]["TXT1"],
        "PO-1 Concrete"
    );

    let parts: Vec<(&str, String)> = written
        .parts
        .iter()
        .map(|(_, source, target)| (source.as_str(), target.clone()))
        .collect();
    let number = &written.target_id;
    assert_eq!(parts[2], ("903", format!("{number}/3/0")));
    assert!(written.notes[0].contains("cannot show"));
    let found = one(find_order(&bed, &draft, &order).await);
    assert_eq!(
        (&found.target_id, found.matched_by, found.is_ours),
        (number, "write_tag", true)
    );
    assert!(found.differences.is_empty());
    assert!(
        orders()
            .differences(&bed.session, &draft, number)
            .await
            .unwrap()
            .is_empty()
    );

    bed.tell(
        &format!("infor_m3/orders/{number}/lines/2"),
        json!({"ORQA": "90"}),
    )
    .await;
    assert_eq!(
        parts_of(&bed, &draft, number).await,
        written.parts,
        "we entered the lines under our own numbers, whatever became of them"
    );
    let changed = orders()
        .differences(&bed.session, &draft, number)
        .await
        .unwrap();
    assert!(
        changed.iter().any(
            |change| change.field == "Line 2 · Quantity" && change.to.as_deref() == Some("100")
        ),
        "{changed:?}"
    );
}

async fn parts_of(bed: &Bed, draft: &Draft, number: &str) -> Vec<(Entity, String, String)> {
    let parts = orders().parts(&bed.session, draft, number);
    parts.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_a_strange_order_correspond_where_only_one_can_be_meant() {
    let bed = bed();
    let number = place(&bed, &order_draft(&bed, &three_lines("1")))
        .await
        .target_id;
    // Other keys, another order of the lines, two of them twins, and one that nobody entered.
    let other = order_of(
        "7",
        vec![
            line(4, "L", None, "12500.00"),
            line(5, "M", Some(("12.5", "ea", "18.40")), "230.00"),
            line(6, "M", Some(("2", "ea", "7.00")), "14.00"),
            line(7, "M", Some(("3", "ea", "33.33")), "100.00"),
            line(8, "M", Some(("3", "ea", "33.33")), "100.00"),
        ],
    );
    let parts = parts_of(&bed, &order_draft(&bed, &other), &number).await;
    let parts: Vec<(&str, &str)> = parts
        .iter()
        .map(|(_, source, target)| (source.as_str(), target.as_str()))
        .collect();
    assert_eq!(
        parts,
        [
            ("904", format!("{number}/3/0").as_str()),
            ("905", &format!("{number}/1/0"))
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_lives_in_its_projects_division() {
    let bed = bed();
    let draft = order_draft(&bed, &three_lines("1"));
    let place = |draft: &Draft| orders().place(draft, &bed.session.settings).unwrap();
    assert!(
        place(&draft).ends_with(&format!("/{CONO}/{DIVI}")),
        "{}",
        place(&draft)
    );
    let mut moved = draft.clone();
    moved.payload["division"] = json!("BBB");
    assert!(
        place(&moved).ends_with(&format!("/{CONO}/BBB")),
        "{}",
        place(&moved)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_waits_for_a_person_is_seen_when_it_is_released() {
    let bed = bed_with(&[("batch_origin", WAITING_BATCH_ORIGIN)]);
    let draft = order_draft(&bed, &three_lines("2"));
    let (_, step) = walk(&bed, orders(), &draft, Progress::start(), "").await;
    let Step::Accepted { at, waiting_for } = step.unwrap() else {
        panic!("accepted expected")
    };
    assert!(
        waiting_for.contains(at.key("PUNO").unwrap())
            && waiting_for.contains(at.key("MSGN").unwrap())
    );
    pass(&bed, 3 * 86_400).await;
    // What cannot be read back stays an open question, and is no reason to begin anew.
    switch(&bed, json!({"missing": ["PPS200MI"]})).await;
    let fault = orders().check(&bed.session, &draft, &at).await.unwrap_err();
    assert_eq!(
        (fault.class(), fault.code()),
        ("transient", "proof_not_readable")
    );
    switch(&bed, json!({"missing": []})).await;
    assert!(matches!(
        orders().check(&bed.session, &draft, &at).await.unwrap(),
        Step::Accepted { .. }
    ));
    bed.tell("infor_m3/batches/release", json!({})).await;
    let written = done(orders().check(&bed.session, &draft, &at).await.unwrap());
    assert_eq!(written.target_id, at.key("PUNO").unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_line_is_named_with_the_words_of_m3() {
    let bed = bed();
    let mut order = three_lines("5");
    order.lines[1].quantity.as_mut().unwrap().unit = "mo".to_owned();
    order.lines[1].amount = "99.99".parse().unwrap();
    order.total = order.lines_total();
    let draft = order_draft(&bed, &order);
    let (at, step) = walk(&bed, orders(), &draft, Progress::start(), "").await;
    let fault = step.unwrap_err();
    assert_eq!(fault.class(), "rejected");
    assert!(fault.issues()[0].field.starts_with("lines/2"), "{fault:?}");
    orders().undo(&bed.session, &at).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_order_lacks_is_named_before_anything_is_entered() {
    let bed = bed();
    let order = three_lines("7");
    let blocked = order_draft_for(&bed, &order, BLOCKED_SUPPLIER).unwrap();
    let lacking = orders().lacking(&bed.session, &blocked).await.unwrap();
    assert_eq!(
        (lacking[0].kind.as_str(), lacking[0].key.as_str()),
        ("vendor", BLOCKED_SUPPLIER)
    );
    bed.tell(
        &format!("infor_m3/suppliers/{BLOCKED_SUPPLIER}/unblock"),
        json!({}),
    )
    .await;
    assert_eq!(orders().lacking(&bed.session, &blocked).await.unwrap(), []);
    let gone = order_draft_for(&bed, &order, "NOPE").unwrap();
    assert_eq!(
        orders()
            .lacking(&bed.session, &gone)
            .await
            .unwrap_err()
            .class(),
        "missing"
    );

    let mut locked = three_lines("8");
    locked.lines[0].coding.cost_code = infor_m3::LOCKED_COST_CODE.to_owned();
    locked.lines[1].quantity.as_mut().unwrap().unit = "square".to_owned();
    locked.lines[1].amount = "99.99".parse().unwrap();
    locked.total = locked.lines_total();
    let lacking = orders()
        .lacking(&bed.session, &order_draft(&bed, &locked))
        .await
        .unwrap();
    let kinds: Vec<&str> = lacking.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds, ["units", "dimension"]);
    assert!(lacking[1].label.contains("blocked"), "{}", lacking[1].label);
    assert_eq!(
        bed.desk.get("/_sandbox/ledger", 200).await["data"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    let before = bed.calls("GetItmBasic").await;
    orders()
        .lacking(&bed.session, &order_draft(&bed, &three_lines("9")))
        .await
        .unwrap();
    assert_eq!(
        bed.calls("GetItmBasic").await,
        before,
        "items are remembered"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_found_by_whatever_m3_lets_us_ask() {
    let bed = bed();
    let order = three_lines("10");
    let draft = order_draft(&bed, &order);
    let other = three_lines("11");
    let absent = order_draft(&bed, &other);
    let number = place(&bed, &draft).await.target_id;
    pass(&bed, 60).await;
    for withheld in [vec![], vec!["PPSSPPMI"], vec!["PPSSPPMI", "EXPORTMI"]] {
        switch(&bed, json!({ "withheld": withheld })).await;
        assert_eq!(
            one(find_order(&bed, &draft, &order).await).target_id,
            number,
            "{withheld:?}"
        );
        assert_eq!(
            find_order(&bed, &absent, &other).await,
            Found::None,
            "{withheld:?}"
        );
    }
    // The index may say yes and never no.
    switch(
        &bed,
        json!({"withheld": ["PPSSPPMI", "EXPORTMI", "PPS001MI"]}),
    )
    .await;
    assert_eq!(
        one(find_order(&bed, &draft, &order).await).target_id,
        number
    );
    assert!(matches!(
        find_order(&bed, &absent, &other).await,
        Found::Unsure(_)
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_keyed_by_hand_is_for_a_person_to_judge() {
    let bed = bed();
    let order = three_lines("12");
    let draft = order_draft(&bed, &order);
    bed.tell(
        "infor_m3/orders",
        json!({"SUNO": SUPPLIER, "YRE1": "po-12", "FACI": FACILITY, "WHLO": WAREHOUSE,
            "lines": [{"ITNO": "PCMATL", "ORQA": "1", "PUPR": "5"}]}),
    )
    .await;
    let Found::Many(candidates) = find_order(&bed, &draft, &order).await else {
        panic!("a candidate expected")
    };
    assert_eq!(
        (candidates.len(), candidates[0].matched_by.as_str()),
        (1, "number")
    );
}
