//! Moves records: reconcile, plan, apply, decide. Knows systems only by their ports.

pub mod accept;
mod amend;
mod blocked;
mod breaker;
pub mod catalog;
mod chores;
mod clients;
mod codes;
pub mod connect;
mod decide;
mod ends;
mod error;
mod explain;
mod keyring;
mod log_in;
mod look;
mod named;
mod patience;
mod plan;
mod projects;
mod reconcile;
mod rehearsal;
mod rehearsed;
pub mod session;
mod settle;
mod slice;
mod stage;
mod sweep;
mod tokens;
mod travel;
mod turn;
pub mod verify;
mod watch;
mod write;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::contract::{Connector, Network};
use crate::domain::clock::{Clock, Pace};
use crate::domain::system::SystemId;
use crate::flows::PairDeclaration;
use crate::store::Store;
use crate::vault::{Purpose, Vault};

pub use error::EngineError;
pub use keyring::Keyring;
pub use reconcile::counted as run_counts;
pub use rehearsal::forgotten_before as dry_runs_kept_since;
pub use slice::Ended;

/// What `app` hands over.
pub struct Setup {
    pub store: Store,
    pub vault: Arc<Vault>,
    pub network: Arc<dyn Network>,
    pub connectors: &'static [&'static Connector],
    pub pairs: &'static [&'static PairDeclaration],
    pub clock: Clock,
    pub pace: Pace,
}

/// Everything the engine works with. Made once by `app`; clones are cheap and share what is remembered.
#[derive(Clone)]
pub struct Engine {
    pub store: Store,
    pub vault: Arc<Vault>,
    pub network: Arc<dyn Network>,
    pub connectors: &'static [&'static Connector],
    pub pairs: &'static [&'static PairDeclaration],
    pub clock: Clock,
    pub pace: Pace,
    pub keyring: Arc<Keyring>,
    tokens: Arc<tokens::TokenShelf>,
    facts: Arc<session::FactShelf>,
    clients: Arc<clients::ClientShelf>,
    resting: Arc<verify::Resting>,
    places: Arc<slice::Places>,
    slow: Arc<turn::Slow>,
    breakers: Arc<breaker::Breakers>,
    stopping: Arc<AtomicBool>,
}

impl Engine {
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let keyring = Keyring::new(setup.store.clone(), Arc::clone(&setup.vault));
        let vault = Arc::clone(&setup.vault);
        setup.store.sign_heads(Arc::new(move |tenant, head| {
            vault.sign(Purpose::AuditHead, &[head.signed_form(tenant).as_bytes()])
        }));
        Self {
            store: setup.store,
            vault: setup.vault,
            network: setup.network,
            connectors: setup.connectors,
            pairs: setup.pairs,
            clock: setup.clock,
            pace: setup.pace,
            keyring: Arc::new(keyring),
            tokens: Arc::default(),
            facts: Arc::default(),
            clients: Arc::default(),
            resting: Arc::default(),
            places: Arc::default(),
            slow: Arc::default(),
            breakers: Arc::default(),
            stopping: Arc::default(),
        }
    }

    /// Asks every slice to end soon; records in the middle of a step finish it.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    /// Whether slices should end.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// A system's connector.
    #[must_use]
    pub fn connector(&self, system: &SystemId) -> Option<&'static Connector> {
        self.connectors
            .iter()
            .copied()
            .find(|connector| connector.system == *system)
    }
}
