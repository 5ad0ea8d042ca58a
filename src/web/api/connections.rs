//! Connections over the API. Secrets go in and never come out.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::call::{Answer, Call, created, nothing, ok};
use super::given::Given;
use crate::desk::Values;
use crate::desk::connection::{self, ChangedConnection, NewConnection};
use crate::domain::connection::{AuthFault, Connection, Ping, PingStep, Setting};
use crate::domain::fault::Issue;
use crate::domain::form::Kind;
use crate::domain::ids::ConnectionId;
use crate::engine::catalog::SystemForm;
use crate::web::id::Id;
use crate::web::problem::Problem;

/// One connection.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionView {
    pub id: String,
    pub system: String,
    pub name: String,
    /// `production` or `sandbox`.
    pub environment: String,
    /// By the names of the system's form; what came out of a credential is among them.
    #[schema(value_type = Object)]
    pub settings: Map<String, Value>,
    /// Which credentials are set, and since when. Never what they are.
    pub credentials: BTreeMap<String, CredentialView>,
    pub last_ping: Option<PingView>,
    /// Why log-in fails, while it does.
    pub log_in_fault: Option<LogInFault>,
    pub created_at: String,
    pub updated_at: String,
}

/// A credential that is set.
#[derive(Debug, Serialize, ToSchema)]
pub struct CredentialView {
    pub set: bool,
    pub changed_at: String,
}

/// A log-in that the system refuses.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogInFault {
    pub code: String,
    pub message: String,
    pub since: String,
    /// When it is tried again without being asked.
    pub next_try_at: String,
}

/// The result of one test.
#[derive(Debug, Serialize, ToSchema)]
pub struct PingView {
    pub ok: bool,
    pub at: String,
    pub steps: Vec<PingStepView>,
}

/// One step of a test.
#[derive(Debug, Serialize, ToSchema)]
pub struct PingStepView {
    /// `address`, `tls`, `token`, `company`, `permission:…`, `defaults`, `sample_read`.
    pub name: String,
    pub ok: bool,
    pub ms: u64,
    pub detail: String,
    /// What a person can do about it; null when it is well.
    pub hint: Option<String>,
}

impl From<Ping> for PingView {
    fn from(ping: Ping) -> Self {
        Self {
            ok: ping.ok,
            at: ping.at.to_string(),
            steps: ping.steps.into_iter().map(PingStepView::from).collect(),
        }
    }
}

impl From<PingStep> for PingStepView {
    fn from(step: PingStep) -> Self {
        Self {
            name: step.name,
            ok: step.ok,
            ms: step.ms,
            detail: step.detail,
            hint: step.hint,
        }
    }
}

impl From<AuthFault> for LogInFault {
    fn from(found: AuthFault) -> Self {
        Self {
            code: found.fault.code().to_owned(),
            message: found.fault.to_string(),
            since: found.since.to_string(),
            next_try_at: found.next_try_at.to_string(),
        }
    }
}

/// A connection to be made.
#[derive(Debug, ToSchema)]
#[allow(
    dead_code,
    reason = "told in the OpenAPI document; the desk reads the fields by the form"
)]
pub struct NewConnectionBody {
    /// One of the systems that this product connects.
    pub system: String,
    pub name: String,
    /// `production` or `sandbox`.
    pub environment: String,
    /// By the names of the system's form.
    #[schema(value_type = Object)]
    pub settings: Map<String, Value>,
    /// Write-only.
    #[schema(value_type = Object)]
    pub credentials: Map<String, Value>,
}

/// What is to be changed; what is not named stays. A setting that is `null` goes back to its default.
#[derive(Debug, ToSchema)]
#[allow(
    dead_code,
    reason = "told in the OpenAPI document; the desk reads the fields by the form"
)]
pub struct ChangedConnectionBody {
    pub name: Option<String>,
    pub environment: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub settings: Option<Map<String, Value>>,
    /// Those that are replaced. When the host changes, the others are forgotten.
    #[schema(value_type = Option<Object>)]
    pub credentials: Option<Map<String, Value>>,
}

fn view(call: &Call, connection: Connection) -> ConnectionView {
    let form = call.desk().engine.system(&connection.system);
    let settings = connection.settings.0.into_iter().map(|(name, setting)| {
        let value = setting_value(form.as_ref(), &name, setting);
        (name, value)
    });
    let credentials = connection.credentials.into_iter().map(|(name, at)| {
        let changed_at = at.to_string();
        (
            name,
            CredentialView {
                set: true,
                changed_at,
            },
        )
    });
    ConnectionView {
        id: connection.id.to_string(),
        system: connection.system.to_string(),
        name: connection.name,
        environment: connection.environment.to_string(),
        settings: settings.collect(),
        credentials: credentials.collect(),
        last_ping: connection.last_ping.map(PingView::from),
        log_in_fault: connection.auth_fault.map(LogInFault::from),
        created_at: connection.created_at.to_string(),
        updated_at: connection.updated_at.to_string(),
    }
}

/// A setting as its form means it: numbers that are no ids are numbers.
fn setting_value(form: Option<&SystemForm>, name: &str, setting: Setting) -> Value {
    let kind = form
        .and_then(|form| form.setting(name))
        .map(|field| field.kind);
    match (setting, kind) {
        (Setting::Table(rows), _) => {
            let entries = rows.into_iter();
            Value::Object(entries.map(|(name, text)| (name, text.into())).collect())
        }
        (Setting::Text(text), Some(Kind::Number { .. })) => match text.parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => text.into(),
        },
        (Setting::Text(text), Some(Kind::YesNo)) => (text == "true").into(),
        (Setting::Text(text), _) => text.into(),
    }
}

/// An object of values; empty, with an issue when it is something else.
fn values(given: &mut Given, name: &str) -> Values {
    match given.value(name) {
        None => Values::new(),
        Some(Value::Object(object)) => object.clone(),
        Some(_) => {
            let says = "Send an object with the names of the form.";
            given.tell(Issue::new(name, "wrong_type", says));
            Values::new()
        }
    }
}

/// `GET /api/v1/connections`.
///
/// # Errors
/// As the desk's.
pub async fn list(call: Call) -> Answer {
    let paging = call.paging()?;
    let after: Option<ConnectionId> = paging.before()?;
    let found = connection::list(call.desk(), &call.caller, after, paging.one_more()).await?;
    let page = paging.cut(found, |connection| connection.id.to_string());
    ok(&page.map(|connection| view(&call, connection)))
}

/// `POST /api/v1/connections`.
///
/// # Errors
/// As the desk's.
pub async fn create(call: Call) -> Answer {
    let mut given = call.given()?;
    let new = NewConnection {
        system: given.text("system").unwrap_or_default(),
        name: given.text("name").unwrap_or_default(),
        environment: given.text("environment").unwrap_or_default(),
        settings: values(&mut given, "settings"),
        credentials: values(&mut given, "credentials"),
    };
    given.done()?;
    let made = connection::create(call.desk(), &call.caller, new).await?;
    let at = format!("/api/v1/connections/{}", made.id);
    created(&at, &view(&call, made))
}

/// `GET /api/v1/connections/{id}`.
///
/// # Errors
/// `missing`.
pub async fn show(call: Call, id: Id<ConnectionId>) -> Answer {
    let found = connection::find(call.desk(), &call.caller, id.0).await?;
    ok(&view(&call, found))
}

/// `PATCH /api/v1/connections/{id}`.
///
/// # Errors
/// As the desk's.
pub async fn change(call: Call, id: Id<ConnectionId>) -> Answer {
    let wanted = changed(call.given()?)?;
    let after = connection::change(call.desk(), &call.caller, id.0, wanted).await?;
    ok(&view(&call, after))
}

fn changed(mut given: Given) -> Result<ChangedConnection, Problem> {
    let wanted = ChangedConnection {
        system: given.text("system"),
        name: given.text("name"),
        environment: given.text("environment"),
        settings: values(&mut given, "settings"),
        credentials: values(&mut given, "credentials"),
    };
    given.done().map(|()| wanted)
}

/// `DELETE /api/v1/connections/{id}`.
///
/// # Errors
/// As the desk's.
pub async fn remove(call: Call, id: Id<ConnectionId>) -> Answer {
    connection::remove(call.desk(), &call.caller, id.0).await?;
    nothing()
}

/// `POST /api/v1/connections/{id}/ping`.
///
/// # Errors
/// `missing`.
pub async fn ping(call: Call, id: Id<ConnectionId>) -> Answer {
    let ping = connection::ping(call.desk(), &call.caller, id.0).await?;
    ok(&PingView::from(ping))
}
