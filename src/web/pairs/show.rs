//! One pair: what stands in its way, its flows, its tables, when it runs, and how its records stand.

use askama::Template;

use super::status_title;
use crate::desk::pair::{self, Shown};
use crate::desk::suggestion::{self, ProjectCoverage};
use crate::domain::ids::PairId;
use crate::domain::mapping::MappingKind;
use crate::domain::member::Scope;
use crate::domain::money::plain;
use crate::domain::pair::{Approval, Blocker, Pair, PairStatus, Projects};
use crate::domain::schedule::Schedule;
use crate::engine::catalog::{PairDeclaration, SideName};
use crate::store::mapping::Standing;
use crate::store::{self, run};
use crate::web::id::Id;
use crate::web::live::{self, Fingerprint};
use crate::web::mappings::table_title;
use crate::web::names::Names;
use crate::web::page::{self, Answer, Form, Shell, Visit, say};
use crate::web::problem::Problem;

/// Runs that are shown.
const RUNS_SHOWN: u32 = 5;
/// Times at which it runs next.
const FIRES_SHOWN: usize = 5;

#[derive(Template)]
#[template(path = "pairs/show.html")]
pub(super) struct Show {
    shell: Shell,
    form: Form,
    id: String,
    name: String,
    kind: String,
    status: &'static str,
    status_title: &'static str,
    is_active: bool,
    refused: Vec<Stop>,
    blockers: Vec<Stop>,
    warnings: Vec<Stop>,
    sides: Vec<Side>,
    flows: Vec<FlowLine>,
    tables: Vec<TableLine>,
    coverage: Vec<CoverageLine>,
    chips: Vec<Chip>,
    schedule: String,
    fires: Vec<String>,
    facts: Vec<(&'static str, String)>,
    runs: Vec<crate::web::runs::Line>,
    can_change: bool,
    can_run: bool,
    can_rehearse: bool,
    is_rehearsed: bool,
    rehearsal: Option<Rehearsal>,
}

/// The newest dry run that came to its end.
struct Rehearsal {
    href: String,
    ended: String,
    /// Nothing changed since, and no flow was left out.
    is_current: bool,
    found: String,
    consequences: Vec<String>,
}

/// Something that stands in the way, with the page where it is mended.
struct Stop {
    message: String,
    href: String,
    label: &'static str,
}

struct Side {
    title: &'static str,
    name: String,
    href: String,
}

struct FlowLine {
    title: &'static str,
    way: String,
    is_on: bool,
    gate: &'static str,
    master: &'static str,
}

struct TableLine {
    kind: &'static str,
    title: &'static str,
    rows: u64,
    faulty: u64,
    unverified: u64,
}

struct CoverageLine {
    project: String,
    percent: String,
    mapped: String,
    money: String,
    basis: String,
    /// The largest lines without a row.
    lacking: String,
    state: &'static str,
}

/// Codes without a row that are named.
const LACKING_SHOWN: usize = 3;

impl CoverageLine {
    fn of(found: ProjectCoverage) -> Self {
        let coverage = &found.coverage;
        let lacking: Vec<String> = coverage
            .unmapped
            .iter()
            .take(LACKING_SHOWN)
            .map(|line| line.coding.to_string())
            .collect();
        let more = coverage.unmapped.len().saturating_sub(lacking.len());
        let lacking = match more {
            0 => lacking.join(", "),
            more => format!("{} and {more} more", lacking.join(", ")),
        };
        let currency = found.currency.clone().unwrap_or_default();
        Self {
            percent: coverage.percent().map_or_else(
                || "nothing to map".to_owned(),
                |percent| format!("{percent} %"),
            ),
            mapped: format!("{} of {}", coverage.mapped, coverage.total),
            money: if found.view.is_some() {
                let (mapped, total) = (plain(coverage.amount_mapped), plain(coverage.amount_total));
                format!("{mapped} of {total} {currency}").trim().to_owned()
            } else {
                String::new()
            },
            basis: found.view.clone().map_or_else(
                || "no budget view: all codes of the project".to_owned(),
                |view| format!("budget view “{view}”"),
            ),
            state: if coverage.unmapped.is_empty() {
                "ok"
            } else {
                "waiting"
            },
            project: found.name.unwrap_or(found.project),
            lacking,
        }
    }
}

struct Chip {
    label: &'static str,
    count: u64,
    href: String,
    state: &'static str,
}

/// `GET /pairs/{id}`.
///
/// # Errors
/// `missing`.
pub async fn show(visit: Visit, id: Id<PairId>) -> Answer {
    page::show(&drawn(&visit, id.0, Form::default(), Vec::new()).await?)
}

pub(super) async fn drawn(
    visit: &Visit,
    id: PairId,
    form: Form,
    refused: Vec<Blocker>,
) -> Result<Show, Problem> {
    let Shown {
        pair,
        blockers,
        warnings,
        work,
        dry_run,
    } = pair::find(visit.desk(), visit.caller(), id).await?;
    let names = Names::load(visit).await?;
    let coverage = suggestion::coverage(visit.desk(), visit.caller(), id).await?;
    let engine = &visit.desk().engine;
    let kind = engine.pair_kind(&pair.kind).ok_or_else(Problem::ours)?;
    let scope = visit.desk().store().read(visit.caller().tenant_id).await?;
    let standing = store::mapping::standing(&scope, id).await?;
    let mut latest = run::list(&scope, Some(id), None, RUNS_SHOWN).await?;
    for open in &mut latest {
        crate::web::runs::count(&scope, open).await?;
    }
    let project = store::connection::name(&scope, pair.project_connection_id).await?;
    let erp = store::connection::name(&scope, pair.erp_connection_id).await?;
    let rehearsal = match &dry_run {
        Some((run, is_current)) => {
            let sums = crate::web::report::sums(&scope, run.id).await?;
            Some(Rehearsal {
                href: format!("/runs/{}", run.id),
                ended: say::distance(run.ended_at.unwrap_or(run.queued_at), visit.now()),
                is_current: *is_current,
                found: crate::web::runs::foreseen(run),
                consequences: crate::web::report::consequences(kind, &pair, &sums),
            })
        }
        None => None,
    };
    drop(scope);
    let now = visit.now();
    let stop = |blocker: &Blocker| Stop::new(&pair, blocker);
    let may = |scope| visit.caller().may(scope);
    Ok(Show {
        shell: visit.shell("pairs"),
        form,
        id: pair.id.to_string(),
        name: pair.settings.name.clone(),
        kind: kind.title.to_owned(),
        status: pair.status.as_str(),
        status_title: status_title(pair.status),
        is_active: pair.status == PairStatus::Active,
        refused: refused.iter().map(stop).collect(),
        // The dry run has its own place, beside the box that waives it.
        blockers: blockers
            .iter()
            .filter(|blocker| blocker.code != "no_dry_run")
            .map(stop)
            .collect(),
        warnings: warnings.iter().map(stop).collect(),
        sides: vec![
            Side {
                title: kind.project.title,
                name: project,
                href: format!("/connections/{}", pair.project_connection_id),
            },
            Side {
                title: kind.erp.title,
                name: erp,
                href: format!("/connections/{}", pair.erp_connection_id),
            },
        ],
        flows: flows(kind, &pair),
        tables: tables(kind, &standing),
        coverage: coverage.into_iter().map(CoverageLine::of).collect(),
        chips: work
            .iter()
            .filter(|(_, records)| *records > 0)
            .map(|(state, records)| Chip {
                label: state.title(),
                count: *records,
                href: format!("/records?pair={}&state={state}", pair.id),
                state: state.as_str(),
            })
            .collect(),
        schedule: schedule(&pair.settings.schedule),
        fires: fires(&pair, now),
        facts: facts(kind, &pair),
        runs: latest
            .iter()
            .map(|open| crate::web::runs::Line::new(&open.run, &names, now))
            .collect(),
        can_change: may(Scope::Admin),
        can_run: may(Scope::Operate) && pair.status == PairStatus::Active,
        can_rehearse: may(Scope::Operate),
        is_rehearsed: rehearsal.as_ref().is_some_and(|found| found.is_current),
        rehearsal,
    })
}

impl Stop {
    fn new(pair: &Pair, blocker: &Blocker) -> Self {
        let id = pair.id;
        let is_table = blocker.subject.parse::<MappingKind>().is_ok();
        let (href, label) = match blocker.code.as_str() {
            "connection_not_tested" => (
                format!("/connections/{}", blocker.subject),
                "Open the connection",
            ),
            "no_flow" | "environments_differ" => (format!("/pairs/{id}/edit"), "Open the settings"),
            "no_project" | "unmapped_projects" => {
                (format!("/pairs/{id}/mappings/projects"), "Map projects")
            }
            _ if is_table => (
                format!("/pairs/{id}/mappings/{}", blocker.subject),
                "Open the table",
            ),
            _ => (String::new(), ""),
        };
        Self {
            message: blocker.message.clone(),
            href,
            label,
        }
    }
}

fn flows(kind: &PairDeclaration, pair: &Pair) -> Vec<FlowLine> {
    let way = |from: SideName| match from {
        SideName::Project => format!("{} → {}", kind.project.title, kind.erp.title),
        SideName::Erp => format!("{} → {}", kind.erp.title, kind.project.title),
    };
    let lines = kind.flows.iter().map(|flow| {
        let setting = pair.flow(flow.name);
        FlowLine {
            title: flow.title,
            way: way(flow.from),
            is_on: setting.enabled,
            gate: approval_title(setting.approval),
            master: flow.master,
        }
    });
    lines.collect()
}

/// Whether a person is asked.
pub(super) fn approval_title(approval: Approval) -> &'static str {
    match approval {
        Approval::Automatic => "Written by itself",
        Approval::Review => "Asks for approval",
    }
}

fn tables(
    kind: &PairDeclaration,
    standing: &std::collections::BTreeMap<MappingKind, Standing>,
) -> Vec<TableLine> {
    let lines = kind.mappings.iter().map(|columns| {
        let stands = standing.get(&columns.kind).copied().unwrap_or_default();
        TableLine {
            kind: columns.kind.as_str(),
            title: table_title(columns.kind),
            rows: stands.rows,
            faulty: stands.faulty,
            unverified: stands.unverified,
        }
    });
    lines.collect()
}

/// A schedule in one sentence.
fn schedule(schedule: &Schedule) -> String {
    let every = match schedule.every_minutes {
        1 => "Every minute".to_owned(),
        60 => "Every hour".to_owned(),
        minutes => format!("Every {minutes} minutes"),
    };
    let when = match &schedule.business_hours {
        None => "at all hours".to_owned(),
        Some(hours) => format!(
            "{} to {} on {}",
            hours.from,
            hours.to,
            hours.days.join(", ")
        ),
    };
    let holidays = match schedule.holidays.len() {
        0 => String::new(),
        count => {
            let count = u64::try_from(count).unwrap_or(0);
            format!(", not on {}", say::plural(count, "holiday", "holidays"))
        }
    };
    format!(
        "{every}, {when}{holidays}, time zone {}.",
        schedule.time_zone
    )
}

fn fires(pair: &Pair, now: crate::domain::clock::Timestamp) -> Vec<String> {
    let Some(next) = pair.next_run_at else {
        return Vec::new();
    };
    let first = next.max(now);
    let later = pair.settings.schedule.next_fires(first, FIRES_SHOWN - 1);
    std::iter::once(first).chain(later).map(say::time).collect()
}

fn facts(kind: &PairDeclaration, pair: &Pair) -> Vec<(&'static str, String)> {
    let settings = &pair.settings;
    let mut facts = vec![
        (
            "Projects",
            match &settings.projects {
                Projects::All(_) => "all that are mapped".to_owned(),
                Projects::Some(keys) => {
                    let count = u64::try_from(keys.len()).unwrap_or(0);
                    say::plural(count, "project", "projects")
                }
            },
        ),
        (
            "Start date",
            settings.start_date.map_or_else(
                || "none: everything that the source lists".to_owned(),
                |date| format!("{date}; older records are ignored"),
            ),
        ),
    ];
    for policy in kind.policies {
        if let Some(value) = settings.policies.rules.get(policy.name) {
            facts.push((policy.label, value.clone()));
        }
    }
    facts
}

/// `GET /pairs/{id}/events`: says when the page would look different.
///
/// # Errors
/// `missing`.
pub async fn watch(visit: Visit, id: Id<PairId>) -> Answer {
    let id = id.0;
    live::stream(
        visit,
        live::SOMETIMES,
        move |site, session| -> Fingerprint {
            Box::pin(async move {
                let scope = site.desk.store().read(session.caller.tenant_id).await?;
                store::pair::find(&scope, id).await?;
                // Whatever the page shows is told in the trail when it changes.
                Ok(store::audit::latest(&scope).await?.to_string())
            })
        },
    )
    .await
}
