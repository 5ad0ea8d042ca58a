//! Mapping tables: what a code of one side is called on the other. Two sides a row, one table for both directions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::fault::Issue;
use super::ids::MappingId;
use super::records::{Coding, OrderKind};
use crate::closed_words;

closed_words! {
    /// Which table.
    MappingKind {
        Projects => "projects",
        CostCodes => "cost_codes",
        Items => "items",
        Vendors => "vendors",
        Accounts => "accounts",
        TaxCodes => "tax_codes",
        Units => "units",
        PaymentTerms => "payment_terms",
        Currencies => "currencies",
    }
}

/// How the public contract names the two sides of a row.
pub const PROJECT_WORD: &str = "procore";
/// See [`PROJECT_WORD`].
pub const ERP_WORD: &str = "erp";

/// Named values of one side of a row. Leading zeros and blanks inside count.
pub type Side = BTreeMap<String, String>;

/// One row: the project system's side and the ERP's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub id: Option<MappingId>,
    pub project_side: Side,
    pub erp_side: Side,
    pub note: String,
}

/// What a look-up of one row's ERP side found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Facts for people: the account's name, the item's unit.
    pub found: Vec<(String, String)>,
    /// Everything wrong with the row; each issue's field is a column.
    pub issues: Vec<Issue>,
}

/// A row with what is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedRow {
    pub row: Row,
    /// None until it was looked up.
    pub verdict: Option<Verdict>,
    pub verified_at: Option<Timestamp>,
}

/// A side's value, or nothing when the column is absent or empty.
#[must_use]
pub fn value<'a>(side: &'a Side, column: &str) -> Option<&'a str> {
    side.get(column)
        .map(String::as_str)
        .filter(|text| !text.is_empty())
}

/// The columns of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    pub kind: MappingKind,
    pub project_side: &'static [Column],
    pub erp_side: &'static [Column],
}

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub label: &'static str,
    pub required: bool,
    /// Part of what makes a row unique.
    pub key: bool,
}

/// All tables of one pair, loaded once per pass.
#[derive(Debug, Clone, Default)]
pub struct Tables(pub BTreeMap<MappingKind, Vec<Row>>);

/// A coded line looked at from its project.
#[derive(Debug, Clone, Copy)]
pub struct CodedLine<'a> {
    pub project_key: &'a str,
    pub coding: &'a Coding,
}

impl Tables {
    /// The rows of a table.
    #[must_use]
    pub fn rows(&self, kind: MappingKind) -> &[Row] {
        self.0.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// The row whose `column` on the project side is exactly `key`.
    #[must_use]
    pub fn by_key(&self, kind: MappingKind, column: &str, key: &str) -> Option<&Row> {
        self.rows(kind).iter().find(|row| {
            row.project_side
                .get(column)
                .is_some_and(|found| found == key)
        })
    }

    /// The most specific row for a coded line: project, sub job, code and type before fewer of them.
    /// An empty cell on the row stands for "any".
    #[must_use]
    pub fn cost_code(&self, line: CodedLine<'_>) -> Option<&Row> {
        best(self.rows(MappingKind::CostCodes), |row| {
            let code = value(&row.project_side, "cost_code")?;
            if code != line.coding.cost_code {
                return None;
            }
            rank(&[
                (value(&row.project_side, "project_id"), line.project_key),
                (value(&row.project_side, "sub_job"), &line.coding.sub_job),
                (
                    value(&row.project_side, "cost_type"),
                    &line.coding.cost_type,
                ),
            ])
        })
    }

    /// The most specific item row for a line of an order; a row with an empty cost type is the default.
    #[must_use]
    pub fn item(&self, line: CodedLine<'_>, kind: OrderKind) -> Option<&Row> {
        best(self.rows(MappingKind::Items), |row| {
            rank(&[
                (value(&row.project_side, "project_id"), line.project_key),
                (
                    value(&row.project_side, "cost_type"),
                    &line.coding.cost_type,
                ),
                (value(&row.project_side, "contract_kind"), kind.as_str()),
            ])
        })
    }
}

/// Higher is more specific, the first cell weighing most. None when a filled cell says something else.
fn rank(cells: &[(Option<&str>, &str)]) -> Option<u32> {
    cells
        .iter()
        .try_fold(0, |rank: u32, (cell, wanted)| match cell {
            None => Some(rank << 1),
            Some(cell) if cell == wanted => Some((rank << 1) | 1),
            Some(_) => None,
        })
}

fn best(rows: &[Row], rank: impl Fn(&Row) -> Option<u32>) -> Option<&Row> {
    let mut found: Option<(u32, &Row)> = None;
    for row in rows {
        if let Some(rank) = rank(row)
            && found.is_none_or(|(before, _)| rank > before)
        {
            found = Some((rank, row));
        }
    }
    found.map(|(_, row)| row)
}

/// Checks a whole table before it replaces the old one: unknown columns, missing values, rows that say
/// the same key twice. Each issue is at `/rows/{n}`, counted from 0.
///
/// # Errors
/// Every issue of every row.
pub fn check(columns: &Columns, rows: &[Row]) -> Result<(), Vec<Issue>> {
    let mut issues = Vec::new();
    let mut seen: BTreeMap<Vec<&str>, usize> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        check_side(
            at,
            PROJECT_WORD,
            columns.project_side,
            &row.project_side,
            &mut issues,
        );
        check_side(at, ERP_WORD, columns.erp_side, &row.erp_side, &mut issues);
        let key: Vec<&str> = columns
            .project_side
            .iter()
            .filter(|column| column.key)
            .map(|column| value(&row.project_side, column.name).unwrap_or(""))
            .collect();
        if let Some(first) = seen.insert(key.clone(), at) {
            issues.push(Issue::new(
                format!("/rows/{at}"),
                "duplicate",
                format!(
                    "row {} already maps {}",
                    first.saturating_add(1),
                    key.join(" / ")
                ),
            ));
        }
    }
    if issues.is_empty() {
        Ok(())
    } else {
        Err(issues)
    }
}

fn check_side(
    at: usize,
    side_name: &str,
    columns: &[Column],
    side: &Side,
    issues: &mut Vec<Issue>,
) {
    for name in side.keys() {
        if !columns.iter().any(|column| column.name == name) {
            let known: Vec<&str> = columns.iter().map(|column| column.name).collect();
            issues.push(Issue::new(
                format!("/rows/{at}"),
                "unknown_column",
                format!(
                    "{side_name}.{name} is not a column here; the columns are {}",
                    known.join(", ")
                ),
            ));
        }
    }
    for column in columns.iter().filter(|column| column.required) {
        if value(side, column.name).is_none() {
            issues.push(Issue::new(
                format!("/rows/{at}"),
                "missing_value",
                format!(
                    "{side_name}.{} must be filled ({})",
                    column.name, column.label
                ),
            ));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn row(project_side: &[(&str, &str)], account: &str) -> Row {
        let side = |cells: &[(&str, &str)]| {
            cells
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        Row {
            id: None,
            project_side: side(project_side),
            erp_side: side(&[("ait1", account)]),
            note: String::new(),
        }
    }

    #[test]
    fn the_most_specific_row_wins() {
        let tables = Tables(BTreeMap::from([(
            MappingKind::CostCodes,
            vec![
                row(&[("cost_code", "03-300")], "any"),
                row(&[("cost_code", "03-300"), ("cost_type", "M")], "materials"),
                row(&[("cost_code", "03-300"), ("project_id", "7")], "project"),
                row(
                    &[
                        ("cost_code", "03-300"),
                        ("sub_job", "B"),
                        ("cost_type", "M"),
                    ],
                    "sub job",
                ),
            ],
        )]));
        for (project, cost_code, cost_type, sub_job, want) in [
            ("1", "03-300", "L", "", Some("any")),
            ("1", "03-300", "M", "", Some("materials")),
            ("7", "03-300", "M", "", Some("project")),
            ("1", "03-300", "M", "B", Some("sub job")),
            ("1", "3-300", "M", "", None),
        ] {
            let coding = Coding {
                cost_code: cost_code.into(),
                cost_type: cost_type.into(),
                sub_job: sub_job.into(),
            };
            let found = tables.cost_code(CodedLine {
                project_key: project,
                coding: &coding,
            });
            assert_eq!(
                found.and_then(|row| value(&row.erp_side, "ait1")),
                want,
                "{project} {coding}"
            );
        }
    }

    #[test]
    fn a_bad_table_is_refused_row_by_row() {
        let columns = Columns {
            kind: MappingKind::CostCodes,
            project_side: &[
                Column {
                    name: "cost_code",
                    label: "Cost code",
                    required: true,
                    key: true,
                },
                Column {
                    name: "cost_type",
                    label: "Cost type",
                    required: false,
                    key: true,
                },
            ],
            erp_side: &[Column {
                name: "ait1",
                label: "Account",
                required: true,
                key: false,
            }],
        };
        let rows = [
            row(&[("cost_code", "1")], "a"),
            row(&[("cost_code", "1"), ("cost_type", "")], "b"),
            row(&[("cost_type", "M"), ("colour", "red")], ""),
        ];
        let codes: Vec<(String, String)> = check(&columns, &rows)
            .unwrap_err()
            .into_iter()
            .map(|issue| (issue.field, issue.code))
            .collect();
        assert_eq!(
            codes,
            [
                ("/rows/1".to_owned(), "duplicate".to_owned()),
                ("/rows/2".to_owned(), "unknown_column".to_owned()),
                ("/rows/2".to_owned(), "missing_value".to_owned()),
                ("/rows/2".to_owned(), "missing_value".to_owned()),
            ]
        );
    }
}
