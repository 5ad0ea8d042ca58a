//! The trail, read over the API: unbroken, and with an intent before every write that counts.

use std::collections::BTreeMap;

use ml_connector::audit;
use ml_connector::domain::clock::Clock;
use ml_connector::store::{self, Options, Store};
use serde_json::Value;
use uuid::Uuid;

use super::plant::Plant;

/// Writes of M3 that people can see at once; each has an intent of its own. Entering into a batch moves
/// nothing before it is finished.
const FINAL: [&str; 6] = [
    "CRS620MI/CopyTemplate",
    "CRS620MI/AddSupplier",
    "CRS620MI/UpdSupplier",
    "CRS620MI/AddAddress",
    "CRS111MI/Add",
    "PPS370MI/FinishEntry",
];

/// The chain has no gap, and every event goes on from the one before.
pub fn is_unbroken(trail: &[Value]) {
    let mut last = (0, None);
    for event in trail {
        let seq = event["seq"].as_u64().expect("a number");
        assert_eq!(seq, last.0 + 1, "an event is missing");
        if let Some(hash) = &last.1 {
            assert_eq!(
                event["prev_hash"], *hash,
                "event {seq} does not go on from the last one"
            );
        }
        last = (seq, Some(event["hash"].clone()));
    }
}

/// Recomputes every hash from what the database holds.
pub async fn holds(plant: &Plant) {
    let options = Options {
        url: plant.database.url.clone(),
        clock: Clock::system(),
    };
    let store = Store::open(options).await.expect("the database opens");
    let tenant: Uuid = plant.tenant.parse().expect("an id");
    let scope = store.read(tenant.into()).await.expect("a scope");
    let all = store::audit::Filter::default();
    let order = store::audit::Order::OldestFirst;
    let events = store::audit::list(&scope, &all, order, None, 1_000_000)
        .await
        .expect("events");
    audit::verify(&events, None).expect("the chain holds");
}

/// Every final write in the ledger has an intent of its own that is older: of the same transaction and
/// for the same key, as many intents as writes.
pub fn intents_come_first(ledger: &[Value], trail: &[Value]) {
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    for entry in ledger {
        let operation = entry["operation"].as_str().unwrap_or_default();
        if !FINAL.contains(&operation) {
            continue;
        }
        let key = key_of(entry, ledger);
        let count = seen.entry((operation.to_owned(), key.clone())).or_default();
        *count += 1;
        let at = entry["at"].as_str().expect("a time");
        let before = trail.iter().filter(|event| {
            event["action"] == "write.intent"
                && event["detail"]["operation"] == operation
                && event["detail"]["target"] == key.as_str()
                && time(event["at"].as_str().expect("a time")) <= time(at)
        });
        let intents = before.count();
        assert!(
            intents >= *count,
            "{intents} intents stand before write {count} of {operation} {key}: {entry}"
        );
    }
}

fn time(text: &str) -> time::OffsetDateTime {
    let rfc3339 = &time::format_description::well_known::Rfc3339;
    time::OffsetDateTime::parse(text, rfc3339).expect("a time")
}

/// The supplier or order that an entry is about. A finished batch is known by its number alone: the
/// order's came with its head.
fn key_of(entry: &Value, ledger: &[Value]) -> String {
    let request = &entry["request"];
    for name in ["SUNO", "EMKY"] {
        if let Some(key) = request[name].as_str() {
            return key.to_owned();
        }
    }
    let head = ledger.iter().find(|other| {
        other["operation"] == "PPS370MI/AddHead" && other["request"]["MSGN"] == request["MSGN"]
    });
    head.expect("a finished batch has a head")["key"]
        .as_str()
        .expect("a key")
        .to_owned()
}
