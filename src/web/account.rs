//! One's own account: the password, and where one is signed in.

use askama::Template;

use super::id::Id;
use super::page::{self, Answer, Flash, Form, Shell, Visit, say};
use super::problem::Problem;
use crate::desk::session::{self, NewPassword};
use crate::domain::fault::Issue;
use crate::domain::ids::SessionId;
use crate::domain::secret::Secret;

#[derive(Template)]
#[template(path = "account.html")]
struct Account {
    shell: Shell,
    form: Form,
    sessions: Vec<Line>,
}

struct Line {
    id: SessionId,
    is_this: bool,
    began: String,
    used: String,
}

/// `GET /account`.
///
/// # Errors
/// As the desk's.
pub async fn show(visit: Visit) -> Answer {
    page::show(&drawn(&visit, Form::default()).await?)
}

async fn drawn(visit: &Visit, form: Form) -> Result<Account, Problem> {
    let now = visit.now();
    let open = session::open(visit.desk(), visit.caller()).await?;
    let line = |open: crate::store::session::Open| Line {
        id: open.id,
        is_this: open.id == visit.session.id,
        began: say::time(open.created_at),
        used: say::distance(open.seen_at, now),
    };
    Ok(Account {
        shell: visit.shell("account"),
        form,
        sessions: open.into_iter().map(line).collect(),
    })
}

/// `POST /account/password`.
///
/// # Errors
/// As the desk's; fields are shown again, empty.
pub async fn change_password(mut visit: Visit) -> Answer {
    let form = Form::from(std::mem::take(&mut visit.fields));
    if form.value("current_password").is_empty() {
        let issue = Issue::new(
            "current_password",
            "missing",
            "Enter your current password.",
        );
        return page::again(&drawn(&visit, form.with(vec![issue])).await?);
    }
    let wanted = NewPassword {
        current: Secret::new(form.value("current_password").to_owned()),
        new: Secret::new(form.value("new_password").to_owned()),
    };
    let origin = visit.caller().actor.origin.clone().unwrap_or_default();
    match session::change_password(visit.desk(), &visit.session, wanted, &origin).await {
        Ok(()) => {
            let says = "Your password was changed. Everywhere else you are signed out.";
            Ok(Flash::done(says).go(&visit.site, "/account"))
        }
        Err(error) => page::again(&drawn(&visit, form.refused(error)?).await?),
    }
}

/// `POST /account/sessions/{id}/end`.
///
/// # Errors
/// `missing`.
pub async fn end(visit: Visit, id: Id<SessionId>) -> Answer {
    session::revoke(visit.desk(), visit.caller(), id.0).await?;
    Ok(Flash::done("That browser is signed out.").go(&visit.site, "/account"))
}
