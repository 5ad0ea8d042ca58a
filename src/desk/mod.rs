//! What people do: sign up, connect, map, approve, retry. One function is one transaction: the change,
//! its audit event and the wake of the work that follows.

pub mod account;
mod blockers;
pub mod connection;
mod connection_draft;
mod entry;
mod error;
pub mod failure;
pub mod four_eyes;
mod guessing;
mod hashing;
pub mod keys;
pub mod mapping;
pub mod pair;
mod pair_entry;
pub mod record;
pub mod refusal;
pub mod replay;
pub mod run;
pub mod session;
pub mod suggestion;
pub mod token;
pub mod trail;
pub mod whole;

use std::sync::Arc;

use crate::engine::Engine;
use crate::store::Store;
use crate::vault::Vault;

pub use blockers::DryRun;
pub use entry::Values;
pub use error::DeskError;
pub use pair_entry::EnteredSettings;

/// What people's acts need. Made once by `app`; clones are cheap.
#[derive(Clone)]
pub struct Desk {
    pub engine: Engine,
}

impl Desk {
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.engine.store
    }

    #[must_use]
    pub fn vault(&self) -> &Arc<Vault> {
        &self.engine.vault
    }
}
