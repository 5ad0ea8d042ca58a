//! Codes that a system has, as mapping rows would name them; and what a project's budget plans for them.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::mapping::{CodedLine, Side, Tables};
use super::records::Coding;

/// One code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Its side of a mapping row.
    pub side: Side,
    pub name: String,
    /// What else it may be recognised by: `number`, `tax_id`, `town`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
}

impl Offer {
    #[must_use]
    pub fn new(cells: impl IntoIterator<Item = (&'static str, String)>, name: &str) -> Self {
        let filled = cells.into_iter().filter(|(_, value)| !value.is_empty());
        Self {
            side: filled
                .map(|(column, value)| (column.to_owned(), value))
                .collect(),
            name: name.trim().to_owned(),
            facts: BTreeMap::new(),
        }
    }

    /// With something that it may be recognised by, where it is known.
    #[must_use]
    pub fn with(mut self, fact: &str, value: Option<&str>) -> Self {
        if let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) {
            self.facts.insert(fact.to_owned(), value.to_owned());
        }
        self
    }
}

/// One line that money is planned for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetLine {
    pub coding: Coding,
    pub name: String,
    pub amount: Decimal,
}

/// What a project plans, line by line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// The name of the view that it was read from; none: no view shows a budget, and these are the project's codes.
    pub view: Option<String>,
    pub currency: Option<String>,
    pub lines: Vec<BudgetLine>,
}

/// How much of a project is mapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    pub mapped: usize,
    pub total: usize,
    pub amount_mapped: Decimal,
    pub amount_total: Decimal,
    /// The lines without a row, largest amount first.
    pub unmapped: Vec<BudgetLine>,
}

impl Coverage {
    /// In per cent of the lines, rounded down: 100 is all of them. None where there is nothing to map.
    #[must_use]
    pub fn percent(&self) -> Option<usize> {
        self.mapped.saturating_mul(100).checked_div(self.total)
    }
}

impl Budget {
    /// Lines with a mapping row out of all that have an amount; without a view, out of all codes.
    #[must_use]
    pub fn coverage(&self, project: &str, tables: &Tables) -> Coverage {
        let counts = |line: &&BudgetLine| self.view.is_none() || !line.amount.is_zero();
        let is_mapped = |line: &&BudgetLine| {
            let coded = CodedLine {
                project_key: project,
                coding: &line.coding,
            };
            tables.cost_code(coded).is_some()
        };
        let counted: Vec<&BudgetLine> = self.lines.iter().filter(counts).collect();
        let (mapped, unmapped): (Vec<&BudgetLine>, Vec<&BudgetLine>) =
            counted.iter().copied().partition(is_mapped);
        let sum = |lines: &[&BudgetLine]| lines.iter().map(|line| line.amount).sum();
        let mut without: Vec<BudgetLine> = unmapped.into_iter().cloned().collect();
        without.sort_by(|one, two| {
            let by_amount = two.amount.abs().cmp(&one.amount.abs());
            by_amount.then_with(|| one.coding.cmp(&two.coding))
        });
        Coverage {
            mapped: mapped.len(),
            total: counted.len(),
            amount_mapped: sum(&mapped),
            amount_total: sum(&counted),
            unmapped: without,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mapping::{MappingKind, Row};

    fn line(cost_code: &str, amount: i64) -> BudgetLine {
        BudgetLine {
            coding: Coding {
                cost_code: cost_code.to_owned(),
                cost_type: "M".to_owned(),
                sub_job: String::new(),
            },
            name: String::new(),
            amount: Decimal::from(amount),
        }
    }

    #[test]
    fn only_lines_with_an_amount_count_unless_there_is_no_budget() {
        let row = Row {
            id: None,
            project_side: Side::from([("cost_code".to_owned(), "a".to_owned())]),
            erp_side: Side::new(),
            note: String::new(),
        };
        let tables = Tables(BTreeMap::from([(MappingKind::CostCodes, vec![row])]));
        let with = |view: Option<&str>, lines: &[BudgetLine]| {
            let budget = Budget {
                view: view.map(str::to_owned),
                currency: None,
                lines: lines.to_vec(),
            };
            let coverage = budget.coverage("7", &tables);
            let codes: Vec<String> = coverage
                .unmapped
                .iter()
                .map(|line| line.coding.cost_code.clone())
                .collect();
            (
                coverage.percent(),
                coverage.mapped,
                coverage.total,
                codes.join(","),
            )
        };
        let lines = [line("a", 100), line("b", 50), line("c", -900), line("d", 0)];
        assert_eq!(with(Some("v"), &lines), (Some(33), 1, 3, "c,b".to_owned()));
        assert_eq!(with(None, &lines), (Some(25), 1, 4, "c,b,d".to_owned()));
        assert_eq!(
            with(Some("v"), &[line("a", 1)]),
            (Some(100), 1, 1, String::new())
        );
        assert_eq!(
            with(Some("v"), &[line("b", 0)]),
            (None, 0, 0, String::new())
        );
    }
}
