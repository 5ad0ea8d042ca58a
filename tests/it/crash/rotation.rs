//! The master key is rotated while the product works, and the rotation is killed again and again: in the end
//! nothing lies under an old version, everything still opens, and the old versions can go.

use std::fs;
use std::time::Duration;

use ml_connector::sandbox::kit::Random;
use ml_connector::sandbox::procore;
use ml_connector::vault::MasterKeys;
use serde_json::{Value, json};

use super::books::Books;
use super::plant::Plant;
use crate::support::database::{TestDatabase, both};
use crate::support::http::Api;
use crate::support::process::Launch;

both!(
    a_rotation_that_is_killed_goes_on,
    a_key_in_the_environment_is_rotated_after_every_node_knows_it,
);

const KILLS: usize = 10;
/// A rotation first waits until running servers know the new version, which takes them two seconds.
const KILLED_WITHIN_MS: u64 = 5_000;
/// Customers besides the one whose records travel.
const OTHERS: usize = 8;

/// An account with a connection, and so with a data key.
struct Account {
    token: String,
    connection: String,
}

impl Account {
    async fn new(launch: &Launch, url: &str, system: &str, number: usize) -> Self {
        let email = format!("other{number}@example.com");
        let create = [
            "account", "create", "--name", "Other", "--email", &email, "--json",
        ];
        let made: Value = serde_json::from_str(&launch.clone().arguments(&create).run()).unwrap();
        let token = made["api_token"].as_str().unwrap().to_owned();
        let connection = json!({"system": "procore", "name": "Projects", "environment": "sandbox",
            "settings": {"company_id": procore::COMPANY_ID, "api_base_url": system, "login_base_url": system},
            "credentials": {"client_id": procore::CLIENT_ID, "client_secret": procore::CLIENT_SECRET}});
        let api = Api::new(url).with_token(&token);
        let made = api.post("/api/v1/connections", connection, 201).await;
        Account {
            connection: made["id"].as_str().unwrap().to_owned(),
            token,
        }
    }

    /// The secret opens: the system takes it.
    async fn ping(&self, url: &str) {
        let path = format!("/api/v1/connections/{}/ping", self.connection);
        let api = Api::new(url).with_token(&self.token);
        let told = api.post(&path, json!({}), 200).await;
        let log_in = told["steps"].as_array().unwrap().iter();
        let mut log_in = log_in.filter(|step| step["name"] == "token");
        assert_eq!(log_in.next().unwrap()["ok"], true, "{told}");
    }
}

fn list(launch: &Launch) -> Value {
    let list = launch.clone().arguments(&["keys", "list", "--json"]);
    serde_json::from_str(&list.run()).expect("one line of JSON")
}

/// Data keys under every version but the newest, and under the newest.
fn counts(listed: &Value) -> (u64, u64) {
    let count = |version: &Value| version["data_keys"].as_u64().unwrap();
    let versions = listed["versions"].as_array().unwrap();
    let (newest, older) = versions.split_last().unwrap();
    (older.iter().map(count).sum(), count(newest))
}

async fn a_rotation_that_is_killed_goes_on(database: TestDatabase) {
    let mut plant = Plant::new(database).await;
    plant.settle(&[]).await;
    let mut others = Vec::new();
    for number in 0..OTHERS {
        let url = plant.program().url.clone();
        others.push(Account::new(&plant.launch, &url, &plant.procore.url, number).await);
    }
    let before = list(&plant.launch);
    assert_eq!(before["versions"].as_array().unwrap().len(), 1);
    let (_, data_keys) = counts(&before);
    assert!(data_keys > OTHERS as u64, "{before}");
    assert_eq!(before["nodes"][0]["versions"], json!([1]), "{before}");

    let vendor = plant.procore.add_vendor("Rotated Supply").await;
    let mut planted = vec![vendor.clone()];
    let mut random = Random::new(7);
    let rotate = plant.launch.clone().arguments(&["keys", "rotate"]);
    for _ in 0..KILLS {
        // The load: there is always something on its way.
        let more = plant
            .procore
            .add_contracts(std::slice::from_ref(&vendor), 2, 2)
            .await;
        planted.extend(more);
        let rotating = rotate.begin();
        tokio::time::sleep(Duration::from_millis(random.below(KILLED_WITHIN_MS))).await;
        rotating.kill();
        others[0].ping(&plant.program().url).await;
    }
    let said = rotate.run();
    assert!(said.contains("Everything lies under"), "{said}");
    let after = list(&plant.launch);
    assert_eq!(counts(&after), (0, data_keys), "{after}");
    assert!(after["unfinished"].is_null(), "{after}");
    assert_eq!(
        after["nodes"][0]["sealing_version"],
        after["sealing_version"]
    );
    for account in &others {
        account.ping(&plant.program().url).await;
    }
    let records = plant.settle(&planted).await;
    Books::of(&plant, records)
        .await
        .agree(&plant, &planted)
        .await;

    // The old versions leave the file, and the product starts without them.
    assert!(plant.take().stop().success());
    let path = plant.folder.path().join("data/master.key");
    let text = fs::read_to_string(&path).unwrap();
    let newest = text.trim().rsplit(',').next().unwrap().to_owned();
    assert!(!newest.starts_with("v1:"), "a version was added");
    fs::write(&path, newest).unwrap();
    plant.start().await;
    for account in &others {
        account.ping(&plant.program().url).await;
    }
    // The trails are signed by the new key, in the database and outside of it.
    let (code, said) = plant.launch.clone().arguments(&["audit", "verify"]).end();
    assert_eq!(code, 0, "{said}");
    let told = plant
        .api()
        .get("/api/v1/audit?action=key.rewrapped", 200)
        .await;
    assert!(!told["data"].as_array().unwrap().is_empty());
}

async fn a_key_in_the_environment_is_rotated_after_every_node_knows_it(database: TestDatabase) {
    let folder = tempfile::tempdir().unwrap();
    let old = MasterKeys::generate().unwrap().to_string();
    let both = MasterKeys::parse(&old).unwrap().appended(&old).unwrap();
    let (_, new) = both.split_once(',').unwrap();
    let launch = Launch::new(folder.path())
        .set("MLC_DATABASE_URL", &database.url)
        .set("MLC_DEV", "1")
        .set("MLC_ALLOW_PRIVATE_TARGETS", "1");
    let with = |keys: &str| launch.clone().set("MLC_MASTER_KEY", keys);
    let system = procore::start(procore::Options {
        port: 0,
        seed: 1,
        limits: false,
    });
    let system = system.unwrap();
    let program = with(&old).start().await;
    let account = Account::new(&with(&old), &program.url, &system.url(), 0).await;
    let rotate = ["keys", "rotate"];
    // Nothing to rotate to.
    let (code, said) = with(&old).arguments(&rotate).end();
    assert!(code == 0 && said.contains("add another version"), "{said}");
    // The running server does not know the new version.
    let (code, said) = with(&both).arguments(&rotate).end();
    assert!(
        code == 1 && said.contains("not rotated") && said.contains("serve-"),
        "{said}"
    );
    assert_eq!(counts(&list(&with(&both))), (1, 0));
    assert!(program.stop().success());
    // Without the old one it does not start, and says why.
    let (code, said) = with(new).arguments(&["migrate"]).end();
    assert_eq!(code, 0, "{said}");
    let (code, said) = with(new).end();
    assert!(code == 2 && said.contains("still lie under v1"), "{said}");

    let program = with(&both).start().await;
    account.ping(&program.url).await;
    let (code, said) = with(&both).arguments(&rotate).end();
    assert!(code == 0 && said.contains("under v2"), "{said}");
    assert_eq!(counts(&list(&with(&both))), (0, 1));
    assert!(program.stop().success());
    let program = with(new).start().await;
    account.ping(&program.url).await;
    assert!(program.stop().success());
}
