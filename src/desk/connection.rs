//! Connections: made, changed, tested and removed by people. Secrets go in and never come out.

use std::collections::BTreeMap;

use super::blockers::may_mix;
use super::connection_draft::{Change, Draft};
use super::entry::Values;
use super::{Desk, DeskError};
use crate::domain::audit::Happened;
use crate::domain::connection::{Connection, Ping};
use crate::domain::ids::ConnectionId;
use crate::domain::member::Caller;
use crate::domain::pair::PairStatus;
use crate::domain::secret::Secret;
use crate::domain::system::SystemId;
use crate::engine::accept::unknown_system;
use crate::engine::connect;
use crate::store::connection::SealedCredential;
use crate::store::{self, Scope, StoreError};
use crate::vault::Place;

/// A connection as somebody wants it.
#[derive(Debug, Default)]
pub struct NewConnection {
    pub system: String,
    pub name: String,
    pub environment: String,
    pub settings: Values,
    pub credentials: Values,
}

/// What somebody wants changed; what is absent or not named stays.
#[derive(Debug, Default)]
pub struct ChangedConnection {
    /// May be sent back as it is; another one is refused.
    pub system: Option<String>,
    pub name: Option<String>,
    pub environment: Option<String>,
    pub settings: Values,
    /// Those that are replaced.
    pub credentials: Values,
}

/// Makes a connection. Nothing is sent to the system.
///
/// # Errors
/// `Invalid` with every wrong field.
pub async fn create(
    desk: &Desk,
    caller: &Caller,
    new: NewConnection,
) -> Result<Connection, DeskError> {
    let system = SystemId::from(new.system.trim().to_owned());
    let form = desk.engine.system(&system);
    let form = form.ok_or_else(|| DeskError::Invalid(vec![unknown_system(&desk.engine)]))?;
    let mut draft = Draft::empty(&form);
    draft.take_name(&new.name);
    draft.take_environment(&new.environment);
    draft.take_settings(&form, &new.settings);
    draft.take_credentials(&form, &new.credentials);
    draft.demand_credentials(&form);
    let accepted = draft.accept(desk)?;
    let id = ConnectionId::generate();
    let sealed = seal(desk, caller, id, &accepted.entered.credentials).await?;
    let entered = accepted.entered;
    let now = desk.engine.clock.now();
    let connection = Connection {
        id,
        system: entered.system,
        name: accepted.name,
        environment: entered.environment,
        settings: entered.settings,
        credentials: BTreeMap::new(),
        last_ping: None,
        auth_fault: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move {
                store::connection::insert(scope, &connection, &sealed).await?;
                scope.tell(
                    Happened::new("connection.created", "connection", id)
                        .with("system", &connection.system)
                        .with("name", &connection.name)
                        .with("environment", connection.environment),
                );
                Ok(store::connection::find(scope, id).await?)
            })
        })
        .await
}

/// One connection.
///
/// # Errors
/// `Missing`.
pub async fn find(desk: &Desk, caller: &Caller, id: ConnectionId) -> Result<Connection, DeskError> {
    let scope = desk.store().read(caller.tenant_id).await?;
    Ok(store::connection::find(&scope, id).await?)
}

/// Connections in order of birth, after the one named.
///
/// # Errors
/// `Store`.
pub async fn list(
    desk: &Desk,
    caller: &Caller,
    after: Option<ConnectionId>,
    limit: u32,
) -> Result<Vec<Connection>, DeskError> {
    let scope = desk.store().read(caller.tenant_id).await?;
    Ok(store::connection::list(&scope, after, limit).await?)
}

/// Changes a connection. When its host changes, every stored secret that was not entered anew is
/// forgotten: it was given for another host.
///
/// # Errors
/// `Missing`; `Invalid` with every wrong field; `NotNow` when somebody else changed it meanwhile.
pub async fn change(
    desk: &Desk,
    caller: &Caller,
    id: ConnectionId,
    wanted: ChangedConnection,
) -> Result<Connection, DeskError> {
    let (before, stored) = {
        let scope = desk.store().read(caller.tenant_id).await?;
        let before = store::connection::find(&scope, id).await?;
        (before, store::connection::credentials(&scope, id).await?)
    };
    let form = desk.engine.system(&before.system);
    let form = form.ok_or_else(|| DeskError::Invalid(vec![unknown_system(&desk.engine)]))?;
    let mut draft = Draft::of(&before);
    draft.take_system(wanted.system.as_deref());
    if let Some(name) = &wanted.name {
        draft.take_name(name);
    }
    if let Some(environment) = &wanted.environment {
        draft.take_environment(environment);
    }
    draft.take_settings(&form, &wanted.settings);
    draft.take_credentials(&form, &wanted.credentials);
    let new_names: Vec<String> = draft.credentials.keys().cloned().collect();
    // The connector judges the whole: what is stored counts where nothing new was entered.
    for credential in stored {
        if !draft.credentials.contains_key(&credential.name)
            && let Some(text) = open(desk, caller, id, &credential).await
        {
            draft.credentials.insert(credential.name, text);
        }
    }
    let mut accepted = draft.accept(desk)?;
    accepted
        .entered
        .credentials
        .retain(|name, _| new_names.contains(name));
    let change = Change::between(desk, before, accepted);
    let sealed = seal(desk, caller, id, &change.credentials).await?;
    keep(desk, caller, change, sealed).await
}

/// Removes a connection with its secrets.
///
/// # Errors
/// `Missing`; `NotNow` while a pair uses it.
pub async fn remove(desk: &Desk, caller: &Caller, id: ConnectionId) -> Result<(), DeskError> {
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move {
                let connection = store::connection::find(scope, id).await?;
                let pairs = store::pair::of_connection(scope, id).await?;
                if let Some(pair) = pairs.first() {
                    let name = &pair.settings.name;
                    return Err(DeskError::not_now(
                        "in_use",
                        format!("The pair “{name}” uses this connection. Remove the pair first."),
                    ));
                }
                store::connection::remove(scope, id).await?;
                scope.tell(
                    Happened::new("connection.removed", "connection", id)
                        .with("name", connection.name),
                );
                Ok(())
            })
        })
        .await
}

/// Tests a connection now, step by step.
///
/// # Errors
/// `Missing`. What is wrong with the connection is a step that is not ok.
pub async fn ping(desk: &Desk, caller: &Caller, id: ConnectionId) -> Result<Ping, DeskError> {
    let ping = connect::ping(&desk.engine, caller.tenant_id, &caller.actor, id).await?;
    Ok(ping)
}

async fn keep(
    desk: &Desk,
    caller: &Caller,
    change: Change,
    sealed: Vec<SealedCredential>,
) -> Result<Connection, DeskError> {
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move {
                let id = change.after.id;
                if change.is_renamed_only {
                    store::connection::rename(scope, id, &change.after.name).await?;
                } else {
                    refuse_mixing(scope, &change.after).await?;
                    store::connection::revise(scope, &change.after).await?;
                    if change.is_moved {
                        store::connection::clear_credentials(scope, id).await?;
                    }
                    store::connection::set_credentials(scope, id, &sealed).await?;
                    store::mapping::unverify_all(scope, id).await?;
                    // What failed for want of the right settings may work now.
                    scope.wake(scope.now());
                }
                if !change.fields.is_empty() || !sealed.is_empty() {
                    let names: Vec<&str> = sealed.iter().map(|one| one.name.as_str()).collect();
                    scope.tell(
                        Happened::new("connection.changed", "connection", id)
                            .with("fields", change.fields.join(", "))
                            .with("secrets_replaced", names.join(", "))
                            .with("secrets_forgotten", change.is_moved),
                    );
                }
                Ok(store::connection::find(scope, id).await?)
            })
        })
        .await
        .map_err(|error| match error {
            DeskError::Store(StoreError::Stale(_)) => DeskError::not_now(
                "changed_meanwhile",
                "Somebody else changed this connection meanwhile. Look at it again and repeat your change.",
            ),
            error => error,
        })
}

/// A sandbox must not come to move into production, or the reverse, behind an active pair's back.
async fn refuse_mixing(scope: &Scope, after: &Connection) -> Result<(), DeskError> {
    for pair in store::pair::of_connection(scope, after.id).await? {
        if pair.status != PairStatus::Active || may_mix(&pair) {
            continue;
        }
        for id in [pair.erp_connection_id, pair.project_connection_id] {
            let other = store::connection::find(scope, id).await?;
            if other.id != after.id && other.environment != after.environment {
                let message = format!(
                    "The active pair “{}” joins it with “{}”, which is {}.",
                    pair.settings.name, other.name, other.environment
                );
                return Err(DeskError::not_now("environments_differ", message));
            }
        }
    }
    Ok(())
}

async fn seal(
    desk: &Desk,
    caller: &Caller,
    id: ConnectionId,
    credentials: &BTreeMap<String, Secret<String>>,
) -> Result<Vec<SealedCredential>, DeskError> {
    let mut sealed = Vec::with_capacity(credentials.len());
    for (name, text) in credentials {
        let keyring = &desk.engine.keyring;
        sealed.push(SealedCredential {
            name: name.clone(),
            sealed: keyring
                .seal(&place(caller, id, name), text.open().as_bytes())
                .await?,
        });
    }
    Ok(sealed)
}

/// A stored credential; none when it cannot be opened any more, which is told in the trail.
async fn open(
    desk: &Desk,
    caller: &Caller,
    id: ConnectionId,
    credential: &SealedCredential,
) -> Option<Secret<String>> {
    let place = place(caller, id, &credential.name);
    let keyring = &desk.engine.keyring;
    let plain = keyring.open(&place, &credential.sealed).await.ok()?;
    let text = std::str::from_utf8(&plain).ok()?;
    Some(Secret::new(text.to_owned()))
}

fn place<'a>(caller: &Caller, id: ConnectionId, name: &'a str) -> Place<'a> {
    Place {
        tenant: caller.tenant_id,
        table: "credential",
        row: id.0,
        field: name,
    }
}
