//! Moves records: reconcile, plan, apply, decide. Knows systems only by their ports.

use std::sync::Arc;

use crate::contract::{Connector, Network};
use crate::domain::clock::{Clock, Pace};
use crate::domain::system::{PairKind, SystemId};
use crate::flows::PairDeclaration;
use crate::store::Store;
use crate::vault::Vault;

/// Everything the engine works with. Made once by `app`; clones are cheap.
#[derive(Clone)]
pub struct Engine {
    pub store: Store,
    pub vault: Arc<Vault>,
    pub network: Arc<dyn Network>,
    pub connectors: &'static [&'static Connector],
    pub pairs: &'static [&'static PairDeclaration],
    pub clock: Clock,
    pub pace: Pace,
}

impl Engine {
    /// A system's connector.
    #[must_use]
    pub fn connector(&self, system: &SystemId) -> Option<&'static Connector> {
        self.connectors
            .iter()
            .copied()
            .find(|connector| connector.system == *system)
    }

    /// What a kind of pair declares.
    #[must_use]
    pub fn pair_kind(&self, kind: &PairKind) -> Option<&'static PairDeclaration> {
        self.pairs.iter().copied().find(|pair| pair.kind == *kind)
    }
}
