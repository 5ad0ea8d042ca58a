//! Looks up what mapping rows say about Procore: is there a vendor, a project with this id? Codes are looked up
//! nowhere: the lines carry them.
//!
//! Source: Procore REST reference, vendors and projects v1.0, read 2026-11-22.

use std::time::Duration;

use serde_json::Value;

use super::client::{Ask, Client};
use super::fault;
use super::reading;
use crate::contract::{Answer, ListScope, Session, Verdict, Verifies};
use crate::domain::fault::{Fault, Issue};
use crate::domain::mapping::{MappingKind, Row, value};

pub(super) struct Keys;

/// A list that was read so lately still answers for rows that were saved since.
const KEPT: Duration = Duration::from_secs(600);

/// What one kind of row points at.
struct Pointed {
    column: &'static str,
    word: &'static str,
    list: Ask,
    one: fn(i64, &str) -> Ask,
}

impl Pointed {
    fn of(kind: MappingKind, company: &str) -> Option<Self> {
        let everything = ListScope::default();
        match kind {
            MappingKind::Vendors => Some(Self {
                column: "vendor_id",
                word: "vendor",
                list: Ask::vendors(&everything, company),
                one: Ask::vendor,
            }),
            MappingKind::Projects => Some(Self {
                column: "project_id",
                word: "project",
                list: Ask::projects(&everything, company),
                one: Ask::project,
            }),
            _ => None,
        }
    }
}

impl Verifies for Keys {
    fn verify<'a>(
        &'a self,
        session: &'a Session,
        kind: MappingKind,
        rows: &'a [Row],
    ) -> Answer<'a, Vec<Verdict>> {
        Box::pin(async move {
            let client = Client::of(session)?;
            let Some(pointed) = Pointed::of(kind, client.company()) else {
                return Ok(vec![Verdict::default(); rows.len()]);
            };
            let listed = match listed(&client, &pointed).await {
                // A list that is withheld says nothing against its rows.
                Err(refused) if fault::is_hiding(&refused) => {
                    return Ok(vec![Verdict::default(); rows.len()]);
                }
                listed => listed?,
            };
            let mut verdicts = Vec::with_capacity(rows.len());
            for row in rows {
                verdicts.push(judge(&client, &pointed, &listed, row).await?);
            }
            Ok(verdicts)
        })
    }
}

/// Ids and names of the whole list: one call a page for a table of any length.
async fn listed(
    client: &Client<'_>,
    pointed: &Pointed,
) -> Result<serde_json::Map<String, Value>, Fault> {
    let fact = format!("known/{}", pointed.word);
    let facts = &client.session().facts;
    if let Some(Value::Object(known)) = facts.recall(&fact, client.now(), KEPT) {
        return Ok(known);
    }
    let rows = client.all(&pointed.list).await?;
    let known: serde_json::Map<String, Value> = rows
        .iter()
        .filter_map(|row| Some((reading::key(row.get("id")?)?, name(row))))
        .collect();
    facts.remember(&fact, client.now(), Value::Object(known.clone()));
    Ok(known)
}

fn name(row: &Value) -> Value {
    row.get("name").cloned().unwrap_or_default()
}

async fn judge(
    client: &Client<'_>,
    pointed: &Pointed,
    listed: &serde_json::Map<String, Value>,
    row: &Row,
) -> Result<Verdict, Fault> {
    let mut verdict = Verdict::default();
    let Some(key) = value(&row.project_side, pointed.column) else {
        return Ok(verdict);
    };
    let known = match listed.get(key.trim()) {
        Some(name) => Some(name.clone()),
        // Not in the list: inactive ones are still shown by their id.
        None => shown(client, pointed, key.trim()).await?,
    };
    match known {
        Some(name) => {
            let label = match pointed.word {
                "vendor" => "Vendor",
                _ => "Project",
            };
            let name = name.as_str().unwrap_or_default().to_owned();
            verdict.found.push((label.to_owned(), name));
        }
        None => {
            let says = format!("Procore shows no {} {key}", pointed.word);
            verdict
                .issues
                .push(Issue::new(pointed.column, "not_in_procore", says));
        }
    }
    Ok(verdict)
}

async fn shown(client: &Client<'_>, pointed: &Pointed, key: &str) -> Result<Option<Value>, Fault> {
    let Ok(id) = key.parse() else {
        return Ok(None);
    };
    match client.one(&(pointed.one)(id, client.company())).await {
        Ok(fields) => Ok(Some(fields.get("name").cloned().unwrap_or_default())),
        Err(Fault::Missing { .. }) => Ok(None),
        // Withheld: nothing is known against it.
        Err(refused) if fault::is_hiding(&refused) => Ok(Some(Value::Null)),
        Err(other) => Err(other),
    }
}
