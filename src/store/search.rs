//! Records as lists show them: filtered, searched by what people know, page by page.

use std::collections::BTreeSet;

use sea_orm::{FromQueryResult, Value};

use super::record::Work;
use super::rows::{COLUMNS, RecordRow};
use super::{Scope, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{PairId, RecordId, RunId};
use crate::domain::money::Money;
use crate::domain::record::State;

/// Which records a list shows. What is left out matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub pair: Option<PairId>,
    pub flow: Option<String>,
    pub states: Vec<State>,
    pub run: Option<RunId>,
    /// A part of a number, a counterparty, a project or a key of either system.
    pub text: Option<String>,
    pub updated_after: Option<Timestamp>,
    pub flag: Option<String>,
}

impl Filter {
    fn conditions(&self, scope: &Scope) -> (String, Vec<Value>) {
        let mut values: Vec<Value> = vec![scope.tenant_value()];
        let mut sql = "tenant_id = $1".to_owned();
        let mut also = |condition: &str, value: Value| {
            values.push(value);
            let mark = format!("${}", values.len());
            sql.push_str(" AND ");
            sql.push_str(&condition.replace('?', &mark));
        };
        if let Some(pair) = self.pair {
            also("pair_id = ?", pair.0.into());
        }
        if let Some(flow) = &self.flow {
            also("flow = ?", flow.clone().into());
        }
        if let Some(run) = self.run {
            also("run_id = ?", run.0.into());
        }
        if let Some(after) = self.updated_after {
            also("updated_at > ?", after.0.into());
        }
        if let Some(flag) = &self.flag {
            also(
                "flags LIKE ? ESCAPE '!'",
                like(&format!("\"{flag}\"")).into(),
            );
        }
        if let Some(text) = self.text.as_deref().map(str::trim)
            && !text.is_empty()
        {
            let ways: Vec<String> = spellings(text)
                .into_iter()
                .map(|spelling| {
                    values.push(like(&spelling).into());
                    KNOWN_BY.replace('?', &format!("${}", values.len()))
                })
                .collect();
            sql.push_str(&format!(" AND ({})", ways.join(" OR ")));
        }
        if !self.states.is_empty() {
            let marks: Vec<String> = self
                .states
                .iter()
                .map(|state| {
                    values.push(state.as_str().into());
                    format!("${}", values.len())
                })
                .collect();
            sql.push_str(&format!(" AND state IN ({})", marks.join(", ")));
            if self.states.iter().all(|state| is_in_need(*state)) {
                sql.push_str(&format!(" AND {IN_NEED}"));
            }
        }
        (sql, values)
    }
}

/// Word for word the condition of the index of what is not at rest, so that both engines see that it serves.
pub(super) const IN_NEED: &str =
    "state IN ('pending', 'syncing', 'waiting', 'held', 'review', 'retrying', 'failed')";

fn is_in_need(state: State) -> bool {
    !matches!(
        state,
        State::Succeeded | State::Unchanged | State::Linked | State::Ignored
    )
}

/// What people know a record by.
const KNOWN_BY: &str = "lower(coalesce(number, '')) LIKE ? ESCAPE '!' \
OR lower(coalesce(counterparty, '')) LIKE ? ESCAPE '!' OR lower(coalesce(project, '')) LIKE ? ESCAPE '!' \
OR lower(coalesce(target_id, '')) LIKE ? ESCAPE '!' OR lower(source_id) LIKE ? ESCAPE '!'";

/// A text in lower case. Some databases know the case of plain letters only, so the others are looked
/// for as they were typed, in lower and in upper case, and as names are written.
fn spellings(text: &str) -> BTreeSet<String> {
    let words = text.split(' ').map(|word| {
        let mut letters = word.chars();
        let first: String = letters.by_ref().take(1).collect();
        first.to_uppercase() + &letters.as_str().to_lowercase()
    });
    let as_name = words.collect::<Vec<_>>().join(" ");
    [
        text.to_lowercase(),
        text.to_ascii_lowercase(),
        text.to_uppercase().to_ascii_lowercase(),
        as_name.to_ascii_lowercase(),
    ]
    .into()
}

/// A part of a text, with nothing in it that `LIKE` would read as its own.
fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// A page of records, newest first, before one of them.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn records(
    scope: &Scope,
    filter: &Filter,
    before: Option<RecordId>,
    limit: u32,
) -> Result<Vec<Work>, StoreError> {
    let (mut conditions, mut values) = filter.conditions(scope);
    if let Some(before) = before {
        values.push(before.0.into());
        conditions.push_str(&format!(" AND id < ${}", values.len()));
    }
    let sql =
        format!("SELECT {COLUMNS} FROM record WHERE {conditions} ORDER BY id DESC LIMIT {limit}");
    let rows: Vec<RecordRow> = scope.all(&sql, values).await?;
    rows.into_iter().map(RecordRow::into_work).collect()
}

#[derive(FromQueryResult)]
struct Counted {
    state: String,
    currency: Option<String>,
    records: i64,
    amount: Option<i64>,
}

#[derive(FromQueryResult)]
struct AnyRow {
    #[allow(dead_code)] // Only whether there is a row matters.
    flow: String,
}

/// Whether there is any record at all.
///
/// # Errors
/// `Database`.
pub async fn any(scope: &Scope) -> Result<bool, StoreError> {
    let sql = "SELECT flow FROM record WHERE tenant_id = $1 LIMIT 1";
    let found: Option<AnyRow> = scope.one(sql, [scope.tenant_value()]).await?;
    Ok(found.is_some())
}

/// How many records of a state a filter matches, and their money per currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    pub state: State,
    pub records: u64,
    pub money: Option<Money>,
}

/// Counts by state and currency; currencies are never added up.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn totals(scope: &Scope, filter: &Filter) -> Result<Vec<Total>, StoreError> {
    let (conditions, values) = filter.conditions(scope);
    let sql = format!(
        "SELECT state, currency, CAST(count(*) AS BIGINT) AS records, CAST(sum(amount) AS BIGINT) AS amount \
         FROM record WHERE {conditions} GROUP BY state, currency ORDER BY state, currency"
    );
    let rows: Vec<Counted> = scope.all(&sql, values).await?;
    rows.into_iter()
        .map(|row| {
            let money = match (&row.currency, row.amount) {
                (Some(code), Some(units)) => {
                    let currency = super::rows::Column::new("record", "currency").parse(code)?;
                    Some(Money::from_ten_thousandths(units, currency))
                }
                _ => None,
            };
            Ok(Total {
                state: super::rows::Column::new("record", "state").parse(&row.state)?,
                records: u64::try_from(row.records).unwrap_or(0),
                money,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_of_what_is_not_at_rest_names_its_states() {
        for state in State::ALL {
            let is_named = IN_NEED.contains(&format!("'{state}'"));
            assert_eq!(is_named, is_in_need(*state), "{state}");
        }
    }

    #[test]
    fn what_people_type_is_looked_for_literally() {
        assert_eq!(like("po_10%"), "%po!_10!%%");
        assert_eq!(like("a!b"), "%a!!b%");
    }

    #[test]
    fn a_text_is_spelled_in_every_case_that_a_database_may_know() {
        for (text, ways) in [
            ("PO-1", vec!["po-1"]),
            ("Élan", vec!["Élan", "élan"]),
            ("élan é", vec!["Élan É", "élan é"]),
            ("ÉTÉ zu", vec!["ÉtÉ zu", "Été zu", "été zu"]),
        ] {
            assert_eq!(spellings(text).into_iter().collect::<Vec<_>>(), ways);
        }
    }
}
