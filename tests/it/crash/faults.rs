//! What goes wrong on the way and at the vendor: refused, reset, too late, an error in place of an
//! answer, an answer that is none. Whatever it was, it ends the same way.

use std::time::Duration;

use serde_json::{Value, json};

use super::books::Books;
use super::gate::{Door, Gate};
use super::plant::{Desk, LOOK_EVERY, Plant, Systems, TIMEOUT_SECONDS, Wanted};
use crate::support::database::{TestDatabase, both};

both!(
    every_fault_of_a_write_ends_the_same_way,
    every_fault_of_a_read_ends_the_same_way,
    cut_off_on_the_way
);

/// C26 to C32: what a call meets, once.
pub fn manners() -> Vec<(&'static str, Value)> {
    let late_ms = u64::from(TIMEOUT_SECONDS) * 1_000 + 700;
    let status = |status: u16, applied: bool| json!({"kind": "status", "status": status, "applied": applied});
    let body =
        |body: &str, applied: bool| json!({"kind": "body", "body": body, "applied": applied});
    vec![
        (
            "reset before it is applied",
            json!({"kind": "reset_before"}),
        ),
        ("reset after it was applied", json!({"kind": "reset_after"})),
        (
            "too late, never applied",
            json!({"kind": "delay", "ms": 600_000}),
        ),
        (
            "too late, applied late",
            json!({"kind": "delay", "ms": late_ms}),
        ),
        (
            "applied, the answer too late",
            json!({"kind": "delay_after", "ms": late_ms}),
        ),
        ("500 before", status(500, false)),
        ("502 after", status(502, true)),
        (
            "503 before, with a wait",
            json!({"kind": "status", "status": 503, "retry_after": 1}),
        ),
        ("504 after", status(504, true)),
        ("408", status(408, false)),
        (
            "429 with a wait",
            json!({"kind": "throttle", "retry_after": 1}),
        ),
        ("an empty answer, not applied", body("", false)),
        ("an empty answer, applied", body("", true)),
        (
            "a page, not applied",
            body("<html><h1>Maintenance</h1></html>", false),
        ),
        (
            "a page, applied",
            body("<html><h1>Welcome</h1></html>", true),
        ),
        (
            "JSON of another shape, applied",
            body("{\"hello\": [1, 2]}", true),
        ),
        (
            "broken off, applied",
            json!({"kind": "body", "body": "{\"results\": [{\"transac", "applied": true}),
        ),
        (
            "cut, applied",
            json!({"kind": "body", "body": "{\"results\":", "cut": true, "applied": true}),
        ),
        (
            "50 MiB, applied",
            json!({"kind": "body", "bytes": 50 * 1024 * 1024, "applied": true}),
        ),
        ("the token is refused", json!({"kind": "expire_token"})),
    ]
}

/// Writes that meet every manner: one of a supplier's, and one of the order that follows it.
const WRITES: [(&str, &str); 3] = [
    ("CopyTemplate", "AddHead"),
    ("UpdSupplier", "AddLine"),
    ("AddAddress", "FinishEntry"),
];

async fn every_fault_of_a_write_ends_the_same_way(database: TestDatabase) {
    let systems = Systems::start();
    let (source, erp) = (Desk::of(&systems.procore), Desk::of(&systems.m3));
    let plant = Plant::with(database, systems, Wanted::default()).await;
    plant.settle(&[]).await;
    let mut planted = Vec::new();
    for (at, (_, manner)) in manners().into_iter().enumerate() {
        for (of, (of_vendor, of_order)) in WRITES.into_iter().enumerate() {
            let mark = format!("{}{}", mark(at), mark(of));
            let vendor = source.add_vendor(&format!("V{mark}")).await;
            let line = format!("L{mark}");
            arm(&erp, &manner, of_vendor, Some(supplier(&vendor))).await;
            let told_by = match of_order {
                "AddHead" => Some(supplier(&vendor)),
                "AddLine" => Some(line.clone()),
                // It names its batch only: any one will do.
                _ => None,
            };
            arm(&erp, &manner, of_order, told_by).await;
            planted.push(source.add_contract(&vendor, at, &line).await);
            planted.push(vendor);
        }
    }
    let records = plant.settle(&planted).await;
    erp.all_met().await;
    Books::of(&plant, records)
        .await
        .agree(&plant, &planted)
        .await;
}

async fn arm(erp: &Desk, manner: &Value, transaction: &str, contains: Option<String>) {
    let mut fault = manner.clone();
    let mut on = json!({"transaction": transaction});
    if let Some(contains) = contains {
        on["contains"] = json!(contains);
    }
    fault["match"] = on;
    erp.arm(fault).await;
}

/// Reads change nothing, so what cannot be read at all is a fault that people see; once they ask again,
/// everything arrives.
async fn every_fault_of_a_read_ends_the_same_way(database: TestDatabase) {
    let systems = Systems::start();
    let (source, erp) = (Desk::of(&systems.procore), Desk::of(&systems.m3));
    let plant = Plant::with(database, systems, Wanted::default()).await;
    plant.settle(&[]).await;
    let mut planted = Vec::new();
    for (at, (_, manner)) in manners().into_iter().enumerate() {
        let mark = format!("{}r", mark(at));
        let vendor = source.add_vendor(&format!("V{mark}")).await;
        for transaction in ["GetBasicData", "LstSupHead"] {
            arm(&erp, &manner, transaction, Some(supplier(&vendor))).await;
        }
        let contract = source.add_contract(&vendor, at, &format!("L{mark}")).await;
        let mut of_source = manner.clone();
        of_source["match"] =
            json!({"method": "GET", "path": format!("/purchase_order_contracts/{contract}")});
        source.arm(of_source).await;
        planted.push(contract);
        planted.push(vendor);
    }
    // A listing that meets trouble is taken up again, or fails and leaves its cursor where it was.
    for (at, (_, manner)) in manners().into_iter().enumerate() {
        let mut of_list = manner;
        let path = if at % 2 == 0 {
            "/rest/v1.0/vendors"
        } else {
            "/rest/v1.0/work_order_contracts"
        };
        of_list["match"] = json!({"method": "GET", "path": path});
        source.arm(of_list).await;
    }
    // A vendor that cannot be read holds its order back, which then meets faults of its own.
    for _ in 0..3 {
        for record in plant.settle(&planted).await {
            let is_planted = planted
                .iter()
                .any(|id| record["source"]["id"] == id.as_str());
            if is_planted && record["state"] == "failed" {
                assert_eq!(record["fault"]["class"], "broken", "{record}");
            }
        }
        let retry = json!({"filter": {"pair": plant.pair, "state": "failed"}, "action": "retry"});
        plant.api().post("/api/v1/records/bulk", retry, 202).await;
    }
    source.all_met().await;
    erp.all_met().await;
    let records = plant.settle(&planted).await;
    Books::of(&plant, records)
        .await
        .agree(&plant, &planted)
        .await;
}

/// C13, C25, C28: half a request, no connection at all, a request that nobody answers.
async fn cut_off_on_the_way(database: TestDatabase) {
    let systems = Systems::start();
    let source = Desk::of(&systems.procore);
    let mut gate = Gate::before(systems.m3.address()).await;
    let wanted = Wanted {
        m3_url: Some(gate.url()),
        ..Wanted::default()
    };
    let mut plant = Plant::with(database, systems, wanted).await;
    plant.settle(&[]).await;
    let mut planted = Vec::new();
    let doors = [
        Door::Halves("CopyTemplate"),
        Door::Swallows("UpdSupplier"),
        Door::Halves("AddLine"),
        Door::Halves("FinishEntry"),
        Door::Swallows("FinishEntry"),
    ];
    for (at, door) in doors.into_iter().enumerate() {
        gate.set(door);
        let vendor = source.add_vendor(&format!("G{}", mark(at))).await;
        planted.push(source.add_contract(&vendor, at, "Cut").await);
        planted.push(vendor);
        let before = gate.kept();
        while gate.kept() == before {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        gate.set(Door::Open);
        // Every other time the program dies while it waits for the answer.
        if at % 2 == 1 {
            plant.restart().await;
        }
        // Work is about when the way is closed altogether.
        if at == 2 {
            gate.shut();
            tokio::time::sleep(Duration::from_millis(700)).await;
            gate.open().await;
        }
    }
    let records = plant.settle(&planted).await;
    Books::of(&plant, records)
        .await
        .agree(&plant, &planted)
        .await;
}

/// The number that a vendor gets in M3.
fn supplier(vendor: &str) -> String {
    let mut number: u64 = vendor.parse().expect("a number");
    let mut digits = Vec::new();
    while number > 0 {
        let digit = u32::try_from(number % 36).expect("a digit");
        digits.push(
            char::from_digit(digit, 36)
                .expect("a digit")
                .to_ascii_uppercase(),
        );
        number /= 36;
    }
    format!("PC{}", digits.iter().rev().collect::<String>())
}

/// A word of its own for a small number, unlike those of its neighbours.
fn mark(number: usize) -> String {
    let letter = char::from(b'a' + u8::try_from(number).expect("a small number"));
    [letter; 4].iter().collect()
}
