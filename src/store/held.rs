//! Leases that one transaction has looked at already: units that share a commit need not ask again, because
//! nobody else can change a lease before it ends.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::ids::TenantId;

/// What is known of leases within one transaction.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<HashMap<TenantId, Known>>);

#[derive(Debug, Clone, Copy)]
struct Known {
    fence: i64,
    /// It was made to last so many seconds from this transaction's start; 0 when it was only looked at.
    seconds: i64,
}

impl Held {
    /// Whether the lease is surely that of the fence, and lasts for `seconds`.
    pub fn covers(&self, tenant: TenantId, fence: i64, seconds: i64) -> bool {
        let known = self.lock().get(&tenant).copied();
        known.is_some_and(|known| known.fence == fence && known.seconds >= seconds)
    }

    /// It was looked at, and made to last for `seconds`.
    pub fn note(&self, tenant: TenantId, fence: i64, seconds: i64) {
        let mut all = self.lock();
        let known = all.entry(tenant).or_insert(Known { fence, seconds });
        known.seconds = match known.fence == fence {
            true => known.seconds.max(seconds),
            false => seconds,
        };
        known.fence = fence;
    }

    /// Taken, given back, or a unit that had looked was taken back with its locks.
    pub fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<TenantId, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
