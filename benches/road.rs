//! How many records a second travel the whole road: from a simulated source over HTTP through the engine and
//! a database into a simulated ERP, all on this machine and without a vendor's limit. Beside it the bare
//! client against the same simulator: what the road costs on top.
//!
//! `cargo bench --bench road -- [--vendors N] [--orders N] [--lines N] [--postgres URL]`

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::disallowed_methods,
    clippy::panic
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use ml_connector::connectors::kit::{HttpNetwork, Rules};
use ml_connector::desk::account::{NewAccount, create_account};
use ml_connector::desk::connection::{self, NewConnection};
use ml_connector::desk::pair::{self, NewPair};
use ml_connector::desk::{Desk, DryRun, EnteredSettings, mapping, token};
use ml_connector::domain::clock::{Clock, Pace};
use ml_connector::domain::ids::{ConnectionId, PairId};
use ml_connector::domain::mapping::{MappingKind, Row};
use ml_connector::domain::member::Caller;
use ml_connector::engine::{Engine, Setup};
use ml_connector::sandbox::kit::Running;
use ml_connector::sandbox::{infor_m3, procore};
use ml_connector::store::{Options, Store, migrate};
use ml_connector::vault::{MasterKeys, Vault};
use ml_connector::{connectors, jobs, pairs};
use serde_json::{Value, json};

/// That of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Wanted {
    vendors: u64,
    orders: u64,
    lines: u64,
    projects: u64,
    postgres: Option<String>,
}

fn main() {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let wanted = wanted();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(measure(&wanted));
}

fn wanted() -> Wanted {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let number = |name: &str, usual| value(name).map_or(usual, |text| text.parse().expect(name));
    Wanted {
        vendors: number("--vendors", 2_000),
        orders: number("--orders", 2_000),
        lines: number("--lines", 3),
        projects: number("--projects", 40),
        postgres: value("--postgres"),
    }
}

async fn measure(wanted: &Wanted) {
    let source = procore::start(procore::Options {
        port: 0,
        seed: 1,
        limits: false,
    })
    .unwrap();
    let erp = infor_m3::start(infor_m3::Options { port: 0, seed: 1 }).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let plant = |what: &'static str, body: Value| {
        let (client, url) = (
            client.clone(),
            format!("{}/_sandbox/procore/{what}", source.url()),
        );
        async move {
            let text = client
                .post(url)
                .json(&body)
                .send()
                .await
                .unwrap()
                .error_for_status()
                .unwrap()
                .text()
                .await
                .unwrap();
            serde_json::from_str::<Value>(&text).unwrap()
        }
    };
    let projects = plant("projects", json!({"count": wanted.projects})).await;
    let projects: Vec<i64> = ids(&projects);
    let vendors: Vec<i64> = ids(&plant(
        "vendors",
        json!({"count": wanted.vendors, "name": "Bench Vendor"}),
    )
    .await);
    plant("contracts", json!({"count": wanted.orders, "lines": wanted.lines, "project_ids": projects, "vendor_ids": vendors})).await;
    let settings = json!({"batch_delay_seconds": 0, "search_lag_seconds": 0});
    client
        .post(format!("{}/_sandbox/settings", erp.url()))
        .json(&settings)
        .send()
        .await
        .unwrap()
        .error_for_status()
        .unwrap();

    let bare = bare_calls_a_second(&client, &erp).await;
    println!("bare client          {bare:>10.0} calls/s (one at a time on 24 connections)");

    let folder = tempfile::tempdir().unwrap();
    let url = wanted.postgres.clone().unwrap_or_else(|| {
        format!(
            "sqlite://{}?mode=rwc",
            folder.path().join("bench.db").display()
        )
    });
    let desk = desk(&url, &[&source, &erp]).await;
    let caller = account(&desk).await;
    let pair = company(&desk, &caller, (&source, &erp), &projects).await;
    let before = calls(&client, &[&source, &erp]).await;
    let started = Instant::now();
    pair::activate(&desk, &caller, pair, DryRun::Waived)
        .await
        .unwrap();
    let workers = jobs::start(desk.engine.clone(), 8)
        .await
        .expect("the workers start");
    let mut shown = (0_u64, Instant::now());
    let took = loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let work = pair::find(&desk, &caller, pair).await.unwrap().work;
        let total: u64 = work.iter().map(|(_, records)| records).sum();
        let busy: u64 = work
            .iter()
            .filter(|(state, _)| !state.is_at_rest())
            .map(|(_, records)| records)
            .sum();
        if shown.1.elapsed() > Duration::from_secs(2) {
            let done = total - busy;
            println!(
                "  {:>6.1} s  {done:>7} done  {:>7.0} records/s since the last line",
                started.elapsed().as_secs_f64(),
                (done - shown.0) as f64 / shown.1.elapsed().as_secs_f64()
            );
            shown = (done, Instant::now());
        }
        if total >= wanted.vendors + wanted.orders && busy == 0 {
            println!("  {work:?}");
            break started.elapsed();
        }
        assert!(
            started.elapsed() < Duration::from_secs(600),
            "not done: {work:?}"
        );
    };
    let after = calls(&client, &[&source, &erp]).await;
    let records = wanted.vendors + wanted.orders;
    let seconds = took.as_secs_f64();
    let commits = desk.store().commits();
    println!(
        "records              {:>10.0} records/s ({records} in {seconds:.1} s)",
        records as f64 / seconds
    );
    println!(
        "calls                {:>10.0} calls/s ({:.1} a record)",
        (after - before) as f64 / seconds,
        (after - before) as f64 / records as f64
    );
    println!(
        "units                {:>10.1} units a record, {:.2} commits a record",
        commits.units as f64 / records as f64,
        commits.commits as f64 / records as f64
    );
    workers.stop(Duration::from_secs(5)).await;
}

fn ids(answer: &Value) -> Vec<i64> {
    answer["ids"]
        .as_array()
        .expect("ids")
        .iter()
        .map(|id| id.as_i64().unwrap())
        .collect()
}

/// The fastest that this machine asks the simulator one small question.
async fn bare_calls_a_second(client: &reqwest::Client, erp: &Running) -> f64 {
    const CALLS: usize = 500;
    const SIDE_BY_SIDE: usize = 24;
    let url = format!("{}/_sandbox/clock", erp.url());
    let started = Instant::now();
    let tasks: Vec<_> = (0..SIDE_BY_SIDE)
        .map(|_| {
            let (client, url) = (client.clone(), url.clone());
            tokio::spawn(async move {
                for _ in 0..CALLS {
                    client
                        .get(&url)
                        .send()
                        .await
                        .unwrap()
                        .bytes()
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    (CALLS * SIDE_BY_SIDE) as f64 / started.elapsed().as_secs_f64()
}

async fn calls(client: &reqwest::Client, sandboxes: &[&Running]) -> u64 {
    let mut total = 0;
    for sandbox in sandboxes {
        let text = client
            .get(format!("{}/_sandbox/state", sandbox.url()))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let state: Value = serde_json::from_str(&text).unwrap();
        total += state["calls"]
            .as_object()
            .unwrap()
            .values()
            .map(|count| count.as_u64().unwrap())
            .sum::<u64>();
    }
    total
}

async fn desk(url: &str, sandboxes: &[&Running]) -> Desk {
    migrate::up(url).await.unwrap();
    let (clock, pace) = (Clock::system(), Pace::default());
    let store = Store::open(Options {
        url: url.to_owned(),
        clock: clock.clone(),
    })
    .await
    .unwrap();
    let masters = MasterKeys::parse(&MasterKeys::generate().unwrap()).unwrap();
    let rules = Rules {
        allowed_hosts: Vec::new(),
        allow_private_targets: true,
        loopback_ports: sandboxes.iter().map(|sandbox| sandbox.port()).collect(),
    };
    let network = HttpNetwork::new(rules, clock.clone(), pace).unwrap();
    Desk {
        engine: Engine::new(Setup {
            store,
            vault: Arc::new(Vault::new(masters)),
            network: Arc::new(network),
            connectors: connectors::ALL,
            pairs: pairs::PAIRS,
            clock,
            pace,
        }),
    }
}

async fn account(desk: &Desk) -> Caller {
    let new = NewAccount {
        name: "Bench".into(),
        email: "bench@b.example".into(),
        password: None,
    };
    let created = create_account(desk, new).await.unwrap();
    token::caller(desk, created.api_token.open())
        .await
        .unwrap()
        .unwrap()
}

async fn company(
    desk: &Desk,
    caller: &Caller,
    (source, erp): (&Running, &Running),
    projects: &[i64],
) -> PairId {
    let project = connect(desk, caller, "procore", json!({
        "company_id": procore::COMPANY_ID, "api_base_url": source.url(), "login_base_url": source.url(),
    }), json!({"client_id": procore::CLIENT_ID, "client_secret": procore::CLIENT_SECRET})).await;
    let books = connect(desk, caller, "infor_m3", json!({
        "cono": infor_m3::CONO, "divi": infor_m3::DIVI, "facility": infor_m3::FACILITY,
        "warehouse": infor_m3::WAREHOUSE, "buyer": infor_m3::BUYER, "purchaser": infor_m3::USER,
        "responsible": infor_m3::USER, "order_type": infor_m3::ORDER_TYPE,
        "subcontract_order_type": infor_m3::SUBCONTRACT_ORDER_TYPE, "batch_origin": infor_m3::BATCH_ORIGIN,
        "supplier_template": infor_m3::SUPPLIER_TEMPLATE, "requests_per_minute": 0,
    }), json!({"ionapi": infor_m3::ionapi(&erp.url())})).await;
    let flow = json!({"enabled": true, "approval": "automatic"});
    let made = pair::create(
        desk,
        caller,
        NewPair {
            kind: "infor_m3_procore".into(),
            erp_connection_id: books.to_string(),
            project_connection_id: project.to_string(),
            settings: EnteredSettings {
                name: Some(json!("Bench")),
                flows: Some(json!({"vendors": flow, "commitments": flow})),
                ..EnteredSettings::default()
            },
        },
    )
    .await
    .unwrap();
    let id = made.pair.id;
    let side = |cells: &[(&str, String)]| {
        cells
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect()
    };
    let row = |left: &[(&str, String)], right: &[(&str, String)]| Row {
        id: None,
        project_side: side(left),
        erp_side: side(right),
        note: String::new(),
    };
    let facts: Vec<_> = infor_m3::projects().collect();
    let known = facts
        .iter()
        .map(|facts| (facts.procore_id, facts.project.to_string()));
    let added = projects
        .iter()
        .map(|id| (*id, facts[0].project.to_string()));
    let tables = [
        (
            MappingKind::Projects,
            known
                .chain(added)
                .map(|(id, project)| {
                    row(&[("project_id", id.to_string())], &[("project", project)])
                })
                .collect(),
        ),
        (
            MappingKind::CostCodes,
            infor_m3::codes()
                .into_iter()
                .map(|facts| {
                    row(
                        &[
                            ("cost_code", facts.cost_code.to_string()),
                            ("cost_type", facts.cost_type.to_string()),
                        ],
                        &[
                            ("ait1", facts.account.clone()),
                            ("ait2", facts.cost_center.to_string()),
                        ],
                    )
                })
                .collect::<Vec<Row>>(),
        ),
        (
            MappingKind::Items,
            infor_m3::items()
                .map(|(cost_type, item, _)| {
                    row(
                        &[("cost_type", cost_type.to_owned())],
                        &[("item", item.to_owned())],
                    )
                })
                .collect(),
        ),
    ];
    for (kind, rows) in tables {
        mapping::replace(desk, caller, (id, kind), rows)
            .await
            .unwrap();
    }
    id
}

async fn connect(
    desk: &Desk,
    caller: &Caller,
    system: &str,
    settings: Value,
    credentials: Value,
) -> ConnectionId {
    let values = |value: Value| value.as_object().unwrap().clone();
    let made = connection::create(
        desk,
        caller,
        NewConnection {
            system: system.into(),
            name: system.into(),
            environment: "sandbox".into(),
            settings: values(settings),
            credentials: values(credentials),
        },
    )
    .await
    .unwrap();
    let ping = connection::ping(desk, caller, made.id).await.unwrap();
    assert!(ping.ok, "{ping:?}");
    made.id
}
