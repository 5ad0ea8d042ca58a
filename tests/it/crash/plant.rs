//! The program with its two simulated systems, set up as a customer would: an account by the command,
//! everything else over the API.

use std::time::{Duration, Instant};

use ml_connector::sandbox::kit::Running;
use ml_connector::sandbox::{infor_m3, procore};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::database::TestDatabase;
use crate::support::http::Api;
use crate::support::process::{Launch, Program};

/// Waits are divided by this: 30 minutes of patience are 18 seconds.
pub const TIME_SCALE: u32 = 100;
/// Seconds until a call to a vendor is given up; not divided.
pub const TIMEOUT_SECONDS: u32 = 3;
/// A real look every so often, never a long sleep.
pub const LOOK_EVERY: Duration = Duration::from_millis(50);
/// The longest way to rest: a quiet period, its look-ups and the back-off before them.
const SETTLED_WITHIN: Duration = Duration::from_secs(180);

/// What is different in one plant.
pub struct Wanted {
    /// Over the settings of the connection to M3.
    pub m3: Value,
    /// What stands between the program and the systems, if anything.
    pub procore_url: Option<String>,
    pub m3_url: Option<String>,
    pub password: Option<&'static str>,
    pub log: &'static str,
    pub time_scale: u32,
}

impl Default for Wanted {
    fn default() -> Self {
        Wanted {
            m3: json!({}),
            procore_url: None,
            m3_url: None,
            password: None,
            // Without a line for each answer: the tests ask all the time.
            log: "info,ml_connector::web::edge=warn",
            time_scale: TIME_SCALE,
        }
    }
}

/// Everything that runs for one test.
pub struct Plant {
    pub database: TestDatabase,
    pub procore: Desk,
    pub m3: Desk,
    pub launch: Launch,
    pub token: String,
    pub tenant: String,
    pub pair: String,
    program: Option<Program>,
    pub folder: TempDir,
    _running: [Running; 2],
}

/// A simulated system's control desk.
#[derive(Clone)]
pub struct Desk {
    pub url: String,
    api: Api,
}

/// The two simulated systems.
pub struct Systems {
    pub procore: Running,
    pub m3: Running,
}

impl Systems {
    pub fn start() -> Self {
        // In the way of the vendors, but for their limits on calls.
        let procore = procore::start(procore::Options {
            port: 0,
            seed: 1,
            limits: false,
        });
        let m3 = infor_m3::start(infor_m3::Options { port: 0, seed: 1 });
        Systems {
            procore: procore.expect("a free port"),
            m3: m3.expect("a free port"),
        }
    }
}

impl Plant {
    pub async fn new(database: TestDatabase) -> Self {
        Self::with(database, Systems::start(), Wanted::default()).await
    }

    /// Sets everything up. The pair is active and its first run under way when this ends.
    pub async fn with(database: TestDatabase, systems: Systems, wanted: Wanted) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let launch = Launch::new(folder.path())
            .set("MLC_DATABASE_URL", &database.url)
            .set("MLC_DEV", "1")
            .set("MLC_TIME_SCALE", &wanted.time_scale.to_string())
            .set("MLC_ALLOW_PRIVATE_TARGETS", "1")
            .set("MLC_LOG", wanted.log);
        let account = create_account(&launch, wanted.password);
        let text = |name: &str| account[name].as_str().expect("a text").to_owned();
        let mut plant = Plant {
            procore: Desk::of(&systems.procore),
            m3: Desk::of(&systems.m3),
            token: text("api_token"),
            tenant: text("tenant_id"),
            pair: String::new(),
            program: None,
            folder,
            database,
            launch,
            _running: [systems.procore, systems.m3],
        };
        plant.start().await;
        plant.connect(&wanted).await;
        plant
    }

    async fn connect(&mut self, wanted: &Wanted) {
        let api = self.api();
        let books = wanted.m3_url.clone().unwrap_or_else(|| self.m3.url.clone());
        let mut settings = json!({
            "cono": infor_m3::CONO, "divi": infor_m3::DIVI, "facility": infor_m3::FACILITY,
            "warehouse": infor_m3::WAREHOUSE, "buyer": infor_m3::BUYER, "purchaser": infor_m3::USER,
            "responsible": infor_m3::USER, "order_type": infor_m3::ORDER_TYPE,
            "subcontract_order_type": infor_m3::SUBCONTRACT_ORDER_TYPE,
            "batch_origin": infor_m3::BATCH_ORIGIN, "supplier_template": infor_m3::SUPPLIER_TEMPLATE,
            "requests_per_minute": 0, "quiet_period_seconds": 100, "timeout_seconds": TIMEOUT_SECONDS,
        });
        let over = wanted.m3.as_object().expect("settings are an object");
        settings.as_object_mut().unwrap().extend(over.clone());
        let m3 = connection(
            &api,
            json!({"system": "infor_m3", "name": "Books", "environment": "sandbox", "settings": settings,
                "credentials": {"ionapi": infor_m3::ionapi(&books)}}),
        )
        .await;
        let url = wanted.procore_url.as_ref().unwrap_or(&self.procore.url);
        let procore = connection(
            &api,
            json!({"system": "procore", "name": "Projects", "environment": "sandbox",
                "settings": {"company_id": procore::COMPANY_ID, "api_base_url": url, "login_base_url": url,
                    "timeout_seconds": TIMEOUT_SECONDS},
                "credentials": {"client_id": procore::CLIENT_ID, "client_secret": procore::CLIENT_SECRET}}),
        )
        .await;
        let automatic = json!({"enabled": true, "approval": "automatic"});
        let pair = json!({"name": "Plant", "kind": "infor_m3_procore", "erp_connection_id": m3,
            "procore_connection_id": procore, "flows": {"vendors": automatic, "commitments": automatic},
            "projects": {"include": "all"}, "schedule": {"every_minutes": 2, "time_zone": "UTC"}});
        let pair = api.post("/api/v1/pairs", pair, 201).await;
        self.pair = pair["id"].as_str().unwrap().to_owned();
        self.map("projects", projects()).await;
        self.map("cost_codes", cost_codes()).await;
        self.map("items", items()).await;
        let body = json!({"without_dry_run": true});
        api.post(&self.path("/activate"), body, 200).await;
    }

    /// Changes settings of the connection to M3.
    pub async fn change_m3(&self, settings: Value) {
        let connections = self.api().get("/api/v1/connections", 200).await;
        let list = connections["data"].as_array().expect("a list");
        let m3 = list
            .iter()
            .find(|connection| connection["system"] == "infor_m3");
        let path = format!(
            "/api/v1/connections/{}",
            m3.expect("a connection")["id"].as_str().unwrap()
        );
        self.api()
            .patch(&path, json!({"settings": settings}), 200)
            .await;
    }

    async fn map(&self, kind: &str, rows: Vec<Value>) {
        let path = self.path(&format!("/mappings/{kind}"));
        self.api().put(&path, Value::Array(rows), 200).await;
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/v1/pairs/{}{rest}", self.pair)
    }

    /// The API of the program that runs now.
    pub fn api(&self) -> Api {
        Api::new(&self.program().url).with_token(&self.token)
    }

    pub fn program(&self) -> &Program {
        self.program.as_ref().expect("the program runs")
    }

    pub async fn start(&mut self) {
        self.program = Some(self.launch.start().await);
    }

    /// As a power cut would.
    pub fn kill(&mut self) {
        self.program.take().expect("the program runs").kill();
    }

    /// Takes the running program out, for a test that ends it in its own way.
    pub fn take(&mut self) -> Program {
        self.program.take().expect("the program runs")
    }

    /// Kills it and starts it again over the same data.
    pub async fn restart(&mut self) {
        self.kill();
        self.start().await;
    }

    /// Records that are in work now: none when the pair is at rest.
    pub async fn busy(&self) -> u64 {
        let pair = self.api().get(&self.path(""), 200).await;
        ["pending", "syncing", "retrying"]
            .iter()
            .map(|state| pair["work"][state].as_u64().expect("a count"))
            .sum()
    }

    /// Waits until every one of these source records is known, and the pair is at rest.
    pub async fn settle(&self, expected: &[String]) -> Vec<Value> {
        let began = Instant::now();
        loop {
            if self.busy().await == 0 {
                let records = self.records().await;
                let missing = expected
                    .iter()
                    .find(|id| !records.iter().any(|r| r["source"]["id"] == **id));
                if missing.is_none() && self.busy().await == 0 {
                    return records;
                }
            }
            assert!(
                began.elapsed() < SETTLED_WITHIN,
                "it did not come to rest:\n{}",
                self.unrest().await
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// What is still in work, for a test that fails.
    async fn unrest(&self) -> String {
        let records = self.records().await;
        let busy = records.iter().filter(|r| {
            ["pending", "syncing", "retrying"].contains(&r["state"].as_str().unwrap_or_default())
        });
        let says = |r: &Value| {
            format!(
                "{} {} {} {} {}",
                r["flow"], r["number"], r["state"], r["next_attempt_at"], r["explanation"]
            )
        };
        let lines: Vec<String> = busy.map(says).collect();
        let log = self.program().log();
        let tail = log.len().saturating_sub(6_000);
        format!("{}\n…{}", lines.join("\n"), log.get(tail..).unwrap_or(&log))
    }

    /// Every record of the pair.
    pub async fn records(&self) -> Vec<Value> {
        self.all(&format!("/api/v1/records?pair={}", self.pair))
            .await
    }

    /// Every event of the trail, oldest first.
    pub async fn trail(&self) -> Vec<Value> {
        let mut events = self.all("/api/v1/audit?").await;
        events.sort_by_key(|event| event["seq"].as_u64());
        events
    }

    async fn all(&self, path: &str) -> Vec<Value> {
        let api = self.api();
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = api.get(&format!("{path}&limit=200{cursor}"), 200).await;
            found.extend(page["data"].as_array().expect("a list").iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
    }
}

fn create_account(launch: &Launch, password: Option<&str>) -> Value {
    let mut arguments = vec![
        "account",
        "create",
        "--name",
        "Acme",
        "--email",
        "a@b.example",
        "--json",
    ];
    if password.is_some() {
        arguments.push("--password-stdin");
    }
    let launch = launch.clone().arguments(&arguments);
    let printed = match password {
        Some(password) => launch.run_with(&format!("{password}\n")),
        None => launch.run(),
    };
    serde_json::from_str(&printed).expect("JSON is printed")
}

/// Makes a connection and tests it.
async fn connection(api: &Api, body: Value) -> String {
    let made = api.post("/api/v1/connections", body, 201).await;
    let id = made["id"].as_str().unwrap().to_owned();
    let ping = api
        .post(&format!("/api/v1/connections/{id}/ping"), json!({}), 200)
        .await;
    assert_eq!(ping["ok"], true, "{ping}");
    id
}

fn projects() -> Vec<Value> {
    infor_m3::projects()
        .map(|facts| {
            json!({"procore": {"project_id": facts.procore_id}, "erp": {"project": facts.project,
                "facility": facts.facility, "warehouse": facts.warehouse}})
        })
        .collect()
}

fn cost_codes() -> Vec<Value> {
    infor_m3::codes()
        .iter()
        .map(|facts| {
            json!({"procore": {"cost_code": facts.cost_code, "cost_type": facts.cost_type},
                "erp": {"ait1": facts.account, "ait2": facts.cost_center, "element": facts.element}})
        })
        .collect()
}

fn items() -> Vec<Value> {
    infor_m3::items()
        .map(|(cost_type, item, _)| json!({"procore": {"cost_type": cost_type}, "erp": {"item": item}}))
        .collect()
}

impl Desk {
    pub fn of(running: &Running) -> Self {
        let url = running.url();
        let api = Api::new(&url);
        Desk { url, api }
    }

    /// How many calls were met so far.
    pub async fn calls(&self) -> u64 {
        let state = self.api.get("/_sandbox/state", 200).await;
        let calls = state["calls"].as_object().expect("counts");
        calls.values().filter_map(Value::as_u64).sum()
    }

    pub async fn ledger(&self) -> Vec<Value> {
        let ledger = self.api.get("/_sandbox/ledger", 200).await;
        ledger["data"].as_array().expect("a list").clone()
    }

    pub async fn state(&self) -> Value {
        self.api.get("/_sandbox/state", 200).await["state"].clone()
    }

    /// Changes switches of the simulator.
    pub async fn set(&self, settings: Value) {
        self.api.post("/_sandbox/settings", settings, 200).await;
    }

    /// Arms a fault.
    pub async fn arm(&self, fault: Value) {
        self.api.post("/_sandbox/faults", fault, 200).await;
    }

    pub async fn disarm(&self) {
        self.api.delete("/_sandbox/faults", 204).await;
    }

    /// Waits until every armed fault has met its calls.
    pub async fn all_met(&self) {
        let began = Instant::now();
        loop {
            let armed = self.api.get("/_sandbox/faults", 200).await;
            if armed["data"] == json!([]) {
                return;
            }
            assert!(began.elapsed() < SETTLED_WITHIN, "no call met {armed}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A vendor whom the ERP does not know, with an address and an e-mail address.
    pub async fn add_vendor(&self, name: &str) -> String {
        let slug: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let body = json!({"name": name, "address": "1 Quay St", "city": "Denver", "state_code": "CO",
            "zip": "80202", "country_code": "US", "email_address": format!("{slug}@vendor.example")});
        let made = self.api.post("/_sandbox/procore/vendors", body, 201).await;
        made["id"].to_string()
    }

    /// An approved contract of two lines that begin with a word of their own.
    pub async fn add_contract(&self, vendor: &str, project: usize, word: &str) -> String {
        let line = |number: u32| {
            json!({"description": format!("{word} {number}"), "wbs_code": "03-300.M", "quantity": number,
                "unit_cost": "17.35", "uom": "ea"})
        };
        let projects = procore::PROJECT_IDS;
        let vendor: i64 = vendor.parse().expect("a number");
        let body = json!({"vendor_id": vendor, "project_id": projects[project % projects.len()], "title": word,
            "lines": [line(1), line(3)]});
        let made = self
            .api
            .post("/_sandbox/procore/contracts", body, 201)
            .await;
        made["ids"][0].to_string()
    }

    /// Approved contracts, dealt out over vendors and all projects.
    pub async fn add_contracts(
        &self,
        vendors: &[String],
        count: usize,
        lines: usize,
    ) -> Vec<String> {
        self.contracts(vendors, &procore::PROJECT_IDS, count, lines)
            .await
    }

    /// The same with one vendor in one project.
    pub async fn add_contracts_to(
        &self,
        project: i64,
        vendor: &str,
        count: usize,
        lines: usize,
    ) -> Vec<String> {
        let vendors = [vendor.to_owned()];
        self.contracts(&vendors, &[project], count, lines).await
    }

    async fn contracts(
        &self,
        vendors: &[String],
        projects: &[i64],
        count: usize,
        lines: usize,
    ) -> Vec<String> {
        let vendors: Vec<i64> = vendors.iter().map(|id| id.parse().unwrap()).collect();
        let body =
            json!({"count": count, "vendor_ids": vendors, "project_ids": projects, "lines": lines});
        let made = self
            .api
            .post("/_sandbox/procore/contracts", body, 201)
            .await;
        made["ids"]
            .as_array()
            .unwrap()
            .iter()
            .map(Value::to_string)
            .collect()
    }
}
