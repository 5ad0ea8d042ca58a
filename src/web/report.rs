//! The report of a dry run: what would be done, with how much money, row by row, and what activating the pair would
//! then do.

use actix_web::HttpRequest;
use askama::Template;

use super::api::changes::{Form as FileForm, filter, form, only_dry, whole};
use super::fields::Fields;
use super::id::Id;
use super::names::{Choice, Names};
use super::page::{self, Answer, Shell, Visit, say};
use super::paging::Paging;
use super::problem::Problem;
use crate::desk::pair::{self, Shown};
use crate::domain::ids::{PairId, RunId};
use crate::domain::member::Scope as Right;
use crate::domain::money::{Money, plain};
use crate::domain::pair::{Approval, Pair, PairStatus};
use crate::domain::plan::{Action, Foreseen};
use crate::domain::run::{Run, RunState};
use crate::engine::catalog::{PairDeclaration, SideName};
use crate::store::foreseen::{self, Total};
use crate::store::run::{self, OpenRun};
use crate::store::{Scope, StoreError};

/// What a dry run foresees of one flow and action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    pub flow: String,
    pub action: Action,
    pub records: u64,
    /// One a currency.
    pub money: Vec<Money>,
}

/// Sums of a dry run; rows that are not judged yet are in none.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn sums(scope: &Scope, run: RunId) -> Result<Vec<Sum>, StoreError> {
    Ok(summed(foreseen::totals(scope, run).await?))
}

fn summed(totals: Vec<Total>) -> Vec<Sum> {
    let mut sums: Vec<Sum> = Vec::new();
    for total in totals {
        let Some(action) = total.action else { continue };
        let same = |sum: &&mut Sum| sum.flow == total.flow && sum.action == action;
        match sums.iter_mut().find(same) {
            Some(sum) => {
                sum.records = sum.records.saturating_add(total.records);
                sum.money.extend(total.money);
            }
            None => sums.push(Sum {
                flow: total.flow,
                action,
                records: total.records,
                money: total.money.into_iter().collect(),
            }),
        }
    }
    sums
}

fn each(money: &[Money]) -> Vec<String> {
    let said = |sum: &Money| format!("{} {}", say::amount(&plain(sum.amount)), sum.currency);
    money.iter().map(said).collect()
}

/// Sums in one currency each: `1,250.00 USD and 40.00 CAD`.
fn worth(money: &[Money]) -> String {
    let sums = each(money);
    match sums.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// What activating a pair would do first, flow by flow, as a dry run found it.
#[must_use]
pub fn consequences(kind: &PairDeclaration, pair: &Pair, sums: &[Sum]) -> Vec<String> {
    let mut says = Vec::new();
    for flow in kind.flows {
        let of = |action| {
            let mut sums = sums.iter();
            sums.find(|sum| sum.flow == flow.name && sum.action == action)
        };
        let target = match flow.from {
            SideName::Project => kind.erp.title,
            SideName::Erp => kind.project.title,
        };
        let asked = match pair.flow(flow.name).approval {
            Approval::Review => "each after accounting has approved it",
            Approval::Automatic => "without asking anybody",
        };
        let flow = flow.title;
        for (action, verb) in [(Action::Create, "create"), (Action::Update, "change")] {
            if let Some(sum) = of(action) {
                let records = say::plural(sum.records, "record", "records");
                let worth = match worth(&sum.money) {
                    worth if worth.is_empty() => worth,
                    worth => format!(" worth {worth}"),
                };
                says.push(format!(
                    "{flow}: this will {verb} {records}{worth} in {target}, {asked}."
                ));
            }
        }
        if let Some(sum) = of(Action::Link) {
            let records = say::plural(sum.records, "record", "records");
            says.push(format!(
                "{flow}: {records} will be linked to what {target} has already; nothing is written for them."
            ));
        }
    }
    says
}

#[derive(Template)]
#[template(path = "runs/report.html")]
struct Report {
    shell: Shell,
    id: String,
    pair: String,
    pair_href: String,
    state: &'static str,
    state_title: &'static str,
    is_open: bool,
    began: String,
    note: String,
    fault: String,
    done: u64,
    seen: u64,
    listing: String,
    actions: Vec<&'static str>,
    flows: Vec<FlowLine>,
    consequences: Vec<String>,
    outlook: String,
    chips: Vec<Chip>,
    flow_choices: Vec<Choice>,
    query: Fields,
    lines: Vec<Line>,
    first: String,
    next: String,
    csv: String,
    json_lines: String,
    can_cancel: bool,
    can_repeat: bool,
    can_activate: bool,
}

struct FlowLine {
    title: String,
    cells: Vec<Cell>,
}

struct Cell {
    label: &'static str,
    count: u64,
    money: Vec<String>,
    href: String,
}

struct Chip {
    label: &'static str,
    count: u64,
    href: String,
    current: bool,
    state: &'static str,
}

struct Line {
    title: String,
    sub: String,
    state: &'static str,
    state_title: &'static str,
    says: String,
    project: String,
    amount: String,
    changes: Vec<ChangeLine>,
    compared: bool,
    details: Vec<String>,
}

struct ChangeLine {
    field: String,
    from: String,
    to: String,
    why: String,
}

const ACTIONS: [Action; 8] = [
    Action::Create,
    Action::Update,
    Action::Link,
    Action::None,
    Action::Wait,
    Action::Review,
    Action::Fail,
    Action::Skip,
];

fn title(action: Action) -> &'static str {
    match action {
        Action::Create => "Create",
        Action::Update => "Change",
        Action::Link => "Link",
        Action::None => "Leave",
        Action::Wait => "Wait",
        Action::Skip => "Leave out",
        Action::Review => "Match",
        Action::Fail => "Fail",
    }
}

/// The state whose tone and mark tell the action.
fn tone(action: Action) -> &'static str {
    match action {
        Action::Create | Action::Update => "succeeded",
        Action::Link => "linked",
        Action::None => "unchanged",
        Action::Wait => "waiting",
        Action::Skip => "ignored",
        Action::Review => "review",
        Action::Fail => "failed",
    }
}

/// `GET /runs/{id}`, for a dry run.
///
/// # Errors
/// `invalid`, for a filter that cannot be meant.
pub async fn show(visit: Visit, names: Names, open: OpenRun) -> Answer {
    let filter = filter(&visit.query)?;
    let paging = Paging::of(&visit.query)?;
    let run = &open.run;
    let scope = visit.desk().store().read(visit.caller().tenant_id).await?;
    let after = paging.before()?;
    let found = foreseen::list(&scope, run.id, &filter, after, paging.one_more()).await?;
    let sums = sums(&scope, run.id).await?;
    drop(scope);
    let page = paging.cut(found, |(id, _)| id.to_string());
    let standing = standing(&visit, &names, run.pair_id).await?;
    let at = At {
        run: run.id,
        query: visit.query.clone(),
    };
    let seen: u64 = run.flows.values().map(|counts| counts.seen).sum();
    let is_open = run.ended_at.is_none();
    page::show(&Report {
        shell: visit.shell("runs"),
        id: run.id.to_string(),
        pair: names.pair(run.pair_id),
        pair_href: format!("/pairs/{}", run.pair_id),
        state: run.state.as_str(),
        state_title: state_title(run.state),
        is_open,
        began: say::distance(run.started_at.unwrap_or(run.queued_at), visit.now()),
        note: run.note.clone().unwrap_or_default(),
        fault: run
            .fault
            .as_ref()
            .map_or_else(String::new, ToString::to_string),
        done: run.flows.values().map(super::runs::at_rest).sum(),
        seen,
        listing: super::runs::listing(&open, &names),
        actions: ACTIONS.into_iter().map(title).collect(),
        flows: flows(&at, &names, run, &sums),
        consequences: standing.as_ref().map_or_else(Vec::new, |(kind, shown)| {
            consequences(kind, &shown.pair, &sums)
        }),
        outlook: standing
            .as_ref()
            .map_or_else(String::new, |(_, shown)| outlook(run, shown)),
        chips: chips(&at, &filter.actions, &sums),
        flow_choices: run
            .flows
            .keys()
            .map(|flow| Choice::new(flow, names.flow(flow)))
            .collect(),
        lines: page
            .data
            .into_iter()
            .map(|(_, row)| Line::new(row, &names))
            .collect(),
        first: if at.query.given("cursor").is_some() {
            at.with(&[])
        } else {
            String::new()
        },
        next: page.next_cursor.map_or_else(String::new, |cursor| {
            at.with(&[("cursor", cursor.as_str())])
        }),
        csv: at.file("csv"),
        json_lines: at.file("jsonl"),
        can_cancel: is_open && visit.caller().may(Right::Operate),
        can_repeat: !is_open && visit.caller().may(Right::Operate) && standing.is_some(),
        can_activate: visit.caller().may(Right::Admin)
            && standing
                .as_ref()
                .is_some_and(|(_, shown)| may_activate(run, shown)),
        query: at.query,
    })
}

type Standing = (&'static PairDeclaration, Shown);

/// How the pair stands; nothing of one that was removed.
async fn standing(visit: &Visit, names: &Names, id: PairId) -> Result<Option<Standing>, Problem> {
    if !names.pairs.iter().any(|pair| pair.id == id) {
        return Ok(None);
    }
    let shown = pair::find(visit.desk(), visit.caller(), id).await?;
    let kind = visit.desk().engine.pair_kind(&shown.pair.kind);
    Ok(kind.map(|kind| (kind, shown)))
}

/// Only what still holds is acted on.
fn is_current(run: &Run, shown: &Shown) -> bool {
    let newest = shown.dry_run.as_ref();
    newest.is_some_and(|(newest, is_current)| *is_current && newest.id == run.id)
}

fn may_activate(run: &Run, shown: &Shown) -> bool {
    shown.pair.status != PairStatus::Active && shown.blockers.is_empty() && is_current(run, shown)
}

fn outlook(run: &Run, shown: &Shown) -> String {
    let says = match shown.pair.status {
        PairStatus::Active => {
            "The pair is active: its next run does this, as far as nothing changes until then."
        }
        _ if run.ended_at.is_none() => "The dry run is not at its end yet.",
        _ if !is_current(run, shown) => {
            "The pair, its mappings or a connection changed since, or a flow was left out: make another dry run \
             before you activate it."
        }
        _ if !shown.blockers.is_empty() => {
            "Something else stands in the way of activating the pair; its page says what."
        }
        _ => {
            "Choose a start date in the pair's settings if older documents are to be left out, then activate it. \
             A later start leaves this dry run valid."
        }
    };
    says.to_owned()
}

fn state_title(state: RunState) -> &'static str {
    match state {
        RunState::Queued => "Queued",
        RunState::Running => "Looking",
        RunState::Succeeded => "Done",
        RunState::Partial => "Done, some would fail",
        RunState::Failed => "Not done",
        RunState::Cancelled => "Cancelled",
    }
}

/// The report's own address.
struct At {
    run: RunId,
    query: Fields,
}

impl At {
    fn with(&self, changes: &[(&str, &str)]) -> String {
        let mut query = self.query.clone();
        query.set("cursor", "");
        for (name, value) in changes {
            query.set(name, *value);
        }
        format!("/runs/{}{}", self.run, query.query())
    }

    fn file(&self, form: &str) -> String {
        let mut query = self.query.clone();
        query.set("cursor", "");
        query.set("format", form);
        format!("/runs/{}/changes{}", self.run, query.query())
    }
}

fn flows(at: &At, names: &Names, run: &Run, sums: &[Sum]) -> Vec<FlowLine> {
    let line = |flow: &String| FlowLine {
        title: names.flow(flow),
        cells: ACTIONS
            .into_iter()
            .map(|action| {
                let mut of = sums.iter();
                let sum = of.find(|sum| sum.flow == *flow && sum.action == action);
                Cell {
                    label: title(action),
                    count: sum.map_or(0, |sum| sum.records),
                    money: sum.map_or_else(Vec::new, |sum| each(&sum.money)),
                    href: sum.map_or_else(String::new, |_| {
                        at.with(&[("flow", flow.as_str()), ("action", action.as_str())])
                    }),
                }
            })
            .collect(),
    };
    run.flows.keys().map(line).collect()
}

fn chips(at: &At, chosen: &[Action], sums: &[Sum]) -> Vec<Chip> {
    let flow = at.query.given("flow");
    let count = |action: Option<Action>| -> u64 {
        let of = sums.iter().filter(|sum| {
            flow.is_none_or(|flow| sum.flow == flow) && action.is_none_or(|is| sum.action == is)
        });
        of.map(|sum| sum.records).sum()
    };
    let all = Chip {
        label: "All",
        count: count(None),
        href: at.with(&[("action", "")]),
        current: chosen.is_empty(),
        state: "",
    };
    let of_action = ACTIONS.into_iter().filter_map(|action| {
        let (count, current) = (count(Some(action)), chosen.contains(&action));
        (count > 0 || current).then(|| Chip {
            label: title(action),
            count,
            href: at.with(&[("action", action.as_str())]),
            current,
            state: tone(action),
        })
    });
    std::iter::once(all).chain(of_action).collect()
}

impl Line {
    fn new(row: Foreseen, names: &Names) -> Self {
        let flow = names.flow(row.flow.as_str());
        let title = row.number.as_ref().or(row.counterparty.as_ref());
        let title = title.cloned().unwrap_or_else(|| row.source.id.clone());
        let sub = match &row.counterparty {
            Some(name) if *name != title => format!("{flow} · {name}"),
            _ => flow,
        };
        let candidates = row.candidates.iter().map(|candidate| {
            let facts = candidate
                .facts
                .iter()
                .map(|(label, value)| format!("{label}: {value}"));
            let facts: Vec<String> = facts.collect();
            format!("{} ({})", candidate.target_id, facts.join(", "))
        });
        let issues = row.issues.iter().map(ToString::to_string);
        Self {
            sub,
            state: tone(row.action),
            state_title: self::title(row.action),
            says: row.explanation,
            project: row.project.unwrap_or_default(),
            amount: worth(row.money.as_slice()),
            compared: row.changes.iter().any(|change| change.from.is_some()),
            details: candidates.chain(issues).collect(),
            changes: row
                .changes
                .into_iter()
                .map(|change| ChangeLine {
                    field: change.field,
                    from: change.from.unwrap_or_default(),
                    to: change.to.unwrap_or_default(),
                    why: change.why,
                })
                .collect(),
            title,
        }
    }
}

/// `GET /runs/{id}/changes`: the rows as a file.
///
/// # Errors
/// `missing`; `not_now` for a run that is no dry run; `invalid`.
pub async fn export(visit: Visit, id: Id<RunId>, request: HttpRequest) -> Answer {
    let filter = filter(&visit.query)?;
    let wanted = match form(&visit.query, &request)? {
        FileForm::Pages => FileForm::Csv,
        file => file,
    };
    let tenant = visit.caller().tenant_id;
    let scope = visit.desk().store().read(tenant).await?;
    only_dry(run::find(&scope, id.0).await?.run.dry_run)?;
    drop(scope);
    Ok(whole(visit.desk(), tenant, id.0, filter, wanted))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn total(action: Option<Action>, records: u64, money: Option<(i64, &str)>) -> Total {
        Total {
            flow: "f".to_owned(),
            action,
            records,
            money: money
                .map(|(units, code)| Money::from_ten_thousandths(units, code.parse().unwrap())),
        }
    }

    #[test]
    fn currencies_stand_side_by_side_and_are_never_added_up() {
        let sums = summed(vec![
            total(None, 9, None),
            total(Some(Action::Create), 2, Some((10_000, "CAD"))),
            total(Some(Action::Create), 3, Some((12_505_000, "USD"))),
            total(Some(Action::Link), 1, None),
        ]);
        assert_eq!(sums.len(), 2);
        assert_eq!(sums.first().unwrap().records, 5);
        assert_eq!(
            worth(&sums.first().unwrap().money),
            "1.00 CAD and 1,250.50 USD"
        );
        assert_eq!(worth(&sums.last().unwrap().money), "");
    }
}
