//! The steps of a connection test, and when each says what to grant.

use super::script::{self, answer};
use crate::connectors::procore::probe::Steps;
use crate::contract::{Probe, Probes};

const COMPANY: &str = r#"[{"id":4280001,"name":"Acme Builders"}]"#;
const NONE: &str = "[]";

async fn steps(answers: &[(u16, &str)], flows: &[&str]) -> Vec<String> {
    let answers = answers
        .iter()
        .map(|(status, body)| answer(*status, &[], body));
    let (session, script) = script::session(answers.collect::<Vec<_>>());
    let steps = Steps.probe(&session, Probe { flows }).await.unwrap();
    assert!(script.paths().iter().all(|path| path.contains("/rest/")));
    for step in &steps {
        assert_eq!(step.hint.is_none(), step.ok, "{step:?}");
    }
    let shown = steps.iter().map(|step| {
        let mark = if step.ok { "+" } else { "-" };
        format!("{mark}{} {}", step.name, step.detail)
    });
    shown.collect()
}

#[tokio::test]
async fn a_stranger_gets_no_further_than_the_company() {
    let other = r#"[{"id":1,"name":"Other"},{"id":2}]"#;
    let found = steps(&[(200, other)], &[]).await;
    assert_eq!(found.len(), 1);
    assert!(
        found
            .first()
            .unwrap()
            .starts_with("-company company 4280001 is not among")
    );
    assert!(found.first().unwrap().ends_with("Other (1), ? (2)"));
    let apart = r#"{"errors":"App is not connected to this company"}"#;
    let found = steps(&[(403, apart)], &[]).await;
    assert!(found.first().unwrap().contains("not connected"));
}

#[tokio::test]
async fn an_empty_list_can_be_a_missing_right() {
    let answers = [(200, COMPANY), (200, NONE), (200, NONE)];
    let found = steps(&answers, &[]).await;
    let wanted = [
        "+company Acme Builders (4280001)",
        "-permission:projects no project is shown",
        "-permission:directory no vendor is shown",
    ];
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn each_right_has_its_step() {
    let project = r#"[{"id":7,"name":"Harbor Tower"}]"#;
    let vendor = r#"[{"id":8,"name":"Granite"}]"#;
    let answers = [
        (200, COMPANY),
        (200, project),
        (200, vendor),
        (403, r#"{"message":"No"}"#),
        (404, ""),
        (403, ""),
        (200, r#"{"id":8,"name":"Granite"}"#),
    ];
    let found = steps(&answers, &["vendors", "commitments"]).await;
    let names: Vec<&str> = found
        .iter()
        .map(|step| step.split(' ').next().unwrap())
        .collect();
    let wanted = [
        "+company",
        "+permission:projects",
        "+permission:directory",
        "-permission:commitments",
        "-permission:cost_codes",
        "+sample_read",
    ];
    assert_eq!(names, wanted);

    // A pair that moves vendors alone needs no commitments.
    let answers = [
        (200, COMPANY),
        (200, project),
        (200, vendor),
        (200, r#"{"id":8,"name":null}"#),
    ];
    let found = steps(&answers, &["vendors"]).await;
    assert_eq!(found.len(), 4);
    assert!(
        found
            .last()
            .unwrap()
            .starts_with("-sample_read name: is empty")
    );
}
