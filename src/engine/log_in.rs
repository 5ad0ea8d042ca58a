//! One log-in of a connection: the opened credentials, the vendor's answer, and its outcome kept before
//! anybody uses it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::contract::{Credentials, FreshToken, Token};
use crate::domain::audit::Happened;
use crate::domain::connection::AuthFault;
use crate::domain::fault::Fault;
use crate::domain::member::Actor;
use crate::domain::secret::Secret;
use crate::store::vendor_token::NewToken;
use crate::store::{StoreError, connection, vendor_token};
use crate::vault::Place;

use super::tokens::ConnectionTokens;
use super::{EngineError, session};

/// A token is renewed this long before its end, so that no call meets it.
const MARGIN: Duration = Duration::from_secs(60);
/// One log-in's deadline, whatever the connection's own.
const LOG_IN_WITHIN: Duration = Duration::from_secs(30);
/// The right to log in lasts a little longer, so that nobody starts while the winner is at it.
pub(super) const RIGHT_SECONDS: u32 = 35;

impl ConnectionTokens {
    /// One log-in, and its outcome kept. None when it may not be used any more.
    pub(super) async fn log_in(
        &self,
        generation: i64,
        before: Option<AuthFault>,
    ) -> Result<Option<Token>, Fault> {
        let fresh = tokio::time::timeout(LOG_IN_WITHIN, self.ask())
            .await
            .unwrap_or_else(|_| Err(too_slow()));
        match fresh {
            Ok(fresh) => self.keep(generation, fresh, before.is_some()).await,
            Err(fault) => {
                self.give_up(generation, &fault, before).await?;
                Err(fault)
            }
        }
    }

    async fn ask(&self) -> Result<FreshToken, Fault> {
        let connector = session::connector(&self.engine, &self.connection)?;
        let credentials = self.credentials().await?;
        connector
            .logs_in
            .log_in(self.wire.as_ref(), &self.connection.settings, &credentials)
            .await
    }

    pub(super) async fn credentials(&self) -> Result<Credentials, Fault> {
        let (sealed, version) = {
            let read = async {
                let scope = self.engine.store.read(self.tenant).await?;
                let sealed = connection::credentials(&scope, self.connection.id).await?;
                let now = connection::find(&scope, self.connection.id).await?;
                Ok::<_, StoreError>((sealed, now.version))
            };
            read.await.map_err(|error| broken_off(&error.into()))?
        };
        if version != self.connection.version {
            return Err(changed());
        }
        let mut opened = BTreeMap::new();
        for credential in sealed {
            let value = self
                .open(&credential.sealed, "credential", &credential.name)
                .await?;
            opened.insert(credential.name, value);
        }
        Ok(Credentials(opened))
    }

    async fn keep(
        &self,
        generation: i64,
        fresh: FreshToken,
        was_refused: bool,
    ) -> Result<Option<Token>, Fault> {
        let margin = MARGIN.min(fresh.lifetime / 4);
        let expires_at = self
            .engine
            .clock
            .now()
            .plus(fresh.lifetime.saturating_sub(margin));
        let sealed = self
            .engine
            .keyring
            .seal(
                &self.place("vendor_token", "access_token"),
                fresh.value.open().as_bytes(),
            )
            .await
            .map_err(|error| broken_off(&error))?;
        let connection = Arc::clone(&self.connection);
        let new = NewToken {
            sealed,
            expires_at,
            replaces: generation,
        };
        // Committed before anybody uses it.
        let kept = self
            .engine
            .store
            .write(self.tenant, &Actor::worker(), move |scope| {
                Box::pin(async move {
                    let generation = vendor_token::keep(scope, connection.id, new).await?;
                    if was_refused && connection::set_auth_fault(scope, &connection, None).await? {
                        let id = connection.id;
                        scope.tell(Happened::new("connection.login_restored", "connection", id));
                    }
                    Ok::<_, StoreError>(generation)
                })
            })
            .await;
        match kept {
            Ok(generation) => Ok(Some(Token {
                value: fresh.value,
                generation,
                expires_at,
            })),
            Err(StoreError::Stale(_)) => Ok(None),
            Err(error) => Err(broken_off(&error.into())),
        }
    }

    /// Gives the right back, and keeps why log-in fails if the vendor refused it.
    async fn give_up(
        &self,
        generation: i64,
        fault: &Fault,
        before: Option<AuthFault>,
    ) -> Result<(), Fault> {
        let refused = matches!(fault, Fault::Auth { .. }).then(|| self.refusal(fault, before));
        let connection = Arc::clone(&self.connection);
        self.engine
            .store
            .write(self.tenant, &Actor::worker(), move |scope| {
                Box::pin(async move {
                    vendor_token::give_up(scope, connection.id, generation).await?;
                    if let Some(refused) = refused
                        && connection::set_auth_fault(scope, &connection, Some(&refused)).await?
                        && refused.tries == 1
                    {
                        scope.tell(
                            Happened::new("connection.login_refused", "connection", connection.id)
                                .with("code", refused.fault.code())
                                .with("message", &refused.fault),
                        );
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await
            .map_err(|error| broken_off(&error.into()))
    }

    fn refusal(&self, fault: &Fault, before: Option<AuthFault>) -> AuthFault {
        let now = self.engine.clock.now();
        let (since, tries) = before.map_or((now, 1), |before| {
            (before.since, before.tries.saturating_add(1))
        });
        AuthFault {
            fault: fault.clone(),
            since,
            tries,
            next_try_at: now.plus(self.pause(tries)),
        }
    }

    pub(super) async fn open(
        &self,
        sealed: &[u8],
        table: &str,
        field: &str,
    ) -> Result<Secret<String>, Fault> {
        let plain = self
            .engine
            .keyring
            .open(&self.place(table, field), sealed)
            .await
            .map_err(|error| broken_off(&error))?;
        let text = std::str::from_utf8(&plain).map_err(|_| unreadable())?;
        Ok(Secret::new(text.to_owned()))
    }

    fn place<'a>(&self, table: &'a str, field: &'a str) -> Place<'a> {
        Place {
            tenant: self.tenant,
            table,
            row: self.connection.id.0,
            field,
        }
    }
}

/// The engine's own trouble as a fault. Nothing was sent.
pub(super) fn broken_off(error: &EngineError) -> Fault {
    match error {
        EngineError::Store(StoreError::Missing(_)) => changed(),
        EngineError::Vault(_) => unreadable(),
        EngineError::Store(_) => {
            tracing::warn!(%error, "no token could be had");
            interrupted()
        }
    }
}

pub(super) fn changed() -> Fault {
    Fault::Transient {
        code: "connection_changed".to_owned(),
        message: "the connection was changed or removed while it was in use".to_owned(),
    }
}

fn unreadable() -> Fault {
    Fault::Auth {
        code: "credential_unreadable".to_owned(),
        message: "the stored secrets of this connection cannot be opened; enter them again"
            .to_owned(),
    }
}

pub(super) fn interrupted() -> Fault {
    Fault::Transient {
        code: "interrupted".to_owned(),
        message: "this could not be finished here; it is tried again".to_owned(),
    }
}

fn too_slow() -> Fault {
    Fault::Transient {
        code: "log_in_timeout".to_owned(),
        message: format!(
            "the log-in was not answered within {} seconds",
            LOG_IN_WITHIN.as_secs()
        ),
    }
}
