//! How many records are in each state, also where there are a million of them.
//!
//! What is not at rest is counted each time, by an index of its own. What is at rest is counted anew only after
//! something was told of in the trail, or the other counts moved; and of many records not more often than every
//! few seconds.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::{FromQueryResult, Value};

use super::search::IN_NEED;
use super::{Scope, StoreError, audit};
use crate::domain::ids::{PairId, TenantId};
use crate::domain::record::State;

/// Fewer records than this are counted each time.
const MANY: u64 = 20_000;
/// Counts of many records may be this old.
const GOOD_FOR: Duration = Duration::from_secs(10);
/// Counts that are remembered; a bound on memory.
const REMEMBERED_MAX: usize = 4_096;

type Counts = Vec<(State, u64)>;
/// A tenant, and one pair of it or all.
type Key = (TenantId, Option<PairId>);

struct Counted {
    seq: i64,
    in_need: Counts,
    all: Counts,
    at: Instant,
}

static REMEMBERED: LazyLock<Mutex<HashMap<Key, Counted>>> = LazyLock::new(Mutex::default);

#[derive(FromQueryResult)]
struct StateCount {
    state: String,
    records: i64,
}

/// How many records of the tenant, or of one pair, are in each state; states without any are left out.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn by_state(scope: &Scope, pair: Option<PairId>) -> Result<Counts, StoreError> {
    let key = (scope.tenant(), pair);
    let seq = audit::latest(scope).await?;
    let in_need = count(scope, pair, &format!(" AND {IN_NEED}")).await?;
    if let Some(known) = recall(key, seq, &in_need) {
        let at_rest = known.into_iter().filter(|(state, _)| is_at_rest(*state));
        return Ok(in_need.into_iter().chain(at_rest).collect());
    }
    let all = count(scope, pair, "").await?;
    remember(
        key,
        Counted {
            seq,
            in_need,
            all: all.clone(),
            at: Instant::now(),
        },
    );
    Ok(all)
}

fn is_at_rest(state: State) -> bool {
    !IN_NEED.contains(&format!("'{state}'"))
}

fn recall(key: Key, seq: i64, in_need: &Counts) -> Option<Counts> {
    let remembered = REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner);
    let known = remembered.get(&key)?;
    let is_same = known.seq == seq && known.in_need == *in_need;
    (is_same || known.at.elapsed() < GOOD_FOR).then(|| known.all.clone())
}

fn remember(key: Key, counted: Counted) {
    let mut remembered = REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner);
    let records: u64 = counted.all.iter().map(|(_, records)| records).sum();
    if records < MANY {
        remembered.remove(&key);
        return;
    }
    if remembered.len() >= REMEMBERED_MAX {
        remembered.clear();
    }
    remembered.insert(key, counted);
}

async fn count(scope: &Scope, pair: Option<PairId>, also: &str) -> Result<Counts, StoreError> {
    let mut values: Vec<Value> = vec![scope.tenant_value()];
    let of_pair = match pair {
        Some(pair) => {
            values.push(pair.0.into());
            " AND pair_id = $2"
        }
        None => "",
    };
    let sql = format!(
        "SELECT state, CAST(count(*) AS BIGINT) AS records FROM record \
         WHERE tenant_id = $1{of_pair}{also} GROUP BY state ORDER BY state"
    );
    let rows: Vec<StateCount> = scope.all(&sql, values).await?;
    rows.into_iter()
        .map(|row| {
            let state = super::rows::Column::new("record", "state").parse(&row.state)?;
            Ok((state, u64::try_from(row.records).unwrap_or(0)))
        })
        .collect()
}
