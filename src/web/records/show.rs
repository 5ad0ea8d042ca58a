//! One record: what happened to it and why, the exact write, and what can be done now.

use askama::Template;
use serde_json::Value;

use super::lines::{self, LineTable};
use super::{Shown, state_title, title};
use crate::desk::whole::{self, Whole};
use crate::domain::ids::RecordId;
use crate::domain::member::Scope;
use crate::domain::record::{
    BLOCKED, DIVERGED, DUPLICATE, ORPHANED, OUTCOME_UNKNOWN, SUPERSEDED, State,
};
use crate::domain::system::SystemId;
use crate::store::audit::{self, Order};
use crate::store::exchange::Exchanges;
use crate::web::events::Told;
use crate::web::id::Id;
use crate::web::live::{self, Fingerprint};
use crate::web::names::{flow_title, system_title};
use crate::web::page::{self, Answer, Shell, Visit, say};
use crate::web::problem::Problem;

/// Events of one record that are shown: the latest of them.
const EVENTS_MAX: u32 = 200;

#[derive(Template)]
#[template(path = "records/show.html")]
pub(in crate::web) struct Page {
    pub shell: Shell,
    pub id: String,
    pub title: String,
    pub sub: String,
    pub state: &'static str,
    pub state_title: String,
    pub says: String,
    pub flags: Vec<Flag>,
    pub facts: Vec<Fact>,
    pub money: Option<Shown>,
    pub issues: Vec<IssueLine>,
    pub fields: Vec<FieldLine>,
    pub lines: LineTable,
    pub compared: bool,
    pub candidates: Vec<CandidateCard>,
    pub waits: Vec<Wait>,
    pub timeline: Vec<Entry>,
    pub related: Vec<Related>,
    pub snapshot: String,
    pub mapped: String,
    pub digest: String,
    pub can: Can,
    /// How the button looks.
    pub retry_kind: &'static str,
    pub is_live: bool,
}

pub(in crate::web) struct Flag {
    pub state: &'static str,
    pub label: &'static str,
}

pub(in crate::web) struct Fact {
    pub label: &'static str,
    pub value: String,
    pub href: String,
}

pub(in crate::web) struct IssueLine {
    pub field: String,
    pub code: String,
    pub message: String,
}

/// One field: what the exact write says, what the target holds now, and why.
pub(in crate::web) struct FieldLine {
    pub field: String,
    pub to: String,
    pub now: String,
    pub differs: bool,
    pub why: String,
}

pub(in crate::web) struct CandidateCard {
    pub target_id: String,
    pub matched_by: String,
    pub score: u8,
    pub facts: Vec<(String, String)>,
}

pub(in crate::web) struct Wait {
    pub label: String,
    pub href: String,
}

pub(in crate::web) struct Entry {
    pub id: String,
    pub state: &'static str,
    pub title: String,
    pub at: String,
    pub when: String,
    pub detail: String,
    pub calls: Vec<CallLine>,
    order: i64,
}

/// One exchange with a vendor, redacted before it was kept.
pub(in crate::web) struct CallLine {
    pub title: String,
    pub request: String,
    pub response: String,
    pub fault: String,
}

pub(in crate::web) struct Related {
    pub label: String,
    pub text: String,
    pub href: String,
    pub current: bool,
}

/// What the caller may do with the record as it is.
#[derive(Debug, Default)]
pub(in crate::web) struct Can {
    pub retry: bool,
    pub replay: bool,
    pub ignore: bool,
    pub link: bool,
    pub create: bool,
    pub decide: bool,
}

/// `GET /records/{id}`.
///
/// # Errors
/// `missing`.
pub async fn show(visit: Visit, id: Id<RecordId>) -> Answer {
    page::show(&drawn(&visit, id.0, "records").await?)
}

/// The page of a record, for whichever road led to it.
pub(in crate::web) async fn drawn(
    visit: &Visit,
    id: RecordId,
    here: &'static str,
) -> Result<Page, Problem> {
    let whole = whole::find(visit.desk(), visit.caller(), id).await?;
    let scope = visit.desk().store().read(visit.caller().tenant_id).await?;
    let filter = audit::Filter {
        subject: Some(id.to_string()),
        ..audit::Filter::default()
    };
    let events = audit::list(&scope, &filter, Order::NewestFirst, None, EVENTS_MAX).await?;
    drop(scope);
    let told = events.iter().map(Told::new).collect();
    Ok(Page::new(visit, &whole, told, here))
}

/// `GET /records/{id}/events`: says when the page would look different.
///
/// # Errors
/// `missing`.
pub async fn watch(visit: Visit, id: Id<RecordId>) -> Answer {
    let id = id.0;
    live::stream(visit, live::SOON, move |site, session| -> Fingerprint {
        Box::pin(async move {
            let scope = site.desk.store().read(session.caller.tenant_id).await?;
            let work = crate::store::record::find(&scope, id).await?;
            Ok(format!("{} {}", work.record.state, work.record.updated_at))
        })
    })
    .await
}

impl Page {
    fn new(visit: &Visit, whole: &Whole, told: Vec<Told>, here: &'static str) -> Self {
        let record = &whole.work.record;
        let engine = &visit.desk().engine;
        let system = |system: &SystemId| system_title(engine, system);
        let flow = flow_title(engine, record.flow.as_str());
        let fields = fields(whole);
        Self {
            shell: visit.shell(here),
            id: record.id.to_string(),
            title: title(record),
            sub: format!("{flow} · {}", whole.pair.settings.name),
            state: record.state.as_str(),
            state_title: state_title(record, visit.now()),
            says: record.explanation.clone(),
            flags: flags(&record.flags),
            facts: facts(whole, &system),
            money: record.money.as_ref().map(Shown::from),
            issues: issues(whole),
            lines: lines::table(&fields),
            fields: lines::heads(fields),
            compared: !whole.differences.is_empty(),
            candidates: candidates(whole),
            waits: waits(whole),
            timeline: timeline(told, &whole.exchanges),
            related: related(whole, &system),
            snapshot: pretty(whole.snapshot.as_ref()),
            mapped: pretty(whole.mapped.as_ref()),
            digest: whole.work.draft_digest.clone().unwrap_or_default(),
            can: Can::of(visit, whole),
            retry_kind: if record.state == State::Failed {
                "primary"
            } else {
                "plain"
            },
            is_live: !matches!(record.state, State::Ignored),
        }
    }
}

impl Can {
    fn of(visit: &Visit, whole: &Whole) -> Self {
        let state = whole.work.record.state;
        let may = |scope| visit.caller().may(scope);
        let operate = may(Scope::Operate);
        let free = state != State::Syncing;
        Self {
            retry: operate && free && state != State::Held,
            replay: operate && free && state != State::Held && whole.work.snapshot_digest.is_some(),
            ignore: operate && free && !state.is_synced() && state != State::Ignored,
            link: operate && matches!(state, State::Review | State::Failed | State::Waiting),
            create: operate && state == State::Review,
            decide: may(Scope::Approve) && state == State::Held,
        }
    }
}

fn flags(flags: &[String]) -> Vec<Flag> {
    let known = [
        (DIVERGED, "The two sides differ"),
        (ORPHANED, "Gone at its source"),
        (SUPERSEDED, "A newer version exists"),
        (BLOCKED, "Closed for new documents in the other system"),
        (DUPLICATE, "More than one record has our reference"),
        (OUTCOME_UNKNOWN, "It is not known whether it was written"),
    ];
    known
        .into_iter()
        .filter(|(flag, _)| flags.iter().any(|set| set == flag))
        .map(|(_, label)| Flag {
            state: "diverged",
            label,
        })
        .collect()
}

fn facts(whole: &Whole, system: &impl Fn(&SystemId) -> String) -> Vec<Fact> {
    let record = &whole.work.record;
    let fact = |label, value: String| Fact {
        label,
        value,
        href: String::new(),
    };
    let mut facts = Vec::new();
    let known = [
        ("Counterparty", &record.counterparty),
        ("Project", &record.project),
    ];
    for (label, value) in known {
        if let Some(value) = value {
            facts.push(fact(label, value.clone()));
        }
    }
    let source = format!("{} {}", record.source.entity, record.source.id);
    facts.push(fact(
        "Source",
        format!("{}, {source}", system(&record.source.system)),
    ));
    if let Some(target) = &record.target {
        let text = format!(
            "{}, {} {}",
            system(&target.system),
            target.entity,
            target.id
        );
        facts.push(fact("Target", text));
    }
    if record.attempts > 0 {
        facts.push(fact("Tries", record.attempts.to_string()));
    }
    if let Some(by) = &whole.work.approved_by {
        facts.push(fact("Approved by", by.clone()));
    }
    facts.push(fact("First seen", say::time(record.first_seen_at)));
    facts.push(fact("Last change", say::time(record.updated_at)));
    if let Some(run) = record.run_id {
        facts.push(Fact {
            label: "Last run",
            value: "Open the run".to_owned(),
            href: format!("/runs/{run}"),
        });
    }
    facts
}

fn issues(whole: &Whole) -> Vec<IssueLine> {
    let fault = whole.work.record.fault.as_ref();
    let issues = fault.map_or(&[][..], |fault| fault.issues());
    issues
        .iter()
        .map(|issue| IssueLine {
            field: issue.field.clone(),
            code: issue.code.clone(),
            message: issue.message.clone(),
        })
        .collect()
}

/// The exact write; beside it what the target holds where it differs.
fn fields(whole: &Whole) -> Vec<FieldLine> {
    let differences = &whole.differences;
    let of = |field: &str| differences.iter().find(|change| change.field == field);
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut lines: Vec<FieldLine> = whole
        .fields
        .iter()
        .map(|field| {
            let change = of(&field.field);
            FieldLine {
                field: field.field.clone(),
                to: text(&field.to),
                now: change.map_or_else(|| text(&field.from), |change| text(&change.from)),
                differs: change.is_some(),
                why: field.why.clone(),
            }
        })
        .collect();
    let known: Vec<&str> = whole
        .fields
        .iter()
        .map(|field| field.field.as_str())
        .collect();
    // Differences of fields that are not written.
    for change in differences {
        if !known.contains(&change.field.as_str()) {
            lines.push(FieldLine {
                field: change.field.clone(),
                to: text(&change.to),
                now: text(&change.from),
                differs: true,
                why: change.why.clone(),
            });
        }
    }
    lines
}

fn candidates(whole: &Whole) -> Vec<CandidateCard> {
    if whole.work.record.state != State::Review {
        return Vec::new();
    }
    let cards = whole.candidates.iter().map(|candidate| CandidateCard {
        target_id: candidate.target_id.clone(),
        matched_by: crate::web::cross_references::matched_by(&candidate.matched_by).to_owned(),
        score: candidate.score,
        facts: candidate.facts.clone(),
    });
    cards.collect()
}

/// What it waits for, with the page where that can be given.
fn waits(whole: &Whole) -> Vec<Wait> {
    let pair = whole.pair.id;
    let waits = whole.work.record.waiting_for.iter();
    waits
        .map(|wait| Wait {
            label: wait.label.clone(),
            href: match wait.kind.as_str() {
                "project" => format!("/pairs/{pair}/mappings/projects"),
                "cost_codes" | "items" | "tax_codes" | "units" => {
                    format!("/pairs/{pair}/mappings/{}", wait.kind)
                }
                "vendor" | "order" => format!("/records?pair={pair}&q={}", encoded(&wait.key)),
                _ => String::new(),
            },
        })
        .collect()
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn related(whole: &Whole, system: &impl Fn(&SystemId) -> String) -> Vec<Related> {
    let record = &whole.work.record;
    let mut related = vec![Related {
        label: format!("In {}", system(&record.source.system)),
        text: title(record),
        href: String::new(),
        current: true,
    }];
    if let Some(link) = &whole.link {
        related.push(Related {
            label: match link.matched_by.as_str() {
                "created" => format!("In {}, where we created it", system(&link.target.system)),
                by => format!(
                    "In {}, matched by {}",
                    system(&link.target.system),
                    crate::web::cross_references::matched_by(by)
                ),
            },
            text: link.target.id.clone(),
            href: format!(
                "/cross-references?pair={}&source_id={}",
                link.pair_id,
                encoded(&link.source.id)
            ),
            current: false,
        });
    }
    related
}

/// What happened and what was said, newest first.
fn timeline(told: Vec<Told>, exchanges: &[Exchanges]) -> Vec<Entry> {
    let events = told.into_iter().map(event_entry);
    let calls = exchanges
        .iter()
        .enumerate()
        .map(|(at, one)| exchange_entry(at, one));
    let mut entries: Vec<Entry> = events.chain(calls).collect();
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.order));
    entries
}

fn event_entry(told: Told) -> Entry {
    let by_a_person = ["member", "token"].contains(&told.actor_kind.as_str());
    let detail = [
        told.fact("explanation"),
        told.fact("message"),
        told.fact("reason"),
    ]
    .into_iter()
    .find(|text| !text.is_empty())
    .unwrap_or_default()
    .to_owned();
    Entry {
        id: format!("event-{}", told.seq),
        state: told.state,
        title: if by_a_person {
            format!("{}: {}", told.title, told.actor)
        } else {
            told.title
        },
        at: told.at,
        when: told.when,
        detail,
        calls: Vec::new(),
        order: told.order.0,
    }
}

fn exchange_entry(at: usize, exchanges: &Exchanges) -> Entry {
    let calls: Vec<Value> = exchanges
        .content
        .as_ref()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let count = u64::from(exchanges.calls);
    Entry {
        id: format!("exchange-{at}"),
        state: "none",
        title: say::plural(
            count,
            "call to the other systems",
            "calls to the other systems",
        ),
        at: exchanges.at.to_string(),
        when: say::time_exact(exchanges.at),
        detail: match exchanges.content {
            Some(_) => String::new(),
            None => "What was said was erased.".to_owned(),
        },
        calls: calls.iter().map(call_line).collect(),
        order: exchanges.at.0,
    }
}

fn call_line(call: &Value) -> CallLine {
    let text = |name: &str| match call.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let status = match text("status") {
        status if status.is_empty() => "no answer".to_owned(),
        status => status,
    };
    CallLine {
        title: format!(
            "{} {} → {status}, {} ms",
            text("method"),
            text("url"),
            text("ms")
        ),
        request: readable(&text("request")),
        response: readable(&text("response")),
        fault: match call.get("fault") {
            Some(Value::Object(fault)) => {
                let message = fault.get("message").and_then(Value::as_str);
                message.unwrap_or_default().to_owned()
            }
            _ => text("fault"),
        },
    }
}

/// JSON with its lines; anything else as it is.
fn readable(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => pretty(Some(&value)),
        _ => text.to_owned(),
    }
}

fn pretty(value: Option<&Value>) -> String {
    let text = value.map(serde_json::to_string_pretty);
    text.and_then(Result::ok).unwrap_or_default()
}
