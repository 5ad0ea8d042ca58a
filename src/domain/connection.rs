//! A connection: a tenant's address and credentials for one system.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::fault::Fault;
use super::ids::ConnectionId;
use super::system::SystemId;
use crate::closed_words;

closed_words! {
    /// Which of the vendor's worlds it points at.
    Environment {
        Production => "production",
        Sandbox => "sandbox",
    }
}

/// Visible settings by name. Values are text; tables are nested.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(pub BTreeMap<String, Setting>);

/// One value of a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    Text(String),
    Table(BTreeMap<String, String>),
}

impl Settings {
    /// The text of a setting, or nothing when it is absent or blank.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(Setting::Text(text)) if !text.trim().is_empty() => Some(text.trim()),
            _ => None,
        }
    }

    /// The text of a setting that has a default.
    #[must_use]
    pub fn text_or<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        self.text(name).unwrap_or(default)
    }

    /// A whole number; nothing when absent or not a number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u32> {
        self.text(name).and_then(|text| text.parse().ok())
    }

    /// One entry of a table.
    #[must_use]
    pub fn entry(&self, table: &str, name: &str) -> Option<&str> {
        match self.0.get(table) {
            Some(Setting::Table(rows)) => rows.get(name).map(String::as_str),
            _ => None,
        }
    }

    /// All entries of a table, by name.
    pub fn entries(&self, table: &str) -> impl Iterator<Item = (&str, &str)> {
        let rows = match self.0.get(table) {
            Some(Setting::Table(rows)) => Some(rows),
            _ => None,
        };
        rows.into_iter()
            .flatten()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Sets a text.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), Setting::Text(value.into()));
    }

    /// How long an unknown outcome rests before it may be sent again.
    #[must_use]
    pub fn quiet_period(&self) -> Duration {
        Duration::from_secs(u64::from(
            self.number("quiet_period_seconds").unwrap_or(300),
        ))
    }
}

/// A connection as pages and the API show it. Credentials are not here: only which are set, and since when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    pub id: ConnectionId,
    pub system: SystemId,
    pub name: String,
    pub environment: Environment,
    pub settings: Settings,
    /// Name of each credential that is set, and when it was last changed.
    pub credentials: BTreeMap<String, Timestamp>,
    /// Of the present version; none after a change until it is tested again.
    pub last_ping: Option<Ping>,
    /// Why log-in fails, while it does.
    pub auth_fault: Option<AuthFault>,
    /// Rises with every change of settings or credentials.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A log-in that the vendor refused. It is tried again ever more seldom: a wrong password may lock an
/// account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthFault {
    pub fault: Fault,
    pub since: Timestamp,
    pub tries: u32,
    /// No log-in is tried before, unless a person asks for one.
    pub next_try_at: Timestamp,
}

impl Connection {
    /// The last test of this version went well.
    #[must_use]
    pub fn is_tested(&self) -> bool {
        self.last_ping.as_ref().is_some_and(|ping| ping.ok)
    }
}

/// The result of one test of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    pub ok: bool,
    pub at: Timestamp,
    pub steps: Vec<PingStep>,
}

/// One step of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PingStep {
    /// `address`, `tls`, `token`, `company`, `permission:<program or tool>`, `defaults`, `sample_read`, `webhook`.
    pub name: String,
    pub ok: bool,
    pub ms: u64,
    /// What was found.
    pub detail: String,
    /// What a person can do about it; none when it is well.
    pub hint: Option<String>,
}

impl PingStep {
    /// A step that went well.
    #[must_use]
    pub fn well(name: impl Into<String>, ms: u64, detail: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ok: true,
            ms,
            detail: detail.into(),
            hint: None,
        }
    }

    /// A step that did not.
    #[must_use]
    pub fn badly(
        name: impl Into<String>,
        ms: u64,
        detail: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            ok: false,
            ms,
            detail: detail.into(),
            hint: Some(hint.into()),
        }
    }
}
