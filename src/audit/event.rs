//! A chained event, and the head of a chain.

use crate::domain::clock::Timestamp;
use crate::domain::ids::{RunId, TenantId};

use super::canonical;

/// Random bytes in a salt: enough that an erased detail cannot be found by trying.
pub const SALT_BYTES: usize = 16;

/// What stands in the first event's `prev_hash`.
const FIRST_PREV_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One event in its tenant's chain. Hashes are SHA-256 in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Counts from 1 without gaps.
    pub seq: i64,
    pub at: Timestamp,
    pub actor_kind: String,
    pub actor_id: String,
    pub action: String,
    pub subject_kind: String,
    pub subject_id: String,
    pub run_id: Option<RunId>,
    /// Of what lies beside; stays when that is erased.
    pub detail_hash: String,
    pub prev_hash: String,
    pub hash: String,
    /// None once erased.
    pub beside: Option<Beside>,
}

/// What lies beside the chain and may be erased, all of it together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    pub salt: [u8; SALT_BYTES],
    pub actor_name: String,
    /// A JSON object of texts, in the order told. Stored as this text: hashing needs every byte of it.
    pub detail: String,
}

impl Beside {
    /// The facts of the detail, in the order told; none where the text is no object of texts.
    #[must_use]
    pub fn facts(&self) -> Vec<(String, String)> {
        canonical::facts(&self.detail)
    }
}

/// The end of a chain: the next event goes on from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub seq: i64,
    pub hash: String,
}

impl Head {
    /// Before the first event.
    #[must_use]
    pub fn start() -> Self {
        Self {
            seq: 0,
            hash: FIRST_PREV_HASH.to_owned(),
        }
    }

    /// The head that an event makes.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        Self {
            seq: event.seq,
            hash: event.hash.clone(),
        }
    }

    /// What to sign, so that a head cannot be made up or taken from another tenant.
    #[must_use]
    pub fn signed_form(&self, tenant: TenantId) -> String {
        format!("{tenant} {} {}", self.seq, self.hash)
    }
}
