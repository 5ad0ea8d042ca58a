//! Starts and ends: told to stop under load, and killed while it starts or migrates.

use std::time::{Duration, Instant};

use ml_connector::sandbox::kit::Random;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::books::Books;
use super::plant::{Desk, Plant, Systems, Wanted};
use crate::support::database::{TestDatabase, both};
use crate::support::process::Launch;

both!(told_to_stop_under_load, killed_while_it_starts);

/// What the program promises.
const STOPS_WITHIN: Duration = Duration::from_secs(10);

async fn told_to_stop_under_load(database: TestDatabase) {
    let systems = Systems::start();
    let (source, erp) = (Desk::of(&systems.procore), Desk::of(&systems.m3));
    let mut planted = Vec::new();
    for word in ["Anvil", "Birch", "Cobalt", "Dynamo", "Ember"] {
        planted.push(source.add_vendor(&format!("{word} {word}")).await);
    }
    planted.extend(source.add_contracts(&planted, 20, 4).await);
    let wanted = Wanted {
        // Longer than the program may take to stop.
        m3: json!({"timeout_seconds": 30}),
        ..Wanted::default()
    };
    let mut plant = Plant::with(database, systems, wanted).await;
    erp.arm(json!({"kind": "delay", "ms": 10, "times": 0, "match": {"path": "/m3api-rest/"}}))
        .await;
    // In the middle of everything, once with steps that end soon, once with one that does not.
    stop(&mut plant).await;
    plant.start().await;
    erp.disarm().await;
    erp.arm(json!({"kind": "delay", "ms": 25_000, "match": {"transaction": "FinishEntry"}}))
        .await;
    erp.all_met().await;
    stop(&mut plant).await;
    plant.start().await;
    let records = plant.settle(&planted).await;
    Books::of(&plant, records)
        .await
        .agree(&plant, &planted)
        .await;
}

/// Stops the program while somebody holds a connection with half a request open.
async fn stop(plant: &mut Plant) {
    let program = plant.take();
    let address = program.url.trim_start_matches("http://").to_owned();
    let mut half = TcpStream::connect(address).await.expect("it listens");
    half.write_all(b"POST /api/v1/pairs HTTP/1.1\r\nHost: a\r\nContent-Len")
        .await
        .expect("it reads");
    let asked = Instant::now();
    let status = tokio::task::spawn_blocking(|| program.stop())
        .await
        .expect("it stops");
    assert!(status.success(), "{status}");
    assert!(
        asked.elapsed() < STOPS_WITHIN,
        "it took {:?}",
        asked.elapsed()
    );
}

const SEED: u64 = 20_261_123;

/// R23: whatever a start has done so far, the next one comes up.
async fn killed_while_it_starts(database: TestDatabase) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let serve = Launch::new(folder.path()).set("MLC_DATABASE_URL", &database.url);
    let migrate = serve.clone().arguments(&["migrate"]);
    let mut random = Random::new(SEED);
    // Rather early: a start is over soon, and most of it happens in the beginning.
    for round in 0..20 {
        let launch = if round % 2 == 0 { &migrate } else { &serve };
        let program = launch.begin();
        tokio::time::sleep(Duration::from_millis(10 + random.below(40 + 15 * round))).await;
        program.kill();
    }
    migrate.run();
    let account = serve.clone().arguments(&[
        "account",
        "create",
        "--name",
        "A",
        "--email",
        "a@b.example",
        "--json",
    ]);
    let made: serde_json::Value = serde_json::from_str(&account.run()).expect("JSON");
    let program = serve.start().await;
    let api = crate::support::http::Api::new(&program.url)
        .with_token(made["api_token"].as_str().unwrap());
    assert_eq!(
        api.get("/api/v1/me", 200).await["tenant"]["id"],
        made["tenant_id"]
    );
    assert!(program.stop().success());
}
