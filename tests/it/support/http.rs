//! A thin JSON client: one token, one status to expect, the body as a value.

use std::sync::Once;
use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

/// Longer than anything the product lets a request wait.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A client that follows no redirect and asks no proxy: a test sees what the server said.
pub fn client() -> Client {
    static PROVIDER: Once = Once::new();
    // An error means that the program under test has installed one in this process already.
    PROVIDER.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
    });
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .build()
        .expect("an HTTP client can be built")
}

/// One caller of the JSON API.
#[derive(Clone)]
pub struct Api {
    base: String,
    token: Option<String>,
    client: Client,
}

impl Api {
    /// `base` is everything before the path: `http://127.0.0.1:8080`.
    pub fn new(base: &str) -> Self {
        Api {
            base: base.trim_end_matches('/').to_owned(),
            token: None,
            client: client(),
        }
    }

    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    pub async fn get(&self, path: &str, expected: u16) -> Value {
        self.call(Method::GET, path, None, expected).await
    }

    pub async fn post(&self, path: &str, body: Value, expected: u16) -> Value {
        self.call(Method::POST, path, Some(body), expected).await
    }

    pub async fn put(&self, path: &str, body: Value, expected: u16) -> Value {
        self.call(Method::PUT, path, Some(body), expected).await
    }

    pub async fn patch(&self, path: &str, body: Value, expected: u16) -> Value {
        self.call(Method::PATCH, path, Some(body), expected).await
    }

    pub async fn delete(&self, path: &str, expected: u16) -> Value {
        self.call(Method::DELETE, path, None, expected).await
    }

    /// The answer's body; `null` where it is empty, a string where it is no JSON. Another status fails
    /// the test with the body, which says why.
    async fn call(&self, method: Method, path: &str, body: Option<Value>, expected: u16) -> Value {
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = &body {
            request = request.json(body);
        }
        let answer = request
            .send()
            .await
            .unwrap_or_else(|problem| panic!("{method} {path}: {problem:?}"));
        let status = answer.status();
        let text = answer.text().await.expect("the body arrives whole");
        let expected = StatusCode::from_u16(expected).expect("a status of three digits");
        assert_eq!(status, expected, "{method} {path}: {text}");
        match text.as_str() {
            "" => Value::Null,
            _ => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        }
    }
}
