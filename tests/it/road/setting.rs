//! A tenant whose two simulated systems are connected, mapped and active.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ml_connector::connectors::kit::{HttpNetwork, Rules};
use ml_connector::desk::Desk;
use ml_connector::desk::EnteredSettings;
use ml_connector::desk::account::{NewAccount, create_account};
use ml_connector::desk::connection::{self, NewConnection};
use ml_connector::desk::pair;
use ml_connector::domain::clock::{Clock, Pace, Timestamp};
use ml_connector::domain::ids::{ConnectionId, PairId};
use ml_connector::domain::mapping::{MappingKind, Row};
use ml_connector::domain::member::{Actor, Caller, Role};
use ml_connector::domain::pair::{
    Approval, FlowSetting, Pair, PairSettings, PairStatus, Policies, Projects,
};
use ml_connector::domain::record::State;
use ml_connector::domain::run::Trigger;
use ml_connector::domain::schedule::Schedule;
use ml_connector::domain::system::PairKind;
use ml_connector::engine::{Engine, Setup};
use ml_connector::sandbox::{infor_m3, kit::Running, procore};
use ml_connector::store::record::Work;
use ml_connector::store::search::Filter;
use ml_connector::store::{self, Options, Scope, Store, StoreError, migrate};
use ml_connector::vault::{MasterKeys, Vault};
use ml_connector::{connectors, pairs};
use serde_json::{Value, json};

use crate::support::database::TestDatabase;
use crate::support::http::{self, Api};

pub struct Setting {
    pub desk: Desk,
    pub caller: Caller,
    pub pair: PairId,
    pub source: Running,
    pub erp: Running,
}

impl Setting {
    pub async fn begin(database: &TestDatabase) -> Self {
        Self::asking(database, Approval::Automatic).await
    }

    /// The same, where orders ask for approval or not.
    pub async fn asking(database: &TestDatabase, orders: Approval) -> Self {
        let source = procore::start(procore::Options {
            port: 0,
            seed: 1,
            limits: false,
        })
        .unwrap();
        let erp = infor_m3::start(infor_m3::Options { port: 0, seed: 1 }).unwrap();
        let desk = desk(database, &[&source, &erp]).await;
        let caller = account(&desk).await;
        Self::of(desk, caller, (source, erp), orders).await
    }

    /// A tenant of a product that is there already, with simulated systems of its own.
    pub async fn on(desk: Desk, caller: Caller, orders: Approval) -> Self {
        let source = procore::start(procore::Options {
            port: 0,
            seed: 1,
            limits: false,
        })
        .unwrap();
        let erp = infor_m3::start(infor_m3::Options { port: 0, seed: 1 }).unwrap();
        Self::of(desk, caller, (source, erp), orders).await
    }

    async fn of(
        desk: Desk,
        caller: Caller,
        (source, erp): (Running, Running),
        orders: Approval,
    ) -> Self {
        let project = connect(&desk, &caller, "procore", json!({
            "company_id": procore::COMPANY_ID, "api_base_url": source.url(), "login_base_url": source.url(),
        }), json!({"client_id": procore::CLIENT_ID, "client_secret": procore::CLIENT_SECRET})).await;
        let books = connect(&desk, &caller, "infor_m3", json!({
            "cono": infor_m3::CONO, "divi": infor_m3::DIVI, "facility": infor_m3::FACILITY,
            "warehouse": infor_m3::WAREHOUSE, "buyer": infor_m3::BUYER, "purchaser": infor_m3::USER,
            "responsible": infor_m3::USER, "order_type": infor_m3::ORDER_TYPE,
            "subcontract_order_type": infor_m3::SUBCONTRACT_ORDER_TYPE, "batch_origin": infor_m3::BATCH_ORIGIN,
            "supplier_template": infor_m3::SUPPLIER_TEMPLATE, "requests_per_minute": 0,
        }), json!({"ionapi": infor_m3::ionapi(&erp.url())})).await;
        let pair = pair(&desk, &caller, (project, books), orders).await;
        Self {
            desk,
            caller,
            pair,
            source,
            erp,
        }
    }

    pub async fn scope(&self) -> Scope {
        self.desk.store().read(self.caller.tenant_id).await.unwrap()
    }

    pub async fn run(&self) {
        self.run_flows(&["vendors", "commitments"]).await;
    }

    pub async fn run_flows(&self, flows: &[&str]) {
        let pair = self.pair;
        let flows: Vec<String> = flows.iter().map(|&flow| flow.to_owned()).collect();
        self.desk
            .store()
            .write(self.caller.tenant_id, &self.caller.actor, move |scope| {
                Box::pin(async move {
                    store::run::open(scope, pair, flows, false, Trigger::Person).await
                })
            })
            .await
            .unwrap();
    }

    /// Works slices until nothing is in work.
    pub async fn settle(&self, patience: Duration) {
        let began = Instant::now();
        loop {
            self.desk
                .engine
                .work_tenant(self.caller.tenant_id, "test")
                .await
                .unwrap();
            let scope = self.scope().await;
            let busy = store::tally::by_state(&scope, Some(self.pair))
                .await
                .unwrap()
                .into_iter()
                .filter(|(state, _)| !state.is_at_rest())
                .map(|(_, count)| count)
                .sum::<u64>();
            let open = !store::run::all_open(&scope).await.unwrap().is_empty();
            if busy == 0 && !open {
                return;
            }
            assert!(
                began.elapsed() < patience,
                "{busy} records are still in work"
            );
            drop(scope);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub async fn records(&self) -> Vec<Work> {
        let scope = self.scope().await;
        store::search::records(&scope, &Filter::default(), None, 10_000)
            .await
            .unwrap()
    }

    pub async fn records_in(&self, state: State) -> Vec<Work> {
        self.records()
            .await
            .into_iter()
            .filter(|work| work.record.state == state)
            .collect()
    }

    pub async fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for work in self.records().await {
            *counts
                .entry(format!("{} {}", work.record.flow, work.record.state))
                .or_default() += 1;
        }
        counts
    }

    pub async fn ledger_of_the_erp(&self) -> Value {
        ledger(&self.erp).await
    }

    /// Codes are moved, too.
    pub async fn move_codes(&self) {
        let settings = EnteredSettings {
            flows: Some(json!({
                "vendors": {"enabled": true, "approval": "automatic"},
                "cost_codes": {"enabled": true, "approval": "automatic"},
                "commitments": {"enabled": true, "approval": "automatic"},
            })),
            ..EnteredSettings::default()
        };
        let wanted = pair::ChangedPair {
            settings,
            ..pair::ChangedPair::default()
        };
        pair::change(&self.desk, &self.caller, self.pair, wanted)
            .await
            .unwrap();
    }

    /// Changes what the simulated books hold.
    pub async fn tell_the_erp(&self, path: &str, body: Value) -> Value {
        Api::new(&self.erp.url())
            .post(&format!("/_sandbox/infor_m3/{path}"), body, 200)
            .await
    }

    /// Changes what the simulated source holds.
    pub async fn tell_the_source(&self, path: &str, body: Value, status: u16) -> Value {
        Api::new(&self.source.url())
            .post(&format!("/_sandbox/procore/{path}"), body, status)
            .await
    }

    /// Calls of one operation that the simulated books have met.
    pub async fn calls_of_the_erp(&self, operation: &str) -> u64 {
        let state = Api::new(&self.erp.url()).get("/_sandbox/state", 200).await;
        let calls = state["calls"].as_object().unwrap();
        let of_it = calls.iter().filter(|(name, _)| name.contains(operation));
        of_it.filter_map(|(_, count)| count.as_u64()).sum()
    }

    pub async fn ledger_of_the_source(&self) -> Value {
        ledger(&self.source).await
    }
}

async fn ledger(sandbox: &Running) -> Value {
    let text = http::client()
        .get(format!("{}/_sandbox/ledger", sandbox.url()))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    serde_json::from_str(&text).unwrap()
}

async fn desk(database: &TestDatabase, sandboxes: &[&Running]) -> Desk {
    migrate::up(&database.url).await.expect("the schema");
    let clock = Clock::system();
    let store = Store::open(Options {
        url: database.url.clone(),
        clock: clock.clone(),
    })
    .await
    .unwrap();
    let masters = MasterKeys::parse(&MasterKeys::generate().unwrap()).unwrap();
    let rules = Rules {
        allowed_hosts: Vec::new(),
        allow_private_targets: false,
        loopback_ports: sandboxes.iter().map(|sandbox| sandbox.port()).collect(),
    };
    let pace = Pace::new(60);
    http::client();
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
    let created = create_account(
        desk,
        NewAccount {
            name: "Acme".into(),
            email: "a@b.example".into(),
            password: None,
        },
    )
    .await
    .unwrap();
    Caller {
        tenant_id: created.tenant_id,
        tenant_name: "Acme".into(),
        member_id: created.member_id,
        actor: Actor::command(),
        role: Role::Owner,
        scopes: Role::Owner.scopes().to_vec(),
    }
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
    for step in &ping.steps {
        println!(
            "{system} {} {} {} {:?}",
            step.name, step.ok, step.detail, step.hint
        );
    }
    assert!(ping.ok);
    made.id
}

async fn pair(
    desk: &Desk,
    caller: &Caller,
    (project, erp): (ConnectionId, ConnectionId),
    orders: Approval,
) -> PairId {
    let id = PairId::generate();
    let flow = |approval| FlowSetting {
        enabled: true,
        approval,
    };
    let pair = Pair {
        id,
        kind: PairKind::new("infor_m3_procore"),
        erp_connection_id: erp,
        project_connection_id: project,
        settings: PairSettings {
            name: "Road".into(),
            flows: [
                ("vendors", flow(Approval::Automatic)),
                ("commitments", flow(orders)),
            ]
            .into_iter()
            .map(|(name, flow)| (name.to_owned(), flow))
            .collect(),
            projects: Projects::default(),
            schedule: Schedule::default(),
            start_date: None,
            policies: Policies::default(),
        },
        status: PairStatus::Active,
        version: 1,
        next_run_at: None,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    };
    let row = |project: &[(&str, String)], erp: &[(&str, String)]| Row {
        id: None,
        project_side: project
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        erp_side: erp
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        note: String::new(),
    };
    let projects: Vec<Row> = infor_m3::projects()
        .map(|facts| {
            row(
                &[("project_id", facts.procore_id.to_string())],
                &[
                    ("project", facts.project.to_string()),
                    ("facility", facts.facility.to_string()),
                    ("warehouse", facts.warehouse.to_string()),
                ],
            )
        })
        .collect();
    let codes: Vec<Row> = infor_m3::codes()
        .into_iter()
        .map(|facts| {
            row(
                &[
                    ("cost_code", facts.cost_code.to_string()),
                    ("cost_type", facts.cost_type.to_string()),
                ],
                &[
                    ("ait1", facts.account.to_string()),
                    ("ait2", facts.cost_center.to_string()),
                    ("element", facts.element.to_string()),
                ],
            )
        })
        .collect();
    let items: Vec<Row> = infor_m3::items()
        .map(|(cost_type, item, _)| {
            row(
                &[("cost_type", cost_type.to_string())],
                &[("item", item.to_string())],
            )
        })
        .collect();
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move {
                store::pair::insert(scope, &pair).await?;
                for (kind, rows) in [
                    (MappingKind::Projects, projects),
                    (MappingKind::CostCodes, codes),
                    (MappingKind::Items, items),
                ] {
                    store::mapping::replace(scope, id, kind, &rows).await?;
                }
                Ok::<_, StoreError>(())
            })
        })
        .await
        .unwrap();
    id
}
