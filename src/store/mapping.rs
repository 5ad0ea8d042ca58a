//! Mapping tables: replaced whole, in the order in which people keep them.

use std::collections::{BTreeMap, HashMap};

use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use super::rows::{Column, MAPPING_COLUMNS, MappingRow, json_text, side_text};
use super::{Scope, StoreError, pair};
use crate::domain::audit::Happened;
use crate::domain::ids::{ConnectionId, MappingId, PairId};
use crate::domain::mapping::{CheckedRow, MappingKind, Row, Tables, Verdict};

/// A statement that reads whole rows.
fn select(rest: &str) -> String {
    format!("SELECT {MAPPING_COLUMNS} {rest}")
}

const ROWS: &str =
    "FROM mapping WHERE tenant_id = $1 AND pair_id = $2 AND kind = $3 AND position > $4
  ORDER BY position LIMIT $5";

/// Some rows of a table, after a position (-1 = from the beginning). Positions count from 0 without gaps.
///
/// # Errors
/// `Corrupt`, `Database`.
pub async fn page(
    scope: &Scope,
    pair: PairId,
    kind: MappingKind,
    after: i64,
    limit: u32,
) -> Result<Vec<CheckedRow>, StoreError> {
    let values = [
        scope.tenant_value(),
        pair.0.into(),
        kind.as_str().into(),
        after.into(),
        i64::from(limit).into(),
    ];
    let rows: Vec<MappingRow> = scope.all(&select(ROWS), values).await?;
    rows.iter().map(MappingRow::checked).collect()
}

/// Every row of a table.
///
/// # Errors
/// `Corrupt`, `Database`.
pub async fn rows(
    scope: &Scope,
    pair: PairId,
    kind: MappingKind,
) -> Result<Vec<CheckedRow>, StoreError> {
    page(scope, pair, kind, -1, u32::MAX).await
}

const TABLES: &str = "FROM mapping WHERE tenant_id = $1 AND pair_id = $2 ORDER BY kind, position";

/// All tables of a pair.
///
/// # Errors
/// `Corrupt`, `Database`.
pub async fn tables(scope: &Scope, pair: PairId) -> Result<Tables, StoreError> {
    let rows: Vec<MappingRow> = scope
        .all(&select(TABLES), [scope.tenant_value(), pair.0.into()])
        .await?;
    let mut tables: BTreeMap<MappingKind, Vec<Row>> = BTreeMap::new();
    for row in &rows {
        tables.entry(kind_of(row)?).or_default().push(row.row()?);
    }
    Ok(Tables(tables))
}

fn kind_of(row: &MappingRow) -> Result<MappingKind, StoreError> {
    Column::new("mapping", "kind").parse(&row.kind)
}

#[derive(FromQueryResult)]
struct Counted {
    kind: String,
    rows: i64,
    faulty: i64,
    unverified: i64,
}

/// How a table stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    pub rows: u64,
    /// Rows that the look-up found something wrong with.
    pub faulty: u64,
    /// Rows that were not looked up yet.
    pub unverified: u64,
}

/// How each table of a pair stands; a kind without rows is not there.
///
/// # Errors
/// `Corrupt`, `Database`.
pub async fn standing(
    scope: &Scope,
    pair: PairId,
) -> Result<BTreeMap<MappingKind, Standing>, StoreError> {
    let sql = format!(
        "SELECT kind, CAST(count(*) AS BIGINT) AS rows,
           CAST(sum(CASE WHEN {FAULTY} THEN 1 ELSE 0 END) AS BIGINT) AS faulty,
           CAST(sum(CASE WHEN verified_at IS NULL THEN 1 ELSE 0 END) AS BIGINT) AS unverified
         FROM mapping WHERE tenant_id = $1 AND pair_id = $2 GROUP BY kind"
    );
    let counted: Vec<Counted> = scope
        .all(&sql, [scope.tenant_value(), pair.0.into()])
        .await?;
    let whole = |number| u64::try_from(number).unwrap_or(0);
    counted
        .into_iter()
        .map(|row| {
            let kind = Column::new("mapping", "kind").parse(&row.kind)?;
            let standing = Standing {
                rows: whole(row.rows),
                faulty: whole(row.faulty),
                unverified: whole(row.unverified),
            };
            Ok((kind, standing))
        })
        .collect()
}

/// What a replacement did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replaced {
    pub added: usize,
    pub removed: usize,
    /// Rows that were there before with the same two sides. What was found about them stays, unless
    /// something was wrong: it may have been mended, so they are looked up again.
    pub kept: usize,
}

const CLEAR: &str = "DELETE FROM mapping WHERE tenant_id = $1 AND pair_id = $2 AND kind = $3";

/// Replaces a whole table: the pair's version rises, the change is told, and the tenant is woken, because
/// rows wait to be looked up and records may wait for them.
///
/// # Errors
/// `Missing` when there is no such pair; `Corrupt`, `Database`.
pub async fn replace(
    scope: &Scope,
    pair: PairId,
    kind: MappingKind,
    new: &[Row],
) -> Result<Replaced, StoreError> {
    let old = stored(scope, pair, kind).await?;
    let removed_at_most = old.len();
    let mut known: HashMap<(String, String), MappingRow> = old
        .into_iter()
        .map(|row| ((row.project_side.clone(), row.erp_side.clone()), row))
        .collect();
    let mut rows = Vec::with_capacity(new.len());
    let mut kept = 0;
    for (row, position) in new.iter().zip(0i64..) {
        let sides = (side_text(&row.project_side)?, side_text(&row.erp_side)?);
        let before = known.remove(&sides);
        if before.is_some() {
            kept = 1usize.saturating_add(kept);
        }
        rows.push(placed(kind, row, sides, before, position));
    }
    let values = [scope.tenant_value(), pair.0.into(), kind.as_str().into()];
    scope.run(CLEAR, values).await?;
    insert(scope, pair, rows).await?;
    let replaced = Replaced {
        added: new.len().saturating_sub(kept),
        removed: removed_at_most.saturating_sub(kept),
        kept,
    };
    changed(scope, pair, kind, replaced).await?;
    Ok(replaced)
}

/// Sets one row: in the place of the row with the same project side, else at the end. Tells and wakes
/// like [`replace`]. Gives false when the row was there already.
///
/// # Errors
/// `Missing` when there is no such pair; `Corrupt`, `Database`.
pub async fn put(
    scope: &Scope,
    pair: PairId,
    kind: MappingKind,
    row: &Row,
) -> Result<bool, StoreError> {
    let mut rows: Vec<Row> = rows(scope, pair, kind)
        .await?
        .into_iter()
        .map(|checked| checked.row)
        .collect();
    match rows
        .iter_mut()
        .find(|found| found.project_side == row.project_side)
    {
        Some(found) if found.erp_side == row.erp_side => return Ok(false),
        Some(found) => *found = row.clone(),
        None => rows.push(row.clone()),
    }
    replace(scope, pair, kind, &rows).await?;
    Ok(true)
}

async fn stored(
    scope: &Scope,
    pair: PairId,
    kind: MappingKind,
) -> Result<Vec<MappingRow>, StoreError> {
    let values = [
        scope.tenant_value(),
        pair.0.into(),
        kind.as_str().into(),
        (-1i64).into(),
        i64::MAX.into(),
    ];
    scope.all(&select(ROWS), values).await
}

fn placed(
    kind: MappingKind,
    row: &Row,
    (project_side, erp_side): (String, String),
    before: Option<MappingRow>,
    position: i64,
) -> MappingRow {
    let (id, verdict, verified_at) = match before {
        Some(before) if before.is_well() => (before.id, before.verdict, before.verified_at),
        Some(before) => (before.id, None, None),
        None => (MappingId::generate().0, None, None),
    };
    MappingRow {
        id,
        kind: kind.as_str().to_owned(),
        position,
        project_side,
        erp_side,
        note: row.note.clone(),
        verdict,
        verified_at,
    }
}

/// Columns of one inserted row; SQLite binds at most 32,766 values in a statement.
const COLUMNS: usize = 10;
const ROWS_PER_INSERT: usize = 500;

async fn insert(scope: &Scope, pair: PairId, rows: Vec<MappingRow>) -> Result<(), StoreError> {
    for chunk in rows.chunks(ROWS_PER_INSERT) {
        let places: Vec<String> = (0..chunk.len()).map(place).collect();
        let sql = format!(
            "INSERT INTO mapping (tenant_id, id, pair_id, kind, position, project_side, erp_side, note,
               verdict, verified_at) VALUES {}",
            places.join(", ")
        );
        let values = chunk.iter().flat_map(|row| values(scope, pair, row));
        scope.run(&sql, values).await?;
    }
    Ok(())
}

/// `($11, $12, …)` of the row at `index`.
fn place(index: usize) -> String {
    let first = index.saturating_mul(COLUMNS).saturating_add(1);
    let marks: Vec<String> = (first..first.saturating_add(COLUMNS))
        .map(|number| format!("${number}"))
        .collect();
    format!("({})", marks.join(", "))
}

fn values(scope: &Scope, pair: PairId, row: &MappingRow) -> [Value; COLUMNS] {
    [
        scope.tenant_value(),
        row.id.into(),
        pair.0.into(),
        row.kind.clone().into(),
        row.position.into(),
        row.project_side.clone().into(),
        row.erp_side.clone().into(),
        row.note.clone().into(),
        row.verdict.clone().into(),
        row.verified_at.into(),
    ]
}

async fn changed(
    scope: &Scope,
    pair: PairId,
    kind: MappingKind,
    replaced: Replaced,
) -> Result<(), StoreError> {
    pair::bump(scope, pair).await?;
    scope.tell(
        Happened::new("mapping.changed", "pair", pair)
            .with("kind", kind)
            .with("added", replaced.added)
            .with("removed", replaced.removed)
            .with("kept", replaced.kept),
    );
    scope.wake(scope.now());
    Ok(())
}

const UNVERIFIED: &str =
    "FROM mapping WHERE tenant_id = $1 AND pair_id = $2 AND verified_at IS NULL
  ORDER BY kind, position LIMIT $3";

/// Rows that nobody looked up yet, with their tables.
///
/// # Errors
/// `Corrupt`, `Database`.
pub async fn unverified(
    scope: &Scope,
    pair: PairId,
    limit: u32,
) -> Result<Vec<(MappingKind, Row)>, StoreError> {
    let values = [scope.tenant_value(), pair.0.into(), i64::from(limit).into()];
    let rows: Vec<MappingRow> = scope.all(&select(UNVERIFIED), values).await?;
    rows.iter()
        .map(|row| Ok((kind_of(row)?, row.row()?)))
        .collect()
}

#[derive(FromQueryResult)]
struct OfPair {
    pair_id: Uuid,
}

const PAIRS_UNVERIFIED: &str = "
SELECT DISTINCT pair_id FROM mapping WHERE tenant_id = $1 AND verified_at IS NULL
  AND pair_id IN (SELECT id FROM pair WHERE tenant_id = $1 AND status <> 'removed')";

/// Pairs with rows that nobody looked up yet.
///
/// # Errors
/// `Database`.
pub async fn pairs_unverified(scope: &Scope) -> Result<Vec<PairId>, StoreError> {
    let rows: Vec<OfPair> = scope.all(PAIRS_UNVERIFIED, [scope.tenant_value()]).await?;
    Ok(rows.into_iter().map(|row| row.pair_id.into()).collect())
}

const SET_VERDICT: &str = "
UPDATE mapping SET verdict = $3, verified_at = $4 WHERE tenant_id = $1 AND id = $2";

/// Keeps what was found about rows. A row that was replaced meanwhile is passed over.
///
/// # Errors
/// `Database`.
pub async fn set_verdicts(
    scope: &Scope,
    verdicts: &[(MappingId, Verdict)],
) -> Result<(), StoreError> {
    for (id, verdict) in verdicts {
        let values = [
            scope.tenant_value(),
            id.0.into(),
            json_text(Column::new("mapping", "verdict"), verdict)?.into(),
            scope.now().0.into(),
        ];
        scope.run(SET_VERDICT, values).await?;
    }
    Ok(())
}

/// What `verdict` begins with once issues were found; [`Verdict`] writes its empty list last.
const FAULTY: &str = r#"verdict IS NOT NULL AND verdict NOT LIKE '%"issues":[]}'"#;

/// Every row of the pairs into an ERP connection is looked up again: its settings have changed.
///
/// # Errors
/// `Database`.
pub async fn unverify_all(scope: &Scope, erp: ConnectionId) -> Result<(), StoreError> {
    unverify(scope, erp, "verified_at IS NOT NULL").await
}

/// Rows that something was wrong with are looked up again: it may have been mended in the ERP.
///
/// # Errors
/// `Database`.
pub async fn unverify_faulty(scope: &Scope, erp: ConnectionId) -> Result<(), StoreError> {
    unverify(scope, erp, FAULTY).await
}

async fn unverify(scope: &Scope, erp: ConnectionId, which: &str) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE mapping SET verdict = NULL, verified_at = NULL WHERE tenant_id = $1 AND {which}
           AND pair_id IN (SELECT id FROM pair WHERE tenant_id = $1 AND erp_connection_id = $2)"
    );
    scope
        .run(&sql, [scope.tenant_value(), erp.0.into()])
        .await?;
    Ok(())
}
