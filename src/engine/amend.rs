//! A record that was written before and changed in its source: what must be done so that the target holds it
//! again, through the same gate as a new one.

use std::collections::BTreeMap;

use super::explain;
use super::look::watcher_of;
use super::settle::Settled;
use super::stage::Stage;
use super::travel::{Stop, Trip, Went, Whose, body_of, body_of_changes, lower, raise};
use crate::contract::{Amendment, Before, Canonical, Draft, Looks, Progress};
use crate::domain::fault::Fault;
use crate::domain::link::Link;
use crate::domain::plan::{Action, Change};
use crate::domain::record::DIVERGED;
use crate::flows::Afterwards;
use crate::store::readback::ReadBack;
use crate::store::record::Work;
use crate::store::{self, StoreError};

/// Parts of one record.
const PARTS_MAX: u32 = 1_000;

/// What is to be done with a record that changed in its source.
pub(super) enum Asked {
    Same,
    Change(Box<Draft>),
    /// Nothing may be written, with the values of both sides.
    Stuck {
        differences: Vec<Change>,
        says: String,
    },
    /// This target is never changed: differences are shown.
    Compare,
}

impl<E: Canonical, S: Stage<E>> Trip<'_, E, S> {
    /// Asks the target. What people changed there is overwritten by nobody.
    pub(super) async fn amendment(
        &self,
        link: &Link,
        draft: &Draft,
        known: Option<&ReadBack>,
        has_ended: bool,
    ) -> Result<Asked, Stop> {
        let to_stop = |fault| Stop::Fault(fault, Whose::Target);
        let is_shown_only = self.ends.policy("order_changes") == "show";
        if self.flow.afterwards != Afterwards::Frozen || has_ended || is_shown_only {
            return Ok(Asked::Compare);
        }
        let (parts, written) = self.written_before(link).await?;
        let standing = Before {
            target_id: &link.target.id,
            parts: &parts,
            written: written.as_ref(),
        };
        let amended = self
            .writes
            .amend(self.target.as_ref(), draft, standing)
            .await
            .map_err(to_stop)?;
        let Some(amendment) = amended else {
            return Ok(Asked::Compare);
        };
        if matches!(amendment, Amendment::Change(_)) {
            let differences = self.changed_there(link, known).await.map_err(to_stop)?;
            if !differences.is_empty() {
                let says = "it was changed there since it was written, and what people do there is not overwritten";
                return Ok(Asked::Stuck {
                    differences,
                    says: says.to_owned(),
                });
            }
        }
        Ok(match amendment {
            Amendment::Same => Asked::Same,
            Amendment::Change(change) => Asked::Change(change),
            Amendment::Stuck { differences, says } => Asked::Stuck { differences, says },
        })
    }

    /// The parts of a target record, and the draft that it was last known to hold.
    async fn written_before(
        &self,
        link: &Link,
    ) -> Result<(BTreeMap<String, String>, Option<Draft>), StoreError> {
        let scope = self.turn.engine.store.read(self.turn.tenant).await?;
        let pair = self.ends.pair.id;
        let parts = store::link::of_parts(&scope, pair, &link.target.id, PARTS_MAX).await?;
        let parts = parts
            .into_iter()
            .map(|part| (part.source.id, part.target.id));
        let text = match &link.draft_digest {
            Some(digest) => store::body::find(&scope, digest).await?,
            None => None,
        };
        let written = text.and_then(|text| serde_json::from_str(&text).ok());
        Ok((parts.collect(), written))
    }

    /// Where the target no longer holds what was last read back.
    async fn changed_there(
        &self,
        link: &Link,
        known: Option<&ReadBack>,
    ) -> Result<Vec<Change>, Fault> {
        let watches = watcher_of(self.to, self.pair_flow.record);
        let held = known.and_then(|known| known.held.as_ref());
        let (Some(watches), Some(held)) = (watches, held) else {
            return Ok(Vec::new());
        };
        let session = self.target.as_ref();
        let now = watches.holds(session, &link.target.id, Some(held)).await?;
        now.map_or_else(
            || {
                Err(Fault::Missing {
                    what: "target".to_owned(),
                    message: format!("{} is not there any more", link.target.id),
                })
            },
            |now| Ok(held.differences(&now)),
        )
    }

    /// The change goes through the gate, and then it is written.
    pub(super) async fn amend(
        &self,
        mut work: Work,
        mut settled: Settled,
        change: Draft,
    ) -> Result<Went, Stop> {
        lower(&mut work, DIVERGED);
        work.changes_digest = None;
        settled.bodies.push(body_of(&change));
        work.draft_digest = Some(change.digest.clone());
        work.record.money = change.money.clone().or(work.record.money.take());
        if self.needs_approval(&work, &change) {
            return Ok(self.hold(work, settled, &change).await?);
        }
        work.plan_action = Some(Action::Update);
        S::begin(self, work, settled, change, Progress::start()).await
    }

    /// It changed in the source, and the target cannot follow: both values are shown, and nothing is written.
    pub(super) async fn stuck(
        &self,
        mut work: Work,
        mut settled: Settled,
        link: &Link,
        differences: &[Change],
        says: &str,
    ) -> Result<Went, StoreError> {
        raise(&mut work, DIVERGED);
        work.plan_action = Some(Action::None);
        work.record.reason = Some(DIVERGED.to_owned());
        work.record.explanation = format!(
            "In {} as {}. It changed in the source and is not changed there: {says}.{}",
            self.to.title,
            link.target.id,
            explain::differences(differences, self.to.title)
        );
        let body = body_of_changes(differences);
        work.changes_digest = Some(body.0.clone());
        settled.bodies.push(body);
        self.stay_synced(work, link, settled).await
    }
}
