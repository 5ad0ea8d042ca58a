//! One connection, opened for one piece of work.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::redact;
use super::wire::{Answer, Body, Call, Request, Response, Wire};
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::connection::Settings;
use crate::domain::fault::Fault;
use crate::domain::secret::Secret;

/// A vendor's access token.
#[derive(Debug)]
pub struct Token {
    pub value: Secret<String>,
    /// Rises with every renewal; a 401 renews only if this is still the current one.
    pub generation: i64,
    pub expires_at: Timestamp,
}

/// Where access tokens come from: cached, renewed ahead of expiry, one flight per connection.
pub trait Tokens: Send + Sync {
    /// The token to use now.
    fn current(&self) -> Answer<'_, Token>;
    /// A token newer than the one that was just refused.
    fn renew(&self, refused_generation: i64) -> Answer<'_, Token>;
}

/// One request and its answer, redacted, as kept with the record.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    pub at: Timestamp,
    pub operation: String,
    pub method: &'static str,
    /// Without its query.
    pub url: String,
    /// The body, or the fields of the query.
    pub request: Option<Value>,
    pub status: Option<u16>,
    pub response: Option<String>,
    pub ms: u64,
    /// The fault's sentence when there was no answer.
    pub fault: Option<String>,
}

/// Small things looked up once and remembered for a while, per connection: does this item exist,
/// is this account open. Never the state of anything that is written.
#[derive(Debug, Default)]
pub struct Facts(Mutex<HashMap<String, (Timestamp, Value)>>);

impl Facts {
    /// The remembered value, if it is younger than `age_max`.
    #[must_use]
    pub fn recall(&self, key: &str, now: Timestamp, age_max: Duration) -> Option<Value> {
        let facts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, value) = facts.get(key)?;
        (now.since(*at) < age_max).then(|| value.clone())
    }

    /// Remembers a value.
    pub fn remember(&self, key: &str, now: Timestamp, value: Value) {
        let mut facts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A bound, not a cache policy: a company has a few thousand codes.
        if facts.len() > 50_000 {
            facts.clear();
        }
        facts.insert(key.to_owned(), (now, value));
    }

    /// Forgets everything: after settings changed, or when a person asks again.
    pub fn forget(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

/// What a connector works with.
pub struct Session {
    pub settings: Settings,
    pub wire: Arc<dyn Wire>,
    pub tokens: Arc<dyn Tokens>,
    pub facts: Arc<Facts>,
    pub clock: Clock,
    exchanges: Mutex<Vec<Exchange>>,
    /// No write begins after this moment.
    write_until: Mutex<Option<Instant>>,
    /// Records of the system that are taken for there and open although they are not there yet.
    assumed: Mutex<BTreeSet<(String, String)>>,
}

/// Characters of an answer that are kept with a record.
const RESPONSE_KEPT_MAX: usize = 16_384;

impl Session {
    #[must_use]
    pub fn new(
        settings: Settings,
        wire: Arc<dyn Wire>,
        tokens: Arc<dyn Tokens>,
        facts: Arc<Facts>,
        clock: Clock,
    ) -> Self {
        Self {
            settings,
            wire,
            tokens,
            facts,
            clock,
            exchanges: Mutex::default(),
            write_until: Mutex::default(),
            assumed: Mutex::default(),
        }
    }

    /// A record of the system would be there by the time: a dry run takes it for there and open.
    pub fn assume(&self, entity: &str, id: &str) {
        let mut assumed = self.assumed.lock().unwrap_or_else(PoisonError::into_inner);
        assumed.insert((entity.to_owned(), id.to_owned()));
    }

    /// Whether a record is taken for there and open, so that asking for it would mislead.
    #[must_use]
    pub fn assumes(&self, entity: &str, id: &str) -> bool {
        let assumed = self.assumed.lock().unwrap_or_else(PoisonError::into_inner);
        assumed.contains(&(entity.to_owned(), id.to_owned()))
    }

    /// The latest moment at which a write may begin to be sent: whoever is frozen before it, or waits for a
    /// token, sends nothing afterwards.
    pub fn write_until(&self, moment: Instant) {
        *self
            .write_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(moment);
    }

    fn is_too_late(&self, call: Call) -> bool {
        let until = self
            .write_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        call == Call::Write && until.is_some_and(|until| Instant::now() > until)
    }

    /// The call's deadline: the setting, or the vendor's default.
    #[must_use]
    pub fn timeout(&self, default_seconds: u32) -> Duration {
        Duration::from_secs(u64::from(
            self.settings
                .number("timeout_seconds")
                .unwrap_or(default_seconds)
                .max(1),
        ))
    }

    /// Sends a request as it is and notes the exchange.
    ///
    /// # Errors
    /// Those of [`Wire::send`]; `Transient` for a write after the moment until which it may begin.
    pub async fn send(&self, request: Request) -> Result<Response, Fault> {
        if self.is_too_late(request.call) {
            return Err(Fault::Transient {
                code: "too_late".to_owned(),
                message: "the time in which it might be sent was over".to_owned(),
            });
        }
        let started = self.clock.now();
        let mut exchange = Exchange {
            at: started,
            operation: request.operation.clone(),
            method: request.method.as_str(),
            url: without_query(&request.url),
            request: match &request.body {
                _ if request.private => None,
                Body::Json(value) => Some(redact::value(value)),
                Body::None => redact::query(&request.url),
                Body::Form(_) => None,
            },
            status: None,
            response: None,
            ms: 0,
            fault: None,
        };
        let private = request.private;
        let answer = self.wire.send(request).await;
        exchange.ms =
            u64::try_from(self.clock.now().since(started).as_millis()).unwrap_or(u64::MAX);
        match &answer {
            Ok(response) => {
                exchange.status = Some(response.status);
                exchange.response =
                    (!private).then(|| redact::body(&response.body, RESPONSE_KEPT_MAX));
            }
            Err(fault) => exchange.fault = Some(fault.to_string()),
        }
        self.exchanges
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(exchange);
        answer
    }

    /// Sends with the connection's token; a 401 renews it and tries once more. A refused token means
    /// that the vendor did nothing, so this holds for writes too.
    ///
    /// # Errors
    /// Those of [`Wire::send`] and of log-in. A second 401 comes back as the response it is.
    pub async fn send_authorized(&self, build: impl Fn() -> Request) -> Result<Response, Fault> {
        let token = self.tokens.current().await?;
        let first = self
            .send(Request {
                bearer: Some(token.value.again()),
                ..build()
            })
            .await?;
        if first.status != 401 {
            return Ok(first);
        }
        let fresh = self.tokens.renew(token.generation).await?;
        self.send(Request {
            bearer: Some(fresh.value.again()),
            ..build()
        })
        .await
    }

    /// Whether the system answered anything since exchanges were taken.
    #[must_use]
    pub fn has_answers(&self) -> bool {
        let exchanges = self
            .exchanges
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        exchanges.iter().any(|exchange| exchange.status.is_some())
    }

    /// Takes what was exchanged since the last time.
    #[must_use]
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        std::mem::take(
            &mut *self
                .exchanges
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

fn without_query(url: &url::Url) -> String {
    let mut plain = url.clone();
    plain.set_query(None);
    plain.to_string()
}
