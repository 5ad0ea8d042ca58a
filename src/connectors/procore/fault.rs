//! From a status and a body to a [`Fault`], purely. Procore has no one shape for its refusals.
//!
//! Source: Procore "Troubleshooting", the REST reference and the v2 announcement, read 2026-11-22:
//! `errors` may be a text, a list or an object of texts by field, `error` a text or an object, beside it
//! `message`; bodies of 5xx may be HTML.

use std::time::Duration;

use serde_json::{Map, Value};

use super::pace;
use super::tool::Tool;
use crate::connectors::kit::fault::sample;
use crate::contract::{Call, Response};
use crate::domain::clock::Timestamp;
use crate::domain::fault::{Fault, Issue};

/// Sentences of the vendor that are kept; the whole body is kept with the exchange.
const ISSUES_MAX: usize = 50;
/// Characters of one sentence.
const TEXT_MAX: usize = 500;
/// The wait when a refusal names none: the length of the spike window.
/// Source: Procore "Rate limiting", read 2026-11-22.
const WAIT_UNNAMED: Duration = Duration::from_secs(10);

/// Codes of the faults that hide one thing and say nothing about the others.
const HIDING: [&str; 2] = ["forbidden", "not_visible"];
/// Issues that a person can mend in Procore.
const GAPS: [&str; 2] = ["empty", "unknown_sub_job"];

/// What was asked when the answer came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub call: Call,
    pub tool: Tool,
}

/// The fault of an answer that is no success.
pub(super) fn fault(asked: Asked, response: &Response, now: Timestamp) -> Fault {
    let words = words(&response.body);
    let said = said(response.status, &words);
    match (response.status, asked.call) {
        (429, _) => limited(response, now, said),
        (503, Call::Read) if response.header("retry-after").is_some() => {
            limited(response, now, said)
        }
        (401, _) => Fault::Auth {
            code: "unauthorized".to_owned(),
            message: format!("{said}. A new token was refused too"),
        },
        (403, _) => forbidden(asked.tool, &said),
        (404, _) => Fault::Missing {
            what: "not_found".to_owned(),
            message: format!(
                "{said}. Procore answers so for what is gone and for what the service account may not see"
            ),
        },
        (409, _) => Fault::Conflict {
            code: "conflict".to_owned(),
            message: said,
        },
        (408 | 500..=599, Call::Read) => Fault::Transient {
            code: format!("status_{}", response.status),
            message: said,
        },
        (408 | 500..=599, Call::Write) => Fault::Ambiguous {
            code: format!("status_{}", response.status),
            message: said,
        },
        (400..=499, _) => Fault::Rejected {
            issues: if words.is_empty() {
                vec![Issue::new("", format!("status_{}", response.status), said)]
            } else {
                words
            },
        },
        _ => Fault::Broken {
            code: format!("status_{}", response.status),
            message: format!("{said}. Check the API address: a redirect is never followed"),
        },
    }
}

fn limited(response: &Response, now: Timestamp, said: String) -> Fault {
    Fault::RateLimited {
        retry_after: pace::retry_after(response, now).unwrap_or(WAIT_UNNAMED),
        message: said,
    }
}

fn forbidden(tool: Tool, said: &str) -> Fault {
    let is_apart = said.to_lowercase().contains("not connected");
    let (code, tool) = if is_apart {
        ("app_not_connected", Tool::Company)
    } else {
        ("forbidden", tool)
    };
    Fault::Auth {
        code: code.to_owned(),
        message: format!(
            "Procore keeps {} from the service account ({said}). {}",
            tool.label(),
            tool.remedy()
        ),
    }
}

/// A list that answers 404: hidden rather than gone, since a list of nothing is empty.
pub(super) fn hidden(tool: Tool) -> Fault {
    Fault::Auth {
        code: "not_visible".to_owned(),
        message: format!(
            "Procore shows the service account no {} here (404). {}",
            tool.label().trim_start_matches("the "),
            tool.remedy()
        ),
    }
}

/// Whether a fault means that just this list or record is not for the service account.
pub(super) fn is_hiding(fault: &Fault) -> bool {
    matches!(fault, Fault::Auth { code, .. } if HIDING.contains(&code.as_str()))
}

/// A record that lacks what it needs, or holds it in another shape. Gaps that a person can fill in
/// Procore are refusals with their fields; anything else breaks the documented shape.
pub(super) fn unreadable(what: &str, issues: Vec<Issue>) -> Fault {
    let is_gap = |issue: &Issue| GAPS.contains(&issue.code.as_str());
    if issues.iter().all(is_gap) {
        return Fault::Rejected { issues };
    }
    let shown: Vec<String> = issues.iter().take(5).map(Issue::to_string).collect();
    let rest = issues.len().saturating_sub(shown.len());
    let more = if rest == 0 {
        String::new()
    } else {
        format!(" (and {rest} more)")
    };
    Fault::Broken {
        code: "unexpected_shape".to_owned(),
        message: format!(
            "Procore's {what} is not as documented: {}{more}",
            shown.join("; ")
        ),
    }
}

/// JSON of another shape than was asked for.
pub(super) fn unexpected_body(what: &str, body: &Value) -> Fault {
    let seen = match issues_in(body).first() {
        Some(issue) => format!("an error: {issue}"),
        None => format!(
            "JSON of another shape: {}",
            sample(body.to_string().as_bytes())
        ),
    };
    Fault::Broken {
        code: "unexpected_body".to_owned(),
        message: format!("Procore answered \"{what}\" with {seen}"),
    }
}

fn said(status: u16, words: &[Issue]) -> String {
    let texts: Vec<String> = words.iter().take(5).map(Issue::to_string).collect();
    if texts.is_empty() {
        return format!("Procore answered {status} without saying why");
    }
    format!("Procore answered {status}: {}", texts.join("; "))
}

/// Everything that a body says is wrong.
pub(super) fn words(body: &[u8]) -> Vec<Issue> {
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        return issues_in(&value);
    }
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.is_empty() || is_html(body) {
        return Vec::new();
    }
    vec![Issue::new("", "refused", cut(text))]
}

fn issues_in(value: &Value) -> Vec<Issue> {
    let mut issues = Vec::new();
    match value {
        Value::Object(fields) => {
            for name in ["errors", "error"] {
                if let Some(found) = fields.get(name) {
                    gather("", found, &mut issues);
                }
            }
            let texts = ["error_description", "message", "reason"];
            for text in texts.iter().filter_map(|name| fields.get(*name)?.as_str()) {
                let is_known = issues.iter().any(|issue| issue.message == text);
                if !is_known && !text.is_empty() {
                    issues.push(Issue::new("", code_of(fields), cut(text)));
                }
            }
        }
        Value::String(text) if !text.is_empty() => {
            issues.push(Issue::new("", "refused", cut(text)));
        }
        _ => {}
    }
    issues.truncate(ISSUES_MAX);
    issues
}

/// Walks through whatever `errors` or `error` holds; names of objects are fields.
fn gather(field: &str, value: &Value, issues: &mut Vec<Issue>) {
    match value {
        Value::String(text) if !text.is_empty() => {
            issues.push(Issue::new(field, "refused", cut(text)));
        }
        Value::Array(items) => {
            for item in items {
                gather(field, item, issues);
            }
        }
        Value::Object(fields) => match fields.get("message").and_then(Value::as_str) {
            Some(message) => gather_one(field, message, fields, issues),
            None => {
                for (name, inner) in fields {
                    gather(&join(field, name), inner, issues);
                }
            }
        },
        _ => {}
    }
}

/// `{code, message, details[]}` and `{reason_code, message, source}`: the details say more.
fn gather_one(field: &str, message: &str, fields: &Map<String, Value>, issues: &mut Vec<Issue>) {
    if let Some(Value::Array(details)) = fields.get("details")
        && !details.is_empty()
    {
        for detail in details {
            gather(field, detail, issues);
        }
        return;
    }
    let source = fields.get("source").and_then(Value::as_str);
    let field = source.map_or_else(|| field.to_owned(), |source| join(field, source));
    issues.push(Issue::new(field, code_of(fields), cut(message)));
}

fn code_of(fields: &Map<String, Value>) -> String {
    let codes = ["reason_code", "code", "error"].into_iter();
    let mut found = codes.filter_map(|name| match fields.get(name)? {
        Value::String(code) => Some(code.clone()),
        Value::Number(code) => Some(code.to_string()),
        _ => None,
    });
    let is_word = |code: &String| !code.is_empty() && !code.contains(char::is_whitespace);
    found
        .find(is_word)
        .map_or_else(|| "refused".to_owned(), |code| code.to_lowercase())
}

fn join(field: &str, name: &str) -> String {
    if field.is_empty() {
        name.to_owned()
    } else {
        format!("{field}/{name}")
    }
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_MAX).collect()
}

fn is_html(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    start.starts_with(b"<")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Field, code and message.
    type Said = (&'static str, &'static str, &'static str);

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        Response {
            status,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: body.as_bytes().to_vec(),
        }
    }

    fn reading() -> Asked {
        Asked {
            call: Call::Read,
            tool: Tool::Commitments,
        }
    }

    #[test]
    fn each_status_has_its_class() {
        let table = [
            (400, "rejected", "rejected"),
            (401, "auth", "auth"),
            (403, "auth", "auth"),
            (404, "missing", "missing"),
            (406, "rejected", "rejected"),
            (408, "transient", "ambiguous"),
            (409, "conflict", "conflict"),
            (413, "rejected", "rejected"),
            (422, "rejected", "rejected"),
            (429, "rate_limited", "rate_limited"),
            (500, "transient", "ambiguous"),
            (502, "transient", "ambiguous"),
            (503, "transient", "ambiguous"),
            (302, "broken", "broken"),
        ];
        for (status, read, write) in table {
            for body in [
                r#"{"errors":"No"}"#,
                "<html><h1>Bad gateway</h1>",
                "",
                "{",
                "[]",
            ] {
                for (call, class) in [(Call::Read, read), (Call::Write, write)] {
                    let asked = Asked { call, ..reading() };
                    let found = fault(asked, &answer(status, &[], body), Timestamp(0));
                    assert_eq!(found.class(), class, "{status} {call:?} {body}");
                    assert!(!found.to_string().is_empty() && !found.to_string().contains('<'));
                }
            }
        }
    }

    #[test]
    fn every_documented_body_gives_up_its_words() {
        let table: [(&str, &[Said]); 13] = [
            (
                r#"{"errors":"The access token expired"}"#,
                &[("", "refused", "The access token expired")],
            ),
            (
                r#"{"errors":{"number":["has already been taken"]}}"#,
                &[("number", "refused", "has already been taken")],
            ),
            (
                r#"{"errors":{"number":"is taken","line":{"uom":["is unknown","is blank"]}}}"#,
                &[
                    ("line/uom", "refused", "is unknown"),
                    ("line/uom", "refused", "is blank"),
                    ("number", "refused", "is taken"),
                ],
            ),
            (
                r#"{"errors":["One","Two"]}"#,
                &[("", "refused", "One"), ("", "refused", "Two")],
            ),
            (
                r#"{"errors":[{"status":["is closed"]}]}"#,
                &[("status", "refused", "is closed")],
            ),
            (
                r#"{"error":{"code":"BAD_REQUEST","message":"Invalid request","details":[{"reason_code":"INVALID_VALUE","message":"wbs_code_id is invalid","source":"wbs_code_id"}]}}"#,
                &[("wbs_code_id", "invalid_value", "wbs_code_id is invalid")],
            ),
            (
                r#"{"error":{"code":"BAD_REQUEST","message":"Invalid request","details":[]}}"#,
                &[("", "bad_request", "Invalid request")],
            ),
            (
                r#"{"error":"invalid_client","error_description":"Unknown client"}"#,
                &[
                    ("", "refused", "invalid_client"),
                    ("", "invalid_client", "Unknown client"),
                ],
            ),
            (r#"{"message":"Conflict"}"#, &[("", "refused", "Conflict")]),
            (
                r#"{"message":"Budget currency","error":"Currency mismatch"}"#,
                &[
                    ("", "refused", "Currency mismatch"),
                    ("", "refused", "Budget currency"),
                ],
            ),
            (
                r#"{"code":1042,"message":"Bad field","fields":["name"],"reason":"blank"}"#,
                &[("", "1042", "Bad field"), ("", "1042", "blank")],
            ),
            ("Too many requests", &[("", "refused", "Too many requests")]),
            ("<!DOCTYPE html><title>502</title>", &[]),
        ];
        for (body, wanted) in table {
            let mut found = words(body.as_bytes());
            // The parts of an object have no order.
            found.sort_by(|one, two| one.field.cmp(&two.field));
            let found: Vec<(&str, &str, &str)> = found
                .iter()
                .map(|issue| {
                    (
                        issue.field.as_str(),
                        issue.code.as_str(),
                        issue.message.as_str(),
                    )
                })
                .collect();
            assert_eq!(found, wanted, "{body}");
        }
    }

    #[test]
    fn a_refusal_names_what_to_grant() {
        let refused = fault(
            reading(),
            &answer(403, &[], r#"{"message":"No"}"#),
            Timestamp(0),
        );
        assert_eq!(refused.code(), "forbidden");
        assert!(refused.to_string().contains("the tool Commitments"));
        let body = r#"{"errors":"App is not connected to this company"}"#;
        let refused = fault(reading(), &answer(403, &[], body), Timestamp(0));
        assert_eq!(refused.code(), "app_not_connected");
        assert!(refused.to_string().contains("installs the app"));
    }

    #[test]
    fn heavy_load_slows_the_connection_down() {
        let headers = [("retry-after", "30")];
        for status in [429, 503] {
            let found = fault(reading(), &answer(status, &headers, "{}"), Timestamp(0));
            match found {
                Fault::RateLimited { retry_after, .. } => assert_eq!(retry_after.as_secs(), 30),
                other => panic!("{status}: {other:?}"),
            }
        }
        let bare = fault(reading(), &answer(429, &[], ""), Timestamp(0));
        assert!(
            matches!(bare, Fault::RateLimited { retry_after, .. } if retry_after == WAIT_UNNAMED)
        );
    }

    #[test]
    fn gaps_are_for_people_and_shapes_for_us() {
        let gap = Issue::new("number", "empty", "is empty");
        let shape = Issue::new("lines/1/amount", "mistyped", "is no number");
        assert_eq!(unreadable("contract", vec![gap.clone()]).issues().len(), 1);
        let broken = unreadable("contract", vec![gap, shape]);
        assert_eq!(broken.class(), "broken");
        assert!(broken.to_string().contains("lines/1/amount: is no number"));
    }

    #[test]
    fn an_unexpected_body_is_described() {
        let table = [
            ("[1,2]", "JSON of another shape: `[1,2]`"),
            (r#"{"errors":"Down"}"#, "an error: Down"),
        ];
        for (body, wanted) in table {
            let body: Value = serde_json::from_str(body).unwrap();
            let found = unexpected_body("vendor", &body).to_string();
            assert!(found.contains(wanted), "{body}: {found}");
        }
    }
}
