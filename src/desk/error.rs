//! Why an act was refused, in terms that a page and the API can both answer with.

use std::time::Duration;

use crate::domain::fault::{Fault, Issue};
use crate::domain::pair::Blocker;
use crate::engine::EngineError;
use crate::store::StoreError;
use crate::vault::VaultError;

/// Why an act was not done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// No such thing in this tenant: 404.
    #[error("there is no such {0}")]
    Missing(&'static str),
    /// Fields are wrong: 422, one issue a field.
    #[error("some fields need a change")]
    Invalid(Vec<Issue>),
    /// The state does not allow it: 409.
    #[error("{message}")]
    NotNow { code: &'static str, message: String },
    /// The pair cannot be activated: 409 with every blocker.
    #[error("something is missing before this pair can be activated")]
    Blocked(Vec<Blocker>),
    /// Too many tries: 429.
    #[error("too many tries")]
    TooFast { retry_after: Duration },
    /// A vendor could not be asked.
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error(transparent)]
    Store(StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl From<StoreError> for DeskError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing(what) => Self::Missing(what),
            other => Self::Store(other),
        }
    }
}

impl From<EngineError> for DeskError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(error) => error.into(),
            EngineError::Vault(error) => error.into(),
        }
    }
}

impl DeskError {
    /// One wrong field.
    #[must_use]
    pub fn invalid(field: &str, code: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Issue::new(field, code, message)])
    }

    /// The state does not allow it.
    #[must_use]
    pub fn not_now(code: &'static str, message: impl Into<String>) -> Self {
        Self::NotNow {
            code,
            message: message.into(),
        }
    }
}
