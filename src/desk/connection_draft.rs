//! A connection between what was entered and what is stored: everything that is wrong with it, and what
//! is different from before.

use std::collections::BTreeMap;

use super::entry::{self, Values};
use super::{Desk, DeskError};
use crate::domain::connection::{Connection, Environment, Settings};
use crate::domain::fault::Issue;
use crate::domain::secret::Secret;
use crate::domain::system::SystemId;
use crate::engine::accept::Entered;
use crate::engine::catalog::SystemForm;

/// A connection on its way to being stored, with everything that is wrong so far.
pub(super) struct Draft {
    name: String,
    system: SystemId,
    environment: Environment,
    settings: Settings,
    pub(super) credentials: BTreeMap<String, Secret<String>>,
    issues: Vec<Issue>,
}

/// A draft that nothing is wrong with.
pub(super) struct Accepted {
    pub name: String,
    pub entered: Entered,
}

impl Draft {
    pub(super) fn empty(form: &SystemForm) -> Self {
        Self {
            name: String::new(),
            system: form.system.clone(),
            environment: Environment::Production,
            settings: Settings::default(),
            credentials: BTreeMap::new(),
            issues: Vec::new(),
        }
    }

    pub(super) fn of(connection: &Connection) -> Self {
        Self {
            name: connection.name.clone(),
            system: connection.system.clone(),
            environment: connection.environment,
            settings: connection.settings.clone(),
            credentials: BTreeMap::new(),
            issues: Vec::new(),
        }
    }

    pub(super) fn take_system(&mut self, system: Option<&str>) {
        if system.is_some_and(|system| system.trim() != self.system.as_str()) {
            self.issues.push(Issue::new(
                "system",
                "fixed",
                "a connection stays with its system; make another connection",
            ));
        }
    }

    pub(super) fn take_name(&mut self, name: &str) {
        match entry::name(name) {
            Ok(name) => self.name = name,
            Err(issue) => self.issues.push(issue),
        }
    }

    pub(super) fn take_environment(&mut self, environment: &str) {
        match environment.trim().parse() {
            Ok(environment) => self.environment = environment,
            Err(_) => self.issues.push(Issue::new(
                "environment",
                "unknown",
                "choose production or sandbox",
            )),
        }
    }

    pub(super) fn take_settings(&mut self, form: &SystemForm, entered: &Values) {
        let issues = entry::settings(form, entered, &mut self.settings);
        self.issues.extend(issues);
    }

    pub(super) fn take_credentials(&mut self, form: &SystemForm, entered: &Values) {
        let (given, issues) = entry::credentials(form, entered);
        self.credentials = given;
        self.issues.extend(issues);
    }

    pub(super) fn demand_credentials(&mut self, form: &SystemForm) {
        for field in form.credentials.iter().filter(|field| field.required) {
            let at = format!("credentials/{}", field.name);
            let is_named = self.issues.iter().any(|issue| issue.field == at);
            if !is_named && !self.credentials.contains_key(field.name) {
                self.issues.push(entry::required(at, field));
            }
        }
    }

    /// The connector has the last word; it says nothing twice.
    pub(super) fn accept(self, desk: &Desk) -> Result<Accepted, DeskError> {
        let mut entered = Entered {
            system: self.system,
            environment: self.environment,
            settings: self.settings,
            credentials: self.credentials,
        };
        let mut issues = self.issues;
        if let Err(found) = desk.engine.accept(&mut entered) {
            for issue in found {
                if !issues.iter().any(|known| known.field == issue.field) {
                    issues.push(issue);
                }
            }
        }
        if issues.is_empty() {
            Ok(Accepted {
                name: self.name,
                entered,
            })
        } else {
            Err(DeskError::Invalid(issues))
        }
    }
}

/// What is different.
pub(super) struct Change {
    pub after: Connection,
    pub credentials: BTreeMap<String, Secret<String>>,
    /// Names of what changed, for the trail.
    pub fields: Vec<String>,
    pub is_renamed_only: bool,
    pub is_moved: bool,
}

impl Change {
    pub(super) fn between(desk: &Desk, before: Connection, accepted: Accepted) -> Self {
        let entered = accepted.entered;
        let old = Entered {
            system: before.system.clone(),
            environment: before.environment,
            settings: before.settings.clone(),
            credentials: BTreeMap::new(),
        };
        let is_moved = old.origins(&desk.engine) != entered.origins(&desk.engine);
        let mut fields = changed_settings(&before.settings, &entered.settings);
        if before.environment != entered.environment {
            fields.push("environment".to_owned());
        }
        let is_renamed_only = fields.is_empty() && entered.credentials.is_empty();
        if before.name != accepted.name {
            fields.push("name".to_owned());
        }
        Self {
            after: Connection {
                name: accepted.name,
                environment: entered.environment,
                settings: entered.settings,
                ..before
            },
            credentials: entered.credentials,
            fields,
            is_renamed_only,
            is_moved,
        }
    }
}

fn changed_settings(before: &Settings, after: &Settings) -> Vec<String> {
    let mut names: Vec<&String> = before.0.keys().chain(after.0.keys()).collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .filter(|name| before.0.get(*name) != after.0.get(*name))
        .map(|name| format!("settings/{name}"))
        .collect()
}
