//! What a flow knows about one canonical record, whatever the systems are.

use crate::contract::Need;
use crate::domain::mapping::Tables;
use crate::domain::money::Money;
use crate::domain::system::Entity;

use super::gate::{Gate, Rules};

/// What lists show of a record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    pub number: Option<String>,
    pub counterparty: Option<String>,
    pub money: Option<Money>,
    /// Its name as people compare names, where two of one name must not be taken for each other.
    pub twin_key: Option<String>,
}

/// Answers whether a source record is linked already.
pub trait Linked {
    fn is_linked(&self, entity: &Entity, source_key: &str) -> bool;
}

/// What happens when a linked record changes in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Afterwards {
    /// The target is master: differences are shown and never written.
    TargetIsMaster,
    /// Nothing is ever written: what it stands for in the target follows the mapping, and is judged anew each time.
    Checked,
    /// The document is frozen once written: a difference raises a flag with both values.
    Frozen,
}

/// One kind of record on its way.
pub struct Flow<E: 'static> {
    /// Lower goes first inside a lane.
    pub rank: u8,
    pub afterwards: Afterwards,
    /// The kind under which others wait for it.
    pub waited_for_as: &'static str,
    /// Finished in the source, which is no withdrawal: what was written stays right.
    pub has_ended: fn(&E) -> bool,
    pub facts: fn(&E) -> Facts,
    /// Whether it may leave the source at all.
    pub gate: fn(&E, &Rules<'_>) -> Gate,
    /// Everything that must be linked or mapped first; empty when all is there.
    pub needs: fn(&E, &Tables, &dyn Linked) -> Vec<Need>,
    /// Keys of linked records that mapping will ask for: entity and source key.
    pub refers_to: fn(&E) -> Vec<(Entity, String)>,
}

/// Where records stay in order: vendors each by themselves, documents by their project.
#[must_use]
pub fn lane(rank: u8, source_id: &str, project_key: Option<&str>) -> String {
    match (rank, project_key) {
        (0, _) => format!("vendor:{source_id}"),
        (_, Some(project)) => format!("project:{project}"),
        (_, None) => "company".to_owned(),
    }
}
