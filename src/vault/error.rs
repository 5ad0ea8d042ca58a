//! Why something was not sealed or not opened. No variant holds a secret.

use crate::domain::ids::DataKeyId;

/// Why something was not sealed or not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Changed, cut, sealed by another key, or moved from another tenant, table, row or field.
    #[error("the sealed value does not open here: it was changed, or belongs to another place")]
    Broken,
    /// Written by a later release, or not by this product at all.
    #[error("the sealed value has format {0}, which this release does not know")]
    Format(u8),
    /// The master key that wrapped a data key is no longer (or not yet) in the list.
    #[error("the data key was wrapped by master key v{0}, which is not in the list of master keys")]
    UnknownMaster(u32),
    /// The value names another data key than the one it was opened with.
    #[error("the value was sealed by data key {0}; open it with that one")]
    OtherKey(DataKeyId),
    /// The data key has sealed as often as is safe; seal with a new one.
    #[error("data key {0} has been used as often as is safe; make a new one")]
    Worn(DataKeyId),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
    /// The password hash could not be computed.
    #[error("the password could not be hashed")]
    Hashing,
}
