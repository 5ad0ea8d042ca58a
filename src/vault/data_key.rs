//! A tenant's data key: it seals single fields, each for its place.

use std::sync::atomic::{AtomicU64, Ordering};

use zeroize::Zeroizing;

use super::cipher::{self, KeyBytes};
use super::{Place, VaultError};
use crate::domain::ids::DataKeyId;

/// The layout of [`Sealed`]: format, data key id, nonce, ciphertext, tag.
const FORMAT: u8 = 1;

/// Seals after which a key is replaced: far below the 2^32 that random nonces of 96 bits allow.
const USES_MAX: u64 = 1 << 28;

/// One sealed field. The bytes are stored as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// What was stored. Nothing is checked before it is opened.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What to store.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The data key that opens it.
    ///
    /// # Errors
    /// `Format` and `Broken`, where the bytes cannot be a sealed field.
    pub fn key_id(&self) -> Result<DataKeyId, VaultError> {
        self.parts().map(|(id, _)| id)
    }

    fn parts(&self) -> Result<(DataKeyId, &[u8]), VaultError> {
        let (format, rest) = self.0.split_first().ok_or(VaultError::Broken)?;
        if *format != FORMAT {
            return Err(VaultError::Format(*format));
        }
        let (id, body) = rest.split_first_chunk().ok_or(VaultError::Broken)?;
        Ok((DataKeyId(uuid::Uuid::from_bytes(*id)), body))
    }
}

/// A data key, opened. Zeroed when dropped; keep it no longer than the work at hand.
pub struct DataKey {
    id: DataKeyId,
    key: KeyBytes,
    uses: AtomicU64,
}

impl DataKey {
    pub(super) fn new(id: DataKeyId, key: KeyBytes, uses: u64) -> Self {
        let uses = AtomicU64::new(uses);
        Self { id, key, uses }
    }

    #[must_use]
    pub fn id(&self) -> DataKeyId {
        self.id
    }

    /// How often it has sealed, in its whole life. Stored beside the wrapped key.
    pub fn uses(&self) -> u64 {
        self.uses.load(Ordering::Relaxed)
    }

    /// Time for a new data key; this one goes on opening what it sealed.
    pub fn is_worn(&self) -> bool {
        self.uses() >= USES_MAX
    }

    /// Seals a value for one place.
    ///
    /// # Errors
    /// `Worn` when a new data key is due, `NoRandomness`.
    pub fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Result<Sealed, VaultError> {
        if self.uses.fetch_add(1, Ordering::Relaxed) >= USES_MAX {
            return Err(VaultError::Worn(self.id));
        }
        let bound_to = place.associated_data(FORMAT, self.id);
        let body = cipher::seal(&self.key, &bound_to, plain)?;
        Ok(Sealed(
            [&[FORMAT], self.id.0.as_bytes().as_slice(), &body].concat(),
        ))
    }

    /// Opens a value in its place. The plain bytes are zeroed when dropped.
    ///
    /// # Errors
    /// `OtherKey` names the data key to take instead; `Broken` and `Format` mean tampering or damage.
    pub fn open(
        &self,
        place: &Place<'_>,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (id, body) = sealed.parts()?;
        if id != self.id {
            return Err(VaultError::OtherKey(id));
        }
        cipher::open(&self.key, &place.associated_data(FORMAT, id), body)
    }
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DataKey({}, ***)", self.id)
    }
}
