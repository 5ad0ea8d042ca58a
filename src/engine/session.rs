//! Opens a connection for one piece of work: its way out, its tokens, and what is remembered about it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Engine;
use super::patience::Patient;
use super::tokens::ConnectionTokens;
use crate::contract::{Connector, Facts, Line, ReadSession, Session, Wire};
use crate::domain::connection::Connection;
use crate::domain::fault::Fault;
use crate::domain::ids::{ConnectionId, TenantId};

/// Facts of every connection, of its present version only.
#[derive(Default)]
pub struct FactShelf(Mutex<HashMap<ConnectionId, (i64, Arc<Facts>)>>);

impl FactShelf {
    /// What is remembered about one version of a connection; a newer version begins with nothing.
    #[must_use]
    pub fn of(&self, connection: &Connection) -> Arc<Facts> {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (version, facts) = shelf
            .entry(connection.id)
            .or_insert_with(|| (connection.version, Arc::default()));
        if *version != connection.version {
            *version = connection.version;
            *facts = Arc::default();
        }
        Arc::clone(facts)
    }
}

/// A session for background work.
///
/// # Errors
/// `Broken` when the product does not know the connection's system.
pub fn open(engine: &Engine, tenant: TenantId, connection: &Connection) -> Result<Session, Fault> {
    let (wire, tokens) = way_out(engine, tenant, connection, false)?;
    Ok(Session::new(
        connection.settings.clone(),
        wire,
        Arc::new(tokens),
        engine.facts.of(connection),
        engine.clock.clone(),
    ))
}

/// A session for background work that must not write.
///
/// # Errors
/// `Broken` when the product does not know the connection's system.
pub fn open_to_look(
    engine: &Engine,
    tenant: TenantId,
    connection: &Connection,
) -> Result<ReadSession, Fault> {
    let (wire, tokens) = way_out(engine, tenant, connection, false)?;
    Ok(ReadSession::new(
        connection.settings.clone(),
        wire,
        Arc::new(tokens),
        engine.facts.of(connection),
        engine.clock.clone(),
    ))
}

/// A session for a person who waits: it may use the calls that are kept free of background work, and
/// tries a log-in that was refused before.
///
/// # Errors
/// `Broken` when the product does not know the connection's system.
pub fn open_for_person(
    engine: &Engine,
    tenant: TenantId,
    connection: &Connection,
) -> Result<Session, Fault> {
    let (wire, tokens) = way_out(engine, tenant, connection, true)?;
    Ok(Session::new(
        connection.settings.clone(),
        wire,
        Arc::new(tokens),
        engine.facts.of(connection),
        engine.clock.clone(),
    ))
}

/// The connector of a connection.
pub(super) fn connector(
    engine: &Engine,
    connection: &Connection,
) -> Result<&'static Connector, Fault> {
    engine
        .connector(&connection.system)
        .ok_or_else(|| Fault::Broken {
            code: "unknown_system".to_owned(),
            message: format!("this release has no connector for {}", connection.system),
        })
}

pub(super) fn way_out(
    engine: &Engine,
    tenant: TenantId,
    connection: &Connection,
    interactive: bool,
) -> Result<(Arc<dyn Wire>, ConnectionTokens), Fault> {
    let connector = connector(engine, connection)?;
    let settings = &connection.settings;
    let wire = engine.network.wire(&Line {
        name: engine
            .clients
            .of(connection)
            .unwrap_or_else(|| connection.id.to_string()),
        addresses: (connector.addresses)(settings, connection.environment),
        // The network multiplies it by the pace.
        requests_per_minute: (connector.requests_per_minute)(settings),
        allowance: connector.allowance,
        interactive,
    });
    let wire: Arc<dyn Wire> = if interactive {
        Arc::new(Patient(wire))
    } else {
        wire
    };
    let tokens = ConnectionTokens {
        engine: engine.clone(),
        tenant,
        connection: Arc::new(connection.clone()),
        wire: Arc::clone(&wire),
        is_asked_for: interactive,
    };
    Ok((wire, tokens))
}
