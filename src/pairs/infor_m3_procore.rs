//! Procore and Infor CloudSuite M3: commitments become purchase orders, vendors become suppliers.

use crate::domain::mapping::{Column, Columns, MappingKind};
use crate::domain::pair::Approval;
use crate::domain::system::{Entity, PairKind, SystemId};
use crate::flows::{PairDeclaration, PairFlow, Policy, PolicyKind, RecordKind, Side, SideName};

/// The declaration.
pub static PAIR: PairDeclaration = PairDeclaration {
    kind: PairKind::new("infor_m3_procore"),
    title: "Infor M3 and Procore",
    project: Side {
        system: SystemId::new("procore"),
        title: "Procore",
    },
    erp: Side {
        system: SystemId::new("infor_m3"),
        title: "Infor M3",
    },
    flows: FLOWS,
    mappings: MAPPINGS,
    policies: POLICIES,
};

static FLOWS: &[PairFlow] = &[
    PairFlow {
        name: "vendors",
        title: "Vendors",
        record: RecordKind::Vendor,
        from: SideName::Project,
        entity: Entity::new("vendor"),
        approval: Approval::Automatic,
        statuses: &[],
        master: "M3 is master: suppliers that are missing are created, existing ones are linked and never overwritten.",
    },
    PairFlow {
        name: "cost_codes",
        title: "Cost codes",
        record: RecordKind::CostCode,
        from: SideName::Project,
        entity: Entity::new("cost_code"),
        approval: Approval::Automatic,
        statuses: &[],
        master: "Nothing is written: each code must be mapped to an account that is open in M3, where accounts are made.",
    },
    PairFlow {
        name: "commitments",
        title: "Commitments",
        record: RecordKind::Order,
        from: SideName::Project,
        entity: Entity::new("commitment"),
        approval: Approval::Review,
        statuses: &["Approved"],
        master: "Procore is master: an approved commitment becomes one purchase order in M3.",
    },
];

const fn key(name: &'static str, label: &'static str) -> Column {
    Column {
        name,
        label,
        required: true,
        key: true,
    }
}

const fn part_of_key(name: &'static str, label: &'static str) -> Column {
    Column {
        name,
        label,
        required: false,
        key: true,
    }
}

const fn required(name: &'static str, label: &'static str) -> Column {
    Column {
        name,
        label,
        required: true,
        key: false,
    }
}

const fn optional(name: &'static str, label: &'static str) -> Column {
    Column {
        name,
        label,
        required: false,
        key: false,
    }
}

static DIMENSIONS: &[Column] = &[
    required("ait1", "Account"),
    optional("ait2", "Dimension 2"),
    optional("ait3", "Dimension 3"),
    optional("ait4", "Dimension 4"),
    optional("ait5", "Dimension 5"),
    optional("ait6", "Dimension 6"),
    optional("ait7", "Dimension 7"),
    optional("element", "Project element"),
    optional("cost_center", "Cost centre"),
    optional("acrf", "Account control object"),
];

static MAPPINGS: &[Columns] = &[
    Columns {
        kind: MappingKind::Projects,
        project_side: &[key("project_id", "Procore project")],
        erp_side: &[
            optional("cono", "Company"),
            optional("divi", "Division"),
            optional("facility", "Facility"),
            optional("warehouse", "Warehouse"),
            optional("project", "M3 project"),
            optional("element", "Project element"),
            optional("buyer", "Buyer"),
            optional("order_type", "Order type"),
        ],
    },
    Columns {
        kind: MappingKind::CostCodes,
        project_side: &[
            key("cost_code", "Cost code"),
            part_of_key("cost_type", "Cost type"),
            part_of_key("sub_job", "Sub job"),
            part_of_key("project_id", "Procore project"),
        ],
        erp_side: DIMENSIONS,
    },
    Columns {
        kind: MappingKind::Items,
        project_side: &[
            part_of_key("cost_type", "Cost type"),
            part_of_key("contract_kind", "Kind of contract"),
            part_of_key("project_id", "Procore project"),
        ],
        erp_side: &[required("item", "Item"), optional("unit", "Unit")],
    },
    Columns {
        kind: MappingKind::Vendors,
        project_side: &[key("vendor_id", "Procore vendor")],
        erp_side: &[required("supplier", "Supplier")],
    },
    Columns {
        kind: MappingKind::Units,
        project_side: &[key("code", "Unit in Procore")],
        erp_side: &[required("code", "Unit in M3")],
    },
    Columns {
        kind: MappingKind::PaymentTerms,
        project_side: &[key("code", "Terms in Procore")],
        erp_side: &[required("code", "Terms in M3")],
    },
    Columns {
        kind: MappingKind::Currencies,
        project_side: &[key("code", "Currency in Procore")],
        erp_side: &[required("code", "Currency in M3")],
    },
];

/// Policies that reach the flows of this pair; values and defaults are the public contract's.
static POLICIES: &[Policy] = &[
    Policy {
        name: "po_number",
        label: "Order number",
        kind: PolicyKind::Choice(&["erp", "both"]),
        default: "erp",
        hint: "M3 always gives the number; `both` also puts Procore's number in the order's text.",
    },
    Policy {
        name: "vendors",
        label: "Which vendors",
        kind: PolicyKind::Choice(&["all", "used"]),
        default: "all",
        hint: "`all` moves every active vendor, `used` only those that a document in scope needs.",
    },
    Policy {
        name: "orphans",
        label: "When the source is deleted",
        kind: PolicyKind::Choice(&["mark", "keep"]),
        default: "mark",
        hint: "`mark` flags the record; nothing is ever removed from M3.",
    },
    Policy {
        name: "closed_period",
        label: "Closed period",
        kind: PolicyKind::Choice(&["hold", "first_open", "ask"]),
        default: "hold",
        hint: "What happens to a document whose accounting date lies in a closed period.",
    },
    Policy {
        name: "closed_through",
        label: "Closed through",
        kind: PolicyKind::Date,
        default: "",
        hint: "The last day that accounting has closed.",
    },
    Policy {
        name: "zero_invoice",
        label: "Invoices of 0.00",
        kind: PolicyKind::Choice(&["skip", "hold"]),
        default: "skip",
        hint: "Some ledgers refuse them.",
    },
    Policy {
        name: "over_billing",
        label: "Billing above the order",
        kind: PolicyKind::Choice(&["off", "warn", "stop"]),
        default: "warn",
        hint: "Compared with the revised value.",
    },
    Policy {
        name: "tax_on_retainage",
        label: "Tax on retainage",
        kind: PolicyKind::Choice(&["gross", "net"]),
        default: "gross",
        hint: "Must equal the setting of the ERP.",
    },
    Policy {
        name: "write_origin_id",
        label: "Write origin_id in Procore",
        kind: PolicyKind::YesNo,
        default: "false",
        hint: "Belongs to one integration only, and locks some documents.",
    },
    Policy {
        name: "four_eyes",
        label: "Four eyes",
        kind: PolicyKind::YesNo,
        default: "false",
        hint: "Whoever changed a record or its mapping may not approve it.",
    },
    Policy {
        name: "retainage_route",
        label: "Retainage route",
        kind: PolicyKind::Choice(&["", "account_line", "service_line", "second_invoice"]),
        default: "",
        hint: "How retainage reaches M3; without one, invoices with retainage stop before approval.",
    },
    Policy {
        name: "invoice_finish",
        label: "Invoices in M3",
        kind: PolicyKind::Choice(&["validate", "leave_in_batch"]),
        default: "validate",
        hint: "`leave_in_batch` lets accounting post the batch by hand.",
    },
    Policy {
        name: "receipt_first",
        label: "Receive before invoicing",
        kind: PolicyKind::YesNo,
        default: "false",
        hint: "Needed where matching asks for receipts.",
    },
    Policy {
        name: "order_changes",
        label: "Changed orders",
        kind: PolicyKind::Choice(&["change_order", "reopen", "show"]),
        default: "change_order",
        hint: "How later changes of an order travel.",
    },
    Policy {
        name: "order_invoice_fallback",
        label: "Invoices that cannot be placed",
        kind: PolicyKind::Choice(&["hold", "payment_record", "direct_cost"]),
        default: "hold",
        hint: "What happens to an invoice of an order when no billing period is open.",
    },
    Policy {
        name: "requisitions_as",
        label: "Requisitions become",
        kind: PolicyKind::Choice(&["auto"]),
        default: "auto",
        hint: "Chosen by where the contract comes from.",
    },
    Policy {
        name: "payment_applications",
        label: "Owner's payment applications",
        kind: PolicyKind::Choice(&["off", "as_payable"]),
        default: "off",
        hint: "Only for a company that itself pays the prime contract.",
    },
    Policy {
        name: "cost_codes.create_in",
        label: "Create missing cost codes",
        kind: PolicyKind::Choice(&["none", "procore", "erp"]),
        default: "none",
        hint: "M3 accounts are never created.",
    },
    Policy {
        name: "lines_without_project",
        label: "Lines without a project",
        kind: PolicyKind::Choice(&["leave", "hold"]),
        default: "leave",
        hint: "`leave` lists them on the record.",
    },
    Policy {
        name: "mixed_environments",
        label: "Sandbox with production",
        kind: PolicyKind::YesNo,
        default: "false",
        hint: "Lets a sandbox of one system be joined with the production of the other.",
    },
    Policy {
        name: "batch_patience_minutes",
        label: "Patience with the order batch",
        kind: PolicyKind::Number {
            min: 1,
            max: 10_080,
        },
        default: "30",
        hint: "Minutes until an order that M3 accepted but has not created is shown as waiting.",
    },
];
