//! What every request can reach: the desk, and how this site is seen from outside.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use url::{Host, Url};

use super::network::Network;
use crate::desk::Desk;
use crate::desk::refusal::Refusals;
use crate::domain::clock::Timestamp;

/// Who may open an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signup {
    #[default]
    Open,
    /// Only who was invited.
    Invite,
    Closed,
}

/// How the web server is set up. Read by `app` from its configuration.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    /// As people and vendors reach it.
    pub public_url: Url,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    pub signup: Signup,
    /// Heads of the trails, kept outside the database; none where this process keeps none.
    pub heads_file: Option<PathBuf>,
}

/// Shared by every request.
pub struct Site {
    pub desk: Desk,
    pub config: Config,
    pub refusals: Refusals,
    /// When this process began to answer.
    pub begun_at: Timestamp,
}

pub type SharedSite = Arc<Site>;

impl Site {
    #[must_use]
    pub fn new(desk: Desk, config: Config) -> SharedSite {
        Arc::new(Self {
            begun_at: desk.store().clock().now(),
            desk,
            config,
            refusals: Refusals::default(),
        })
    }

    /// Whether people reach it encrypted; cookies and headers depend on it.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.config.public_url.scheme() == "https"
    }

    /// Passwords cross a network in clear: said on every page.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        let is_here = match self.config.public_url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        !self.is_https() && !is_here
    }
}
