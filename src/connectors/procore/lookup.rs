//! What the lines of a contract point at by id: sub jobs, tax codes, the project's currency. Asked for only
//! where a line needs it, and remembered.
//!
//! Source: Procore REST reference, sub jobs and tax codes v1.0, read 2026-11-22.

use std::time::Duration;

use serde_json::{Map, Value};

use super::client::{Ask, Client};
use super::fault;
use super::order_line;
use super::reading::{Issues, Reading};
use crate::domain::fault::Fault;

/// Codes change seldom, and a new one is asked for as soon as a line points at it.
pub(super) const KEPT: Duration = Duration::from_secs(3600);

/// The codes of the sub jobs that lines belong to, by id. One without a code goes by its name.
///
/// # Errors
/// Those of the list: without the sub job a line would be coded wrongly.
pub(super) async fn sub_jobs(
    client: &Client<'_>,
    project: i64,
    lines: &[Value],
) -> Result<Map<String, Value>, Fault> {
    let wanted = order_line::sub_job_ids(lines);
    let fact = format!("sub_jobs/{project}");
    codes(client, &fact, &Ask::sub_jobs(project), &wanted).await
}

/// The tax codes that lines name, by id. Hidden ones keep their id: the code matters only to flows that
/// map it, and those stop by themselves.
///
/// # Errors
/// Those of the list, unless it is hidden.
pub(super) async fn tax_codes(
    client: &Client<'_>,
    lines: &[Value],
) -> Result<Map<String, Value>, Fault> {
    let wanted = order_line::tax_code_ids(lines);
    let ask = Ask::tax_codes(client.company());
    match codes(client, "tax_codes", &ask, &wanted).await {
        Err(refused) if fault::is_hiding(&refused) => Ok(Map::new()),
        found => found,
    }
}

/// The company's cost types, code by id. The list has no window: it is read whole, once an hour.
///
/// # Errors
/// Those of the list.
pub(super) async fn cost_types(client: &Client<'_>) -> Result<Value, Fault> {
    let ask = Ask::cost_types(client.company());
    whole(client, "cost_types", &ask).await
}

/// The sub jobs of a project, code by id.
///
/// # Errors
/// Those of the list.
pub(super) async fn all_sub_jobs(client: &Client<'_>, project: i64) -> Result<Value, Fault> {
    let fact = format!("sub_jobs/{project}");
    match whole(client, &fact, &Ask::sub_jobs(project)).await {
        // Most projects have none, and some companies do not use them at all.
        Err(refused) if fault::is_hiding(&refused) => Ok(Value::Object(Map::new())),
        found => found,
    }
}

async fn whole(client: &Client<'_>, fact: &str, list: &Ask) -> Result<Value, Fault> {
    let facts = &client.session().facts;
    if let Some(known) = facts.recall(fact, client.now(), KEPT) {
        return Ok(known);
    }
    let all: Map<String, Value> = client.all(list).await?.iter().filter_map(code).collect();
    let all = Value::Object(all);
    facts.remember(fact, client.now(), all.clone());
    Ok(all)
}

/// Of a whole list the wanted codes; no call where all of them are known.
async fn codes(
    client: &Client<'_>,
    fact: &str,
    list: &Ask,
    wanted: &[String],
) -> Result<Map<String, Value>, Fault> {
    if wanted.is_empty() {
        return Ok(Map::new());
    }
    let facts = &client.session().facts;
    let known = match facts.recall(fact, client.now(), KEPT) {
        Some(Value::Object(known)) => picked(&known, wanted),
        _ => Map::new(),
    };
    if known.len() == wanted.len() {
        return Ok(known);
    }
    let all: Map<String, Value> = client.all(list).await?.iter().filter_map(code).collect();
    facts.remember(fact, client.now(), Value::Object(all.clone()));
    Ok(picked(&all, wanted))
}

fn picked(known: &Map<String, Value>, wanted: &[String]) -> Map<String, Value> {
    let found = wanted
        .iter()
        .filter_map(|id| Some((id.clone(), known.get(id)?.clone())));
    found.collect()
}

fn code(row: &Value) -> Option<(String, Value)> {
    let issues = Issues::default();
    let row = Reading::of(&issues, row, "");
    let names = ["code", "name"];
    let code = names.iter().find_map(|name| row.text_if_any(name))?;
    Some((row.key_if_any("id")?, Value::from(code)))
}

/// The project's currency, asked for only where neither the contract nor a line names one.
/// Assumed: a project shows the configuration that it was created with.
///
/// # Errors
/// Those of reading the project, unless it is hidden.
pub(super) async fn currency(
    client: &Client<'_>,
    project: i64,
    head: &Map<String, Value>,
    lines: &[Value],
) -> Result<Option<String>, Fault> {
    let has_own = |fields: &Map<String, Value>| {
        let configuration = fields.get("currency_configuration");
        let code = configuration.and_then(|found| found.get("currency_iso_code"));
        code.is_some_and(|code| !code.is_null())
    };
    if has_own(head) || lines.iter().filter_map(Value::as_object).any(has_own) {
        return Ok(None);
    }
    let fact = format!("currency/{project}");
    let facts = &client.session().facts;
    if let Some(known) = facts.recall(&fact, client.now(), KEPT) {
        return Ok(known.as_str().map(str::to_owned));
    }
    let found = match client.one(&Ask::project(project, client.company())).await {
        Ok(fields) => {
            let issues = Issues::default();
            let fields = Value::Object(fields);
            Reading::of(&issues, &fields, "").currency_if_any()
        }
        Err(Fault::Missing { .. }) => None,
        Err(refused) if fault::is_hiding(&refused) => None,
        Err(other) => return Err(other),
    };
    let found = found.map(|currency| currency.as_str().to_owned());
    facts.remember(&fact, client.now(), Value::from(found.clone()));
    Ok(found)
}
