//! WBS codes of a project: sub job, cost code and cost type as lines carry them.
//!
//! Source: Procore REST reference, WBS codes, line item types and sub jobs v1.0, read 2026-11-22. There is no call for
//! a single code, so a project's whole list is read and its rows are remembered for a moment. Segments may be left out
//! of a row, then its parts are found in its text.

use std::time::Duration;

use serde_json::{Map, Value};

use super::client::{Ask, Client};
use super::code_text::{self, Parts};
use super::fault::{self, unreadable};
use super::listing::{self, Cursor, Round};
use super::lookup;
use super::reading::{Issues, Reading};
use super::tool::Tool;
use crate::contract::{Answer, ListScope, Lists, Page, Read, Reads, Seen, Session, SourceKey};
use crate::domain::connection::Settings;
use crate::domain::fault::{Fault, Issue};
use crate::domain::records::{Coding, CostCode};

/// The codes of the projects in scope.
pub(super) struct Codes;

/// Rows of a list serve the records that are read right after it.
const MOMENT: Duration = Duration::from_secs(20);

/// What moves the version when it changes, beside the time of the change.
const TELLING: [&str; 5] = [
    "flat_code",
    "flat_name",
    "description",
    "status",
    "segment_items",
];

fn version(row: &Map<String, Value>) -> String {
    listing::version(row, &TELLING, &[])
}

impl Lists for Codes {
    fn changed<'a>(
        &'a self,
        session: &'a Session,
        scope: &'a ListScope,
        after: Option<&'a str>,
    ) -> Answer<'a, Page<Seen>> {
        Box::pin(async move {
            let round = Round::of(scope, Tool::CostCodes, |project| vec![project.to_string()]);
            let mut cursor = match after {
                Some(text) => Cursor::read(text)?,
                None => round.start(),
            };
            if round.is_over(&cursor) {
                return round.end(&cursor);
            }
            let project = listing::number(&cursor.place)?;
            let client = Client::of(session)?;
            let ask = Ask::changed_wbs_codes(project, scope);
            let (rows, next) = match client.page(&ask, cursor.page).await {
                Ok(found) => {
                    let rows = found.rows.iter().map(|row| seen(&client, row, project));
                    let rows = rows.collect::<Result<Vec<Seen>, Fault>>()?;
                    (rows, cursor.after(&found)?)
                }
                // One hidden project does not keep the others back.
                Err(refused) if fault::is_hiding(&refused) => {
                    cursor.hide(project.to_string());
                    (Vec::new(), None)
                }
                Err(other) => return Err(other),
            };
            let next = next.or_else(|| round.following(cursor));
            Ok(Page {
                rows,
                next: next.map(|cursor| cursor.written()),
            })
        })
    }
}

fn seen(client: &Client<'_>, row: &Value, project: i64) -> Result<Seen, Fault> {
    let (id, fields) = listing::keyed(row)?;
    remember(client, project, &id, row);
    Ok(Seen {
        key: SourceKey {
            id,
            place: project.to_string(),
        },
        version: version(fields),
        project_key: Some(project.to_string()),
        name: None,
    })
}

fn remember(client: &Client<'_>, project: i64, id: &str, row: &Value) {
    let facts = &client.session().facts;
    facts.remember(&fact(project, id), client.now(), row.clone());
}

fn fact(project: i64, id: &str) -> String {
    format!("wbs/{project}/{id}")
}

impl Reads<CostCode> for Codes {
    fn read<'a>(
        &'a self,
        session: &'a Session,
        key: &'a SourceKey,
    ) -> Answer<'a, Option<Read<CostCode>>> {
        Box::pin(async move {
            let client = Client::of(session)?;
            let (project, id) = (listing::number(&key.place)?, listing::number(&key.id)?);
            let Some(row) = row(&client, project, id).await? else {
                return Ok(None);
            };
            let (_, fields) = listing::keyed(&row)?;
            let version = version(fields);
            let raw = whole(&client, project, row).await?;
            let record = translated(&raw).map_err(|issues| unreadable("WBS code", issues))?;
            Ok(Some(Read {
                record,
                version,
                raw,
            }))
        })
    }

    fn translate(&self, raw: &Value, _settings: &Settings) -> Result<CostCode, Vec<Issue>> {
        translated(raw)
    }
}

/// The row of one code: as it was just listed, else from the project's whole list.
async fn row(client: &Client<'_>, project: i64, id: i64) -> Result<Option<Value>, Fault> {
    let facts = &client.session().facts;
    let known = || facts.recall(&fact(project, &id.to_string()), client.now(), MOMENT);
    if let Some(row) = known() {
        return Ok(Some(row));
    }
    let rows = all(client, project).await?;
    if rows.is_empty() {
        return Err(Fault::Missing {
            what: "not_visible".to_owned(),
            message: format!(
                "Procore shows no code of project {project} at all: the service account may have lost the right to \
                 see them"
            ),
        });
    }
    Ok(known())
}

/// Every code of a project, remembered for the records that are read next.
pub(super) async fn all(client: &Client<'_>, project: i64) -> Result<Vec<Value>, Fault> {
    let rows = client.all(&Ask::wbs_codes(project)).await?;
    for row in &rows {
        let (id, _) = listing::keyed(row)?;
        remember(client, project, &id, row);
    }
    Ok(rows)
}

/// The snapshot: the row, and for a row without segments what its text is taken apart with.
pub(super) async fn whole(client: &Client<'_>, project: i64, row: Value) -> Result<Value, Fault> {
    let mut whole = Map::from_iter([("project_id".to_owned(), Value::from(project))]);
    if code_text::needs_lists(&row) {
        let types = lookup::cost_types(client).await?;
        let sub_jobs = lookup::all_sub_jobs(client, project).await?;
        whole.insert("cost_types".to_owned(), types);
        whole.insert("sub_jobs".to_owned(), sub_jobs);
    }
    whole.insert("wbs_code".to_owned(), row);
    Ok(Value::Object(whole))
}

pub(super) fn translated(raw: &Value) -> Result<CostCode, Vec<Issue>> {
    let issues = Issues::default();
    let whole = Reading::of(&issues, raw, "");
    let row = Reading::of(&issues, raw.get("wbs_code").unwrap_or(&NOTHING), "");
    let Parts {
        cost_code,
        cost_type,
        sub_job,
        name,
    } = code_text::parts(raw);
    if cost_code.is_empty() {
        let says = "neither its segments nor its text name a cost code";
        issues.note(Issue::new("flat_code", "empty", says));
    }
    let names = ["description", "flat_name"];
    let own = names.iter().find_map(|name| row.text_if_any(name));
    let status = row.text_if_any("status").unwrap_or_default();
    let found = CostCode {
        key: row.key("id"),
        project_key: whole.key("project_id"),
        coding: Coding {
            cost_code,
            cost_type,
            sub_job,
        },
        name: own.unwrap_or(name),
        // Assumed: without a word for it a code is active.
        active: status.trim().is_empty() || status.trim().eq_ignore_ascii_case("active"),
        created_at: row.moment_if_any("created_at"),
    };
    issues.finish(found)
}

static NOTHING: Value = Value::Null;
