//! A link: this record of one system is that record of the other.

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::ids::{LinkId, PairId};
use super::system::{Entity, SystemId};

/// One side of a link.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct End {
    pub system: SystemId,
    /// The vendor's bare key; parts joined by `/`.
    pub id: String,
}

/// What is a part of another record. Its target's key begins with that record's: `7000123/1/0`.
pub const PARTS: &[Entity] = &[Entity::new("order_line")];

/// Entities of which many source records may be one target record: the codes of many projects are booked on one
/// account.
pub const SHARED: &[Entity] = &[Entity::new("cost_code")];

/// One row of the cross-reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub id: LinkId,
    pub pair_id: PairId,
    pub entity: Entity,
    /// Company and division where the target key lives.
    pub scope: String,
    pub source: End,
    pub target: End,
    /// `created`, `write_tag`, `number`, `tax_id`, `name`, `mapping`, `person`.
    pub matched_by: String,
    /// Digest of the draft last written or adopted; none for a link that was only found.
    pub draft_digest: Option<String>,
    pub created_at: Timestamp,
}
