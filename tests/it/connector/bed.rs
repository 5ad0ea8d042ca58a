//! A connector with what the engine would give it: a guarded wire and a token kept until it is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ml_connector::connectors::kit::{HttpNetwork, Rules};
use ml_connector::contract::{
    Answer, Connector, Credentials, Facts, Line, Network, Probe, Session, Token, Tokens, Wire,
};
use ml_connector::domain::clock::{Clock, Pace};
use ml_connector::domain::connection::{Environment, PingStep, Settings};
use ml_connector::domain::fault::Fault;
use ml_connector::domain::secret::Secret;
use ml_connector::sandbox::kit::Running;
use serde_json::Value;

use crate::support::http::Api;

/// A connector, its simulator and a session between them.
pub struct Bed {
    pub session: Session,
    pub connector: &'static Connector,
    pub logins: Arc<Logins>,
    /// The simulator's control desk.
    pub desk: Api,
    _running: Running,
}

impl Bed {
    /// `settings` and `credentials` as a person would enter them.
    pub fn new(
        connector: &'static Connector,
        running: Running,
        settings: &[(&str, &str)],
        credentials: &[(&str, &str)],
    ) -> Self {
        let mut entered = Settings::default();
        for (name, text) in settings {
            entered.set(name, *text);
        }
        let mut opened = Credentials::default();
        for (name, text) in credentials {
            let secret = Secret::new((*text).to_owned());
            opened.0.insert((*name).to_owned(), secret);
        }
        (connector.accept)(&mut entered, &opened, Environment::Sandbox).unwrap();
        let clock = Clock::system();
        let rules = Rules {
            allow_private_targets: true,
            ..Rules::default()
        };
        let network = HttpNetwork::new(rules, clock.clone(), Pace::default()).unwrap();
        let wire = network.wire(&Line {
            name: running.url(),
            addresses: (connector.addresses)(&entered, Environment::Sandbox),
            requests_per_minute: (connector.requests_per_minute)(&entered),
            allowance: connector.allowance,
            interactive: false,
        });
        let logins = Arc::new(Logins {
            connector,
            wire: wire.clone(),
            settings: entered.clone(),
            credentials: opened,
            clock: clock.clone(),
            kept: tokio::sync::Mutex::default(),
            count: AtomicU64::new(0),
        });
        Self {
            session: Session::new(
                entered,
                wire,
                logins.clone(),
                Arc::new(Facts::default()),
                clock,
            ),
            connector,
            logins,
            desk: Api::new(&running.url()),
            _running: running,
        }
    }

    /// Arms a fault, or changes what the simulator holds.
    pub async fn tell(&self, path: &str, body: Value) -> Value {
        let status = match path {
            path if path.starts_with("procore/contracts") && !path.contains("ontracts/") => 201,
            _ => 200,
        };
        self.desk
            .post(&format!("/_sandbox/{path}"), body, status)
            .await
    }

    /// Calls that the simulator has met, of all routes or of one.
    pub async fn calls(&self, route: &str) -> u64 {
        let state = self.desk.get("/_sandbox/state", 200).await;
        let calls = state["calls"].as_object().unwrap();
        let of_route = calls.iter().filter(|(name, _)| name.contains(route));
        of_route.filter_map(|(_, count)| count.as_u64()).sum()
    }

    pub async fn probe(&self, flows: &[&str]) -> Vec<PingStep> {
        let probe = Probe { flows };
        self.connector
            .probes
            .probe(&self.session, probe)
            .await
            .unwrap()
    }
}

/// One token at a time, renewed when it was refused.
pub struct Logins {
    connector: &'static Connector,
    wire: Arc<dyn Wire>,
    settings: Settings,
    credentials: Credentials,
    clock: Clock,
    kept: tokio::sync::Mutex<Option<Token>>,
    count: AtomicU64,
}

impl Logins {
    /// How often a token was asked for.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    async fn newer_than(&self, generation: i64) -> Result<Token, Fault> {
        let mut kept = self.kept.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| token.generation > generation) {
            return Ok(copy(token));
        }
        self.count.fetch_add(1, Ordering::SeqCst);
        let fresh = self
            .connector
            .logs_in
            .log_in(&*self.wire, &self.settings, &self.credentials)
            .await?;
        let token = Token {
            value: fresh.value,
            generation: generation + 1,
            expires_at: self.clock.now().plus(fresh.lifetime),
        };
        let given = copy(&token);
        *kept = Some(token);
        Ok(given)
    }
}

fn copy(token: &Token) -> Token {
    Token {
        value: token.value.again(),
        ..*token
    }
}

impl Tokens for Logins {
    fn current(&self) -> Answer<'_, Token> {
        Box::pin(self.newer_than(0))
    }

    fn renew(&self, refused_generation: i64) -> Answer<'_, Token> {
        Box::pin(self.newer_than(refused_generation))
    }
}
