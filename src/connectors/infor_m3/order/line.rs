//! One line of an order: what it is, how much of it, and where its cost goes.

use super::super::number::sent_amount;
use super::draft::{Fields, LineDraft, fitted};
use super::head::{Context, put, upper};
use super::people;
use super::quantity::priced;
use crate::domain::fault::Issue;
use crate::domain::mapping::{CodedLine, MappingKind, value};
use crate::domain::plan::Change;
use crate::domain::records::OrderLine;

impl Context<'_> {
    pub(super) fn line(
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
            code: line.coding.to_string(),
            line: number,
            item: keys.remove("ITNO").unwrap_or_default(),
            quantity: priced.quantity,
            price: priced.price,
            amount: line.amount.normalize(),
            unmapped_unit,
            fields,
            accounts,
        };
        let people = people::line(&draft, &priced.why, self.settings);
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

/// The source's key of the line, where it fits.
fn reference(line: &OrderLine) -> String {
    if line.key.chars().count() <= 20 {
        line.key.clone()
    } else {
        line.position.to_string()
    }
}
