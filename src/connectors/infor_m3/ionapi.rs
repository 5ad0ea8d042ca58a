//! The .ionapi file: everything that is needed to log in, in one JSON object.
//!
//! Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (the .ionapi file).

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use url::Url;

use super::super::kit::json;
use crate::domain::fault::Issue;
use crate::domain::secret::Secret;

/// Bytes of a file; the largest seen has under one thousand. Source: API.md §3.1, read 2026-11-22.
const FILE_BYTES_MAX: usize = 64 * 1024;
/// The field of the connection's form.
pub(super) const FIELD: &str = "credentials/ionapi";

/// A file that was read and found usable.
#[derive(Debug)]
pub(super) struct IonApi {
    /// The tenant; also the first part of every path.
    pub tenant: String,
    pub client_id: String,
    pub client_secret: Secret<String>,
    /// Where the programs answer, without a slash at its end.
    pub gateway: String,
    /// The authorisation server, as the file says it.
    pub authorisation: String,
    /// The token path below it.
    pub token_path: String,
    pub access_key: String,
    pub secret_key: Secret<String>,
}

impl IonApi {
    /// Reads a file's text.
    ///
    /// # Errors
    /// Every reason why it cannot be used, for people, without any of its secrets.
    pub(super) fn read(text: &str) -> Result<Self, Vec<Issue>> {
        let fields = fields(text)?;
        let mut issues = Vec::new();
        let mut take = |name: &str| {
            let found = fields.text(name);
            if found.is_none() {
                issues.push(missing(name));
            }
            found.unwrap_or_default().to_owned()
        };
        let file = Self {
            tenant: take("ti"),
            client_id: take("ci"),
            client_secret: Secret::new(take("cs")),
            gateway: take("iu").trim_end_matches('/').to_owned(),
            authorisation: take("pu"),
            token_path: take("ot"),
            access_key: take("saak"),
            secret_key: Secret::new(take("sask")),
        };
        issues.extend(fields.control_characters());
        if !file.tenant.is_empty() && !is_tenant(&file.tenant) {
            issues.push(issue(
                "tenant_invalid",
                "`ti` must be a tenant such as ACME_TST: letters, digits, `_` and `-` only",
            ));
        }
        if !file.token_path.is_empty() && !is_token_path(&file.token_path) {
            issues.push(issue(
                "token_path_invalid",
                "`ot` must be a plain path below `pu`, such as token.oauth2",
            ));
        }
        if issues.is_empty() {
            Ok(file)
        } else {
            Err(issues)
        }
    }

    /// `pu` and `ot` joined by exactly one slash; nothing when that is no address.
    pub(super) fn token_url(&self) -> Option<Url> {
        let base = self.authorisation.trim_end_matches('/');
        let path = self.token_path.trim_start_matches('/');
        format!("{base}/{path}").parse().ok()
    }
}

/// The object's fields, each once.
struct Fields(Vec<(String, Value)>);

impl Fields {
    fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(found, _)| found == name)?;
        value
            .as_str()
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }

    fn control_characters(&self) -> Option<Issue> {
        let is_bad = |value: &Value| {
            value
                .as_str()
                .is_some_and(|text| text.chars().any(char::is_control))
        };
        let (name, _) = self.0.iter().find(|(_, value)| is_bad(value))?;
        Some(issue(
            "control_characters",
            format!("`{}` holds control characters", name.escape_debug()),
        ))
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct EachOnce;
        impl<'de> Visitor<'de> for EachOnce {
            type Value = Fields;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one object of texts")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields, M::Error> {
                let mut fields: Vec<(String, Value)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if fields.iter().any(|(known, _)| *known == name) {
                        return Err(de::Error::custom(Flaw::Twice));
                    }
                    if !is_flat(&value) {
                        return Err(de::Error::custom(Flaw::Nested));
                    }
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }
        from.deserialize_map(EachOnce)
    }
}

/// What is wrong with an object that is JSON. The words are searched for in the parser's error, because
/// that is the only way they come out of it.
#[derive(Debug, thiserror::Error)]
enum Flaw {
    #[error("a field stands there twice")]
    Twice,
    #[error("a field holds an object")]
    Nested,
}

/// Texts, and lists of texts where newer files have them (`sc`).
fn is_flat(value: &Value) -> bool {
    match value {
        Value::Array(items) => items
            .iter()
            .all(|item| !item.is_array() && !item.is_object()),
        Value::Object(_) => false,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

fn fields(text: &str) -> Result<Fields, Vec<Issue>> {
    let refused = |code, message: &str| Err(vec![issue(code, message)]);
    if text.len() > FILE_BYTES_MAX {
        return refused(
            "too_large",
            "the file is larger than 64 KiB: an .ionapi file has about one",
        );
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if json::depth(text.as_bytes()) > 2 {
        return refused(
            "nested",
            "an .ionapi file is one flat object; this one is nested",
        );
    }
    serde_json::from_str(text).or_else(|error| {
        let says = error.to_string();
        if says.contains(&Flaw::Twice.to_string()) {
            refused(
                "duplicate_field",
                "a field stands twice in the file: download it again instead of editing it",
            )
        } else if says.contains(&Flaw::Nested.to_string()) {
            refused("nested", "an .ionapi file is one flat object; this one is nested")
        } else {
            refused(
                "not_json",
                "this is not an .ionapi file: paste the whole text of the file that Infor OS Portal lets you \
                 download, from the first { to the last }",
            )
        }
    })
}

fn missing(name: &str) -> Issue {
    let why = match name {
        "saak" | "sask" => {
            "it holds no service account: in Infor OS Portal the authorised app must be of the type Backend \
             Service, and Create Service Account must be ticked when the credentials are downloaded"
        }
        _ => "download the file again from Infor OS Portal, API Gateway, Authorized Apps",
    };
    issue(
        "missing_field",
        format!("`{name}` is missing from the .ionapi file: {why}"),
    )
}

fn issue(code: &str, message: impl Into<String>) -> Issue {
    Issue::new(FIELD, code, message)
}

fn is_tenant(text: &str) -> bool {
    text.len() <= 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// Parts of letters, digits, `.`, `_` and `-`: nothing that could lead to another host or upwards.
fn is_token_path(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().any(|byte| byte != b'.')
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    let text = text.strip_prefix('/').unwrap_or(text);
    text.len() <= 200 && text.split('/').all(is_part)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file() -> Value {
        json!({
            "ti": "ACME_TST", "cn": "Connector", "dt": "12", "ci": "ACME_TST~client", "cs": "canary-cs",
            "iu": "https://gateway.inforcloudsuite.com/", "pu": "https://sso.inforcloudsuite.com:443/ACME_TST/as/",
            "oa": "authorization.oauth2", "ot": "token.oauth2", "or": "revoke_token.oauth2", "sc": [],
            "ev": "X0000000000", "v": "1.1", "saak": "ACME_TST#key", "sask": "canary-sask"
        })
    }

    fn with(changes: Value) -> String {
        let mut file = file();
        let Value::Object(changes) = changes else {
            panic!("an object")
        };
        for (name, value) in changes {
            if value == "absent" {
                file.as_object_mut().unwrap().remove(&name);
            } else {
                file[name.as_str()] = value;
            }
        }
        file.to_string()
    }

    #[test]
    fn a_good_file_is_taken_whole() {
        let read = IonApi::read(&with(json!({"a new field": "x", "sc": ""}))).unwrap();
        assert_eq!(read.tenant, "ACME_TST");
        assert_eq!(read.gateway, "https://gateway.inforcloudsuite.com");
        assert_eq!(read.access_key, "ACME_TST#key");
        assert_eq!(
            read.token_url().unwrap().as_str(),
            "https://sso.inforcloudsuite.com/ACME_TST/as/token.oauth2"
        );
        let on_premises = with(
            json!({"ti": "infor", "pu": "https://erp:9543/InforIntSTS", "ot": "/connect/token"}),
        );
        let read = IonApi::read(&format!("\u{feff}{on_premises}")).unwrap();
        assert_eq!(
            read.token_url().unwrap().as_str(),
            "https://erp:9543/InforIntSTS/connect/token"
        );
    }

    #[test]
    fn a_bad_file_is_refused_with_the_reason_and_without_its_secrets() {
        let twice = file().to_string().replacen("{", "{\"ti\":\"OTHER\",", 1);
        let cases = [
            (String::new(), "not_json"),
            ("<html>".to_owned(), "not_json"),
            ("[]".to_owned(), "not_json"),
            ("\"ti\"".to_owned(), "not_json"),
            (file().to_string() + "{}", "not_json"),
            (file().to_string().replace('}', ""), "not_json"),
            ("x".repeat(FILE_BYTES_MAX + 1), "too_large"),
            (twice, "duplicate_field"),
            (with(json!({"extra": {"ti": "x"}})), "nested"),
            (with(json!({"extra": [[[1]]]})), "nested"),
            ("[".repeat(1000), "nested"),
            (
                with(json!({"saak": "absent", "sask": "absent"})),
                "missing_field",
            ),
            (with(json!({"iu": " "})), "missing_field"),
            (with(json!({"cs": 5})), "missing_field"),
            (with(json!({"ti": "ACME/../OTHER"})), "tenant_invalid"),
            (with(json!({"ti": "ACME\u{7}"})), "control_characters"),
            (with(json!({"cn": "a\nb"})), "control_characters"),
            (
                with(json!({"ot": "https://evil.example/token"})),
                "token_path_invalid",
            ),
            (
                with(json!({"ot": "//evil.example/token"})),
                "token_path_invalid",
            ),
            (with(json!({"ot": "../../token"})), "token_path_invalid"),
            (with(json!({"ot": "a\\b"})), "token_path_invalid"),
            (with(json!({"ot": "token?x=1"})), "token_path_invalid"),
        ];
        for (text, code) in cases {
            let issues = IonApi::read(&text).unwrap_err();
            assert!(
                issues.iter().any(|issue| issue.code == code),
                "{code}: {issues:?}"
            );
            assert!(
                issues
                    .iter()
                    .all(|issue| issue.field == FIELD && !issue.message.contains("canary"))
            );
        }
        let both = IonApi::read(&with(json!({"saak": "absent", "sask": "absent"}))).unwrap_err();
        assert_eq!(both.len(), 2);
        assert!(
            both.iter()
                .all(|issue| issue.message.contains("Backend Service"))
        );
    }
}
