//! What can go wrong in the engine besides a fault of a vendor.

use crate::store::StoreError;
use crate::vault::VaultError;

/// Why the engine could not do its own part.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
}
