//! The settings of a pair as a form holds them, and back.

use serde_json::{Map, Value, json};

use crate::desk::EnteredSettings;
use crate::domain::pair::{Pair, Projects};
use crate::domain::schedule::Schedule;
use crate::engine::catalog::{PairDeclaration, PolicyKind};
use crate::web::fields::Fields;

pub const DAYS: [(&str, &str); 7] = [
    ("mon", "Monday"),
    ("tue", "Tuesday"),
    ("wed", "Wednesday"),
    ("thu", "Thursday"),
    ("fri", "Friday"),
    ("sat", "Saturday"),
    ("sun", "Sunday"),
];

/// A new pair as its form first shows it: everything on, as declared.
pub fn beginning(kind: &PairDeclaration) -> Fields {
    let mut fields = Fields::default();
    fields.set("name", kind.title);
    for flow in kind.flows {
        fields.set(&format!("flows.{}.enabled", flow.name), "on");
        fields.set(
            &format!("flows.{}.approval", flow.name),
            flow.approval.as_str(),
        );
    }
    fields.set("projects", "all");
    set_schedule(&mut fields, &Schedule::default());
    fields
}

/// A pair's settings as its form holds them.
pub fn filled(kind: &PairDeclaration, pair: &Pair) -> Fields {
    let settings = &pair.settings;
    let mut fields = Fields::default();
    fields.set("name", settings.name.as_str());
    for flow in kind.flows {
        let setting = pair.flow(flow.name);
        if setting.enabled {
            fields.set(&format!("flows.{}.enabled", flow.name), "on");
        }
        let approval = format!("flows.{}.approval", flow.name);
        fields.set(&approval, setting.approval.as_str());
        if let Some(statuses) = settings.policies.statuses.get(flow.name) {
            let name = format!("policies.statuses.{}", flow.name);
            fields.set(&name, statuses.join(", "));
        }
    }
    match &settings.projects {
        Projects::All(_) => fields.set("projects", "all"),
        Projects::Some(keys) => {
            fields.set("projects", "some");
            for key in keys {
                fields.add("project", key.as_str());
            }
        }
    }
    set_schedule(&mut fields, &settings.schedule);
    if let Some(date) = settings.start_date {
        fields.set("start_date", date.to_string());
    }
    for policy in kind.policies {
        if let Some(value) = settings.policies.rules.get(policy.name) {
            fields.set(&format!("policies.{}", policy.name), value.as_str());
        }
    }
    fields
}

fn set_schedule(fields: &mut Fields, schedule: &Schedule) {
    fields.set("schedule.every_minutes", schedule.every_minutes.to_string());
    fields.set("schedule.time_zone", schedule.time_zone.as_str());
    match &schedule.business_hours {
        Some(hours) => {
            fields.set("hours", "on");
            for day in &hours.days {
                fields.add("day", day.as_str());
            }
            fields.set("schedule.business_hours.from", hours.from.as_str());
            fields.set("schedule.business_hours.to", hours.to.as_str());
        }
        None => {
            for (day, _) in DAYS.iter().take(5) {
                fields.add("day", *day);
            }
            fields.set("schedule.business_hours.from", "07:00");
            fields.set("schedule.business_hours.to", "19:00");
        }
    }
    let days: Vec<String> = schedule.holidays.iter().map(ToString::to_string).collect();
    fields.set("schedule.holidays", days.join("\n"));
}

/// What was typed, as the desk takes it.
pub fn entered(kind: &PairDeclaration, fields: &Fields) -> EnteredSettings {
    EnteredSettings {
        name: Some(fields.get("name").into()),
        flows: Some(flows(kind, fields)),
        projects: Some(projects(fields)),
        schedule: Some(schedule(fields)),
        start_date: Some(fields.given("start_date").map_or(Value::Null, Value::from)),
        policies: Some(policies(kind, fields)),
    }
}

fn flows(kind: &PairDeclaration, fields: &Fields) -> Value {
    let flow = |name: &str| {
        json!({
            "enabled": fields.is_on(&format!("flows.{name}.enabled")),
            "approval": fields.get(&format!("flows.{name}.approval")),
        })
    };
    let flows = kind.flows.iter();
    flows
        .map(|declared| (declared.name.to_owned(), flow(declared.name)))
        .collect::<Map<String, Value>>()
        .into()
}

/// Ticked projects, and those that were typed because they are not listed.
fn projects(fields: &Fields) -> Value {
    if fields.get("projects") != "some" {
        return json!({"include": "all"});
    }
    let typed = fields.get("other_projects").split([',', '\n', ' ']);
    let keys: Vec<&str> = fields
        .all("project")
        .chain(typed)
        .map(str::trim)
        .filter(|key| !key.is_empty())
        .collect();
    json!({"include": keys})
}

fn schedule(fields: &Fields) -> Value {
    let hours = fields.is_on("hours").then(|| {
        json!({
            "days": fields.all("day").collect::<Vec<_>>(),
            "from": fields.get("schedule.business_hours.from").trim(),
            "to": fields.get("schedule.business_hours.to").trim(),
        })
    });
    let holidays: Vec<&str> = fields
        .get("schedule.holidays")
        .split([',', '\n', ' '])
        .map(str::trim)
        .filter(|day| !day.is_empty())
        .collect();
    json!({
        "every_minutes": fields.get("schedule.every_minutes").trim(),
        "time_zone": fields.get("schedule.time_zone").trim(),
        "business_hours": hours,
        "holidays": holidays,
    })
}

fn policies(kind: &PairDeclaration, fields: &Fields) -> Value {
    let mut policies = Map::new();
    for policy in kind.policies {
        let name = format!("policies.{}", policy.name);
        let value = match policy.kind {
            PolicyKind::YesNo => Value::from(fields.is_on(&name)),
            _ => Value::from(fields.get(&name).trim()),
        };
        policies.insert(policy.name.to_owned(), value);
    }
    let statuses = kind.flows.iter().filter(|flow| !flow.statuses.is_empty());
    let statuses: Map<String, Value> = statuses
        .map(|flow| {
            let typed = fields.get(&format!("policies.statuses.{}", flow.name));
            let words = typed.split([',', '\n']).map(str::trim);
            let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
            let value = if words.is_empty() {
                Value::Null
            } else {
                words.into()
            };
            (flow.name.to_owned(), value)
        })
        .collect();
    policies.insert("statuses".to_owned(), statuses.into());
    policies.into()
}
