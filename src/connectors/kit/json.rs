//! Answers as JSON: within a depth, and read liberally.

use serde_json::Value;

use super::fault::{sample, unusable};
use crate::contract::{Call, Response};
use crate::domain::fault::Fault;

/// Arrays and objects inside one another. Source: SECURITY-RELIABILITY S30, read 2026-11-22.
pub const DEPTH_MAX: usize = 64;

/// The body as JSON.
///
/// # Errors
/// `Broken` on a read and `Ambiguous` on a write when it is none, or is nested too deeply.
pub fn parse(call: Call, response: &Response) -> Result<Value, Fault> {
    let body = response
        .body
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(&response.body);
    if depth(body) > DEPTH_MAX {
        return Err(unusable(
            call,
            "answer_too_deep",
            format!("the answer is nested more than {DEPTH_MAX} deep"),
        ));
    }
    serde_json::from_slice(body).map_err(|_| {
        unusable(
            call,
            "answer_not_json",
            format!(
                "the answer (status {}) is not JSON: {}",
                response.status,
                sample(body)
            ),
        )
    })
}

/// How deeply arrays and objects lie inside one another, without parsing.
#[must_use]
pub fn depth(body: &[u8]) -> usize {
    let (mut now, mut deepest) = (0_usize, 0_usize);
    let (mut in_text, mut escaped) = (false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'[' | b'{' => {
                now = now.saturating_add(1);
                deepest = deepest.max(now);
            }
            b']' | b'}' => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// A text, number or truth value as text; nothing for null, lists and objects.
#[must_use]
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The text of one field; nothing when it is absent, blank or no scalar.
#[must_use]
pub fn field(value: &Value, name: &str) -> Option<String> {
    text(value.get(name)?).filter(|text| !text.trim().is_empty())
}

/// A truth value, also spelled as text or number.
#[must_use]
pub fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(truth) => *truth,
        Value::String(text) => {
            ["true", "yes", "1"].contains(&text.trim().to_ascii_lowercase().as_str())
        }
        Value::Number(number) => number.to_string() != "0",
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(body: &str) -> Response {
        Response {
            status: 200,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn a_body_is_json_within_a_depth_or_a_fault() {
        assert_eq!(
            parse(Call::Read, &answer("\u{feff}{\"a\":[1]}")).unwrap(),
            json!({"a": [1]})
        );
        let deep = |depth: usize| answer(&("[".repeat(depth) + &"]".repeat(depth)));
        assert!(parse(Call::Read, &deep(64)).is_ok());
        assert_eq!(
            parse(Call::Read, &deep(65)).unwrap_err().code(),
            "answer_too_deep"
        );
        for body in ["", "<html>", "{\"a\":", "{} {}"] {
            assert_eq!(
                parse(Call::Read, &answer(body)).unwrap_err().class(),
                "broken",
                "{body}"
            );
            assert_eq!(
                parse(Call::Write, &answer(body)).unwrap_err().class(),
                "ambiguous",
                "{body}"
            );
        }
        assert_eq!(depth(br#"{"a":"[[[\"[[","b":[{}]}"#), 3);
    }

    #[test]
    fn scalars_are_read_in_any_spelling() {
        let value =
            json!({"n": 12.50, "t": "x", "b": true, "blank": " ", "none": null, "list": [1]});
        assert_eq!(field(&value, "n").as_deref(), Some("12.5"));
        assert_eq!(field(&value, "t").as_deref(), Some("x"));
        assert_eq!(field(&value, "b").as_deref(), Some("true"));
        for name in ["blank", "none", "list", "absent"] {
            assert_eq!(field(&value, name), None, "{name}");
        }
        assert!(
            is_true(&json!("True"))
                && is_true(&json!(1))
                && !is_true(&json!("false"))
                && !is_true(&json!(null))
        );
    }
}
