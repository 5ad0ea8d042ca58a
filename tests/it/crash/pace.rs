//! One order of 250 lines at the pace that the gateway allows: it takes its time, and nobody waits for it.

use std::time::{Duration, Instant};

use ml_connector::sandbox::procore;
use serde_json::{Value, json};

use super::books::Books;
use super::plant::{Desk, LOOK_EVERY, Plant, Systems, Wanted};
use crate::support::database::{TestDatabase, both};

both!(a_long_order_holds_up_nobody);

const LINES: usize = 250;
/// 100 calls a minute become 2,000.
const TIME_SCALE: u32 = 20;

async fn a_long_order_holds_up_nobody(database: TestDatabase) {
    let systems = Systems::start();
    let (source, erp) = (Desk::of(&systems.procore), Desk::of(&systems.m3));
    let vendor = source.add_vendor("Longline Supply").await;
    let wanted = Wanted {
        time_scale: TIME_SCALE,
        ..Wanted::default()
    };
    let plant = Plant::with(database, systems, wanted).await;
    let mut planted = vec![vendor.clone()];
    plant.settle(&planted).await;
    plant.change_m3(json!({"requests_per_minute": 100})).await;
    // What the gateway would refuse is refused.
    erp.set(json!({"calls_per_minute": 100 * TIME_SCALE})).await;

    let long = source
        .add_contracts_to(procore::PROJECT_IDS[0], &vendor, 1, LINES)
        .await;
    begun(&plant, &long[0]).await;
    let began = Instant::now();
    let mut short = Vec::new();
    for project in &procore::PROJECT_IDS[1..] {
        short.extend(source.add_contracts_to(*project, &vendor, 1, 3).await);
    }
    loop {
        let records = plant.records().await;
        if short.iter().all(|id| state_of(&records, id) == "succeeded") {
            assert_eq!(
                state_of(&records, &long[0]),
                "syncing",
                "it was to take longer than the short ones"
            );
            break;
        }
        assert!(
            began.elapsed() < Duration::from_secs(90),
            "the short ones wait"
        );
        tokio::time::sleep(LOOK_EVERY).await;
    }
    planted.extend(long);
    planted.extend(short);
    let records = plant.settle(&planted).await;
    let order = records
        .iter()
        .find(|record| record["source"]["id"] == planted[1].as_str());
    assert_eq!(
        order.expect("the long one")["attempts"],
        0,
        "a full bucket costs no attempt"
    );
    Books::of(&plant, records)
        .await
        .agree(&plant, &planted)
        .await;
}

/// Waits until a contract's lines are being entered.
async fn begun(plant: &Plant, id: &str) {
    let began = Instant::now();
    loop {
        if state_of(&plant.records().await, id) == "syncing" {
            return;
        }
        assert!(
            began.elapsed() < Duration::from_secs(90),
            "{id} is not begun"
        );
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn state_of<'r>(records: &'r [Value], id: &str) -> &'r str {
    let record = records.iter().find(|record| record["source"]["id"] == id);
    record
        .and_then(|record| record["state"].as_str())
        .unwrap_or("unknown")
}
