//! The list of connections, and the tiles that stand there before there is one.

use askama::Template;

use super::{Lamp, environment_title};
use crate::desk::connection;
use crate::domain::connection::Environment;
use crate::domain::form::Field;
use crate::domain::ids::ConnectionId;
use crate::domain::member::Scope;
use crate::engine::catalog::SystemForm;
use crate::store;
use crate::web::names::system_title;
use crate::web::page::{self, Answer, Shell, Visit, say};

/// More connections than one tenant has.
const SHOWN_MAX: u32 = 200;

#[derive(Template)]
#[template(path = "connections/list.html")]
struct List {
    shell: Shell,
    rows: Vec<Row>,
    tiles: Vec<Tile>,
    may_change: bool,
}

struct Row {
    id: ConnectionId,
    name: String,
    system: String,
    environment: &'static str,
    is_sandbox: bool,
    lamp: Lamp,
    tested: String,
    tested_at: String,
    pairs: Vec<(String, String)>,
}

/// A system that can be connected, and what to ask one's administrator for.
pub struct Tile {
    pub system: String,
    pub title: &'static str,
    pub asks: Vec<Ask>,
}

pub struct Ask {
    pub label: &'static str,
    pub hint: &'static str,
}

impl Tile {
    #[must_use]
    pub fn new(form: &SystemForm) -> Self {
        let ask = |field: &Field| Ask {
            label: field.label,
            hint: field.hint,
        };
        let needed = form.settings.iter().filter(|field| field.required);
        Self {
            system: form.system.to_string(),
            title: form.title,
            asks: form.credentials.iter().chain(needed).map(ask).collect(),
        }
    }
}

/// `GET /connections`.
///
/// # Errors
/// As the desk's.
pub async fn list(visit: Visit) -> Answer {
    let engine = &visit.desk().engine;
    let found = connection::list(visit.desk(), visit.caller(), None, SHOWN_MAX).await?;
    let scope = visit.desk().store().read(visit.caller().tenant_id).await?;
    let now = visit.now();
    let mut rows = Vec::new();
    for connection in found {
        let pairs = store::pair::of_connection(&scope, connection.id).await?;
        let tested = connection.last_ping.as_ref().map(|ping| ping.at);
        rows.push(Row {
            id: connection.id,
            lamp: Lamp::of(&connection),
            system: system_title(engine, &connection.system),
            environment: environment_title(connection.environment),
            is_sandbox: connection.environment == Environment::Sandbox,
            tested: tested.map_or_else(|| "never".to_owned(), |at| say::distance(at, now)),
            tested_at: tested.map_or_else(String::new, |at| at.to_string()),
            pairs: pairs
                .into_iter()
                .map(|pair| (pair.id.to_string(), pair.settings.name))
                .collect(),
            name: connection.name,
        });
    }
    drop(scope);
    page::show(&List {
        shell: visit.shell("connections"),
        tiles: engine.systems().iter().map(Tile::new).collect(),
        may_change: visit.caller().may(Scope::Admin),
        rows,
    })
}
