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

/// The beginning of a body as text, without secrets. One that names none stays as it came.
pub(super) fn body(bytes: &[u8], characters_max: usize) -> String {
    // Only what is kept is looked at: a character has at most four bytes.
    let beginning = bytes
        .get(..characters_max.saturating_mul(4))
        .unwrap_or(bytes);
    let kept = beginning_of(&String::from_utf8_lossy(beginning), characters_max);
    let mut letters = kept.replace(['-', '_'], "");
    letters.make_ascii_lowercase();
    if !SECRET_FIELDS.iter().any(|name| letters.contains(name)) {
        return kept;
    }
    match serde_json::from_slice::<Value>(bytes) {
        Ok(parsed) => beginning_of(&value(&parsed).to_string(), characters_max),
        // A page or a text that speaks of secrets cannot be told apart from one that holds them.
        Err(_) => format!("{HIDDEN} ({} bytes that name a secret)", bytes.len()),
    }
}

fn beginning_of(text: &str, characters_max: usize) -> String {
    text.chars().take(characters_max).collect()
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
            body(b"{\"refresh_token\": \"canary\"}", 100),
            r#"{"refresh_token":"***"}"#
        );
        assert_eq!(body(b"{ \"a\": 1.50 }", 100), "{ \"a\": 1.50 }");
        assert_eq!(body("ééé".as_bytes(), 2), "éé");
        assert_eq!(body(b"{\"token\": \"canary\"}", 12), r#"{"token":"**"#);
        assert!(!body(b"<p>password: canary</p>", 100).contains("canary"));
        let url = "https://x/a?token=canary&page=2".parse().unwrap();
        assert_eq!(query(&url), Some(json!({"token": "***", "page": "2"})));
        assert_eq!(query(&"https://x/a".parse().unwrap()), None);
    }
}
