//! What people do with a pair: activate, pause, run, remove.

use askama::Template;

use super::show;
use crate::desk::run::{self, Wanted};
use crate::desk::{DeskError, DryRun, pair};
use crate::domain::ids::PairId;
use crate::web::id::Id;
use crate::web::page::{self, Answer, Flash, Form, Shell, Visit};

/// `POST /pairs/{id}/activate`.
///
/// # Errors
/// As the desk's; what stands in the way is shown on the page.
pub async fn activate(mut visit: Visit, id: Id<PairId>) -> Answer {
    let form = Form::from(std::mem::take(&mut visit.fields));
    let dry_run = if form.fields.is_on("without_dry_run") {
        DryRun::Waived
    } else {
        DryRun::Needed
    };
    match pair::activate(visit.desk(), visit.caller(), id.0, dry_run).await {
        Ok(_) => {
            let flash = Flash::done("The pair is active. Its first run has begun.");
            Ok(flash.go(&visit.site, format!("/pairs/{}", id.0)))
        }
        Err(DeskError::Blocked(blockers)) => {
            page::again(&show::drawn(&visit, id.0, form, blockers).await?)
        }
        Err(error) => said(&visit, id.0, error),
    }
}

/// `POST /pairs/{id}/pause`.
///
/// # Errors
/// As the desk's.
pub async fn pause(visit: Visit, id: Id<PairId>) -> Answer {
    match pair::pause(visit.desk(), visit.caller(), id.0).await {
        Ok(_) => {
            let says = "The pair is paused: nothing more is read or written for it.";
            Ok(Flash::done(says).go(&visit.site, format!("/pairs/{}", id.0)))
        }
        Err(error) => said(&visit, id.0, error),
    }
}

/// `POST /pairs/{id}/runs`.
///
/// # Errors
/// As the desk's.
pub async fn start(visit: Visit, id: Id<PairId>) -> Answer {
    let wanted = Wanted {
        flows: None,
        full: visit.fields.is_on("full"),
        dry_run: visit.fields.is_on("dry_run"),
    };
    let is_dry = wanted.dry_run;
    match run::start(visit.desk(), visit.caller(), id.0, wanted).await {
        Ok(run) => {
            let says = if is_dry {
                "The dry run has begun. It writes nothing; this page follows it."
            } else {
                "The run has begun. This page follows it."
            };
            let flash = Flash::done(says);
            Ok(flash.go(&visit.site, format!("/runs/{run}")))
        }
        Err(error) => said(&visit, id.0, error),
    }
}

#[derive(Template)]
#[template(path = "pairs/remove.html")]
struct Remove {
    shell: Shell,
    title: String,
    url: String,
    back: String,
}

/// `GET /pairs/{id}/remove`: asks first.
///
/// # Errors
/// `missing`.
pub async fn ask_remove(visit: Visit, id: Id<PairId>) -> Answer {
    let shown = pair::find(visit.desk(), visit.caller(), id.0).await?;
    page::show(&Remove {
        shell: visit.shell("pairs"),
        title: format!("Remove “{}”?", shown.pair.settings.name),
        url: format!("/pairs/{}/remove", id.0),
        back: format!("/pairs/{}", id.0),
    })
}

/// `POST /pairs/{id}/remove`.
///
/// # Errors
/// As the desk's.
pub async fn remove(visit: Visit, id: Id<PairId>) -> Answer {
    match pair::remove(visit.desk(), visit.caller(), id.0).await {
        Ok(()) => Ok(
            Flash::done("The pair was removed. Its links and its trail stay.")
                .go(&visit.site, "/pairs"),
        ),
        Err(error) => said(&visit, id.0, error),
    }
}

/// A refusal that the pair's own page says.
fn said(visit: &Visit, id: PairId, error: DeskError) -> Answer {
    match error {
        DeskError::NotNow { message, .. } => {
            Ok(Flash::warning(message).go(&visit.site, format!("/pairs/{id}")))
        }
        other => Err(other.into()),
    }
}
