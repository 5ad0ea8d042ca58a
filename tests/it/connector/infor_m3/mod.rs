//! The M3 connector against the simulated gateway and M3.

mod connection;
mod doubt;
mod order;
mod supplier;

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

fn order_of(key: &str, lines: Vec<OrderLine>) -> Order {
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
    order_of(
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
