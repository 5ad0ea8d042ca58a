//! A session and a port that can look and not write: what is handed to whoever must not write.

use std::ops::Deref;
use std::sync::Arc;

use super::draft::{Amendment, Before, Draft, Found, Refs};
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

    /// As [`Writes::amend`].
    fn amend<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        standing: Before<'a>,
    ) -> Answer<'a, Option<Amendment>>;

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

    fn amend<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        standing: Before<'a>,
    ) -> Answer<'a, Option<Amendment>> {
        (**self).amend(session, draft, standing)
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

    fn amend<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        standing: Before<'a>,
    ) -> Answer<'a, Option<Amendment>> {
        self.0.amend(session, draft, standing)
    }

    fn place(&self, draft: &Draft, settings: &Settings) -> Option<String> {
        self.0.place(draft, settings)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::contract::{Body, Method, Token};
    use crate::domain::clock::Timestamp;
    use crate::domain::secret::Secret;

    #[derive(Default)]
    struct Counting(AtomicU32);

    impl Wire for Counting {
        fn send(&self, _: Request) -> Answer<'_, Response> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Box::pin(async {
                Ok(Response {
                    status: 200,
                    headers: Vec::new(),
                    body: Vec::new(),
                })
            })
        }
    }

    struct Known;

    impl Tokens for Known {
        fn current(&self) -> Answer<'_, Token> {
            self.renew(0)
        }

        fn renew(&self, _: i64) -> Answer<'_, Token> {
            Box::pin(async {
                Ok(Token {
                    value: Secret::new("token".to_owned()),
                    generation: 1,
                    expires_at: Timestamp(i64::MAX),
                })
            })
        }
    }

    fn request(call: Call, method: Method) -> Request {
        Request {
            method,
            url: "https://api.example".parse().unwrap(),
            headers: Vec::new(),
            bearer: None,
            body: Body::None,
            call,
            timeout: std::time::Duration::from_secs(1),
            operation: "make order".to_owned(),
            private: false,
        }
    }

    #[tokio::test]
    async fn a_session_to_look_lets_no_write_through() {
        let wire = Arc::new(Counting::default());
        let session = ReadSession::new(
            Settings::default(),
            Arc::<Counting>::clone(&wire),
            Arc::new(Known),
            Arc::default(),
            Clock::system(),
        );
        let sent = || wire.0.load(Ordering::SeqCst);
        for method in [Method::Get, Method::Post] {
            session.send(request(Call::Read, method)).await.unwrap();
        }
        assert_eq!(sent(), 2);
        for method in [Method::Get, Method::Post] {
            let refused = session.send(request(Call::Write, method)).await;
            assert_eq!(refused.unwrap_err().code(), "read_only");
            let build = || request(Call::Write, method);
            let refused = session.send_authorized(build).await;
            assert_eq!(refused.unwrap_err().code(), "read_only");
        }
        assert_eq!(sent(), 2, "nothing left");
    }
}
