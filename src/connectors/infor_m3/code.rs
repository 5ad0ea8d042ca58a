//! Cost codes: accounts and further dimensions that the mapping names. Checked, never written.
//!
//! Target only. CRS630MI has no add: what is missing is made in M3 and noticed here. The key is the account with its
//! dimensions, joined by `/`. Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (CRS630MI).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::dimension::{self, Coded};
use super::lookup;
use crate::contract::{
    Answer, Draft, Existing, Found, Progress, Refs, Repeat, Session, Step, Upcoming, Weight, Writes,
};
use crate::domain::connection::Settings;
use crate::domain::fault::{Fault, Issue};
use crate::domain::mapping::{CodedLine, MappingKind, Row, value};
use crate::domain::plan::Change;
use crate::domain::record::WaitingFor;
use crate::domain::records::CostCode;
use crate::domain::tag::WriteTag;

pub(super) struct Accounts;

/// Columns of a mapping row and the dimensions that they name.
pub(super) const DIMENSIONS: [(u8, &str); 7] = [
    (1, "ait1"),
    (2, "ait2"),
    (3, "ait3"),
    (4, "ait4"),
    (5, "ait5"),
    (6, "ait6"),
    (7, "ait7"),
];

/// Other columns, their labels and how many characters M3 keeps.
/// Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (field lengths). Assumed: COCE and ACRF.
const OTHERS: [(&str, &str, usize); 3] = [
    ("element", "Project element", 8),
    ("cost_center", "Cost centre", 10),
    ("acrf", "Account control object", 8),
];

/// AITM. Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (CRS630MI).
const CHARACTERS_MAX: usize = 10;

/// What a code stands for in M3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct CodeDraft {
    /// As waits for the mapping name it.
    cost_code: String,
    /// Sub job, code and type for people.
    coding: String,
    division: String,
    /// Dimension and value.
    values: BTreeMap<u8, String>,
}

impl CodeDraft {
    fn of(draft: &Draft) -> Result<Self, Fault> {
        Self::deserialize(&draft.payload).map_err(|error| Fault::Broken {
            code: "draft_unreadable".to_owned(),
            message: format!("the stored account cannot be read: {error}"),
        })
    }

    /// The account and its dimensions up to the last one that is filled.
    fn key(&self) -> String {
        let last = self.values.keys().max().copied().unwrap_or(1);
        let parts: Vec<&str> = (1..=last)
            .map(|dimension| self.values.get(&dimension).map_or("", String::as_str))
            .collect();
        parts.join("/")
    }

    fn coded(&self) -> impl Iterator<Item = Coded<'_>> {
        self.values.iter().map(|(dimension, value)| Coded {
            dimension: *dimension,
            value,
            division: &self.division,
        })
    }
}

fn upper(row: Option<&Row>, column: &str) -> Option<String> {
    let text = value(&row?.erp_side, column)?.trim().to_uppercase();
    (!text.is_empty()).then_some(text)
}

fn too_long(column: &str, code: &str, characters_max: usize) -> Option<Issue> {
    (code.chars().count() > characters_max).then(|| {
        let says = format!("`{code}` is longer than the {characters_max} characters that M3 keeps");
        Issue::new(column, "too_long", says)
    })
}

fn shown(field: impl Into<String>, value: String) -> Change {
    Change {
        field: field.into(),
        from: None,
        to: Some(value),
        why: "mapping cost_codes".to_owned(),
    }
}

/// See [`Writes::draft`].
fn drafted(code: &CostCode, settings: &Settings, refs: &Refs<'_>) -> Result<Draft, Vec<Issue>> {
    let line = CodedLine {
        project_key: &code.project_key,
        coding: &code.coding,
    };
    let Some(row) = refs.tables.cost_code(line) else {
        let says = format!("cost code {} is not mapped", code.coding);
        return Err(vec![Issue::new("cost_code", "unmapped", says)]);
    };
    let project = refs
        .tables
        .by_key(MappingKind::Projects, "project_id", &code.project_key);
    let own = || settings.text("divi").map(str::to_uppercase);
    let mut issues = Vec::new();
    let (mut values, mut fields) = (BTreeMap::new(), Vec::new());
    for (dimension, column) in DIMENSIONS {
        let Some(code) = upper(Some(row), column) else {
            continue;
        };
        issues.extend(too_long(column, &code, CHARACTERS_MAX));
        let label = match (settings.entry("dimension_names", column), dimension) {
            (Some(own), _) => own.to_owned(),
            (None, 1) => "Account".to_owned(),
            (None, _) => format!("Dimension {dimension}"),
        };
        fields.push(shown(label, code.clone()));
        values.insert(dimension, code);
    }
    for (column, label, characters_max) in OTHERS {
        if let Some(code) = upper(Some(row), column) {
            issues.extend(too_long(column, &code, characters_max));
            fields.push(shown(label, code));
        }
    }
    if !values.contains_key(&1) {
        issues.push(Issue::new(
            "ait1",
            "required",
            "its mapping row names no account",
        ));
    }
    if !issues.is_empty() {
        return Err(issues);
    }
    let draft = CodeDraft {
        cost_code: code.coding.cost_code.clone(),
        coding: code.coding.to_string(),
        division: upper(project, "divi").or_else(own).unwrap_or_default(),
        values,
    };
    let payload = serde_json::to_value(&draft)
        .map_err(|error| vec![Issue::new("", "draft_unwritable", error.to_string())])?;
    Ok(Draft::new(payload, fields, draft.key(), None))
}

/// Everything that M3 lacks for it, and values that its account demands beside itself.
async fn lacking(session: &Session, draft: &CodeDraft) -> Result<Vec<WaitingFor>, Fault> {
    let mut missing = Vec::new();
    for coded in draft.coded() {
        if let Some(wait) = dimension::closed(session, coded).await? {
            missing.push(wait);
            continue;
        }
        let (of, value, division) = (coded.dimension, coded.value, coded.division);
        let found = lookup::account(session, of, value, division).await?;
        let demands = found.map_or_else(Vec::new, |found| found.demands);
        for demanded in demands {
            if !draft.values.contains_key(&demanded) {
                let label = format!(
                    "a {} in the mapping row of {}, which {} {value} demands",
                    dimension::name(session, demanded),
                    draft.coding,
                    dimension::name(session, of),
                );
                missing.push(WaitingFor::new("cost_codes", &draft.cost_code, label));
            }
        }
    }
    Ok(missing)
}

/// M3 offers no way to make one, so nothing here ever begins to.
fn read_only() -> Fault {
    Fault::rejected(
        "account",
        "read_only",
        "accounts and dimension values are made in M3, not here",
    )
}

impl Writes<CostCode> for Accounts {
    fn draft(
        &self,
        record: &CostCode,
        settings: &Settings,
        refs: &Refs<'_>,
    ) -> Result<Draft, Vec<Issue>> {
        drafted(record, settings, refs)
    }

    fn lacking<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
    ) -> Answer<'a, Vec<WaitingFor>> {
        Box::pin(async move { lacking(session, &CodeDraft::of(draft)?).await })
    }

    fn find<'a>(
        &'a self,
        _session: &'a Session,
        draft: &'a Draft,
        _tag: &'a WriteTag,
    ) -> Answer<'a, Found> {
        // Nothing is lacking, so it is there; which one it is the mapping says.
        Box::pin(async move {
            Ok(Found::One(Box::new(Existing {
                target_id: CodeDraft::of(draft)?.key(),
                matched_by: "mapping",
                is_ours: true,
                resume: None,
                differences: Vec::new(),
            })))
        })
    }

    fn differences<'a>(
        &'a self,
        _session: &'a Session,
        draft: &'a Draft,
        target_id: &'a str,
    ) -> Answer<'a, Vec<Change>> {
        Box::pin(async move {
            let key = CodeDraft::of(draft)?.key();
            if key == target_id {
                return Ok(Vec::new());
            }
            let says =
                format!("its mapping row says {key}; change the row to link it to {target_id}");
            Err(Fault::rejected("target_id", "mapped_otherwise", says))
        })
    }

    fn upcoming(&self, _draft: &Draft, _at: &Progress) -> Upcoming {
        Upcoming {
            operation: "CRS630MI/GetAccountID".to_owned(),
            weight: Weight::Harmless,
            target_key: None,
        }
    }

    fn step<'a>(
        &'a self,
        _session: &'a Session,
        _draft: &'a Draft,
        _at: &'a Progress,
    ) -> Answer<'a, Step> {
        Box::pin(async { Err(read_only()) })
    }

    fn check<'a>(
        &'a self,
        _session: &'a Session,
        _draft: &'a Draft,
        _at: &'a Progress,
    ) -> Answer<'a, Step> {
        Box::pin(async { Err(read_only()) })
    }

    fn undo<'a>(&'a self, _session: &'a Session, _at: &'a Progress) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn repeat(&self) -> Repeat {
        Repeat::Enforced
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use time::macros::date;

    use super::*;
    use crate::domain::ids::TenantId;
    use crate::domain::mapping::{Side, Tables};
    use crate::domain::records::Coding;

    fn row(project_side: &[(&str, &str)], erp_side: &[(&str, &str)]) -> Row {
        let side = |cells: &[(&str, &str)]| -> Side {
            cells
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        Row {
            id: None,
            project_side: side(project_side),
            erp_side: side(erp_side),
            note: String::new(),
        }
    }

    fn code() -> CostCode {
        CostCode {
            key: "182900101".to_owned(),
            project_key: "316001".to_owned(),
            coding: Coding {
                cost_code: "03-300".to_owned(),
                cost_type: "M".to_owned(),
                sub_job: String::new(),
            },
            name: "Concrete".to_owned(),
            active: true,
            created_at: None,
        }
    }

    fn drafted_with(
        erp_side: &[(&str, &str)],
        project: &[(&str, &str)],
    ) -> Result<CodeDraft, String> {
        let tables = Tables(BTreeMap::from([
            (
                MappingKind::CostCodes,
                vec![row(
                    &[("cost_code", "03-300"), ("cost_type", "M")],
                    erp_side,
                )],
            ),
            (
                MappingKind::Projects,
                vec![row(&[("project_id", "316001")], project)],
            ),
        ]));
        let mut settings = Settings::default();
        settings.set("divi", "AAA");
        let (links, tag) = (
            BTreeMap::new(),
            WriteTag::of(TenantId::generate(), "m3", "cost_codes", "182900101"),
        );
        let refs = Refs {
            tables: &tables,
            links: &links,
            tag: &tag,
            today: date!(2026 - 11 - 25),
        };
        match drafted(&code(), &settings, &refs) {
            Ok(draft) => Ok(CodeDraft::of(&draft).unwrap()),
            Err(issues) => {
                let told: Vec<String> = issues
                    .iter()
                    .map(|issue| format!("{}:{}", issue.field, issue.code))
                    .collect();
                Err(told.join(" "))
            }
        }
    }

    #[test]
    fn a_code_is_drafted_as_its_row_says() {
        type Cells = &'static [(&'static str, &'static str)];
        type Want = Result<(&'static str, &'static str), &'static str>;
        let table: [(Cells, Cells, Want); 7] = [
            (&[("ait1", "51000")], &[], Ok(("51000", "AAA"))),
            (
                &[("ait1", " 0051a "), ("ait2", "4100")],
                &[("divi", "bbb")],
                Ok(("0051A/4100", "BBB")),
            ),
            (
                &[("ait1", "51000"), ("ait3", "GROUP")],
                &[],
                Ok(("51000//GROUP", "AAA")),
            ),
            (&[("ait2", "4100")], &[], Err("ait1:required")),
            (
                &[("ait1", "12345678901"), ("element", "123456789")],
                &[],
                Err("ait1:too_long element:too_long"),
            ),
            (
                &[("ait1", "51000"), ("cost_center", "12345678901")],
                &[],
                Err("cost_center:too_long"),
            ),
            (&[], &[], Err("ait1:required")),
        ];
        for (erp_side, project, want) in table {
            let found = drafted_with(erp_side, project);
            let found = found
                .as_ref()
                .map(|draft| (draft.key(), draft.division.clone()));
            let want = want
                .map(|(key, division)| (key.to_owned(), division.to_owned()))
                .map_err(str::to_owned);
            assert_eq!(found.map_err(Clone::clone), want, "{erp_side:?}");
        }
    }
}
