//! The product in this process: a migrated database, a desk, and the web server on a free port. The
//! clock may be moved by hand; nothing works in the background.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ml_connector::connectors::kit::{HttpNetwork, Rules};
use ml_connector::contract::{Connector, Network};
use ml_connector::desk::Desk;
use ml_connector::desk::account::{self, Created, NewAccount};
use ml_connector::domain::clock::{Clock, Pace};
use ml_connector::domain::member::{Actor, Caller, Role};
use ml_connector::domain::secret::Secret;
use ml_connector::engine::{Engine, Setup};
use ml_connector::pairs::PAIRS;
use ml_connector::store::{Options, Store, migrate};
use ml_connector::vault::{MasterKeys, Vault};
use ml_connector::web::{Config, Running, Signup, server};

use super::database::{Engine as DatabaseEngine, TestDatabase};
use super::http::Api;
use super::site::Visitor;

/// A password that no rule refuses.
pub const PASSWORD: &str = "seven crows over the quarry";

/// How a test wants the product.
pub struct Wanted {
    pub clock: Clock,
    pub public_url: Option<&'static str>,
    pub trusted_proxies: &'static [&'static str],
    pub signup: Signup,
    pub connectors: &'static [&'static Connector],
    /// None: the real one, which may call this machine.
    pub network: Option<Arc<dyn Network>>,
    pub pace: Pace,
}

impl Default for Wanted {
    fn default() -> Self {
        Wanted {
            clock: Clock::system(),
            public_url: None,
            trusted_proxies: &[],
            signup: Signup::Open,
            connectors: &[],
            network: None,
            pace: Pace::default(),
        }
    }
}

/// The product, answering. Stops with the test.
pub struct TestApp {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    pub desk: Desk,
    pub clock: Clock,
    running: Running,
    database: TestDatabase,
}

/// One account, with what opens it.
pub struct Account {
    pub email: String,
    pub created: Created,
    pub api: Api,
}

impl TestApp {
    /// On SQLite, as most tests want it.
    pub async fn start() -> Self {
        let database = TestDatabase::empty(DatabaseEngine::Sqlite, "app").await;
        Self::start_on(database, Wanted::default()).await
    }

    pub async fn start_as(wanted: Wanted) -> Self {
        let database = TestDatabase::empty(DatabaseEngine::Sqlite, "app").await;
        Self::start_on(database, wanted).await
    }

    pub async fn start_on(database: TestDatabase, wanted: Wanted) -> Self {
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        migrate::up(&database.url)
            .await
            .expect("the schema is made");
        let clock = wanted.clock.clone();
        let options = Options {
            url: database.url.clone(),
            clock: clock.clone(),
        };
        let store = Store::open(options).await.expect("the database opens");
        let desk = Desk {
            engine: engine(store, &clock, &wanted),
        };
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, super::free_port()));
        let public_url = match wanted.public_url {
            Some(url) => url.to_owned(),
            None => format!("http://{listen}"),
        };
        let config = Config {
            listen,
            public_url: public_url.parse().expect("a URL"),
            trusted_proxies: wanted
                .trusted_proxies
                .iter()
                .map(|network| network.parse().expect("a network"))
                .collect(),
            signup: wanted.signup,
            heads_file: None,
        };
        let running = server(desk.clone(), config).expect("the port is free");
        TestApp {
            url: format!("http://{}", running.address()),
            desk,
            clock,
            running,
            database,
        }
    }

    /// A tenant with an owner and an API token with every scope.
    pub async fn account(&self, company: &str) -> Account {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let email = format!("owner{number}@example.com");
        let new = NewAccount {
            name: company.to_owned(),
            email: email.clone(),
            password: Some(Secret::new(PASSWORD.to_owned())),
        };
        let created = account::create_account(&self.desk, new)
            .await
            .expect("an account can be made");
        let api = self.api().with_token(created.api_token.open());
        Account {
            email,
            created,
            api,
        }
    }

    /// The owner of an account, acting without a request.
    pub fn owner(&self, account: &Account) -> Caller {
        Caller {
            tenant_id: account.created.tenant_id,
            tenant_name: account.email.clone(),
            member_id: account.created.member_id,
            actor: Actor::command(),
            role: Role::Owner,
            scopes: Role::Owner.scopes().to_vec(),
        }
    }

    pub fn api(&self) -> Api {
        Api::new(&self.url)
    }

    /// Somebody with a cookie jar, not signed in.
    pub fn visitor(&self) -> Visitor {
        Visitor::new(&self.url)
    }

    /// Somebody who has signed in.
    pub async fn signed_in(&self, account: &Account) -> Visitor {
        let mut visitor = self.visitor();
        visitor.sign_in(&account.email, PASSWORD).await;
        visitor
    }

    /// What it keeps its data in.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    pub async fn stop(self) {
        self.running.stop().await;
    }
}

fn engine(store: Store, clock: &Clock, wanted: &Wanted) -> Engine {
    let keys = MasterKeys::generate().expect("a key");
    let keys = MasterKeys::parse(&keys).expect("a good key");
    let network = wanted.network.clone();
    Engine::new(Setup {
        store,
        vault: Arc::new(Vault::new(keys)),
        network: network.unwrap_or_else(|| real_network(clock, wanted.pace)),
        connectors: wanted.connectors,
        pairs: PAIRS,
        clock: clock.clone(),
        pace: wanted.pace,
    })
}

fn real_network(clock: &Clock, pace: Pace) -> Arc<dyn Network> {
    let rules = Rules {
        allow_private_targets: true,
        ..Rules::default()
    };
    Arc::new(HttpNetwork::new(rules, clock.clone(), pace).expect("a network"))
}
