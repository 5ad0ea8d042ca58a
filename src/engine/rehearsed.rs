//! One record in a dry run: the way of a real one, with a port that cannot write, ending in a row of the report.

use super::explain;
use super::settle::{Settled, page};
use super::stage::Stage;
use super::travel::{Stop, Trip, Went};
use crate::contract::{Canonical, Draft, Looking, Progress, ReadSession};
use crate::domain::fault::Issue;
use crate::domain::plan::{Action, Candidate, Change, Foreseen};
use crate::domain::record::State;
use crate::domain::system::Entity;
use crate::store::dry_run::{self, Listed};
use crate::store::link::NewLink;
use crate::store::record::Work;
use crate::store::{self, Scope, StoreError};

/// A record that somebody waits to read about is tried this often.
const TRIES: u32 = 3;

/// In a dry run.
pub(super) struct Rehearsed {
    pub listed: Listed,
    /// A person decided about this very version: a run would leave it as it is.
    pub is_decided: bool,
}

impl<E: Canonical> Trip<'_, E, Rehearsed> {
    pub(super) async fn rehearse(self) -> Result<Went, StoreError> {
        if self.stage.is_decided {
            let work = self.before.clone();
            return Rehearsed::settle(&self, work, Settled::default()).await;
        }
        if self.effect_in_doubt().await?.is_some() {
            return self.is_in_writing().await;
        }
        let went = Box::pin(self.read_and_go_on()).await;
        self.arrived(went).await
    }

    /// What is under way cannot be foreseen: its outcome may be unknown.
    async fn is_in_writing(&self) -> Result<Went, StoreError> {
        let mut work = self.before.clone();
        work.record.state = State::Waiting;
        work.record.reason = Some("in_writing".to_owned());
        work.record.explanation = format!(
            "It is being written to {} already; a dry run does not look into that.",
            self.to.title
        );
        Rehearsed::settle(self, work, Settled::default()).await
    }

    async fn would_write(
        &self,
        mut work: Work,
        mut settled: Settled,
        draft: &Draft,
        is_asked: bool,
    ) -> Result<Went, StoreError> {
        let action = match work.plan_action {
            Some(Action::Update) => Action::Update,
            _ => Action::Create,
        };
        let done = match action {
            Action::Update => "changed",
            _ => "created",
        };
        let target = self.to.title;
        let asked = if is_asked {
            ", once accounting has approved it"
        } else {
            ""
        };
        work.record.explanation = format!("It would be {done} in {target}{asked}.");
        let source_id = work.record.source.id.clone();
        settled.appeared.push((self.flow.waited_for_as, source_id));
        let found = Foreseen {
            target_id: Some(draft.natural_key.clone()),
            changes: draft.fields.clone(),
            ..foreseen(&work, &settled, action)
        };
        self.keep(found, settled).await
    }

    /// Commits a row with what it means to other rows of the dry run.
    async fn keep(&self, found: Foreseen, settled: Settled) -> Result<Went, StoreError> {
        let (pair, listed) = (self.ends.pair.id, &self.stage.listed);
        let (run, id) = (listed.run, listed.id);
        self.turn
            .write(move |scope| {
                Box::pin(async move {
                    dry_run::judge(scope, (pair, run, id), &found).await?;
                    for needed in &settled.needed {
                        dry_run::need(scope, run, &page(needed), &needed.hint).await?;
                    }
                    for (kind, key) in &settled.appeared {
                        dry_run::release(scope, run, kind, key).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        Ok(Went::Settled)
    }

    /// Tried again a little later. Gives false when it was tried often enough.
    async fn later(&self, work: &Work) -> Result<bool, StoreError> {
        let (id, attempts) = (self.stage.listed.id, work.record.attempts);
        let Some(at) = work.record.next_attempt_at.filter(|_| attempts < TRIES) else {
            return Ok(false);
        };
        self.turn
            .write(move |scope| Box::pin(dry_run::later(scope, id, attempts, at)))
            .await?;
        Ok(true)
    }
}

impl<E: Canonical> Stage<E> for Rehearsed {
    type Port = Looking<E>;
    type Target = ReadSession;

    /// What is linked, else what would be by the time this row's turn comes.
    async fn target_of(
        trip: &Trip<'_, E, Self>,
        scope: &Scope,
        entity: &Entity,
        source_id: &str,
    ) -> Result<Option<String>, StoreError> {
        let link = store::link::of_source(scope, trip.ends.pair.id, entity, source_id).await?;
        if let Some(link) = link {
            return Ok(Some(link.target.id));
        }
        let run = trip.stage.listed.run;
        let would_be = dry_run::target_of(scope, run, entity, source_id).await?;
        Ok(would_be.map(|would_be| {
            if would_be.is_created {
                trip.target.assume(entity.as_str(), &would_be.target_id);
            }
            would_be.target_id
        }))
    }

    async fn has_twin(trip: &Trip<'_, E, Self>, work: &Work) -> Result<bool, StoreError> {
        let scope = trip.turn.engine.store.read(trip.turn.tenant).await?;
        if store::record::has_twin(&scope, work).await? {
            return Ok(true);
        }
        let listed = &trip.stage.listed;
        match &work.twin_key {
            Some(key) => {
                let (flow, source_id) = (listed.flow.as_str(), &listed.source.id);
                dry_run::has_twin(&scope, listed.run, flow, source_id, key).await
            }
            None => Ok(false),
        }
    }

    async fn begin(
        trip: &Trip<'_, E, Self>,
        mut work: Work,
        settled: Settled,
        draft: Draft,
        _at: Progress,
    ) -> Result<Went, Stop> {
        work.record.reason = None;
        Ok(trip.would_write(work, settled, &draft, false).await?)
    }

    async fn settle(
        trip: &Trip<'_, E, Self>,
        mut work: Work,
        settled: Settled,
    ) -> Result<Went, StoreError> {
        if work.record.state == State::Retrying {
            if trip.later(&work).await? {
                return Ok(Went::Settled);
            }
            if let Some(fault) = &work.record.fault {
                work.record.explanation = explain::failed(fault, trip.to.title);
            }
        }
        if work.record.state == State::Held
            && let Some(draft) = drafted(&work, &settled)
        {
            return trip.would_write(work, settled, &draft, true).await;
        }
        let action = action_of(&work, &settled);
        if let (Action::Link, Some(link)) = (action, whole(&work, &settled)) {
            let by = explain::matched_by(&link.matched_by);
            let shown = differences(&work, &settled);
            work.record.explanation = format!(
                "It would be linked to {} in {}, found by {by}; nothing would be written.{}",
                link.target.id,
                trip.to.title,
                explain::differences(&shown, trip.to.title)
            );
        }
        trip.keep(foreseen(&work, &settled, action), settled).await
    }
}

/// What a record's state means for a report.
fn action_of(work: &Work, settled: &Settled) -> Action {
    match work.record.state {
        State::Waiting | State::Pending | State::Syncing => Action::Wait,
        State::Held => work.plan_action.unwrap_or(Action::Create),
        State::Review => Action::Review,
        State::Failed | State::Retrying => Action::Fail,
        State::Ignored => Action::Skip,
        State::Succeeded | State::Unchanged | State::Linked if whole(work, settled).is_none() => {
            Action::None
        }
        State::Succeeded | State::Unchanged | State::Linked => Action::Link,
    }
}

fn foreseen(work: &Work, settled: &Settled, action: Action) -> Foreseen {
    let record = &work.record;
    let linked = whole(work, settled).map(|link| link.target.id.clone());
    let target = record.target.as_ref().map(|target| target.id.clone());
    let is_drafted = drafted(work, settled).is_some();
    let fault = record.fault.as_ref().filter(|_| action == Action::Fail);
    let issues = fault.map_or(Vec::new(), |fault| match fault.issues() {
        [] => vec![Issue::new("", fault.code(), fault.to_string())],
        issues => issues.to_vec(),
    });
    Foreseen {
        flow: record.flow.clone(),
        source: record.source.clone(),
        number: record.number.clone(),
        counterparty: record.counterparty.clone(),
        project: record.project.clone(),
        money: record.money.clone(),
        action,
        target_id: linked.or(target.filter(|_| action == Action::None)),
        digest: work.draft_digest.clone().filter(|_| is_drafted),
        changes: match action {
            Action::Review => drafted(work, settled).map_or(Vec::new(), |draft| draft.fields),
            _ => differences(work, settled),
        },
        issues,
        candidates: body::<Vec<Candidate>>(work.candidates_digest.as_deref(), settled)
            .filter(|_| action == Action::Review)
            .unwrap_or_default(),
        waiting_for: match action {
            Action::Wait => record.waiting_for.clone(),
            _ => Vec::new(),
        },
        reason: record.reason.clone(),
        explanation: record.explanation.clone(),
    }
}

/// The link of the record itself, not of one of its parts.
fn whole<'a>(work: &Work, settled: &'a Settled) -> Option<&'a NewLink> {
    let source = &work.record.source;
    let mut links = settled.links.iter();
    links.find(|link| link.entity == source.entity && link.source.id == source.id)
}

fn drafted(work: &Work, settled: &Settled) -> Option<Draft> {
    body(work.draft_digest.as_deref(), settled)
}

fn differences(work: &Work, settled: &Settled) -> Vec<Change> {
    body(work.changes_digest.as_deref(), settled).unwrap_or_default()
}

/// Something that this trip would have kept beside the record.
fn body<T: serde::de::DeserializeOwned>(digest: Option<&str>, settled: &Settled) -> Option<T> {
    let digest = digest?;
    let kept = settled.bodies.iter().find(|(known, _)| known == digest)?;
    serde_json::from_str(&kept.1).ok()
}
