//! The head of an order: what the projects mapping says, else the connection's settings.

use super::draft::Fields;
use crate::contract::Refs;
use crate::domain::connection::Settings;
use crate::domain::fault::Issue;
use crate::domain::mapping::{MappingKind, Row, value};
use crate::domain::records::{Order, OrderKind};
use crate::domain::system::Entity;

/// What every part of the mapping looks at.
pub(super) struct Context<'a> {
    pub order: &'a Order,
    pub settings: &'a Settings,
    pub refs: &'a Refs<'a>,
}

impl Context<'_> {
    fn project(&self) -> Option<&Row> {
        let tables = self.refs.tables;
        tables.by_key(MappingKind::Projects, "project_id", &self.order.project_key)
    }

    /// A cell of the project's row, in M3's upper case.
    fn of_project(&self, column: &str) -> Option<String> {
        value(&self.project()?.erp_side, column).map(upper)
    }

    fn setting(&self, name: &str) -> Option<String> {
        self.settings.text(name).map(upper)
    }

    pub(super) fn division(&self) -> String {
        self.of_project("divi")
            .or_else(|| self.setting("divi"))
            .unwrap_or_default()
    }

    fn order_type(&self) -> Option<String> {
        let own = match self.order.kind {
            OrderKind::PurchaseOrder => None,
            OrderKind::Subcontract => self.setting("subcontract_order_type"),
        };
        self.of_project("order_type")
            .or(own)
            .or_else(|| self.setting("order_type"))
    }

    fn supplier(&self, issues: &mut Vec<Issue>) -> Option<String> {
        const VENDOR: Entity = Entity::new("vendor");
        let Some(key) = &self.order.vendor_key else {
            issues.push(Issue::new(
                "vendor",
                "required",
                "the contract names no vendor",
            ));
            return None;
        };
        let linked = self.refs.target(&VENDOR, key).map(str::to_owned);
        if linked.is_none() {
            let name = self.order.vendor_name.as_deref().unwrap_or(key);
            issues.push(Issue::new(
                "vendor",
                "not_linked",
                format!("vendor {name} is not linked to a supplier yet"),
            ));
        }
        linked
    }

    pub(super) fn head(&self, issues: &mut Vec<Issue>) -> Fields {
        if self.project().is_none() {
            let key = &self.order.project_key;
            issues.push(Issue::new(
                "project",
                "unmapped",
                format!("project {key} has no row in the projects mapping"),
            ));
        }
        issues.extend(self.other_company());
        let facility = self
            .of_project("facility")
            .or_else(|| self.setting("facility"));
        let warehouse = self
            .of_project("warehouse")
            .or_else(|| self.setting("warehouse"));
        if facility.is_none() {
            issues.push(missing_setting(
                "facility",
                "where the project's row names none",
            ));
        }
        if warehouse.is_none() {
            issues.push(missing_setting(
                "warehouse",
                "where the project's row names none",
            ));
        }
        let mut head = Fields::new();
        for (name, characters_max, found) in [
            ("FACI", 3, facility),
            ("WHLO", 3, warehouse),
            ("SUNO", 10, self.supplier(issues)),
            ("ORTY", 3, self.order_type()),
            ("CUCD", 3, self.currency()),
            ("TEPY", 3, self.payment_terms()),
            (
                "BUYE",
                10,
                self.of_project("buyer").or_else(|| self.setting("buyer")),
            ),
            ("PURC", 10, self.setting("purchaser")),
            ("PROJ", 7, self.of_project("project")),
            ("ELNO", 8, self.of_project("element")),
        ] {
            put(&mut head, name, characters_max, found, "head", issues);
        }
        head
    }

    /// Another company is another connection and pair.
    fn other_company(&self) -> Option<Issue> {
        let mapped = self.of_project("cono")?;
        let own = self.settings.text("cono")?;
        let plain = |text: &str| text.trim_start_matches('0').to_owned();
        (plain(&mapped) != plain(own)).then(|| {
            Issue::new(
                "project",
                "other_company",
                format!(
                    "the project's row names company {mapped}, this connection is for company {own}"
                ),
            )
        })
    }

    fn currency(&self) -> Option<String> {
        let code = self.order.currency.as_ref()?.as_str();
        let mapped = self.code(MappingKind::Currencies, code);
        Some(mapped.unwrap_or_else(|| code.to_owned()))
    }

    /// Left to the supplier's own where nothing is mapped.
    fn payment_terms(&self) -> Option<String> {
        let terms = self.order.payment_terms.as_deref()?.trim();
        self.code(MappingKind::PaymentTerms, terms)
    }

    pub(super) fn code(&self, kind: MappingKind, source: &str) -> Option<String> {
        let row = self.refs.tables.by_key(kind, "code", source)?;
        value(&row.erp_side, "code").map(str::to_owned)
    }
}

pub(super) fn missing_setting(name: &str, what: &str) -> Issue {
    Issue::new(
        format!("settings/{name}"),
        "missing_setting",
        format!("set {name} on the M3 connection: {what}"),
    )
}

/// Keys are upper case in M3.
pub(super) fn upper(text: &str) -> String {
    text.trim().to_uppercase()
}

/// Puts a code that is there and fits; codes are never cut.
pub(super) fn put(
    fields: &mut Fields,
    name: &'static str,
    characters_max: usize,
    found: Option<String>,
    at: &str,
    issues: &mut Vec<Issue>,
) {
    let Some(code) = found.filter(|code| !code.is_empty()) else {
        return;
    };
    if code.chars().count() > characters_max {
        let says = format!("`{code}` is longer than the {characters_max} characters of {name}");
        issues.push(Issue::new(at, "too_long", says));
    } else {
        fields.insert(name.to_owned(), code);
    }
}
