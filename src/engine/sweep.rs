//! After a takeover: what was in flight is counted in the target, once every late answer must have come. More
//! than one record with our reference is a double write, and a person's matter.

use std::time::Duration;

use super::ends::End;
use super::travel::{body_of_candidates, raise};
use super::turn::Turn;
use crate::contract::{Canonical, Draft, Found, ReadSession};
use crate::domain::audit::Happened;
use crate::domain::fault::Fault;
use crate::domain::plan::{Action, Candidate};
use crate::domain::record::{DUPLICATE, State};
use crate::domain::records::{CostCode, Order, Vendor};
use crate::domain::tag::WriteTag;
use crate::flows::RecordKind;
use crate::store::record::Work;
use crate::store::sweep::{self, Sweep};
use crate::store::{self, StoreError};

/// Records of one look into the store.
const SWEPT_AT_ONCE: u32 = 20;
/// One that cannot be counted now is counted this much later.
const LATER: Duration = Duration::from_secs(600);

/// Counts what is to be counted now. Gives whether there was any.
///
/// # Errors
/// `Stale` when the turn is lost, `Database`.
pub async fn sweep_due(turn: &Turn) -> Result<bool, StoreError> {
    let now = turn.engine.clock.now();
    let scope = turn.engine.store.read(turn.tenant).await?;
    let due = sweep::due(&scope, now, SWEPT_AT_ONCE).await?;
    drop(scope);
    let has_any = !due.is_empty();
    for one in due {
        if turn.is_over() {
            break;
        }
        let later = match count(turn, &one).await {
            Err(error @ (StoreError::Stale(_) | StoreError::Stopping)) => return Err(error),
            Err(error) => {
                tracing::warn!(%error, record = %one.record, "a write after a takeover was not counted");
                Some(turn.engine.pace.wait(LATER))
            }
            Ok(later) => later,
        };
        if let Some(later) = later {
            let record = one.record;
            turn.write(move |scope| {
                Box::pin(async move { sweep::put_off(scope, record, later).await })
            })
            .await?;
        }
    }
    Ok(has_any)
}

/// Counts one. Gives how much later it is to be counted, if not now.
async fn count(turn: &Turn, one: &Sweep) -> Result<Option<Duration>, StoreError> {
    let (engine, now) = (&turn.engine, turn.engine.clock.now());
    let later = engine.pace.wait(LATER);
    let scope = engine.store.read(turn.tenant).await?;
    let work = match store::record::find(&scope, one.record).await {
        Ok(work) => work,
        Err(StoreError::Missing(_)) => return forget(turn, one).await,
        Err(error) => return Err(error),
    };
    let draft = store::body::find(&scope, &one.draft_digest).await?;
    drop(scope);
    let draft: Option<Draft> = draft.and_then(|text| serde_json::from_str(&text).ok());
    let ends = turn.ends(work.record.pair_id).await?;
    let flow = ends
        .as_ref()
        .and_then(|ends| ends.kind.flow(work.record.flow.as_str()));
    let (Some(ends), Some(flow), Some(draft)) = (ends, flow, draft) else {
        return Ok(Some(later));
    };
    let to = ends.target(flow);
    let quiet = engine
        .pace
        .quiet_period(to.connection.settings.quiet_period());
    let due_at = one.found_at.plus(quiet.saturating_mul(2));
    if now < due_at {
        return Ok(Some(due_at.since(now)));
    }
    if turn.is_slow(to.connection.id).is_some() || !work.record.state.is_at_rest() {
        return Ok(Some(later));
    }
    let session = ends.reading(engine, to)?;
    let tag = WriteTag::of(turn.tenant, &to.place, flow.name, &work.record.source.id);
    let found = match flow.record {
        RecordKind::Vendor => look_up::<Vendor>(to, &session, &draft, &tag).await,
        RecordKind::CostCode => look_up::<CostCode>(to, &session, &draft, &tag).await,
        RecordKind::Order => look_up::<Order>(to, &session, &draft, &tag).await,
    };
    match found {
        Some(Ok(Found::Many(candidates))) => {
            let (ours, _): (Vec<Candidate>, Vec<Candidate>) = candidates
                .into_iter()
                .partition(|candidate| candidate.matched_by == BY_TAG);
            match ours.len() {
                0 | 1 => forget(turn, one).await,
                _ => alarm(turn, one, work, ours).await,
            }
        }
        Some(Err(fault)) => {
            tracing::info!(%fault, record = %work.record.id, "a write after a takeover was not counted yet");
            Ok(Some(later))
        }
        Some(Ok(Found::Unsure(_))) => Ok(Some(later)),
        Some(Ok(Found::None | Found::One(_))) | None => forget(turn, one).await,
    }
}

/// How a connector says that our own reference matched.
const BY_TAG: &str = "write_tag";

async fn look_up<E: Canonical>(
    to: &End,
    session: &ReadSession,
    draft: &Draft,
    tag: &WriteTag,
) -> Option<Result<Found, Fault>> {
    let writes = E::port(&to.connector.ports).writes?;
    Some(writes.find(session, draft, tag).await)
}

async fn forget(turn: &Turn, one: &Sweep) -> Result<Option<Duration>, StoreError> {
    let record = one.record;
    turn.write(move |scope| Box::pin(async move { sweep::done(scope, record).await }))
        .await?;
    Ok(None)
}

/// More than one: the record stops here until a person said which one counts.
async fn alarm(
    turn: &Turn,
    one: &Sweep,
    mut work: Work,
    ours: Vec<Candidate>,
) -> Result<Option<Duration>, StoreError> {
    let targets: Vec<&str> = ours.iter().map(|found| found.target_id.as_str()).collect();
    let targets = targets.join(", ");
    tracing::error!(record = %work.record.id, %targets, "a write is in the target more than once");
    raise(&mut work, DUPLICATE);
    let body = body_of_candidates(&ours);
    work.candidates_digest = Some(body.0.clone());
    work.plan_action = Some(Action::Review);
    work.record.state = State::Review;
    work.record.next_attempt_at = None;
    work.record.reason = Some(DUPLICATE.to_owned());
    work.record.explanation = format!(
        "The target holds more than one record with our own reference: {targets}. A worker was cut off while it \
         wrote. Cancel what is too much there, and choose the one that counts."
    );
    let told = Happened::new("write.duplicate", "record", work.record.id)
        .with("natural_key", &one.natural_key)
        .with("targets", &targets)
        .in_run(work.record.run_id);
    let record = one.record;
    let saved = turn
        .write(move |scope| {
            Box::pin(async move {
                store::body::keep_as(scope, body.0, body.1);
                scope.tell(told);
                sweep::done(scope, record).await?;
                store::record::save(scope, &work).await
            })
        })
        .await;
    match saved {
        // Somebody decided about it this very moment: it is counted again soon.
        Err(error) if error.is_record_changed() => Ok(Some(turn.engine.pace.wait(LATER))),
        saved => saved.map(|()| None),
    }
}
