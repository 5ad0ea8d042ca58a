//! Data keys under the master keys: making one, and opening it again.

use std::sync::{Arc, PoisonError, RwLock};

use super::cipher::{self, KeyBytes};
use super::{DataKey, MasterKeys, VaultError};
use crate::domain::ids::{DataKeyId, TenantId};

/// The layout of [`WrappedKey`]'s bytes: format, master version, nonce, ciphertext, tag.
const FORMAT: u8 = 1;

/// A tenant's data key as it is stored: sealed by a master key, useless without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    pub id: DataKeyId,
    pub bytes: Vec<u8>,
    /// How often the key has sealed ([`DataKey::uses`]).
    pub uses: u64,
}

/// The master keys at work. Cheap to share behind an `Arc`; versions that are added later are learned.
pub struct Vault {
    masters: RwLock<Arc<MasterKeys>>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault")
            .field("masters", &self.masters())
            .finish()
    }
}

/// A list of master keys that does not go on from the one that is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version in the list has another key than before")]
pub struct OtherKeys;

impl Vault {
    #[must_use]
    pub fn new(masters: MasterKeys) -> Self {
        Self {
            masters: RwLock::new(Arc::new(masters)),
        }
    }

    pub(super) fn masters(&self) -> Arc<MasterKeys> {
        let masters = self.masters.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&masters)
    }

    /// Takes up a later reading of the list: all its versions open from now on. What seals stays, until
    /// [`Vault::seal_with_newest`]. Gives whether anything was new.
    ///
    /// # Errors
    /// When the list does not go on from this one; nothing is taken up then.
    pub fn learn(&self, list: MasterKeys) -> Result<bool, OtherKeys> {
        let mut masters = self.masters.write().unwrap_or_else(PoisonError::into_inner);
        let learned = list.after(&masters).ok_or(OtherKeys)?;
        let is_new = !learned.is_as(&masters);
        *masters = Arc::new(learned);
        Ok(is_new)
    }

    /// From now on the newest version seals: whoever else works on this database knows it.
    pub fn seal_with_newest(&self) {
        let mut masters = self.masters.write().unwrap_or_else(PoisonError::into_inner);
        *masters = Arc::new(masters.with_newest());
    }

    /// The versions that open, oldest first.
    #[must_use]
    pub fn versions(&self) -> Vec<u32> {
        self.masters().versions()
    }

    /// The version at the end of the list.
    #[must_use]
    pub fn newest_version(&self) -> u32 {
        self.masters().newest_version()
    }

    /// The version that seals.
    #[must_use]
    pub fn sealing_version(&self) -> u32 {
        self.masters().sealing().0
    }

    /// Makes a data key for a tenant, wrapped by the master key that seals. Store it before sealing with it.
    ///
    /// # Errors
    /// `NoRandomness`.
    pub fn new_data_key(&self, tenant: TenantId) -> Result<WrappedKey, VaultError> {
        self.wrap(tenant, DataKeyId::generate(), &cipher::random_key()?, 0)
    }

    fn wrap(
        &self,
        tenant: TenantId,
        id: DataKeyId,
        key: &KeyBytes,
        uses: u64,
    ) -> Result<WrappedKey, VaultError> {
        let masters = self.masters();
        let (version, master) = masters.sealing();
        let bound_to = associated_data(version, tenant, id);
        let body = cipher::seal(master, &bound_to, key.as_slice())?;
        let bytes = [&[FORMAT], version.to_be_bytes().as_slice(), &body].concat();
        Ok(WrappedKey { id, bytes, uses })
    }

    /// Opens a tenant's data key with the master key that it names.
    ///
    /// # Errors
    /// `UnknownMaster` when that master key is missing; `Broken` and `Format` mean tampering, damage, or
    /// another master key under the same version.
    pub fn open_data_key(
        &self,
        tenant: TenantId,
        wrapped: &WrappedKey,
    ) -> Result<DataKey, VaultError> {
        let key = self.unwrap(tenant, wrapped)?;
        Ok(DataKey::new(wrapped.id, key, wrapped.uses))
    }

    fn unwrap(&self, tenant: TenantId, wrapped: &WrappedKey) -> Result<KeyBytes, VaultError> {
        let (version, body) = wrapped.parts()?;
        let masters = self.masters();
        let master = masters
            .version(version)
            .ok_or(VaultError::UnknownMaster(version))?;
        let plain = cipher::open(master, &associated_data(version, tenant, wrapped.id), body)?;
        let mut key = KeyBytes::default();
        if plain.len() != key.len() {
            return Err(VaultError::Broken);
        }
        key.copy_from_slice(&plain);
        Ok(key)
    }

    /// The same data key, wrapped by the master key that seals. What it sealed opens as before.
    ///
    /// # Errors
    /// Those of [`Vault::open_data_key`]; `NoRandomness`.
    pub fn rewrap(&self, tenant: TenantId, wrapped: &WrappedKey) -> Result<WrappedKey, VaultError> {
        let key = self.unwrap(tenant, wrapped)?;
        self.wrap(tenant, wrapped.id, &key, wrapped.uses)
    }
}

impl WrappedKey {
    /// The version of the master key that wrapped it.
    ///
    /// # Errors
    /// `Format` and `Broken`, where the bytes cannot be a wrapped key.
    pub fn master_version(&self) -> Result<u32, VaultError> {
        self.parts().map(|(version, _)| version)
    }

    fn parts(&self) -> Result<(u32, &[u8]), VaultError> {
        let (format, rest) = self.bytes.split_first().ok_or(VaultError::Broken)?;
        if *format != FORMAT {
            return Err(VaultError::Format(*format));
        }
        let (version, body) = rest.split_first_chunk().ok_or(VaultError::Broken)?;
        Ok((u32::from_be_bytes(*version), body))
    }
}

fn associated_data(version: u32, tenant: TenantId, id: DataKeyId) -> Vec<u8> {
    let mut data = b"mlc data key".to_vec();
    data.push(FORMAT);
    data.extend(version.to_be_bytes());
    data.extend(tenant.0.as_bytes());
    data.extend(id.0.as_bytes());
    data
}
