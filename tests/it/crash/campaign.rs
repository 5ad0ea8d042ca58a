//! Faults and kills at random, many seeds of them: whatever the mixture was, the books agree afterwards.
//!
//! `MLC_CAMPAIGN_SEEDS` says how many seeds a run tries (2), `MLC_CAMPAIGN_FIRST` which is the first.
//! A seed that fails is named, and tries the same again.

use std::time::Duration;

use ml_connector::sandbox::kit::Random;
use serde_json::{Value, json};

use super::books::Books;
use super::faults::manners;
use super::plant::{Desk, Plant, Systems, Wanted};
use crate::support::database::{Engine, TestDatabase, both};
use crate::support::process::Program;

both!(faults_and_kills_at_random);

const FIRST_SEED: u64 = 26_000;
const SEEDS: u64 = 2;
const ROUNDS: u64 = 25;
const VENDORS: u32 = 8;

async fn faults_and_kills_at_random(database: TestDatabase) {
    let engine = database.engine;
    let first = number("MLC_CAMPAIGN_FIRST", FIRST_SEED);
    let mut database = Some(database);
    for seed in first..first + number("MLC_CAMPAIGN_SEEDS", SEEDS) {
        let database = match database.take() {
            Some(database) => database,
            None => TestDatabase::empty(engine, "campaign").await,
        };
        eprintln!("seed {seed}");
        Campaign::begin(database, seed).await.run().await;
    }
}

fn number(variable: &str, usual: u64) -> u64 {
    let text = std::env::var(variable).ok();
    text.map_or(usual, |text| text.parse().expect("a number"))
}

struct Campaign {
    random: Random,
    plant: Plant,
    /// A second node on the same database, where there can be one.
    other: Option<Program>,
    source: Desk,
    erp: Desk,
    planted: Vec<String>,
}

impl Campaign {
    async fn begin(database: TestDatabase, seed: u64) -> Self {
        let systems = Systems::start();
        let (source, erp) = (Desk::of(&systems.procore), Desk::of(&systems.m3));
        let mut planted = Vec::new();
        for number in 0..VENDORS {
            planted.push(source.add_vendor(&word(number)).await);
        }
        let contracts = source.add_contracts(&planted, 16, 3).await;
        planted.extend(contracts);
        let plant = Plant::with(database, systems, Wanted::default()).await;
        let other = match plant.database.engine {
            Engine::Postgres => Some(plant.launch.start().await),
            Engine::Sqlite => None,
        };
        // Slow enough that there is something to hit in every round.
        let slow =
            json!({"kind": "delay", "ms": 10, "times": 0, "match": {"path": "/m3api-rest/"}});
        erp.arm(slow).await;
        Campaign {
            random: Random::new(seed),
            plant,
            other,
            source,
            erp,
            planted,
        }
    }

    async fn run(mut self) {
        for round in 0..ROUNDS {
            self.mischief(round).await;
            let pause = Duration::from_millis(20 + self.random.below(400));
            tokio::time::sleep(pause).await;
        }
        self.erp.disarm().await;
        self.source.disarm().await;
        // Reads that were answered with nonsense ended as faults that people see; they ask again.
        for _ in 0..4 {
            self.plant.settle(&self.planted).await;
            let retry =
                json!({"filter": {"pair": self.plant.pair, "state": "failed"}, "action": "retry"});
            self.plant
                .api()
                .post("/api/v1/records/bulk", retry, 202)
                .await;
        }
        let records = self.plant.settle(&self.planted).await;
        Books::of(&self.plant, records)
            .await
            .agree(&self.plant, &self.planted)
            .await;
    }

    async fn mischief(&mut self, round: u64) {
        match self.random.below(10) {
            0..=1 => self.kill_one().await,
            2 => self.add_one(round).await,
            3..=4 => {
                let path = ["/vendors", "/purchase_order_contracts", "/line_items"];
                let matching = json!({"method": "GET", "path": self.one_of(&path)});
                let fault = self.fault(matching);
                self.source.arm(fault).await;
            }
            _ => {
                let transaction = self.one_of(&TRANSACTIONS);
                let fault = self.fault(json!({"transaction": transaction}));
                self.erp.arm(fault).await;
            }
        }
    }

    async fn kill_one(&mut self) {
        if self.random.below(2) == 0
            && let Some(other) = self.other.take()
        {
            other.kill();
            self.other = Some(self.plant.launch.start().await);
            return;
        }
        self.plant.restart().await;
    }

    /// News comes while things go wrong.
    async fn add_one(&mut self, round: u64) {
        let name = word(VENDORS + u32::try_from(round).expect("a small number"));
        let vendor = self.source.add_vendor(&name).await;
        let contract = self.source.add_contract(&vendor, 0, &name).await;
        self.planted.extend([vendor, contract]);
    }

    fn fault(&mut self, matching: Value) -> Value {
        let manners = manners();
        let at = self
            .random
            .below(u64::try_from(manners.len()).expect("a small number"));
        let (_, mut fault) = manners[usize::try_from(at).expect("a small number")].clone();
        fault["times"] = json!(1 + self.random.below(3));
        fault["match"] = matching;
        fault
    }

    fn one_of<'w>(&mut self, words: &[&'w str]) -> &'w str {
        let count = u64::try_from(words.len()).expect("a small number");
        words[usize::try_from(self.random.below(count)).expect("a small number")]
    }
}

/// What the two flows call in M3.
const TRANSACTIONS: [&str; 12] = [
    "CopyTemplate",
    "UpdSupplier",
    "AddAddress",
    "GetBasicData",
    "StartEntry",
    "AddHead",
    "AddLine",
    "AddAccString",
    "FinishEntry",
    "GetHead",
    "LstLine",
    "LstSupHead",
];

/// A number as a name of its own.
fn word(number: u32) -> String {
    let digit = |power: u32| {
        char::from(b'a' + u8::try_from(number / 26_u32.pow(power) % 26).expect("a letter"))
    };
    let word: String = [digit(1), digit(0)].iter().collect();
    format!("Camp {}", word.repeat(4))
}
