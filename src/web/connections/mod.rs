//! Connections: the list, one with its latest test, and the form that its system asks for.

pub mod act;
pub mod edit;
mod entry;
pub mod list;
pub mod show;

use crate::domain::connection::{Connection, Environment};

/// How a connection is doing, by its latest test and by real use.
pub(in crate::web) struct Lamp {
    pub state: &'static str,
    pub label: &'static str,
}

impl Lamp {
    #[must_use]
    pub fn of(connection: &Connection) -> Self {
        let (state, label) = match (&connection.auth_fault, &connection.last_ping) {
            (Some(_), _) => ("failed", "Log-in refused"),
            (None, Some(ping)) if ping.ok => ("ok", "Works"),
            (None, Some(_)) => ("failed", "Last test failed"),
            (None, None) => ("not_run", "Not tested"),
        };
        Self { state, label }
    }
}

/// An environment as people read it.
#[must_use]
pub fn environment_title(environment: Environment) -> &'static str {
    match environment {
        Environment::Production => "Production",
        Environment::Sandbox => "Sandbox",
    }
}
