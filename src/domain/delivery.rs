//! Messages that vendors send when something changed with them. News only: what changed is read again.

use super::clock::Timestamp;
use super::ids::{ConnectionId, DeliveryId, RecordId};
use crate::closed_words;

closed_words! {
    /// What became of a delivery.
    DeliveryState {
        Queued => "queued",
        Processed => "processed",
        Duplicate => "duplicate",
        Echo => "echo",
        Ignored => "ignored",
        Rejected => "rejected",
        Failed => "failed",
    }
}

impl DeliveryState {
    /// Whether it named something that can be looked at again.
    #[must_use]
    pub fn can_be_replayed(self) -> bool {
        matches!(
            self,
            Self::Processed | Self::Echo | Self::Ignored | Self::Failed
        )
    }
}

/// One delivery, as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub connection_id: ConnectionId,
    pub received_at: Timestamp,
    /// The sender's own id of it.
    pub sender_id: Option<String>,
    pub resource: String,
    pub resource_id: String,
    pub event: String,
    pub state: DeliveryState,
    /// Why it stands so, where that is not plain.
    pub note: String,
    pub record_ids: Vec<RecordId>,
    pub done_at: Option<Timestamp>,
}

impl Delivery {
    /// From its arrival until everything that it was about came to rest.
    #[must_use]
    pub fn lag_ms(&self) -> Option<u64> {
        let done_at = self.done_at?;
        u64::try_from(done_at.since(self.received_at).as_millis()).ok()
    }
}

closed_words! {
    /// How a connection hears of changes.
    HookState {
        /// It is about to be registered.
        Wanted => "wanted",
        Registered => "registered",
        /// The vendor cannot reach us, or does not offer it: everything is polled.
        Polling => "polling",
        /// No active pair needs it.
        Off => "off",
    }
}
