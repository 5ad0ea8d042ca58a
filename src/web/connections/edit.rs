//! Adding a connection, and changing one.

use askama::Template;

use super::act;
use super::entry::{self, Control, Controls};
use super::environment_title;
use super::list::Tile;
use crate::desk::connection::{self, ChangedConnection, NewConnection};
use crate::domain::connection::{Connection, Environment};
use crate::domain::ids::ConnectionId;
use crate::domain::system::SystemId;
use crate::engine::catalog::SystemForm;
use crate::web::id::Id;
use crate::web::names::Choice;
use crate::web::page::{self, Answer, Flash, Form, Shell, Visit};
use crate::web::problem::Problem;

#[derive(Template)]
#[template(path = "connections/choose.html")]
struct Choose {
    shell: Shell,
    tiles: Vec<Tile>,
}

#[derive(Template)]
#[template(path = "connections/edit.html")]
struct Edit {
    shell: Shell,
    form: Form,
    title: String,
    system: String,
    action: String,
    back: String,
    environments: Vec<Choice>,
    needed: Vec<Control>,
    more: Vec<Control>,
    open: bool,
}

impl Edit {
    fn new(visit: &Visit, system: &SystemForm, form: Form) -> Self {
        Self {
            title: format!("Connect {}", system.title),
            action: "/connections".to_owned(),
            back: "/connections".to_owned(),
            ..Self::drawn(visit, system, form, None)
        }
    }

    fn of(visit: &Visit, system: &SystemForm, form: Form, connection: &Connection) -> Self {
        let id = connection.id;
        Self {
            title: format!("Change “{}”", connection.name),
            action: format!("/connections/{id}"),
            back: format!("/connections/{id}"),
            ..Self::drawn(visit, system, form, Some(connection))
        }
    }

    fn drawn(visit: &Visit, system: &SystemForm, form: Form, of: Option<&Connection>) -> Self {
        let Controls { needed, more, open } = entry::controls(system, &form, of);
        let environments = Environment::ALL.iter();
        Self {
            shell: visit.shell("connections"),
            title: String::new(),
            system: system.system.to_string(),
            action: String::new(),
            back: String::new(),
            environments: environments
                .map(|one| Choice::new(one, environment_title(*one)))
                .collect(),
            needed,
            more,
            open,
            form,
        }
    }
}

fn system(visit: &Visit, word: &str) -> Result<SystemForm, Problem> {
    let system = SystemId::from(word.to_owned());
    let form = visit.desk().engine.system(&system);
    form.ok_or_else(|| Problem::missing("system"))
}

/// `GET /connections/new`: which system, then its form.
///
/// # Errors
/// `missing`, for a system that nobody knows.
pub async fn new(visit: Visit) -> Answer {
    let Some(word) = visit.query.given("system") else {
        let systems = visit.desk().engine.systems();
        return page::show(&Choose {
            shell: visit.shell("connections"),
            tiles: systems.iter().map(Tile::new).collect(),
        });
    };
    let system = system(&visit, word)?;
    let mut form = Form::default();
    form.fields.set("name", system.title);
    form.fields
        .set("environment", Environment::Production.as_str());
    page::show(&Edit::new(&visit, &system, form))
}

/// `POST /connections`: saves, and tests where that was asked for.
///
/// # Errors
/// As the desk's; fields are shown again, secrets are not.
pub async fn create(mut visit: Visit) -> Answer {
    let form = Form::from(std::mem::take(&mut visit.fields));
    let system = system(&visit, form.value("system"))?;
    let new = NewConnection {
        system: system.system.to_string(),
        name: form.value("name").to_owned(),
        environment: form.value("environment").to_owned(),
        settings: entry::settings(&system, &form.fields),
        credentials: entry::credentials(&system, &form.fields),
    };
    match connection::create(visit.desk(), visit.caller(), new).await {
        Ok(connection) => saved(&visit, connection.id, &form).await,
        Err(error) => page::again(&Edit::new(&visit, &system, form.refused(error)?)),
    }
}

/// `GET /connections/{id}/edit`.
///
/// # Errors
/// `missing`.
pub async fn edit(visit: Visit, id: Id<ConnectionId>) -> Answer {
    let connection = connection::find(visit.desk(), visit.caller(), id.0).await?;
    let system = system(&visit, connection.system.as_str())?;
    let form = Form::from(entry::filled(&connection));
    page::show(&Edit::of(&visit, &system, form, &connection))
}

/// `POST /connections/{id}`.
///
/// # Errors
/// As the desk's; fields are shown again, secrets are not.
pub async fn change(mut visit: Visit, id: Id<ConnectionId>) -> Answer {
    let form = Form::from(std::mem::take(&mut visit.fields));
    let before = connection::find(visit.desk(), visit.caller(), id.0).await?;
    let system = system(&visit, before.system.as_str())?;
    let wanted = ChangedConnection {
        system: None,
        name: Some(form.value("name").to_owned()),
        environment: Some(form.value("environment").to_owned()),
        settings: entry::settings(&system, &form.fields),
        credentials: entry::credentials(&system, &form.fields),
    };
    match connection::change(visit.desk(), visit.caller(), id.0, wanted).await {
        Ok(connection) => saved(&visit, connection.id, &form).await,
        Err(error) => page::again(&Edit::of(&visit, &system, form.refused(error)?, &before)),
    }
}

/// Goes on to the connection, by way of its test where that was asked for.
async fn saved(visit: &Visit, id: ConnectionId, form: &Form) -> Answer {
    if form.value("then") == "test" {
        return act::tested(visit, id).await;
    }
    let flash = Flash::done("Saved. Test it before it is used in a pair.");
    Ok(flash.go(&visit.site, format!("/connections/{id}")))
}
