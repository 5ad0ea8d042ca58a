//! A session and a port that can look and not write: what is handed to whoever must not write.

use std::ops::Deref;
use std::sync::Arc;

use super::draft::{Draft, Found, Refs};
use super::port::Writes;
use super::session::{Facts, Session, Tokens};
use super::wire::{Answer, Call, Request, Response, Wire};
use crate::domain::clock::Clock;
use crate::domain::connection::Settings;
use crate::domain::fault::{Fault, Issue};
use crate::domain::plan::Change;
use crate::domain::record::WaitingFor;
use crate::domain::system::Entity;
use crate::domain::tag::WriteTag;

/// A wire that lets reads through and nothing else.
struct ReadingWire(Arc<dyn Wire>);

impl Wire for ReadingWire {
    fn send(&self, request: Request) -> Answer<'_, Response> {
        match request.call {
            Call::Read => self.0.send(request),
            Call::Write => Box::pin(async move {
                Err(Fault::Broken {
                    code: "read_only".to_owned(),
                    message: format!(
                        "{} would write, and only reads are allowed here",
                        request.operation
                    ),
                })
            }),
        }
    }
}

/// A session whose wire lets no write through. There is no other way to make one.
pub struct ReadSession(Session);

impl ReadSession {
    #[must_use]
    pub fn new(
        settings: Settings,
        wire: Arc<dyn Wire>,
        tokens: Arc<dyn Tokens>,
        facts: Arc<Facts>,
        clock: Clock,
    ) -> Self {
        let wire = Arc::new(ReadingWire(wire));
        Self(Session::new(settings, wire, tokens, facts, clock))
    }
}

impl Deref for ReadSession {
    type Target = Session;
    fn deref(&self) -> &Session {
        &self.0
    }
}

impl AsRef<Session> for ReadSession {
    fn as_ref(&self) -> &Session {
        &self.0
    }
}

impl AsRef<Session> for Session {
    fn as_ref(&self) -> &Session {
        self
    }
}

/// The half of a target's port that looks.
pub trait Looks<E>: Send + Sync {
    /// As [`Writes::draft`].
    ///
    /// # Errors
    /// Every reason why it cannot be written.
    fn draft(&self, record: &E, settings: &Settings, refs: &Refs<'_>) -> Result<Draft, Vec<Issue>>;

    /// As [`Writes::lacking`].
    fn lacking<'a>(&'a self, session: &'a Session, draft: &'a Draft)
    -> Answer<'a, Vec<WaitingFor>>;

    /// As [`Writes::find`].
    fn find<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        tag: &'a WriteTag,
    ) -> Answer<'a, Found>;

    /// As [`Writes::differences`].
    fn differences<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        target_id: &'a str,
    ) -> Answer<'a, Vec<Change>>;

    /// As [`Writes::parts`].
    fn parts<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        target_id: &'a str,
    ) -> Answer<'a, Vec<(Entity, String, String)>>;

    /// As [`Writes::place`].
    fn place(&self, draft: &Draft, settings: &Settings) -> Option<String>;
}

impl<E: 'static> Looks<E> for &'static dyn Writes<E> {
    fn draft(&self, record: &E, settings: &Settings, refs: &Refs<'_>) -> Result<Draft, Vec<Issue>> {
        (**self).draft(record, settings, refs)
    }

    fn lacking<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
    ) -> Answer<'a, Vec<WaitingFor>> {
        (**self).lacking(session, draft)
    }

    fn find<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        tag: &'a WriteTag,
    ) -> Answer<'a, Found> {
        (**self).find(session, draft, tag)
    }

    fn differences<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        target_id: &'a str,
    ) -> Answer<'a, Vec<Change>> {
        (**self).differences(session, draft, target_id)
    }

    fn parts<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        target_id: &'a str,
    ) -> Answer<'a, Vec<(Entity, String, String)>> {
        (**self).parts(session, draft, target_id)
    }

    fn place(&self, draft: &Draft, settings: &Settings) -> Option<String> {
        (**self).place(draft, settings)
    }
}

/// A target's port without its writing half: whoever holds this can take no step.
pub struct Looking<E: 'static>(&'static dyn Writes<E>);

impl<E: 'static> Looking<E> {
    #[must_use]
    pub fn at(port: &'static dyn Writes<E>) -> Self {
        Self(port)
    }
}

impl<E: 'static> Looks<E> for Looking<E> {
    fn draft(&self, record: &E, settings: &Settings, refs: &Refs<'_>) -> Result<Draft, Vec<Issue>> {
        self.0.draft(record, settings, refs)
    }

    fn lacking<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
    ) -> Answer<'a, Vec<WaitingFor>> {
        self.0.lacking(session, draft)
    }

    fn find<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        tag: &'a WriteTag,
    ) -> Answer<'a, Found> {
        self.0.find(session, draft, tag)
    }

    fn differences<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        target_id: &'a str,
    ) -> Answer<'a, Vec<Change>> {
        self.0.differences(session, draft, target_id)
    }

    fn parts<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        target_id: &'a str,
    ) -> Answer<'a, Vec<(Entity, String, String)>> {
        self.0.parts(session, draft, target_id)
    }

    fn place(&self, draft: &Draft, settings: &Settings) -> Option<String> {
        self.0.place(draft, settings)
    }
}
