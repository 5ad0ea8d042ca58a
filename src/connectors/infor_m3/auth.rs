//! Logging in: the service account's keys for an access token.
//!
//! Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (.ionapi file and OAuth). The keys already
//! carry the tenant's prefix and are sent as they are; the form's encoding takes care of `#` and `~`.

use std::time::Duration;

use serde_json::Value;

use super::super::kit::fault::{by_status, unusable};
use super::super::kit::json;
use super::ionapi::IonApi;
use crate::contract::{
    Answer, Body, Call, Credentials, FreshToken, LogsIn, Method, Request, Response, Wire,
};
use crate::domain::clock::Timestamp;
use crate::domain::connection::Settings;
use crate::domain::fault::Fault;
use crate::domain::secret::Secret;

/// Assumed: an answer without a lifetime is good for an hour; tokens live about two.
const LIFETIME_DEFAULT: Duration = Duration::from_secs(3600);
const TIMEOUT_DEFAULT_SECONDS: u32 = 30;

pub(super) struct PasswordGrant;

impl LogsIn for PasswordGrant {
    fn client(&self, _settings: &Settings, credentials: &Credentials) -> Option<String> {
        let file = IonApi::read(credentials.text("ionapi").ok()?).ok()?;
        Some(file.client_id)
    }

    fn log_in<'a>(
        &'a self,
        wire: &'a dyn Wire,
        settings: &'a Settings,
        credentials: &'a Credentials,
    ) -> Answer<'a, FreshToken> {
        Box::pin(async move {
            let file = IonApi::read(credentials.text("ionapi")?).map_err(|issues| Fault::Auth {
                code: "ionapi_unusable".to_owned(),
                message: issues.first().map(ToString::to_string).unwrap_or_default(),
            })?;
            let answer = wire.send(request(&file, settings)?).await?;
            token(&answer, &file)
        })
    }
}

fn request(file: &IonApi, settings: &Settings) -> Result<Request, Fault> {
    let url = file.token_url().ok_or_else(|| Fault::Auth {
        code: "ionapi_unusable".to_owned(),
        message: "`pu` and `ot` of the .ionapi file are no address".to_owned(),
    })?;
    let seconds = settings
        .number("timeout_seconds")
        .unwrap_or(TIMEOUT_DEFAULT_SECONDS);
    let pairs = [
        ("grant_type", "password"),
        ("username", &file.access_key),
        ("password", file.secret_key.open()),
        ("client_id", &file.client_id),
        ("client_secret", file.client_secret.open()),
    ];
    Ok(Request {
        method: Method::Post,
        url,
        headers: Vec::new(),
        bearer: None,
        body: Body::Form(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        ),
        // A token that was made and lost does no harm.
        call: Call::Read,
        timeout: Duration::from_secs(u64::from(seconds.max(1))),
        operation: "log in".to_owned(),
        private: true,
    })
}

fn token(answer: &Response, file: &IonApi) -> Result<FreshToken, Fault> {
    let body = json::parse(Call::Read, answer);
    if !answer.is_success() {
        return Err(refused(answer, body.as_ref().ok(), file));
    }
    // The parser's fault would show a part of the answer, and this answer holds a token.
    let nothing = || {
        unusable(
            Call::Read,
            "token_missing",
            "the log-in's answer holds no access token",
        )
    };
    let body = body.map_err(|_| nothing())?;
    let value = json::field(&body, "access_token").ok_or_else(nothing)?;
    let lifetime = json::field(&body, "expires_in")
        .and_then(|seconds| seconds.split('.').next()?.parse().ok())
        .map_or(LIFETIME_DEFAULT, Duration::from_secs);
    Ok(FreshToken {
        value: Secret::new(value),
        lifetime,
    })
}

fn refused(answer: &Response, body: Option<&Value>, file: &IonApi) -> Fault {
    let word = |name| body.and_then(|body| Some(without_secrets(json::field(body, name)?, file)));
    let says = word("error_description")
        .or_else(|| word("error"))
        .unwrap_or_default();
    let status = answer.status;
    if ![400, 401, 403].contains(&status) {
        let message = format!("logging in to Infor failed (status {status}) {says}");
        return by_status(Call::Read, answer, Timestamp::default(), message);
    }
    let code = word("error").unwrap_or_else(|| format!("http_{status}"));
    Fault::Auth {
        code,
        message: format!(
            "Infor refused the log-in: {says} (status {status}). The service account may be revoked, or the app \
             of the wrong type: download a new .ionapi file and upload it here"
        ),
    }
}

/// What was sent may be repeated in a refusal.
fn without_secrets(text: String, file: &IonApi) -> String {
    let secrets = [
        file.client_secret.open(),
        file.secret_key.open(),
        &file.access_key,
        &file.client_id,
    ];
    secrets
        .into_iter()
        .fold(text, |text, secret| text.replace(secret.as_str(), "***"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn file() -> IonApi {
        IonApi::read(
            r#"{"ti":"T","ci":"T~client","cs":"canary-cs","iu":"https://a.example","pu":"https://b.example/as/",
                "ot":"token","saak":"T#key","sask":"canary-sask"}"#,
        )
        .unwrap()
    }

    fn answer(status: u16, body: &str) -> Response {
        Response {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn a_token_lives_as_long_as_the_answer_says() {
        for (body, seconds) in [
            (r#"{"access_token":"t","expires_in":7200}"#, 7200),
            (
                r#"{"access_token":"t","expires_in":"300","token_type":"Bearer"}"#,
                300,
            ),
            (r#"{"access_token":"t"}"#, 3600),
        ] {
            let token = token(&answer(200, body), &file()).unwrap();
            assert_eq!(
                (token.value.open().as_str(), token.lifetime.as_secs()),
                ("t", seconds)
            );
        }
    }

    #[test]
    fn a_refused_log_in_says_why_and_never_what_was_sent() {
        for (status, body, class, code) in [
            (
                400,
                r#"{"error":"invalid_grant","error_description":"Invalid username or password"}"#,
                "auth",
                "invalid_grant",
            ),
            (
                401,
                r#"{"error":"invalid_client","error_description":"T#key with canary-sask and canary-cs is unknown"}"#,
                "auth",
                "invalid_client",
            ),
            (403, "<html>", "auth", "http_403"),
            (429, "", "rate_limited", "rate_limited"),
            (503, "", "transient", "http_503"),
            (302, "", "broken", "http_302"),
            (200, "{}", "broken", "token_missing"),
            (
                200,
                r#"{"access_token":"canary","#,
                "broken",
                "token_missing",
            ),
        ] {
            let fault = token(&answer(status, body), &file()).unwrap_err();
            assert_eq!(
                (fault.class(), fault.code()),
                (class, code),
                "{status} {body}"
            );
            assert!(!fault.to_string().contains("canary"));
        }
    }
}
