//! One commit that ends a piece of work on a record: outcome, link, effect, state, audit and the release
//! of whoever waited for it, together or not at all.

use super::turn::Turn;
use super::watch::{self, is_watched};
use crate::contract::Session;
use crate::domain::audit::Happened;
use crate::domain::holding::Holding;
use crate::domain::ids::{LinkId, PairId};
use crate::domain::link::PARTS;
use crate::domain::record::{State, WaitingFor};
use crate::domain::system::{Entity, SystemId};
use crate::store::chore::{self, Word};
use crate::store::effect::Effect;
use crate::store::hint::{self, Hint};
use crate::store::link::NewLink;
use crate::store::record::Work;
use crate::store::{self, Scope, StoreError};

/// Everything that is committed together.
#[derive(Debug, Clone, Default)]
pub(super) struct Settled {
    /// Digest and text of what is kept beside the record.
    pub bodies: Vec<(String, String)>,
    pub links: Vec<NewLink>,
    /// The record's link of this entity holds no longer.
    pub unlinked: Option<Entity>,
    /// The target is known to hold this draft.
    pub holds: Option<(LinkId, String)>,
    pub effect: Option<Effect>,
    pub happened: Vec<Happened>,
    /// Kinds and keys that others may wait for.
    pub appeared: Vec<(&'static str, String)>,
    /// Source records of another flow that this one needs.
    pub needed: Vec<Needed>,
    /// What a record that comes to wait was judged by.
    pub judged_by: Option<JudgedBy>,
    /// What is known of what the target holds now; none: nothing new.
    pub held: Option<Held>,
    /// What was said to the vendors: a JSON array, and how many calls.
    pub exchanges: Option<(String, usize)>,
}

/// What the target of a record's link holds, as it should.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub pair: PairId,
    pub flow: &'static str,
    pub entity: Entity,
    /// As it was read back; none: it is to be read soon.
    pub holding: Option<Holding>,
}

/// What was known when a record was found to lack something. If it changed meanwhile, nobody would come
/// to release the record: the change was committed before the wait.
#[derive(Debug, Clone)]
pub(super) struct JudgedBy {
    pub pair_version: i64,
    /// Links that were not there.
    pub missing: Vec<(Entity, String)>,
}

/// A source record that must travel because another one needs it.
#[derive(Debug, Clone)]
pub(super) struct Needed {
    pub pair: PairId,
    pub pair_version: i64,
    pub flow: &'static str,
    pub system: SystemId,
    pub entity: Entity,
    pub rank: u8,
    pub hint: Hint,
}

impl Settled {
    /// Takes what the sessions exchanged since the last commit.
    pub fn with_exchanges(mut self, sessions: &[&Session]) -> Self {
        let exchanges: Vec<_> = sessions
            .iter()
            .flat_map(|session| session.take_exchanges())
            .map(shown)
            .collect();
        if !exchanges.is_empty() {
            let count = exchanges.len();
            self.exchanges = Some((serde_json::Value::Array(exchanges).to_string(), count));
        }
        self
    }
}

fn shown(exchange: crate::contract::Exchange) -> serde_json::Value {
    serde_json::json!({
        "at": exchange.at,
        "operation": exchange.operation,
        "method": exchange.method,
        "url": exchange.url,
        "request": exchange.request,
        "status": exchange.status,
        "response": exchange.response,
        "ms": exchange.ms,
        "fault": exchange.fault,
    })
}

/// The log's line for a change of state: what needs somebody's eye by default, all else when asked for.
struct Logged {
    was: State,
    is: State,
    flow: String,
    reason: String,
}

impl Logged {
    fn of(before: &Work, after: &Work) -> Self {
        Self {
            was: before.record.state,
            is: after.record.state,
            flow: after.record.flow.to_string(),
            reason: after.record.reason.clone().unwrap_or_default(),
        }
    }

    fn write(self) {
        let Self {
            was,
            is,
            flow,
            reason,
        } = self;
        let is_trouble = matches!(is, State::Failed | State::Retrying | State::Review);
        if is_trouble && was != is {
            tracing::info!(%flow, %was, state = %is, reason, "a record changed its state");
        } else {
            tracing::debug!(%flow, %was, state = %is, reason, "a record was settled");
        }
    }
}

impl Turn {
    /// Commits. `before` is the record as it was read, for what must be told of its change.
    ///
    /// # Errors
    /// `Stale` when the turn is lost, `Taken` when the target record is another one's.
    pub(super) async fn settle(
        &self,
        before: &Work,
        after: Work,
        mut settled: Settled,
    ) -> Result<(), StoreError> {
        if let Some(told) = told_of(before, &after) {
            settled.happened.push(told);
        }
        let had_waits = !before.record.waiting_for.is_empty();
        let pair = after.record.pair_id;
        let log = Logged::of(before, &after);
        let is_overtaken = self.commit(after, settled, had_waits).await?;
        log.write();
        if is_overtaken {
            self.reopen(pair);
        }
        Ok(())
    }

    async fn commit(
        &self,
        after: Work,
        settled: Settled,
        had_waits: bool,
    ) -> Result<bool, StoreError> {
        let watch_interval = watch::interval(self);
        self.write(move |scope| {
            Box::pin(async move {
                for (digest, content) in settled.bodies {
                    store::body::keep_as(scope, digest, content);
                }
                if let Some(entity) = &settled.unlinked {
                    let record = &after.record;
                    let (pair, source) = (record.pair_id, record.source.id.as_str());
                    store::link::remove(scope, pair, entity, source).await?;
                }
                let (parts, wholes): (Vec<_>, Vec<_>) = settled
                    .links
                    .into_iter()
                    .partition(|link| PARTS.contains(&link.entity));
                store::link::put_all(scope, &wholes).await?;
                // A part that another record's link holds on to is no reason to refuse the whole.
                store::link::put_free(scope, &parts).await?;
                if let Some(held) = &settled.held {
                    let link = (held.pair, &held.entity, after.record.source.id.as_str());
                    match &held.holding {
                        Some(holding) => store::readback::keep(scope, link, holding).await?,
                        None => {
                            store::readback::ask(scope, link).await?;
                            store::watch::begin(scope, held.pair, held.flow, false).await?;
                        }
                    }
                }
                if let Some((link, digest)) = &settled.holds {
                    store::link::note_draft(scope, *link, digest).await?;
                }
                if let Some(effect) = &settled.effect {
                    store::effect::save(scope, effect).await?;
                }
                store::record::save(scope, &after).await?;
                let record = &after.record;
                if record.state == State::Waiting {
                    store::wait::set(scope, record.pair_id, record.id, &record.waiting_for).await?;
                    if record.waiting_for.iter().any(|wait| is_watched(&wait.kind)) {
                        let at = scope.now().plus(watch_interval);
                        chore::begin(scope, record.pair_id, Word::Watch, at).await?;
                    }
                } else if had_waits {
                    store::wait::clear(scope, record.id).await?;
                }
                if let Some((content, calls)) = settled.exchanges {
                    store::exchange::keep(scope, record.id, record.attempts, calls, content);
                }
                for needed in &settled.needed {
                    hint::need(scope, &page(needed), &needed.hint).await?;
                }
                for (kind, key) in &settled.appeared {
                    store::wait::release(scope, record.pair_id, kind, key).await?;
                }
                for happened in settled.happened {
                    scope.tell(happened);
                }
                let is_overtaken = match &settled.judged_by {
                    Some(judged_by) => has_appeared(scope, record.pair_id, judged_by).await?,
                    None => false,
                };
                if is_overtaken {
                    store::record::make_due(scope, record.id).await?;
                }
                Ok(is_overtaken)
            })
        })
        .await
    }
}

async fn has_appeared(
    scope: &Scope,
    pair: PairId,
    judged_by: &JudgedBy,
) -> Result<bool, StoreError> {
    // Held until the commit: whoever changes the pair after this sees the wait.
    if store::pair::hold(scope, pair).await?.version != judged_by.pair_version {
        return Ok(true);
    }
    for (entity, key) in &judged_by.missing {
        let link = store::link::of_source(scope, pair, entity, key).await?;
        if link.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn page(needed: &Needed) -> hint::Page<'_> {
    hint::Page {
        pair: needed.pair,
        pair_version: needed.pair_version,
        flow: needed.flow,
        system: needed.system.clone(),
        entity: needed.entity.clone(),
        rank: needed.rank,
        run: None,
        whole: false,
    }
}

/// The trail's line for a change of state; none where nothing changed that people would ask about.
fn told_of(before: &Work, after: &Work) -> Option<Happened> {
    let (was, is) = (&before.record, &after.record);
    let action = match is.state {
        State::Waiting => "record.waiting",
        State::Held => "record.held",
        State::Review => "record.review",
        State::Retrying => "record.retrying",
        State::Failed => "record.failed",
        State::Ignored => "record.ignored",
        State::Linked if was.state != State::Linked => "record.linked",
        // What was just written is told by the write itself.
        State::Succeeded if was.flags != is.flags && was.state != State::Syncing => {
            "record.checked"
        }
        _ => return None,
    };
    let is_same = was.state == is.state
        && was.reason == is.reason
        && was.waiting_for == is.waiting_for
        && was.flags == is.flags
        && was.attempts == is.attempts;
    if is_same {
        return None;
    }
    let mut told = Happened::new(action, "record", is.id)
        .with("explanation", &is.explanation)
        .in_run(is.run_id);
    if let Some(reason) = &is.reason {
        told = told.with("reason", reason);
    }
    if let Some(target) = &is.target {
        told = told.with("target", &target.id);
    }
    if !is.flags.is_empty() {
        told = told.with("flags", is.flags.join(", "));
    }
    if is.state == State::Waiting {
        let labels: Vec<&str> = is
            .waiting_for
            .iter()
            .map(|WaitingFor { label, .. }| label.as_str())
            .collect();
        told = told.with("waiting_for", labels.join("; "));
    }
    Some(told)
}
