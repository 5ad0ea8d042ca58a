//! What the simulated company holds, and how it is found.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rust_decimal::Decimal;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::settings::Settings;
use crate::sandbox::kit::Random;

pub(super) type Fields = Map<String, Value>;

pub(super) struct Project {
    pub id: i64,
    pub currency: String,
    pub fields: Fields,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}

pub(super) struct Vendor {
    pub id: i64,
    /// What the API lets a caller write.
    pub fields: Fields,
    /// Type and identifier, e.g. an employer number.
    pub register: Option<(String, String)>,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ContractKind {
    PurchaseOrder,
    WorkOrder,
}

pub(super) struct Contract {
    pub id: i64,
    pub kind: ContractKind,
    pub project_id: i64,
    pub vendor_id: Option<i64>,
    pub status: String,
    /// What the API lets a caller write, without vendor and status.
    pub fields: Fields,
    pub lines: Vec<Line>,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
    pub deleted_at: Option<OffsetDateTime>,
}

pub(super) struct Line {
    pub id: i64,
    pub position: usize,
    pub wbs_code_id: i64,
    pub quantity: Decimal,
    pub unit_cost: Decimal,
    pub amount: Decimal,
    /// The amount follows quantity and unit cost.
    pub is_calculated: bool,
    /// Description, unit, tax code and origin.
    pub fields: Fields,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}

pub(super) struct SubJob {
    pub id: i64,
    pub project_id: i64,
    pub code: &'static str,
    pub name: &'static str,
}

pub(super) struct CostCode {
    pub id: i64,
    pub project_id: i64,
    /// The part of the project that it belongs to; none for the project itself.
    pub sub_job_id: Option<i64>,
    pub full_code: String,
    pub name: String,
}

pub(super) struct WbsCode {
    pub id: i64,
    pub project_id: i64,
    pub cost_code_id: i64,
    pub cost_type_id: i64,
    pub flat_code: String,
    pub flat_name: String,
    pub description: String,
    /// What the budget plans for it; nothing is no budget line.
    pub budget: Option<Decimal>,
    pub status: String,
    pub updated_at: OffsetDateTime,
}

/// The whole company, with the time of the call that is being answered.
pub(super) struct World {
    pub now: OffsetDateTime,
    pub settings: Settings,
    pub random: Random,
    pub projects: Vec<Project>,
    pub vendors: BTreeMap<i64, Vendor>,
    /// Filled by [`World::add_contract`] alone.
    pub contracts: BTreeMap<i64, Contract>,
    pub sub_jobs: Vec<SubJob>,
    pub cost_codes: BTreeMap<i64, CostCode>,
    /// Filled by [`World::add_wbs_code`] alone.
    pub wbs_codes: BTreeMap<i64, WbsCode>,
    pub next_id: i64,
    /// Contracts by project and kind, so that a list does not walk through those of other projects.
    places: BTreeMap<(i64, ContractKind), BTreeSet<i64>>,
    /// WBS codes by project and text.
    wbs_names: HashMap<(i64, String), i64>,
}

impl World {
    /// A company without anything in it.
    pub(super) fn empty(settings: Settings, random: Random, first_id: i64) -> Self {
        Self {
            now: OffsetDateTime::UNIX_EPOCH,
            settings,
            random,
            projects: Vec::new(),
            vendors: BTreeMap::new(),
            contracts: BTreeMap::new(),
            sub_jobs: Vec::new(),
            cost_codes: BTreeMap::new(),
            wbs_codes: BTreeMap::new(),
            next_id: first_id,
            places: BTreeMap::new(),
            wbs_names: HashMap::new(),
        }
    }

    pub(super) fn add_contract(&mut self, contract: Contract) {
        let place = (contract.project_id, contract.kind);
        self.places.entry(place).or_default().insert(contract.id);
        self.contracts.insert(contract.id, contract);
    }

    /// By id. A contract never moves to another project.
    pub(super) fn contracts_in(
        &self,
        project_id: i64,
        kind: ContractKind,
    ) -> impl Iterator<Item = &Contract> {
        let ids = self.places.get(&(project_id, kind)).into_iter().flatten();
        ids.filter_map(|id| self.contracts.get(id))
    }

    pub(super) fn add_wbs_code(&mut self, wbs: WbsCode) {
        let name = (wbs.project_id, wbs.flat_code.clone());
        self.wbs_names.insert(name, wbs.id);
        self.wbs_codes.insert(wbs.id, wbs);
    }

    pub(super) fn new_id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id
    }

    pub(super) fn project(&self, id: i64) -> Option<&Project> {
        let found = self.projects.iter().find(|project| project.id == id);
        found.filter(|_| self.settings.permits_project(id))
    }

    /// The WBS code of a project that joins this cost code with this cost type.
    pub(super) fn wbs_of(&self, cost_code_id: i64, cost_type_id: i64) -> Option<i64> {
        let mut codes = self.wbs_codes.values();
        let found =
            codes.find(|wbs| wbs.cost_code_id == cost_code_id && wbs.cost_type_id == cost_type_id);
        found.map(|wbs| wbs.id)
    }

    /// The WBS code of a project by its text, e.g. `03-300.M`.
    pub(super) fn wbs_named(&self, project_id: i64, flat_code: &str) -> Option<i64> {
        let name = (project_id, flat_code.to_owned());
        self.wbs_names.get(&name).copied()
    }
}

impl ContractKind {
    /// The wrapper of request bodies.
    pub(super) fn wrapper(self) -> &'static str {
        match self {
            Self::PurchaseOrder => "purchase_order_contract",
            Self::WorkOrder => "work_order_contract",
        }
    }

    pub(super) fn holder_type(self) -> &'static str {
        match self {
            Self::PurchaseOrder => "PurchaseOrderContract",
            Self::WorkOrder => "WorkOrderContract",
        }
    }

    pub(super) fn statuses(self) -> &'static [&'static str] {
        match self {
            Self::PurchaseOrder => &[
                "Draft",
                "Processing",
                "Submitted",
                "Partially Received",
                "Received",
                "Approved",
                "Closed",
            ],
            Self::WorkOrder => &[
                "Draft",
                "Out For Bid",
                "Out For Signature",
                "Approved",
                "Complete",
                "Terminated",
                "Void",
            ],
        }
    }
}

impl Contract {
    pub(super) fn total(&self) -> Decimal {
        self.lines.iter().map(|line| line.amount).sum()
    }

    /// Vendor, lines and deletion are locked. A company setting can relax it.
    pub(super) fn is_locked(&self) -> bool {
        matches!(self.status.as_str(), "Approved" | "Complete")
    }

    pub(super) fn line(&mut self, id: i64) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| line.id == id)
    }
}
