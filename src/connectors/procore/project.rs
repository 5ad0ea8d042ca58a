//! Projects that the service account may see.
//!
//! Source: Procore REST reference, projects v1.0, read 2026-11-22. A service account sees only the projects
//! that an administrator permitted.

use std::time::Duration;

use serde_json::{Map, Value};

use super::client::{Ask, Client};
use super::fault::unreadable;
use super::listing;
use super::reading::{Issues, Reading};
use crate::contract::{Answer, ListScope, Lists, Page, Read, Reads, Seen, Session, SourceKey};
use crate::domain::connection::Settings;
use crate::domain::fault::{Fault, Issue};
use crate::domain::records::Project;

/// The projects of one company.
pub(super) struct Projects;

/// A listing shows each project whole: for so long its row answers a read without another call.
const ROW_KEPT: Duration = Duration::from_secs(120);

fn version(fields: &Map<String, Value>) -> String {
    listing::version(fields, &["name", "project_number", "active"], &[])
}

fn fact(id: &str) -> String {
    format!("project/{id}")
}

impl Lists for Projects {
    fn changed<'a>(
        &'a self,
        session: &'a Session,
        scope: &'a ListScope,
        after: Option<&'a str>,
    ) -> Answer<'a, Page<Seen>> {
        Box::pin(async move {
            let client = Client::of(session)?;
            let ask = Ask::projects(scope, client.company());
            let seen = |row: &Map<String, Value>| {
                let id = row.get("id").and_then(super::reading::key);
                if let Some(id) = &id {
                    let row = Value::Object(row.clone());
                    session.facts.remember(&fact(id), client.now(), row);
                }
                (version(row), id)
            };
            listing::company_page(&client, &ask, after, seen).await
        })
    }
}

impl Reads<Project> for Projects {
    fn read<'a>(
        &'a self,
        session: &'a Session,
        key: &'a SourceKey,
    ) -> Answer<'a, Option<Read<Project>>> {
        Box::pin(async move {
            let client = Client::of(session)?;
            let id = listing::number(&key.id)?;
            let kept = session.facts.recall(&fact(&key.id), client.now(), ROW_KEPT);
            let fields = match kept {
                Some(Value::Object(row)) => row,
                _ => match client.one(&Ask::project(id, client.company())).await {
                    Err(Fault::Missing { .. }) => {
                        let neighbours = Ask::projects(&ListScope::default(), client.company());
                        listing::gone(&client, "project", neighbours).await?;
                        return Ok(None);
                    }
                    answer => answer?,
                },
            };
            let version = version(&fields);
            let raw = Value::Object(fields);
            let record = translated(&raw).map_err(|issues| unreadable("project", issues))?;
            Ok(Some(Read {
                record,
                version,
                raw,
            }))
        })
    }

    fn translate(&self, raw: &Value, _settings: &Settings) -> Result<Project, Vec<Issue>> {
        translated(raw)
    }
}

pub(super) fn translated(raw: &Value) -> Result<Project, Vec<Issue>> {
    let issues = Issues::default();
    let project = Reading::of(&issues, raw, "");
    let named = ["name", "display_name"];
    let found = Project {
        key: project.key("id"),
        number: project.text_if_any("project_number"),
        name: named
            .iter()
            .find_map(|name| project.text_if_any(name))
            .unwrap_or_else(|| project.text("name")),
        active: project.flag_or("active", true),
    };
    issues.finish(found)
}
