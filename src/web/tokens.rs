//! API tokens: list, make, revoke.

use askama::Template;

use super::id::Id;
use super::page::{self, Answer, Flash, Form, Shell, Visit, say};
use super::paging::Paging;
use crate::desk::token::{self, DAYS_DEFAULT, NewToken};
use crate::domain::clock::Timestamp;
use crate::domain::fault::Issue;
use crate::domain::ids::TokenId;
use crate::domain::member::Scope;
use crate::domain::token::ApiToken;

#[derive(Template)]
#[template(path = "tokens/list.html")]
struct List {
    shell: Shell,
    rows: Vec<Row>,
    next: String,
}

struct Row {
    id: TokenId,
    name: String,
    scopes: String,
    created: String,
    expires: String,
    expires_at: Timestamp,
    is_live: bool,
    used: String,
}

impl Row {
    fn new(token: ApiToken, now: Timestamp) -> Self {
        let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.as_str()).collect();
        Self {
            id: token.id,
            is_live: token.is_live(now),
            scopes: scopes.join(", "),
            created: say::date(token.created_at),
            expires: say::date(token.expires_at),
            expires_at: token.expires_at,
            used: token
                .last_used_at
                .map_or_else(|| "never".to_owned(), |at| say::distance(at, now)),
            name: token.name,
        }
    }
}

/// `GET /tokens`.
///
/// # Errors
/// As the desk's.
pub async fn list(visit: Visit) -> Answer {
    let paging = Paging::of(&visit.query)?;
    let found = token::list(
        visit.desk(),
        visit.caller(),
        paging.before()?,
        paging.one_more(),
    )
    .await?;
    let page = paging.cut(found, |token| token.id.to_string());
    let now = visit.now();
    page::show(&List {
        shell: visit.shell("tokens"),
        rows: page
            .data
            .into_iter()
            .map(|token| Row::new(token, now))
            .collect(),
        next: page
            .next_cursor
            .map_or_else(String::new, |cursor| format!("/tokens?cursor={cursor}")),
    })
}

#[derive(Template)]
#[template(path = "tokens/new.html")]
struct New {
    shell: Shell,
    form: Form,
    scopes: Vec<Choice>,
}

struct Choice {
    word: &'static str,
    says: &'static str,
}

fn choices(visit: &Visit) -> Vec<Choice> {
    let mine = Scope::ALL
        .iter()
        .filter(|scope| visit.caller().may(**scope));
    mine.map(|scope| Choice {
        word: scope.as_str(),
        says: match scope {
            Scope::Read => "See records, runs and settings",
            Scope::Operate => "Run, retry and map",
            Scope::Approve => "Let money through",
            Scope::Admin => "Change connections, pairs and tokens",
        },
    })
    .collect()
}

/// `GET /tokens/new`.
///
/// # Errors
/// When the page cannot be drawn.
pub async fn new(visit: Visit) -> Answer {
    let mut form = Form::default();
    form.fields.set("expires_in_days", DAYS_DEFAULT.to_string());
    form.fields.set("scopes", Scope::Read.as_str());
    page::show(&New {
        shell: visit.shell("tokens"),
        form,
        scopes: choices(&visit),
    })
}

#[derive(Template)]
#[template(path = "tokens/made.html")]
struct MadePage<'a> {
    shell: Shell,
    name: &'a str,
    key: &'a str,
    expires: String,
}

/// `POST /tokens`: shows the token, this once.
///
/// # Errors
/// As the desk's; fields are shown again.
pub async fn create(mut visit: Visit) -> Answer {
    let form = Form::from(std::mem::take(&mut visit.fields));
    let made = match parse(&form) {
        Ok(new) => token::create(visit.desk(), visit.caller(), new).await,
        Err(issues) => Err(crate::desk::DeskError::Invalid(issues)),
    };
    match made {
        Ok(made) => page::show(&MadePage {
            shell: visit.shell("tokens"),
            name: &made.token.name,
            key: made.key.open(),
            expires: say::date(made.token.expires_at),
        }),
        Err(error) => page::again(&New {
            shell: visit.shell("tokens"),
            form: form.refused(error)?,
            scopes: choices(&visit),
        }),
    }
}

fn parse(form: &Form) -> Result<NewToken, Vec<Issue>> {
    let days = form.fields.given("expires_in_days").map(str::parse);
    let scopes = form.fields.all("scopes").map(str::parse).collect();
    let mut issues = Vec::new();
    if matches!(days, Some(Err(_))) {
        let says = "Enter a number of days.";
        issues.push(Issue::new("expires_in_days", "malformed", says));
    }
    match (days.transpose(), scopes) {
        (Ok(expires_in_days), Ok(scopes)) => Ok(NewToken {
            name: form.value("name").to_owned(),
            scopes,
            expires_in_days,
        }),
        (_, Err(unknown)) => {
            issues.push(Issue::new("scopes", "unknown", format!("{unknown}.")));
            Err(issues)
        }
        _ => Err(issues),
    }
}

#[derive(Template)]
#[template(path = "tokens/revoke.html")]
struct Revoke {
    shell: Shell,
    title: String,
    url: String,
}

/// `GET /tokens/{id}/revoke`: asks first.
///
/// # Errors
/// `missing`.
pub async fn ask(visit: Visit, id: Id<TokenId>) -> Answer {
    let token = token::find(visit.desk(), visit.caller(), id.0).await?;
    page::show(&Revoke {
        shell: visit.shell("tokens"),
        title: format!("Revoke “{}”?", token.name),
        url: format!("/tokens/{}/revoke", token.id),
    })
}

/// `POST /tokens/{id}/revoke`.
///
/// # Errors
/// `missing`.
pub async fn revoke(visit: Visit, id: Id<TokenId>) -> Answer {
    token::revoke(visit.desk(), visit.caller(), id.0).await?;
    Ok(Flash::done("The token was revoked. It opens nothing any more.").go(&visit.site, "/tokens"))
}
