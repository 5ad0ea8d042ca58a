//! Logging in: what is sent, what a token is, what a refusal means.

use std::time::Duration;

use super::script::{self, answer};
use crate::connectors::procore::auth::ClientCredentials;
use crate::contract::{Body, Credentials, FreshToken, LogsIn};
use crate::domain::fault::Fault;
use crate::domain::secret::Secret;

async fn log_in(status: u16, headers: &[(&str, &str)], body: &str) -> Result<FreshToken, Fault> {
    let (session, script) = script::session([answer(status, headers, body)]);
    let mut credentials = Credentials::default();
    for (name, text) in [("client_id", "app"), ("client_secret", "s3cret\n")] {
        let text = Secret::new(text.to_owned());
        credentials.0.insert(name.to_owned(), text);
    }
    let fresh = ClientCredentials
        .log_in(&*script, &session.settings, &credentials)
        .await;
    let asked = script.asked.lock().unwrap();
    let request = asked.first().unwrap();
    assert!(request.private && request.bearer.is_none());
    let Body::Form(fields) = &request.body else {
        panic!("no form: {:?}", request.body);
    };
    assert!(fields.contains(&("client_secret".to_owned(), "s3cret".to_owned())));
    fresh
}

#[tokio::test]
async fn a_token_comes_with_its_lifetime() {
    let table = [
        (
            r#"{"access_token":"t","token_type":"bearer","expires_in":180,"created_at":1}"#,
            180,
        ),
        (r#"{"access_token":"t","expires_in":"180"}"#, 180),
        (r#"{"access_token":"t"}"#, 5400),
    ];
    for (body, seconds) in table {
        let fresh = log_in(200, &[], body).await.unwrap();
        assert_eq!(fresh.lifetime, Duration::from_secs(seconds), "{body}");
        assert_eq!(fresh.value.open(), "t");
    }
    for body in [
        "",
        "<html>",
        "{}",
        r#"{"access_token":""}"#,
        r#"{"access_token":"t","expires_in":"soon"}"#,
    ] {
        assert_eq!(
            log_in(200, &[], body).await.unwrap_err().class(),
            "broken",
            "{body}"
        );
    }
}

#[tokio::test]
async fn refusals_are_told_apart_and_keep_the_secret() {
    let unknown = r#"{"error":"invalid_client","error_description":"Unknown client with s3cret"}"#;
    let table = [
        (401, unknown, "auth", "invalid_client"),
        (400, r#"{"error":"invalid_grant"}"#, "auth", "invalid_grant"),
        (403, "<html>", "auth", "login_refused"),
        (404, "", "auth", "no_login_here"),
        (302, "", "auth", "no_login_here"),
        (429, "", "rate_limited", "rate_limited"),
        (503, "<html>", "transient", "status_503"),
    ];
    for (status, body, class, code) in table {
        let fault = log_in(status, &[("retry-after", "7")], body)
            .await
            .unwrap_err();
        assert_eq!((fault.class(), fault.code()), (class, code), "{status}");
        assert!(!format!("{fault:?}").contains("s3cret"));
    }
}
