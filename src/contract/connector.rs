//! What a system's folder exports: one [`Connector`], listed once.

use std::collections::BTreeMap;

use super::hook::Hooks;
use super::port::Ports;
use super::session::Session;
use super::wire::{Allowance, Answer, Response, Wire};
use crate::domain::catalogue::{Budget, Offer};
use crate::domain::clock::Timestamp;
use crate::domain::connection::{Environment, PingStep, Settings};
use crate::domain::fault::{Fault, Issue};
use crate::domain::form::ConnectionForm;
use crate::domain::mapping::{MappingKind, Row, Verdict};
use crate::domain::secret::Secret;
use crate::domain::system::SystemId;

/// Opened credentials, by the names of the form. Held for one log-in.
#[derive(Debug, Default)]
pub struct Credentials(pub BTreeMap<String, Secret<String>>);

impl Credentials {
    /// A credential's text.
    ///
    /// # Errors
    /// `Auth` when it was never set.
    pub fn text(&self, name: &str) -> Result<&str, Fault> {
        self.0
            .get(name)
            .map(|secret| secret.open().as_str())
            .ok_or_else(|| Fault::Auth {
                code: "credential_missing".to_owned(),
                message: format!("no {name} is stored for this connection; open it and enter one"),
            })
    }
}

/// A token as the vendor just gave it.
#[derive(Debug)]
pub struct FreshToken {
    pub value: Secret<String>,
    pub lifetime: std::time::Duration,
}

/// How a session is obtained.
pub trait LogsIn: Send + Sync {
    /// One log-in. The caller sees to it that only one is in flight.
    ///
    /// # Errors
    /// `Auth` when the vendor refuses, with its words; `Transient` when it cannot be reached.
    fn log_in<'a>(
        &'a self,
        wire: &'a dyn Wire,
        settings: &'a Settings,
        credentials: &'a Credentials,
    ) -> Answer<'a, FreshToken>;

    /// Pure: the client that the vendor counts calls by; no secret. None: it cannot be told.
    fn client(&self, _settings: &Settings, _credentials: &Credentials) -> Option<String> {
        None
    }
}

/// What a test wants to know beyond "does it answer".
#[derive(Debug, Clone, Copy, Default)]
pub struct Probe<'a> {
    /// Operations that the pairs using this connection need.
    pub flows: &'a [&'a str],
}

/// Tests a connection step by step.
pub trait Probes: Send + Sync {
    /// The steps after `token`: company, permissions, defaults, a sample read. Never fails as a whole:
    /// what went wrong is a step that is not ok, with a hint.
    fn probe<'a>(&'a self, session: &'a Session, probe: Probe<'a>) -> Answer<'a, Vec<PingStep>>;
}

/// Looks codes up in the system that they belong to. Reads only.
pub trait Verifies: Send + Sync {
    /// One verdict a row, in order.
    fn verify<'a>(
        &'a self,
        session: &'a Session,
        kind: MappingKind,
        rows: &'a [Row],
    ) -> Answer<'a, Vec<Verdict>>;

    /// Whether values that records wait for under `dimension` are there and open by now: one answer a key, in order.
    /// A system without dimensions opens none.
    fn are_open<'a>(&'a self, _session: &'a Session, keys: &'a [String]) -> Answer<'a, Vec<bool>> {
        Box::pin(async { Ok(vec![false; keys.len()]) })
    }
}

/// Lists the codes that a system has, for proposals and coverage. Reads only.
pub trait Offers: Send + Sync {
    /// What it has for one mapping table; empty where it lists nothing of the kind. `projects` are those in scope.
    fn offers<'a>(
        &'a self,
        session: &'a Session,
        kind: MappingKind,
        projects: &'a [String],
    ) -> Answer<'a, Vec<Offer>>;

    /// What one project plans; none for a system that plans nothing.
    fn budget<'a>(
        &'a self,
        _session: &'a Session,
        _project: &'a str,
    ) -> Answer<'a, Option<Budget>> {
        Box::pin(async { Ok(None) })
    }
}

/// One system.
pub struct Connector {
    pub system: SystemId,
    pub title: &'static str,
    pub form: ConnectionForm,
    /// Checks entered settings and credentials before they are stored, and derives the settings that
    /// come out of a credential (a file's addresses). Pure. Every issue at once.
    pub accept: fn(&mut Settings, &Credentials, Environment) -> Result<(), Vec<Issue>>,
    /// The addresses that calls will go to; each is guarded when saved and again when dialled.
    pub addresses: fn(&Settings, Environment) -> Vec<String>,
    /// The physical target: host, company, division. Two connections with the same text write to one place.
    pub place: fn(&Settings, Environment) -> String,
    /// Requests a minute that the vendor allows; 0 = no limit of our own.
    pub requests_per_minute: fn(&Settings) -> u32,
    /// Reads the vendor's own rate figures from an answer; none where it gives none.
    pub allowance: fn(&Response, Timestamp) -> Option<Allowance>,
    pub logs_in: &'static dyn LogsIn,
    pub probes: &'static dyn Probes,
    /// Absent where no mapping names codes of this system.
    pub verifies: Option<&'static dyn Verifies>,
    /// Absent where the system tells nothing by itself.
    pub hooks: Option<&'static dyn Hooks>,
    /// Absent where codes cannot be listed.
    pub offers: Option<&'static dyn Offers>,
    pub ports: Ports,
}
