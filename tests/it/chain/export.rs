//! Exports: whole, in pieces of memory, told in the trail, and verified by themselves.

use std::process::Command;

use ml_connector::audit::export;
use serde_json::Value;

use super::tell;
use crate::support::app::{TestApp, Wanted};
use crate::support::database::{TestDatabase, both};
use crate::support::http;

both!(an_export_is_one_range_that_verifies_by_itself);

async fn an_export_is_one_range_that_verifies_by_itself(database: TestDatabase) {
    let app = TestApp::start_on(database, Wanted::default()).await;
    let account = app.account("=cmd|' /C calc'!A0").await;
    // More than one page of events.
    tell(app.desk.store(), account.created.tenant_id, 1_200).await;
    let token = account.created.api_token.open();
    let client = http::client();
    for format in ["jsonl", "csv"] {
        let url = format!("{}/api/v1/audit/export?format={format}", app.url);
        let answer = client.get(&url).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let name = answer.headers()["content-disposition"].to_str().unwrap();
        assert!(name.ends_with(&format!(".{format}\"")), "{name}");
        let text = answer.text().await.unwrap();
        let file = export::verify(text.as_bytes()).unwrap();
        assert_eq!(file.end.first_seq, 1);
        assert_eq!(file.verified.events as i64, file.end.last_seq);
        assert!(ml_connector::desk::trail::is_ours(app.desk.vault(), &file));
        if format == "csv" {
            let formula = |line: &str| {
                line.split(',')
                    .any(|cell| cell.starts_with(['=', '@', '+']))
            };
            assert!(!text.lines().any(formula));
        } else {
            for line in text.lines() {
                let event: Value = serde_json::from_str(line).unwrap();
                assert!(event["seq"].is_i64() && event["hash"].is_string());
            }
        }
    }
    // Each was told once, and stands in the next one.
    let told = account
        .api
        .get("/api/v1/audit?action=audit.exported", 200)
        .await;
    assert_eq!(told["data"].as_array().unwrap().len(), 2);
    let part = account
        .api
        .get("/api/v1/audit/export?to=2020-01-01", 422)
        .await;
    assert_eq!(part["errors"][0]["pointer"], "/from", "{part}");
    account
        .api
        .get("/api/v1/audit/export?action=thing.done", 422)
        .await;
    app.stop().await;
}

#[test]
fn the_command_verifies_a_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let verify = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let program = env!("CARGO_BIN_EXE_ml-connector");
        let ended = Command::new(program)
            .args(["audit", "verify", "--file"])
            .arg(&path)
            .current_dir(folder.path())
            .env_clear()
            .output()
            .unwrap();
        let said = String::from_utf8(ended.stdout).unwrap();
        (ended.status.code().unwrap(), said)
    };
    let (code, said) = verify("empty.jsonl", "");
    assert_eq!(code, 1, "{said}");
    let (code, said) = verify("other.jsonl", "{\"seq\": 4}\n");
    assert!(
        code == 1 && said.contains("event 1 cannot be read"),
        "{said}"
    );
    // Nothing was made where it ran.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}
