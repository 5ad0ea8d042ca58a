//! What people enter, turned into what is stored: by a system's form, value by value, each mistake at its
//! field. Pages send texts, programs send JSON; both mean the same.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::domain::connection::{Setting, Settings};
use crate::domain::fault::Issue;
use crate::domain::form::{Field, Kind};
use crate::domain::secret::Secret;
use crate::engine::catalog::SystemForm;

/// Values by the names of fields, as they came.
pub type Values = Map<String, Value>;

/// Longest text of a setting.
const TEXT_MAX: usize = 2_000;
/// Entries of a table at most.
const ENTRIES_MAX: usize = 500;
/// Longest credential, a whole file included.
const CREDENTIAL_BYTES_MAX: usize = 64 * 1024;
/// Longest name of a connection or pair.
const NAME_MAX: usize = 120;

/// A name that people see in lists.
pub(super) fn name(text: &str) -> Result<String, Issue> {
    let text = text.trim();
    let issue = |code, message: String| Err(Issue::new("name", code, message));
    if text.is_empty() {
        return issue("required", "give it a name".to_owned());
    }
    if text.chars().count() > NAME_MAX {
        return issue("too_long", format!("use at most {NAME_MAX} characters"));
    }
    if text.chars().any(char::is_control) {
        return issue(
            "control_characters",
            "leave out control characters".to_owned(),
        );
    }
    Ok(text.to_owned())
}

/// Writes entered settings over those that are there. An empty value takes the setting back. What came
/// out of a credential is no field: it may be sent back as it is shown, and not otherwise.
pub(super) fn settings(form: &SystemForm, entered: &Values, onto: &mut Settings) -> Vec<Issue> {
    let mut issues = Vec::new();
    for (name, value) in entered {
        let at = format!("settings/{name}");
        let Some(field) = form.setting(name) else {
            if !is_as_shown(onto.0.get(name), value) {
                issues.push(unknown(at, form.settings.iter()));
            }
            continue;
        };
        match setting(field, value) {
            Ok(Some(setting)) => {
                onto.0.insert(name.clone(), setting);
            }
            Ok(None) => {
                onto.0.remove(name);
            }
            Err((code, message)) => issues.push(Issue::new(at, code, message)),
        }
    }
    for field in form.settings.iter().filter(|field| field.required) {
        let at = format!("settings/{}", field.name);
        let is_there = onto.0.contains_key(field.name);
        if !is_there && !issues.iter().any(|issue| issue.field == at) {
            issues.push(required(at, field));
        }
    }
    issues
}

/// Credentials that were entered; what is empty was not.
pub(super) fn credentials(
    form: &SystemForm,
    entered: &Values,
) -> (BTreeMap<String, Secret<String>>, Vec<Issue>) {
    let (mut given, mut issues) = (BTreeMap::new(), Vec::new());
    for (name, value) in entered {
        let at = format!("credentials/{name}");
        let Some(field) = form.credential(name) else {
            issues.push(unknown(at, form.credentials.iter()));
            continue;
        };
        match credential(field, value) {
            Ok(Some(text)) => {
                given.insert(name.clone(), Secret::new(text));
            }
            Ok(None) => {}
            Err((code, message)) => issues.push(Issue::new(at, code, message)),
        }
    }
    (given, issues)
}

/// The issue of a field that must be filled.
pub(super) fn required(at: impl Into<String>, field: &Field) -> Issue {
    Issue::new(at, "required", format!("{} is needed", field.label))
}

fn unknown<'a>(at: String, fields: impl Iterator<Item = &'a Field>) -> Issue {
    let known: Vec<&str> = fields.map(|field| field.name).collect();
    let message = format!("there is no such field; known are {}", known.join(", "));
    Issue::new(at, "unknown_field", message)
}

fn is_as_shown(stored: Option<&Setting>, value: &Value) -> bool {
    match (stored, value) {
        (Some(Setting::Text(text)), Value::String(shown)) => text == shown,
        (Some(Setting::Table(rows)), Value::Object(shown)) => {
            rows.len() == shown.len()
                && rows
                    .iter()
                    .all(|(name, text)| shown.get(name).and_then(Value::as_str) == Some(text))
        }
        _ => false,
    }
}

type Wrong = (&'static str, String);

fn setting(field: &Field, value: &Value) -> Result<Option<Setting>, Wrong> {
    if let Kind::Table = field.kind {
        return table(value);
    }
    let Some(text) = text(value)? else {
        return Ok(None);
    };
    let kept = match field.kind {
        Kind::Number { min, max } => number(&text, min, max)?,
        Kind::Choice(words) => choice(text, words)?,
        Kind::YesNo => yes_no(&text)?.to_string(),
        Kind::Text | Kind::Secret | Kind::SecretFile | Kind::Table => text,
    };
    Ok(Some(Setting::Text(kept)))
}

/// A text without blanks around it; none when nothing is left. Numbers are taken as they are written:
/// vendors' ids are texts that look like numbers.
pub(super) fn text(value: &Value) -> Result<Option<String>, Wrong> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Array(_) | Value::Object(_) => {
            return Err(("wrong_type", "enter one value here".to_owned()));
        }
    };
    if text.chars().count() > TEXT_MAX {
        return Err(("too_long", format!("use at most {TEXT_MAX} characters")));
    }
    if text.chars().any(char::is_control) {
        let message = "leave out line breaks and other control characters";
        return Err(("control_characters", message.to_owned()));
    }
    Ok((!text.is_empty()).then_some(text))
}

fn number(text: &str, min: i64, max: i64) -> Result<String, Wrong> {
    let wrong = |code| (code, format!("enter a whole number from {min} to {max}"));
    let number: i64 = text.parse().map_err(|_| wrong("not_a_number"))?;
    if (min..=max).contains(&number) {
        Ok(number.to_string())
    } else {
        Err(wrong("out_of_range"))
    }
}

pub(super) fn choice(text: String, words: &[&str]) -> Result<String, Wrong> {
    if words.contains(&text.as_str()) {
        return Ok(text);
    }
    let words: Vec<&str> = words
        .iter()
        .copied()
        .filter(|word| !word.is_empty())
        .collect();
    Err(("unknown", format!("choose one of {}", words.join(", "))))
}

/// Yes or no, as a program or a page says it.
pub(super) fn yes_no(text: &str) -> Result<bool, Wrong> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(("not_a_choice", "choose true or false".to_owned())),
    }
}

/// An object, or lines of `NAME=VALUE`.
fn table(value: &Value) -> Result<Option<Setting>, Wrong> {
    let mut rows = BTreeMap::new();
    match value {
        Value::Null => {}
        Value::Object(entries) => {
            for (name, value) in entries {
                if let Some(text) = text(value)? {
                    rows.insert(entry_name(name)?, text);
                }
            }
        }
        Value::String(lines) => {
            for line in lines.lines().filter(|line| !line.trim().is_empty()) {
                let wrong = || {
                    (
                        "malformed",
                        format!("write `{}` as NAME=VALUE", line.trim()),
                    )
                };
                let (name, value) = line.split_once('=').ok_or_else(wrong)?;
                if let Some(text) = text(&Value::from(value))? {
                    rows.insert(entry_name(name)?, text);
                }
            }
        }
        _ => return Err(("wrong_type", "enter names with values".to_owned())),
    }
    if rows.len() > ENTRIES_MAX {
        return Err(("too_many", format!("use at most {ENTRIES_MAX} entries")));
    }
    Ok((!rows.is_empty()).then_some(Setting::Table(rows)))
}

fn entry_name(name: &str) -> Result<String, Wrong> {
    let name = text(&Value::from(name))?;
    name.ok_or_else(|| ("malformed", "every value needs a name".to_owned()))
}

fn credential(field: &Field, value: &Value) -> Result<Option<String>, Wrong> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ if matches!(field.kind, Kind::SecretFile) => {
            let message = "send the whole text of the file as one string";
            return Err(("wrong_type", message.to_owned()));
        }
        _ => return Err(("wrong_type", "enter one text".to_owned())),
    };
    if text.len() > CREDENTIAL_BYTES_MAX {
        let message = format!("is larger than {} KiB", CREDENTIAL_BYTES_MAX / 1024);
        return Err(("too_long", message));
    }
    Ok((!text.trim().is_empty()).then_some(text))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::system::SystemId;

    const fn field(name: &'static str, kind: Kind, required: bool) -> Field {
        Field {
            name,
            label: name,
            kind,
            required,
            default: "",
            hint: "",
        }
    }

    static CREDENTIALS: &[Field] = &[
        field("secret", Kind::Secret, true),
        field("file", Kind::SecretFile, false),
    ];

    fn form() -> SystemForm {
        SystemForm {
            system: SystemId::new("books"),
            title: "Books",
            settings: vec![
                field("company", Kind::Text, true),
                field("days", Kind::Number { min: 0, max: 730 }, false),
                field("exports", Kind::Choice(&["auto", "off"]), false),
                field("eager", Kind::YesNo, false),
                field("programs", Kind::Table, false),
            ],
            credentials: CREDENTIALS,
        }
    }

    fn stored() -> Settings {
        let mut settings = Settings::default();
        settings.set("company", "7");
        settings.set("tenant", "ACME");
        settings
    }

    /// The settings as JSON, or the issues as `field code`.
    fn outcome(entered: Value) -> Value {
        let mut onto = stored();
        let issues = settings(&form(), entered.as_object().unwrap(), &mut onto);
        if issues.is_empty() {
            return serde_json::to_value(onto).unwrap();
        }
        let said = issues
            .iter()
            .map(|issue| format!("{} {}", issue.field, issue.code));
        said.collect()
    }

    #[test]
    fn values_are_taken_in_every_spelling() {
        let base = json!({"company": "7", "tenant": "ACME"});
        let with = |name: &str, value: Value| {
            let mut all = base.clone();
            all[name] = value;
            all
        };
        for (entered, want) in [
            (json!({}), base.clone()),
            (
                json!({"company": 4280001}),
                with("company", json!("4280001")),
            ),
            (json!({"company": " 007 "}), with("company", json!("007"))),
            (json!({"days": "30"}), with("days", json!("30"))),
            (json!({"days": 30}), with("days", json!("30"))),
            (json!({"eager": true}), with("eager", json!("true"))),
            (json!({"eager": "no"}), with("eager", json!("false"))),
            (json!({"exports": ""}), base.clone()),
            (json!({"exports": null}), base.clone()),
            (
                json!({"programs": {"A": "B", "N": 1, "gone": null}}),
                with("programs", json!({"A": "B", "N": "1"})),
            ),
            (
                json!({"programs": "A=B\n\n N = C=D \n"}),
                with("programs", json!({"A": "B", "N": "C=D"})),
            ),
            (json!({"programs": {}}), base.clone()),
            // Shown, and sent back unchanged.
            (json!({"tenant": "ACME"}), base.clone()),
        ] {
            assert_eq!(outcome(entered.clone()), want, "{entered}");
        }
    }

    #[test]
    fn every_mistake_is_told_at_its_field() {
        let long = "x".repeat(TEXT_MAX + 1);
        for (entered, want) in [
            (json!({"company": null}), "settings/company required"),
            (json!({"company": "  "}), "settings/company required"),
            (json!({"company": ["7"]}), "settings/company wrong_type"),
            (json!({"company": long}), "settings/company too_long"),
            (
                json!({"company": "a\nb"}),
                "settings/company control_characters",
            ),
            (json!({"days": "many"}), "settings/days not_a_number"),
            (json!({"days": 1.5}), "settings/days not_a_number"),
            (json!({"days": 731}), "settings/days out_of_range"),
            (json!({"exports": "sometimes"}), "settings/exports unknown"),
            (json!({"eager": "perhaps"}), "settings/eager not_a_choice"),
            (json!({"programs": "A"}), "settings/programs malformed"),
            (json!({"programs": "=B"}), "settings/programs malformed"),
            (json!({"programs": [1]}), "settings/programs wrong_type"),
            (json!({"colour": "red"}), "settings/colour unknown_field"),
            (json!({"tenant": "OTHER"}), "settings/tenant unknown_field"),
            (json!({"is_admin": true}), "settings/is_admin unknown_field"),
        ] {
            assert_eq!(outcome(entered.clone()), json!([want]), "{entered}");
        }
    }

    #[test]
    fn credentials_are_texts_and_empty_ones_were_not_entered() {
        let entered = json!({"secret": 123, "file": "", "other": "x"});
        let (given, issues) = credentials(&form(), entered.as_object().unwrap());
        assert_eq!(given["secret"].open(), "123");
        assert_eq!(given.len(), 1);
        assert_eq!(issues[0].field, "credentials/other");

        let entered = json!({"secret": "x".repeat(CREDENTIAL_BYTES_MAX + 1), "file": {"ti": "A"}});
        let (given, issues) = credentials(&form(), entered.as_object().unwrap());
        assert!(given.is_empty());
        let mut codes: Vec<&str> = issues.iter().map(|issue| issue.code.as_str()).collect();
        codes.sort_unstable();
        assert_eq!(codes, ["too_long", "wrong_type"]);
    }
}
