//! What people do with records: retry, replay, ignore, link, say that it is new, approve, reject.

use crate::domain::audit::Happened;
use crate::domain::clock::Timestamp;
use crate::domain::fault::Fault;
use crate::domain::ids::RecordId;
use crate::domain::member::Caller;
use crate::domain::record::{OUTCOME_UNKNOWN, State};
use crate::store::record::{Wish, Work};
use crate::store::search::Filter;
use crate::store::{self, Scope, StoreError};

use super::four_eyes::{self, FourEyes};
use super::{Desk, DeskError};

/// Why an approval is refused that its state would allow.
const FOUR_EYES: &str = "four_eyes";
/// The reason of a record that a person put aside; no listing brings it back.
const BY_A_PERSON: &str = "ignored_by_person";

/// One act on one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Read the source again and go on.
    Retry,
    /// Work from the stored snapshot.
    Replay,
    /// Put it aside, with why.
    Ignore { reason: String },
    /// It is this record of the target.
    Link { target_id: String },
    /// None of the candidates is it.
    Create,
    /// Let the write through that has this digest; none: the one that is planned now.
    Approve { digest: Option<String> },
    /// Do not let it through.
    Reject { reason: String },
}

impl Act {
    /// As the trail and the API name it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Replay => "replay",
            Self::Ignore { .. } => "ignore",
            Self::Link { .. } => "link",
            Self::Create => "create",
            Self::Approve { .. } => "approve",
            Self::Reject { .. } => "reject",
        }
    }
}

/// Does one act on one record, and gives the record as it is then.
///
/// # Errors
/// `Missing`; `NotNow` when its state does not allow the act, or the pair's four eyes do not; `Invalid` for a
/// bad reason or target.
pub async fn act(desk: &Desk, caller: &Caller, id: RecordId, act: Act) -> Result<Work, DeskError> {
    check(&act)?;
    let (by, mut eyes) = (caller.actor.clone(), FourEyes::of(caller));
    let done = desk
        .store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move {
                let work = store::record::find(scope, id).await?;
                let bar = bar(scope, &mut eyes, &work, &act).await?;
                let done = decided(work, &act, &by.name, scope.now())?;
                if let Some(message) = bar {
                    return Err(DeskError::not_now(FOUR_EYES, message));
                }
                carry_out(scope, done).await
            })
        })
        .await;
    if let Err(DeskError::NotNow { code, .. }) = &done
        && *code == FOUR_EYES
    {
        four_eyes::tell_refused(desk, caller, id).await?;
    }
    done
}

/// Only a yes needs other eyes.
async fn bar(
    scope: &Scope,
    eyes: &mut FourEyes,
    work: &Work,
    act: &Act,
) -> Result<Option<String>, StoreError> {
    match act {
        Act::Approve { .. } if work.record.state == State::Held => eyes.bar(scope, work).await,
        _ => Ok(None),
    }
}

fn check(act: &Act) -> Result<(), DeskError> {
    const TEXT_MAX: usize = 500;
    let (field, text, needed) = match act {
        Act::Reject { reason } => ("reason", reason, true),
        Act::Ignore { reason } => ("reason", reason, false),
        Act::Link { target_id } => ("target_id", target_id, true),
        _ => return Ok(()),
    };
    if needed && text.trim().is_empty() {
        let message = match field {
            "reason" => "say why, so that whoever mends it knows",
            _ => "say which record of the target it is",
        };
        return Err(DeskError::invalid(&format!("/{field}"), "missing", message));
    }
    if text.chars().count() > TEXT_MAX {
        let message = format!("keep it within {TEXT_MAX} characters");
        return Err(DeskError::invalid(
            &format!("/{field}"),
            "too_long",
            message,
        ));
    }
    Ok(())
}

/// A record after an act, before it is saved.
struct Done {
    work: Work,
    happened: Happened,
}

/// What an act makes of a record. Pure.
fn decided(work: Work, act: &Act, by: &str, now: Timestamp) -> Result<Done, DeskError> {
    let state = work.record.state;
    let is_unknown = work.record.flags.iter().any(|flag| flag == OUTCOME_UNKNOWN);
    let refuse = |message: String| Err(DeskError::not_now("state", message));
    match act {
        Act::Retry | Act::Replay if matches!(state, State::Syncing) => {
            refuse("It is being written at this moment; wait until that is over.".to_owned())
        }
        Act::Retry => Ok(again(work, None, "record.retried", now)),
        Act::Replay if work.snapshot_digest.is_none() => refuse(
            "Nothing of its source is stored; retry it, so that it is read again.".to_owned(),
        ),
        Act::Replay => Ok(again(work, Some(Wish::Replay), "record.replayed", now)),
        // Once it is a person's, putting it aside is one of the answers.
        Act::Ignore { .. }
            if matches!(state, State::Syncing) || (is_unknown && state != State::Failed) =>
        {
            refuse(
                "A write of it may be under way; it can be put aside when that is known."
                    .to_owned(),
            )
        }
        Act::Ignore { .. } if state.is_synced() => {
            refuse("It is in the target already; there is nothing to put aside.".to_owned())
        }
        Act::Ignore { reason } => Ok(ignored(work, reason, by)),
        Act::Link { .. } | Act::Create
            if state != State::Review && state != State::Failed && state != State::Waiting =>
        {
            refuse("Only a record that asks for a match can be matched.".to_owned())
        }
        Act::Link { target_id } => {
            let wish = Wish::Link(target_id.trim().to_owned());
            let mut done = again(work, Some(wish), "record.matched", now);
            done.happened = done.happened.with("target", target_id.trim());
            Ok(done)
        }
        Act::Create if state != State::Review && !(state == State::Failed && is_unknown) => {
            refuse("Only a record whose match is unclear can be said to be new.".to_owned())
        }
        Act::Create => Ok(again(work, Some(Wish::Create), "record.said_new", now)),
        Act::Approve { .. } | Act::Reject { .. } if state != State::Held => {
            refuse("It does not wait for approval.".to_owned())
        }
        Act::Approve { digest } => approved(work, digest.as_deref(), by, now),
        Act::Reject { reason } => Ok(rejected(work, reason, by)),
    }
}

/// Due now, with a wish for its travel.
fn again(mut work: Work, wish: Option<Wish>, action: &'static str, now: Timestamp) -> Done {
    let record = &mut work.record;
    let happened = Happened::new(action, "record", record.id).with("was", record.state);
    record.state = State::Pending;
    record.substate = None;
    record.attempts = 0;
    record.next_attempt_at = Some(now);
    record.explanation = "A person asked for it; it is worked on next.".to_owned();
    work.first_failed_at = None;
    work.wish = wish.or(work.wish.filter(|wish| *wish == Wish::Needed));
    Done { work, happened }
}

fn ignored(mut work: Work, reason: &str, by: &str) -> Done {
    let record = &mut work.record;
    let happened = Happened::new("record.ignored", "record", record.id).with("reason", reason);
    record.state = State::Ignored;
    record.substate = None;
    record.next_attempt_at = None;
    record.waiting_for = Vec::new();
    record.fault = None;
    record.reason = Some(BY_A_PERSON.to_owned());
    record.explanation = match reason.trim() {
        "" => format!("Put aside by {by}."),
        reason => format!("Put aside by {by}: {reason}"),
    };
    Done { work, happened }
}

fn approved(
    mut work: Work,
    digest: Option<&str>,
    by: &str,
    now: Timestamp,
) -> Result<Done, DeskError> {
    let current = work.draft_digest.clone().unwrap_or_default();
    if digest.is_some_and(|digest| digest != current) {
        return Err(DeskError::not_now(
            "digest",
            "What would be written changed since you looked. Look at it again, then approve it.",
        ));
    }
    let record = &mut work.record;
    let happened = Happened::new("record.approved", "record", record.id).with("digest", &current);
    record.state = State::Pending;
    record.next_attempt_at = Some(now);
    record.reason = None;
    record.explanation = format!("Approved by {by}; it is written next.");
    work.approved_digest = Some(current);
    work.approved_by = Some(by.to_owned());
    Ok(Done { work, happened })
}

fn rejected(mut work: Work, reason: &str, by: &str) -> Done {
    let record = &mut work.record;
    let happened = Happened::new("record.rejected", "record", record.id).with("reason", reason);
    record.state = State::Failed;
    record.next_attempt_at = None;
    record.reason = Some("rejected".to_owned());
    record.explanation = format!("Rejected by {by}: {reason}");
    record.fault = Some(Fault::Rejected {
        issues: vec![crate::domain::fault::Issue::new("", "rejected", reason)],
    });
    Done { work, happened }
}

async fn carry_out(scope: &Scope, done: Done) -> Result<Work, DeskError> {
    let Done { work, happened } = done;
    store::record::save(scope, &work).await?;
    if work.record.state != State::Waiting {
        store::wait::clear(scope, work.record.id).await?;
    }
    scope.tell(happened);
    if let Some(at) = work.record.next_attempt_at {
        scope.wake(at);
    }
    Ok(work)
}

/// Records that one commit of a bulk act touches.
const BULK_PAGE: u32 = 200;

/// Does an act on every record that a filter matches now and whose state allows it. Gives how many
/// matched. Records that change between the look and the act are left as they are, and so are those that
/// somebody else must approve.
///
/// # Errors
/// `Invalid`; `Database`.
pub async fn act_on_all(
    desk: &Desk,
    caller: &Caller,
    filter: Filter,
    act: Act,
) -> Result<u64, DeskError> {
    check(&act)?;
    let mut matched: u64 = 0;
    let mut before: Option<RecordId> = None;
    loop {
        let scope = desk.store().read(caller.tenant_id).await?;
        let page = store::search::records(&scope, &filter, before, BULK_PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(matched);
        };
        before = Some(last.record.id);
        let mut eyes = FourEyes::of(caller);
        let mut ids: Vec<RecordId> = Vec::new();
        for work in page.iter().filter(|work| allows(work, &act)) {
            if bar(&scope, &mut eyes, work, &act).await?.is_none() {
                ids.push(work.record.id);
            }
        }
        drop(scope);
        matched = matched.saturating_add(u64::try_from(ids.len()).unwrap_or(0));
        act_on_some(desk, caller, ids, act.clone()).await?;
    }
}

fn allows(work: &Work, act: &Act) -> bool {
    decided(work.clone(), act, "", Timestamp::default()).is_ok()
        && match act {
            // "All" never means those that went well already.
            Act::Retry => !work.record.state.is_synced() && work.record.state != State::Pending,
            _ => true,
        }
}

async fn act_on_some(
    desk: &Desk,
    caller: &Caller,
    ids: Vec<RecordId>,
    act: Act,
) -> Result<(), DeskError> {
    if ids.is_empty() {
        return Ok(());
    }
    let (by, mut eyes) = (caller.actor.name.clone(), FourEyes::of(caller));
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move {
                for id in ids {
                    let work = match store::record::find(scope, id).await {
                        Ok(work) => work,
                        Err(StoreError::Missing(_)) => continue,
                        Err(error) => return Err(error.into()),
                    };
                    if bar(scope, &mut eyes, &work, &act).await?.is_some() {
                        continue;
                    }
                    if let Ok(done) = decided(work, &act, &by, scope.now()) {
                        carry_out(scope, done).await?;
                    }
                }
                Ok(())
            })
        })
        .await
}
