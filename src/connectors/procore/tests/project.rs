//! Projects: listed with closed ones, and read without another call.

use super::script::{self, answer};
use crate::connectors::procore::project::Projects;
use crate::contract::{ListScope, Lists, Reads, SourceKey};

#[tokio::test]
async fn a_listed_project_is_read_without_another_call() {
    let rows = r#"[{"id":316001,"name":"Harbor Tower","project_number":"26-014","active":false}]"#;
    let (session, script) = script::session([
        answer(200, &[("total", "1")], rows),
        answer(200, &[], r#"{"id":316002,"display_name":"26-015 - Pier"}"#),
    ]);
    let page = Projects
        .changed(&session, &ListScope::default(), None)
        .await;
    let page = page.unwrap();
    let seen = page.rows.first().unwrap();
    assert_eq!(seen.project_key.as_deref(), Some("316001"));
    let read = Projects.read(&session, &seen.key).await.unwrap().unwrap();
    assert_eq!(read.version, seen.version);
    let project = read.record;
    assert_eq!(
        (project.number.as_deref(), project.active),
        (Some("26-014"), false)
    );
    assert_eq!(script.paths().len(), 1);

    let other = SourceKey {
        id: "316002".to_owned(),
        place: String::new(),
    };
    let read = Projects.read(&session, &other).await.unwrap().unwrap();
    assert_eq!(read.record.name, "26-015 - Pier");
    assert!(script.paths().first().unwrap().contains("by_status%5D=All"));
}
