//! The network as the engine gets it: one guarded client for all, a pace for each line.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect;
use rustls::ClientConfig;
use url::Url;

use super::guard::Rules;
use super::pace::Paces;
use super::resolver::Guarded;
use super::wire::HttpWire;
use super::{reach, tls};
use crate::contract::{Answer, Line, Network, Reached, Wire};
use crate::domain::clock::{Clock, Pace};
use crate::domain::fault::{Fault, Issue};

/// A name look-up and a connection take no longer where a host can be reached at all.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A vendor may close an idle connection at any time, and a write on a closed one has an unknown
/// outcome. Source: STACK.md §6a, read 2026-11-22.
const POOL_IDLE: Duration = Duration::from_secs(5);
const USER_AGENT: &str = concat!("ml-connector/", env!("CARGO_PKG_VERSION"));

/// The client could not be built.
#[derive(Debug, thiserror::Error)]
pub enum NoNetwork {
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    #[error("the HTTP client cannot be built")]
    Client(#[source] reqwest::Error),
}

/// HTTP over TCP. One for the whole process: pools and paces live in it.
#[derive(Debug)]
pub struct HttpNetwork {
    rules: Arc<Rules>,
    client: reqwest::Client,
    tls: Arc<ClientConfig>,
    paces: Paces,
    clock: Clock,
}

impl HttpNetwork {
    /// A network with the operator's rules. `pace` multiplies every line's rate.
    ///
    /// # Errors
    /// When TLS or the client cannot be set up.
    pub fn new(rules: Rules, clock: Clock, pace: Pace) -> Result<Self, NoNetwork> {
        let rules = Arc::new(rules);
        let tls = tls::config().map_err(NoNetwork::Tls)?;
        Ok(Self {
            client: client(&rules, tls.clone()).map_err(NoNetwork::Client)?,
            rules,
            tls: Arc::new(tls),
            paces: Paces::new(clock.clone(), pace),
            clock,
        })
    }
}

#[allow(clippy::disallowed_methods)] // The one place that builds a client.
fn client(rules: &Arc<Rules>, tls: ClientConfig) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(Guarded {
            rules: Arc::clone(rules),
        })
        // An ambient proxy would look names up for us, past the guard.
        .no_proxy()
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .http1_only()
        .pool_idle_timeout(POOL_IDLE)
        .connect_timeout(CONNECT_TIMEOUT)
        .referer(false)
        .user_agent(USER_AGENT)
        .build()
}

impl Network for HttpNetwork {
    fn check_address(&self, address: &str) -> Result<Url, Issue> {
        self.rules.check(address)
    }

    fn wire(&self, line: &Line) -> Arc<dyn Wire> {
        Arc::new(HttpWire {
            origins: line
                .addresses
                .iter()
                .filter_map(|address| self.rules.check(address).ok())
                .map(|url| url.origin())
                .collect(),
            pace: self.paces.line(&line.name),
            line: line.clone(),
            rules: Arc::clone(&self.rules),
            client: self.client.clone(),
            clock: self.clock.clone(),
        })
    }

    fn reach<'a>(&'a self, address: &'a str) -> Answer<'a, Reached> {
        Box::pin(async move {
            let refused = |issue| Fault::Rejected {
                issues: vec![issue],
            };
            let url = self.rules.check(address).map_err(refused)?;
            reach::reach(&self.rules, Arc::clone(&self.tls), &url).await
        })
    }
}
