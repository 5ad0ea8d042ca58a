//! What waits for approval: the exact write, decided one by one or all that a filter matches.

use askama::Template;

use super::id::Id;
use super::names::{Choice, Names};
use super::page::{self, Answer, Flash, Form, Shell, Visit, say};
use super::paging::Paging;
use super::records::bulk::sums;
use super::records::show;
use super::records::{Line, Shown, filter};
use crate::desk::four_eyes;
use crate::desk::record::{self, Act};
use crate::domain::ids::RecordId;
use crate::domain::record::State;
use crate::store::search::{self, Filter};

#[derive(Template)]
#[template(path = "approvals/list.html")]
struct List {
    shell: Shell,
    query: super::fields::Fields,
    clear: &'static str,
    pairs: Vec<Choice>,
    flows: Vec<Choice>,
    lines: Vec<Line>,
    totals: Vec<Shown>,
    count: u64,
    count_text: String,
    next: String,
    approve_all: String,
    reject_all: String,
    may_decide: bool,
    decided: Vec<Line>,
}

/// Decisions that are shown when nothing waits.
const DECIDED_SHOWN: u32 = 10;

/// `GET /approvals`.
///
/// # Errors
/// `invalid`, for a filter that cannot be meant.
pub async fn list(visit: Visit) -> Answer {
    let names = Names::load(&visit).await?;
    let filter = Filter {
        states: vec![State::Held],
        ..filter::read(&visit.query)?
    };
    let paging = Paging::of(&visit.query)?;
    let scope = visit.desk().store().read(visit.caller().tenant_id).await?;
    let found = search::records(&scope, &filter, paging.before()?, paging.one_more()).await?;
    let totals = search::totals(&scope, &filter).await?;
    let decided = if found.is_empty() {
        let synced = Filter {
            states: vec![State::Succeeded],
            ..Filter::default()
        };
        search::records(&scope, &synced, None, DECIDED_SHOWN).await?
    } else {
        Vec::new()
    };
    drop(scope);
    let page = paging.cut(found, |work| work.record.id.to_string());
    let now = visit.now();
    let line = |work: &crate::store::record::Work| Line::new(&work.record, &names, now);
    let count = totals.iter().map(|total| total.records).sum();
    let mut query = visit.query.clone();
    query.set("cursor", "");
    let all = |act: &str| {
        let mut query = query.clone();
        query.set("state", State::Held.as_str());
        query.set("act", act);
        format!("/records/bulk{}", query.query())
    };
    page::show(&List {
        shell: visit.shell("approvals"),
        clear: if query.query().is_empty() {
            ""
        } else {
            "/approvals"
        },
        pairs: names.pair_choices(),
        flows: names.flow_choices(),
        lines: page.data.iter().map(line).collect(),
        totals: sums(&totals),
        count,
        count_text: say::plural(count, "record", "records"),
        next: page.next_cursor.map_or_else(String::new, |cursor| {
            let mut query = query.clone();
            query.set("cursor", cursor);
            format!("/approvals{}", query.query())
        }),
        approve_all: all("approve"),
        reject_all: all("reject"),
        may_decide: visit.caller().may(crate::domain::member::Scope::Approve),
        decided: decided
            .iter()
            .filter(|work| work.approved_by.is_some())
            .map(line)
            .collect(),
        query,
    })
}

#[derive(Template)]
#[template(path = "approvals/show.html")]
struct Decide {
    shell: Shell,
    record: show::Page,
    form: Form,
    id: String,
    is_held: bool,
    /// Why somebody else must approve it; empty: the visitor may.
    bar: String,
}

/// `GET /approvals/{id}`: the exact write, and the two buttons.
///
/// # Errors
/// `missing`.
pub async fn show(visit: Visit, id: Id<RecordId>) -> Answer {
    page::show(&drawn(&visit, id.0, Form::default()).await?)
}

async fn drawn(visit: &Visit, id: RecordId, form: Form) -> Result<Decide, super::problem::Problem> {
    let record = show::drawn(visit, id, "approvals").await?;
    let bar = four_eyes::bar(visit.desk(), visit.caller(), id).await?;
    Ok(Decide {
        bar: bar.unwrap_or_default(),
        shell: visit.shell("approvals"),
        is_held: record.state == State::Held.as_str(),
        id: id.to_string(),
        record,
        form,
    })
}

/// `POST /approvals/{id}/approve`: bound to the write that was looked at.
///
/// # Errors
/// As the desk's; a plan that changed is shown again.
pub async fn approve(visit: Visit, id: Id<RecordId>) -> Answer {
    let digest = visit.fields.given("digest").map(str::to_owned);
    let act = Act::Approve { digest };
    match record::act(visit.desk(), visit.caller(), id.0, act).await {
        Ok(work) => {
            let title = super::records::title(&work.record);
            let said = format!("{title} was approved; it is written next.");
            Ok(Flash::done(said).go(&visit.site, next(&visit).await?))
        }
        Err(crate::desk::DeskError::NotNow { message, .. }) => {
            Ok(Flash::warning(message).go(&visit.site, format!("/approvals/{}", id.0)))
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /approvals/{id}/reject`.
///
/// # Errors
/// As the desk's; a missing reason is asked for again.
pub async fn reject(mut visit: Visit, id: Id<RecordId>) -> Answer {
    let form = Form::from(std::mem::take(&mut visit.fields));
    let reason = form.value("reason").to_owned();
    match record::act(visit.desk(), visit.caller(), id.0, Act::Reject { reason }).await {
        Ok(work) => {
            let said = format!("{} was rejected.", super::records::title(&work.record));
            Ok(Flash::done(said).go(&visit.site, next(&visit).await?))
        }
        Err(crate::desk::DeskError::NotNow { message, .. }) => {
            Ok(Flash::warning(message).go(&visit.site, format!("/approvals/{}", id.0)))
        }
        Err(error) => page::again(&drawn(&visit, id.0, form.refused(error)?).await?),
    }
}

/// The next one that waits, so that a queue is worked without going back and forth.
async fn next(visit: &Visit) -> Result<String, super::problem::Problem> {
    let held = Filter {
        states: vec![State::Held],
        ..Filter::default()
    };
    let scope = visit.desk().store().read(visit.caller().tenant_id).await?;
    let found = search::records(&scope, &held, None, 1).await?;
    Ok(match found.first() {
        Some(work) => format!("/approvals/{}", work.record.id),
        None => "/approvals".to_owned(),
    })
}
