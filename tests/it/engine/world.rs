//! A tenant with one active pair of fakes, a clock that is moved by hand, and the books to check against.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ml_connector::audit::{Event, verify};
use ml_connector::contract::{
    Answer, Connector, Credentials, FreshToken, Line, LogsIn, Network, Port, Ports, Probe, Probes,
    Reached, Request, Response, Session, Wire,
};
use ml_connector::desk::record::{Act, act};
use ml_connector::desk::{Desk, DeskError};
use ml_connector::domain::clock::{Clock, Pace, Timestamp};
use ml_connector::domain::connection::{Connection, Environment, PingStep, Settings};
use ml_connector::domain::fault::{Fault, Issue};
use ml_connector::domain::form::ConnectionForm;
use ml_connector::domain::ids::{ConnectionId, MemberId, PairId, RecordId, RunId, TenantId};
use ml_connector::domain::mapping::{MappingKind, Row};
use ml_connector::domain::member::{Actor, Caller, Role};
use ml_connector::domain::pair::{
    Approval, FlowSetting, Pair, PairSettings, PairStatus, Policies, Projects,
};
use ml_connector::domain::record::State;
use ml_connector::domain::run::{Run, Trigger};
use ml_connector::domain::schedule::Schedule;
use ml_connector::domain::system::Entity;
use ml_connector::domain::system::{PairKind, SystemId};
use ml_connector::engine::{Ended, Engine, Setup};
use ml_connector::flows::{
    PairDeclaration, PairFlow, Policy, PolicyKind, RecordKind, Side, SideName,
};
use ml_connector::store::record::Work;
use ml_connector::store::{self, Options, Scope, Store, StoreError, migrate};
use ml_connector::vault::{MasterKeys, Vault};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement, TransactionTrait};
use url::Url;

use super::books::Books;
use super::sites::{SiteOrders, SiteVendors, Sites, vendor};
use super::writes::{BookOrders, BookVendors};
use crate::support::database::TestDatabase;

/// A kind of pair that no product has.
static PAIR: PairDeclaration = PairDeclaration {
    kind: PairKind::new("sites_books"),
    title: "Sites and books",
    project: Side {
        system: SystemId::new("sites"),
        title: "Sites",
    },
    erp: Side {
        system: SystemId::new("books"),
        title: "Books",
    },
    flows: &[
        PairFlow {
            name: "vendors",
            title: "Vendors",
            record: RecordKind::Vendor,
            from: SideName::Project,
            entity: Entity::new("vendor"),
            approval: Approval::Automatic,
            statuses: &[],
            master: "",
        },
        PairFlow {
            name: "commitments",
            title: "Commitments",
            record: RecordKind::Order,
            from: SideName::Project,
            entity: Entity::new("commitment"),
            approval: Approval::Review,
            statuses: &["Approved"],
            master: "",
        },
    ],
    mappings: &[],
    policies: &[Policy {
        name: "orphans",
        label: "",
        kind: PolicyKind::Choice(&["mark", "keep"]),
        default: "mark",
        hint: "",
    }],
};

static PAIRS: &[&PairDeclaration] = &[&PAIR];

/// When the clock begins.
pub fn start() -> Timestamp {
    "2026-11-24T09:00:00Z".parse().expect("an instant")
}

pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(3600);
pub const DAY: Duration = Duration::from_secs(24 * 3600);

pub struct World {
    pub desk: Desk,
    pub caller: Caller,
    pub pair: PairId,
    pub source: ConnectionId,
    pub target: ConnectionId,
    pub sites: &'static Sites,
    pub books: &'static Books,
    /// A database that belongs to this world alone, and is gone with it.
    database: Option<TestDatabase>,
}

impl World {
    /// A world with one vendor in a database of its own: one of many in a test.
    pub async fn of_its_own(like: &TestDatabase, name: &str) -> Self {
        let database = TestDatabase::empty(like.engine, name).await;
        let mut world = Self::with_vendor(&database).await;
        world.database = Some(database);
        world
    }

    /// One pair; whatever may leave is written without asking.
    pub async fn begin(database: &TestDatabase) -> Self {
        migrate::up(&database.url).await.expect("the schema");
        let options = Options {
            url: database.url.clone(),
            clock: Clock::by_hand(start()),
        };
        let store = Store::open(options).await.expect("the database opens");
        Self::beside(store).await
    }

    /// Another tenant in the same database, with systems of its own.
    pub async fn beside(store: Store) -> Self {
        let clock = store.clock().clone();
        let sites: &'static Sites = Box::leak(Box::new(Sites::new(clock.clone())));
        let books: &'static Books = Box::leak(Box::new(Books::new(clock)));
        let tenant = tenant(&store).await;
        let caller = Caller {
            tenant_id: tenant,
            tenant_name: "Acme".into(),
            member_id: MemberId::generate(),
            actor: Actor::command(),
            role: Role::Owner,
            scopes: Role::Owner.scopes().to_vec(),
        };
        let engine = engine(store, sites, books);
        let desk = Desk { engine };
        let source = connect(&desk, tenant, "sites").await;
        let target = connect(&desk, tenant, "books").await;
        let pair = join(&desk, tenant, (source, target)).await;
        let world = Self {
            desk,
            caller,
            pair,
            source,
            target,
            sites,
            books,
            database: None,
        };
        world.map_everything(pair).await;
        world
    }

    /// One more pair of the same two systems.
    pub async fn another_pair(&self) -> PairId {
        let pair = join(&self.desk, self.tenant(), (self.source, self.target)).await;
        self.map_everything(pair).await;
        pair
    }

    /// What a second process on the same database would work with.
    pub fn second(&self) -> Engine {
        engine(self.store().clone(), self.sites, self.books)
    }

    /// The tenant's lease runs out on the database's own clock, which tests cannot move.
    pub async fn expire_lease(&self) {
        let tx = of_tenant(self.store(), self.tenant()).await;
        let sql = "UPDATE tenant_lease SET until = 1 WHERE tenant_id = $1";
        let values = [self.tenant().0.into()];
        let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
        tx.execute_raw(statement).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A world with one vendor that is linked already, so that orders can be looked at alone.
    pub async fn with_vendor(database: &TestDatabase) -> Self {
        let world = Self::begin(database).await;
        world.sites.put_vendor(vendor("1", "Stone"));
        world.run().await;
        world.work().await;
        assert_eq!(world.vendor("1").await.record.state, State::Succeeded);
        world
    }

    pub fn engine(&self) -> &Engine {
        &self.desk.engine
    }

    pub fn store(&self) -> &Store {
        self.desk.store()
    }

    pub fn tenant(&self) -> TenantId {
        self.caller.tenant_id
    }

    pub fn now(&self) -> Timestamp {
        self.engine().clock.now()
    }

    pub fn advance(&self, by: Duration) {
        self.engine().clock.advance(by);
    }

    pub async fn scope(&self) -> Scope {
        self.store().read(self.tenant()).await.unwrap()
    }

    /// Asks for a pass over everything that changed.
    pub async fn run(&self) -> RunId {
        let pair = self.pair;
        self.write(move |scope| {
            Box::pin(async move {
                let flows = vec!["vendors".to_owned(), "commitments".to_owned()];
                store::run::open(scope, pair, flows, false, Trigger::Person).await
            })
        })
        .await
    }

    pub async fn write<T: Send + 'static>(
        &self,
        unit: impl for<'s> FnOnce(&'s Scope) -> futures::future::BoxFuture<'s, Result<T, StoreError>>
        + Send
        + 'static,
    ) -> T {
        let done = self.store().write(self.tenant(), &self.caller.actor, unit);
        done.await.unwrap()
    }

    /// Slices until nothing is due now. A tenant that stays due without end is a defect.
    pub async fn work(&self) -> Option<Timestamp> {
        for _ in 0..30 {
            match self
                .engine()
                .work_tenant(self.tenant(), "test")
                .await
                .unwrap()
            {
                Ended::DueNow => {}
                Ended::Until(next) => return next,
                Ended::NotOurs => panic!("somebody else holds the lease"),
            }
        }
        panic!("the tenant is due for ever: {:#?}", self.standing().await);
    }

    /// Works, and moves the clock to whatever is due next, for as long as that is within `horizon`.
    pub async fn pass(&self, horizon: Duration) {
        let end = self.now().plus(horizon);
        for _ in 0..2_000 {
            match self.work().await {
                Some(next) if next <= end => self.advance(next.since(self.now())),
                _ => {
                    self.advance(end.since(self.now()));
                    self.work().await;
                    return;
                }
            }
        }
        panic!(
            "something is due again and again: {:#?}",
            self.standing().await
        );
    }

    /// A run, and everything that follows within a minute.
    pub async fn sync(&self) {
        self.run().await;
        self.work().await;
    }

    pub async fn of_source(&self, flow: &str, key: &str) -> Work {
        self.of_pair(self.pair, flow, key).await
    }

    pub async fn of_pair(&self, pair: PairId, flow: &str, key: &str) -> Work {
        let scope = self.scope().await;
        let found = store::record::of_source(&scope, pair, flow, key)
            .await
            .unwrap();
        found.unwrap_or_else(|| panic!("{flow} {key} was never seen"))
    }

    pub async fn vendor(&self, key: &str) -> Work {
        self.of_source("vendors", key).await
    }

    pub async fn order(&self, key: &str) -> Work {
        self.of_source("commitments", key).await
    }

    pub async fn records(&self) -> Vec<Work> {
        let scope = self.scope().await;
        store::search::records(&scope, &store::search::Filter::default(), None, 100_000)
            .await
            .unwrap()
    }

    /// Every record as one line, for failing tests.
    pub async fn standing(&self) -> Vec<String> {
        let line = |work: Work| {
            let record = work.record;
            format!(
                "{} {} {:?} due {:?}: {}",
                record.flow,
                record.source.id,
                record.state,
                record.next_attempt_at,
                record.explanation
            )
        };
        self.records().await.into_iter().map(line).collect()
    }

    pub async fn act(&self, id: RecordId, what: Act) -> Result<Work, DeskError> {
        act(&self.desk, &self.caller, id, what).await
    }

    /// A person does something with a record, and what follows from it.
    pub async fn do_with(&self, work: &Work, what: Act) {
        self.act(work.record.id, what).await.unwrap();
        self.work().await;
    }

    pub async fn run_of(&self, id: RunId) -> Run {
        let scope = self.scope().await;
        store::run::find(&scope, id).await.unwrap().run
    }

    /// Changes the pair's settings as a person would.
    pub async fn settings(&self, change: impl FnOnce(&mut PairSettings)) {
        let scope = self.scope().await;
        let mut pair = store::pair::find(&scope, self.pair).await.unwrap();
        drop(scope);
        change(&mut pair.settings);
        self.write(move |scope| Box::pin(async move { store::pair::revise(scope, &pair).await }))
            .await;
    }

    /// Orders are written only after somebody said yes.
    pub async fn asks_for_approval(&self) {
        self.settings(|settings| {
            let flow = settings.flows.get_mut("commitments").unwrap();
            flow.approval = Approval::Review;
        })
        .await;
    }

    /// Puts a mapping table in place as a person would.
    pub async fn map(&self, kind: MappingKind, rows: Vec<Row>) {
        let pair = self.pair;
        self.write(move |scope| {
            Box::pin(async move {
                store::mapping::replace(scope, pair, kind, &rows).await?;
                let kind = match kind {
                    MappingKind::Projects => "project",
                    kind => kind.as_str(),
                };
                store::wait::release_kind(scope, pair, kind).await
            })
        })
        .await;
    }

    pub async fn map_everything(&self, pair: PairId) {
        self.write(move |scope| {
            Box::pin(async move {
                for (kind, rows) in [
                    (
                        MappingKind::Projects,
                        vec![project("7"), project("8"), project("9")],
                    ),
                    (MappingKind::CostCodes, vec![cost_code("03-300")]),
                    (MappingKind::Items, vec![row(&[], &[("item", "I1")])]),
                ] {
                    store::mapping::replace(scope, pair, kind, &rows).await?;
                }
                Ok(())
            })
        })
        .await;
    }

    /// Events of one action, oldest first.
    pub async fn told(&self, action: &str) -> Vec<Event> {
        let mut events = self.trail().await;
        events.retain(|event| event.action == action);
        events
    }

    /// The whole trail, oldest first.
    pub async fn trail(&self) -> Vec<Event> {
        let scope = self.scope().await;
        let (filter, order) = (Default::default(), store::audit::Order::OldestFirst);
        store::audit::list(&scope, &filter, order, None, 1_000_000)
            .await
            .unwrap()
    }

    /// Rows of a statement whose first parameter is the tenant, as texts.
    pub async fn rows(&self, sql: &str, columns: &[&str]) -> Vec<Vec<String>> {
        let tx = of_tenant(self.store(), self.tenant()).await;
        let values = [self.tenant().0.into()];
        let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
        let rows = tx.query_all_raw(statement).await.unwrap();
        rows.iter()
            .map(|row| {
                columns
                    .iter()
                    .map(|name| row.try_get("", name).unwrap())
                    .collect()
            })
            .collect()
    }

    /// The three books agree: nothing was written twice or without a word, everything that was seen is
    /// somewhere, and the trail holds.
    pub async fn check(&self) {
        let trail = self.trail().await;
        verify(&trail, None).expect("the trail holds");
        let standing = self.standing().await;
        let mut creates: BTreeMap<(&str, String), usize> = BTreeMap::new();
        for entry in self.books.ledger() {
            *creates
                .entry((entry.operation, entry.key.clone()))
                .or_default() += 1;
            let key = entry.key.split('/').next().unwrap_or_default();
            let has_intent = trail.iter().any(|event| {
                event.action == "write.intent"
                    && event.at <= entry.at
                    && facts(event)
                        .get("natural_key")
                        .is_some_and(|found| found == key)
            });
            assert!(has_intent, "{entry:?} was written without an intent");
        }
        for (made, times) in creates {
            assert_eq!(
                times, 1,
                "{made:?} was written {times} times: {standing:#?}"
            );
        }
        for work in self.records().await {
            let record = &work.record;
            let is_due = record.next_attempt_at.is_some();
            let must_be_due = matches!(
                record.state,
                State::Pending | State::Syncing | State::Retrying
            );
            assert!(
                !must_be_due || is_due,
                "never looked at again: {standing:#?}"
            );
            assert!(
                must_be_due || !is_due || record.state == State::Waiting,
                "at rest, but due: {standing:#?}"
            );
            if record.state == State::Succeeded {
                let id = &record
                    .target
                    .as_ref()
                    .expect("what was written has a place")
                    .id;
                assert!(self.books.doc(id).is_some(), "{id} is not in the books");
            }
        }
        self.check_effects(&standing).await;
    }

    /// A write is settled in the journal once its record rests.
    async fn check_effects(&self, standing: &[String]) {
        let sql = "SELECT r.state AS record, r.flags AS flags, e.state AS effect, e.natural_key AS natural_key \
                   FROM effect e JOIN record r ON r.tenant_id = e.tenant_id AND r.id = e.record_id \
                   WHERE e.tenant_id = $1";
        let columns = ["record", "flags", "effect", "natural_key"];
        for row in self.rows(sql, &columns).await {
            let state: State = row[0].parse().unwrap();
            let is_unknown = row[1].contains("outcome_unknown");
            let is_open = !matches!(row[2].as_str(), "confirmed" | "rejected");
            assert!(
                !state.is_synced() || row[2] == "confirmed" || row[2] == "rejected",
                "{row:?} is in the target and {}: {standing:#?}",
                row[2]
            );
            assert!(
                !is_open
                    || is_unknown
                    || !matches!(state, State::Held | State::Review | State::Ignored),
                "{row:?} was left open: {standing:#?}"
            );
        }
    }
}

/// What an event says beside its action.
pub fn facts(event: &Event) -> BTreeMap<String, String> {
    let beside = event.beside.as_ref().expect("the detail is kept");
    beside.facts().into_iter().collect()
}

pub fn row(project: &[(&str, &str)], erp: &[(&str, &str)]) -> Row {
    let side = |cells: &[(&str, &str)]| {
        let cell = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        cells.iter().map(cell).collect()
    };
    Row {
        id: None,
        project_side: side(project),
        erp_side: side(erp),
        note: String::new(),
    }
}

pub fn project(key: &str) -> Row {
    row(&[("project_id", key)], &[("project", "P")])
}

pub fn cost_code(code: &str) -> Row {
    row(&[("cost_code", code)], &[("ait1", "5100")])
}

/// Another engine on the same database, as a second process would have it.
pub fn engine(store: Store, sites: &'static Sites, books: &'static Books) -> Engine {
    let connector = |system, ports| -> &'static Connector {
        Box::leak(Box::new(Connector {
            system,
            title: "A fake",
            form: ConnectionForm {
                settings: &[],
                credentials: &[],
            },
            accept: |_, _, _| Ok(()),
            addresses: |_, _| Vec::new(),
            place: |settings, _| settings.text_or("place", "books/100").to_owned(),
            requests_per_minute: |_| 0,
            allowance: |_, _| None,
            logs_in: &NobodyLogsIn,
            probes: &NothingToProbe,
            verifies: None,
            hooks: None,
            offers: None,
            ports,
        }))
    };
    let source = Ports {
        vendor: Port::source(
            Box::leak(Box::new(SiteVendors(sites))),
            Box::leak(Box::new(SiteVendors(sites))),
        ),
        order: Port::source(
            Box::leak(Box::new(SiteOrders(sites))),
            Box::leak(Box::new(SiteOrders(sites))),
        ),
        ..Ports::CLOSED
    };
    let target = Ports {
        vendor: Port::target(Box::leak(Box::new(BookVendors(books)))),
        order: Port::target(Box::leak(Box::new(BookOrders(books)))),
        ..Ports::CLOSED
    };
    let connectors: &'static [&'static Connector] = Box::leak(Box::new([
        connector(SystemId::new("sites"), source),
        connector(SystemId::new("books"), target),
    ]));
    let masters = MasterKeys::parse(&MasterKeys::generate().unwrap()).unwrap();
    let clock = store.clock().clone();
    Engine::new(Setup {
        store,
        vault: Arc::new(Vault::new(masters)),
        network: Arc::new(Nowhere),
        connectors,
        pairs: PAIRS,
        clock,
        pace: Pace::default(),
    })
}

/// A tenant that owns nothing yet.
pub async fn tenant(store: &Store) -> TenantId {
    let id = TenantId::generate();
    let tx = of_tenant(store, id).await;
    tx.execute_raw(Statement::from_sql_and_values(
        tx.get_database_backend(),
        "INSERT INTO tenant (tenant_id, name, created_at) VALUES ($1, 'Acme', 0)",
        [id.0.into()],
    ))
    .await
    .expect("a tenant is kept");
    tx.commit().await.expect("a commit");
    id
}

/// A transaction that sees one tenant.
pub async fn of_tenant(store: &Store, tenant: TenantId) -> DatabaseTransaction {
    let tx = store.connection().begin().await.expect("a transaction");
    if tx.get_database_backend() == DbBackend::Postgres {
        let sql = format!("SELECT set_config('app.tenant_id', '{tenant}', true)");
        tx.execute_unprepared(&sql)
            .await
            .expect("a tenant is named");
    }
    tx
}

pub async fn connect(desk: &Desk, tenant: TenantId, system: &'static str) -> ConnectionId {
    let connection = Connection {
        id: ConnectionId::generate(),
        system: SystemId::new(system),
        name: system.to_owned(),
        environment: Environment::Sandbox,
        settings: Settings::default(),
        credentials: Default::default(),
        last_ping: None,
        auth_fault: None,
        version: 1,
        created_at: start(),
        updated_at: start(),
    };
    let id = connection.id;
    desk.store()
        .write(tenant, &Actor::worker(), move |scope| {
            Box::pin(async move { store::connection::insert(scope, &connection, &[]).await })
        })
        .await
        .unwrap();
    id
}

pub async fn join(
    desk: &Desk,
    tenant: TenantId,
    (source, target): (ConnectionId, ConnectionId),
) -> PairId {
    let flow = FlowSetting {
        enabled: true,
        approval: Approval::Automatic,
    };
    let names = ["vendors", "commitments"];
    let pair = Pair {
        id: PairId::generate(),
        kind: PAIR.kind.clone(),
        erp_connection_id: target,
        project_connection_id: source,
        settings: PairSettings {
            name: "Head office".into(),
            flows: names.map(|name| (name.to_owned(), flow)).into(),
            projects: Projects::default(),
            schedule: Schedule::default(),
            start_date: None,
            policies: Policies::default(),
        },
        status: PairStatus::Active,
        version: 1,
        next_run_at: None,
        created_at: start(),
        updated_at: start(),
    };
    let id = pair.id;
    desk.store()
        .write(tenant, &Actor::worker(), move |scope| {
            Box::pin(async move { store::pair::insert(scope, &pair).await })
        })
        .await
        .unwrap();
    id
}

/// A network whose every call is answered at once: the fakes keep the books themselves.
struct Nowhere;

impl Network for Nowhere {
    fn check_address(&self, address: &str) -> Result<Url, Issue> {
        Ok(Url::parse(address).unwrap())
    }

    fn wire(&self, _: &Line) -> Arc<dyn Wire> {
        Arc::new(Nowhere)
    }

    fn reach<'a>(&'a self, _: &'a str) -> Answer<'a, Reached> {
        Box::pin(async { Err(super::manners::unreachable()) })
    }
}

impl Wire for Nowhere {
    fn send(&self, _: Request) -> Answer<'_, Response> {
        Box::pin(async {
            Ok(Response {
                status: 200,
                headers: Vec::new(),
                body: b"{}".to_vec(),
            })
        })
    }
}

struct NobodyLogsIn;

impl LogsIn for NobodyLogsIn {
    fn log_in<'a>(
        &'a self,
        _: &'a dyn Wire,
        _: &'a Settings,
        _: &'a Credentials,
    ) -> Answer<'a, FreshToken> {
        Box::pin(async {
            Err(Fault::Auth {
                code: "nobody".into(),
                message: "nobody logs in here".into(),
            })
        })
    }
}

struct NothingToProbe;

impl Probes for NothingToProbe {
    fn probe<'a>(&'a self, _: &'a Session, _: Probe<'a>) -> Answer<'a, Vec<PingStep>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}
