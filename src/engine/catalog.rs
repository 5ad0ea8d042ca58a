//! What there is to choose from: systems with what they ask for, and kinds of pairs. Handed to pages and
//! to people's acts, which know no connector.

use super::Engine;
use crate::domain::form::{Field, Kind};
use crate::domain::system::{PairKind, SystemId};

pub use crate::flows::{PairDeclaration, PairFlow, Policy, PolicyKind, RecordKind, Side, SideName};

/// One system, and what a connection to it asks for.
#[derive(Debug, Clone)]
pub struct SystemForm {
    pub system: SystemId,
    pub title: &'static str,
    pub settings: Vec<Field>,
    pub credentials: &'static [Field],
}

impl SystemForm {
    /// A setting by its name.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&Field> {
        self.settings.iter().find(|field| field.name == name)
    }

    /// A credential by its name.
    #[must_use]
    pub fn credential(&self, name: &str) -> Option<&'static Field> {
        self.credentials.iter().find(|field| field.name == name)
    }
}

/// Settings of every system. A connector that has a word of its own for one of them describes it itself.
static OF_EVERY_SYSTEM: &[Field] = &[
    Field {
        name: "quiet_period_seconds",
        label: "Quiet period in seconds",
        kind: Kind::Number {
            min: 0,
            max: 86_400,
        },
        required: false,
        default: "300",
        hint: "How long a write whose answer was lost rests before it may be sent again.",
    },
    Field {
        name: "timeout_seconds",
        label: "Deadline of one call in seconds",
        kind: Kind::Number { min: 1, max: 600 },
        required: false,
        default: "",
        hint: "Left empty, the usual deadline of the system applies.",
    },
];

impl Engine {
    /// Every system, with the settings that all of them have.
    #[must_use]
    pub fn systems(&self) -> Vec<SystemForm> {
        let systems = self.connectors.iter().map(|connector| &connector.system);
        systems.filter_map(|system| self.system(system)).collect()
    }

    /// One system.
    #[must_use]
    pub fn system(&self, system: &SystemId) -> Option<SystemForm> {
        let connector = self.connector(system)?;
        let own = connector.form.settings;
        let common = OF_EVERY_SYSTEM
            .iter()
            .filter(|field| !own.iter().any(|known| known.name == field.name));
        Some(SystemForm {
            system: connector.system.clone(),
            title: connector.title,
            settings: own.iter().chain(common).copied().collect(),
            credentials: connector.form.credentials,
        })
    }

    /// Whether both systems have opened the ports that a flow needs.
    #[must_use]
    pub fn can_move(&self, kind: &PairDeclaration, flow: &PairFlow) -> bool {
        let (from, to) = match flow.from {
            SideName::Project => (&kind.project.system, &kind.erp.system),
            SideName::Erp => (&kind.erp.system, &kind.project.system),
        };
        let (Some(from), Some(to)) = (self.connector(from), self.connector(to)) else {
            return false;
        };
        match flow.record {
            RecordKind::Vendor => from.ports.vendor.is_source() && to.ports.vendor.is_target(),
            RecordKind::CostCode => {
                from.ports.cost_code.is_source() && to.ports.cost_code.is_target()
            }
            RecordKind::Order => from.ports.order.is_source() && to.ports.order.is_target(),
        }
    }

    /// What a kind of pair declares.
    #[must_use]
    pub fn pair_kind(&self, kind: &PairKind) -> Option<&'static PairDeclaration> {
        self.pairs.iter().copied().find(|pair| pair.kind == *kind)
    }
}
