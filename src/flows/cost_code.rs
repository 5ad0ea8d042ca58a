//! Cost codes: each must be mapped, and what it is mapped to must be open in the books. Checked, never written.

use super::flow::{Afterwards, Facts, Flow, Linked};
use super::gate::{Gate, Rules};
use crate::contract::Need;
use crate::domain::mapping::{CodedLine, Tables};
use crate::domain::records::CostCode;
use crate::domain::system::Entity;

/// How cost codes travel.
pub static COST_CODE: Flow<CostCode> = Flow {
    rank: 1,
    afterwards: Afterwards::Checked,
    waited_for_as: "cost_code",
    has_ended: |code| !code.active,
    facts,
    gate,
    needs,
    refers_to,
};

fn facts(code: &CostCode) -> Facts {
    Facts {
        number: Some(code.coding.to_string()),
        counterparty: Some(code.name.clone()).filter(|name| !name.is_empty()),
        money: None,
        twin_key: None,
    }
}

fn gate(code: &CostCode, _rules: &Rules<'_>) -> Gate {
    if code.active {
        return Gate::Open;
    }
    Gate::Shut {
        reason: "inactive",
        says: "Left out: the code is not active in the source, so no new line can use it."
            .to_owned(),
    }
}

/// The same words under which orders wait for a code, so that one row releases both.
fn needs(code: &CostCode, tables: &Tables, _linked: &dyn Linked) -> Vec<Need> {
    let line = CodedLine {
        project_key: &code.project_key,
        coding: &code.coding,
    };
    if tables.cost_code(line).is_some() {
        return Vec::new();
    }
    vec![Need {
        kind: "cost_codes",
        key: code.coding.cost_code.clone(),
        label: format!("cost code {} to be mapped", code.coding),
    }]
}

fn refers_to(_code: &CostCode) -> Vec<(Entity, String)> {
    Vec::new()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::mapping::{MappingKind, Row, Side};
    use crate::domain::records::Coding;

    struct Nobody;

    impl Linked for Nobody {
        fn is_linked(&self, _entity: &Entity, _source_key: &str) -> bool {
            false
        }
    }

    fn code(project: &str, cost_code: &str, cost_type: &str, sub_job: &str) -> CostCode {
        CostCode {
            key: "1".to_owned(),
            project_key: project.to_owned(),
            coding: Coding {
                cost_code: cost_code.to_owned(),
                cost_type: cost_type.to_owned(),
                sub_job: sub_job.to_owned(),
            },
            name: "Concrete".to_owned(),
            active: true,
            created_at: None,
        }
    }

    fn mapped(cells: &[(&str, &str)]) -> Row {
        Row {
            id: None,
            project_side: cells
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            erp_side: Side::from([("ait1".to_owned(), "51000".to_owned())]),
            note: String::new(),
        }
    }

    #[test]
    fn a_code_waits_under_the_word_that_orders_wait_under() {
        let rows = vec![
            mapped(&[("cost_code", "03-300"), ("cost_type", "M")]),
            mapped(&[("cost_code", "05-120"), ("project_id", "7")]),
            mapped(&[("cost_code", "007"), ("sub_job", "A")]),
        ];
        let tables = Tables(BTreeMap::from([(MappingKind::CostCodes, rows)]));
        for (project, cost_code, cost_type, sub_job, waits) in [
            ("1", "03-300", "M", "", false),
            ("1", "03-300", "M", "A", false),
            ("1", "03-300", "L", "", true),
            ("7", "05-120", "S", "", false),
            ("8", "05-120", "S", "", true),
            ("1", "007", "", "A", false),
            ("1", "007", "", "B", true),
            ("1", "7", "", "A", true),
        ] {
            let needs = needs(
                &code(project, cost_code, cost_type, sub_job),
                &tables,
                &Nobody,
            );
            let what = format!("{project} {cost_code} {cost_type} {sub_job}");
            assert_eq!(!needs.is_empty(), waits, "{what}");
            if let [need] = needs.as_slice() {
                assert_eq!(
                    (need.kind, need.key.as_str()),
                    ("cost_codes", cost_code),
                    "{what}"
                );
            }
        }
    }

    #[test]
    fn a_code_that_is_not_active_is_left_out() {
        let rules = Rules {
            statuses: &[],
            start_date: None,
            is_needed: false,
            used_only: false,
        };
        let open = code("1", "03-300", "M", "");
        assert_eq!(gate(&open, &rules), Gate::Open);
        let closed = CostCode {
            active: false,
            ..open
        };
        let Gate::Shut { reason, .. } = gate(&closed, &rules) else {
            unreachable!("it is left out");
        };
        assert_eq!(reason, "inactive");
        assert!((COST_CODE.has_ended)(&closed));
        assert_eq!((COST_CODE.facts)(&closed).number.unwrap(), "03-300 / M");
    }
}
