//! One connection: its latest test step by step, its settings, and which of its secrets are set.

use askama::Template;

use super::{Lamp, entry, environment_title};
use crate::desk::connection;
use crate::domain::connection::{Connection, Environment, PingStep};
use crate::domain::ids::ConnectionId;
use crate::domain::member::Scope;
use crate::engine::catalog::SystemForm;
use crate::store;
use crate::web::id::Id;
use crate::web::page::{self, Answer, Shell, Visit, say};

#[derive(Template)]
#[template(path = "connections/show.html")]
struct Show {
    shell: Shell,
    id: String,
    name: String,
    system: String,
    environment: &'static str,
    is_sandbox: bool,
    lamp: Lamp,
    log_in_fault: String,
    log_in_next: String,
    tested: String,
    is_tested: bool,
    is_well: bool,
    steps: Vec<Step>,
    settings: Vec<(String, String)>,
    credentials: Vec<(String, String)>,
    pairs: Vec<(String, String)>,
    can_change: bool,
    can_test: bool,
    can_remove: bool,
}

struct Step {
    title: String,
    state: &'static str,
    ms: String,
    finding: String,
    hint: String,
}

impl From<&PingStep> for Step {
    fn from(step: &PingStep) -> Self {
        Self {
            title: step_title(&step.name),
            state: if step.ok { "ok" } else { "failed" },
            ms: format!("{} ms", step.ms),
            finding: step.detail.clone(),
            hint: step.hint.clone().unwrap_or_default(),
        }
    }
}

/// `permission:CRS620MI` as `Permission for CRS620MI`, `sample_read` as `Sample read`.
fn step_title(name: &str) -> String {
    let plain = match name {
        "address" => "Address",
        "tls" => "Encryption (TLS)",
        "token" => "Log-in",
        "company" => "Company",
        "defaults" => "Defaults",
        "sample_read" => "Sample read",
        other => {
            return match other.split_once(':') {
                Some(("permission", what)) => format!("Permission for {what}"),
                _ => other.replace('_', " "),
            };
        }
    };
    plain.to_owned()
}

/// `GET /connections/{id}`.
///
/// # Errors
/// `missing`.
pub async fn show(visit: Visit, id: Id<ConnectionId>) -> Answer {
    let connection = connection::find(visit.desk(), visit.caller(), id.0).await?;
    let scope = visit.desk().store().read(visit.caller().tenant_id).await?;
    let pairs = store::pair::of_connection(&scope, id.0).await?;
    drop(scope);
    let form = visit.desk().engine.system(&connection.system);
    let ping = connection.last_ping.as_ref();
    let now = visit.now();
    let may = |scope| visit.caller().may(scope);
    page::show(&Show {
        shell: visit.shell("connections"),
        id: connection.id.to_string(),
        name: connection.name.clone(),
        system: form.as_ref().map_or_else(
            || connection.system.to_string(),
            |form| form.title.to_owned(),
        ),
        environment: environment_title(connection.environment),
        is_sandbox: connection.environment == Environment::Sandbox,
        lamp: Lamp::of(&connection),
        log_in_fault: connection
            .auth_fault
            .as_ref()
            .map_or_else(String::new, |found| found.fault.to_string()),
        log_in_next: connection
            .auth_fault
            .as_ref()
            .map_or_else(String::new, |found| say::distance(found.next_try_at, now)),
        tested: ping.map_or_else(String::new, |ping| say::distance(ping.at, now)),
        is_tested: ping.is_some(),
        is_well: ping.is_some_and(|ping| ping.ok),
        steps: ping.map_or_else(Vec::new, |ping| ping.steps.iter().map(Step::from).collect()),
        settings: settings(&connection, form.as_ref()),
        credentials: credentials(&connection, form.as_ref()),
        can_remove: may(Scope::Admin) && pairs.is_empty(),
        pairs: pairs
            .into_iter()
            .map(|pair| (pair.id.to_string(), pair.settings.name))
            .collect(),
        can_change: may(Scope::Admin),
        can_test: may(Scope::Operate),
    })
}

/// Settings by their labels; what came out of a credential by its own name.
fn settings(connection: &Connection, form: Option<&SystemForm>) -> Vec<(String, String)> {
    let known = |name: &str| form.and_then(|form| form.setting(name));
    let set = connection.settings.0.iter();
    set.map(|(name, setting)| {
        let label = match known(name) {
            Some(field) => field.label.to_owned(),
            None => format!("{name}, from the credentials"),
        };
        (label, entry::text(setting))
    })
    .filter(|(_, text)| !text.is_empty())
    .collect()
}

fn credentials(connection: &Connection, form: Option<&SystemForm>) -> Vec<(String, String)> {
    let fields = form.map_or(&[][..], |form| form.credentials);
    let line = |field: &crate::domain::form::Field| {
        let since = connection.credentials.get(field.name);
        let text = since.map_or_else(
            || "not set".to_owned(),
            |at| format!("set since {}", say::time(*at)),
        );
        (field.label.to_owned(), text)
    };
    fields.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_have_words() {
        for (name, title) in [
            ("address", "Address"),
            ("permission:XYZ100", "Permission for XYZ100"),
            ("sample_read", "Sample read"),
            ("something_new", "something new"),
        ] {
            assert_eq!(step_title(name), title);
        }
    }
}
