//! What people do with one record. Whatever takes a reason asks for it on a page of its own.

use askama::Template;

use super::title;
use crate::desk::record::{self, Act};
use crate::domain::ids::RecordId;
use crate::domain::record::Record;
use crate::store;
use crate::web::id::Id;
use crate::web::page::{self, Answer, Flash, Form, Shell, Visit};
use crate::web::problem::Problem;

/// `POST /records/{id}/retry`.
///
/// # Errors
/// As the desk's.
pub async fn retry(visit: Visit, id: Id<RecordId>) -> Answer {
    act(visit, id.0, Act::Retry, "Its source is read again.").await
}

/// `POST /records/{id}/replay`.
///
/// # Errors
/// As the desk's.
pub async fn replay(visit: Visit, id: Id<RecordId>) -> Answer {
    let says = "It is worked from the source as it was stored.";
    act(visit, id.0, Act::Replay, says).await
}

/// `POST /records/{id}/link`.
///
/// # Errors
/// As the desk's.
pub async fn link(visit: Visit, id: Id<RecordId>) -> Answer {
    let target_id = visit.fields.get("target_id").to_owned();
    if target_id.trim().is_empty() {
        let flash = Flash::error("Say which record of the other system it is.");
        return Ok(flash.go(&visit.site, format!("/records/{}", id.0)));
    }
    let says = format!("It will be linked to {target_id}.");
    act(visit, id.0, Act::Link { target_id }, &says).await
}

/// `POST /records/{id}/create`: none of the candidates is it.
///
/// # Errors
/// As the desk's.
pub async fn create(visit: Visit, id: Id<RecordId>) -> Answer {
    act(visit, id.0, Act::Create, "It is taken for a new one.").await
}

async fn act(visit: Visit, id: RecordId, act: Act, says: &str) -> Answer {
    let to = format!("/records/{id}");
    match record::act(visit.desk(), visit.caller(), id, act).await {
        Ok(_) => Ok(Flash::done(says).go(&visit.site, to)),
        Err(crate::desk::DeskError::NotNow { message, .. }) => {
            Ok(Flash::warning(message).go(&visit.site, to))
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "records/ignore.html")]
struct Ignore {
    shell: Shell,
    form: Form,
    title: String,
    url: String,
    back: String,
}

impl Ignore {
    fn of(visit: &Visit, record: &Record, form: Form) -> Self {
        Self {
            shell: visit.shell("records"),
            form,
            title: format!("Ignore {}?", title(record)),
            url: format!("/records/{}/ignore", record.id),
            back: format!("/records/{}", record.id),
        }
    }
}

/// `GET /records/{id}/ignore`: asks why.
///
/// # Errors
/// `missing`.
pub async fn ask_ignore(visit: Visit, id: Id<RecordId>) -> Answer {
    let record = find(&visit, id.0).await?;
    page::show(&Ignore::of(&visit, &record, Form::default()))
}

/// `POST /records/{id}/ignore`.
///
/// # Errors
/// As the desk's.
pub async fn ignore(mut visit: Visit, id: Id<RecordId>) -> Answer {
    let form = Form::from(std::mem::take(&mut visit.fields));
    let reason = form.value("reason").to_owned();
    let act = Act::Ignore { reason };
    match record::act(visit.desk(), visit.caller(), id.0, act).await {
        Ok(work) => {
            let to = format!("/records/{}", work.record.id);
            Ok(Flash::done("It was put aside.").go(&visit.site, to))
        }
        Err(error) => {
            let form = form.refused(error)?;
            let record = find(&visit, id.0).await?;
            page::again(&Ignore::of(&visit, &record, form))
        }
    }
}

pub(in crate::web) async fn find(visit: &Visit, id: RecordId) -> Result<Record, Problem> {
    let scope = visit.desk().store().read(visit.caller().tenant_id).await?;
    Ok(store::record::find(&scope, id).await?.record)
}
