//! Suppliers: made, finished, matched.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_supplier_is_made_once_and_found_again() {
    let bed = bed();
    let mut new = vendor(
        "4242",
        "Cañon Ridge & Söhne Concrete Works of the Upper Valley, Inc.",
    );
    new.tax_id = Some("84-5550199".to_owned());
    let draft = vendor_draft(&bed, &new);
    assert_eq!(draft.natural_key, "PC39U");
    assert_eq!(find_vendor(&bed, &draft).await, Found::None);
    let (_, step) = walk(&bed, suppliers(), &draft, Progress::start(), "").await;
    let written = done(step.unwrap());
    assert_eq!(
        (written.target_id.as_str(), written.notes.len()),
        ("PC39U", 0)
    );

    let state = bed.desk.get("/_sandbox/state", 200).await;
    let made = &writes_of(&bed, "CRS620MI/UpdSupplier").await[0];
    assert_eq!(made["SUNM"], "Cañon Ridge & Söhne Concrete …");
    assert_eq!(
        (&made["VRNO"], &made["CSCD"]),
        (&json!("84-5550199"), &json!("US"))
    );
    let address = &writes_of(&bed, "CRS620MI/AddAddress").await[0];
    assert_eq!(
        (&address["ADR1"], &address["PONO"]),
        (&json!("12 Quarry Rd"), &json!("80401"))
    );
    assert_eq!(
        writes_of(&bed, "CRS111MI/Add").await[0]["EMAL"],
        "office@example.com"
    );
    assert!(state.to_string().contains("suppliers"));

    let again = one(find_vendor(&bed, &draft).await);
    assert!(again.is_ours && again.resume.is_none() && again.differences.is_empty());
    assert!(
        suppliers()
            .differences(&bed.session, &draft, "PC39U")
            .await
            .unwrap()
            .is_empty()
    );
    // A repeat meets the first one.
    let repeat = suppliers()
        .step(&bed.session, &draft, &Progress::start())
        .await;
    assert_eq!(repeat.unwrap_err().class(), "conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_made_supplier_is_finished_where_it_stopped() {
    let bed = bed();
    let draft = vendor_draft(&bed, &vendor("77", "Halfway House Builders"));
    for (stop, resume) in [("update", "update"), ("address", "address")] {
        let (at, _) = walk(
            &bed,
            suppliers(),
            &draft,
            Progress::start().then(if stop == "update" { "" } else { "update" }, 0),
            stop,
        )
        .await;
        assert_eq!(at.next, stop);
        let found = one(find_vendor(&bed, &draft).await);
        assert!(found.is_ours);
        assert_eq!(found.resume.unwrap().next, resume);
    }
    // The address got there and its answer was lost.
    arm(&bed, json!({"kind": "reset_after", "match": {"program": "CRS620MI", "transaction": "AddAddress"}})).await;
    let (at, step) = walk(
        &bed,
        suppliers(),
        &draft,
        Progress::start().then("address", 0),
        "",
    )
    .await;
    assert_eq!(step.unwrap_err().class(), "ambiguous");
    let (_, step) = walk(&bed, suppliers(), &draft, at, "").await;
    assert_eq!(done(step.unwrap()).target_id, draft.natural_key);
    assert_eq!(writes_of(&bed, "CRS620MI/AddAddress").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn suppliers_are_matched_rung_by_rung() {
    let bed = bed();
    let found = async |change: &dyn Fn(&mut Vendor)| {
        let mut wanted = vendor("900", "Nobody Knows Us");
        change(&mut wanted);
        find_vendor(&bed, &vendor_draft(&bed, &wanted)).await
    };
    let by_number = one(found(&|vendor| vendor.number = Some("0004711".to_owned())).await);
    assert_eq!(
        (by_number.target_id.as_str(), by_number.matched_by),
        ("0004711", "number")
    );
    assert!(!by_number.is_ours && !by_number.differences.is_empty());

    let by_tax = one(found(&|vendor| vendor.tax_id = Some("84-1029384".to_owned())).await);
    assert_eq!(
        (by_tax.target_id.as_str(), by_tax.matched_by),
        ("10001", "tax_id")
    );

    let by_name = one(found(&|vendor| {
        vendor.name = "TIMBERLINE MILLWORK".to_owned();
        vendor.name.push_str(" Company".get(..3).unwrap());
        vendor.address.postal_code = Some("80301".to_owned());
    })
    .await);
    assert_eq!(
        (by_name.target_id.as_str(), by_name.matched_by),
        ("10062", "name")
    );

    // The same name at another place is for a person; so are two of the same name.
    for change in [
        &(|vendor: &mut Vendor| vendor.name = "Timberline Millwork Co".to_owned())
            as &dyn Fn(&mut Vendor),
        &|vendor: &mut Vendor| {
            vendor.name = "Sandstone Tile & Terrazzo".to_owned();
            vendor.address.postal_code = Some("80223".to_owned());
        },
        &|vendor: &mut Vendor| vendor.name = "Timberline Millwork LLC".to_owned(),
    ] {
        let Found::Many(candidates) = found(change).await else {
            panic!("candidates expected")
        };
        assert!(
            candidates
                .iter()
                .all(|one| one.matched_by == "name" && !one.facts.is_empty())
        );
    }
    assert_eq!(found(&|_| {}).await, Found::None);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_search_names_are_looked_up_in_the_list() {
    let bed = bed();
    switch(&bed, json!({"withheld": ["CRS620MI/SearchSupplier"]})).await;
    let mut wanted = vendor("901", "Timberline Millwork Co");
    wanted.address.postal_code = Some("80301".to_owned());
    let found = one(find_vendor(&bed, &vendor_draft(&bed, &wanted)).await);
    assert_eq!(found.target_id, "10062");
    assert_eq!(
        find_vendor(&bed, &vendor_draft(&bed, &vendor("902", "Zzz Unheard Of"))).await,
        Found::None
    );
    // A tax id is looked up in the table, and without that right nothing is concluded.
    wanted.tax_id = Some("84-1029384".to_owned());
    let found = one(find_vendor(&bed, &vendor_draft(&bed, &wanted)).await);
    assert_eq!(
        (found.target_id.as_str(), found.matched_by),
        ("10001", "tax_id")
    );
    switch(&bed, json!({ "exportmi": false })).await;
    assert!(matches!(
        find_vendor(&bed, &vendor_draft(&bed, &wanted)).await,
        Found::Unsure(_)
    ));
    switch(
        &bed,
        json!({"withheld": ["CRS620MI/SearchSupplier", "CRS620MI/LstByName"]}),
    )
    .await;
    wanted.tax_id = None;
    assert!(matches!(
        find_vendor(&bed, &vendor_draft(&bed, &wanted)).await,
        Found::Unsure(_)
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_of_a_like_name_hide_nobody() {
    let bed = bed();
    for number in 0..120 {
        let name = json!({ "SUNM": format!("Bench 1{number:03} Builders") });
        bed.tell(&format!("infor_m3/suppliers/B{number:03}"), name)
            .await;
    }
    pass(&bed, 60).await;
    let found =
        async |name: &str| find_vendor(&bed, &vendor_draft(&bed, &vendor("902", name))).await;
    assert_eq!(found("Bench 1").await, Found::None);
    assert_eq!(found("Bench").await, Found::None);
    assert!(matches!(
        found("Bench 1007 Builders, Inc").await,
        Found::Many(_)
    ));
}
