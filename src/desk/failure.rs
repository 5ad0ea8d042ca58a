//! What stands still, by cause: how many records and how much money, since when, why, and what mends it. Failed and
//! waiting records, and each project that no pair has a row for.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Desk, DeskError};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{PairId, RecordId};
use crate::domain::mapping::{MappingKind, value};
use crate::domain::member::Caller;
use crate::domain::money::Money;
use crate::domain::record::State;
use crate::store::failure::{self, Group, WaitKey};
use crate::store::{self, Scope, StoreError};

/// Pairs that one tenant has at most for this list.
const PAIRS_MAX: u32 = 500;

/// One cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    pub at: Position,
    /// Class, code and field of the fault, or what is waited for.
    pub cause: String,
    pub class: String,
    pub state: State,
    pub records: u64,
    pub money: Vec<Money>,
    pub first_seen_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub explanation: String,
    pub mend: String,
    /// One of the records; none where nothing was even listed.
    pub example: Option<RecordId>,
}

/// Where a page of the list ended. Failed ones come first, then what is waited for, then projects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Position {
    Failed { cause: String },
    Waiting { kind: String, key: String },
    Project { key: String },
}

impl std::str::FromStr for Position {
    type Err = serde_json::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(text)
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&serde_json::to_string(self).unwrap_or_default())
    }
}

/// Causes in a fixed order, after one of them.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn list(
    desk: &Desk,
    caller: &Caller,
    pair: Option<PairId>,
    after: Option<Position>,
    limit: u32,
) -> Result<Vec<Failure>, DeskError> {
    let scope = desk.store().read(caller.tenant_id).await?;
    let (mut cause, mut wait, mut project) = (String::new(), nothing(), String::new());
    let mut part = 0;
    match after {
        None => {}
        Some(Position::Failed { cause: last }) => cause = last,
        Some(Position::Waiting { kind, key }) => (part, wait) = (1, WaitKey { kind, key }),
        Some(Position::Project { key }) => (part, project) = (2, key),
    }
    let mut found = Vec::new();
    let left = |found: &Vec<Failure>| limit.saturating_sub(u32::try_from(found.len()).unwrap_or(0));
    if part == 0 {
        for group in failure::failed(&scope, pair, &cause, limit).await? {
            found.push(failed(&scope, pair, group).await?);
        }
    }
    if part <= 1 && left(&found) > 0 {
        for group in failure::waiting(&scope, pair, &wait, left(&found)).await? {
            found.push(waiting(&scope, pair, group).await?);
        }
    }
    if left(&found) > 0 {
        let more = usize::try_from(left(&found)).unwrap_or(usize::MAX);
        let unmapped = unmapped(desk, &scope, pair).await?;
        let is_later =
            |one: &Failure| matches!(&one.at, Position::Project { key } if *key > project);
        found.extend(unmapped.into_iter().filter(is_later).take(more));
    }
    Ok(found)
}

fn nothing() -> WaitKey {
    WaitKey {
        kind: String::new(),
        key: String::new(),
    }
}

async fn failed(
    scope: &Scope,
    pair: Option<PairId>,
    group: Group<String>,
) -> Result<Failure, StoreError> {
    let example = failure::one_failed(scope, pair, &group.key).await?;
    let record = match example {
        Some(id) => Some(store::record::find(scope, id).await?.record),
        None => None,
    };
    let class = group.key.split('/').next().unwrap_or("").to_owned();
    let reason = record.as_ref().and_then(|record| record.reason.clone());
    Ok(Failure {
        mend: mend_failed(&class, reason.as_deref()).to_owned(),
        explanation: record.map_or_else(String::new, |record| record.explanation),
        state: State::Failed,
        records: group.records,
        money: group.money,
        first_seen_at: group.first_seen_at,
        last_seen_at: group.last_seen_at,
        at: Position::Failed {
            cause: group.key.clone(),
        },
        cause: group.key,
        class,
        example,
    })
}

async fn waiting(
    scope: &Scope,
    pair: Option<PairId>,
    group: Group<WaitKey>,
) -> Result<Failure, StoreError> {
    let WaitKey { kind, key } = &group.key;
    let example = failure::one_waiting(scope, pair, &group.key).await?;
    let label = match example {
        Some(id) => {
            let waits = store::record::find(scope, id).await?.record.waiting_for;
            let mut waits = waits.into_iter();
            waits.find(|wait| wait.kind == *kind && wait.key == *key)
        }
        None => None,
    };
    let label = label.map_or_else(|| format!("{kind} {key}"), |wait| wait.label);
    Ok(Failure {
        at: Position::Waiting {
            kind: kind.clone(),
            key: key.clone(),
        },
        cause: format!("waiting/{kind}/{key}"),
        class: kind.clone(),
        state: State::Waiting,
        records: group.records,
        explanation: format!("Waiting for {label}."),
        mend: mend_waiting(kind).to_owned(),
        example,
        money: group.money,
        first_seen_at: group.first_seen_at,
        last_seen_at: group.last_seen_at,
    })
}

/// Projects that a pair includes and no pair has a row for: their documents are not even listed. One row each.
async fn unmapped(
    desk: &Desk,
    scope: &Scope,
    only: Option<PairId>,
) -> Result<Vec<Failure>, StoreError> {
    let pairs = store::pair::list(scope, None, PAIRS_MAX).await?;
    let mut mapped: BTreeSet<String> = BTreeSet::new();
    for pair in &pairs {
        let rows = store::mapping::rows(scope, pair.id, MappingKind::Projects).await?;
        let keys = rows
            .iter()
            .filter_map(|checked| value(&checked.row.project_side, "project_id"));
        mapped.extend(keys.map(str::to_owned));
    }
    let mut found: Vec<Failure> = Vec::new();
    for pair in pairs {
        let is_asked = only.is_none_or(|only| only == pair.id);
        let kind = desk.engine.pair_kind(&pair.kind);
        let maps = kind.is_some_and(|kind| {
            let mut tables = kind.mappings.iter();
            tables.any(|columns| columns.kind == MappingKind::Projects)
        });
        if !is_asked || !maps {
            continue;
        }
        for project in store::known_project::active(scope, pair.project_connection_id).await? {
            let is_in = pair.settings.projects.include(&project.key);
            let is_told = found.iter().any(|one| is_of(one, &project.key));
            if !is_in || is_told || mapped.contains(&project.key) {
                continue;
            }
            found.push(Failure {
                cause: format!("waiting/project/{}", project.key),
                class: "project".to_owned(),
                state: State::Waiting,
                records: 0,
                money: Vec::new(),
                first_seen_at: pair.created_at,
                last_seen_at: project.seen_at,
                explanation: format!(
                    "Project {} ({}) is not mapped, so nothing of it is listed or moved.",
                    project.name, project.key
                ),
                mend: mend_waiting("project").to_owned(),
                example: None,
                at: Position::Project { key: project.key },
            });
        }
    }
    found.sort_by(|one, other| one.cause.cmp(&other.cause));
    Ok(found)
}

fn is_of(one: &Failure, project: &str) -> bool {
    matches!(&one.at, Position::Project { key } if key == project)
}

/// What to do about a fault, where, and what happens then.
fn mend_failed(class: &str, reason: Option<&str>) -> &'static str {
    match class {
        _ if reason == Some("rejected") => {
            "Accounting said no. Change the document in its source as the comment asks; it comes back for approval then."
        }
        "auth" => {
            "Open the connection, mend its credentials or have the missing right granted, and test it; its records then \
             go on by themselves."
        }
        "transient" | "rate_limited" => {
            "The system could not be reached for too long. When it is back, retry these records."
        }
        "rejected" => {
            "Mend what the sentence names, in the source document, in a mapping or in the target, then retry."
        }
        "conflict" => "Somebody changed it at the same time. Look at it in the target, then retry.",
        "missing" => {
            "Something it points at is gone. Put it back or choose another one, then retry."
        }
        "ambiguous" => {
            "Nobody knows whether it was written. Look for it in the target; then link it, say that it is to be written \
             again, or put it aside."
        }
        _ => {
            "The system answered in a form that this program does not know. Retry; if it stays so, tell whoever runs \
             this service."
        }
    }
}

/// What makes the thing that is waited for appear.
fn mend_waiting(kind: &str) -> &'static str {
    match kind {
        "vendor" => {
            "See to it that the vendor is linked and open in the target: look at its own record, which says what it \
             needs."
        }
        "order" => {
            "The order must be there first: look at its own record, which says what it needs."
        }
        "project" => {
            "Add a row for it to the projects mapping, or leave it out in the pair's settings."
        }
        "cost_codes" => "Add a row for it to the cost codes mapping.",
        "items" => "Add a row to the items mapping, or have the item opened in the target.",
        "tax_codes" => "Add a row for it to the tax codes mapping.",
        "units" => "Add a row for it to the units mapping.",
        "dimension" => "Have the value opened in the target, or map another one.",
        "period" => "Have the period opened, or change the policy for closed periods.",
        "batch" => "Look at the batch in the target: it waits for a person or has an error there.",
        _ => "It goes on by itself when what it waits for is there.",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back_as_written() {
        for at in [
            Position::Failed {
                cause: "rejected/x".to_owned(),
            },
            Position::Waiting {
                kind: "vendor".to_owned(),
                key: "7/\"8\"".to_owned(),
            },
            Position::Project {
                key: "3".to_owned(),
            },
        ] {
            assert_eq!(at.to_string().parse::<Position>().unwrap(), at);
        }
        assert!("Failed".parse::<Position>().is_err());
    }

    #[test]
    fn every_class_says_what_to_do() {
        let classes = [
            "auth",
            "transient",
            "rejected",
            "conflict",
            "missing",
            "ambiguous",
            "broken",
        ];
        let says: BTreeSet<&str> = classes
            .iter()
            .map(|class| mend_failed(class, None))
            .collect();
        assert_eq!(says.len(), classes.len());
        assert!(mend_failed("rejected", Some("rejected")).contains("said no"));
    }
}
