//! How each pair is doing.

use std::collections::BTreeMap;
use std::time::Duration;

use super::records;
use crate::desk::pair::Shown;
use crate::domain::clock::Timestamp;
use crate::domain::ids::ConnectionId;
use crate::domain::pair::PairStatus;
use crate::domain::record::State;
use crate::domain::run::RunState;
use crate::store::run::OpenRun;
use crate::store::{self, Scope, StoreError};
use crate::web::page::say;
use crate::web::pairs::{count, status_title};

/// A run that has not begun so long after its time is late.
const LATE_AFTER: Duration = Duration::from_secs(5 * 60);
/// More connections than one tenant has.
const CONNECTIONS_MAX: u32 = 500;

/// One pair.
pub struct Card {
    pub href: String,
    pub name: String,
    pub state: &'static str,
    pub state_title: String,
    pub why: String,
    pub facts: Vec<(&'static str, String)>,
}

/// Connections whose log-in is refused, with why.
///
/// # Errors
/// `Database`.
pub async fn connections_with_faults(
    scope: &Scope,
) -> Result<BTreeMap<ConnectionId, String>, StoreError> {
    let connections = store::connection::list(scope, None, CONNECTIONS_MAX).await?;
    let faulty = connections.into_iter().filter_map(|connection| {
        let fault = connection.auth_fault?;
        let says = format!(
            "Log-in to “{}” is refused: {}",
            connection.name, fault.fault
        );
        Some((connection.id, says))
    });
    Ok(faulty.collect())
}

impl Card {
    #[must_use]
    pub fn new(
        shown: &Shown,
        latest: &[&OpenRun],
        faulty: &BTreeMap<ConnectionId, String>,
        now: Timestamp,
    ) -> Self {
        let pair = &shown.pair;
        let (state, state_title, why) = lamp(shown, latest, faulty, now);
        let well = latest
            .iter()
            .find(|open| [RunState::Succeeded, RunState::Partial].contains(&open.run.state));
        let well = well.and_then(|open| open.run.ended_at);
        let synced = count(
            &shown.work,
            &[State::Succeeded, State::Unchanged, State::Linked],
        );
        let moving = count(
            &shown.work,
            &[State::Pending, State::Syncing, State::Retrying],
        );
        let mut facts = vec![("Synced", records(synced))];
        if moving > 0 {
            facts.push(("Under way", records(moving)));
        }
        if let Some(at) = well {
            facts.push(("Last run", say::distance(at, now)));
        }
        if let Some(at) = pair.next_run_at {
            facts.push(("Next run", say::distance(at, now)));
        }
        Self {
            href: format!("/pairs/{}", pair.id),
            name: pair.settings.name.clone(),
            state,
            state_title,
            why,
            facts,
        }
    }
}

/// On time, late, stopped, or waiting for a person; and why.
fn lamp(
    shown: &Shown,
    latest: &[&OpenRun],
    faulty: &BTreeMap<ConnectionId, String>,
    now: Timestamp,
) -> (&'static str, String, String) {
    let pair = &shown.pair;
    if pair.status != PairStatus::Active {
        let title = status_title(pair.status).to_owned();
        let why = match shown.blockers.first() {
            Some(blocker) if pair.status == PairStatus::Draft => blocker.message.clone(),
            _ => String::new(),
        };
        return (pair.status.as_str(), title, why);
    }
    let fault = [pair.erp_connection_id, pair.project_connection_id]
        .iter()
        .find_map(|id| faulty.get(id));
    if let Some(fault) = fault {
        return ("failed", "Action needed".to_owned(), fault.clone());
    }
    let is_open = latest.iter().any(|open| open.run.ended_at.is_none());
    if is_open {
        return ("running", "Running".to_owned(), String::new());
    }
    let last = latest.first().map(|open| &open.run);
    if let Some(run) = last.filter(|run| run.state == RunState::Failed) {
        let why = run.fault.as_ref().map(ToString::to_string);
        return (
            "failed",
            "Last run failed".to_owned(),
            why.unwrap_or_default(),
        );
    }
    let is_late = pair
        .next_run_at
        .is_some_and(|at| now.since(at) > LATE_AFTER);
    if is_late {
        let why = "Its run is overdue.".to_owned();
        return ("late", "Late".to_owned(), why);
    }
    ("ok", "On time".to_owned(), String::new())
}
