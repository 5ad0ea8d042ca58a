//! The list of pairs.

use askama::Template;

use super::{count, status_title};
use crate::desk::pair;
use crate::domain::ids::PairId;
use crate::domain::member::Scope;
use crate::domain::record::State;
use crate::web::page::{self, Answer, Shell, Visit, say};

/// More pairs than one tenant has.
const SHOWN_MAX: u32 = 200;

#[derive(Template)]
#[template(path = "pairs/list.html")]
struct List {
    shell: Shell,
    rows: Vec<Row>,
    may_change: bool,
    connections: usize,
}

struct Row {
    id: PairId,
    name: String,
    kind: String,
    status: &'static str,
    status_title: &'static str,
    next: String,
    synced: u64,
    needs: u64,
    waiting: u64,
}

/// `GET /pairs`.
///
/// # Errors
/// As the desk's.
pub async fn list(visit: Visit) -> Answer {
    let found = pair::list(visit.desk(), visit.caller(), None, SHOWN_MAX).await?;
    let now = visit.now();
    let rows = found.into_iter().map(|shown| {
        let pair = shown.pair;
        let kind = visit.desk().engine.pair_kind(&pair.kind);
        Row {
            id: pair.id,
            kind: kind.map_or_else(|| pair.kind.to_string(), |kind| kind.title.to_owned()),
            status: pair.status.as_str(),
            status_title: status_title(pair.status),
            next: pair
                .next_run_at
                .map_or_else(String::new, |at| say::distance(at, now)),
            synced: count(
                &shown.work,
                &[State::Succeeded, State::Unchanged, State::Linked],
            ),
            needs: count(&shown.work, &[State::Failed, State::Held, State::Review]),
            waiting: count(&shown.work, &[State::Waiting]),
            name: pair.settings.name,
        }
    });
    let rows = rows.collect();
    let connections = crate::desk::connection::list(visit.desk(), visit.caller(), None, 2).await?;
    page::show(&List {
        shell: visit.shell("pairs"),
        rows,
        may_change: visit.caller().may(Scope::Admin),
        connections: connections.len(),
    })
}
