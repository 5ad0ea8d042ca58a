//! Vendors' access tokens: kept sealed, renewed ahead of their end, one log-in at a time per connection
//! in all processes together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::contract::{Answer, Token, Tokens, Wire};
use crate::domain::clock::Timestamp;
use crate::domain::connection::{AuthFault, Connection};
use crate::domain::fault::Fault;
use crate::domain::ids::{ConnectionId, TenantId};
use crate::domain::member::Actor;
use crate::store::vendor_token::KeptToken;
use crate::store::{StoreError, connection, vendor_token};

use super::Engine;
use super::log_in::{RIGHT_SECONDS, broken_off, changed, interrupted};

/// How often those who wait look again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Looks at most: two log-ins of others, then it is a fault.
const LOOKS_MAX: u32 = 1500;
/// After a failure that says nothing about the credentials, everybody who waits gets the same answer.
const REST_AFTER_TROUBLE: Duration = Duration::from_secs(2);
/// The first pause after a refused log-in; it doubles with every further one.
const REST_AFTER_REFUSAL: Duration = Duration::from_secs(60);
const REST_AFTER_REFUSAL_MAX: Duration = Duration::from_secs(3600);
/// A person may try again sooner, but not so fast that a vendor would lock the account: twenty a minute.
const REST_OF_A_PERSON: Duration = Duration::from_secs(3);

/// What one process remembers of every connection's token.
#[derive(Default)]
pub struct TokenShelf(Mutex<HashMap<ConnectionId, Arc<tokio::sync::Mutex<Held>>>>);

impl TokenShelf {
    fn lane(&self, id: ConnectionId) -> Arc<tokio::sync::Mutex<Held>> {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lanes.entry(id).or_default())
    }
}

/// One connection's token as it was last seen.
#[derive(Default)]
struct Held {
    token: Option<HeldToken>,
    trouble: Option<Trouble>,
}

struct HeldToken {
    /// The connection's version that it was obtained for.
    version: i64,
    token: Token,
}

struct Trouble {
    version: i64,
    fault: Fault,
    until: Timestamp,
}

/// The tokens of one connection, for one session.
#[derive(Clone)]
pub(super) struct ConnectionTokens {
    pub engine: Engine,
    pub tenant: TenantId,
    pub connection: Arc<Connection>,
    pub wire: Arc<dyn Wire>,
    /// A person asks: a log-in that was refused is tried again without the long pause.
    pub is_asked_for: bool,
}

impl Tokens for ConnectionTokens {
    fn current(&self) -> Answer<'_, Token> {
        Box::pin(self.token_other_than(None))
    }

    fn renew(&self, refused_generation: i64) -> Answer<'_, Token> {
        Box::pin(self.token_other_than(Some(refused_generation)))
    }
}

/// Where a look at the database leads.
enum Look {
    Usable(Token),
    /// Nobody is at it: the generation that a log-in would replace.
    Free {
        generation: i64,
        before: Option<AuthFault>,
    },
    Busy,
}

impl ConnectionTokens {
    async fn token_other_than(&self, refused: Option<i64>) -> Result<Token, Fault> {
        let lane = self.engine.tokens.lane(self.connection.id);
        // Everybody else of this process waits here while one logs in.
        let mut held = lane.lock_owned().await;
        if let Some(token) = self.remembered(&held, refused) {
            return Ok(token);
        }
        let this = self.clone();
        // A caller that gives up must not leave the right to log in taken behind it.
        let obtained = tokio::spawn(async move {
            let obtained = this.obtain(&mut held, refused).await;
            if let Ok(token) = &obtained {
                held.token = Some(HeldToken {
                    version: this.connection.version,
                    token: again(token),
                });
            }
            obtained
        });
        obtained.await.unwrap_or_else(|_| Err(interrupted()))
    }

    fn remembered(&self, held: &Held, refused: Option<i64>) -> Option<Token> {
        let held = held.token.as_ref()?;
        let is_usable = held.version == self.connection.version
            && Some(held.token.generation) != refused
            && self.engine.clock.now() < held.token.expires_at;
        is_usable.then(|| again(&held.token))
    }

    async fn obtain(&self, held: &mut Held, refused: Option<i64>) -> Result<Token, Fault> {
        for _ in 0..LOOKS_MAX {
            match self.look(refused).await? {
                Look::Usable(token) => return Ok(token),
                Look::Busy => tokio::time::sleep(LOOK_AGAIN).await,
                Look::Free { generation, before } => {
                    self.may_log_in(held, before.as_ref())?;
                    if !self.win(generation).await? {
                        tokio::time::sleep(LOOK_AGAIN).await;
                        continue;
                    }
                    match self.log_in(generation, before).await {
                        // Somebody changed the connection meanwhile: look again at what it is now.
                        Ok(None) => {}
                        Ok(Some(token)) => {
                            held.trouble = None;
                            return Ok(token);
                        }
                        Err(fault) => {
                            self.note(held, &fault);
                            return Err(fault);
                        }
                    }
                }
            }
        }
        Err(Fault::Transient {
            code: "log_in_waiting".to_owned(),
            message: "another log-in of this connection has not ended in time".to_owned(),
        })
    }

    /// What the database says now.
    async fn look(&self, refused: Option<i64>) -> Result<Look, Fault> {
        let (kept, before) = self.read().await?;
        let Some(kept) = kept else {
            return Ok(Look::Free {
                generation: 0,
                before,
            });
        };
        if let Some(token) = self.usable(&kept, refused).await {
            return Ok(Look::Usable(token));
        }
        if kept.is_refreshing {
            return Ok(Look::Busy);
        }
        Ok(Look::Free {
            generation: kept.generation,
            before,
        })
    }

    /// The kept token, if it may be used. One that does not open counts as none: a log-in replaces it.
    async fn usable(&self, kept: &KeptToken, refused: Option<i64>) -> Option<Token> {
        if Some(kept.generation) == refused || self.engine.clock.now() >= kept.expires_at {
            return None;
        }
        let sealed = kept.sealed.as_ref()?;
        let value = self
            .open(sealed, "vendor_token", "access_token")
            .await
            .ok()?;
        Some(Token {
            value,
            generation: kept.generation,
            expires_at: kept.expires_at,
        })
    }

    async fn read(&self) -> Result<(Option<KeptToken>, Option<AuthFault>), Fault> {
        let read = async {
            let scope = self.engine.store.read(self.tenant).await?;
            let connection = connection::find(&scope, self.connection.id).await?;
            let kept = vendor_token::find(&scope, self.connection.id).await?;
            Ok::<_, StoreError>((connection, kept))
        };
        let (now, kept) = read.await.map_err(|error| broken_off(&error.into()))?;
        if now.version != self.connection.version {
            // Secrets of the new version must never go to the addresses of the old one.
            return Err(changed());
        }
        Ok((kept, now.auth_fault))
    }

    fn may_log_in(&self, held: &Held, before: Option<&AuthFault>) -> Result<(), Fault> {
        let now = self.engine.clock.now();
        if let Some(before) = before {
            let next = if self.is_asked_for {
                let last = before.next_try_at.minus(self.pause(before.tries));
                last.plus(self.engine.pace.wait(REST_OF_A_PERSON))
            } else {
                before.next_try_at
            };
            if now < next {
                return Err(before.fault.clone());
            }
        }
        match &held.trouble {
            Some(trouble)
                if trouble.version == self.connection.version
                    && now < trouble.until
                    && !self.is_asked_for =>
            {
                Err(trouble.fault.clone())
            }
            _ => Ok(()),
        }
    }

    /// How long no log-in is tried after so many refusals in a row.
    pub(super) fn pause(&self, tries: u32) -> Duration {
        let doubled = REST_AFTER_REFUSAL
            .saturating_mul(2u32.saturating_pow(tries.saturating_sub(1).min(16)))
            .min(REST_AFTER_REFUSAL_MAX);
        self.engine.pace.wait(doubled)
    }

    fn note(&self, held: &mut Held, fault: &Fault) {
        let rest = match fault {
            // Kept with the connection, for every process.
            Fault::Auth { .. } => return,
            Fault::RateLimited { retry_after, .. } => *retry_after,
            _ => self.engine.pace.wait(REST_AFTER_TROUBLE),
        };
        held.trouble = Some(Trouble {
            version: self.connection.version,
            fault: fault.clone(),
            until: self.engine.clock.now().plus(rest),
        });
    }

    async fn win(&self, generation: i64) -> Result<bool, Fault> {
        let id = self.connection.id;
        self.engine
            .store
            .write(self.tenant, &Actor::worker(), move |scope| {
                Box::pin(vendor_token::win(scope, id, generation, RIGHT_SECONDS))
            })
            .await
            .map_err(|error: StoreError| broken_off(&error.into()))
    }
}

fn again(token: &Token) -> Token {
    Token {
        value: token.value.again(),
        generation: token.generation,
        expires_at: token.expires_at,
    }
}
