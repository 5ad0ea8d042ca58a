//! What people enter for a pair, checked against what its kind declares; each mistake at its field.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use time::Date;

use super::entry::{self, Values, choice, text, yes_no};
use crate::domain::fault::Issue;
use crate::domain::pair::{AllWord, Approval, FlowSetting, PairSettings, Policies, Projects};
use crate::domain::schedule::{BusinessHours, Schedule};
use crate::engine::catalog::{PairDeclaration, PairFlow, Policy, PolicyKind};

/// Settings of a pair as they came: each part a value of JSON, absent where nothing was said.
#[derive(Debug, Clone, Default)]
pub struct EnteredSettings {
    pub name: Option<Value>,
    pub flows: Option<Value>,
    pub projects: Option<Value>,
    pub schedule: Option<Value>,
    pub start_date: Option<Value>,
    pub policies: Option<Value>,
}

/// Projects in one list at most.
const PROJECTS_MAX: usize = 10_000;
const HOLIDAYS_MAX: usize = 1_000;
const STATUSES_MAX: usize = 50;
const WORD_MAX: usize = 100;

/// What a pair of this kind begins with: every flow off, everything else as declared.
pub(super) fn beginning(kind: &PairDeclaration) -> PairSettings {
    let off = |flow: &PairFlow| FlowSetting {
        enabled: false,
        approval: flow.approval,
    };
    PairSettings {
        name: String::new(),
        flows: kind
            .flows
            .iter()
            .map(|flow| (flow.name.to_owned(), off(flow)))
            .collect(),
        projects: Projects::default(),
        schedule: Schedule::default(),
        start_date: None,
        policies: Policies::default(),
    }
}

/// Writes what was entered over what is there.
pub(super) fn apply(
    kind: &PairDeclaration,
    entered: &EnteredSettings,
    onto: &mut PairSettings,
) -> Vec<Issue> {
    let mut issues = Issues(Vec::new());
    if let Some(value) = &entered.name {
        match entry::name(value.as_str().unwrap_or_default()) {
            Ok(name) => onto.name = name,
            Err(issue) => issues.0.push(issue),
        }
    }
    if let Some(value) = &entered.flows {
        flows(kind, value, &mut onto.flows, &mut issues);
    }
    if let Some(value) = &entered.projects {
        projects(value, &mut onto.projects, &mut issues);
    }
    if let Some(value) = &entered.schedule {
        schedule(value, &mut onto.schedule, &mut issues);
    }
    if let Some(value) = &entered.start_date
        && let Some(date) = issues.take("start_date", date(value))
    {
        onto.start_date = date;
    }
    if let Some(value) = &entered.policies {
        policies(kind, value, &mut onto.policies, &mut issues);
    }
    issues.0
}

/// What is wrong so far.
struct Issues(Vec<Issue>);

type Wrong = (&'static str, String);

impl Issues {
    fn add(&mut self, at: &str, (code, message): Wrong) {
        self.0.push(Issue::new(at, code, message));
    }

    /// The value, or nothing and one more issue.
    fn take<T>(&mut self, at: &str, result: Result<T, Wrong>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.add(at, wrong);
                None
            }
        }
    }

    /// The entries of an object; nothing and an issue when it is none.
    fn object<'a>(&mut self, at: &str, value: &'a Value) -> Option<&'a Values> {
        let object = value.as_object();
        if object.is_none() {
            self.add(
                at,
                ("wrong_type", "enter names with values here".to_owned()),
            );
        }
        object
    }

    fn unknown(&mut self, at: &str, known: impl Iterator<Item = &'static str>) {
        let known = known.collect::<Vec<_>>().join(", ");
        let message = format!("there is no such field; known are {known}");
        self.add(at, ("unknown_field", message));
    }
}

fn flows(
    kind: &PairDeclaration,
    value: &Value,
    onto: &mut BTreeMap<String, FlowSetting>,
    issues: &mut Issues,
) {
    let Some(entered) = issues.object("flows", value) else {
        return;
    };
    for (name, value) in entered {
        let at = format!("flows/{name}");
        let Some(flow) = kind.flow(name) else {
            let known = kind.flows.iter().map(|flow| flow.name).collect::<Vec<_>>();
            let message = format!("this pair has no such flow; it has {}", known.join(", "));
            issues.add(&at, ("unknown", message));
            continue;
        };
        let Some(fields) = issues.object(&at, value) else {
            continue;
        };
        let before = onto.get(name).copied();
        // Whoever names a flow for the first time and says no more wants it.
        let mut setting = before.unwrap_or(FlowSetting {
            enabled: true,
            approval: flow.approval,
        });
        flow_fields(&at, fields, &mut setting, issues);
        onto.insert(name.clone(), setting);
    }
}

fn flow_fields(at: &str, fields: &Values, setting: &mut FlowSetting, issues: &mut Issues) {
    for (name, value) in fields {
        let at = format!("{at}/{name}");
        match name.as_str() {
            "enabled" => {
                if let Some(enabled) = issues.take(&at, flag(value)) {
                    setting.enabled = enabled;
                }
            }
            "approval" => {
                if let Some(approval) = issues.take(&at, approval(value)) {
                    setting.approval = approval;
                }
            }
            _ => issues.unknown(&at, ["enabled", "approval"].into_iter()),
        }
    }
}

fn flag(value: &Value) -> Result<bool, Wrong> {
    yes_no(&text(value)?.unwrap_or_default())
}

fn approval(value: &Value) -> Result<Approval, Wrong> {
    let word = text(value)?.unwrap_or_default();
    let wrong = |_| ("unknown", "choose automatic or review".to_owned());
    word.parse().map_err(wrong)
}

fn projects(value: &Value, onto: &mut Projects, issues: &mut Issues) {
    let Some(entered) = issues.object("projects", value) else {
        return;
    };
    for (name, value) in entered {
        let at = format!("projects/{name}");
        if name != "include" {
            issues.unknown(&at, ["include"].into_iter());
        } else if let Some(included) = issues.take(&at, included(value)) {
            *onto = included;
        }
    }
}

fn included(value: &Value) -> Result<Projects, Wrong> {
    let wrong = || {
        (
            "unknown",
            "choose all, or give a list of project ids".to_owned(),
        )
    };
    match value {
        Value::String(word) if word.trim() == AllWord::All.as_str() => Ok(Projects::default()),
        Value::Array(ids) if ids.len() > PROJECTS_MAX => {
            Err(("too_many", format!("list at most {PROJECTS_MAX} projects")))
        }
        Value::Array(ids) => {
            let ids = ids
                .iter()
                .map(|id| word(id).map_err(|_| wrong()))
                .collect::<Result<BTreeSet<String>, Wrong>>()?;
            Ok(Projects::Some(ids.into_iter().collect()))
        }
        _ => Err(wrong()),
    }
}

/// One short word or number.
fn word(value: &Value) -> Result<String, Wrong> {
    let word = match value {
        Value::String(_) | Value::Number(_) => text(value)?,
        _ => None,
    };
    let wrong = || ("wrong_type", "enter one word".to_owned());
    word.filter(|word| word.chars().count() <= WORD_MAX)
        .ok_or_else(wrong)
}

const SCHEDULE: [&str; 4] = ["every_minutes", "business_hours", "time_zone", "holidays"];

fn schedule(value: &Value, onto: &mut Schedule, issues: &mut Issues) {
    let Some(entered) = issues.object("schedule", value) else {
        return;
    };
    let mut new = onto.clone();
    let before = issues.0.len();
    for (name, value) in entered {
        let at = format!("schedule/{name}");
        match name.as_str() {
            "every_minutes" => {
                if let Some(minutes) = issues.take(&at, minutes(value)) {
                    new.every_minutes = minutes;
                }
            }
            "business_hours" => business_hours(&at, value, &mut new.business_hours, issues),
            "time_zone" => {
                if let Some(zone) = issues.take(&at, text(value)) {
                    new.time_zone = zone.unwrap_or_else(|| Schedule::default().time_zone);
                }
            }
            "holidays" => {
                if let Some(days) = issues.take(&at, holidays(value)) {
                    new.holidays = days;
                }
            }
            _ => issues.unknown(&at, SCHEDULE.into_iter()),
        }
    }
    if issues.0.len() == before {
        issues.0.extend(new.issues());
        *onto = new;
    }
}

fn minutes(value: &Value) -> Result<u16, Wrong> {
    let wrong = |_| ("out_of_range", "choose 1 to 1440 minutes".to_owned());
    text(value)?.unwrap_or_default().parse().map_err(wrong)
}

fn business_hours(at: &str, value: &Value, onto: &mut Option<BusinessHours>, issues: &mut Issues) {
    if value.is_null() {
        *onto = None;
        return;
    }
    let Some(entered) = issues.object(at, value) else {
        return;
    };
    let mut hours = onto.clone().unwrap_or(BusinessHours {
        days: Vec::new(),
        from: String::new(),
        to: String::new(),
    });
    for (name, value) in entered {
        let at = format!("{at}/{name}");
        match name.as_str() {
            "days" => {
                if let Some(days) = issues.take(&at, words(value, 7)) {
                    hours.days = days.iter().map(|day| day.to_ascii_lowercase()).collect();
                }
            }
            "from" | "to" => {
                if let Some(time) = issues.take(&at, text(value)) {
                    let side = if name == "from" {
                        &mut hours.from
                    } else {
                        &mut hours.to
                    };
                    *side = time.unwrap_or_default();
                }
            }
            _ => issues.unknown(&at, ["days", "from", "to"].into_iter()),
        }
    }
    *onto = Some(hours);
}

fn words(value: &Value, max: usize) -> Result<Vec<String>, Wrong> {
    let list = match value {
        Value::Null => &[][..],
        Value::Array(list) => list.as_slice(),
        _ => return Err(("wrong_type", "enter a list".to_owned())),
    };
    if list.len() > max {
        return Err(("too_many", format!("list at most {max}")));
    }
    list.iter().map(word).collect()
}

fn holidays(value: &Value) -> Result<Vec<Date>, Wrong> {
    let days = words(value, HOLIDAYS_MAX)?;
    let days = days
        .iter()
        .map(|day| calendar_day(day))
        .collect::<Result<BTreeSet<Date>, Wrong>>()?;
    Ok(days.into_iter().collect())
}

/// A day, or none where nothing or null was said.
fn date(value: &Value) -> Result<Option<Date>, Wrong> {
    match text(value)? {
        None => Ok(None),
        Some(day) => calendar_day(&day).map(Some),
    }
}

fn calendar_day(day: &str) -> Result<Date, Wrong> {
    let wrong = || {
        (
            "not_a_date",
            format!("write `{day}` as a day such as 2026-11-01"),
        )
    };
    let digits = |part: &str, length: usize| {
        let is_plain = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| part.parse::<u16>().ok()).flatten()
    };
    let parsed = || {
        let mut parts = day.splitn(3, '-');
        let year = digits(parts.next()?, 4)?;
        let month = u8::try_from(digits(parts.next()?, 2)?).ok()?;
        let number = u8::try_from(digits(parts.next()?, 2)?).ok()?;
        Date::from_calendar_date(year.into(), month.try_into().ok()?, number).ok()
    };
    parsed().ok_or_else(wrong)
}

fn policies(kind: &PairDeclaration, value: &Value, onto: &mut Policies, issues: &mut Issues) {
    let Some(entered) = issues.object("policies", value) else {
        return;
    };
    for (name, value) in entered {
        let at = format!("policies/{name}");
        if name == "statuses" {
            statuses(kind, value, &mut onto.statuses, issues);
            continue;
        }
        match (policy(kind, name), value) {
            (Some(policy), value) => set(policy, &at, value, onto, issues),
            // `{"cost_codes":{"create_in":"none"}}` names the policy `cost_codes.create_in`.
            (None, Value::Object(inner)) => nested(kind, name, inner, onto, issues),
            (None, _) => issues.unknown(&at, kind.policies.iter().map(|policy| policy.name)),
        }
    }
}

fn nested(
    kind: &PairDeclaration,
    outer: &str,
    inner: &Map<String, Value>,
    onto: &mut Policies,
    issues: &mut Issues,
) {
    for (name, value) in inner {
        let at = format!("policies/{outer}/{name}");
        match policy(kind, &format!("{outer}.{name}")) {
            Some(policy) => set(policy, &at, value, onto, issues),
            None => issues.unknown(&at, kind.policies.iter().map(|policy| policy.name)),
        }
    }
}

fn policy(kind: &PairDeclaration, name: &str) -> Option<&'static Policy> {
    kind.policies.iter().find(|policy| policy.name == name)
}

/// Sets a policy. What is empty takes it back to its default, and the default itself is no choice.
fn set(policy: &Policy, at: &str, value: &Value, onto: &mut Policies, issues: &mut Issues) {
    match issues.take(at, policy_value(policy, value)) {
        Some(Some(value)) if value != policy.default => {
            onto.rules.insert(policy.name.to_owned(), value);
        }
        Some(_) => {
            onto.rules.remove(policy.name);
        }
        None => {}
    }
}

fn policy_value(policy: &Policy, value: &Value) -> Result<Option<String>, Wrong> {
    let Some(entered) = text(value)? else {
        return Ok(None);
    };
    let value = match policy.kind {
        PolicyKind::Choice(words) => choice(entered, words)?,
        PolicyKind::YesNo => yes_no(&entered)?.to_string(),
        PolicyKind::Date => calendar_day(&entered)?.to_string(),
        PolicyKind::Number { min, max } => {
            let wrong = || ("out_of_range", format!("choose {min} to {max}"));
            let number: u32 = entered.parse().map_err(|_| wrong())?;
            if !(min..=max).contains(&number) {
                return Err(wrong());
            }
            number.to_string()
        }
    };
    Ok(Some(value))
}

/// Statuses by flow. A flow of a later release may be named already; null takes a choice back.
fn statuses(
    kind: &PairDeclaration,
    value: &Value,
    onto: &mut BTreeMap<String, Vec<String>>,
    issues: &mut Issues,
) {
    let Some(entered) = issues.object("policies/statuses", value) else {
        return;
    };
    for (flow, value) in entered {
        let at = format!("policies/statuses/{flow}");
        let declared = kind.flow(flow).map_or(&[][..], |flow| flow.statuses);
        let is_name = flow.len() <= 40
            && !flow.is_empty()
            && flow
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if !is_name {
            issues.add(&at, ("unknown", "there is no such flow".to_owned()));
        } else if value.is_null() {
            onto.remove(flow);
        } else if let Some(words) = issues.take(&at, some_words(value)) {
            if words == declared {
                onto.remove(flow);
            } else {
                onto.insert(flow.clone(), words);
            }
        }
    }
}

fn some_words(value: &Value) -> Result<Vec<String>, Wrong> {
    let words = words(value, STATUSES_MAX)?;
    if words.is_empty() {
        return Err(("required", "name at least one status".to_owned()));
    }
    Ok(words)
}
