//! Testing a connection, and removing one.

use askama::Template;

use crate::desk::connection;
use crate::domain::ids::ConnectionId;
use crate::web::id::Id;
use crate::web::page::{self, Answer, Flash, Shell, Visit};

/// `POST /connections/{id}/ping`: tests now, and shows the steps.
///
/// # Errors
/// `missing`.
pub async fn ping(visit: Visit, id: Id<ConnectionId>) -> Answer {
    tested(&visit, id.0).await
}

/// Tests, and goes on to the steps.
pub(super) async fn tested(visit: &Visit, id: ConnectionId) -> Answer {
    let ping = connection::ping(visit.desk(), visit.caller(), id).await?;
    let flash = if ping.ok {
        Flash::done("The test went well.")
    } else {
        Flash::error("The test failed. The step that failed says what to do.")
    };
    Ok(flash.go(&visit.site, format!("/connections/{id}")))
}

#[derive(Template)]
#[template(path = "connections/remove.html")]
struct Remove {
    shell: Shell,
    title: String,
    url: String,
    back: String,
}

/// `GET /connections/{id}/remove`: asks first.
///
/// # Errors
/// `missing`.
pub async fn ask_remove(visit: Visit, id: Id<ConnectionId>) -> Answer {
    let connection = connection::find(visit.desk(), visit.caller(), id.0).await?;
    page::show(&Remove {
        shell: visit.shell("connections"),
        title: format!("Remove “{}”?", connection.name),
        url: format!("/connections/{}/remove", connection.id),
        back: format!("/connections/{}", connection.id),
    })
}

/// `POST /connections/{id}/remove`.
///
/// # Errors
/// `missing`.
pub async fn remove(visit: Visit, id: Id<ConnectionId>) -> Answer {
    match connection::remove(visit.desk(), visit.caller(), id.0).await {
        Ok(()) => {
            let flash = Flash::done("The connection and its secrets were removed.");
            Ok(flash.go(&visit.site, "/connections"))
        }
        Err(crate::desk::DeskError::NotNow { message, .. }) => {
            Ok(Flash::warning(message).go(&visit.site, format!("/connections/{}", id.0)))
        }
        Err(error) => Err(error.into()),
    }
}
