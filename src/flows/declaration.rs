//! What a kind of pair declares: its sides, its flows, its mapping tables and its policies.

use crate::domain::mapping::Columns;
use crate::domain::pair::Approval;
use crate::domain::system::{Entity, PairKind, SystemId};

/// One of a pair's two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SideName {
    /// Where projects are run.
    Project,
    /// Where the books are kept.
    Erp,
}

/// A side and the system that stands on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    pub system: SystemId,
    /// As people call it on pages.
    pub title: &'static str,
}

/// The canonical record that a flow moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordKind {
    Vendor,
    CostCode,
    Order,
}

/// One flow of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairFlow {
    /// As the API names it.
    pub name: &'static str,
    pub title: &'static str,
    pub record: RecordKind,
    pub from: SideName,
    /// What its links join.
    pub entity: Entity,
    pub approval: Approval,
    /// Source statuses that may leave when the customer chose none; empty = no status is looked at.
    pub statuses: &'static [&'static str],
    /// Who is master, in one sentence for the pair's page.
    pub master: &'static str,
}

/// How a policy is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    Choice(&'static [&'static str]),
    YesNo,
    /// A calendar date or nothing.
    Date,
    /// A whole number within bounds.
    Number {
        min: u32,
        max: u32,
    },
}

/// One rule that a customer may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    pub name: &'static str,
    pub label: &'static str,
    pub kind: PolicyKind,
    /// Empty stands for "none".
    pub default: &'static str,
    pub hint: &'static str,
}

/// A kind of pair.
#[derive(Debug)]
pub struct PairDeclaration {
    pub kind: PairKind,
    pub title: &'static str,
    pub project: Side,
    pub erp: Side,
    /// In the order in which records depend on each other.
    pub flows: &'static [PairFlow],
    pub mappings: &'static [Columns],
    pub policies: &'static [Policy],
}

impl PairDeclaration {
    /// A flow by its name in the API.
    #[must_use]
    pub fn flow(&self, name: &str) -> Option<&'static PairFlow> {
        self.flows.iter().find(|flow| flow.name == name)
    }

    /// The system on a side.
    #[must_use]
    pub fn side(&self, name: SideName) -> &Side {
        match name {
            SideName::Project => &self.project,
            SideName::Erp => &self.erp,
        }
    }

    /// The default of a policy.
    #[must_use]
    pub fn policy_default(&self, name: &str) -> &'static str {
        self.policies
            .iter()
            .find(|policy| policy.name == name)
            .map_or("", |policy| policy.default)
    }
}
