//! The write protocol: an intent is durable before the first byte of a final step, an unknown outcome is
//! looked up and never resent blind, and what came of it is committed before anything depends on it.

use std::time::{Duration, Instant};

use super::decide::{self, Next};
use super::explain;
use super::plan::candidate;
use super::settle::Settled;
use super::travel::{Stop, Trip, Went, Whose, body_of_candidates, body_of_changes, lower, raise};
use crate::contract::{
    Canonical, Draft, Existing, Found, Progress, Repeat, Step, TOO_FAR, Upcoming, Weight, Written,
};
use crate::domain::audit::Happened;
use crate::domain::clock::{Pace, Timestamp};
use crate::domain::fault::Fault;
use crate::domain::ids::EffectId;
use crate::domain::plan::{Action, Candidate};
use crate::domain::record::{DIVERGED, OUTCOME_UNKNOWN, State, WaitingFor};
use crate::store::effect::{self, Effect, EffectState};
use crate::store::record::{Outcome, Wish, Work};
use crate::store::{self, StoreError};

/// Substate of a record that the vendor has taken but not finished.
pub(super) const IN_BATCH: &str = "in_erp_batch";
/// Substate of a record whose chain of calls goes on when the connection may be called again.
/// How a link came about that a write made.
const CREATED: &str = "created";
const PARKED: &str = "rate_limited";
/// Substate of a record whose chain of calls goes on in the next slice: it is longer than one.
const BETWEEN: &str = "between_slices";

/// How long after its intent a step may begin to be sent. Short: the quiet period counts from its end.
const SEND_WINDOW: Duration = Duration::from_secs(5);
/// What the lease outlasts the call by.
const LEASE_MARGIN_SECONDS: i64 = 15;
/// A call's own deadline where the connection says nothing: the longest that a vendor's page asks for.
const CALL_SECONDS: u32 = 120;
/// Negative look-ups before something may be sent again.
const ABSENT_NEEDED: u32 = 2;
/// Between two look-ups for the same unknown outcome.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Nothing of the chain was sent yet.
pub(super) fn is_untouched(effect: &Effect) -> bool {
    progress_of(effect) == Progress::start()
}

fn progress_of(effect: &Effect) -> Progress {
    serde_json::from_str(&effect.progress).unwrap_or_default()
}

fn text_of(at: &Progress) -> String {
    serde_json::to_string(at).unwrap_or_default()
}

/// One chain of calls on its way.
struct Chain<'t, 'a, E: Canonical> {
    trip: &'t Trip<'a, E>,
    work: Work,
    /// What is committed together with the next thing that is.
    settled: Settled,
    draft: Draft,
    effect: Effect,
    at: Progress,
    /// Something of the chain is not committed yet.
    is_ahead: bool,
    /// The record is stored as being written, by this chain.
    is_shown: bool,
    /// The effect before the present one, which has landed and is to be kept so.
    landed: Option<Effect>,
    /// A final step was sent before the present one, and may have landed: starting afresh could make a second
    /// one.
    has_sent: bool,
}

/// Begins a write, or goes on with a half-done chain of ours that a look-up found.
pub(super) async fn begin<E: Canonical>(
    trip: &Trip<'_, E>,
    work: Work,
    settled: Settled,
    draft: Draft,
    at: Progress,
) -> Result<Went, Stop> {
    let effect = Effect {
        id: EffectId::generate(),
        record: work.record.id,
        place: trip.to.place.clone(),
        entity: trip.pair_flow.entity.clone(),
        natural_key: trip
            .writes
            .identity(&draft, &at)
            .unwrap_or_else(|| draft.natural_key.clone()),
        state: EffectState::Open,
        operation: String::new(),
        attempt: 0,
        fence: trip.turn.lease.fence,
        draft_digest: draft.digest.clone(),
        progress: text_of(&at),
        send_deadline: None,
        quiet_until: None,
        absent_seen: 0,
        counted: 0,
    };
    let chain = Chain {
        trip,
        work,
        settled,
        draft,
        effect,
        at,
        is_ahead: true,
        is_shown: false,
        landed: None,
        has_sent: false,
    };
    // Boxed here and below: a chain is large, and futures of futures would hold it many times over.
    Box::pin(chain.run()).await
}

/// Looks after a write that was begun earlier.
pub(super) async fn go_on<E: Canonical>(trip: &Trip<'_, E>, effect: Effect) -> Result<Went, Stop> {
    let draft = kept_draft(trip, &effect).await?;
    let at = progress_of(&effect);
    let has_sent = effect.send_deadline.is_some();
    let is_probe = trip.turn.engine.breakers.is_probing(trip.to.connection.id);
    if is_probe && effect.state == EffectState::Open {
        // Whether the system is back is found out by reading, never by the next step of a write.
        trip.find(&draft).await?;
    }
    let mut chain = Chain {
        trip,
        work: trip.before.clone(),
        settled: Settled::default(),
        draft,
        effect,
        at,
        is_ahead: false,
        is_shown: false,
        landed: None,
        has_sent,
    };
    if let Some(Wish::Link(target_id)) = trip.before.wish.clone() {
        return Box::pin(chain.take_this_one(target_id)).await;
    }
    match chain.effect.state {
        EffectState::Accepted => Box::pin(chain.check()).await,
        EffectState::Open if chain.has_sent => Box::pin(chain.run()).await,
        EffectState::Open if chain.rests() && trip.has_news() => {
            chain.take_back().await;
            let says = "It changed in the source while it was being written, before anything counted; it is read again.";
            Box::pin(chain.travel_anew("changed", says.to_owned())).await
        }
        EffectState::Open if chain.rests() => Box::pin(chain.run()).await,
        // A crash among steps that move nothing: clean up and start afresh.
        EffectState::Open | EffectState::Confirmed | EffectState::Rejected => {
            Box::pin(chain.start_afresh()).await
        }
        EffectState::Intent => {
            chain.interrupted();
            Box::pin(chain.verify()).await
        }
        EffectState::Ambiguous => Box::pin(chain.verify()).await,
    }
}

async fn kept_draft<E: Canonical>(trip: &Trip<'_, E>, effect: &Effect) -> Result<Draft, Stop> {
    let scope = trip.turn.engine.store.read(trip.turn.tenant).await?;
    let text = store::body::find(&scope, &effect.draft_digest).await?;
    text.and_then(|text| serde_json::from_str(&text).ok())
        .ok_or(Stop::Store(StoreError::Corrupt {
            table: "body",
            column: "content",
        }))
}

/// Hourly for a day, then daily.
fn look_again_after(pace: Pace, overdue: Duration) -> Duration {
    const HOURLY: Duration = Duration::from_secs(3600);
    const DAILY: Duration = Duration::from_secs(24 * 3600);
    let is_old = overdue >= pace.wait(DAILY);
    pace.wait(if is_old { DAILY } else { HOURLY })
}

impl<E: Canonical> Chain<'_, '_, E> {
    fn now(&self) -> Timestamp {
        self.trip.turn.engine.clock.now()
    }

    fn quiet_period(&self) -> Duration {
        let real = self.trip.to.connection.settings.quiet_period();
        self.trip.turn.engine.pace.quiet_period(real)
    }

    fn call_seconds(&self) -> u32 {
        let settings = &self.trip.to.connection.settings;
        settings.number("timeout_seconds").unwrap_or(CALL_SECONDS)
    }

    /// The chain was left between two calls on purpose.
    fn rests(&self) -> bool {
        let substate = self.trip.before.record.substate.as_deref();
        matches!(substate, Some(PARKED | BETWEEN))
    }

    /// The process went away with a step about to be sent: nobody knows whether it was.
    fn interrupted(&mut self) {
        let fault = Fault::Ambiguous {
            code: "interrupted".to_owned(),
            message: "the program stopped while it was being sent".to_owned(),
        };
        let deadline = self.effect.send_deadline.unwrap_or_else(|| self.now());
        self.effect.state = EffectState::Ambiguous;
        self.effect.quiet_until = Some(deadline.plus(self.quiet_period()));
        self.effect.absent_seen = 0;
        raise(&mut self.work, OUTCOME_UNKNOWN);
        let told = self.told("write.unknown", None).with("fault", &fault);
        self.settled.happened.push(told);
        self.work.record.fault = Some(fault);
    }

    /// Takes step after step until the chain is done, refused, unknown or has to rest.
    async fn run(mut self) -> Result<Went, Stop> {
        let mut has_taken_one = false;
        loop {
            if has_taken_one && self.trip.turn.is_over() {
                return Box::pin(self.rest_between()).await;
            }
            has_taken_one = true;
            let upcoming = self.trip.writes.upcoming(&self.draft, &self.at);
            let may_begin_until = Instant::now() + SEND_WINDOW;
            if upcoming.weight == Weight::Final {
                self.intend(&upcoming).await?;
            } else if self.is_ahead {
                self.keep_progress(EffectState::Open).await?;
            }
            if self.trip.turn.is_lost() {
                return Err(Stop::Store(StoreError::TURN_LOST));
            }
            if upcoming.weight == Weight::Final && Instant::now() > may_begin_until {
                // The commit took too long; nothing was sent, and the intent says until when it could be.
                self.keep_progress(EffectState::Open).await?;
                continue;
            }
            let held_until = self.trip.turn.held_until();
            self.trip.target.write_until(match upcoming.weight {
                Weight::Final => may_begin_until.min(held_until),
                Weight::Harmless => held_until,
            });
            let step = self
                .trip
                .writes
                .step(&self.trip.target, &self.draft, &self.at)
                .await;
            match step {
                Ok(Step::More { at, durable }) => {
                    self.at = at;
                    self.is_ahead = durable;
                    if upcoming.weight == Weight::Final {
                        self.effect.state = EffectState::Open;
                        self.effect.counted = self.effect.counted.saturating_add(1);
                        self.has_sent = true;
                    }
                }
                Ok(Step::Accepted { at, waiting_for }) => {
                    self.at = at;
                    return Box::pin(self.accepted(&waiting_for)).await;
                }
                Ok(Step::Done(written)) => return Box::pin(self.done(*written)).await,
                Err(fault) => return Box::pin(self.failed(fault, &upcoming)).await,
            }
        }
    }

    /// The slice is over: the chain goes on in the next one, where it stands.
    async fn rest_between(mut self) -> Result<Went, Stop> {
        self.effect.state = EffectState::Open;
        self.syncing(self.now(), Some(BETWEEN));
        self.commit_running(Vec::new()).await?;
        Ok(Went::Settled)
    }

    /// The step did nothing at the vendor.
    fn did_nothing(&mut self) {
        if !self.has_sent {
            self.effect.send_deadline = None;
        }
        self.effect.state = match self.at == Progress::start() {
            // Nothing was begun, so nobody has to wait for it.
            true => EffectState::Rejected,
            false => EffectState::Open,
        };
    }

    /// Commits the intent of a final step: durable before its first byte.
    async fn intend(&mut self, upcoming: &Upcoming) -> Result<(), Stop> {
        self.turn_to_the_next();
        let now = self.now();
        let deadline = now.plus(SEND_WINDOW);
        self.effect.attempt = self.effect.attempt.saturating_add(1);
        self.effect.state = EffectState::Intent;
        self.effect.operation = upcoming.operation.clone();
        self.effect.send_deadline = Some(deadline);
        let call = Duration::from_secs(u64::from(self.call_seconds()));
        self.syncing(deadline.plus(call), None);
        let told = self.told("write.intent", upcoming.target_key.as_deref());
        self.commit_running(vec![told]).await
    }

    /// A step that makes another thing than the one before is an effect of its own; that one has landed.
    fn turn_to_the_next(&mut self) {
        let next = self.trip.writes.identity(&self.draft, &self.at);
        let Some(natural_key) = next.filter(|key| *key != self.effect.natural_key) else {
            return;
        };
        let next = Effect {
            id: EffectId::generate(),
            natural_key,
            attempt: 0,
            quiet_until: None,
            absent_seen: 0,
            ..self.effect.clone()
        };
        let landed = std::mem::replace(&mut self.effect, next);
        self.landed = Some(Effect {
            state: EffectState::Confirmed,
            ..landed
        });
        // Its row is a new one.
        self.is_shown = false;
    }

    /// Commits how far the chain has come.
    async fn keep_progress(&mut self, state: EffectState) -> Result<(), Stop> {
        self.effect.state = state;
        let call = Duration::from_secs(u64::from(self.call_seconds()));
        let due_at = self.now().plus(call);
        self.syncing(due_at, None);
        self.commit_running(Vec::new()).await
    }

    fn syncing(&mut self, due_at: Timestamp, substate: Option<&str>) {
        let record = &mut self.work.record;
        record.state = State::Syncing;
        record.substate = substate.map(str::to_owned);
        record.next_attempt_at = Some(due_at);
        record.explanation = format!("Being written to {}.", self.trip.to.title);
    }

    /// A commit in the middle of a chain; the lease is made to outlast the next call.
    async fn commit_running(&mut self, happened: Vec<Happened>) -> Result<(), Stop> {
        self.effect.progress = text_of(&self.at);
        self.effect.fence = self.trip.turn.lease.fence;
        let seconds = i64::from(self.call_seconds())
            .saturating_add(i64::try_from(SEND_WINDOW.as_secs()).unwrap_or(0))
            .saturating_add(LEASE_MARGIN_SECONDS);
        let (effect, landed) = (self.effect.clone(), self.landed.take());
        let is_resting = self.work.record.substate.is_some();
        // The record says that it is being written since the chain's first commit; only the write goes on.
        let shown = (!self.is_shown || is_resting).then(|| self.work.clone());
        let (is_saved, revision) = (shown.is_some(), self.work.revision);
        // Kept and told with this commit; where it fails, the chain ends.
        let bodies = std::mem::take(&mut self.settled.bodies);
        let told = std::mem::take(&mut self.settled.happened);
        self.trip
            .turn
            .write_lasting(seconds, move |scope| {
                Box::pin(async move {
                    for (digest, content) in bodies {
                        store::body::keep_as(scope, digest, content);
                    }
                    if let Some(landed) = landed {
                        effect::save(scope, &landed).await?;
                    }
                    match &shown {
                        Some(work) => {
                            effect::save(scope, &effect).await?;
                            store::record::save(scope, work).await?;
                        }
                        None => effect::advance(scope, &effect, revision).await?,
                    }
                    for happened in told.into_iter().chain(happened) {
                        scope.tell(happened);
                    }
                    Ok(())
                })
            })
            .await?;
        self.is_ahead = false;
        self.is_shown = !is_resting;
        if is_saved {
            self.work.revision = self.work.revision.saturating_add(1);
        }
        Ok(())
    }

    /// What the trail says of the write. Until the target has given it a key, it is known by its natural one.
    fn told(&self, action: &'static str, target_key: Option<&str>) -> Happened {
        Happened::new(action, "record", self.work.record.id)
            .with("operation", &self.effect.operation)
            .with("target", target_key.unwrap_or(&self.effect.natural_key))
            .with("natural_key", &self.effect.natural_key)
            .with("digest", &self.draft.digest)
            .with("attempt", self.effect.attempt)
            .in_run(self.work.record.run_id)
    }

    /// Written and read back.
    async fn done(mut self, written: Written) -> Result<Went, Stop> {
        self.effect.state = EffectState::Confirmed;
        self.effect.quiet_until = None;
        self.effect.absent_seen = 0;
        let told = self.told("write.confirmed", Some(&written.target_id));
        self.settled.happened.push(told);
        self.settled.effect = Some(self.effect_as_it_is());
        let (mut work, mut settled) = (self.work.clone(), self.settled.clone());
        let amends = self.draft.amends.as_ref();
        (work.outcome, work.plan_action) = match amends {
            Some(_) => (Some(Outcome::Updated), Some(Action::Update)),
            None => (Some(Outcome::Created), Some(Action::Create)),
        };
        work.record.reason = None;
        work.changes_digest = None;
        let (title, target_id) = (self.trip.to.title, &written.target_id);
        work.record.explanation = match amends {
            Some(_) => format!("{target_id} was changed in {title} as its source says now."),
            None => format!("Created in {title} as {target_id}."),
        };
        for note in self.at.notes.iter().chain(&written.notes) {
            work.record.explanation.push(' ');
            work.record.explanation.push_str(note);
        }
        let made = written.target_id.clone();
        self.trip.link(
            (&mut work, &mut settled),
            (&self.draft, Some(self.held_digest())),
            (written.target_id, CREATED.to_owned()),
        );
        let parts = self.trip.part_links(&self.draft, written.parts, CREATED);
        settled.links.extend(parts);
        settled.held = self.trip.held(written.held);
        match self.trip.rest(work, State::Succeeded, settled).await {
            Err(StoreError::Taken(_)) => Box::pin(self.made_but_taken(&made)).await,
            went => Ok(went?),
        }
    }

    /// The draft that the target holds once this is done.
    fn held_digest(&self) -> String {
        let amends = self.draft.amends.as_ref();
        amends.map_or_else(
            || self.draft.digest.clone(),
            |amends| amends.whole_digest.clone(),
        )
    }

    /// A change that ended in its middle: what the target holds now is partly our own doing, and the way to go on
    /// is to look at it and plan afresh.
    fn is_half_changed(&mut self) -> bool {
        let is_half = self.draft.amends.is_some() && self.has_sent;
        if is_half {
            self.settled.held = self.trip.held(None);
        }
        is_half
    }

    /// The record is too far in the target: nothing is changed, and people see both values.
    async fn too_far(mut self, fault: Fault) -> Result<Went, Stop> {
        let told = self.told("write.rejected", None).with("fault", &fault);
        self.is_half_changed();
        self.did_nothing();
        self.take_back().await;
        self.effect.state = EffectState::Rejected;
        let (mut work, mut settled) = (self.work.clone(), std::mem::take(&mut self.settled));
        settled.effect = Some(self.effect_as_it_is());
        settled.happened.push(told);
        lower(&mut work, OUTCOME_UNKNOWN);
        raise(&mut work, DIVERGED);
        work.plan_action = Some(Action::None);
        work.record.reason = Some(DIVERGED.to_owned());
        work.record.explanation = format!(
            "It changed in the source, and {} does not let it be changed any more: {fault}.{}",
            self.trip.to.title,
            explain::differences(&self.draft.fields, self.trip.to.title)
        );
        let body = body_of_changes(&self.draft.fields);
        work.changes_digest = Some(body.0.clone());
        settled.bodies.push(body);
        work.outcome = Some(Outcome::Unchanged);
        Ok(self.trip.rest(work, State::Succeeded, settled).await?)
    }

    /// Made, and meanwhile somebody linked it to another record of the source.
    async fn made_but_taken(self, made: &str) -> Result<Went, Stop> {
        let mut work = self.work;
        lower(&mut work, OUTCOME_UNKNOWN);
        work.wish = None;
        work.plan_action = Some(Action::Review);
        work.record.reason = Some("already_linked".to_owned());
        work.record.explanation = format!(
            "It was created in {} as {made}, but that is linked to another record of the source. Undo that link, or choose another record.",
            self.trip.to.title
        );
        Ok(self.trip.rest(work, State::Review, self.settled).await?)
    }

    /// A person says which record of the target it is: that settles what was in doubt.
    async fn take_this_one(mut self, target_id: String) -> Result<Went, Stop> {
        let differences = self
            .trip
            .writes
            .differences(&self.trip.target, &self.draft, &target_id)
            .await
            .map_err(|fault| Stop::Fault(fault, Whose::Target))?;
        self.take_back().await;
        self.effect.state = EffectState::Confirmed;
        self.settled.effect = Some(self.effect_as_it_is());
        lower(&mut self.work, OUTCOME_UNKNOWN);
        let by = "person".to_owned();
        let (work, settled) = (self.work, self.settled);
        Ok(self
            .trip
            .adopt(work, settled, &self.draft, target_id, by, differences)
            .await?)
    }

    /// Surely nothing of it is in the target: the record travels from its source once more, at once.
    async fn travel_anew(mut self, reason: &str, says: String) -> Result<Went, Stop> {
        self.effect.state = EffectState::Rejected;
        self.effect.quiet_until = None;
        self.effect.absent_seen = 0;
        let effect = self.effect_as_it_is();
        let mut work = self.work;
        lower(&mut work, OUTCOME_UNKNOWN);
        let record = &mut work.record;
        record.state = State::Pending;
        record.substate = None;
        record.next_attempt_at = Some(self.trip.turn.engine.clock.now());
        record.reason = Some(reason.to_owned());
        record.explanation = says;
        let mut settled = self.settled;
        settled.effect = Some(effect);
        Ok(self.trip.settle(work, settled).await?)
    }

    fn effect_as_it_is(&self) -> Effect {
        Effect {
            progress: text_of(&self.at),
            fence: self.trip.turn.lease.fence,
            ..self.effect.clone()
        }
    }

    /// Taken by the vendor, not finished there: asked again until it is, or until patience ends.
    async fn accepted(mut self, waiting_for: &str) -> Result<Went, Stop> {
        const FIRST_LOOK: Duration = Duration::from_secs(5);
        const LOOK_MAX: Duration = Duration::from_secs(60);
        let now = self.now();
        let is_new = self.effect.state != EffectState::Accepted;
        let patience = self.patience();
        if is_new {
            self.effect.quiet_until = Some(now.plus(patience));
        }
        let patient_until = self.effect.quiet_until.unwrap_or(now);
        let pace = self.trip.turn.engine.pace;
        self.effect.state = EffectState::Accepted;
        let (mut work, mut settled) = (self.work.clone(), std::mem::take(&mut self.settled));
        settled.effect = Some(self.effect_as_it_is());
        if is_new {
            settled.happened.push(self.told("write.accepted", None));
        }
        work.record.substate = Some(IN_BATCH.to_owned());
        work.record.fault = None;
        work.record.attempts = 0;
        work.first_failed_at = None;
        if now < patient_until {
            let waited = now.since(patient_until.minus(patience));
            work.record.state = State::Syncing;
            work.record.explanation = format!(
                "{} has taken it and is still working on it: {waiting_for}",
                self.trip.to.title
            );
            let next = pace.wait(FIRST_LOOK).max(waited / 4).min(LOOK_MAX);
            work.record.next_attempt_at = Some(now.plus(next).min(patient_until));
        } else {
            work.record.state = State::Waiting;
            work.record.reason = Some("batch".to_owned());
            work.record.explanation = waiting_for.to_owned();
            work.record.waiting_for = vec![WaitingFor::new(
                "batch",
                &*self.effect.natural_key,
                waiting_for,
            )];
            let overdue = now.since(patient_until);
            work.record.next_attempt_at = Some(now.plus(look_again_after(pace, overdue)));
        }
        Ok(self.trip.settle(work, settled).await?)
    }

    /// How long the vendor may work on what it has taken before people are told.
    fn patience(&self) -> Duration {
        const DEFAULT_MINUTES: u64 = 30;
        let minutes = self.trip.ends.policy("batch_patience_minutes").parse();
        let seconds = minutes.unwrap_or(DEFAULT_MINUTES).saturating_mul(60);
        self.trip
            .turn
            .engine
            .pace
            .wait(Duration::from_secs(seconds))
    }

    /// Accepted earlier: is it there now?
    async fn check(mut self) -> Result<Went, Stop> {
        let step = self
            .trip
            .writes
            .check(&self.trip.target, &self.draft, &self.at)
            .await;
        match step {
            Ok(Step::Done(written)) => Box::pin(self.done(*written)).await,
            Ok(Step::More { at, .. }) => {
                self.at = at;
                self.is_ahead = true;
                Box::pin(self.run()).await
            }
            Ok(Step::Accepted { at, waiting_for }) => {
                self.at = at;
                Box::pin(self.accepted(&waiting_for)).await
            }
            Err(
                fault @ (Fault::Conflict { .. } | Fault::Rejected { .. } | Fault::Missing { .. }),
            ) => self.look_again(fault).await,
            Err(fault) => self.look_later(fault).await,
        }
    }

    /// A look-up did not work: the question stays open, whatever the fault.
    async fn look_later(mut self, fault: Fault) -> Result<Went, Stop> {
        let now = self.now();
        if let Fault::RateLimited { retry_after, .. } = &fault {
            self.trip
                .slow_down(self.trip.to.connection.id, now.plus(*retry_after));
            return Ok(Went::SlowDown);
        }
        if let Some(rest) = self.trip.unreachable(self.trip.to.connection.id, &fault) {
            self.trip
                .slow_down(self.trip.to.connection.id, now.plus(rest));
            return Ok(Went::SlowDown);
        }
        let mut work = self.work.clone();
        let attempts = work.record.attempts.saturating_add(1);
        let first = *work.first_failed_at.get_or_insert(now);
        let (pace, id) = (self.trip.turn.engine.pace, work.record.id);
        let wait = |n| decide::backoff(pace, id, n);
        let after = match decide::decide(&fault, decide::tried(attempts, Some(first), now), wait) {
            Next::Retry { after } => after,
            Next::LookAgain | Next::Verify if attempts < decide::ATTEMPTS_MAX => wait(attempts),
            _ => return self.leave_to_a_person(fault).await,
        };
        if work.record.substate.as_deref() != Some(IN_BATCH) {
            work.record.state = State::Retrying;
            work.record.substate = None;
        }
        work.record.attempts = attempts;
        work.record.next_attempt_at = Some(now.plus(after));
        work.record.explanation = format!(
            "It is not known yet whether it is in {}: {fault}. It is looked up again by itself.",
            self.trip.to.title
        );
        work.record.fault = Some(fault);
        let mut settled = std::mem::take(&mut self.settled);
        settled.effect = Some(self.effect_as_it_is());
        Ok(self.trip.settle(work, settled).await?)
    }

    /// A step did not go well.
    async fn failed(self, fault: Fault, upcoming: &Upcoming) -> Result<Went, Stop> {
        if matches!(&fault, Fault::Conflict { code, .. } if code == TOO_FAR) {
            return Box::pin(self.too_far(fault)).await;
        }
        match (&fault, upcoming.weight) {
            (Fault::Ambiguous { .. } | Fault::Broken { .. }, Weight::Final) => {
                self.unknown(fault).await
            }
            (Fault::Ambiguous { .. } | Fault::Broken { .. }, Weight::Harmless)
                if !self.has_sent =>
            {
                self.start_afresh().await
            }
            (Fault::Ambiguous { .. } | Fault::Broken { .. }, Weight::Harmless) => {
                self.look_later(fault).await
            }
            (Fault::RateLimited { retry_after, .. }, _) => {
                let until = self.now().plus(*retry_after);
                self.park(until).await
            }
            (Fault::Transient { .. } | Fault::Auth { .. }, _) => self.try_later(fault).await,
            (Fault::Conflict { .. }, _) => self.look_again(fault).await,
            (Fault::Rejected { .. } | Fault::Missing { .. }, _) => self.refused(fault).await,
        }
    }

    /// Sent, and no usable answer.
    async fn unknown(mut self, fault: Fault) -> Result<Went, Stop> {
        let now = self.now();
        let deadline = self.effect.send_deadline.unwrap_or(now);
        self.effect.state = EffectState::Ambiguous;
        self.effect.absent_seen = 0;
        let quiet_until = deadline.plus(self.quiet_period());
        self.effect.quiet_until = Some(quiet_until);
        let told = self.told("write.unknown", None).with("fault", &fault);
        let mut work = self.work.clone();
        raise(&mut work, OUTCOME_UNKNOWN);
        work.record.attempts = 0;
        work.first_failed_at = None;
        let first = now.plus(self.look_every()).min(quiet_until);
        self.retrying(&mut work, first);
        work.record.reason = Some(OUTCOME_UNKNOWN.to_owned());
        work.record.explanation = format!(
            "{} gave no usable answer, so it is not known whether it was written ({fault}). It is looked up, and nothing is sent again before {}.",
            self.trip.to.title,
            quiet_until.whole_seconds()
        );
        work.record.fault = Some(fault);
        let mut settled = std::mem::take(&mut self.settled);
        settled.effect = Some(self.effect_as_it_is());
        settled.happened.push(told);
        Ok(self.trip.settle(work, settled).await?)
    }

    fn look_every(&self) -> Duration {
        let engine = &self.trip.turn.engine;
        engine.pace.wait(LOOK_EVERY).max(Duration::from_secs(1))
    }

    fn retrying(&self, work: &mut Work, at: Timestamp) {
        let record = &mut work.record;
        record.state = State::Retrying;
        record.substate = None;
        record.next_attempt_at = Some(at);
    }

    /// Looks whether an unknown outcome is there.
    async fn verify(self) -> Result<Went, Stop> {
        let found = self
            .trip
            .writes
            .find(&self.trip.target, &self.draft, &self.trip.tag)
            .await;
        match found {
            Ok(Found::One(existing)) if existing.is_ours => self.found(*existing).await,
            Ok(Found::None) => self.absent().await,
            Ok(Found::Unsure(why)) => {
                self.look_later(Fault::Transient {
                    code: "look_up_unsure".to_owned(),
                    message: why,
                })
                .await
            }
            // What is like it was there before, and a person said that it is another one.
            Ok(Found::One(_) | Found::Many(_)) if self.work.wish == Some(Wish::Create) => {
                self.absent().await
            }
            // Something like it is there, but not with our mark: a person must look.
            Ok(Found::One(existing)) => self.meets_its_like(vec![candidate(*existing)]).await,
            Ok(Found::Many(candidates)) => self.meets_its_like(candidates).await,
            Err(fault) => self.look_later(fault).await,
        }
    }

    async fn meets_its_like(mut self, candidates: Vec<Candidate>) -> Result<Went, Stop> {
        let body = body_of_candidates(&candidates);
        self.work.candidates_digest = Some(body.0.clone());
        self.settled.bodies.push(body);
        let fault = Fault::Ambiguous {
            code: OUTCOME_UNKNOWN.to_owned(),
            message: "a record like it is there, without our reference".to_owned(),
        };
        self.leave_to_a_person(fault).await
    }

    async fn found(mut self, existing: Existing) -> Result<Went, Stop> {
        lower(&mut self.work, OUTCOME_UNKNOWN);
        self.work.record.fault = None;
        match existing.resume {
            // What is there ends before the step in doubt: that one is not there so far.
            Some(at) if at.next == self.at.next && at.index <= self.at.index => {
                raise(&mut self.work, OUTCOME_UNKNOWN);
                self.absent().await
            }
            Some(at) => {
                self.at = at;
                self.effect.counted = self.effect.counted.saturating_add(1);
                self.effect.state = EffectState::Open;
                self.is_ahead = true;
                Box::pin(self.run()).await
            }
            // Whole, by its reference; reading it back proves it, and tells its parts.
            None => Box::pin(self.check()).await,
        }
    }

    /// Not there. Only after the quiet period, and more than once, does that mean anything.
    async fn absent(mut self) -> Result<Went, Stop> {
        let now = self.now();
        let repeat = self.trip.writes.repeat();
        let quiet_until = self.effect.quiet_until.unwrap_or(now);
        if repeat != Repeat::Enforced && now < quiet_until {
            let next = now.plus(self.look_every()).min(quiet_until);
            return self.look_again_at(next, quiet_until).await;
        }
        let is_asked_for = self.work.wish == Some(Wish::Create);
        if repeat == Repeat::Never && !is_asked_for {
            let fault = Fault::Ambiguous {
                code: OUTCOME_UNKNOWN.to_owned(),
                message: "it was looked for after the quiet period and not found".to_owned(),
            };
            return self.leave_to_a_person(fault).await;
        }
        self.effect.absent_seen = self.effect.absent_seen.saturating_add(1);
        if repeat != Repeat::Enforced && self.effect.absent_seen < ABSENT_NEEDED {
            let next = now.plus(self.look_every());
            return self.look_again_at(next, next).await;
        }
        Box::pin(self.send_again()).await
    }

    /// Surely not there: it may be sent again, if it is still wanted.
    async fn send_again(mut self) -> Result<Went, Stop> {
        if self.at == Progress::start() {
            let says = "It was looked for and is surely not there, so it is written anew.";
            return self.travel_anew("not_written", says.to_owned()).await;
        }
        match self.trip.is_withdrawn().await {
            Err(fault) => return self.look_later(fault).await,
            Ok(true) if self.effect.counted > 0 => {
                let fault = Fault::Missing {
                    what: "withdrawn".to_owned(),
                    message: "it left the source while it was half written".to_owned(),
                };
                return self.leave_to_a_person(fault).await;
            }
            Ok(true) => {
                self.has_sent = false;
                self.take_back().await;
                let says =
                    "It left the source before it was written; what was begun is taken back.";
                return self.travel_anew("withdrawn", says.to_owned()).await;
            }
            Ok(false) => {}
        }
        lower(&mut self.work, OUTCOME_UNKNOWN);
        self.effect.state = EffectState::Open;
        self.effect.quiet_until = None;
        self.effect.absent_seen = 0;
        self.is_ahead = true;
        self.run().await
    }

    async fn look_again_at(mut self, at: Timestamp, quiet_until: Timestamp) -> Result<Went, Stop> {
        let mut work = self.work.clone();
        self.retrying(&mut work, at);
        // This look-up went well; those that did not are no longer counted.
        work.record.attempts = 0;
        work.first_failed_at = None;
        work.record.reason = Some(OUTCOME_UNKNOWN.to_owned());
        work.record.explanation = format!(
            "It is not known whether it was written: {} does not show it so far. It is looked up again, and nothing is sent before {}.",
            self.trip.to.title,
            quiet_until.whole_seconds()
        );
        let mut settled = std::mem::take(&mut self.settled);
        settled.effect = Some(self.effect_as_it_is());
        Ok(self.trip.settle(work, settled).await?)
    }

    /// Nothing goes on by itself: a person looks, and says what it is.
    async fn leave_to_a_person(mut self, fault: Fault) -> Result<Went, Stop> {
        let mut work = self.work.clone();
        raise(&mut work, OUTCOME_UNKNOWN);
        work.wish = None;
        work.record.attempts = work.record.attempts.saturating_add(1);
        work.record.reason = Some(OUTCOME_UNKNOWN.to_owned());
        work.record.explanation = explain::unknown(&fault, self.trip.to.title);
        work.record.fault = Some(fault);
        let mut settled = std::mem::take(&mut self.settled);
        settled.effect = Some(self.effect_as_it_is());
        Ok(self.trip.rest(work, State::Failed, settled).await?)
    }

    /// The connection must rest; the chain goes on where it stands.
    async fn park(mut self, until: Timestamp) -> Result<Went, Stop> {
        self.trip.slow_down(self.trip.to.connection.id, until);
        self.did_nothing();
        self.syncing(until, Some(PARKED));
        self.work.record.explanation = format!(
            "Being written to {}, which allows no more calls before {}.",
            self.trip.to.title,
            until.whole_seconds()
        );
        if self.at == Progress::start() {
            self.work.record.state = State::Pending;
        }
        self.commit_running(Vec::new()).await?;
        Ok(Went::SlowDown)
    }

    /// Nothing happened at the vendor: the same step is taken again later.
    async fn try_later(mut self, fault: Fault) -> Result<Went, Stop> {
        let connection = self.trip.to.connection.id;
        if let Some(rest) = self.trip.unreachable(connection, &fault) {
            let until = self.now().plus(rest);
            return self.park(until).await;
        }
        self.did_nothing();
        let now = self.now();
        let attempts = self.work.record.attempts.saturating_add(1);
        let first = *self.work.first_failed_at.get_or_insert(now);
        let record = self.work.record.id;
        let pace = self.trip.turn.engine.pace;
        let tried = decide::tried(attempts, Some(first), now);
        let next = decide::decide(&fault, tried, |n| decide::backoff(pace, record, n));
        let Next::Retry { after } = next else {
            return Box::pin(self.refused(fault)).await;
        };
        let mut work = self.work.clone();
        self.retrying(&mut work, now.plus(after));
        if self.at != Progress::start() {
            work.record.substate = Some(PARKED.to_owned());
        }
        work.record.attempts = attempts;
        work.record.reason = Some(fault.code().to_owned());
        work.record.explanation = explain::retrying(
            &fault,
            self.trip.to.title,
            attempts,
            decide::ATTEMPTS_MAX,
            now.plus(after),
        );
        work.record.fault = Some(fault);
        let mut settled = std::mem::take(&mut self.settled);
        settled.effect = Some(self.effect_as_it_is());
        Ok(self.trip.settle(work, settled).await?)
    }

    /// Refused for good: what was begun and can be taken back is taken back. A chain of which something counts
    /// already stays open: a later retry goes on from here, never afresh.
    async fn refused(mut self, fault: Fault) -> Result<Went, Stop> {
        let told = self.told("write.rejected", None).with("fault", &fault);
        self.did_nothing();
        self.take_back().await;
        if self.is_half_changed() || !self.has_sent {
            self.effect.state = EffectState::Rejected;
        }
        let mut work = self.work.clone();
        work.record.attempts = work.record.attempts.saturating_add(1);
        work.record.reason = Some(fault.code().to_owned());
        work.record.explanation = explain::failed(&fault, self.trip.to.title);
        work.record.fault = Some(fault);
        work.plan_action = Some(Action::Fail);
        let mut settled = std::mem::take(&mut self.settled);
        settled.effect = Some(self.effect_as_it_is());
        settled.happened.push(told);
        Ok(self.trip.rest(work, State::Failed, settled).await?)
    }

    /// It exists or changed since it was looked up: look once more, soon, then plan afresh.
    async fn look_again(mut self, fault: Fault) -> Result<Went, Stop> {
        // Once: trouble of other kinds before it does not count.
        let is_second = matches!(self.trip.before.record.fault, Some(Fault::Conflict { .. }));
        let tried = decide::tried(if is_second { 2 } else { 1 }, None, self.now());
        if decide::decide(&fault, tried, |_| Duration::ZERO) == Next::Fail {
            return Box::pin(self.refused(fault)).await;
        }
        self.is_half_changed();
        self.did_nothing();
        self.take_back().await;
        self.effect.state = EffectState::Rejected;
        let mut work = self.work.clone();
        work.record.attempts = work.record.attempts.saturating_add(1);
        self.retrying(&mut work, self.now().plus(self.look_every()));
        work.record.reason = Some(fault.code().to_owned());
        work.record.explanation = format!(
            "{} says that it exists already; it is looked up once more.",
            self.trip.to.title
        );
        work.record.fault = Some(fault);
        let mut settled = std::mem::take(&mut self.settled);
        settled.effect = Some(self.effect_as_it_is());
        Ok(self.trip.settle(work, settled).await?)
    }

    /// Cleans up a chain of harmless steps and lets the record travel anew.
    async fn start_afresh(mut self) -> Result<Went, Stop> {
        self.take_back().await;
        self.effect.state = EffectState::Rejected;
        self.at = Progress::start();
        let now = self.now();
        let attempts = self.work.record.attempts.saturating_add(1);
        let mut work = self.work.clone();
        work.record.attempts = attempts;
        let first = *work.first_failed_at.get_or_insert(now);
        let fault = Fault::Transient {
            code: "interrupted".to_owned(),
            message: "the chain of calls was interrupted before anything counted".to_owned(),
        };
        let pace = self.trip.turn.engine.pace;
        let tried = decide::tried(attempts, Some(first), now);
        let Next::Retry { after } =
            decide::decide(&fault, tried, |n| decide::backoff(pace, work.record.id, n))
        else {
            return self.refused(fault).await;
        };
        // The first interruption (a restart) costs no wait.
        let after = if attempts == 1 { Duration::ZERO } else { after };
        self.retrying(&mut work, now.plus(after));
        work.record.reason = Some("interrupted".to_owned());
        work.record.explanation = format!(
            "Writing to {} was interrupted before anything counted; what was begun is taken back and started afresh.",
            self.trip.to.title
        );
        let mut settled = std::mem::take(&mut self.settled);
        settled.effect = Some(self.effect_as_it_is());
        Ok(self.trip.settle(work, settled).await?)
    }

    /// Best effort: what stays behind moves nothing, and a note says what it was.
    async fn take_back(&mut self) {
        if self.at == Progress::start() || self.has_sent {
            return;
        }
        self.trip.target.write_until(self.trip.turn.held_until());
        let undone = self.trip.writes.undo(&self.trip.target, &self.at).await;
        if let Err(fault) = undone {
            tracing::warn!(%fault, record = %self.work.record.id, "an unfinished chain was left behind");
            let left = format!(
                "Something unfinished was left behind in {}: {fault}",
                self.trip.to.title
            );
            self.at.notes.push(left);
        }
    }
}
