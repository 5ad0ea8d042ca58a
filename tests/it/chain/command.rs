//! The real program: heads outside the database, and the command that compares with them.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Intruder;
use crate::support::database::{TestDatabase, both};
use crate::support::http::Api;
use crate::support::process::Launch;

both!(a_cut_off_end_is_seen_from_outside_the_database);

const HEADS: &str = "data/audit-heads.jsonl";

async fn a_cut_off_end_is_seen_from_outside_the_database(database: TestDatabase) {
    let folder = tempfile::tempdir().unwrap();
    let launch = Launch::new(folder.path())
        .set("MLC_DATABASE_URL", &database.url)
        .set("MLC_DEV", "1")
        .set("MLC_TIME_SCALE", "300");
    let create = launch.clone().arguments(&[
        "account",
        "create",
        "--name",
        "Acme",
        "--email",
        "a@b.example",
        "--json",
    ]);
    let account: Value = serde_json::from_str(&create.run()).unwrap();
    let tenant = account["tenant_id"].as_str().unwrap();
    let verify = launch.clone().arguments(&["audit", "verify"]);
    let program = launch.start().await;
    let api = Api::new(&program.url).with_token(account["api_token"].as_str().unwrap());
    for number in 0..10 {
        let body = json!({"name": format!("token {number}"), "scopes": ["read"]});
        api.post("/api/v1/tokens", body, 201).await;
    }
    let head = api.get("/api/v1/audit/verify", 200).await["head"].clone();
    kept(folder.path(), tenant, &head).await;
    // Beside the running server.
    let (code, said) = verify.end();
    assert!(
        code == 0 && said.contains(&format!("{tenant}: holds")),
        "{said}"
    );
    let url = format!("{}/api/v1/audit/export", program.url);
    let client = crate::support::http::client();
    let token = account["api_token"].as_str().unwrap();
    let export = client.get(url).bearer_auth(token).send().await.unwrap();
    let export = export.text().await.unwrap();
    assert!(program.stop().success());

    exported_file(folder.path(), &launch, &export);

    let intruder = Intruder::at(&database, tenant.parse().unwrap()).await;
    intruder
        .run(
            "DELETE FROM audit_event WHERE {t} AND seq > 6;
             UPDATE audit_head SET seq = 6, hash = (SELECT hash FROM audit_event WHERE {t} AND seq = 6),
               signature = NULL WHERE {t}",
        )
        .await;
    intruder.leave().await;
    let (code, said) = verify.end();
    assert!(code == 1 && said.contains("first broken: 7"), "{said}");
    // It stays seen when the product goes on.
    let program = launch.start().await;
    let api = Api::new(&program.url).with_token(token);
    let verified = api.get("/api/v1/audit/verify", 200).await;
    assert_eq!(verified["ok"], false, "{verified}");
    drop(program);
    // A line that nobody signed makes no difference.
    let file = folder.path().join(HEADS);
    let lines = std::fs::read_to_string(&file).unwrap();
    let forged = lines
        .lines()
        .last()
        .unwrap()
        .replace("\"seq\":", "\"seq\":9");
    std::fs::write(&file, format!("{lines}{forged}\n")).unwrap();
    let (code, said) = verify.end();
    assert!(code == 1 && said.contains("1 lines"), "{said}");
}

/// Waits until a head is in the file.
async fn kept(folder: &Path, tenant: &str, head: &Value) {
    let began = Instant::now();
    loop {
        let lines = std::fs::read_to_string(folder.join(HEADS)).unwrap_or_default();
        let mut lines = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let is_it = |line: &Value| line["tenant_id"] == tenant && line["hash"] == head["hash"];
        if lines.any(|line| is_it(&line)) {
            return;
        }
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{head} is not kept"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The exported file by itself, whole and tampered with.
fn exported_file(folder: &Path, launch: &Launch, text: &str) {
    let path = folder.join("export.jsonl");
    let path = path.to_str().unwrap();
    let verify = launch
        .clone()
        .arguments(&["audit", "verify", "--file", path]);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let check = |lines: &[String], code: i32, says: &str| {
        std::fs::write(path, lines.join("\n")).unwrap();
        let (ended, said) = verify.end();
        assert!(ended == code && said.contains(says), "{ended}: {said}");
    };
    check(&lines, 0, "signed by this installation");
    check(&lines[..4], 1, "event 5 is missing");
    // Cut off, with the mark of a whole one put under it.
    let end = lines.last().unwrap().split("\"export\":").nth(1).unwrap();
    let end = end.replace(&format!("\"last_seq\":{}", lines.len()), "\"last_seq\":4");
    let fourth = lines[3].strip_suffix('}').unwrap();
    lines[3] = format!("{fourth},\"export\":{end}");
    lines.truncate(4);
    check(&lines, 1, "not of this installation");
}
