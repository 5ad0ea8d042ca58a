//! Unique secrets are given to the program in every way there is; then everything it wrote, logged and
//! answered is searched for them, in every spelling that a log or a table could give them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};
use ml_connector::sandbox::procore;
use sea_orm::{ConnectionTrait, Database, FromQueryResult, Statement, TransactionTrait};
use serde_json::{Value, json};

use super::gate::Gate;
use super::plant::{Desk, Plant, Systems, Wanted};
use crate::support::database::{Engine, TestDatabase, both};
use crate::support::http::{self, Api};
use crate::support::site::Visitor;

both!(no_secret_is_ever_told);

/// Given by people; with signs that a URL, a page or JSON would spell otherwise.
const PASSWORD: &str = "Pw7~marker/quay+of=salt&30%";
const WRONG_PASSWORD: &str = "Wp3~marker/lamp+on=sill&41%";
const WRONG_CLIENT_SECRET: &str = "Cs9~marker/moss+by=door&52%";
const WRONG_FILE_SECRET: &str = "Fs5~marker/reed+in=pond&63%";
const WRONG_FILE_KEY: &str = "Fk8~marker/tern+at=cape&74%";
const UNREADABLE: &str = "Ur2~marker/flint+and=steel";
const WRONG_TOKEN: &str = "mlc_marker0token0that0nobody0ever0gave";
/// What the simulated systems take.
const M3_SECRETS: [&str; 2] = ["sandbox-m3-client-secret", "sandbox-m3-secret-key"];

async fn no_secret_is_ever_told(database: TestDatabase) {
    let systems = Systems::start();
    let (source, erp) = (Desk::of(&systems.procore), Desk::of(&systems.m3));
    let gates = [
        Gate::before(systems.procore.address()).await,
        Gate::before(systems.m3.address()).await,
    ];
    let wanted = Wanted {
        procore_url: Some(gates[0].url()),
        m3_url: Some(gates[1].url()),
        password: Some(PASSWORD),
        log: "trace",
        ..Wanted::default()
    };
    let vendor = source.add_vendor("Openly Told Supply").await;
    let mut planted = source
        .add_contracts(std::slice::from_ref(&vendor), 2, 2)
        .await;
    planted.push(vendor);
    let plant = Plant::with(database, systems, wanted).await;
    let mut told = Told::default();
    told.all(&plant.settle(&planted).await);
    // A vendor that repeats what it was given.
    let says = format!("unknown client {} with {}", M3_SECRETS[0], M3_SECRETS[1]);
    let echo = json!({"kind": "status", "status": 400, "match": {"path": "/as/token.oauth2"},
        "body": {"error": "invalid_client", "error_description": says}});
    erp.arm(echo).await;
    erp.arm(json!({"kind": "expire_token"})).await;
    let more = source.add_contracts(&planted[2..], 1, 2).await;
    planted.extend(more);
    erp.all_met().await;
    told.all(&bad_input(&plant, &source).await);
    told.all(&plant.settle(&planted).await);
    told.all(&plant.trail().await);
    api_answers(&plant, &mut told).await;
    let cookies = pages(&plant, &mut told).await;

    let mut secrets: Vec<String> = [
        PASSWORD,
        WRONG_PASSWORD,
        WRONG_CLIENT_SECRET,
        WRONG_FILE_SECRET,
        WRONG_FILE_KEY,
        UNREADABLE,
        WRONG_TOKEN,
        procore::CLIENT_SECRET,
        plant.token.as_str(),
    ]
    .map(str::to_owned)
    .to_vec();
    secrets.extend(M3_SECRETS.map(str::to_owned));
    secrets.extend(cookies);
    let tokens: BTreeSet<String> = gates
        .iter()
        .flat_map(|gate| bearers(&gate.heard()))
        .collect();
    assert!(
        tokens.len() >= 3,
        "both systems gave tokens, one of them twice: {tokens:?}"
    );
    secrets.extend(tokens);

    let log = plant.program().log();
    every_line_says_what_it_belongs_to(&log);
    let kept = kept(&plant).await;
    for (place, text) in [("log", &log), ("database", &kept), ("answers", &told.text)] {
        // What is no secret is there: the search finds what there is to find.
        assert!(
            place == "log" || text.contains("Openly Told Supply"),
            "{place}"
        );
        assert!(text.len() > 10_000, "{place}: {}", text.len());
        for secret in &secrets {
            for form in forms(secret) {
                if let Some(at) = text.find(&form) {
                    let from = (0..=at.saturating_sub(300))
                        .rev()
                        .find(|at| text.is_char_boundary(*at))
                        .unwrap();
                    panic!(
                        "{place} tells {secret} as {form}: …{}",
                        &text[from..at + form.len()]
                    );
                }
            }
        }
    }
}

/// One event, one line, and which tenant, request, run and record it belongs to.
fn every_line_says_what_it_belongs_to(log: &str) {
    let mut ids: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut spans_of_records = 0;
    for line in log.lines() {
        let event: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for name in ["timestamp", "level", "message", "target"] {
            assert!(event[name].is_string(), "no {name}: {line}");
        }
        let spans = event["spans"].as_array().cloned().unwrap_or_default();
        let names: Vec<&str> = spans
            .iter()
            .filter_map(|span| span["name"].as_str())
            .collect();
        if names.contains(&"record") {
            assert_eq!(names[0], "slice", "{line}");
            spans_of_records += 1;
        }
        for place in spans.iter().chain([&event]) {
            for name in ["tenant_id", "request_id", "run_id", "record_id"] {
                if let Some(id) = place[name].as_str() {
                    ids.entry(name).or_default().insert(id.to_owned());
                }
            }
        }
        if event["message"] == "answered" {
            assert!(event["request_id"].is_string(), "{line}");
            assert!(event["path"].as_str().unwrap().starts_with('/'), "{line}");
        }
    }
    assert!(spans_of_records > 0);
    for name in ["tenant_id", "request_id", "run_id", "record_id"] {
        let found = ids.get(name).map_or(0, BTreeSet::len);
        assert!(found > 0, "no {name} in the log");
    }
    assert!(ids["request_id"].len() > 10 && ids["record_id"].len() > 3);
}

/// Everything that the program answered.
#[derive(Default)]
struct Told {
    text: String,
}

impl Told {
    fn add(&mut self, answer: &str) {
        self.text.push_str(answer);
        self.text.push('\n');
    }

    fn all(&mut self, answers: &[Value]) {
        for answer in answers {
            self.add(&answer.to_string());
        }
    }
}

/// Secrets in all the wrong places. Gives the answers.
async fn bad_input(plant: &Plant, source: &Desk) -> Vec<Value> {
    let api = plant.api();
    let mut answers = Vec::new();
    let m3 = |file: Value| {
        json!({"system": "infor_m3", "name": "Wrong", "environment": "sandbox", "settings": {"cono": "100"},
            "credentials": {"ionapi": file}})
    };
    let file = |secret: &str, key: &str| {
        let text = ml_connector::sandbox::infor_m3::ionapi(&plant.m3.url);
        json!(
            text.replace(M3_SECRETS[0], secret)
                .replace(M3_SECRETS[1], key)
        )
    };
    for unreadable in [
        json!(UNREADABLE),
        json!({"cs": UNREADABLE}),
        json!([UNREADABLE]),
        json!(format!(
            "{{\"cs\": \"{UNREADABLE}\", \"cs\": \"{UNREADABLE}\"}}"
        )),
        json!(format!(
            "{{\"ti\": \"A\", \"sask\": \"{UNREADABLE}\", \"iu\": \"http://elsewhere.example\"}}"
        )),
    ] {
        answers.push(api.post("/api/v1/connections", m3(unreadable), 422).await);
    }
    let wrong = api
        .post(
            "/api/v1/connections",
            m3(file(WRONG_FILE_SECRET, WRONG_FILE_KEY)),
            201,
        )
        .await;
    answers.push(ping(&api, &wrong).await);
    let wrong = json!({"system": "procore", "name": "Wrong", "environment": "sandbox",
        "settings": {"company_id": "1", "api_base_url": source.url, "login_base_url": source.url},
        "credentials": {"client_id": "nobody", "client_secret": WRONG_CLIENT_SECRET}});
    let made = api.post("/api/v1/connections", wrong, 201).await;
    answers.push(ping(&api, &made).await);
    let change = json!({"credentials": {"client_secret": WRONG_CLIENT_SECRET, "colour": WRONG_CLIENT_SECRET}});
    let id = made["id"].as_str().unwrap();
    answers.push(
        api.patch(&format!("/api/v1/connections/{id}"), change, 422)
            .await,
    );
    let stranger = Api::new(&plant.program().url).with_token(WRONG_TOKEN);
    answers.push(stranger.get("/api/v1/me", 401).await);
    answers.push(
        stranger
            .get(&format!("/api/v1/me?access_token={WRONG_TOKEN}"), 401)
            .await,
    );
    answers
}

async fn ping(api: &Api, connection: &Value) -> Value {
    let id = connection["id"].as_str().unwrap();
    let told = api
        .post(&format!("/api/v1/connections/{id}/ping"), json!({}), 200)
        .await;
    assert_eq!(told["ok"], false, "{told}");
    told
}

/// Every address that can be read over the API, with the ids that its lists give.
async fn api_answers(plant: &Plant, told: &mut Told) {
    let api = plant.api();
    let document = api.get("/api/openapi.json", 200).await;
    told.add(&document.to_string());
    let paths = document["paths"].as_object().expect("paths").iter();
    for (path, _) in paths.filter(|(_, verbs)| verbs.get("get").is_some()) {
        let path = path.replace("{kind}", "items");
        let Some((list, rest)) = path.split_once("/{id}") else {
            told.add(&api.get(&path, 200).await.to_string());
            continue;
        };
        // Only dry runs have a report; these runs were real.
        if rest == "/changes" {
            continue;
        }
        let found = api.get(list, 200).await;
        for thing in found["data"].as_array().expect("a list") {
            let id = thing["id"].as_str().expect("an id");
            told.add(
                &api.get(&format!("{list}/{id}{rest}"), 200)
                    .await
                    .to_string(),
            );
        }
    }
}

/// Pages are followed from link to link; so many are enough.
const PAGES_MAX: usize = 150;

/// Signs in, wrongly first, and reads every page that a link leads to. Gives the session's cookies.
async fn pages(plant: &Plant, told: &mut Told) -> Vec<String> {
    let mut visitor = Visitor::new(&plant.program().url);
    let wrong = [("email", "a@b.example"), ("password", WRONG_PASSWORD)];
    told.add(&visitor.submit("/sign-in", "/sign-in", &wrong).await.text);
    visitor.sign_in("a@b.example", PASSWORD).await;
    let (mut seen, mut next) = (BTreeSet::new(), vec!["/dashboard".to_owned()]);
    while let Some(path) = next.pop() {
        if seen.len() >= PAGES_MAX || !seen.insert(path.clone()) {
            continue;
        }
        let page = visitor.get(&path).await;
        assert!(!page.status.is_server_error(), "{path}: {}", page.status);
        told.add(&format!(
            "{path} {:?}\n{}",
            page.headers.get("location"),
            page.text
        ));
        for link in page.text.split("href=\"").skip(1) {
            let link = link
                .split(['"', '#'])
                .next()
                .unwrap_or_default()
                .replace("&amp;", "&");
            let is_page = link.starts_with('/')
                && !link.starts_with("/static/")
                && !link.ends_with("/events");
            if is_page {
                // Each kind of page before the hundredth of a kind.
                next.insert(0, link);
            }
        }
    }
    assert!(seen.len() > 20, "{seen:?}");
    visitor
        .cookies
        .into_values()
        .filter(|value| value.len() >= 20)
        .collect()
}

/// The tokens in what was sent.
fn bearers(heard: &str) -> Vec<String> {
    let lines = heard.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        let token = value.trim().strip_prefix("Bearer ")?;
        name.eq_ignore_ascii_case("authorization")
            .then(|| token.to_owned())
    });
    lines.collect()
}

/// Everything that lies on the disk or in the database, as text.
async fn kept(plant: &Plant) -> String {
    let mut kept = String::new();
    read_folder(&plant.folder.path().join("data"), &mut kept);
    match plant.database.engine {
        Engine::Sqlite => {
            let file = plant.database.url.trim_start_matches("sqlite://");
            let file = Path::new(file.split('?').next().unwrap());
            read_folder(file.parent().expect("a folder"), &mut kept);
        }
        Engine::Postgres => read_tables(plant, &mut kept).await,
    }
    kept
}

fn read_folder(folder: &Path, kept: &mut String) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_folder(&path, kept);
        } else {
            kept.push_str(&String::from_utf8_lossy(
                &std::fs::read(&path).expect("a readable file"),
            ));
        }
    }
}

#[derive(FromQueryResult)]
struct Text {
    text: String,
}

const TABLES: &str = "SELECT format('%I.%I', schemaname, tablename) AS text FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";

async fn read_tables(plant: &Plant, kept: &mut String) {
    let connection = Database::connect(&plant.database.url)
        .await
        .expect("the database answers");
    let rows = connection.begin().await.expect("a transaction");
    // The owner sees the tenant's rows as the program does.
    let tenant = format!(
        "SET LOCAL app.tenant_id = '{}'; SET LOCAL app.threshold = 'on'",
        plant.tenant
    );
    rows.execute_unprepared(&tenant).await.expect("settings");
    let ask = |sql: String| {
        Text::find_by_statement(Statement::from_string(sea_orm::DbBackend::Postgres, sql))
    };
    for table in ask(TABLES.to_owned()).all(&rows).await.expect("tables") {
        let sql = format!("SELECT t::text AS text FROM {} t", table.text);
        for row in ask(sql).all(&rows).await.expect("rows") {
            kept.push_str(&row.text);
            kept.push('\n');
        }
    }
}

/// A secret as it is, and as a table, a URL, a page, JSON or a header could spell it.
fn forms(secret: &str) -> BTreeSet<String> {
    let bytes = secret.as_bytes();
    let mut forms = BTreeSet::from([
        secret.to_owned(),
        HEXLOWER.encode(bytes),
        HEXUPPER.encode(bytes),
        url::form_urlencoded::byte_serialize(bytes).collect(),
        secret.replace('&', "&amp;"),
        secret.replace('&', "&#38;"),
        secret.replace('/', "\\/"),
    ]);
    // A part of something longer, at each of three offsets, without the signs that neighbours change.
    for (offset, shared) in [(0, 0), (1, 2), (2, 3)] {
        let shifted = [vec![b' '; offset], bytes.to_vec()].concat();
        let whole = shifted.len() / 3 * 3;
        for encoded in [
            BASE64.encode(&shifted[..whole]),
            BASE64URL.encode(&shifted[..whole]),
        ] {
            forms.insert(encoded[shared..].to_owned());
        }
    }
    forms
}

#[test]
fn every_spelling_is_found() {
    let secret = "se/cret+marker&1234";
    let client = http::client();
    let request = client
        .get("http://a.example")
        .basic_auth("user", Some(secret))
        .build()
        .unwrap();
    let basic = request.headers()["authorization"]
        .to_str()
        .unwrap()
        .to_owned();
    let in_url = reqwest::Url::parse_with_params("http://a.example", [("q", secret)])
        .unwrap()
        .to_string();
    let spelled = [
        secret.to_owned(),
        format!("{:x?}", secret.as_bytes()).replace(", ", ""),
        in_url,
        basic,
    ];
    for text in spelled {
        assert!(
            forms(secret)
                .iter()
                .any(|form| text.contains(form.as_str())),
            "{text}"
        );
    }
}
