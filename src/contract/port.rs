//! Ports: which records a system can list, read and write.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::draft::{Amendment, Before, Draft, Found, Progress, Refs, Repeat, Step, Upcoming};
use super::session::Session;
use super::watch::Watches;
use super::wire::Answer;
use crate::domain::clock::Timestamp;
use crate::domain::connection::Settings;
use crate::domain::fault::Issue;
use crate::domain::plan::Change;
use crate::domain::record::WaitingFor;
use crate::domain::records::{CostCode, Order, Project, Vendor};
use crate::domain::system::Entity;
use crate::domain::tag::WriteTag;

/// A canonical record that ports can move.
pub trait Canonical:
    Serialize + DeserializeOwned + Clone + fmt::Debug + Send + Sync + 'static
{
    /// The singular word for it in every room.
    const NAME: &'static str;

    /// Its port among a connector's.
    fn port(ports: &Ports) -> &Port<Self>;
}

/// Which records to list.
#[derive(Debug, Clone, Default)]
pub struct ListScope {
    /// Keys of the projects in scope; ignored by records that belong to the company.
    pub projects: Vec<String>,
    /// Changed at or after; none lists everything.
    pub since: Option<Timestamp>,
    /// Changed at or before.
    pub until: Timestamp,
}

/// Where a source record is found again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SourceKey {
    /// The vendor's bare key.
    pub id: String,
    /// What the connector needs besides the key (a project, a kind), in its own notation. May be empty.
    pub place: String,
}

/// News that a source record may have changed. Carries no business data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub key: SourceKey,
    /// The source's own version word; equal words mean an equal record.
    pub version: String,
    /// The project it belongs to, for lanes and scope.
    pub project_key: Option<String>,
    /// Its name, where the listing shows one and two records of one name must not be taken for each other.
    pub name: Option<String>,
}

/// Some rows, and where to go on.
#[derive(Debug, Clone)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// Opaque; none means the listing is complete.
    pub next: Option<String>,
}

/// A source record as read just now.
#[derive(Debug, Clone)]
pub struct Read<E> {
    pub record: E,
    pub version: String,
    /// The vendor's own body, kept as the snapshot.
    pub raw: Value,
}

/// Lists what changed.
pub trait Lists: Send + Sync {
    /// One page, from the beginning or from where a page said to go on.
    fn changed<'a>(
        &'a self,
        session: &'a Session,
        scope: &'a ListScope,
        after: Option<&'a str>,
    ) -> Answer<'a, Page<Seen>>;
}

/// Reads one record.
pub trait Reads<E>: Send + Sync {
    /// The record, or nothing when the source no longer shows it.
    fn read<'a>(&'a self, session: &'a Session, key: &'a SourceKey) -> Answer<'a, Option<Read<E>>>;

    /// Translates a stored snapshot again. Pure; used by replay.
    ///
    /// # Errors
    /// What the snapshot lacks.
    fn translate(&self, raw: &Value, settings: &Settings) -> Result<E, Vec<Issue>>;
}

/// Writes one kind of record.
pub trait Writes<E>: Send + Sync {
    /// Pure: the exact write, for people (fields), for approval (digest) and for sending.
    ///
    /// # Errors
    /// Every reason why it cannot be written.
    fn draft(&self, record: &E, settings: &Settings, refs: &Refs<'_>) -> Result<Draft, Vec<Issue>>;

    /// What the target lacks for this draft right now: a blocked vendor, a closed account. Reads only.
    fn lacking<'a>(&'a self, session: &'a Session, draft: &'a Draft)
    -> Answer<'a, Vec<WaitingFor>>;

    /// Is it there already? By our tag, then by the natural key, then by what people would compare.
    fn find<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        tag: &'a WriteTag,
    ) -> Answer<'a, Found>;

    /// Where the target's record differs from the draft, target's value first. For a linked record.
    fn differences<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        target_id: &'a str,
    ) -> Answer<'a, Vec<Change>>;

    /// Records of the target that the draft's parts are, in one that was not written by it: entity, source key,
    /// target key. Only those that surely correspond. Reads only.
    fn parts<'a>(
        &'a self,
        _session: &'a Session,
        _draft: &'a Draft,
        _target_id: &'a str,
    ) -> Answer<'a, Vec<(Entity, String, String)>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// What must be done to a record that was written before so that it holds this draft; none: what was written
    /// is never changed here. Reads only.
    fn amend<'a>(
        &'a self,
        _session: &'a Session,
        _draft: &'a Draft,
        _standing: Before<'a>,
    ) -> Answer<'a, Option<Amendment>> {
        Box::pin(async { Ok(None) })
    }

    /// Pure: the natural key of what one step makes, where a chain makes several things one after the other;
    /// none: the draft's, or that of the step before.
    fn identity(&self, _draft: &Draft, _at: &Progress) -> Option<String> {
        None
    }

    /// Pure: the company and division that this draft's record lives in, where they are its own; none: the
    /// connection's.
    fn place(&self, _draft: &Draft, _settings: &Settings) -> Option<String> {
        None
    }

    /// Pure: what the next step is, and whether it can be taken back.
    fn upcoming(&self, draft: &Draft, at: &Progress) -> Upcoming;

    /// Takes exactly one step. Never retried by itself.
    fn step<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        at: &'a Progress,
    ) -> Answer<'a, Step>;

    /// Accepted earlier: is it there now? Reads only.
    fn check<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        at: &'a Progress,
    ) -> Answer<'a, Step>;

    /// Takes back an unfinished chain of harmless steps, so that it can be started afresh.
    fn undo<'a>(&'a self, session: &'a Session, at: &'a Progress) -> Answer<'a, ()>;

    /// What guards against a repeat.
    fn repeat(&self) -> Repeat;
}

/// What one system can do with one kind of record.
pub struct Port<E: 'static> {
    pub lists: Option<&'static dyn Lists>,
    pub reads: Option<&'static dyn Reads<E>>,
    pub writes: Option<&'static dyn Writes<E>>,
    /// Absent where nobody looks at what became of what was written.
    pub watches: Option<&'static dyn Watches>,
}

impl<E> Port<E> {
    /// Nothing.
    pub const CLOSED: Self = Self {
        lists: None,
        reads: None,
        writes: None,
        watches: None,
    };

    /// Records come from here.
    #[must_use]
    pub const fn source(lists: &'static dyn Lists, reads: &'static dyn Reads<E>) -> Self {
        Self {
            lists: Some(lists),
            reads: Some(reads),
            writes: None,
            watches: None,
        }
    }

    /// Records go here.
    #[must_use]
    pub const fn target(writes: &'static dyn Writes<E>) -> Self {
        Self {
            lists: None,
            reads: None,
            writes: Some(writes),
            watches: None,
        }
    }

    /// The same, and what became of them there is looked at.
    #[must_use]
    pub const fn watched(self, watches: &'static dyn Watches) -> Self {
        Self {
            watches: Some(watches),
            ..self
        }
    }
}

impl<E> Port<E> {
    /// Records can be listed and read here.
    #[must_use]
    pub const fn is_source(&self) -> bool {
        self.lists.is_some() && self.reads.is_some()
    }

    /// Records can be written here.
    #[must_use]
    pub const fn is_target(&self) -> bool {
        self.writes.is_some()
    }
}

/// Every port there is; a connector opens some.
pub struct Ports {
    pub project: Port<Project>,
    pub vendor: Port<Vendor>,
    pub cost_code: Port<CostCode>,
    pub order: Port<Order>,
}

impl Ports {
    /// All closed: what a connector starts from.
    pub const CLOSED: Self = Self {
        project: Port::CLOSED,
        vendor: Port::CLOSED,
        cost_code: Port::CLOSED,
        order: Port::CLOSED,
    };
}

impl Canonical for Vendor {
    const NAME: &'static str = "vendor";
    fn port(ports: &Ports) -> &Port<Self> {
        &ports.vendor
    }
}

impl Canonical for CostCode {
    const NAME: &'static str = "cost_code";
    fn port(ports: &Ports) -> &Port<Self> {
        &ports.cost_code
    }
}

impl Canonical for Order {
    const NAME: &'static str = "order";
    fn port(ports: &Ports) -> &Port<Self> {
        &ports.order
    }
}

impl Canonical for Project {
    const NAME: &'static str = "project";
    fn port(ports: &Ports) -> &Port<Self> {
        &ports.project
    }
}
