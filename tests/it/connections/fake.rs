//! A system with a memory and a switchboard: it counts log-ins, refuses them, is slow, and never leaves
//! this process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ml_connector::contract::{
    Answer, Body, Call, Canonical, Connector, Credentials, Draft, Found, FreshToken, Line,
    ListScope, Lists, LogsIn, Method, Network, Page, Port, Ports, Probe, Probes, Progress, Reached,
    Read, Reads, Refs, Repeat, Request, Response, Seen, Session, SourceKey, Step, Upcoming,
    Verdict, Verifies, Wire, Writes,
};
use ml_connector::domain::connection::{Environment, PingStep, Settings};
use ml_connector::domain::fault::{Fault, Issue};
use ml_connector::domain::form::{ConnectionForm, Field, Kind};
use ml_connector::domain::mapping::{MappingKind, Row, value};
use ml_connector::domain::plan::Change;
use ml_connector::domain::record::WaitingFor;
use ml_connector::domain::records::{Order, Vendor};
use ml_connector::domain::secret::Secret;
use ml_connector::domain::system::SystemId;
use ml_connector::domain::tag::WriteTag;
use serde_json::Value;
use url::Url;

/// What the log-in answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// The credentials are wrong.
    Refuses,
    /// Nobody answers.
    Silent,
}

/// The fields of one body.
type Sent = Vec<(String, String)>;

/// The system as its clients see it.
pub struct FakeNetwork {
    pub mood: Mutex<Mood>,
    pub logins: AtomicU32,
    pub login_ms: AtomicU32,
    pub lifetime_seconds: AtomicI64,
    /// Every body that was ever sent, with the host it went to.
    pub sent: Mutex<Vec<(String, Sent)>>,
    /// Codes that the verifying look-up knows.
    pub known: Mutex<Vec<String>>,
}

impl FakeNetwork {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            mood: Mutex::new(Mood::Well),
            logins: AtomicU32::new(0),
            login_ms: AtomicU32::new(20),
            lifetime_seconds: AtomicI64::new(3600),
            sent: Mutex::default(),
            known: Mutex::new(vec!["5100".to_owned()]),
        })
    }

    pub fn logins(&self) -> u32 {
        self.logins.load(Ordering::SeqCst)
    }

    pub fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }
}

/// The network's handle; the engine owns an `Arc<dyn Network>`.
pub struct Door(pub Arc<FakeNetwork>);

impl Network for Door {
    fn check_address(&self, address: &str) -> Result<Url, Issue> {
        let refused = || {
            Issue::new(
                "",
                "address_refused",
                "calls to this address are not allowed",
            )
        };
        let url = Url::parse(address).map_err(|_| refused())?;
        let is_ours = url
            .host_str()
            .is_some_and(|host| host.ends_with(".example"));
        if is_ours { Ok(url) } else { Err(refused()) }
    }

    fn wire(&self, _line: &Line) -> Arc<dyn Wire> {
        Arc::new(FakeWire(Arc::clone(&self.0)))
    }

    fn reach<'a>(&'a self, _address: &'a str) -> Answer<'a, Reached> {
        Box::pin(async {
            Ok(Reached {
                connected_in: Duration::from_millis(2),
                secured_in: Some(Duration::from_millis(3)),
            })
        })
    }
}

struct FakeWire(Arc<FakeNetwork>);

impl Wire for FakeWire {
    fn send(&self, request: Request) -> Answer<'_, Response> {
        Box::pin(async move {
            let host = request.url.host_str().unwrap_or_default().to_owned();
            if let Body::Form(fields) = &request.body {
                self.0.sent.lock().unwrap().push((host, fields.clone()));
            }
            if request.url.path() == "/known" {
                return Ok(answer(200, self.0.known.lock().unwrap().join(" ")));
            }
            let count = self.0.logins.fetch_add(1, Ordering::SeqCst) + 1;
            let wait = self.0.login_ms.load(Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(wait.into())).await;
            let mood = *self.0.mood.lock().unwrap();
            match mood {
                Mood::Well => Ok(answer(
                    200,
                    format!(
                        "token-{count} {}",
                        self.0.lifetime_seconds.load(Ordering::SeqCst)
                    ),
                )),
                Mood::Refuses => Ok(answer(401, String::new())),
                Mood::Silent => Err(Fault::Transient {
                    code: "unreachable".into(),
                    message: "nobody answers".into(),
                }),
            }
        })
    }
}

fn answer(status: u16, body: String) -> Response {
    Response {
        status,
        headers: Vec::new(),
        body: body.into_bytes(),
    }
}

fn request(settings: &Settings, path: &str, form: Vec<(String, String)>) -> Request {
    let address = settings.text("address").expect("an address");
    Request {
        method: Method::Post,
        url: Url::parse(address).unwrap().join(path).unwrap(),
        headers: Vec::new(),
        bearer: None,
        body: Body::Form(form),
        call: Call::Read,
        timeout: Duration::from_secs(5),
        operation: "log in".into(),
        private: true,
    }
}

struct FakeLogin;

impl LogsIn for FakeLogin {
    fn log_in<'a>(
        &'a self,
        wire: &'a dyn Wire,
        settings: &'a Settings,
        credentials: &'a Credentials,
    ) -> Answer<'a, FreshToken> {
        Box::pin(async move {
            let secret = credentials.text("client_secret")?.to_owned();
            let form = vec![("secret".to_owned(), secret)];
            let response = wire.send(request(settings, "/token", form)).await?;
            if response.status == 401 {
                return Err(Fault::Auth {
                    code: "invalid_client".into(),
                    message: "the system refuses these credentials".into(),
                });
            }
            let text = String::from_utf8(response.body).unwrap();
            let (token, seconds) = text.split_once(' ').unwrap();
            Ok(FreshToken {
                value: Secret::new(token.to_owned()),
                lifetime: Duration::from_secs(seconds.parse().unwrap()),
            })
        })
    }
}

struct FakeProbes;

impl Probes for FakeProbes {
    fn probe<'a>(&'a self, _: &'a Session, probe: Probe<'a>) -> Answer<'a, Vec<PingStep>> {
        let flows = probe.flows.join(",");
        Box::pin(async move {
            Ok(vec![
                PingStep::well("company", 1, "Acme"),
                PingStep::well("permission:flows", 1, flows),
            ])
        })
    }
}

struct FakeVerifies;

impl Verifies for FakeVerifies {
    fn verify<'a>(
        &'a self,
        session: &'a Session,
        _: MappingKind,
        rows: &'a [Row],
    ) -> Answer<'a, Vec<Verdict>> {
        Box::pin(async move {
            let response = session
                .send(request(&session.settings, "/known", Vec::new()))
                .await?;
            let known = String::from_utf8(response.body).unwrap();
            if known == "down" {
                return Err(Fault::Transient {
                    code: "unreachable".into(),
                    message: "nobody answers".into(),
                });
            }
            let verdict = |row: &Row| match value(&row.erp_side, "ait1") {
                Some(code) if !known.split(' ').any(|found| found == code) => Verdict {
                    found: vec![],
                    issues: vec![Issue::new("ait1", "unknown", "there is no such account")],
                },
                _ => Verdict::default(),
            };
            Ok(rows.iter().map(verdict).collect())
        })
    }
}

const fn field(name: &'static str, kind: Kind, required: bool, default: &'static str) -> Field {
    Field {
        name,
        label: name,
        kind,
        required,
        default,
        hint: "",
    }
}

static SETTINGS: &[Field] = &[
    field("address", Kind::Text, true, ""),
    field("company_id", Kind::Text, false, ""),
    field("cono", Kind::Text, false, ""),
    field("lead_days", Kind::Number { min: 0, max: 730 }, false, "14"),
    field("exports", Kind::Choice(&["auto", "off"]), false, "auto"),
    field("eager", Kind::YesNo, false, "false"),
    field("programs", Kind::Table, false, ""),
];

static CREDENTIALS: &[Field] = &[
    field("client_secret", Kind::Secret, true, ""),
    field("file", Kind::SecretFile, false, ""),
];

const fn connector(system: &'static str) -> Connector {
    Connector {
        system: SystemId::new(system),
        title: "A fake",
        form: ConnectionForm {
            settings: SETTINGS,
            credentials: CREDENTIALS,
        },
        accept,
        addresses: |settings: &Settings, _: Environment| {
            settings
                .text("address")
                .map(str::to_owned)
                .into_iter()
                .collect()
        },
        place: |settings: &Settings, _: Environment| {
            settings.text("address").unwrap_or_default().to_owned()
        },
        requests_per_minute: |_| 0,
        allowance: |_, _| None,
        logs_in: &FakeLogin,
        probes: &FakeProbes,
        verifies: Some(&FakeVerifies),
        hooks: None,
        offers: None,
        ports: Ports {
            vendor: OPEN_FOR_VENDORS,
            order: OPEN_FOR_ORDERS,
            ..Ports::CLOSED
        },
    }
}

const OPEN_FOR_VENDORS: Port<Vendor> = Port {
    watches: None,
    lists: Some(&Unused),
    reads: Some(&Unused),
    writes: Some(&Unused),
};
const OPEN_FOR_ORDERS: Port<Order> = Port {
    watches: None,
    lists: Some(&Unused),
    reads: Some(&Unused),
    writes: Some(&Unused),
};

/// Ports that are there, so that pairs can be made, and that these tests never go through.
struct Unused;

impl Lists for Unused {
    fn changed<'a>(
        &'a self,
        _: &'a Session,
        _: &'a ListScope,
        _: Option<&'a str>,
    ) -> Answer<'a, Page<Seen>> {
        unreachable!("nothing is listed here")
    }
}

impl<E: Canonical> Reads<E> for Unused {
    fn read<'a>(&'a self, _: &'a Session, _: &'a SourceKey) -> Answer<'a, Option<Read<E>>> {
        unreachable!("nothing is read here")
    }

    fn translate(&self, _: &Value, _: &Settings) -> Result<E, Vec<Issue>> {
        unreachable!("nothing is translated here")
    }
}

impl<E: Canonical> Writes<E> for Unused {
    fn draft(&self, _: &E, _: &Settings, _: &Refs<'_>) -> Result<Draft, Vec<Issue>> {
        unreachable!("nothing is drafted here")
    }

    fn lacking<'a>(&'a self, _: &'a Session, _: &'a Draft) -> Answer<'a, Vec<WaitingFor>> {
        unreachable!("nothing is written here")
    }

    fn find<'a>(&'a self, _: &'a Session, _: &'a Draft, _: &'a WriteTag) -> Answer<'a, Found> {
        unreachable!("nothing is written here")
    }

    fn differences<'a>(
        &'a self,
        _: &'a Session,
        _: &'a Draft,
        _: &'a str,
    ) -> Answer<'a, Vec<Change>> {
        unreachable!("nothing is written here")
    }

    fn upcoming(&self, _: &Draft, _: &Progress) -> Upcoming {
        unreachable!("nothing is written here")
    }

    fn step<'a>(&'a self, _: &'a Session, _: &'a Draft, _: &'a Progress) -> Answer<'a, Step> {
        unreachable!("nothing is written here")
    }

    fn check<'a>(&'a self, _: &'a Session, _: &'a Draft, _: &'a Progress) -> Answer<'a, Step> {
        unreachable!("nothing is written here")
    }

    fn undo<'a>(&'a self, _: &'a Session, _: &'a Progress) -> Answer<'a, ()> {
        unreachable!("nothing is written here")
    }

    fn repeat(&self) -> Repeat {
        Repeat::Lookup
    }
}

/// A file gives a setting that nobody enters, as a file of a real system does.
fn accept(
    settings: &mut Settings,
    credentials: &Credentials,
    _: Environment,
) -> Result<(), Vec<Issue>> {
    match credentials.text("file") {
        Ok("broken") => Err(vec![Issue::new(
            "credentials/file",
            "malformed",
            "the file cannot be read",
        )]),
        Ok(file) => {
            settings.set("from_file", file.to_owned());
            Ok(())
        }
        Err(_) => Ok(()),
    }
}

/// Two fakes under real systems' names, so that the real kind of pair can join them.
pub static CONNECTORS: &[&Connector] = &[&PROJECTS, &BOOKS];

static PROJECTS: Connector = connector("procore");
static BOOKS: Connector = connector("infor_m3");

/// Settings that the fake accepts.
pub fn settings() -> Settings {
    let mut settings = Settings(BTreeMap::new());
    settings.set("address", "https://api.example");
    settings
}
