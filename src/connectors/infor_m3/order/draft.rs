//! An order as a batch entry: pure mapping, with every issue at once.

use std::collections::BTreeMap;
use std::time::Duration;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use time::Date;

use super::super::lookup::date;
use super::super::number::{sent, sent_amount};
use super::quantity::priced;
use crate::contract::{Draft, Refs};
use crate::domain::connection::Settings;
use crate::domain::fault::{Fault, Issue, all_or_issues};
use crate::domain::mapping::{CodedLine, MappingKind, Row, value};
use crate::domain::name::shortened;
use crate::domain::plan::Change;
use crate::domain::records::{Order, OrderKind, OrderLine};
use crate::domain::system::Entity;

/// PNLI has three digits. Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (PPS370MI).
const LINES_MAX: usize = 999;
const LEAD_DAYS_DEFAULT: u32 = 14;
/// The window of a look-up begins a day before the contract does, because clocks and zones differ.
const LOOKED_BACK: Duration = Duration::from_secs(24 * 60 * 60);

/// MI field names and values.
pub(super) type Fields = BTreeMap<String, String>;

/// Everything that is sent to make an order, and what it is looked for by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OrderDraft {
    pub batch_origin: String,
    pub division: String,
    pub supplier: String,
    /// FACI, WHLO, SUNO, ORTY, CUCD, TEPY, BUYE, PURC, PROJ, ELNO.
    pub head: Fields,
    /// The wanted day, `YYYYMMDD`; none = `lead_days` after the day of entry. The day is settled when it is sent, so
    /// that a draft does not change by itself overnight.
    pub delivery: Option<String>,
    pub lead_days: u32,
    pub tag: String,
    pub number: String,
    pub title: String,
    /// Orders that changed earlier cannot be this one, milliseconds since 1970.
    pub since_ms: Option<i64>,
    pub lines: Vec<LineDraft>,
    pub total: Decimal,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LineDraft {
    /// The source's key of the line.
    pub key: String,
    /// PNLI, from 1.
    pub line: u32,
    pub item: String,
    pub quantity: Decimal,
    pub price: Decimal,
    /// Exactly quantity × price.
    pub amount: Decimal,
    /// A unit of the source that has no M3 unit yet.
    pub unmapped_unit: Option<String>,
    /// PUUN, PPUN, PITD, PITT, PROJ, ELNO, COCE, ACRF, LREF.
    pub fields: Fields,
    /// AIT1 to AIT7.
    pub accounts: Fields,
}

impl OrderDraft {
    /// Reads a stored draft.
    pub(super) fn of(draft: &Draft) -> Result<Self, Fault> {
        Self::deserialize(&draft.payload).map_err(|error| Fault::Broken {
            code: "draft_unreadable".to_owned(),
            message: format!("the stored write cannot be read: {error}"),
        })
    }

    /// The delivery date of an entry made today: never in the past.
    pub(super) fn delivery_on(&self, today: Date) -> String {
        let lead = time::Duration::days(i64::from(self.lead_days));
        match &self.delivery {
            Some(wanted) => wanted.clone().max(date(today)),
            None => date(today.checked_add(lead).unwrap_or(today)),
        }
    }
}

/// See [`Writes::draft`](crate::contract::Writes::draft).
pub(super) fn draft(
    order: &Order,
    settings: &Settings,
    refs: &Refs<'_>,
) -> Result<Draft, Vec<Issue>> {
    let mut issues = Vec::new();
    let context = Context {
        order,
        settings,
        refs,
    };
    let head = context.head(&mut issues);
    let batch_origin = settings.text("batch_origin").unwrap_or_default().to_owned();
    if batch_origin.is_empty() {
        issues.push(missing_setting(
            "batch_origin",
            "the batch origin (BAOR) under which orders are entered",
        ));
    }
    issues.extend(context.totals());
    // Lines of 0.00 move no money, and M3 refuses a quantity of nothing.
    let counted = order.lines.iter().filter(|line| !line.amount.is_zero());
    let lines: Vec<&OrderLine> = counted.collect();
    issues.extend(line_count(lines.len()));
    let lines = all_or_issues(
        (1..)
            .zip(&lines)
            .map(|(number, line)| context.line(number, line, &head)),
    );
    let lines = lines.unwrap_or_else(|found| {
        issues.extend(found);
        Vec::new()
    });
    if !issues.is_empty() {
        return Err(issues);
    }
    let (lines, people): (Vec<LineDraft>, Vec<Vec<Change>>) = lines.into_iter().unzip();
    let draft = OrderDraft {
        batch_origin,
        division: context.division(),
        supplier: head.get("SUNO").cloned().unwrap_or_default(),
        delivery: order.delivery_date.or(order.completion_date).map(date),
        lead_days: settings.number("lead_days").unwrap_or(LEAD_DAYS_DEFAULT),
        head,
        tag: refs.tag.as_str().to_owned(),
        number: order.number.trim().to_owned(),
        title: order.title.trim().to_owned(),
        since_ms: order
            .created_at
            .map(|at| at.minus(LOOKED_BACK).0.div_euclid(1000)),
        total: order.lines_total(),
        lines,
    };
    let mut changes = context.people(&draft);
    changes.extend(people.into_iter().flatten());
    let payload = serde_json::to_value(&draft)
        .map_err(|error| vec![Issue::new("", "draft_unwritable", error.to_string())])?;
    Ok(Draft::new(payload, changes, draft.tag, order.money()))
}

fn missing_setting(name: &str, what: &str) -> Issue {
    Issue::new(
        format!("settings/{name}"),
        "missing_setting",
        format!("set {name} on the M3 connection: {what}"),
    )
}

fn line_count(count: usize) -> Option<Issue> {
    match count {
        0 => Some(Issue::new(
            "lines",
            "no_lines",
            "there is no line with an amount to order",
        )),
        1..=LINES_MAX => None,
        _ => Some(Issue::new(
            "lines",
            "too_many_lines",
            format!(
                "{count} lines: an M3 order holds at most {LINES_MAX}; split the contract or key it in M3 and link it"
            ),
        )),
    }
}

/// What every part of the mapping looks at.
struct Context<'a> {
    order: &'a Order,
    settings: &'a Settings,
    refs: &'a Refs<'a>,
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

    fn division(&self) -> String {
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

    fn head(&self, issues: &mut Vec<Issue>) -> Fields {
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

    fn code(&self, kind: MappingKind, source: &str) -> Option<String> {
        let row = self.refs.tables.by_key(kind, "code", source)?;
        value(&row.erp_side, "code").map(str::to_owned)
    }

    /// The source's own total is the proof that all its lines were read.
    fn totals(&self) -> Option<Issue> {
        let (lines, stated) = (self.order.lines_total(), self.order.total);
        (lines != stated).then(|| {
            Issue::new(
                "total",
                "totals_disagree",
                format!(
                    "the lines add up to {}, the contract says {}",
                    sent_amount(lines),
                    sent_amount(stated)
                ),
            )
        })
    }

    fn line(
        &self,
        number: u32,
        line: &OrderLine,
        head: &Fields,
    ) -> Result<(LineDraft, Vec<Change>), Vec<Issue>> {
        let at = format!("lines/{}", line.position);
        let mut issues: Vec<Issue> = amount_issue(&at, line).into_iter().collect();
        let coded = CodedLine {
            project_key: &self.order.project_key,
            coding: &line.coding,
        };
        let unmapped =
            |what: &str| Issue::new(at.as_str(), "unmapped", format!("{what} is not mapped"));
        let code = self.refs.tables.cost_code(coded);
        if code.is_none() {
            issues.push(unmapped(&format!("cost code {}", line.coding)));
        }
        let item_row = self.refs.tables.item(coded, self.order.kind);
        let item = item_row
            .and_then(|row| value(&row.erp_side, "item"))
            .map(upper);
        if item.is_none() {
            issues.push(unmapped(&format!(
                "an item for cost type `{}`",
                line.coding.cost_type
            )));
        }
        let of_code = |column| code.and_then(|row| value(&row.erp_side, column)).map(upper);
        let accounts = accounts(of_code, &at, &mut issues);
        let priced = priced(line, self.order.by_unit);
        let item_unit = item_row
            .and_then(|row| value(&row.erp_side, "unit"))
            .map(upper);
        let (unit, unmapped_unit) = self.unit(priced.unit.as_deref(), item_unit);
        let mut fields = Fields::new();
        let (short, long) = texts(&line.description);
        for (name, characters_max, found) in [
            ("PUUN", 3, unit.clone()),
            // The price is for the same unit, not for the item's usual price unit.
            ("PPUN", 3, unit),
            ("PITD", 30, short),
            ("PITT", 60, long),
            ("PROJ", 7, head.get("PROJ").cloned()),
            (
                "ELNO",
                8,
                of_code("element").or_else(|| head.get("ELNO").cloned()),
            ),
            ("COCE", 10, of_code("cost_center")),
            ("ACRF", 8, of_code("acrf")),
            ("LREF", 20, Some(reference(line))),
        ] {
            put(&mut fields, name, characters_max, found, &at, &mut issues);
        }
        let mut keys = Fields::new();
        put(&mut keys, "ITNO", 15, item, &at, &mut issues);
        if !issues.is_empty() {
            return Err(issues);
        }
        let draft = LineDraft {
            key: line.key.clone(),
            line: number,
            item: keys.remove("ITNO").unwrap_or_default(),
            quantity: priced.quantity,
            price: priced.price,
            amount: line.amount.normalize(),
            unmapped_unit,
            fields,
            accounts,
        };
        let people = line_people(&draft, &priced.why, self.settings);
        Ok((draft, people))
    }

    /// The M3 unit, and the source's unit where it is no M3 unit yet. A lump sum has the item's.
    fn unit(
        &self,
        source: Option<&str>,
        of_item: Option<String>,
    ) -> (Option<String>, Option<String>) {
        let Some(source) = source else {
            let lump_sum = of_item.or_else(|| self.code(MappingKind::Units, "lump_sum"));
            return (lump_sum, None);
        };
        let source = source.trim();
        if source.is_empty() {
            return (of_item, None);
        }
        if let Some(mapped) = self.code(MappingKind::Units, source) {
            return (Some(mapped), None);
        }
        // The same text is tried; M3 itself says at the line whether the item has that unit.
        let same = upper(source);
        if same.chars().count() <= 3 {
            (Some(same), None)
        } else {
            (None, Some(source.to_owned()))
        }
    }

    fn people(&self, draft: &OrderDraft) -> Vec<Change> {
        const LABELS: &[(&str, &str, &str)] = &[
            ("SUNO", "Supplier", "link of the vendor"),
            ("ORTY", "Order type", "setting or projects mapping"),
            ("CUCD", "Currency", "source"),
            ("FACI", "Facility", "projects mapping or setting"),
            ("WHLO", "Warehouse", "projects mapping or setting"),
            ("PROJ", "Project", "mapping projects"),
            ("ELNO", "Project element", "mapping projects"),
            ("BUYE", "Buyer", "projects mapping or setting"),
            ("PURC", "Requisition by", "setting purchaser"),
            ("TEPY", "Payment terms", "mapping payment_terms"),
        ];
        let mut people: Vec<Change> = LABELS
            .iter()
            .filter_map(|(name, label, why)| Some(change(label, draft.head.get(*name)?, why)))
            .collect();
        let delivery = match &draft.delivery {
            Some(day) => change(
                "Delivery",
                &format!("{day}, or the day of entry if later"),
                "source",
            ),
            None => change(
                "Delivery",
                &format!("{} days after entry", draft.lead_days),
                "setting lead_days, because the source names no date",
            ),
        };
        people.push(delivery);
        people.push(change("Reference", &draft.tag, "our tag"));
        people.push(change(
            "Batch origin",
            &draft.batch_origin,
            "setting batch_origin",
        ));
        people.push(change("Text", &text(draft), "source"));
        people.push(change(
            "Total",
            &sent_amount(draft.total),
            "sum of the lines",
        ));
        people
    }
}

/// The text beside the order: the source's number and title.
pub(super) fn text(draft: &OrderDraft) -> String {
    let whole = format!("{} {}", draft.number, draft.title);
    fitted(whole.trim(), 60)
}

fn amount_issue(at: &str, line: &OrderLine) -> Option<Issue> {
    let amount = sent_amount(line.amount);
    if line.amount.is_sign_negative() {
        let says = format!(
            "{amount}: M3 has no negative order lines; take it off the line that it lowers"
        );
        return Some(Issue::new(at, "negative_line", says));
    }
    (line.amount.normalize().scale() > 2).then(|| {
        Issue::new(
            at,
            "too_many_decimals",
            format!("{amount} has more than two decimals"),
        )
    })
}

fn accounts(
    of_code: impl Fn(&'static str) -> Option<String>,
    at: &str,
    issues: &mut Vec<Issue>,
) -> Fields {
    const DIMENSIONS: [(&str, &str); 7] = [
        ("AIT1", "ait1"),
        ("AIT2", "ait2"),
        ("AIT3", "ait3"),
        ("AIT4", "ait4"),
        ("AIT5", "ait5"),
        ("AIT6", "ait6"),
        ("AIT7", "ait7"),
    ];
    let mut accounts = Fields::new();
    for (name, column) in DIMENSIONS {
        put(&mut accounts, name, 10, of_code(column), at, issues);
    }
    accounts
}

/// A short text, and the longer one where the short does not say it all.
fn texts(description: &str) -> (Option<String>, Option<String>) {
    let description = description.trim();
    let long = (description.chars().count() > 30).then(|| fitted(description, 60));
    (Some(fitted(description, 30)), long)
}

fn fitted(text: &str, characters_max: usize) -> String {
    shortened(text, characters_max).unwrap_or_else(|| text.to_owned())
}

/// The source's key of the line, where it fits.
fn reference(line: &OrderLine) -> String {
    if line.key.chars().count() <= 20 {
        line.key.clone()
    } else {
        line.position.to_string()
    }
}

/// Keys are upper case in M3.
fn upper(text: &str) -> String {
    text.trim().to_uppercase()
}

/// Puts a code that is there and fits; codes are never cut.
fn put(
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

fn line_people(line: &LineDraft, why_quantity: &str, settings: &Settings) -> Vec<Change> {
    let number = line.line;
    let of =
        |label: &str, to: &str, why: &str| change(&format!("Line {number} · {label}"), to, why);
    let unit = line.fields.get("PUUN").or(line.unmapped_unit.as_ref());
    let quantity = [Some(sent(line.quantity)), unit.cloned()];
    let quantity: Vec<String> = quantity.into_iter().flatten().collect();
    let mut people = vec![
        of("Item", &line.item, "mapping items"),
        of("Quantity", &quantity.join(" "), why_quantity),
        of("Price", &sent_amount(line.price), why_quantity),
        of("Amount", &sent_amount(line.amount), "source"),
    ];
    let labels = [
        ("PITD", "Name", "source"),
        ("PITT", "Description", "source"),
        ("ELNO", "Project element", "mapping cost_codes or projects"),
        ("COCE", "Cost centre", "mapping cost_codes"),
        ("ACRF", "Account control object", "mapping cost_codes"),
    ];
    people.extend(line.accounts.iter().map(|(name, account)| {
        let column = name.to_lowercase();
        let label = match settings.entry("dimension_names", &column) {
            Some(own) => own.to_owned(),
            None if name == "AIT1" => "Account".to_owned(),
            None => format!("Dimension {}", name.trim_start_matches("AIT")),
        };
        of(&label, account, "mapping cost_codes")
    }));
    people.extend(
        labels
            .iter()
            .filter_map(|(name, label, why)| Some(of(label, line.fields.get(*name)?, why))),
    );
    people
}

fn change(field: &str, to: &str, why: &str) -> Change {
    Change {
        field: field.to_owned(),
        from: None,
        to: Some(to.to_owned()),
        why: why.to_owned(),
    }
}
