//! What a dry run foresees, as reports show it: page by page, filtered, counted, added up per currency.

use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use super::rows::{Column, json};
use super::{Scope, StoreError};
use crate::domain::ids::{RecordId, RunId};
use crate::domain::money::Money;
use crate::domain::plan::{Action, Foreseen};
use crate::domain::record::ExternalRef;

const fn column(name: &'static str) -> Column {
    Column::new("dry_run_change", name)
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    flow: String,
    source_system: String,
    source_entity: String,
    source_id: String,
    number: Option<String>,
    counterparty: Option<String>,
    project: Option<String>,
    amount: Option<i64>,
    currency: Option<String>,
    action: String,
    target_id: Option<String>,
    digest: Option<String>,
    changes: String,
    issues: String,
    candidates: String,
    waiting_for: String,
    reason: Option<String>,
    explanation: String,
}

impl Row {
    fn into_foreseen(self) -> Result<(RecordId, Foreseen), StoreError> {
        let foreseen = Foreseen {
            flow: self.flow.into(),
            source: ExternalRef {
                system: self.source_system.into(),
                entity: self.source_entity.into(),
                id: self.source_id,
            },
            number: self.number,
            counterparty: self.counterparty,
            project: self.project,
            money: money(self.amount, self.currency.as_deref())?,
            action: column("action").parse(&self.action)?,
            target_id: self.target_id,
            digest: self.digest,
            changes: json(column("changes"), &self.changes)?,
            issues: json(column("issues"), &self.issues)?,
            candidates: json(column("candidates"), &self.candidates)?,
            waiting_for: json(column("waiting_for"), &self.waiting_for)?,
            reason: self.reason,
            explanation: self.explanation,
        };
        Ok((self.id.into(), foreseen))
    }
}

fn money(amount: Option<i64>, currency: Option<&str>) -> Result<Option<Money>, StoreError> {
    Ok(match (amount, currency) {
        (Some(units), Some(code)) => Some(Money::from_ten_thousandths(
            units,
            column("currency").parse(code)?,
        )),
        _ => None,
    })
}

/// Which rows are shown. What is left out matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub flow: Option<String>,
    pub actions: Vec<Action>,
}

/// A page of rows in the order in which they were listed, after one of them.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn list(
    scope: &Scope,
    run: RunId,
    filter: &Filter,
    after: Option<RecordId>,
    limit: u32,
) -> Result<Vec<(RecordId, Foreseen)>, StoreError> {
    let mut values: Vec<Value> = vec![scope.tenant_value(), run.0.into()];
    let mut conditions = String::new();
    let mut also = |condition: &str, value: Value| {
        values.push(value);
        conditions.push_str(&format!(" AND {condition} ${}", values.len()));
    };
    if let Some(flow) = &filter.flow {
        also("flow =", flow.clone().into());
    }
    if let Some(after) = after {
        also("id >", after.0.into());
    }
    if !filter.actions.is_empty() {
        let marks: Vec<String> = filter
            .actions
            .iter()
            .map(|action| {
                values.push(action.as_str().into());
                format!("${}", values.len())
            })
            .collect();
        conditions.push_str(&format!(" AND action IN ({})", marks.join(", ")));
    }
    let sql = format!(
        "SELECT id, flow, source_system, source_entity, source_id, number, counterparty, project, amount, currency, \
           action, target_id, digest, changes, issues, candidates, waiting_for, reason, explanation \
         FROM dry_run_change WHERE tenant_id = $1 AND run_id = $2 AND action IS NOT NULL{conditions} \
         ORDER BY id LIMIT {limit}"
    );
    let rows: Vec<Row> = scope.all(&sql, values).await?;
    rows.into_iter().map(Row::into_foreseen).collect()
}

#[derive(FromQueryResult)]
struct Counted {
    flow: String,
    action: Option<String>,
    currency: Option<String>,
    records: i64,
    amount: Option<i64>,
}

/// How many rows of a flow have an action, and their money in one currency. Rows that are not judged yet have
/// no action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    pub flow: String,
    pub action: Option<Action>,
    pub records: u64,
    pub money: Option<Money>,
}

/// Counts by flow, action and currency; currencies are never added up.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn totals(scope: &Scope, run: RunId) -> Result<Vec<Total>, StoreError> {
    let sql = "SELECT flow, action, currency, CAST(count(*) AS BIGINT) AS records, CAST(sum(amount) AS BIGINT) AS amount \
               FROM dry_run_change WHERE tenant_id = $1 AND run_id = $2 GROUP BY flow, action, currency \
               ORDER BY flow, action, currency";
    let rows: Vec<Counted> = scope.all(sql, [scope.tenant_value(), run.0.into()]).await?;
    rows.into_iter()
        .map(|row| {
            let action = row.action.as_deref();
            Ok(Total {
                action: action
                    .map(|word| column("action").parse(word))
                    .transpose()?,
                records: u64::try_from(row.records).unwrap_or(0),
                money: money(row.amount, row.currency.as_deref())?,
                flow: row.flow,
            })
        })
        .collect()
}
