//! What needs attention, how each pair is doing, and before there is one: what to do first.

mod bars;
mod cards;
mod first;

use askama::Template;

use self::bars::Bar;
use self::cards::Card;
use self::first::Step;
use super::live::{self, Fingerprint};
use super::page::{self, Answer, Shell, Visit, say};
use super::records::bulk::sums;
use crate::desk::pair;
use crate::domain::record::State;
use crate::store::run::OpenRun;
use crate::store::search::{self, Filter, Total};
use crate::store::{self, run};

/// Pairs that have a card.
const CARDS_MAX: u32 = 50;
/// Runs that have a bar.
const BARS_MAX: u32 = 20;

#[derive(Template)]
#[template(path = "dashboard.html")]
struct Dashboard {
    shell: Shell,
    steps: Vec<Step>,
    needs: Vec<Need>,
    cards: Vec<Card>,
    bars: Vec<Bar>,
    bars_width: usize,
    has_records: bool,
}

/// One square: how many records wait for a person.
struct Need {
    href: String,
    state: &'static str,
    label: &'static str,
    figure: u64,
    note: String,
    zero: bool,
}

/// `GET /dashboard`.
///
/// # Errors
/// As the desk's.
pub async fn show(visit: Visit) -> Answer {
    let pairs = pair::list(visit.desk(), visit.caller(), None, CARDS_MAX).await?;
    let scope = visit.desk().store().read(visit.caller().tenant_id).await?;
    let asked = Filter {
        states: ASKED.map(|(state, _)| state).to_vec(),
        ..Filter::default()
    };
    let totals = search::totals(&scope, &asked).await?;
    let has_records = search::any(&scope).await?;
    let mut runs = run::list(&scope, None, None, BARS_MAX).await?;
    // What was only rehearsed tells nothing about how the pairs fare.
    runs.retain(|open| !open.run.dry_run);
    let faulty = cards::connections_with_faults(&scope).await?;
    drop(scope);
    let now = visit.now();
    let is_running = pairs.iter().any(|shown| shown.pair.next_run_at.is_some());
    let bars = bars::draw(&runs, now);
    page::show(&Dashboard {
        shell: visit.shell("dashboard"),
        steps: if is_running {
            Vec::new()
        } else {
            first::steps(&visit, &pairs).await?
        },
        needs: needs(&totals),
        has_records,
        cards: pairs
            .iter()
            .map(|shown| Card::new(shown, &latest_of(&runs, shown), &faulty, now))
            .collect(),
        bars_width: bars.len().saturating_mul(bars::STEP),
        bars,
    })
}

fn latest_of<'a>(runs: &'a [OpenRun], shown: &pair::Shown) -> Vec<&'a OpenRun> {
    let of_pair = runs.iter().filter(|open| open.run.pair_id == shown.pair.id);
    of_pair.collect()
}

/// What asks for a person, in the order of asking.
const ASKED: [(State, &str); 5] = [
    (State::Held, "To approve"),
    (State::Failed, "To mend"),
    (State::Review, "To match"),
    (State::Waiting, "Waiting"),
    (State::Retrying, "Trying again"),
];

fn needs(totals: &[Total]) -> Vec<Need> {
    let need = |(state, label): (State, &'static str)| {
        let of: Vec<Total> = totals
            .iter()
            .filter(|total| total.state == state)
            .cloned()
            .collect();
        let figure = of.iter().map(|total| total.records).sum();
        let money = sums(&of).into_iter();
        let money: Vec<String> = money
            .map(|sum| format!("{} {}", sum.amount, sum.currency))
            .collect();
        Need {
            href: match state {
                State::Held => "/approvals".to_owned(),
                _ => format!("/records?state={state}"),
            },
            state: state.as_str(),
            label,
            figure,
            note: money.join(" · "),
            zero: figure == 0,
        }
    };
    ASKED.into_iter().map(need).collect()
}

/// `GET /dashboard/events`: says when the page would look different.
///
/// # Errors
/// As the store's.
pub async fn watch(visit: Visit) -> Answer {
    live::stream(visit, live::SOMETIMES, |site, session| -> Fingerprint {
        Box::pin(async move {
            // Whatever the page shows is told in the trail when it changes.
            let scope = site.desk.store().read(session.caller.tenant_id).await?;
            Ok(store::audit::latest(&scope).await?.to_string())
        })
    })
    .await
}

/// A count as the squares and cards say it.
fn records(count: u64) -> String {
    say::plural(count, "record", "records")
}
