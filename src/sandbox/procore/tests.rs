//! The simulator over real HTTP, as a connector meets it.

use serde_json::{Value, json};

use super::{CLIENT_ID, CLIENT_SECRET, COMPANY_ID, Options, PROJECT_IDS, start};
use crate::sandbox::kit::Running;

struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    fn list(&self) -> &[Value] {
        self.body.as_array().unwrap()
    }
}

struct Bed {
    running: Running,
    client: reqwest::Client,
    token: String,
}

impl Bed {
    async fn start() -> Self {
        Self::with(Options::default()).await
    }

    // The product's guarded client belongs to another room.
    #[allow(clippy::disallowed_methods)]
    async fn with(options: Options) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut bed = Self {
            running: start(options).unwrap(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            token: String::new(),
        };
        bed.sign_in().await;
        bed
    }

    async fn sign_in(&mut self) {
        let answer = self.ask_token(CLIENT_SECRET).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body["expires_in"], 5400);
        self.token = answer.body["access_token"].as_str().unwrap().to_owned();
    }

    async fn ask_token(&self, secret: &str) -> Answer {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT_ID),
            ("client_secret", secret),
        ];
        let url = format!("{}/oauth/token", self.running.url());
        read(self.client.post(url).form(&form)).await.unwrap()
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.running.url());
        self.client
            .request(method.parse().unwrap(), url)
            .bearer_auth(&self.token)
            .header("Procore-Company-Id", COMPANY_ID)
    }

    async fn try_send(&self, method: &str, path: &str, body: Value) -> reqwest::Result<Answer> {
        let request = self.request(method, path);
        let request = match body {
            Value::Null => request,
            body => request
                .header("Content-Type", "application/json")
                .body(body.to_string()),
        };
        read(request).await
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        self.try_send(method, path, body).await.unwrap()
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, Value::Null).await
    }

    async fn control(&self, path: &str, body: Value) {
        let answer = self.send("POST", &format!("/_sandbox/{path}"), body).await;
        assert!(answer.status < 300, "{path}: {}", answer.body);
    }
}

async fn read(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let text = response.text().await?;
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Answer {
        status,
        headers,
        body,
    })
}

const VENDORS: &str = "/rest/v1.0/vendors?company_id=4280001";
const ORDERS: &str = "/rest/v1.0/purchase_order_contracts";

#[tokio::test(flavor = "multi_thread")]
async fn the_doors_are_in_order() {
    let mut bed = Bed::start().await;
    let refused = bed.ask_token("wrong").await;
    assert_eq!(
        (refused.status, &refused.body["error"]),
        (401, &json!("invalid_client"))
    );

    let url = format!("{}/rest/v1.0/me", bed.running.url());
    let nobody = read(bed.client.get(&url)).await.unwrap();
    assert_eq!(nobody.status, 401);
    assert!(nobody.header("www-authenticate").contains("invalid_token"));
    let homeless = read(bed.client.get(&url).bearer_auth(&bed.token))
        .await
        .unwrap();
    assert_eq!(homeless.status, 400);
    let text = homeless.body["errors"].as_str().unwrap();
    assert!(text.starts_with("Missing Procore-Company-Id header!"));
    let stranger = bed.client.get(&url).bearer_auth(&bed.token);
    let stranger = read(stranger.header("Procore-Company-Id", 7))
        .await
        .unwrap();
    assert_eq!(stranger.status, 403);

    assert_eq!(bed.get("/rest/v1.0/me").await.body["id"], super::USER_ID);
    assert_eq!(
        bed.get("/rest/v1.0/companies").await.body[0]["id"],
        COMPANY_ID
    );
    assert_eq!(bed.get("/rest/v1.0/no_such_thing").await.status, 404);

    bed.control("clock", json!({"advance_seconds": 5401})).await;
    let late = bed.get("/rest/v1.0/me").await;
    assert_eq!(
        (late.status, &late.body["errors"]),
        (401, &json!("The access token expired"))
    );
    bed.sign_in().await;
    bed.control("faults", json!({"kind": "expire_token"})).await;
    assert_eq!(bed.get("/rest/v1.0/me").await.status, 401);
    bed.sign_in().await;
    assert_eq!(bed.get("/rest/v1.0/me").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn vendors_come_in_pages_and_inactive_ones_apart() {
    let bed = Bed::start().await;
    let mut ids = Vec::new();
    for page in 1..=4 {
        let answer = bed.get(&format!("{VENDORS}&page={page}&per_page=10")).await;
        assert_eq!(
            (answer.header("total"), answer.header("per-page")),
            ("37", "10")
        );
        assert_eq!(answer.header("link").contains("next"), page < 4);
        assert!(!answer.header("link").contains("company_id"));
        assert!(!answer.header("x-rate-limit-remaining").is_empty());
        ids.extend(
            answer
                .list()
                .iter()
                .map(|vendor| vendor["id"].as_i64().unwrap()),
        );
    }
    ids.dedup();
    assert_eq!(ids.len(), 37);
    assert!(ids.iter().any(|id| *id > i64::from(u32::MAX)));

    let path = "/rest/v1.0/companies/4280001/vendors/inactive";
    let inactive = bed.get(path).await;
    assert_eq!(inactive.list().len(), 3);
    let id = &inactive.list()[0]["id"];
    let back = bed.send("PATCH", &format!("{path}/{id}"), json!({})).await;
    assert_eq!(back.body["is_active"], true);
    assert_eq!(
        bed.get(&format!("{VENDORS}&filters[id][]={id}"))
            .await
            .list()
            .len(),
        1
    );

    assert_eq!(bed.get("/rest/v1.0/vendors").await.status, 400);
    let found = bed.get(&format!("{VENDORS}&filters[search]=acme")).await;
    assert_eq!(found.list().len(), 2);
    let compact = bed.get(&format!("{VENDORS}&view=compact")).await;
    assert_eq!(
        compact.list()[0],
        json!({"id": 5_511_001, "name": "Acme Steel Ltd"})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_holds_what_changed_in_it_to_the_second() {
    let bed = Bed::start().await;
    let now = json!({"now": "2026-11-24T12:00:00Z", "frozen": true});
    bed.control("clock", now).await;
    bed.control(
        "procore/vendors/5511007",
        json!({"phone": 1, "zip": "80539"}),
    )
    .await;
    let window = |range: &str| format!("{VENDORS}&filters[updated_at]={range}");
    let exact = bed
        .get(&window("2026-11-24T12:00:00Z...2026-11-24T12:00:00Z"))
        .await;
    assert_eq!(exact.list().len(), 1);
    assert_eq!(exact.list()[0]["zip"], "80539");
    assert_eq!(exact.list()[0]["updated_at"], "2026-11-24T12:00:00Z");
    let quoted = bed.get(&window("%222026-11-24...2026-11-25%22")).await;
    assert_eq!(quoted.list().len(), 1);
    let after = bed
        .get(&window("2026-11-24T12:00:01Z...2026-11-25T00:00:00Z"))
        .await;
    assert!(after.list().is_empty());
    assert_eq!(bed.get(&window("lately")).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_answers_200_with_errors() {
    let bed = Bed::start().await;
    let updates = json!([
        {"name": "New Vendor", "origin_id": "SUP-1"},
        {"origin_id": "SUP-1", "city": "Erie"},
        {"id": 0, "name": "Ghost"},
        {"id": 5_511_003, "origin_id": "SUP-1"},
    ]);
    let body = json!({"company_id": COMPANY_ID, "updates": updates});
    let answer = bed.send("PATCH", "/rest/v1.0/vendors/sync", body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["entities"].as_array().unwrap().len(), 2);
    assert_eq!(answer.body["entities"][1]["city"], "Erie");
    assert_eq!(
        answer.body["entities"][0]["id"],
        answer.body["entities"][1]["id"]
    );
    let errors = answer.body["errors"].as_array().unwrap();
    assert_eq!(
        errors[0]["errors"]["id"][0],
        "Entity with this ID not found"
    );
    assert_eq!(
        errors[1]["errors"]["origin_id"][0],
        "has already been taken"
    );
    let ledger = bed.get("/_sandbox/ledger").await;
    assert_eq!(ledger.body["data"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn contracts_are_listed_by_project_with_exact_amounts() {
    let bed = Bed::start().await;
    let project = PROJECT_IDS[0];
    assert_eq!(bed.get(ORDERS).await.status, 400);
    assert_eq!(bed.get(&format!("{ORDERS}?project_id=1")).await.status, 404);
    let listed = bed
        .get(&format!(
            "{ORDERS}?project_id={project}&filters[status]=Approved"
        ))
        .await;
    assert_eq!(listed.list().len(), 4);
    assert!(listed.list()[0].get("description").is_none());

    let lines = bed
        .get(&format!("{ORDERS}/9930003/line_items?project_id={project}"))
        .await;
    let rounded = &lines.list()[0];
    let decimal =
        |name: &str| -> rust_decimal::Decimal { rounded[name].as_str().unwrap().parse().unwrap() };
    assert_eq!(decimal("amount"), "100".parse().unwrap());
    assert_eq!(
        decimal("quantity") * decimal("unit_cost"),
        "99.99".parse().unwrap()
    );
    assert_eq!(rounded["extended_type"], "manual");
    assert_eq!(rounded["wbs_code"]["flat_code"], "01-540.E");
    assert_eq!(rounded["cost_code"]["full_code"], "01-540");
    assert_eq!(rounded["line_item_type"]["code"], "E");

    let calgary = PROJECT_IDS[3];
    let path = format!("{ORDERS}?project_id={calgary}&view=extended");
    let canadian = bed.get(&path).await;
    let order = &canadian.list()[0];
    assert_eq!(order["currency_configuration"]["currency_iso_code"], "CAD");
    assert_eq!(
        order["vendor"],
        json!({"id": 5_511_021, "company": "Calgary Precast Ltd."})
    );
    // Of another project: as if it were not there.
    let foreign = bed
        .get(&format!("{ORDERS}/9930003?project_id={calgary}"))
        .await;
    assert_eq!(foreign.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_contract_is_locked_until_it_is_taken_back() {
    let bed = Bed::start().await;
    let project = PROJECT_IDS[0];
    let path = format!("{ORDERS}/9930001");
    let patch = |fields: Value| json!({"project_id": project, "purchase_order_contract": fields});
    let line = json!({"project_id": project, "line_item":
        {"description": "More", "wbs_code_id": 182_900_110, "quantity": "2", "unit_cost": "10.005", "uom": "ea"}});
    let lines = format!("{path}/line_items");

    assert_eq!(bed.send("POST", &lines, line.clone()).await.status, 422);
    assert_eq!(
        bed.send("PATCH", &path, patch(json!({"vendor_id": 5_511_003})))
            .await
            .status,
        422
    );
    assert_eq!(
        bed.send("PATCH", &path, patch(json!({"title": "Rebar"})))
            .await
            .status,
        200
    );
    let gone = format!("{path}?project_id={project}");
    assert_eq!(bed.send("DELETE", &gone, Value::Null).await.status, 422);
    assert_eq!(
        bed.send("PATCH", &path, patch(json!({"status": "Lost"})))
            .await
            .status,
        422
    );

    assert_eq!(
        bed.send("PATCH", &path, patch(json!({"status": "Draft"})))
            .await
            .status,
        200
    );
    bed.control("clock", json!({"advance_seconds": 90})).await;
    let before = bed.get(&gone).await;
    let added = bed.send("POST", &lines, line).await;
    assert_eq!(added.status, 201, "{}", added.body);
    assert_eq!(
        added.body["amount"].as_str().unwrap().trim_end_matches('0'),
        "20.01"
    );
    let after = bed.get(&gone).await;
    assert_eq!(after.body["updated_at"], before.body["updated_at"]);
    assert_eq!(after.body["line_items"].as_array().unwrap().len(), 4);

    bed.control("settings", json!({"lines_touch_head": true}))
        .await;
    let line_path = format!("{lines}/{}", added.body["id"]);
    let edit = json!({"project_id": project, "line_item": {"quantity": 3}});
    assert_eq!(bed.send("PATCH", &line_path, edit).await.status, 200);
    assert_ne!(
        bed.get(&gone).await.body["updated_at"],
        before.body["updated_at"]
    );
    bed.send("PATCH", &path, patch(json!({"status": "Approved"})))
        .await;
    assert_eq!(bed.get(&gone).await.body["status"], "Approved");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_by_field() {
    let bed = Bed::start().await;
    let create =
        |fields: Value| json!({"project_id": PROJECT_IDS[0], "purchase_order_contract": fields});
    let taken = create(json!({"number": "PO-24101-001", "title": "Again"}));
    let answer = bed.send("POST", ORDERS, taken).await;
    assert_eq!(answer.body["errors"]["number"][0], "has already been taken");
    let made = bed
        .send(
            "POST",
            ORDERS,
            create(json!({"number": "PO-X", "vendor_id": "5511003"})),
        )
        .await;
    assert_eq!((made.status, &made.body["status"]), (201, &json!("Draft")));
    let lines = format!("{ORDERS}/{}/line_items", made.body["id"]);
    for (line, field) in [
        (json!({"amount": "1"}), "wbs_code"),
        (json!({"amount": "1", "wbs_code_id": 1}), "wbs_code"),
        (json!({"wbs_code_id": 182_900_110, "uom": "furlong"}), "uom"),
        (
            json!({"wbs_code_id": 182_900_110, "quantity": "many"}),
            "quantity",
        ),
    ] {
        let body = json!({"project_id": PROJECT_IDS[0], "line_item": line});
        let answer = bed.send("POST", &lines, body).await;
        assert_eq!(answer.status, 422);
        assert!(
            answer.body["errors"].get(field).is_some(),
            "{}",
            answer.body
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_contracts_are_shown_on_request() {
    let bed = Bed::start().await;
    let list = format!("{ORDERS}?project_id={}", PROJECT_IDS[0]);
    let count = bed.get(&list).await.list().len();
    let draft = format!("{ORDERS}/9930005?project_id={}", PROJECT_IDS[0]);
    assert_eq!(bed.send("DELETE", &draft, Value::Null).await.status, 200);
    assert_eq!(bed.get(&list).await.list().len(), count - 1);
    let with = bed
        .get(&format!("{list}&filters[include_deleted]=with"))
        .await;
    assert_eq!(with.list().len(), count);
    let only = bed
        .get(&format!("{list}&filters[include_deleted]=only"))
        .await;
    assert!(only.list()[0]["deleted_at"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_refuse_until_the_window_ends() {
    let bed = Bed::with(Options {
        limits: true,
        ..Options::default()
    })
    .await;
    bed.control("settings", json!({"spike_limit": 3})).await;
    bed.control("clock", json!({"frozen": true})).await;
    for left in ["2", "1", "0"] {
        let answer = bed.get("/rest/v1.0/me").await;
        assert_eq!(
            (answer.status, answer.header("x-rate-limit-remaining")),
            (200, left)
        );
    }
    let refused = bed.get("/rest/v1.0/me").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "10"));
    assert_eq!(refused.header("x-rate-limit-remaining"), "0");
    bed.control("clock", json!({"advance_seconds": 10})).await;
    assert_eq!(bed.get("/rest/v1.0/me").await.status, 200);

    bed.control("faults", json!({"kind": "throttle", "retry_after": 4}))
        .await;
    let throttled = bed.get("/rest/v1.0/me").await;
    assert_eq!(
        (throttled.status, throttled.header("retry-after")),
        (429, "4")
    );
    assert!(!throttled.header("x-rate-limit-reset").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_was_applied() {
    let bed = Bed::start().await;
    let lost =
        json!({"kind": "reset_after", "match": {"method": "POST", "path": "/rest/v1.0/vendors"}});
    bed.control("faults", lost).await;
    let body = json!({"company_id": COMPANY_ID, "vendor": {"name": "Lost and Found"}});
    assert!(
        bed.try_send("POST", "/rest/v1.0/vendors", body)
            .await
            .is_err()
    );
    let found = bed
        .get(&format!("{VENDORS}&filters[search]=lost and"))
        .await;
    assert_eq!(found.list().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_can_be_taken_away() {
    let bed = Bed::start().await;
    bed.control(
        "settings",
        json!({"forbidden": ["vendors"], "hidden": ["purchase_order_contracts"],
        "permitted_projects": [PROJECT_IDS[1]]}),
    )
    .await;
    assert_eq!(bed.get(VENDORS).await.status, 403);
    let orders = format!("{ORDERS}?project_id={}", PROJECT_IDS[1]);
    assert!(bed.get(&orders).await.list().is_empty());
    let projects = bed.get("/rest/v1.1/projects?company_id=4280001").await;
    assert_eq!(projects.list().len(), 1);
    let typo = bed
        .send("POST", "/_sandbox/settings", json!({"forbiden": []}))
        .await;
    assert_eq!(typo.status, 422);
    bed.control("reset", json!({})).await;
    // The tokens went with the reset.
    assert_eq!(bed.get(VENDORS).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_lists_answer() {
    let bed = Bed::start().await;
    let project = PROJECT_IDS[4];
    let wbs = format!(
        "/rest/v1.0/projects/{project}/work_breakdown_structure/wbs_codes?filters[status][]=active"
    );
    let codes = bed.get(&wbs).await;
    assert!(
        codes
            .list()
            .iter()
            .any(|code| code["flat_code"] == "99-999.O")
    );
    assert_eq!(
        codes.list()[0]["segment_items"].as_array().unwrap().len(),
        2
    );
    let cost_codes = bed
        .get(&format!("/rest/v1.0/cost_codes?project_id={project}"))
        .await;
    assert_eq!(cost_codes.list().len(), 18);
    let types = bed
        .get("/rest/v1.0/line_item_types?company_id=4280001")
        .await;
    assert_eq!(types.list().len(), 5);
    let units = bed.get("/rest/v1.0/companies/4280001/uoms").await;
    assert!(units.list().iter().any(|unit| unit["name"] == "cy"));
    let taxes = bed.get("/rest/v1.0/tax_codes?company_id=4280001").await;
    assert_eq!(taxes.list()[0]["rate1"].to_string(), "8.81");
    let projects = bed.get("/rest/v1.0/companies/4280001/projects").await;
    assert_eq!(projects.list().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_make_many_contracts_at_once() {
    let bed = Bed::start().await;
    let body = json!({"kind": "subcontract", "project_id": PROJECT_IDS[2], "count": 20, "lines": 250,
        "accounting_method": "unit"});
    let made = bed.send("POST", "/_sandbox/procore/contracts", body).await;
    assert_eq!(made.body["ids"].as_array().unwrap().len(), 20);
    let id = &made.body["ids"][0];
    let path = format!(
        "/rest/v1.0/work_order_contracts/{id}/line_items?project_id={}",
        PROJECT_IDS[2]
    );
    let lines = bed.get(&path).await;
    assert_eq!((lines.list().len(), lines.header("total")), (100, "250"));
    let held = format!("/_sandbox/procore/contracts/{id}");
    let edit = bed.send("POST", &held, json!({"status": "Void"})).await;
    assert_eq!(edit.body["status"], "Void");
    let line = json!({"wbs_code": "05-120.S", "extended_type": "manual", "amount": "12.30"});
    let line = bed
        .send(
            "POST",
            &format!("/_sandbox/procore/contracts/{id}/lines"),
            line,
        )
        .await;
    assert_eq!((line.status, &line.body["position"]), (201, &json!(251)));
    assert!(
        bed.get("/_sandbox/ledger").await.body["data"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_fill_a_company_for_a_benchmark() {
    let bed = Bed::start().await;
    let made = |path: &str, body: Value| {
        let path = format!("/_sandbox/procore/{path}");
        let bed = &bed;
        async move {
            let answer = bed.send("POST", &path, body).await;
            assert_eq!(answer.status, 201, "{path}: {}", answer.body);
            answer.body["ids"].as_array().unwrap().clone()
        }
    };
    let projects = made("projects", json!({"count": 20})).await;
    let vendors = made("vendors", json!({"count": 200, "name": "Bulk"})).await;
    let body = json!({"count": 5000, "lines": 3, "project_ids": projects, "vendor_ids": vendors});
    assert_eq!(made("contracts", body).await.len(), 5000);
    let path = format!(
        "{ORDERS}?project_id={}&view=extended&per_page=1000",
        projects[19]
    );
    let list = bed.get(&path).await;
    assert_eq!(list.list().len(), 250);
    let lines = format!(
        "{ORDERS}/{}/line_items?project_id={}",
        list.list()[0]["id"],
        projects[19]
    );
    assert_eq!(
        bed.get(&lines).await.list()[2]["wbs_code"]["flat_code"],
        "03-300.M"
    );
    let names: std::collections::HashSet<String> = bed
        .get(&format!("{VENDORS}&per_page=1000&view=compact"))
        .await
        .list()
        .iter()
        .map(|vendor| vendor["name"].to_string())
        .collect();
    assert_eq!(names.len(), 237);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_a_sub_job_says_whose_it_is() {
    let bed = Bed::start().await;
    let project = PROJECT_IDS[4];
    let line = json!({"wbs_code": "SJ-01.03-300.M", "quantity": "2", "unit_cost": "5"});
    let body = json!({"project_id": project, "lines": [line]});
    let made = bed.send("POST", "/_sandbox/procore/contracts", body).await;
    let lines = format!(
        "{ORDERS}/{}/line_items?project_id={project}",
        made.body["ids"][0]
    );
    let code = bed.get(&lines).await.list()[0]["cost_code"].clone();
    assert_eq!(code["biller_type"], "SubJob");
    assert_eq!(code["full_code"], "03-300");
    let jobs = bed
        .get(&format!("/rest/v1.0/sub_jobs?project_id={project}"))
        .await;
    assert_eq!(jobs.list()[0]["id"], code["biller_id"]);
    assert_eq!(jobs.list()[0]["code"], "SJ-01");
    let own = format!(
        "/rest/v1.0/cost_codes?project_id={project}&sub_job_id={}",
        code["biller_id"]
    );
    assert_eq!(bed.get(&own).await.list().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_repeats_itself() {
    let options = Options {
        seed: 7,
        ..Options::default()
    };
    let (one, two) = (Bed::with(options.clone()).await, Bed::with(options).await);
    assert_eq!(one.token, two.token);
    assert!(one.token.len() > 1024);
}
