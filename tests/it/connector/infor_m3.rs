//! The M3 connector against the simulated gateway and M3.

use std::collections::BTreeMap;

use ml_connector::connectors::infor_m3::CONNECTOR;
use ml_connector::contract::{
    Draft, Existing, Found, Progress, Refs, Step, Verdict, Weight, Writes, Written,
};
use ml_connector::domain::fault::Fault;
use ml_connector::domain::ids::TenantId;
use ml_connector::domain::mapping::{MappingKind, Row, Side, Tables};
use ml_connector::domain::quantity::Quantity;
use ml_connector::domain::records::{Address, Coding, Order, OrderKind, OrderLine, Vendor};
use ml_connector::domain::system::Entity;
use ml_connector::domain::tag::WriteTag;
use ml_connector::sandbox::infor_m3::{
    self, BATCH_ORIGIN, BLOCKED_SUPPLIER, BUYER, CONO, DIVI, FACILITY, ORDER_TYPE, Options,
    SUBCONTRACT_ORDER_TYPE, SUPPLIER_TEMPLATE, USER, WAITING_BATCH_ORIGIN, WAREHOUSE, codes, items,
    projects,
};
use serde_json::{Value, json};
use time::macros::date;

use super::bed::Bed;

/// A supplier that orders may be placed with.
const SUPPLIER: &str = "20011";
const VENDOR_KEY: &str = "5011";

fn bed() -> Bed {
    bed_with(&[])
}

fn bed_with(changed: &[(&str, &str)]) -> Bed {
    let running = infor_m3::start(Options::default()).unwrap();
    let file = infor_m3::ionapi(&running.url());
    let mut settings: BTreeMap<&str, &str> = BTreeMap::from([
        ("cono", CONO),
        ("divi", DIVI),
        ("facility", FACILITY),
        ("warehouse", WAREHOUSE),
        ("buyer", BUYER),
        ("purchaser", USER),
        ("order_type", ORDER_TYPE),
        ("subcontract_order_type", SUBCONTRACT_ORDER_TYPE),
        ("batch_origin", BATCH_ORIGIN),
        ("supplier_template", SUPPLIER_TEMPLATE),
        ("requests_per_minute", "0"),
        ("timeout_seconds", "3"),
    ]);
    settings.extend(changed.iter().copied());
    let settings: Vec<(&str, &str)> = settings.into_iter().collect();
    Bed::new(&CONNECTOR, running, &settings, &[("ionapi", &file)])
}

fn suppliers() -> &'static dyn Writes<Vendor> {
    CONNECTOR.ports.vendor.writes.unwrap()
}

fn orders() -> &'static dyn Writes<Order> {
    CONNECTOR.ports.order.writes.unwrap()
}

fn tag(flow: &str, key: &str) -> WriteTag {
    WriteTag::of(TenantId::NIL, "sandbox/100", flow, key)
}

fn vendor(key: &str, name: &str) -> Vendor {
    Vendor {
        key: key.to_owned(),
        name: name.to_owned(),
        number: None,
        tax_id: None,
        phone: Some("+1 303 555 0100".to_owned()),
        email: Some("office@example.com".to_owned()),
        address: Address {
            street: Some("12 Quarry Rd".to_owned()),
            city: Some("Golden".to_owned()),
            region: Some("CO".to_owned()),
            postal_code: Some("80401".to_owned()),
            country: Some("US".to_owned()),
        },
        active: true,
        created_at: None,
    }
}

fn row(project_side: &[(&str, &str)], erp_side: &[(&str, &str)]) -> Row {
    let side = |cells: &[(&str, &str)]| -> Side {
        cells
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    Row {
        id: None,
        project_side: side(project_side),
        erp_side: side(erp_side),
        note: String::new(),
    }
}

/// The sandbox company's own codes as mapping tables.
fn tables() -> Tables {
    let projects = projects().map(|project| {
        row(
            &[("project_id", &project.procore_id.to_string())],
            &[
                ("facility", project.facility),
                ("warehouse", project.warehouse),
                ("project", project.project),
            ],
        )
    });
    let codes = codes().into_iter().map(|code| {
        row(
            &[("cost_code", code.cost_code), ("cost_type", code.cost_type)],
            &[
                ("ait1", &code.account),
                ("ait2", code.cost_center),
                ("element", &code.element),
            ],
        )
    });
    let items = items().map(|(cost_type, item, unit)| {
        row(
            &[("cost_type", cost_type)],
            &[("item", item), ("unit", unit)],
        )
    });
    Tables(BTreeMap::from([
        (MappingKind::Projects, projects.collect()),
        (MappingKind::CostCodes, codes.collect()),
        (MappingKind::Items, items.collect()),
    ]))
}

fn line(
    position: u32,
    cost_type: &str,
    quantity: Option<(&str, &str, &str)>,
    amount: &str,
) -> OrderLine {
    OrderLine {
        key: format!("90{position}"),
        position,
        description: format!("Line {position}: slab on grade, building A, with a long description"),
        coding: Coding {
            cost_code: "03-300".to_owned(),
            cost_type: cost_type.to_owned(),
            sub_job: String::new(),
        },
        quantity: quantity.map(|(value, unit, _)| Quantity {
            value: value.parse().unwrap(),
            unit: unit.to_owned(),
        }),
        unit_price: quantity.map(|(_, _, price)| price.parse().unwrap()),
        amount: amount.parse().unwrap(),
        tax_code: None,
    }
}

fn order(key: &str, lines: Vec<OrderLine>) -> Order {
    let project = projects().next().unwrap();
    Order {
        key: key.to_owned(),
        kind: OrderKind::PurchaseOrder,
        number: format!("PO-{key}"),
        title: "Concrete".to_owned(),
        status: "Approved".to_owned(),
        vendor_key: Some(VENDOR_KEY.to_owned()),
        vendor_name: Some("Summit".to_owned()),
        project_key: project.procore_id.to_string(),
        currency: Some("USD".parse().unwrap()),
        order_date: None,
        delivery_date: Some(date!(2030 - 01 - 15)),
        completion_date: None,
        created_at: Some("2026-11-20T08:00:00Z".parse().unwrap()),
        payment_terms: None,
        by_unit: true,
        total: lines.iter().map(|line| line.amount).sum(),
        lines,
    }
}

fn three_lines(key: &str) -> Order {
    order(
        key,
        vec![
            line(1, "M", Some(("12.5", "ea", "18.40")), "230.00"),
            line(2, "M", Some(("3", "ea", "33.33")), "100.00"),
            line(3, "L", None, "12500.00"),
        ],
    )
}

fn order_draft(bed: &Bed, order: &Order) -> Draft {
    order_draft_for(bed, order, SUPPLIER).unwrap()
}

fn order_draft_for(
    bed: &Bed,
    order: &Order,
    supplier: &str,
) -> Result<Draft, Vec<ml_connector::domain::fault::Issue>> {
    let links = BTreeMap::from([(
        (Entity::new("vendor"), VENDOR_KEY.to_owned()),
        supplier.to_owned(),
    )]);
    let tag = tag("commitments", &order.key);
    let refs = Refs {
        tables: &tables(),
        links: &links,
        tag: &tag,
        today: date!(2026 - 11 - 25),
    };
    orders().draft(order, &bed.session.settings, &refs)
}

fn vendor_draft(bed: &Bed, vendor: &Vendor) -> Draft {
    let tag = tag("vendors", &vendor.key);
    let refs = Refs {
        tables: &Tables::default(),
        links: &BTreeMap::new(),
        tag: &tag,
        today: date!(2026 - 11 - 25),
    };
    suppliers()
        .draft(vendor, &bed.session.settings, &refs)
        .unwrap()
}

async fn find_vendor(bed: &Bed, draft: &Draft) -> Found {
    let tag = tag("vendors", "unused");
    suppliers().find(&bed.session, draft, &tag).await.unwrap()
}

async fn find_order(bed: &Bed, draft: &Draft, order: &Order) -> Found {
    let tag = tag("commitments", &order.key);
    orders().find(&bed.session, draft, &tag).await.unwrap()
}

fn one(found: Found) -> Existing {
    match found {
        Found::One(existing) => *existing,
        other => panic!("one expected: {other:?}"),
    }
}

fn done(step: Step) -> Written {
    match step {
        Step::Done(written) => *written,
        other => panic!("done expected: {other:?}"),
    }
}

/// Steps until something else than "go on" comes, or until `next` is due.
async fn walk<E>(
    bed: &Bed,
    writes: &dyn Writes<E>,
    draft: &Draft,
    mut at: Progress,
    until: &str,
) -> (Progress, Result<Step, Fault>) {
    loop {
        match writes.step(&bed.session, draft, &at).await {
            Ok(Step::More { at: next, .. }) if next.next == until => {
                return (
                    next.clone(),
                    Ok(Step::More {
                        at: next,
                        durable: true,
                    }),
                );
            }
            Ok(Step::More { at: next, .. }) => at = next,
            other => return (at, other),
        }
    }
}

/// Enters an order up to where it is accepted, lets M3 work, and reads it back.
async fn place(bed: &Bed, draft: &Draft) -> Written {
    let (at, step) = walk(bed, orders(), draft, Progress::start(), "").await;
    let at = match step.unwrap() {
        Step::Accepted { at, .. } => at,
        Step::Done(written) => return *written,
        Step::More { .. } => panic!("{at:?}"),
    };
    pass(bed, 60).await;
    done(orders().check(&bed.session, draft, &at).await.unwrap())
}

async fn pass(bed: &Bed, seconds: u32) {
    bed.tell("clock", json!({ "advance_seconds": seconds }))
        .await;
}

async fn arm(bed: &Bed, fault: Value) {
    bed.tell("faults", fault).await;
}

async fn switch(bed: &Bed, settings: Value) {
    bed.tell("settings", settings).await;
}

/// Accepted writes of a transaction.
async fn writes_of(bed: &Bed, operation: &str) -> Vec<Value> {
    let ledger = bed.desk.get("/_sandbox/ledger", 200).await;
    let entries = ledger["data"].as_array().unwrap().iter();
    entries
        .filter(|entry| entry["operation"] == operation)
        .map(|entry| entry["request"].clone())
        .collect()
}

fn finish_only() -> Value {
    json!({"program": "PPS370MI", "transaction": "FinishEntry"})
}

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
