//! What became of what was written: targets are asked what changed there, each linked record among it is read
//! back, and what no longer holds is shown. Part of every run, as due work of the slice. Nothing is written.

use std::time::Duration;

use super::blocked;
use super::ends::{End, Ends};
use super::explain;
use super::travel::{lower, raise};
use super::turn::Turn;
use crate::contract::{Canonical, ReadSession, Watches};
use crate::domain::audit::Happened;
use crate::domain::clock::Timestamp;
use crate::domain::fault::Fault;
use crate::domain::holding::Holding;
use crate::domain::plan::Change;
use crate::domain::record::{DIVERGED, State};
use crate::domain::records::{CostCode, Order, Vendor};
use crate::domain::tag::digest;
use crate::flows::{PairFlow, RecordKind};
use crate::store::readback::{self, DueLook, ReadBack};
use crate::store::record::Work;
use crate::store::watch::{self, Watch};
use crate::store::{self, StoreError};

/// A target's list is asked from this much before the last look on: more than clocks of one system differ.
const OVERLAP: Duration = Duration::from_secs(20 * 60);
/// Records that are read back without being listed: where the list shows every change, and where it may not.
const TURNS: u32 = 10;
const TURNS_WITHOUT_LIST: u32 = 25;
/// Records of one look into the store.
const LOOKS_AT_ONCE: u32 = 20;
/// A list that failed for another reason than the pace is asked so often, then with the next run.
const TRIES_MAX: u32 = 3;
const TRY_AGAIN: Duration = Duration::from_secs(10);

/// The looker of a flow's target; none where nobody looks.
pub(super) fn watcher_of(end: &End, record: RecordKind) -> Option<&'static dyn Watches> {
    match record {
        RecordKind::Vendor => Vendor::port(&end.connector.ports).watches,
        RecordKind::CostCode => CostCode::port(&end.connector.ports).watches,
        RecordKind::Order => Order::port(&end.connector.ports).watches,
    }
}

/// Looks at the targets that are to be looked at now. Gives whether there was any.
///
/// # Errors
/// `Stale` when the turn is lost, `Database`.
pub async fn watch_due(turn: &Turn) -> Result<bool, StoreError> {
    let now = turn.engine.clock.now();
    let scope = turn.engine.store.read(turn.tenant).await?;
    let due = watch::all(&scope).await?;
    drop(scope);
    let mut has_looked = false;
    for watch in due.into_iter().filter(|watch| watch.due_at <= now) {
        if turn.is_over() {
            break;
        }
        has_looked = true;
        match look(turn, watch.clone()).await {
            Err(error @ (StoreError::Stale(_) | StoreError::Stopping)) => return Err(error),
            Err(error) => {
                // Our own part is in the way: the next run looks again, and everything else goes on.
                tracing::warn!(%error, pair = %watch.pair, flow = watch.flow, "a target was not looked at");
                save(turn, watch, None).await?;
            }
            Ok(()) => {}
        }
    }
    Ok(has_looked)
}

async fn look(turn: &Turn, watch: Watch) -> Result<(), StoreError> {
    let ends = match turn.ends(watch.pair).await {
        Ok(ends) => ends,
        Err(StoreError::Missing(_)) => None,
        Err(error) => return Err(error),
    };
    let Some(ends) = ends else {
        // The pair stands still: its next run looks again.
        return save(turn, watch, None).await;
    };
    let flow = ends.kind.flow(&watch.flow);
    let watches = flow.and_then(|flow| watcher_of(ends.target(flow), flow.record));
    let (Some(flow), Some(watches)) = (flow, watches) else {
        return save(turn, watch, None).await;
    };
    let to = ends.target(flow);
    if let Some(until) = turn.is_slow(to.connection.id) {
        return save(turn, watch, Some(until)).await;
    }
    let look = Look {
        turn,
        ends: &ends,
        flow,
        to,
        watches,
        session: ends.reading(&turn.engine, to)?,
    };
    if watch.asks {
        look.ask(watch).await
    } else {
        look.go_through(watch).await
    }
}

async fn save(turn: &Turn, watch: Watch, due_at: Option<Timestamp>) -> Result<(), StoreError> {
    turn.write(move |scope| Box::pin(async move { watch::save(scope, &watch, due_at).await }))
        .await
}

/// One look at one flow's target.
struct Look<'a> {
    turn: &'a Turn,
    ends: &'a Ends,
    flow: &'static PairFlow,
    to: &'a End,
    watches: &'static dyn Watches,
    session: ReadSession,
}

impl Look<'_> {
    /// Asks what changed, and marks what of it is linked.
    async fn ask(&self, watch: Watch) -> Result<(), StoreError> {
        let since = watch.noticed_until.map(|until| until.minus(OVERLAP));
        let noticed = match self.watches.noticed(&self.session, since).await {
            Ok(noticed) => noticed,
            Err(fault) => return self.give_way(watch, fault).await,
        };
        self.turn.engine.breakers.answered(self.to.connection.id);
        let turns = if noticed.is_whole {
            TURNS
        } else {
            TURNS_WITHOUT_LIST
        };
        let (pair, entity) = (self.ends.pair.id, self.flow.entity.clone());
        let next = Watch {
            noticed_until: Some(noticed.until),
            asks: false,
            tries: 0,
            ..watch
        };
        self.turn
            .write(move |scope| {
                Box::pin(async move {
                    readback::notice(scope, (pair, &entity), &noticed.records).await?;
                    readback::take_turns(scope, (pair, &entity), turns).await?;
                    let now = scope.now();
                    watch::save(scope, &next, Some(now)).await
                })
            })
            .await
    }

    /// A look that did not work: nothing is concluded from it.
    async fn give_way(&self, watch: Watch, fault: Fault) -> Result<(), StoreError> {
        let (engine, now) = (&self.turn.engine, self.turn.engine.clock.now());
        let connection = self.to.connection.id;
        if let Fault::RateLimited { retry_after, .. } = fault {
            let until = now.plus(retry_after);
            self.turn.slow_down(connection, until);
            return save(self.turn, watch, Some(until)).await;
        }
        let rest = engine.breakers.failed(connection, &fault, now, engine.pace);
        let tries = watch.tries.saturating_add(1);
        if rest.is_none() && tries < TRIES_MAX {
            let again = now.plus(engine.pace.wait(TRY_AGAIN));
            return save(self.turn, Watch { tries, ..watch }, Some(again)).await;
        }
        if let Some(rest) = rest {
            self.turn.slow_down(connection, now.plus(rest));
        }
        tracing::info!(%fault, pair = %watch.pair, flow = watch.flow, "what changed in a target was not read");
        // With the next run, from the same point on.
        let given_up = Watch { tries: 0, ..watch };
        save(self.turn, given_up, None).await
    }

    /// Reads back what is marked, one after the other.
    async fn go_through(&self, watch: Watch) -> Result<(), StoreError> {
        loop {
            let scope = self.turn.engine.store.read(self.turn.tenant).await?;
            let of_flow = (self.ends.pair.id, &self.flow.entity);
            let due = readback::due(&scope, of_flow, LOOKS_AT_ONCE).await?;
            drop(scope);
            if due.is_empty() {
                return save(self.turn, watch, None).await;
            }
            for look in due {
                if self.turn.is_over() {
                    let now = self.turn.engine.clock.now();
                    return save(self.turn, watch, Some(now)).await;
                }
                match self.read_back(&look).await {
                    Ok(Some(fault)) => return self.give_way(watch, fault).await,
                    // Somebody decided about the record meanwhile: it is looked at another time.
                    Err(error) if error.is_record_changed() => self.put_off(&look).await?,
                    went => {
                        went?;
                    }
                }
            }
        }
    }

    async fn put_off(&self, look: &DueLook) -> Result<(), StoreError> {
        let link = look.link;
        self.turn
            .write(move |scope| Box::pin(async move { readback::put_off(scope, link).await }))
            .await
    }

    /// Reads one target record back and keeps what was found. Gives the fault that nothing could be read for.
    async fn read_back(&self, look: &DueLook) -> Result<Option<Fault>, StoreError> {
        let scope = self.turn.engine.store.read(self.turn.tenant).await?;
        let pair = self.ends.pair.id;
        let work = store::record::of_source(&scope, pair, self.flow.name, &look.source_id).await?;
        let before = readback::find(&scope, look.link, &look.target_id).await?;
        let in_doubt = match &work {
            Some(work) => store::effect::of_record(&scope, work.record.id)
                .await?
                .is_some_and(|effect| effect.state.is_in_doubt()),
            None => false,
        };
        drop(scope);
        let Some(work) = work.filter(|work| work.record.state.is_at_rest() && !in_doubt) else {
            // It is in work: what it holds is about to be read, or to change by ourselves.
            self.put_off(look).await?;
            return Ok(None);
        };
        let before = before.unwrap_or(ReadBack {
            held: None,
            differs: Vec::new(),
            closed: None,
        });
        let held = before.held.as_ref();
        let now = match self
            .watches
            .holds(&self.session, &look.target_id, held)
            .await
        {
            Ok(now) => now,
            Err(
                fault @ (Fault::Rejected { .. } | Fault::Missing { .. } | Fault::Broken { .. }),
            ) => {
                tracing::info!(%fault, record = %work.record.id, "what a target holds was not read");
                self.put_off(look).await?;
                return Ok(None);
            }
            Err(fault) => return Ok(Some(fault)),
        };
        self.turn.engine.breakers.answered(self.to.connection.id);
        let found = match now {
            Some(now) => judged(&before, now),
            None if held.is_some() && self.has_neighbour(&look.target_id).await? => {
                gone(&before, &look.target_id)
            }
            None => {
                self.put_off(look).await?;
                return Ok(None);
            }
        };
        self.keep(look, work, before, found).await?;
        Ok(None)
    }

    /// That a keyed read finds nothing means something only while it finds another record.
    async fn has_neighbour(&self, target_id: &str) -> Result<bool, StoreError> {
        let scope = self.turn.engine.store.read(self.turn.tenant).await?;
        let of_flow = (self.ends.pair.id, &self.flow.entity);
        let other = readback::neighbour(&scope, of_flow, target_id).await?;
        drop(scope);
        let Some(other) = other else {
            return Ok(false);
        };
        let answers = self.watches.holds(&self.session, &other, None).await;
        Ok(matches!(answers, Ok(Some(_))))
    }

    async fn keep(
        &self,
        look: &DueLook,
        work: Work,
        before: ReadBack,
        found: ReadBack,
    ) -> Result<(), StoreError> {
        let link = look.link;
        let now = self.turn.engine.clock.now();
        let shown = shown(&work, (&before, &found), self.to.title, now);
        let is_vendor = self.flow.record == RecordKind::Vendor;
        let closed = found.closed.clone();
        let is_turned = before.closed != closed;
        let (pair, target_id) = (self.ends.pair.id, look.target_id.clone());
        self.turn
            .write(move |scope| {
                Box::pin(async move {
                    readback::looked(scope, link, &found).await?;
                    if is_vendor && found.closed.is_none() {
                        // Documents may name it: whoever found it closed looks again.
                        store::wait::release(scope, pair, "vendor", &target_id).await?;
                    }
                    if let Some(shown) = shown {
                        if let Some((digest, text)) = shown.body {
                            store::body::keep_as(scope, digest, text);
                        }
                        store::record::save(scope, &shown.work).await?;
                        if let Some(at) = shown.work.record.next_attempt_at {
                            scope.wake(at);
                        }
                        for happened in shown.happened {
                            scope.tell(happened);
                        }
                    }
                    Ok(())
                })
            })
            .await?;
        if is_vendor && is_turned {
            let vendor = (&self.flow.entity, look.source_id.as_str());
            let sentence = |why: &Option<String>| why.as_ref().map(|why| blocked::sentence(why));
            let turned = (sentence(&before.closed), sentence(&closed));
            blocked::show_on_held(self.turn, self.ends, vendor, turned).await?;
        }
        Ok(())
    }
}

/// What was found, beside what was known.
fn judged(before: &ReadBack, now: Holding) -> ReadBack {
    ReadBack {
        differs: before
            .held
            .as_ref()
            .map_or_else(Vec::new, |held| held.differences(&now)),
        closed: now.closed.clone(),
        held: Some(before.held.clone().unwrap_or(now)),
    }
}

fn gone(before: &ReadBack, target_id: &str) -> ReadBack {
    ReadBack {
        held: before.held.clone(),
        closed: before.closed.clone(),
        differs: vec![Change {
            field: "Record".to_owned(),
            from: None,
            to: Some(target_id.to_owned()),
            why: "it is no longer there".to_owned(),
        }],
    }
}

/// A record that must be shown otherwise than before.
struct Shown {
    work: Work,
    body: Option<(String, String)>,
    happened: Vec<Happened>,
}

/// What people are told, once each; nothing where nothing changed since the last look.
fn shown(
    work: &Work,
    (before, found): (&ReadBack, &ReadBack),
    target: &str,
    now: Timestamp,
) -> Option<Shown> {
    let mut shown = Shown {
        work: work.clone(),
        body: None,
        happened: Vec::new(),
    };
    if before.differs != found.differs {
        shown.differences((before, found), target, now);
    }
    if before.held.is_some() && before.closed != found.closed {
        let happened = blocked::turned(&mut shown.work, &before.closed, &found.closed);
        shown.happened.push(happened);
    }
    (!shown.happened.is_empty() || shown.work != *work).then_some(shown)
}

impl Shown {
    fn differences(
        &mut self,
        (before, found): (&ReadBack, &ReadBack),
        target: &str,
        now: Timestamp,
    ) {
        let record = &self.work.record;
        let (id, is_synced) = (record.id, record.state.is_synced());
        let told = |action, changes: &[Change]| {
            Happened::new(action, "record", id).with(
                "differences",
                explain::changed_there(changes, target).trim(),
            )
        };
        if found.differs.is_empty() {
            self.happened.push(told("record.agrees", &before.differs));
            lower(&mut self.work, DIVERGED);
            if is_synced {
                // Its way is gone once more: what else is to be said of it stands in its source.
                self.work.record.state = State::Pending;
                self.work.record.next_attempt_at = Some(now);
                self.work.record.explanation =
                    format!("{target} holds again what was written; it is looked at once more.");
            }
            return;
        }
        let is_new = |change: &&Change| !before.differs.contains(change);
        let new: Vec<Change> = found.differs.iter().filter(is_new).cloned().collect();
        if !new.is_empty() {
            self.happened.push(told("record.diverged", &new));
        }
        raise(&mut self.work, DIVERGED);
        let target_id = self
            .work
            .record
            .target
            .as_ref()
            .map(|target| target.id.clone());
        let says = format!(
            "In {target} as {}. It was changed there since, and nothing is changed by itself:{}",
            target_id.unwrap_or_default(),
            explain::changed_there(&found.differs, target)
        );
        if is_synced {
            self.work.record.reason = Some(DIVERGED.to_owned());
            self.work.record.explanation = says;
            let text = serde_json::to_string(&found.differs).unwrap_or_default();
            let digest = digest(text.as_bytes());
            self.work.changes_digest = Some(digest.clone());
            self.body = Some((digest, text));
        }
    }
}
