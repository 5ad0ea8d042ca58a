//! Failed and waiting records by cause: counted, with their money per currency, page by page.

use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use super::rows::Column;
use super::{Scope, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{PairId, RecordId};
use crate::domain::money::Money;

/// Records of one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<K> {
    pub key: K,
    pub records: u64,
    /// One a currency.
    pub money: Vec<Money>,
    pub first_seen_at: Timestamp,
    pub last_seen_at: Timestamp,
}

/// What records wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitKey {
    pub kind: String,
    pub key: String,
}

#[derive(FromQueryResult)]
struct FailedRow {
    cause: String,
    currency: Option<String>,
    records: i64,
    amount: Option<i64>,
    first_at: i64,
    last_at: i64,
}

#[derive(FromQueryResult)]
struct WaitingRow {
    kind: String,
    key: String,
    currency: Option<String>,
    records: i64,
    amount: Option<i64>,
    first_at: i64,
    last_at: i64,
}

const SUMS: &str = "CAST(count(*) AS BIGINT) AS records, CAST(sum(record.amount) AS BIGINT) AS amount, \
CAST(min(coalesce(record.first_failed_at, record.first_seen_at)) AS BIGINT) AS first_at, \
CAST(max(record.updated_at) AS BIGINT) AS last_at";

fn of_pair(pair: Option<PairId>, values: &mut Vec<Value>) -> String {
    match pair {
        Some(pair) => {
            values.push(pair.0.into());
            format!(" AND record.pair_id = ${}", values.len())
        }
        None => String::new(),
    }
}

/// Causes of failed records in order, after one of them.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn failed(
    scope: &Scope,
    pair: Option<PairId>,
    after: &str,
    limit: u32,
) -> Result<Vec<Group<String>>, StoreError> {
    let mut values: Vec<Value> = vec![scope.tenant_value(), after.into()];
    let pair = of_pair(pair, &mut values);
    // Causes first: a page is so many of them, whatever currencies each has.
    let sql = format!(
        "SELECT record.cause AS cause, record.currency AS currency, {SUMS} FROM record \
         WHERE record.tenant_id = $1 AND record.state = 'failed'{pair} AND record.cause IN ( \
           SELECT DISTINCT cause FROM record WHERE tenant_id = $1 AND state = 'failed' AND cause > $2{pair} \
           ORDER BY cause LIMIT {limit}) \
         GROUP BY record.cause, record.currency ORDER BY record.cause, record.currency"
    );
    let rows: Vec<FailedRow> = scope.all(&sql, values).await?;
    let mut groups: Vec<Group<String>> = Vec::new();
    for row in rows {
        let money = money(row.amount, row.currency.as_deref())?;
        add(
            &mut groups,
            Group {
                key: row.cause,
                records: u64::try_from(row.records).unwrap_or(0),
                money: money.into_iter().collect(),
                first_seen_at: Timestamp(row.first_at),
                last_seen_at: Timestamp(row.last_at),
            },
        );
    }
    Ok(groups)
}

/// What waiting records wait for, in order, after one of them. A record that waits for two things is in both.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn waiting(
    scope: &Scope,
    pair: Option<PairId>,
    after: &WaitKey,
    limit: u32,
) -> Result<Vec<Group<WaitKey>>, StoreError> {
    let mut values: Vec<Value> = vec![
        scope.tenant_value(),
        after.kind.clone().into(),
        after.key.clone().into(),
    ];
    let pair = of_pair(pair, &mut values);
    let waits = "wait JOIN record ON record.tenant_id = wait.tenant_id AND record.id = wait.record_id \
                 WHERE wait.tenant_id = $1 AND record.state = 'waiting'";
    let sql = format!(
        "SELECT wait.kind AS kind, wait.key AS key, record.currency AS currency, {SUMS} FROM {waits}{pair} \
         AND (wait.kind, wait.key) IN (SELECT DISTINCT wait.kind, wait.key FROM {waits}{pair} \
           AND (wait.kind, wait.key) > ($2, $3) ORDER BY 1, 2 LIMIT {limit}) \
         GROUP BY wait.kind, wait.key, record.currency ORDER BY wait.kind, wait.key, record.currency"
    );
    let rows: Vec<WaitingRow> = scope.all(&sql, values).await?;
    let mut groups: Vec<Group<WaitKey>> = Vec::new();
    for row in rows {
        let money = money(row.amount, row.currency.as_deref())?;
        add(
            &mut groups,
            Group {
                key: WaitKey {
                    kind: row.kind,
                    key: row.key,
                },
                records: u64::try_from(row.records).unwrap_or(0),
                money: money.into_iter().collect(),
                first_seen_at: Timestamp(row.first_at),
                last_seen_at: Timestamp(row.last_at),
            },
        );
    }
    Ok(groups)
}

fn money(amount: Option<i64>, currency: Option<&str>) -> Result<Option<Money>, StoreError> {
    Ok(match (amount, currency) {
        (Some(units), Some(code)) => {
            let currency = Column::new("record", "currency").parse(code)?;
            Some(Money::from_ten_thousandths(units, currency))
        }
        _ => None,
    })
}

/// Rows of one cause come one after the other, one a currency.
fn add<K: PartialEq>(groups: &mut Vec<Group<K>>, row: Group<K>) {
    match groups.last_mut() {
        Some(last) if last.key == row.key => {
            last.records = last.records.saturating_add(row.records);
            last.money.extend(row.money);
            last.first_seen_at = last.first_seen_at.min(row.first_seen_at);
            last.last_seen_at = last.last_seen_at.max(row.last_seen_at);
        }
        _ => groups.push(row),
    }
}

#[derive(FromQueryResult)]
struct One {
    id: Uuid,
}

/// One failed record of a cause.
///
/// # Errors
/// `Database`.
pub async fn one_failed(
    scope: &Scope,
    pair: Option<PairId>,
    cause: &str,
) -> Result<Option<RecordId>, StoreError> {
    let mut values: Vec<Value> = vec![scope.tenant_value(), cause.into()];
    let pair = of_pair(pair, &mut values);
    let sql = format!(
        "SELECT record.id AS id FROM record WHERE record.tenant_id = $1 AND record.state = 'failed' \
         AND record.cause = $2{pair} LIMIT 1"
    );
    let one: Option<One> = scope.one(&sql, values).await?;
    Ok(one.map(|one| one.id.into()))
}

/// One record that waits for something.
///
/// # Errors
/// `Database`.
pub async fn one_waiting(
    scope: &Scope,
    pair: Option<PairId>,
    wait: &WaitKey,
) -> Result<Option<RecordId>, StoreError> {
    let mut values: Vec<Value> = vec![
        scope.tenant_value(),
        wait.kind.clone().into(),
        wait.key.clone().into(),
    ];
    let pair = of_pair(pair, &mut values);
    let sql = format!(
        "SELECT record.id AS id FROM wait JOIN record \
           ON record.tenant_id = wait.tenant_id AND record.id = wait.record_id \
         WHERE wait.tenant_id = $1 AND wait.kind = $2 AND wait.key = $3 AND record.state = 'waiting'{pair} LIMIT 1"
    );
    let one: Option<One> = scope.one(&sql, values).await?;
    Ok(one.map(|one| one.id.into()))
}
