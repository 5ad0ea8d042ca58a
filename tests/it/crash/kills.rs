//! Kill -9 at every point of a write, one after the other and at random.

use std::time::Duration;

use ml_connector::sandbox::kit::Random;
use serde_json::{Value, json};

use super::books::Books;
use super::lock::Lock;
use super::plant::{Desk, LOOK_EVERY, Plant, Systems, Wanted};
use crate::support::database::{TestDatabase, both};

both!(
    killed_at_every_point,
    killed_before_a_commit,
    killed_at_random
);

/// Long enough for a kill and a start in between.
const HELD_MS: u64 = 1_500;

/// A call to M3 during which the program dies: before it is applied, or after.
const POINTS: [(&str, &str, &str); 20] = [
    // C9 and C10: around the look-ups.
    ("delay", "CRS620MI", "GetBasicData"),
    ("delay", "CRS620MI", "SearchSupplier"),
    ("delay", "PPSSPPMI", "LstSupHead"),
    ("delay_after", "PPSSPPMI", "LstSupHead"),
    // C12 and C14: the intent is there, the vendor may have it or not.
    ("delay", "CRS620MI", "CopyTemplate"),
    ("delay_after", "CRS620MI", "CopyTemplate"),
    ("delay", "CRS620MI", "UpdSupplier"),
    ("delay_after", "CRS620MI", "UpdSupplier"),
    ("delay_after", "CRS620MI", "AddAddress"),
    ("delay_after", "CRS111MI", "Add"),
    ("delay", "PPS370MI", "FinishEntry"),
    ("delay_after", "PPS370MI", "FinishEntry"),
    // In the middle of what moves nothing yet.
    ("delay_after", "PPS370MI", "StartEntry"),
    ("delay", "PPS370MI", "AddHead"),
    ("delay_after", "PPS370MI", "AddHead"),
    ("delay_after", "PPS370MI", "AddLine"),
    ("delay", "PPS370MI", "AddAccString"),
    ("delay", "PPS370MI", "AddText"),
    // C16: taken by the vendor, being proven.
    ("delay", "PPS200MI", "GetHead"),
    ("delay_after", "PPS200MI", "LstLine"),
];

async fn killed_at_every_point(database: TestDatabase) {
    let mut plant = Plant::new(database).await;
    plant.settle(&[]).await;
    let mut planted = Vec::new();
    for point in POINTS {
        let (kind, program, transaction) = point;
        let on = json!({"program": program, "transaction": transaction});
        plant
            .m3
            .arm(json!({"kind": kind, "ms": HELD_MS, "match": on}))
            .await;
        planted.extend(plant_one(&plant, &format!("{kind} {program} {transaction}"), 3).await);
        plant.m3.all_met().await;
        plant.restart().await;
        arrive(&plant, &planted, &format!("{point:?}")).await;
    }
    // C6: taken up, the source not read yet.
    let on = json!({"method": "GET", "path": "/rest/v1.0/vendors/*"});
    plant
        .procore
        .arm(json!({"kind": "delay", "ms": HELD_MS, "match": on}))
        .await;
    planted.extend(plant_one(&plant, "before the source is read", 3).await);
    plant.procore.all_met().await;
    plant.restart().await;
    let records = plant.settle(&planted).await;
    Books::of(&plant, records)
        .await
        .agree(&plant, &planted)
        .await;
}

/// C11, C15: the database is locked by somebody else, so that the program hangs in a commit when it dies.
async fn killed_before_a_commit(database: TestDatabase) {
    let mut plant = Plant::new(database).await;
    plant.settle(&[]).await;
    let mut planted = Vec::new();
    // The last look-ups are held; the intent that follows them is not committed.
    let held = [("CRS620MI", "SearchSupplier"), ("PPS370MI", "AddText")];
    // The answer to these has come; what came of it is not committed.
    let answered = [
        ("CRS620MI", "CopyTemplate"),
        ("PPS370MI", "FinishEntry"),
        ("PPS200MI", "LstLine"),
    ];
    for (program, transaction) in held.into_iter().chain(answered) {
        let on = json!({"program": program, "transaction": transaction});
        plant
            .m3
            .arm(json!({"kind": "delay", "ms": 600, "match": on}))
            .await;
        planted.extend(plant_one(&plant, &format!("commit {program} {transaction}"), 2).await);
        plant.m3.all_met().await;
        let lock = Lock::on(&plant.database).await;
        hangs(&plant).await;
        plant.kill();
        lock.release().await;
        plant.start().await;
        arrive(&plant, &planted, transaction).await;
    }
    let records = plant.settle(&planted).await;
    Books::of(&plant, records)
        .await
        .agree(&plant, &planted)
        .await;
}

/// Waits until the program calls M3 no more: it waits for the database.
async fn hangs(plant: &Plant) {
    let (mut calls, mut quiet) = (plant.m3.calls().await, 0);
    // The held call is let go after 600 ms.
    while quiet < 16 {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = plant.m3.calls().await;
        quiet = if now == calls { quiet + 1 } else { 0 };
        calls = now;
    }
}

const SEED: u64 = 20_261_122;
const ROUNDS: usize = 12;

async fn killed_at_random(database: TestDatabase) {
    let systems = Systems::start();
    let source = Desk::of(&systems.procore);
    let mut planted = Vec::new();
    for number in 0..20 {
        planted.push(
            source
                .add_vendor(&format!("Random {}", letters(number)))
                .await,
        );
    }
    let contracts = source.add_contracts(&planted, 50, 4).await;
    planted.extend(contracts);
    let erp = Desk::of(&systems.m3);
    let mut plant = Plant::with(database, systems, Wanted::default()).await;
    // Slow enough that twelve rounds do not get through it all.
    let slow = json!({"kind": "delay", "ms": 15, "times": 0, "match": {"path": "/m3api-rest/"}});
    erp.arm(slow).await;
    let mut random = Random::new(SEED);
    for _ in 0..ROUNDS {
        let lives = Duration::from_millis(100 + random.below(700));
        tokio::time::sleep(lives).await;
        plant.restart().await;
    }
    erp.disarm().await;
    let records = plant.settle(&planted).await;
    Books::of(&plant, records)
        .await
        .agree(&plant, &planted)
        .await;
}

/// Waits until what was planted has arrived, and says at which point it did not.
async fn arrive(plant: &Plant, planted: &[String], point: &str) {
    for record in plant.settle(planted).await {
        let is_planted = planted
            .iter()
            .any(|id| record["source"]["id"] == id.as_str());
        assert!(
            !is_planted || record["state"] == "succeeded",
            "{point}: {record}"
        );
    }
}

/// A vendor and a contract with it.
async fn plant_one(plant: &Plant, name: &str, lines: usize) -> Vec<String> {
    // Words in common would make the vendors look alike.
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let vendor = plant.procore.add_vendor(&name).await;
    let mut planted = plant
        .procore
        .add_contracts(std::slice::from_ref(&vendor), 1, lines)
        .await;
    planted.push(vendor);
    planted
}

/// A number as a word of its own.
fn letters(number: u32) -> String {
    let digit =
        |power: u32| char::from(b'a' + u8::try_from(number / 26_u32.pow(power) % 26).unwrap());
    let word: String = [digit(1), digit(0)].iter().collect();
    word.repeat(4)
}

#[test]
fn words_of_numbers_differ() {
    let words: std::collections::BTreeSet<String> = (0..100).map(letters).collect();
    assert_eq!(words.len(), 100);
    assert_ne!(json!(letters(1)), Value::Null);
}
