//! The settings by concern, checked and in their own types.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use url::Url;

use crate::connectors::VENDOR_HOSTS;
use crate::connectors::kit::{HostRule, Rules};
use crate::domain::clock::Pace;
use crate::domain::member::SignUp;
use crate::domain::secret::Secret;

/// Everything that can be set.
#[derive(Debug)]
pub struct Config {
    pub server: Server,
    pub storage: Storage,
    pub keys: KeySource,
    pub vendors: VendorRules,
    pub work: Work,
    pub mail: Mail,
    pub log: Log,
    pub telemetry: Telemetry,
    /// To be logged once: what was set and means nothing.
    pub warnings: Vec<String>,
}

/// The web server.
#[derive(Debug)]
pub struct Server {
    pub listen: SocketAddr,
    /// None: where it listens ([`Server::public_url`]).
    pub public: Option<Url>,
    /// Addresses whose `X-Forwarded-*` are believed.
    pub trusted_proxies: Vec<IpAddr>,
    pub sign_up: SignUp,
}

impl Server {
    /// The address that people and vendors reach, without a slash at its end. `bound` is where the
    /// server really listens, which differs from `listen` where that left the port open.
    #[must_use]
    pub fn public_url(&self, bound: SocketAddr) -> String {
        match &self.public {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{bound}"),
        }
    }
}

/// Where things are kept.
#[derive(Debug)]
pub struct Storage {
    pub data_dir: PathBuf,
    /// `sqlite://…` or `postgres://…`; may hold a password.
    pub database_url: Secret<String>,
    /// The role that migrates, where the serving one may not.
    pub database_admin_url: Option<Secret<String>>,
    /// The file of an SQLite database; None on PostgreSQL.
    pub database_file: Option<PathBuf>,
}

impl Storage {
    /// The address to migrate with.
    #[must_use]
    pub fn migration_url(&self) -> &Secret<String> {
        self.database_admin_url
            .as_ref()
            .unwrap_or(&self.database_url)
    }
}

/// Where the master keys come from.
#[derive(Debug)]
pub enum KeySource {
    /// The list itself, from the environment.
    Given(Secret<String>),
    /// A file that holds the list.
    File(PathBuf),
    /// Made at the first start and kept in the data directory.
    Generated,
}

/// Which hosts vendor calls may go to.
#[derive(Debug)]
pub struct VendorRules {
    /// Beside the vendors' own clouds.
    pub hosts: Vec<HostRule>,
    pub allow_private_targets: bool,
}

impl VendorRules {
    /// The rules for the one way out: the vendors' own clouds, what the operator added, and these ports
    /// of this machine (the demo's own sandboxes).
    #[must_use]
    pub fn rules(&self, loopback_ports: Vec<u16>) -> Rules {
        let clouds = VENDOR_HOSTS.iter().copied().map(HostRule::https);
        Rules {
            allowed_hosts: clouds.chain(self.hosts.iter().cloned()).collect(),
            allow_private_targets: self.allow_private_targets,
            loopback_ports,
        }
    }
}

/// The workers.
#[derive(Debug)]
pub struct Work {
    /// Tenant slices in flight on this node.
    pub concurrency: usize,
    pub pace: Pace,
    /// Development: allows what would be wrong in production.
    pub is_dev: bool,
}

/// Outgoing mail; without a server it is written to the data directory.
#[derive(Debug)]
pub struct Mail {
    /// May hold a password.
    pub smtp_url: Option<Secret<String>>,
    pub sender: Option<String>,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// A filter as `tracing_subscriber` reads it.
    pub filter: String,
    pub format: LogFormat,
}

/// For whom a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Human,
    Json,
}

/// Figures for the operator's own tools.
#[derive(Debug)]
pub struct Telemetry {
    /// None: off.
    pub metrics_listen: Option<SocketAddr>,
    pub otlp_endpoint: Option<Url>,
}
