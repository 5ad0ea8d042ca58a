//! What must not be kept of a request or an answer: the values of fields that hold secrets.

use serde_json::{Map, Value};

/// Fields whose values are secrets wherever they occur, in lower case without dashes and underscores.
const SECRET_FIELDS: &[&str] = &[
    "accesstoken",
    "apikey",
    "authorization",
    "clientsecret",
    "cookie",
    "idtoken",
    "password",
    "refreshtoken",
    "saak",
    "sask",
    "secret",
    "setcookie",
    "token",
];
const HIDDEN: &str = "***";

/// A copy without secrets.
pub(super) fn value(value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, held)| {
                    let kept = if is_secret(name) {
                        Value::from(HIDDEN)
                    } else {
                        self::value(held)
                    };
                    (name.clone(), kept)
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(self::value).collect()),
        plain => plain.clone(),
    }
}

/// A body as text without secrets. One that names none stays as it came.
pub(super) fn body(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let letters: String = text
        .chars()
        .filter(|letter| !matches!(letter, '-' | '_'))
        .collect::<String>()
        .to_ascii_lowercase();
    if !SECRET_FIELDS.iter().any(|name| letters.contains(name)) {
        return text.into_owned();
    }
    match serde_json::from_slice::<Value>(bytes) {
        Ok(parsed) => value(&parsed).to_string(),
        // A page or a text that speaks of secrets cannot be told apart from one that holds them.
        Err(_) => format!("{HIDDEN} ({} bytes that name a secret)", bytes.len()),
    }
}

/// The fields of a query, as a request without a body is kept.
pub(super) fn query(url: &url::Url) -> Option<Value> {
    let fields: Map<String, Value> = url
        .query_pairs()
        .map(|(name, held)| {
            let kept = if is_secret(&name) { HIDDEN } else { &held };
            (name.clone().into_owned(), Value::from(kept))
        })
        .collect();
    (!fields.is_empty()).then_some(Value::Object(fields))
}

fn is_secret(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(|letter| !matches!(letter, '-' | '_'))
        .flat_map(char::to_lowercase)
        .collect();
    SECRET_FIELDS.contains(&plain.as_str())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_hidden_by_their_fields_name_and_nothing_else_is() {
        let kept = value(&json!({
            "access_token": "canary", "rows": [{"Client-Secret": {"a": "canary"}, "name": "token ring"}]
        }));
        assert_eq!(
            kept,
            json!({"access_token": "***", "rows": [{"Client-Secret": "***", "name": "token ring"}]})
        );
        assert_eq!(
            body(b"{\"refresh_token\": \"canary\"}"),
            r#"{"refresh_token":"***"}"#
        );
        assert_eq!(body(b"{ \"a\": 1.50 }"), "{ \"a\": 1.50 }");
        assert!(!body(b"<p>password: canary</p>").contains("canary"));
        let url = "https://x/a?token=canary&page=2".parse().unwrap();
        assert_eq!(query(&url), Some(json!({"token": "***", "page": "2"})));
        assert_eq!(query(&"https://x/a".parse().unwrap()), None);
    }
}
