//! The vendor's refusals, in the shapes its pages show.
//!
//! Source: Procore troubleshooting and error pages, read 2026-11-22. The texts of 404 and 422
//! and the status for a missing company header are not documented: Assumed.

use serde_json::{Map, Value, json};

use crate::sandbox::kit::Reply;

/// What is wrong, by attribute.
pub(super) type Errors = Map<String, Value>;

/// An answer, or the refusal that ended the call.
pub(super) type Outcome = Result<Reply, Reply>;

pub(super) fn wrong(attribute: &str, message: &str) -> Errors {
    Errors::from_iter([(attribute.to_owned(), json!([message]))])
}

pub(super) fn invalid(errors: Errors) -> Reply {
    Reply::json(422, &json!({"errors": errors}))
}

pub(super) fn bad_request(attribute: &str, message: &str) -> Reply {
    Reply::json(400, &json!({"errors": wrong(attribute, message)}))
}

pub(super) fn missing_company() -> Reply {
    let text = "Missing Procore-Company-Id header! Please add it to your request.";
    Reply::json(400, &json!({"errors": text}))
}

pub(super) fn unauthorized(text: &str) -> Reply {
    Reply::json(401, &json!({"errors": text})).header(
        "WWW-Authenticate",
        "Bearer realm=\"Procore\", error=\"invalid_token\"",
    )
}

pub(super) fn forbidden(text: &str) -> Reply {
    Reply::json(403, &json!({"errors": text}))
}

pub(super) fn not_found() -> Reply {
    Reply::json(404, &json!({"errors": "Not Found"}))
}

pub(super) fn too_many_updates() -> Reply {
    Reply::json(413, &json!({"errors": "Too many items"}))
}
