//! Whose rate limit a connection's calls count against. Vendors count by the client that logs in, so
//! connections with one client share one pace, whatever they are called and whose they are.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::Engine;
use super::session;
use super::tokens::ConnectionTokens;
use crate::domain::connection::Connection;
use crate::domain::ids::{ConnectionId, TenantId};
use crate::vault::Purpose;

/// Clients of connections, as keyed digests; of a connection's present version only.
#[derive(Default)]
pub struct ClientShelf(Mutex<HashMap<ConnectionId, (i64, String)>>);

impl ClientShelf {
    /// By what a connection's calls are counted, as far as it is known.
    #[must_use]
    pub fn of(&self, connection: &Connection) -> Option<String> {
        let shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = shelf.get(&connection.id);
        known
            .filter(|(version, _)| *version == connection.version)
            .map(|(_, name)| name.clone())
    }

    fn set(&self, connection: &Connection, name: String) {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.insert(connection.id, (connection.version, name));
    }
}

/// Finds out which client a connection logs in as, once for each version of it. Where that cannot be told its
/// calls are counted alone.
pub(super) async fn learn(engine: &Engine, tenant: TenantId, connection: &Connection) {
    if engine.clients.of(connection).is_some() {
        return;
    }
    let Ok((_, tokens)) = session::way_out(engine, tenant, connection, false) else {
        return;
    };
    if let Some(name) = name_of(engine, &tokens).await {
        engine.clients.set(connection, name);
    }
}

async fn name_of(engine: &Engine, tokens: &ConnectionTokens) -> Option<String> {
    let connection = &tokens.connection;
    let connector = engine.connector(&connection.system)?;
    let addresses = (connector.addresses)(&connection.settings, connection.environment);
    let origins = super::accept::origins(&addresses).join(" ");
    let credentials = tokens.credentials().await.ok()?;
    let client = connector
        .logs_in
        .client(&connection.settings, &credentials)?;
    let parts = [origins.as_bytes(), client.as_bytes()];
    Some(engine.vault.sign(Purpose::Bucket, &parts))
}
