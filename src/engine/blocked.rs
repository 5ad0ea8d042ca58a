//! A vendor that the target does not take new documents for: shown on its own record and on documents that wait
//! for somebody's yes.

use super::ends::Ends;
use super::travel::{lower, raise};
use super::turn::Turn;
use crate::domain::audit::Happened;
use crate::domain::ids::RecordId;
use crate::domain::record::{BLOCKED, State};
use crate::domain::system::Entity;
use crate::store::record::Work;
use crate::store::search::Filter;
use crate::store::{self, StoreError};

/// Records of one look into the store.
const PAGE: u32 = 200;

/// As people read it beside whatever else is said of a record.
pub(super) fn sentence(why: &str) -> String {
    format!(" No new document goes to {why}.")
}

/// Shows on a vendor's record that it was closed or opened.
pub(super) fn turned(work: &mut Work, was: &Option<String>, is: &Option<String>) -> Happened {
    if let Some(was) = was {
        unsay(work, &sentence(was));
    }
    let action = match is {
        Some(why) => {
            say(work, &sentence(why));
            "record.blocked"
        }
        None => "record.unblocked",
    };
    let why = is.as_ref().or(was.as_ref()).cloned().unwrap_or_default();
    Happened::new(action, "record", work.record.id).with("why", why)
}

fn say(work: &mut Work, sentence: &str) {
    raise(work, BLOCKED);
    if !work.record.explanation.contains(sentence) {
        work.record.explanation.push_str(sentence);
    }
}

fn unsay(work: &mut Work, sentence: &str) {
    lower(work, BLOCKED);
    work.record.explanation = work.record.explanation.replace(sentence, "");
}

/// Documents that wait for approval and name the vendor: people see it before they say yes.
///
/// # Errors
/// `Stale` when the turn is lost, `Database`.
pub(super) async fn show_on_held(
    turn: &Turn,
    ends: &Ends,
    (entity, source_id): (&Entity, &str),
    (was, is): (Option<String>, Option<String>),
) -> Result<(), StoreError> {
    let mut before: Option<RecordId> = None;
    loop {
        let scope = turn.engine.store.read(turn.tenant).await?;
        let filter = Filter {
            pair: Some(ends.pair.id),
            states: vec![State::Held],
            ..Filter::default()
        };
        let page = store::search::records(&scope, &filter, before, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        before = Some(last.record.id);
        let mut naming = Vec::new();
        for work in page {
            if names(turn, &scope, ends, &work, (entity, source_id)).await? {
                naming.push(work);
            }
        }
        drop(scope);
        for work in naming {
            let (was, is) = (was.as_deref(), is.as_deref());
            show(turn, work, was, is).await?;
        }
    }
}

async fn names(
    turn: &Turn,
    scope: &store::Scope,
    ends: &Ends,
    work: &Work,
    (entity, source_id): (&Entity, &str),
) -> Result<bool, StoreError> {
    let Some(digest) = &work.snapshot_digest else {
        return Ok(false);
    };
    let Some(text) = store::body::find(scope, digest).await? else {
        return Ok(false);
    };
    let Ok(snapshot) = serde_json::from_str(&text) else {
        return Ok(false);
    };
    let flow = work.record.flow.as_str();
    let named = turn.engine.named_by(scope, &ends.pair, flow, &snapshot);
    let named = named.await?;
    Ok(named
        .iter()
        .any(|(named, key)| named == entity && key == source_id))
}

async fn show(
    turn: &Turn,
    mut work: Work,
    was: Option<&str>,
    is: Option<&str>,
) -> Result<(), StoreError> {
    if let Some(was) = was {
        unsay(&mut work, was);
    }
    if let Some(is) = is {
        say(&mut work, is);
    }
    let action = if is.is_some() {
        "record.blocked"
    } else {
        "record.unblocked"
    };
    let said = is.or(was).unwrap_or_default().trim();
    let told = Happened::new(action, "record", work.record.id).with("why", said);
    let saved = turn
        .write(move |scope| {
            Box::pin(async move {
                scope.tell(told);
                store::record::save(scope, &work).await
            })
        })
        .await;
    match saved {
        // Somebody decided about it this very moment; the target is asked again before anything is sent.
        Err(error) if error.is_record_changed() => Ok(()),
        saved => saved,
    }
}
