//! Runs: what each pass saw and did, and one that is under way as it goes.

use askama::Template;

use super::fields::Fields;
use super::id::Id;
use super::live::{self, Fingerprint};
use super::names::{Choice, Names};
use super::page::{self, Answer, Flash, Shell, Visit, say};
use super::paging::Paging;
use super::records::filter::id;
use crate::desk::run as act;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{PairId, RunId};
use crate::domain::member::Scope;
use crate::domain::run::{Counts, Run, RunState, Trigger};
use crate::engine::run_counts;
use crate::store::run::{self, OpenRun};

#[derive(Template)]
#[template(path = "runs/list.html")]
struct List {
    shell: Shell,
    query: Fields,
    pairs: Vec<Choice>,
    lines: Vec<Line>,
    first: String,
    next: String,
}

/// One line of a list.
pub struct Line {
    pub id: String,
    pub pair: String,
    pub state: &'static str,
    pub state_title: &'static str,
    pub trigger: &'static str,
    pub began_at: String,
    pub began: String,
    pub took: String,
    pub summary: String,
}

impl Line {
    #[must_use]
    pub fn new(run: &Run, names: &Names, now: Timestamp) -> Self {
        let began = run.started_at.unwrap_or(run.queued_at);
        Self {
            id: run.id.to_string(),
            pair: names.pair(run.pair_id),
            state: run.state.as_str(),
            state_title: state_title(run.state),
            trigger: if run.dry_run {
                "Dry run"
            } else {
                trigger(run.trigger)
            },
            began_at: began.to_string(),
            began: say::distance(began, now),
            took: took(run),
            summary: summary(run),
        }
    }
}

fn state_title(state: RunState) -> &'static str {
    match state {
        RunState::Queued => "Queued",
        RunState::Running => "Running",
        RunState::Succeeded => "Done",
        RunState::Partial => "Done, some need a mend",
        RunState::Failed => "Failed",
        RunState::Cancelled => "Cancelled",
    }
}

fn trigger(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Schedule => "Schedule",
        Trigger::Person => "A person",
        Trigger::Activation => "Activation",
        Trigger::Webhook => "News from the source",
    }
}

fn took(run: &Run) -> String {
    match (run.started_at, run.ended_at) {
        (Some(from), Some(to)) => length(to.since(from).as_millis()),
        _ => String::new(),
    }
}

fn length(ms: u128) -> String {
    match ms {
        0..=999 => format!("{ms} ms"),
        1_000..=119_999 => format!("{} s", ms / 1_000),
        _ => format!("{} min", ms / 60_000),
    }
}

/// What a run did, in a few words.
fn summary(run: &Run) -> String {
    let total = |count: fn(&Counts) -> u64| -> u64 { run.flows.values().map(count).sum() };
    let seen = total(|counts| counts.seen);
    if seen == 0 && run.ended_at.is_some() {
        return run
            .note
            .clone()
            .unwrap_or_else(|| "No change since the last run".to_owned());
    }
    if run.dry_run {
        return foreseen(run);
    }
    let parts = [
        (seen, "seen"),
        (total(|counts| counts.created), "created"),
        (total(|counts| counts.updated), "updated"),
        (total(|counts| counts.linked), "linked"),
        (total(|counts| counts.waiting), "waiting"),
        (total(|counts| counts.held), "to approve"),
        (total(|counts| counts.review), "to match"),
        (total(|counts| counts.retrying), "retrying"),
        (total(|counts| counts.failed), "failed"),
    ];
    told(&parts)
}

/// What a dry run found, in a few words.
pub(super) fn foreseen(run: &Run) -> String {
    let total = |count: fn(&Counts) -> u64| -> u64 { run.flows.values().map(count).sum() };
    let parts = [
        (total(|counts| counts.created), "would be created"),
        (total(|counts| counts.updated), "changed"),
        (total(|counts| counts.linked), "linked"),
        (total(|counts| counts.unchanged), "left as they are"),
        (total(|counts| counts.waiting), "would wait"),
        (total(|counts| counts.review), "need a match"),
        (total(|counts| counts.failed), "would fail"),
        (total(|counts| counts.ignored), "left out"),
    ];
    told(&parts)
}

fn told(parts: &[(u64, &str)]) -> String {
    let told: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    told.join(", ")
}

/// `pair` of a list's address.
#[must_use]
pub fn pair_of(query: &Fields) -> Option<PairId> {
    id(query, "pair").map(PairId)
}

/// `GET /runs`.
///
/// # Errors
/// `invalid`, for a filter that cannot be meant.
pub async fn list(visit: Visit) -> Answer {
    let names = Names::load(&visit).await?;
    let mut query = visit.query.clone();
    let pair = pair_of(&query);
    let paging = Paging::of(&query)?;
    let scope = visit.desk().store().read(visit.caller().tenant_id).await?;
    let mut found = run::list(&scope, pair, paging.before()?, paging.one_more()).await?;
    for open in &mut found {
        count(&scope, open).await?;
    }
    drop(scope);
    let page = paging.cut(found, |open| open.run.id.to_string());
    let now = visit.now();
    let is_later = query.given("cursor").is_some();
    query.set("cursor", "");
    page::show(&List {
        shell: visit.shell("runs"),
        pairs: names.pair_choices(),
        lines: page
            .data
            .iter()
            .map(|open| Line::new(&open.run, &names, now))
            .collect(),
        first: if is_later {
            format!("/runs{}", query.query())
        } else {
            String::new()
        },
        next: page.next_cursor.map_or_else(String::new, |cursor| {
            let mut query = query.clone();
            query.set("cursor", cursor);
            format!("/runs{}", query.query())
        }),
        query,
    })
}

/// A run that is under way has its counts in its records, not in its row.
///
/// # Errors
/// `Database`.
pub async fn count(
    scope: &crate::store::Scope,
    open: &mut OpenRun,
) -> Result<(), crate::store::StoreError> {
    if open.run.ended_at.is_none() {
        open.run.flows = run_counts(scope, &open.run).await?;
    }
    Ok(())
}

#[derive(Template)]
#[template(path = "runs/show.html")]
struct Show {
    shell: Shell,
    id: String,
    pair: String,
    pair_href: String,
    state: &'static str,
    state_title: &'static str,
    is_open: bool,
    facts: Vec<(&'static str, String)>,
    note: String,
    fault: String,
    flows: Vec<FlowLine>,
    done: u64,
    seen: u64,
    listing: String,
    can_cancel: bool,
}

struct FlowLine {
    title: String,
    cells: Vec<Cell>,
}

struct Cell {
    label: &'static str,
    count: u64,
    href: String,
}

/// `GET /runs/{id}`.
///
/// # Errors
/// `missing`.
pub async fn show(visit: Visit, id: Id<RunId>) -> Answer {
    let names = Names::load(&visit).await?;
    let scope = visit.desk().store().read(visit.caller().tenant_id).await?;
    let mut open = run::find(&scope, id.0).await?;
    count(&scope, &mut open).await?;
    drop(scope);
    if open.run.dry_run {
        return super::report::show(visit, names, open).await;
    }
    let run = &open.run;
    let seen: u64 = run.flows.values().map(|counts| counts.seen).sum();
    let done = run.flows.values().map(at_rest).sum();
    page::show(&Show {
        shell: visit.shell("runs"),
        id: run.id.to_string(),
        pair: names.pair(run.pair_id),
        pair_href: format!("/pairs/{}", run.pair_id),
        state: run.state.as_str(),
        state_title: state_title(run.state),
        is_open: run.ended_at.is_none(),
        facts: facts(run),
        note: run.note.clone().unwrap_or_default(),
        fault: run
            .fault
            .as_ref()
            .map_or_else(String::new, ToString::to_string),
        flows: run
            .flows
            .iter()
            .map(|(flow, counts)| FlowLine {
                title: names.flow(flow),
                cells: cells(run.id, flow, counts),
            })
            .collect(),
        listing: listing(&open, &names),
        can_cancel: run.ended_at.is_none() && visit.caller().may(Scope::Operate),
        done,
        seen,
    })
}

/// Records that nothing more is done with by the run.
#[must_use]
pub fn at_rest(counts: &Counts) -> u64 {
    [
        counts.created,
        counts.updated,
        counts.linked,
        counts.unchanged,
        counts.waiting,
        counts.held,
        counts.review,
        counts.failed,
        counts.ignored,
    ]
    .iter()
    .sum()
}

fn facts(run: &Run) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("Started by", trigger(run.trigger).to_owned()),
        (
            "Looked at",
            if run.full {
                "everything".to_owned()
            } else {
                "what changed since the last run".to_owned()
            },
        ),
        ("Queued", say::time_exact(run.queued_at)),
    ];
    if let Some(at) = run.started_at {
        facts.push(("Began", say::time_exact(at)));
    }
    if let Some(at) = run.ended_at {
        facts.push(("Ended", say::time_exact(at)));
        facts.push(("Took", took(run)));
    }
    facts
}

/// What is being listed at the source; empty once everything is.
pub(super) fn listing(open: &OpenRun, names: &Names) -> String {
    let flow = open.listing.as_ref().and_then(|listing| listing.pass());
    match flow {
        Some(pass) if open.run.ended_at.is_none() => {
            format!(
                "Listing {} at the source",
                names.flow(&pass.flow).to_lowercase()
            )
        }
        _ => String::new(),
    }
}

fn cells(run: RunId, flow: &str, counts: &Counts) -> Vec<Cell> {
    let of = |label, count, state: &str| Cell {
        label,
        count,
        href: if count == 0 {
            String::new()
        } else if state.is_empty() {
            format!("/records?run={run}&flow={flow}")
        } else {
            format!("/records?run={run}&flow={flow}&state={state}")
        },
    };
    vec![
        of("Seen", counts.seen, ""),
        of("Created", counts.created, "succeeded"),
        of("Updated", counts.updated, "succeeded"),
        of("Linked", counts.linked, "linked"),
        of("Unchanged", counts.unchanged, ""),
        of("Waiting", counts.waiting, "waiting"),
        of("To approve", counts.held, "held"),
        of("To match", counts.review, "review"),
        of("Retrying", counts.retrying, "retrying"),
        of("Failed", counts.failed, "failed"),
        of("Ignored", counts.ignored, "ignored"),
    ]
}

/// `GET /runs/{id}/events`: says when the page would look different.
///
/// # Errors
/// `missing`.
pub async fn watch(visit: Visit, id: Id<RunId>) -> Answer {
    let id = id.0;
    live::stream(visit, live::SOON, move |site, session| -> Fingerprint {
        Box::pin(async move {
            let scope = site.desk.store().read(session.caller.tenant_id).await?;
            let mut open = run::find(&scope, id).await?;
            count(&scope, &mut open).await?;
            Ok(format!(
                "{:?} {:?} {:?}",
                open.run.state, open.run.flows, open.listing
            ))
        })
    })
    .await
}

/// `GET /runs/events`: says when a run begins, goes on or ends.
///
/// # Errors
/// As the store's.
pub async fn watch_all(visit: Visit) -> Answer {
    const WATCHED: u32 = 10;
    live::stream(
        visit,
        live::SOMETIMES,
        move |site, session| -> Fingerprint {
            Box::pin(async move {
                let scope = site.desk.store().read(session.caller.tenant_id).await?;
                let mut latest = run::list(&scope, None, None, WATCHED).await?;
                for open in &mut latest {
                    count(&scope, open).await?;
                }
                let told = latest.iter().map(|open| {
                    format!("{} {:?} {:?}", open.run.id, open.run.state, open.run.flows)
                });
                Ok(told.collect::<Vec<_>>().join("\n"))
            })
        },
    )
    .await
}

/// `POST /runs/{id}/cancel`.
///
/// # Errors
/// As the desk's.
pub async fn cancel(visit: Visit, id: Id<RunId>) -> Answer {
    let to = format!("/runs/{}", id.0);
    match act::cancel(visit.desk(), visit.caller(), id.0).await {
        Ok(()) => Ok(Flash::done("It was cancelled.").go(&visit.site, to)),
        Err(crate::desk::DeskError::NotNow { message, .. }) => {
            Ok(Flash::warning(message).go(&visit.site, to))
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_said_in_one_unit() {
        for (ms, text) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_500, "1 s"),
            (119_999, "119 s"),
            (120_000, "2 min"),
        ] {
            assert_eq!(length(ms), text);
        }
    }
}
