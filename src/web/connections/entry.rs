//! A form drawn from what a system says that it asks for. No system is known here.

use serde_json::Value;

use crate::desk::Values;
use crate::domain::connection::{Connection, Setting};
use crate::domain::form::{Field, Kind};
use crate::engine::catalog::SystemForm;
use crate::web::fields::Fields;
use crate::web::names::Choice;
use crate::web::page::{Form, say};

/// One control.
pub struct Control {
    pub name: String,
    pub label: &'static str,
    /// As `form::field` knows them, and `select` and `drop`.
    pub kind: &'static str,
    pub value: String,
    pub error: String,
    pub hint: String,
    pub optional: bool,
    pub choices: Vec<Choice>,
    pub blank: String,
    /// Endings of the files that it takes.
    pub endings: String,
}

/// The controls of one system: what must be filled, then the rest.
pub struct Controls {
    pub needed: Vec<Control>,
    pub more: Vec<Control>,
    /// Something of the rest is filled or wrong: it is shown unfolded.
    pub open: bool,
}

/// Draws the controls. With a connection, its secrets may be left as they are.
pub fn controls(system: &SystemForm, form: &Form, of: Option<&Connection>) -> Controls {
    let settings = system
        .settings
        .iter()
        .map(|field| control(field, "settings", form, of));
    let credentials = system
        .credentials
        .iter()
        .map(|field| control(field, "credentials", form, of));
    let (needed, more): (Vec<Control>, Vec<Control>) = credentials
        .chain(settings)
        .partition(|control| !control.optional || control.name.starts_with("credentials."));
    let open = more
        .iter()
        .any(|control| !control.value.is_empty() || !control.error.is_empty());
    Controls { needed, more, open }
}

fn control(field: &Field, group: &str, form: &Form, of: Option<&Connection>) -> Control {
    let name = format!("{group}.{}", field.name);
    let is_set = of.and_then(|connection| connection.credentials.get(field.name));
    let is_secret = matches!(field.kind, Kind::Secret | Kind::SecretFile);
    let hint = match is_set.filter(|_| is_secret) {
        Some(since) => format!(
            "Set since {}. Leave it empty to keep it. {}",
            say::date(*since),
            field.hint
        ),
        None => with_default(field),
    };
    let (kind, choices) = drawn(field);
    Control {
        value: if is_secret && field.kind == Kind::Secret {
            String::new()
        } else {
            form.value(&name).to_owned()
        },
        error: form.error(&name).to_owned(),
        hint: hint.trim().to_owned(),
        optional: !field.required || (is_secret && is_set.is_some()),
        blank: match field.default {
            "" => "Not set".to_owned(),
            default => format!("Default ({default})"),
        },
        endings: format!(".{},.json,.txt", field.name),
        label: field.label,
        kind,
        choices,
        name,
    }
}

fn with_default(field: &Field) -> String {
    match (field.default, field.kind) {
        ("", _) | (_, Kind::Choice(_) | Kind::YesNo) => field.hint.to_owned(),
        (default, _) if field.hint.is_empty() => format!("{default} when left empty."),
        (default, _) => format!("{} {default} when left empty.", field.hint),
    }
}

fn drawn(field: &Field) -> (&'static str, Vec<Choice>) {
    match field.kind {
        Kind::Text => ("text", Vec::new()),
        Kind::Secret => ("password", Vec::new()),
        Kind::SecretFile => ("drop", Vec::new()),
        Kind::Number { .. } => ("number", Vec::new()),
        Kind::Table => ("textarea", Vec::new()),
        Kind::YesNo => (
            "select",
            vec![Choice::new("true", "Yes"), Choice::new("false", "No")],
        ),
        Kind::Choice(words) => (
            "select",
            words.iter().map(|word| Choice::new(word, word)).collect(),
        ),
    }
}

/// What was typed for the settings of a system.
pub fn settings(system: &SystemForm, fields: &Fields) -> Values {
    typed("settings", system.settings.iter(), fields)
}

/// What was typed for its credentials.
pub fn credentials(system: &SystemForm, fields: &Fields) -> Values {
    typed("credentials", system.credentials.iter(), fields)
}

/// An empty value is said too: it takes a setting back.
fn typed<'a>(group: &str, known: impl Iterator<Item = &'a Field>, fields: &Fields) -> Values {
    let mut values = Values::new();
    for field in known {
        let name = format!("{group}.{}", field.name);
        if fields.iter().any(|(given, _)| given == name) {
            values.insert(field.name.to_owned(), Value::from(fields.get(&name)));
        }
    }
    values
}

/// A connection's settings as its form holds them.
pub fn filled(connection: &Connection) -> Fields {
    let mut fields = Fields::default();
    fields.set("name", connection.name.as_str());
    fields.set("environment", connection.environment.as_str());
    for (name, setting) in &connection.settings.0 {
        fields.set(&format!("settings.{name}"), text(setting));
    }
    fields
}

/// A setting as one types it.
pub fn text(setting: &Setting) -> String {
    match setting {
        Setting::Text(text) => text.clone(),
        Setting::Table(rows) => {
            let lines: Vec<String> = rows
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            lines.join("\n")
        }
    }
}
