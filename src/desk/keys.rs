//! The master key's rotation: what lies under which version, who knows which, and the re-wrapping itself,
//! which can be broken off anywhere and gone on with.

use std::time::Duration;

use super::{Desk, DeskError};
use crate::domain::audit::Happened;
use crate::domain::ids::TenantId;
use crate::domain::member::Actor;
use crate::store::data_key::{self, KeptKey};
use crate::store::node::{self, LiveNode, Node};
use crate::store::{self, key_rotation};
use crate::vault::{Purpose, Vault, WrappedKey};

/// Data keys that are looked for at once.
const AT_ONCE: u32 = 200;

/// What an operator sees of the master keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// Data keys under each version that has any.
    pub data_keys: Vec<(u32, u64)>,
    pub nodes: Vec<LiveNode>,
    /// The version of a rotation that was begun and not finished.
    pub unfinished: Option<u32>,
}

/// What lies under which version, and who knows which.
///
/// # Errors
/// `Store`.
pub async fn overview(desk: &Desk) -> Result<Overview, DeskError> {
    let store = desk.store();
    Ok(Overview {
        data_keys: key_rotation::counts(store).await?,
        nodes: node::live(store).await?,
        unfinished: key_rotation::unfinished(store).await?,
    })
}

impl Overview {
    /// Data keys that lie under another version than this one.
    #[must_use]
    pub fn not_under(&self, version: u32) -> u64 {
        let others = self.data_keys.iter().filter(|(known, _)| *known != version);
        others.map(|(_, count)| *count).sum()
    }
}

/// Says that this process is there and what it knows, and begins to seal with the newest version once
/// every other process knows it.
///
/// # Errors
/// `Store`.
pub async fn beat(desk: &Desk, me: &mut Node) -> Result<(), DeskError> {
    me.versions = desk.vault().versions();
    me.sealing_version = desk.vault().sealing_version();
    node::beat(desk.store(), me).await?;
    let newest = desk.vault().newest_version();
    if me.sealing_version == newest {
        return Ok(());
    }
    let nodes = node::live(desk.store()).await?;
    if nodes.iter().all(|node| node.versions.contains(&newest)) {
        tracing::info!(version = newest, "the newest master key seals from now on");
        desk.vault().seal_with_newest();
        me.sealing_version = newest;
        node::beat(desk.store(), me).await?;
    }
    Ok(())
}

/// Processes that do not seal with a version yet; those that were silent for longer than `patience` are not
/// asked.
///
/// # Errors
/// `Store`.
pub async fn laggards(
    desk: &Desk,
    version: u32,
    patience: Duration,
) -> Result<Vec<LiveNode>, DeskError> {
    let mut nodes = node::live(desk.store()).await?;
    nodes.retain(|node| node.sealing_version != version && node.silent_for <= patience);
    Ok(nodes)
}

/// Begins a rotation to a version that the vault knows, or goes on with it.
///
/// # Errors
/// `Store`.
pub async fn begin(desk: &Desk, version: u32) -> Result<(), DeskError> {
    Ok(key_rotation::begin(desk.store(), version).await?)
}

/// What a rotation did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rotated {
    pub data_keys: u64,
    pub heads: u64,
}

/// Wraps every data key and signs every head by the version that the vault seals with, and finishes the
/// rotation when nothing is left under another one. Each key is one commit.
///
/// # Errors
/// `Vault` where a key does not open, `Store`.
pub async fn rewrap_all(desk: &Desk) -> Result<Rotated, DeskError> {
    let version = desk.vault().sealing_version();
    let mut rotated = Rotated::default();
    loop {
        let some = key_rotation::not_under(desk.store(), version, AT_ONCE).await?;
        if some.is_empty() {
            break;
        }
        for (tenant, key) in some {
            rewrap(desk, tenant, key).await?;
            rotated.data_keys = rotated.data_keys.saturating_add(1);
        }
    }
    for (tenant, _) in store::threshold::heads(desk.store()).await? {
        let signed = sign_again(desk, tenant, version).await?;
        rotated.heads = rotated.heads.saturating_add(u64::from(signed));
    }
    key_rotation::finish(desk.store(), version).await?;
    Ok(rotated)
}

async fn rewrap(desk: &Desk, tenant: TenantId, key: KeptKey) -> Result<(), DeskError> {
    let before = key.wrapped.clone();
    let wrapped = desk.vault().rewrap(
        tenant,
        &WrappedKey {
            id: key.id,
            bytes: key.wrapped,
            uses: key.uses,
        },
    )?;
    let kept = KeptKey {
        id: key.id,
        master_version: wrapped.master_version()?,
        wrapped: wrapped.bytes,
        uses: key.uses,
    };
    let told = Happened::new("key.rewrapped", "data_key", kept.id)
        .with("before", format!("v{}", key.master_version))
        .with("after", format!("v{}", kept.master_version));
    desk.store()
        .write(tenant, &Actor::command(), move |scope| {
            Box::pin(async move {
                // Somebody else may have done it meanwhile: then it is done.
                if data_key::rewrap(scope, &kept, &before).await? {
                    scope.tell(told);
                }
                Ok(())
            })
        })
        .await
}

/// Puts the newest signature under a head whose present one holds. One that does not stays as it is: what
/// was tampered with must not be signed.
async fn sign_again(desk: &Desk, tenant: TenantId, version: u32) -> Result<bool, DeskError> {
    let scope = desk.store().read(tenant).await?;
    let Some(stored) = store::audit::head(&scope).await? else {
        return Ok(false);
    };
    drop(scope);
    let form = stored.head.signed_form(tenant);
    let parts: [&[u8]; 1] = [form.as_bytes()];
    let before = stored.signature.unwrap_or_default();
    if Vault::version_of(&before) == Some(version) {
        return Ok(false);
    }
    if !desk.vault().is_signed(Purpose::AuditHead, &parts, &before) {
        tracing::warn!(%tenant, "the head of this trail is not signed as it should be, and is left so");
        return Ok(false);
    }
    let signature = desk.vault().sign(Purpose::AuditHead, &parts);
    desk.store()
        .write(tenant, &Actor::command(), move |scope| {
            Box::pin(async move {
                // Where it has moved on, whoever moved it has signed it.
                Ok(store::audit::sign_head(scope, &stored.head, &signature).await?)
            })
        })
        .await
}
