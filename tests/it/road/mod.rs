//! The whole road over real HTTP: the simulated systems, the connectors, the engine and a database.

mod changes;
mod codes;
mod readback;
mod rehearsal;
pub mod setting;

use std::time::Duration;

use ml_connector::domain::record::State;
use ml_connector::store;
use serde_json::Value;
use setting::Setting;

use crate::support::database::{TestDatabase, both};

both!(vendors_and_orders_arrive_once_each);

async fn vendors_and_orders_arrive_once_each(database: TestDatabase) {
    let road = Setting::begin(&database).await;
    road.run().await;
    road.settle(Duration::from_secs(60)).await;
    let counts = road.counts().await;
    println!("{counts:?}");
    for record in road.records().await {
        if !record.record.state.is_synced() {
            println!(
                "{:?} {} {:?} {:?} {}",
                record.record.state,
                record.record.flow,
                record.record.number,
                record.record.counterparty,
                record.record.explanation
            );
        }
    }
    let synced = road.records_in(State::Succeeded).await;
    assert!(!synced.is_empty());
    let ledger: Value = road.ledger_of_the_erp().await;
    let created: Vec<&str> = ledger["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["operation"] == "CRS620MI/CopyTemplate")
        .filter_map(|entry| entry["key"].as_str())
        .collect();
    let mut once = created.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), created.len(), "a supplier was made twice");
    let scope = road.scope().await;
    let events = store::audit::list(
        &scope,
        &store::audit::Filter::default(),
        store::audit::Order::OldestFirst,
        None,
        100_000,
    )
    .await
    .unwrap();
    ml_connector::audit::verify(&events, None).unwrap();
}
