//! What a connection asks for.

use crate::domain::form::{ConnectionForm, Field, Kind};

pub(super) const FORM: ConnectionForm = ConnectionForm {
    settings: SETTINGS,
    credentials: &[Field {
        name: "ionapi",
        label: ".ionapi file",
        kind: Kind::SecretFile,
        required: true,
        default: "",
        hint: "In Infor OS Portal: API Gateway, Authorized Apps, an app of the type Backend Service, Download \
               Credentials with Create Service Account ticked. Paste or choose the whole file.",
    }],
};

const fn text(name: &'static str, label: &'static str, hint: &'static str) -> Field {
    Field {
        name,
        label,
        kind: Kind::Text,
        required: false,
        default: "",
        hint,
    }
}

const fn with_default(field: Field, default: &'static str) -> Field {
    Field { default, ..field }
}

const fn required(field: Field) -> Field {
    Field {
        required: true,
        ..field
    }
}

const fn kind(field: Field, kind: Kind) -> Field {
    Field { kind, ..field }
}

const fn number(field: Field, min: i64, max: i64) -> Field {
    kind(field, Kind::Number { min, max })
}

const SETTINGS: &[Field] = &[
    required(text(
        "cono",
        "Company (CONO)",
        "The M3 company that is written to, 1 to 999. Every call names it.",
    )),
    text(
        "divi",
        "Division (DIVI)",
        "The division whose accounts are used; leave it empty for the company's own level.",
    ),
    text(
        "facility",
        "Facility (FACI)",
        "Where a project's own row names none.",
    ),
    text(
        "warehouse",
        "Warehouse (WHLO)",
        "Where a project's own row names none.",
    ),
    text(
        "buyer",
        "Buyer (BUYE)",
        "The M3 user who is the buyer of orders.",
    ),
    text(
        "purchaser",
        "Requisition by (PURC)",
        "The M3 user who is named as the requester of orders; also used to find them again.",
    ),
    text(
        "responsible",
        "Responsible (RESP)",
        "The M3 user who is responsible for receipts.",
    ),
    text(
        "order_type",
        "Order type (ORTY)",
        "For purchase orders; empty leaves it to the supplier.",
    ),
    text(
        "subcontract_order_type",
        "Order type for subcontracts",
        "Empty means the order type above.",
    ),
    text(
        "batch_origin",
        "Batch origin (BAOR)",
        "The origin of PPS090 under which orders are entered. It decides whether they are made at once or wait for a person.",
    ),
    with_default(
        number(
            text(
                "lead_days",
                "Lead days",
                "Days until delivery when the source names no date.",
            ),
            0,
            730,
        ),
        "14",
    ),
    text(
        "supplier_template",
        "Supplier template (STEM)",
        "The supplier that new ones are copied from.",
    ),
    kind(
        text(
            "supplier_defaults",
            "Supplier defaults",
            "MI field names and values for new suppliers, such as TEPY=30. EMTP is the type under which e-mail addresses are kept.",
        ),
        Kind::Table,
    ),
    with_default(
        text(
            "address_type",
            "Address type (ADTE)",
            "Of a new supplier's address.",
        ),
        "1",
    ),
    kind(
        text(
            "invoice_types",
            "Invoice batch types (IBTP)",
            "`normal` and `credit`.",
        ),
        Kind::Table,
    ),
    with_default(
        kind(
            text(
                "invoice_payee_rule",
                "Payee of invoices",
                "The supplier's own payee where it has one, or always the supplier.",
            ),
            Kind::Choice(&["payee_else_supplier", "supplier"]),
        ),
        "payee_else_supplier",
    ),
    with_default(
        number(
            text(
                "vat_line_type",
                "VAT line type (RDTP)",
                "Of the tax line in an invoice batch.",
            ),
            0,
            99,
        ),
        "3",
    ),
    text(
        "retainage_service_code",
        "Retainage service code (SERS)",
        "Where retainage is booked by a service line.",
    ),
    text(
        "authorizer",
        "Authorizer (APCD)",
        "The M3 user who authorizes invoices.",
    ),
    with_default(
        kind(
            text(
                "change_order_lines",
                "Lines of change orders",
                "By batch entry, which takes account strings, or directly.",
            ),
            Kind::Choice(&["batch", "direct"]),
        ),
        "batch",
    ),
    with_default(
        kind(
            text(
                "exportmi",
                "EXPORTMI",
                "`auto` uses it where the service account may; `off` never does.",
            ),
            Kind::Choice(&["auto", "off"]),
        ),
        "auto",
    ),
    kind(
        text(
            "dimension_names",
            "Names of dimensions",
            "What people call ait2 to ait7 here, such as ait2=Cost centre.",
        ),
        Kind::Table,
    ),
    with_default(
        number(
            text(
                "requests_per_minute",
                "Calls a minute",
                "What the gateway allows; 0 is no limit of our own, only for closed networks.",
            ),
            0,
            3000,
        ),
        "100",
    ),
    kind(
        text(
            "mi_programs",
            "MI programs",
            "Other programs in place of the standard ones, such as PPS370MI=EXT370MI.",
        ),
        Kind::Table,
    ),
    with_default(
        number(
            text(
                "quiet_period_seconds",
                "Quiet period, seconds",
                "How long an unknown outcome rests before it may be sent again.",
            ),
            0,
            86_400,
        ),
        "300",
    ),
    number(
        text(
            "timeout_seconds",
            "Time-out, seconds",
            "Of one call; empty means 65, and 120 for EXPORTMI.",
        ),
        1,
        600,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_described_and_stands_there_once() {
        let mut names: Vec<&str> = SETTINGS.iter().map(|field| field.name).collect();
        assert!(
            SETTINGS
                .iter()
                .all(|field| !field.label.is_empty() && field.hint.ends_with('.'))
        );
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
