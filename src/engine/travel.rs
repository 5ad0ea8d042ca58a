//! One record's way: read, gate, needs, map, look up, plan, approve, write. One path for polls, retries,
//! approvals and replays.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::amend::Asked;
use super::decide::{self, Next};
use super::ends::{End, Ends};
use super::look::watcher_of;
use super::plan::{Course, course};
use super::rehearsed::Rehearsed;
use super::settle::{Held, JudgedBy, Needed, Settled};
use super::stage::{Live, Stage};
use super::turn::Turn;
use super::watch::is_watched;
use super::{blocked, explain, write};
use crate::contract::{
    Canonical, Draft, Found, Looking, Looks, Need, Read, ReadSession, Reads, Refs, SourceKey,
};
use crate::domain::clock::Timestamp;
use crate::domain::fault::{Fault, Issue};
use crate::domain::holding::Holding;
use crate::domain::ids::ConnectionId;
use crate::domain::link::{End as LinkEnd, Link};
use crate::domain::pair::Approval;
use crate::domain::plan::{Action, Candidate, Change};
use crate::domain::record::{
    BLOCKED, DIVERGED, DUPLICATE, ExternalRef, ORPHANED, OUTCOME_UNKNOWN, State, WaitingFor,
};
use crate::domain::system::Entity;
use crate::domain::tag::{WriteTag, digest};
use crate::flows::{Afterwards, Flow, Gate, Linked, PairFlow, RecordKind, Rules, lane};
use crate::store::effect::{Effect, EffectState};
use crate::store::hint::Hint;
use crate::store::link::NewLink;
use crate::store::readback::ReadBack;
use crate::store::record::{Outcome, Wish, Work};
use crate::store::{self, StoreError};

/// How a piece of work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Went {
    /// Committed; whatever comes next is in the record.
    Settled,
    /// A connection must rest; nothing of the record was lost.
    SlowDown,
}

/// A record on its way.
pub(super) struct Trip<'a, E: Canonical, S: Stage<E> = Live> {
    pub turn: &'a Turn,
    pub ends: &'a Ends,
    pub pair_flow: &'static PairFlow,
    pub flow: &'static Flow<E>,
    pub reads: &'static dyn Reads<E>,
    pub writes: S::Port,
    pub from: &'a End,
    pub to: &'a End,
    pub source: ReadSession,
    pub target: S::Target,
    pub tag: WriteTag,
    /// As it was read from the store.
    pub before: Work,
    pub stage: S,
}

/// Why a trip cannot go on: a fault of one of the ends, or the store's.
#[derive(Debug)]
pub(super) enum Stop {
    Fault(Fault, Whose),
    Store(StoreError),
}

/// The end that a fault came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Source,
    Target,
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Works one due record.
///
/// # Errors
/// `Stale` when the turn is lost, `Database`.
pub async fn travel(turn: &Turn, work: Work) -> Result<Went, StoreError> {
    let Some(ends) = turn.ends(work.record.pair_id).await? else {
        return park(turn, &work).await;
    };
    if turn.slow_until(&ends).is_some() {
        return Ok(Went::SlowDown);
    }
    let Some(probed) = turn.claim(&ends) else {
        return Ok(Went::SlowDown);
    };
    let went = set_out(turn, &ends, work, None).await;
    turn.give_back(probed);
    went
}

/// Sends a record on its way through its flow: in the books, or in a dry run.
///
/// # Errors
/// `Stale` when the turn is lost, `Missing`, `Database`.
pub(super) async fn set_out(
    turn: &Turn,
    ends: &Ends,
    work: Work,
    rehearsed: Option<Rehearsed>,
) -> Result<Went, StoreError> {
    let Some(pair_flow) = ends.kind.flow(work.record.flow.as_str()) else {
        return Err(StoreError::Missing("flow"));
    };
    let way = Way {
        turn,
        ends,
        pair_flow,
        rehearsed,
    };
    match pair_flow.record {
        RecordKind::Vendor => Box::pin(start(way, &crate::flows::VENDOR, work)).await,
        RecordKind::CostCode => Box::pin(start(way, &crate::flows::COST_CODE, work)).await,
        RecordKind::Order => Box::pin(start(way, &crate::flows::ORDER, work)).await,
    }
}

struct Way<'a> {
    turn: &'a Turn,
    ends: &'a Ends,
    pair_flow: &'static PairFlow,
    rehearsed: Option<Rehearsed>,
}

/// A pair that stands still writes nothing; its records are due again when it is activated.
async fn park(turn: &Turn, work: &Work) -> Result<Went, StoreError> {
    let (id, pair) = (work.record.id, work.record.pair_id);
    turn.write(move |scope| {
        Box::pin(async move { store::record::rest_with_pair(scope, id, pair).await })
    })
    .await?;
    Ok(Went::Settled)
}

async fn start<E: Canonical>(
    way: Way<'_>,
    flow: &'static Flow<E>,
    before: Work,
) -> Result<Went, StoreError> {
    let Way {
        turn,
        ends,
        pair_flow,
        rehearsed,
    } = way;
    let (from, to) = (ends.source(pair_flow), ends.target(pair_flow));
    let reads = E::port(&from.connector.ports).reads;
    let writes = E::port(&to.connector.ports).writes;
    let (Some(reads), Some(writes)) = (reads, writes) else {
        return Err(StoreError::Missing("port"));
    };
    let engine = &turn.engine;
    let source = ends.reading(engine, from)?;
    let source_id = &before.record.source.id;
    let tag = WriteTag::of(turn.tenant, &to.place, pair_flow.name, source_id);
    match rehearsed {
        None => {
            let trip = Trip {
                turn,
                ends,
                pair_flow,
                flow,
                reads,
                writes,
                from,
                to,
                source,
                target: ends.session(engine, to)?,
                tag,
                before,
                stage: Live,
            };
            trip.go().await
        }
        Some(stage) => {
            let trip = Trip {
                turn,
                ends,
                pair_flow,
                flow,
                reads,
                writes: Looking::at(writes),
                from,
                to,
                source,
                target: ends.reading(engine, to)?,
                tag,
                before,
                stage,
            };
            trip.rehearse().await
        }
    }
}

impl<E: Canonical> Trip<'_, E> {
    async fn go(self) -> Result<Went, StoreError> {
        let went = match self.effect_in_doubt().await {
            Ok(Some(effect)) => write::go_on(&self, effect).await,
            Ok(None) => Box::pin(self.read_and_go_on()).await,
            Err(error) => Err(error.into()),
        };
        self.arrived(went).await
    }
}

impl<E: Canonical, S: Stage<E>> Trip<'_, E, S> {
    /// The end of a way that did not come to rest by itself.
    pub(super) async fn arrived(&self, went: Result<Went, Stop>) -> Result<Went, StoreError> {
        match went {
            Ok(went) => Ok(went),
            Err(Stop::Store(error)) => self.not_stored(error).await,
            Err(Stop::Fault(fault, whose)) => self.give_way(fault, whose).await,
        }
    }

    /// The write that must be looked after before anything else: begun, or sent without an answer.
    pub(super) async fn effect_in_doubt(&self) -> Result<Option<Effect>, StoreError> {
        let record = &self.before.record;
        if self.before.draft_digest.is_none() {
            // Nothing was ever drafted, so nothing was ever begun.
            return Ok(None);
        }
        let scope = self.turn.engine.store.read(self.turn.tenant).await?;
        let effect = store::effect::of_record(&scope, record.id).await?;
        Ok(effect.filter(|effect| match effect.state {
            EffectState::Intent | EffectState::Ambiguous | EffectState::Accepted => true,
            EffectState::Open => !write::is_untouched(effect),
            EffectState::Confirmed | EffectState::Rejected => false,
        }))
    }

    pub(super) async fn read_and_go_on(&self) -> Result<Went, Stop> {
        let Some(read) = self.read().await? else {
            return Ok(self.source_is_gone().await?);
        };
        let mut work = self.before.clone();
        self.note_facts(&mut work, &read);
        lower(&mut work, ORPHANED);
        let refers_to = (self.flow.refers_to)(&read.record);
        let known = self.known(&refers_to).await?;
        if known.link.is_none() {
            // What an older version was drafted as says nothing any more.
            work.draft_digest = None;
        }
        let mut settled = Settled {
            bodies: self.snapshot(&mut work, &read),
            ..Settled::default()
        };
        if let Gate::Shut { reason, says } = self.gate(&read.record, &work) {
            let has_ended = (self.flow.has_ended)(&read.record);
            let shut = Shut {
                reason,
                says,
                has_ended,
            };
            return Ok(self.shut(work, settled, known.link, shut).await?);
        }
        let link = known.link.clone().filter(|link| self.stays(link));
        let needs = (self.flow.needs)(&read.record, &self.ends.tables, &known);
        if !needs.is_empty() && link.is_none() {
            settled.needed = self.needed(&needs);
            settled.judged_by = Some(self.judged_by(&refers_to, &known));
            return Ok(self.wait(work, settled, waits(&needs), None).await?);
        }
        let refs = Refs {
            tables: &self.ends.tables,
            links: &known.links,
            tag: &self.tag,
            today: self.today(),
        };
        let draft = match self
            .writes
            .draft(&read.record, &self.target.as_ref().settings, &refs)
        {
            Ok(draft) => draft,
            Err(issues) => {
                return Ok(match link {
                    Some(link) => self.cannot_compare(work, settled, link, issues).await?,
                    None => self.refused(work, settled, issues).await?,
                });
            }
        };
        settled.bodies.push(body_of(&draft));
        work.draft_digest = Some(draft.digest.clone());
        work.record.money = draft.money.clone().or(work.record.money.take());
        match link {
            Some(link) => {
                let has_ended = (self.flow.has_ended)(&read.record);
                Box::pin(self.compare(work, settled, link, &draft, has_ended)).await
            }
            None => Box::pin(self.place(work, settled, draft)).await,
        }
    }

    /// The source record, from the source itself or, when a person asked for a replay, as it was kept.
    async fn read(&self) -> Result<Option<Read<E>>, Stop> {
        if self.before.wish == Some(Wish::Replay)
            && !self.has_news()
            && let Some(raw) = self.kept_snapshot().await?
        {
            let record = self
                .reads
                .translate(&raw, &self.source.settings)
                .map_err(|issues| Stop::Fault(Fault::Rejected { issues }, Whose::Source))?;
            let version = self
                .before
                .record
                .source_version
                .clone()
                .unwrap_or_default();
            return Ok(Some(Read {
                record,
                version,
                raw,
            }));
        }
        let key = self.key();
        let read = self
            .reads
            .read(&self.source, &key)
            .await
            .map_err(|fault| Stop::Fault(fault, Whose::Source))?;
        self.turn.engine.breakers.answered(self.from.connection.id);
        Ok(read)
    }

    /// A listing has shown a newer version than the one that was read last.
    pub(super) fn has_news(&self) -> bool {
        let seen = &self.before.seen_version;
        !seen.is_empty() && self.before.record.source_version.as_ref() != Some(seen)
    }

    /// A person says that a linked record is another one of the target.
    fn is_moved(&self, link: &Link) -> bool {
        matches!(&self.before.wish, Some(Wish::Link(target_id)) if *target_id != link.target.id)
    }

    /// Whether a link is compared with; where it follows the mapping it is found anew each time.
    fn stays(&self, link: &Link) -> bool {
        self.flow.afterwards != Afterwards::Checked && !self.is_moved(link)
    }

    /// Whether what was drafted must no longer be written: it is gone from the source, or its gate is shut.
    pub(super) async fn is_withdrawn(&self) -> Result<bool, Fault> {
        let key = self.key();
        let Some(read) = self.reads.read(&self.source, &key).await? else {
            return Ok(true);
        };
        let gate = self.gate(&read.record, &self.before);
        Ok(matches!(gate, Gate::Shut { .. }))
    }

    fn key(&self) -> SourceKey {
        SourceKey {
            id: self.before.record.source.id.clone(),
            place: self.before.source_place.clone(),
        }
    }

    async fn kept_snapshot(&self) -> Result<Option<Value>, StoreError> {
        let Some(digest) = &self.before.snapshot_digest else {
            return Ok(None);
        };
        let scope = self.turn.engine.store.read(self.turn.tenant).await?;
        let text = store::body::find(&scope, digest).await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    fn note_facts(&self, work: &mut Work, read: &Read<E>) {
        let facts = (self.flow.facts)(&read.record);
        work.record.number = facts.number.or(work.record.number.take());
        work.record.counterparty = facts.counterparty.or(work.record.counterparty.take());
        work.record.money = facts.money;
        work.twin_key = facts.twin_key.or(work.twin_key.take());
        work.record.source_version = Some(read.version.clone());
        work.record.project = work.project_key.as_ref().map(|key| {
            let name = self.ends.projects.get(key);
            name.cloned().unwrap_or_else(|| key.clone())
        });
        work.pair_version = self.ends.pair.version;
        work.record.fault = None;
    }

    fn snapshot(&self, work: &mut Work, read: &Read<E>) -> Vec<(String, String)> {
        let text = read.raw.to_string();
        let digest = digest(text.as_bytes());
        if work.snapshot_digest.as_ref() == Some(&digest) {
            return Vec::new();
        }
        work.snapshot_digest = Some(digest.clone());
        vec![(digest, text)]
    }

    fn gate(&self, record: &E, work: &Work) -> Gate {
        let statuses = self.ends.statuses(self.pair_flow);
        let rules = Rules {
            statuses: &statuses,
            start_date: self.ends.pair.settings.start_date,
            is_needed: work.wish == Some(Wish::Needed),
            used_only: self.ends.policy("vendors") == "used",
        };
        (self.flow.gate)(record, &rules)
    }

    async fn known(&self, refers_to: &[(Entity, String)]) -> Result<Known, StoreError> {
        let scope = self.turn.engine.store.read(self.turn.tenant).await?;
        let pair = self.ends.pair.id;
        let source_id = &self.before.record.source.id;
        let link = store::link::of_source(&scope, pair, &self.pair_flow.entity, source_id).await?;
        let mut links = BTreeMap::new();
        for (entity, key) in refers_to {
            if let Some(target_id) = S::target_of(self, &scope, entity, key).await? {
                links.insert((entity.clone(), key.clone()), target_id);
            }
        }
        Ok(Known { link, links })
    }

    /// The day in the pair's zone, as far as a draft needs one.
    fn today(&self) -> time::Date {
        let now = self.turn.engine.clock.now();
        self.ends.pair.settings.schedule.local_date(now)
    }

    /// The gate is shut: left out, or, for a record that is written already, shown.
    async fn shut(
        &self,
        mut work: Work,
        settled: Settled,
        link: Option<Link>,
        shut: Shut,
    ) -> Result<Went, StoreError> {
        let Some(link) = link else {
            work.plan_action = Some(Action::Skip);
            work.record.reason = Some(shut.reason.to_owned());
            work.record.explanation = shut.says;
            return self.rest(work, State::Ignored, settled).await;
        };
        if shut.has_ended || shut.reason != STATUS {
            if work.record.reason.as_deref() == Some(STATUS) {
                lower(&mut work, DIVERGED);
            }
            work.record.explanation = format!(
                "In {} as {}. It has ended in the source; nothing is sent.",
                self.to.title, link.target.id
            );
        } else {
            raise(&mut work, DIVERGED);
            work.record.reason = Some(shut.reason.to_owned());
            work.record.explanation = format!(
                "In {} as {}, but it left the chosen statuses in the source. Nothing is changed by itself; decide what should happen in {}.",
                self.to.title, link.target.id, self.to.title
            );
        }
        self.stay_synced(work, &link, settled).await
    }

    async fn source_is_gone(&self) -> Result<Went, StoreError> {
        let known = self.known(&[]).await?;
        let mut work = self.before.clone();
        let Some(link) = known.link else {
            work.plan_action = Some(Action::Skip);
            work.record.reason = Some("source_gone".to_owned());
            work.record.explanation = format!(
                "Left out: {} does not show it any more, and nothing was written.",
                self.from.title
            );
            return self.rest(work, State::Ignored, Settled::default()).await;
        };
        if self.ends.policy("orphans") == "mark" {
            raise(&mut work, ORPHANED);
        }
        work.record.explanation = format!(
            "{} does not show it any more. It stays in {} as {}; nothing is ever removed by itself.",
            self.from.title, self.to.title, link.target.id
        );
        self.stay_synced(work, &link, Settled::default()).await
    }

    pub(super) async fn wait(
        &self,
        mut work: Work,
        mut settled: Settled,
        waits: Vec<WaitingFor>,
        look_again_at: Option<Timestamp>,
    ) -> Result<Went, StoreError> {
        work.plan_action = Some(Action::Wait);
        work.record.reason = waits.first().map(|wait| wait.kind.clone());
        work.record.explanation = explain::waiting(&waits);
        work.record.waiting_for = waits;
        work.record.state = State::Waiting;
        if self.flow.afterwards == Afterwards::Checked {
            // What it was mapped to holds no longer.
            work.record.target = None;
            settled.unlinked = Some(self.pair_flow.entity.clone());
        }
        work.record.substate = None;
        work.record.attempts = 0;
        work.first_failed_at = None;
        work.record.next_attempt_at = look_again_at;
        self.settle(work, settled).await
    }

    /// What a missing prerequisite was concluded from.
    fn judged_by(&self, refers_to: &[(Entity, String)], known: &Known) -> JudgedBy {
        let missing = refers_to
            .iter()
            .filter(|found| !known.links.contains_key(*found));
        JudgedBy {
            pair_version: self.ends.pair.version,
            missing: missing.cloned().collect(),
        }
    }

    /// Source records of other flows that must travel first.
    fn needed(&self, needs: &[Need]) -> Vec<Needed> {
        let vendors = self
            .ends
            .kind
            .flows
            .iter()
            .find(|flow| flow.record == RecordKind::Vendor && flow.from == self.pair_flow.from);
        let Some(vendors) = vendors.filter(|flow| self.ends.pair.flow(flow.name).enabled) else {
            return Vec::new();
        };
        needs
            .iter()
            .filter(|need| need.kind == "vendor")
            .map(|need| Needed {
                pair: self.ends.pair.id,
                pair_version: self.ends.pair.version,
                flow: vendors.name,
                system: self.from.connector.system.clone(),
                entity: vendors.entity.clone(),
                rank: 0,
                hint: Hint {
                    source_id: need.key.clone(),
                    place: String::new(),
                    version: String::new(),
                    source_at: self.turn.engine.clock.now(),
                    project_key: None,
                    lane: lane(0, &need.key, None),
                    twin_key: None,
                },
            })
            .collect()
    }

    async fn refused(
        &self,
        mut work: Work,
        settled: Settled,
        issues: Vec<Issue>,
    ) -> Result<Went, StoreError> {
        let fault = Fault::Rejected { issues };
        work.plan_action = Some(Action::Fail);
        work.record.reason = Some(fault.code().to_owned());
        work.record.explanation = format!(
            "It cannot be written as it is: {fault} Mend the source or the mapping; it is looked at again then."
        );
        work.record.fault = Some(fault);
        self.rest(work, State::Failed, settled).await
    }

    /// In the target already, and what the source says now cannot be put into the target's words.
    async fn cannot_compare(
        &self,
        mut work: Work,
        settled: Settled,
        link: Link,
        issues: Vec<Issue>,
    ) -> Result<Went, StoreError> {
        let fault = Fault::Rejected { issues };
        work.plan_action = Some(Action::None);
        if self.flow.afterwards == Afterwards::Frozen {
            raise(&mut work, DIVERGED);
            work.record.reason = Some(DIVERGED.to_owned());
        }
        work.record.explanation = format!(
            "In {} as {}. It changed in the source and cannot be compared: {fault} Nothing is changed by itself.",
            self.to.title, link.target.id
        );
        self.stay_synced(work, &link, settled).await
    }

    /// Linked already: does the target still hold what the source says?
    async fn compare(
        &self,
        mut work: Work,
        mut settled: Settled,
        link: Link,
        draft: &Draft,
        has_ended: bool,
    ) -> Result<Went, Stop> {
        let is_known = link.draft_digest.as_deref() == Some(draft.digest.as_str());
        let known = self.read_back(&link).await?;
        let differences = if is_known {
            Vec::new()
        } else {
            match self
                .amendment(&link, draft, known.as_ref(), has_ended)
                .await?
            {
                Asked::Change(change) => return self.amend(work, settled, *change).await,
                Asked::Stuck { differences, says } => {
                    return Ok(self
                        .stuck(work, settled, &link, &differences, &says)
                        .await?);
                }
                Asked::Compare => self
                    .writes
                    .differences(self.target.as_ref(), draft, &link.target.id)
                    .await
                    .map_err(|fault| Stop::Fault(fault, Whose::Target))?,
                Asked::Same => Vec::new(),
            }
        };
        work.plan_action = Some(Action::None);
        work.changes_digest = None;
        work.record.explanation = format!("In {} as {}.", self.to.title, link.target.id);
        if differences.is_empty() {
            lower(&mut work, DIVERGED);
            lower(&mut work, ORPHANED);
            if !is_known {
                settled.holds = Some((link.id, draft.digest.clone()));
            }
        } else {
            self.show_differences(&mut work, &mut settled, &differences);
        }
        if let Some(known) = known {
            self.show_what_was_read(&mut work, &mut settled, &differences, &known);
        }
        Ok(self.stay_synced(work, &link, settled).await?)
    }

    /// What the last look at the target of a link found.
    async fn read_back(&self, link: &Link) -> Result<Option<ReadBack>, StoreError> {
        let scope = self.turn.engine.store.read(self.turn.tenant).await?;
        store::readback::find(&scope, link.id, &link.target.id).await
    }

    /// What was changed in the target since stays shown, whatever the source says.
    fn show_what_was_read(
        &self,
        work: &mut Work,
        settled: &mut Settled,
        differences: &[Change],
        known: &ReadBack,
    ) {
        if let Some(why) = known.closed.as_ref().filter(|_| has(work, BLOCKED)) {
            work.record.explanation.push_str(&blocked::sentence(why));
        }
        if known.differs.is_empty() {
            return;
        }
        raise(work, DIVERGED);
        work.record.reason = Some(DIVERGED.to_owned());
        let values = explain::changed_there(&known.differs, self.to.title);
        work.record.explanation.push_str(&format!(
            " It was changed there since, and nothing is changed by itself:{values}"
        ));
        let all: Vec<&Change> = differences.iter().chain(&known.differs).collect();
        let text = serde_json::to_string(&all).unwrap_or_default();
        let digest = digest(text.as_bytes());
        work.changes_digest = Some(digest.clone());
        settled.bodies.push((digest, text));
    }

    pub(super) fn show_differences(
        &self,
        work: &mut Work,
        settled: &mut Settled,
        differences: &[Change],
    ) {
        let values = explain::differences(differences, self.to.title);
        match self.flow.afterwards {
            Afterwards::TargetIsMaster | Afterwards::Checked => {
                work.record.explanation.push_str(&format!(
                    " {} is master, so these differences are shown and not written:{values}",
                    self.to.title
                ));
            }
            Afterwards::Frozen => {
                raise(work, DIVERGED);
                work.record.reason = Some(DIVERGED.to_owned());
                work.record.explanation.push_str(&format!(
                    " The two sides differ since it was written, and nothing is changed by itself:{values}"
                ));
            }
        }
        let text = serde_json::to_string(differences).unwrap_or_default();
        let digest = digest(text.as_bytes());
        work.changes_digest = Some(digest.clone());
        settled.bodies.push((digest, text));
    }

    /// Not linked yet: find its place in the target, or make one.
    async fn place(
        &self,
        mut work: Work,
        mut settled: Settled,
        draft: Draft,
    ) -> Result<Went, Stop> {
        let to_stop = |fault| Stop::Fault(fault, Whose::Target);
        if let Some(Wish::Link(target_id)) = &work.wish {
            let differences = self
                .writes
                .differences(self.target.as_ref(), &draft, target_id)
                .await
                .map_err(to_stop)?;
            let target_id = target_id.clone();
            return Ok(self
                .adopt(
                    work,
                    settled,
                    &draft,
                    target_id,
                    "person".to_owned(),
                    differences,
                )
                .await?);
        }
        let lacking = self
            .writes
            .lacking(self.target.as_ref(), &draft)
            .await
            .map_err(to_stop)?;
        if self.target.as_ref().has_answers() {
            let breakers = &self.turn.engine.breakers;
            breakers.answered(self.to.connection.id);
        }
        if !lacking.is_empty() {
            settled.judged_by = Some(JudgedBy {
                pair_version: self.ends.pair.version,
                missing: Vec::new(),
            });
            let again = self.look_again_at(&lacking);
            return Ok(self.wait(work, settled, lacking, again).await?);
        }
        lower(&mut work, BLOCKED);
        let found = self.find(&draft).await?;
        match course(found, work.wish.as_ref(), self.flow.afterwards) {
            Course::Unknown(why) => Err(to_stop(Fault::Transient {
                code: "look_up_unsure".to_owned(),
                message: why,
            })),
            Course::Review { candidates, says } => {
                Ok(self.review(work, settled, &candidates, says).await?)
            }
            Course::Adopt {
                target_id,
                matched_by,
                differences,
            } if matched_by == BY_NAME && S::has_twin(self, &work).await? => {
                let candidate = twin_of(target_id, matched_by, differences);
                Ok(self.review(work, settled, &[candidate], TWINS).await?)
            }
            Course::Adopt {
                target_id,
                matched_by,
                differences,
            } => Ok(self
                .adopt(work, settled, &draft, target_id, matched_by, differences)
                .await?),
            Course::Resume(_) | Course::Create if self.needs_approval(&work, &draft) => {
                Ok(self.hold(work, settled, &draft).await?)
            }
            Course::Resume(at) => S::begin(self, work, settled, draft, at).await,
            Course::Create => {
                if let Some(target_id) = self.made_by_another(&draft).await? {
                    return self.share(work, settled, &draft, target_id).await;
                }
                work.plan_action = Some(Action::Create);
                S::begin(
                    self,
                    work,
                    settled,
                    draft,
                    crate::contract::Progress::start(),
                )
                .await
            }
        }
    }

    /// What another pair has written under the same identity, as our own journal knows it: the target's search
    /// may not show it yet.
    async fn made_by_another(&self, draft: &Draft) -> Result<Option<String>, StoreError> {
        let scope = self.turn.engine.store.read(self.turn.tenant).await?;
        let (place, entity) = (&self.to.place, &self.pair_flow.entity);
        let effect = store::effect::of_identity(&scope, place, entity, &draft.natural_key).await?;
        let made = effect.filter(|effect| {
            effect.state == EffectState::Confirmed && effect.record != self.before.record.id
        });
        let Some(made) = made else {
            return Ok(None);
        };
        let other = store::record::find(&scope, made.record).await?;
        Ok(other.record.target.map(|target| target.id))
    }

    /// Links to what another pair has made.
    async fn share(
        &self,
        work: Work,
        settled: Settled,
        draft: &Draft,
        target_id: String,
    ) -> Result<Went, Stop> {
        let compared = self
            .writes
            .differences(self.target.as_ref(), draft, &target_id)
            .await;
        match compared {
            Ok(differences) => {
                let by = "write_tag".to_owned();
                Ok(self
                    .adopt(work, settled, draft, target_id, by, differences)
                    .await?)
            }
            // Made, and not to be seen yet.
            Err(Fault::Missing { .. }) => Ok(self.wait_for_another(work, settled).await?),
            Err(fault) => Err(Stop::Fault(fault, Whose::Target)),
        }
    }

    /// Another pair writes the very same thing; what it makes will be found.
    async fn wait_for_another(&self, work: Work, settled: Settled) -> Result<Went, StoreError> {
        let (kind, key) = (self.flow.waited_for_as, &work.record.source.id);
        let wait = WaitingFor::new(kind, key, "another pair to finish writing it");
        let again = self.engine_later(OTHERS_TAKE);
        self.wait(work, settled, vec![wait], Some(again)).await
    }

    /// A person must choose.
    async fn review(
        &self,
        mut work: Work,
        mut settled: Settled,
        candidates: &[Candidate],
        says: &str,
    ) -> Result<Went, StoreError> {
        let body = body_of_candidates(candidates);
        work.candidates_digest = Some(body.0.clone());
        settled.bodies.push(body);
        work.plan_action = Some(Action::Review);
        work.record.reason = Some("ambiguous".to_owned());
        work.record.explanation = format!("{says} Choose the one it is, or say that it is new.");
        self.rest(work, State::Review, settled).await
    }

    pub(super) async fn find(&self, draft: &Draft) -> Result<Found, Stop> {
        let found = self
            .writes
            .find(self.target.as_ref(), draft, &self.tag)
            .await
            .map_err(|fault| Stop::Fault(fault, Whose::Target))?;
        self.turn.engine.breakers.answered(self.to.connection.id);
        Ok(found)
    }

    pub(super) fn needs_approval(&self, work: &Work, draft: &Draft) -> bool {
        self.ends.pair.flow(self.pair_flow.name).approval == Approval::Review
            && work.approved_digest.as_deref() != Some(draft.digest.as_str())
    }

    pub(super) async fn hold(
        &self,
        mut work: Work,
        settled: Settled,
        draft: &Draft,
    ) -> Result<Went, StoreError> {
        let is_changed = work.approved_digest.is_some();
        work.approved_digest = None;
        work.approved_by = None;
        work.plan_action = Some(match draft.amends {
            Some(_) => Action::Update,
            None => Action::Create,
        });
        work.record.reason = Some(
            if is_changed {
                "changed_since_approval"
            } else {
                "approval"
            }
            .to_owned(),
        );
        let amount = draft
            .money
            .as_ref()
            .map(|money| format!(" of {money}"))
            .unwrap_or_default();
        let target = self.to.title;
        work.record.explanation = if let Some(amends) = &draft.amends {
            let again = if is_changed { " once more" } else { "" };
            let order = &amends.target_id;
            format!(
                "It changed in the source: accounting is asked{again} before {order} in {target} becomes a document{amount}."
            )
        } else if is_changed {
            format!(
                "It changed since it was approved, so accounting is asked again before this document{amount} is written to {target}."
            )
        } else {
            format!(
                "Ready: accounting is asked before this document{amount} is written to {target}."
            )
        };
        self.rest(work, State::Held, settled).await
    }

    pub(super) async fn adopt(
        &self,
        mut work: Work,
        mut settled: Settled,
        draft: &Draft,
        target_id: String,
        matched_by: String,
        differences: Vec<Change>,
    ) -> Result<Went, StoreError> {
        if self.is_found_again(&target_id) {
            work.plan_action = Some(Action::None);
            work.outcome = Some(self.before.outcome.unwrap_or(Outcome::Unchanged));
            work.wish = None;
            return self.rest(work, State::Linked, settled).await;
        }
        work.plan_action = Some(Action::Link);
        work.outcome = Some(Outcome::Linked);
        work.record.reason = None;
        work.record.explanation = format!(
            "Linked to {} in {}, found by {}; nothing was written.",
            target_id,
            self.to.title,
            explain::matched_by(&matched_by)
        );
        if !differences.is_empty() {
            self.show_differences(&mut work, &mut settled, &differences);
        }
        let holds = differences.is_empty().then(|| draft.digest.clone());
        let parts = self.parts_of(draft, &target_id).await;
        settled
            .links
            .extend(self.part_links(draft, parts, &matched_by));
        self.link(
            (&mut work, &mut settled),
            (draft, holds),
            (target_id, matched_by),
        );
        settled.held = self.held(None);
        self.rest(work, State::Linked, settled).await
    }

    /// What is judged anew each time is what it was.
    fn is_found_again(&self, target_id: &str) -> bool {
        let before = &self.before.record.target;
        self.flow.afterwards == Afterwards::Checked
            && before.as_ref().is_some_and(|target| target.id == target_id)
    }

    /// What is kept of what the target holds, where somebody looks at it again; none: it is read soon.
    pub(super) fn held(&self, holding: Option<Holding>) -> Option<Held> {
        watcher_of(self.to, self.pair_flow.record).map(|_| Held {
            pair: self.ends.pair.id,
            flow: self.pair_flow.name,
            entity: self.pair_flow.entity.clone(),
            holding,
        })
    }

    /// Lines are linked where they can be read; that they cannot be is no reason not to link the whole.
    async fn parts_of(&self, draft: &Draft, target_id: &str) -> Vec<(Entity, String, String)> {
        let found = self
            .writes
            .parts(self.target.as_ref(), draft, target_id)
            .await;
        found.unwrap_or_else(|fault| {
            tracing::info!(%fault, record = %self.before.record.id, "the parts of what was linked were not read");
            Vec::new()
        })
    }

    /// Links of a target record's parts: entity, source key, target key.
    pub(super) fn part_links(
        &self,
        draft: &Draft,
        parts: Vec<(Entity, String, String)>,
        matched_by: &str,
    ) -> Vec<NewLink> {
        let place = self.place_of(draft);
        let part = |(entity, source_id, target_id)| NewLink {
            pair: self.ends.pair.id,
            entity,
            place: place.clone(),
            source: LinkEnd {
                system: self.before.record.source.system.clone(),
                id: source_id,
            },
            target: LinkEnd {
                system: self.to.connector.system.clone(),
                id: target_id,
            },
            matched_by: matched_by.to_owned(),
            draft_digest: None,
        };
        parts.into_iter().map(part).collect()
    }

    /// Where the target's key lives.
    fn place_of(&self, draft: &Draft) -> String {
        self.writes
            .place(draft, &self.target.as_ref().settings)
            .unwrap_or_else(|| self.to.place.clone())
    }

    /// Puts the link into the commit, with the draft that the target is known to hold, and frees who waited for it.
    pub(super) fn link(
        &self,
        (work, settled): (&mut Work, &mut Settled),
        (draft, draft_digest): (&Draft, Option<String>),
        (target_id, matched_by): (String, String),
    ) {
        let record = &mut work.record;
        settled.links.push(NewLink {
            pair: self.ends.pair.id,
            entity: self.pair_flow.entity.clone(),
            place: self.place_of(draft),
            source: LinkEnd {
                system: record.source.system.clone(),
                id: record.source.id.clone(),
            },
            target: LinkEnd {
                system: self.to.connector.system.clone(),
                id: target_id.clone(),
            },
            matched_by,
            draft_digest,
        });
        settled
            .appeared
            .push((self.flow.waited_for_as, record.source.id.clone()));
        record.target = Some(ExternalRef {
            system: self.to.connector.system.clone(),
            entity: self.pair_flow.entity.clone(),
            id: target_id,
        });
        work.wish = None;
    }

    /// Comes to rest as synced: what it was, and nothing new to write.
    pub(super) async fn stay_synced(
        &self,
        mut work: Work,
        link: &Link,
        settled: Settled,
    ) -> Result<Went, StoreError> {
        let state = if link.matched_by == "created" {
            State::Succeeded
        } else {
            State::Linked
        };
        work.record.target = Some(ExternalRef {
            system: link.target.system.clone(),
            entity: link.entity.clone(),
            id: link.target.id.clone(),
        });
        if !work.record.flags.iter().any(|flag| flag == DIVERGED) {
            work.record.reason = None;
        }
        work.wish = None;
        work.outcome = Some(match self.before.record.target {
            // Looked at twice by one run, it still is what that run made of it.
            Some(_) => self.before.outcome.unwrap_or(Outcome::Unchanged),
            None => Outcome::Linked,
        });
        self.rest(work, state, settled).await
    }

    /// Comes to rest: nothing is due until something new is seen.
    pub(super) async fn rest(
        &self,
        mut work: Work,
        state: State,
        settled: Settled,
    ) -> Result<Went, StoreError> {
        let record = &mut work.record;
        record.state = state;
        record.substate = None;
        record.next_attempt_at = None;
        record.waiting_for = Vec::new();
        if state != State::Failed {
            record.attempts = 0;
            record.fault = None;
            work.first_failed_at = None;
        }
        if state.is_synced() {
            lower(&mut work, OUTCOME_UNKNOWN);
            lower(&mut work, DUPLICATE);
            work.candidates_digest = None;
        }
        self.settle(work, settled).await
    }

    pub(super) async fn settle(&self, work: Work, settled: Settled) -> Result<Went, StoreError> {
        S::settle(self, work, settled).await
    }

    /// A fault before anything was sent.
    pub(super) async fn give_way(&self, fault: Fault, whose: Whose) -> Result<Went, StoreError> {
        let mut work = self.before.clone();
        let now = self.turn.engine.clock.now();
        let end = match whose {
            Whose::Source => self.from,
            Whose::Target => self.to,
        };
        let record = &mut work.record;
        let attempts = record.attempts.saturating_add(1);
        let first = *work.first_failed_at.get_or_insert(now);
        let tried = decide::tried(attempts, Some(first), now);
        let pace = self.turn.engine.pace;
        if let Some(rest) = self.unreachable(end.connection.id, &fault) {
            self.slow_down(end.connection.id, now.plus(rest));
            return Ok(Went::SlowDown);
        }
        match decide::decide(&fault, tried, |n| decide::backoff(pace, record.id, n)) {
            Next::SlowDown { after } => {
                self.slow_down(end.connection.id, now.plus(after));
                // The record has lost nothing: it is still due.
                return Ok(Went::SlowDown);
            }
            Next::Retry { after } => {
                self.retry_at(&mut work, attempts, now.plus(after), &fault, end.title);
            }
            Next::LookAgain | Next::Verify if attempts < decide::ATTEMPTS_MAX => {
                let soon = now.plus(decide::backoff(pace, record.id, 1));
                self.retry_at(&mut work, attempts, soon, &fault, end.title);
            }
            Next::Fail | Next::LookAgain | Next::Verify => {
                record.attempts = attempts;
                record.reason = Some(fault.code().to_owned());
                record.explanation = explain::failed(&fault, end.title);
                record.fault = Some(fault);
                work.plan_action = Some(Action::Fail);
                return self.rest(work, State::Failed, Settled::default()).await;
            }
        }
        self.settle(work, Settled::default()).await
    }

    fn retry_at(&self, work: &mut Work, attempts: u32, at: Timestamp, fault: &Fault, system: &str) {
        let record = &mut work.record;
        record.state = State::Retrying;
        record.substate = None;
        record.attempts = attempts;
        record.next_attempt_at = Some(at);
        record.reason = Some(fault.code().to_owned());
        record.explanation = explain::retrying(fault, system, attempts, decide::ATTEMPTS_MAX, at);
        record.fault = Some(fault.clone());
    }

    /// How long a system that cannot be reached at all is left alone.
    pub(super) fn unreachable(&self, connection: ConnectionId, fault: &Fault) -> Option<Duration> {
        let engine = &self.turn.engine;
        engine
            .breakers
            .failed(connection, fault, engine.clock.now(), engine.pace)
    }

    pub(super) fn slow_down(&self, connection: ConnectionId, until: Timestamp) {
        self.turn.slow_down(connection, until);
    }

    /// When a prerequisite that only the target knows is asked for again. Dimension values are looked at by
    /// themselves, each once for everybody who waits for it.
    pub(super) fn look_again_at(&self, waits: &[WaitingFor]) -> Option<Timestamp> {
        const HOURLY: Duration = Duration::from_secs(3600);
        let can_watch = self.to.connector.verifies.is_some();
        let is_watched = can_watch && waits.iter().all(|wait| is_watched(&wait.kind));
        (!is_watched).then(|| self.engine_later(HOURLY))
    }

    fn engine_later(&self, wait: Duration) -> Timestamp {
        let engine = &self.turn.engine;
        engine.clock.now().plus(engine.pace.wait(wait))
    }

    /// The target record is another source record's: a person must look.
    async fn not_stored(&self, error: StoreError) -> Result<Went, StoreError> {
        let StoreError::Taken(what) = error else {
            return Err(error);
        };
        let mut work = self.before.clone();
        if what == "this write" {
            return self.wait_for_another(work, Settled::default()).await;
        }
        work.wish = None;
        work.plan_action = Some(Action::Review);
        work.record.reason = Some("already_linked".to_owned());
        work.record.explanation = format!(
            "The record it matches in {} is linked to another record of the source. Choose another one, or say that it is new.",
            self.to.title
        );
        self.rest(work, State::Review, Settled::default()).await
    }
}

/// Why a gate is shut.
struct Shut {
    reason: &'static str,
    says: String,
    /// The source document is finished, not withdrawn.
    has_ended: bool,
}

/// After this long it is looked whether another pair's write of the same thing has ended.
const OTHERS_TAKE: Duration = Duration::from_secs(60);
/// The gate's word for a status that was not chosen.
const STATUS: &str = "status_not_selected";
/// How a connector says that a name was all that matched.
const BY_NAME: &str = "name";
const TWINS: &str =
    "Two records of the source have this name, and the target has one record of it.";

fn twin_of(target_id: String, matched_by: String, differences: Vec<Change>) -> Candidate {
    let facts = differences
        .into_iter()
        .map(|change| (change.field, change.from.unwrap_or_default()))
        .collect();
    Candidate {
        target_id,
        matched_by,
        score: 60,
        facts,
    }
}

/// What the store knows around a record.
struct Known {
    link: Option<Link>,
    links: BTreeMap<(Entity, String), String>,
}

impl Linked for Known {
    fn is_linked(&self, entity: &Entity, source_key: &str) -> bool {
        self.links
            .contains_key(&(entity.clone(), source_key.to_owned()))
    }
}

fn waits(needs: &[Need]) -> Vec<WaitingFor> {
    needs
        .iter()
        .map(|need| WaitingFor::new(need.kind, need.key.clone(), need.label.clone()))
        .collect()
}

/// A draft as it is kept: under the digest that approval binds to.
pub(super) fn body_of(draft: &Draft) -> (String, String) {
    let text = serde_json::to_string(draft).unwrap_or_default();
    (draft.digest.clone(), text)
}

/// Differences as they are kept.
pub(super) fn body_of_changes(changes: &[Change]) -> (String, String) {
    let text = serde_json::to_string(changes).unwrap_or_default();
    (digest(text.as_bytes()), text)
}

/// Candidates as they are kept.
pub(super) fn body_of_candidates(candidates: &[Candidate]) -> (String, String) {
    let text = serde_json::to_string(candidates).unwrap_or_default();
    (digest(text.as_bytes()), text)
}

pub(super) fn raise(work: &mut Work, flag: &str) {
    if !work.record.flags.iter().any(|known| known == flag) {
        work.record.flags.push(flag.to_owned());
    }
}

fn has(work: &Work, flag: &str) -> bool {
    work.record.flags.iter().any(|known| known == flag)
}

pub(super) fn lower(work: &mut Work, flag: &str) {
    work.record.flags.retain(|known| known != flag);
}
