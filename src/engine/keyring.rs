//! Tenants' data keys: made at the first secret, opened once, used for every seal and every opening.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use super::EngineError;
use crate::domain::audit::Happened;
use crate::domain::ids::{DataKeyId, TenantId};
use crate::domain::member::Actor;
use crate::store::data_key::KeptKey;
use crate::store::{Store, StoreError, data_key};
use crate::vault::{DataKey, Place, Sealed, Vault, VaultError, WrappedKey};

/// Uses that are counted in the database at once. Those that a process takes with it stay counted.
const RESERVED: u32 = 256;
/// Opened keys that are remembered; a bound on memory, not on tenants.
const REMEMBERED_MAX: usize = 4096;

/// Opened data keys, and how to get at them. Shared by everybody who seals or opens.
pub struct Keyring {
    store: Store,
    vault: Arc<Vault>,
    sealing: Mutex<HashMap<TenantId, Ready>>,
    opening: Mutex<HashMap<(TenantId, DataKeyId), Arc<DataKey>>>,
}

/// A key that may seal until its count gets there.
#[derive(Clone)]
struct Ready {
    key: Arc<DataKey>,
    until: u64,
}

impl Keyring {
    #[must_use]
    pub fn new(store: Store, vault: Arc<Vault>) -> Self {
        Self {
            store,
            vault,
            sealing: Mutex::default(),
            opening: Mutex::default(),
        }
    }

    /// Seals a value for its place under the tenant's newest key; the first secret of a tenant makes it.
    ///
    /// # Errors
    /// Those of the store and the vault. Nothing is kept in clear.
    pub async fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Result<Vec<u8>, EngineError> {
        let key = self.sealing_key(place.tenant).await?;
        Ok(key.seal(place, plain)?.into_bytes())
    }

    /// Opens a value in its place. One that was changed or moved does not open, and that is told in the
    /// tenant's trail.
    ///
    /// # Errors
    /// Those of the store and the vault.
    pub async fn open(
        &self,
        place: &Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, EngineError> {
        let opened = self.try_open(place, sealed).await;
        if let Err(error) = &opened
            && is_tampering(error)
        {
            tracing::error!(tenant = %place.tenant, table = place.table, row = %place.row,
                field = place.field, %error, "a sealed value does not open");
            self.tell_unreadable(place, error).await?;
        }
        opened
    }

    async fn try_open(
        &self,
        place: &Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, EngineError> {
        let sealed = Sealed::from_bytes(sealed.to_vec());
        let key = self.opening_key(place.tenant, sealed.key_id()?).await?;
        Ok(key.open(place, &sealed)?)
    }

    async fn tell_unreadable(
        &self,
        place: &Place<'_>,
        error: &EngineError,
    ) -> Result<(), StoreError> {
        let told = Happened::new("secret.unreadable", "connection", place.row)
            .with("table", place.table)
            .with("field", place.field)
            .with("why", error);
        self.store
            .write(place.tenant, &Actor::worker(), move |scope| {
                Box::pin(async move {
                    scope.tell(told);
                    Ok::<_, StoreError>(())
                })
            })
            .await
    }

    async fn sealing_key(&self, tenant: TenantId) -> Result<Arc<DataKey>, EngineError> {
        if let Some(ready) = get(&self.sealing, &tenant)
            && ready.key.uses() < ready.until
            && !ready.key.is_worn()
        {
            return Ok(ready.key);
        }
        let ready = match self.reserve(tenant).await? {
            Some(ready) if !ready.key.is_worn() => ready,
            _ => {
                self.make(tenant).await?;
                let made = self.reserve(tenant).await?;
                made.ok_or(StoreError::Missing("data key"))?
            }
        };
        remember(&self.sealing, tenant, ready.clone());
        Ok(ready.key)
    }

    async fn reserve(&self, tenant: TenantId) -> Result<Option<Ready>, EngineError> {
        let kept = self
            .store
            .write(tenant, &Actor::worker(), |scope| {
                Box::pin(data_key::reserve(scope, RESERVED))
            })
            .await?;
        let Some(kept) = kept else { return Ok(None) };
        let until = kept.uses.saturating_add(u64::from(RESERVED));
        let key = Arc::new(self.vault.open_data_key(tenant, &wrapped(kept))?);
        Ok(Some(Ready { key, until }))
    }

    async fn make(&self, tenant: TenantId) -> Result<(), EngineError> {
        let new = self.vault.new_data_key(tenant)?;
        let kept = KeptKey {
            id: new.id,
            master_version: new.master_version()?,
            wrapped: new.bytes,
            uses: new.uses,
        };
        self.store
            .write(tenant, &Actor::worker(), move |scope| {
                Box::pin(async move { data_key::insert(scope, &kept).await })
            })
            .await?;
        Ok(())
    }

    async fn opening_key(
        &self,
        tenant: TenantId,
        id: DataKeyId,
    ) -> Result<Arc<DataKey>, EngineError> {
        if let Some(key) = get(&self.opening, &(tenant, id)) {
            return Ok(key);
        }
        let kept = {
            let scope = self.store.read(tenant).await?;
            data_key::find(&scope, id).await
        };
        let kept = match kept {
            // A value of another tenant names a key that this one does not have.
            Err(StoreError::Missing(_)) => return Err(VaultError::Broken.into()),
            kept => kept?,
        };
        let key = Arc::new(self.vault.open_data_key(tenant, &wrapped(kept))?);
        remember(&self.opening, (tenant, id), Arc::clone(&key));
        Ok(key)
    }
}

fn wrapped(kept: KeptKey) -> WrappedKey {
    WrappedKey {
        id: kept.id,
        bytes: kept.wrapped,
        uses: kept.uses,
    }
}

fn is_tampering(error: &EngineError) -> bool {
    matches!(
        error,
        EngineError::Vault(VaultError::Broken | VaultError::Format(_))
    )
}

fn get<K: Eq + Hash, V: Clone>(shelf: &Mutex<HashMap<K, V>>, key: &K) -> Option<V> {
    let shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
    shelf.get(key).cloned()
}

fn remember<K: Eq + Hash, V>(shelf: &Mutex<HashMap<K, V>>, key: K, value: V) {
    let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
    if shelf.len() >= REMEMBERED_MAX {
        shelf.clear();
    }
    shelf.insert(key, value);
}
