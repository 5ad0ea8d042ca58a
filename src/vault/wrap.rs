//! Data keys under the master keys: making one, and opening it again.

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

/// The master keys at work. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Vault {
    pub(super) masters: MasterKeys,
}

impl Vault {
    #[must_use]
    pub fn new(masters: MasterKeys) -> Self {
        Self { masters }
    }

    /// Makes a data key for a tenant, wrapped by the newest master key. Store it before sealing with it.
    ///
    /// # Errors
    /// `NoRandomness`.
    pub fn new_data_key(&self, tenant: TenantId) -> Result<WrappedKey, VaultError> {
        let id = DataKeyId::generate();
        let key = cipher::random_key()?;
        let (version, master) = self.masters.newest();
        let body = cipher::seal(
            master,
            &associated_data(version, tenant, id),
            key.as_slice(),
        )?;
        let bytes = [&[FORMAT], version.to_be_bytes().as_slice(), &body].concat();
        let uses = 0;
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
        let (version, body) = wrapped.parts()?;
        let master = self
            .masters
            .version(version)
            .ok_or(VaultError::UnknownMaster(version))?;
        let plain = cipher::open(master, &associated_data(version, tenant, wrapped.id), body)?;
        let mut key = KeyBytes::default();
        if plain.len() != key.len() {
            return Err(VaultError::Broken);
        }
        key.copy_from_slice(&plain);
        Ok(DataKey::new(wrapped.id, key, wrapped.uses))
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
