//! Links: which source record is which target record.

use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use super::chain::marks;
use super::{Scope, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{LinkId, PairId};
use crate::domain::link::{End, Link, PARTS, SHARED};
use crate::domain::system::Entity;

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    pair_id: Uuid,
    entity: String,
    scope: String,
    source_system: String,
    source_id: String,
    target_system: String,
    target_id: String,
    matched_by: String,
    draft_digest: Option<String>,
    created_at: i64,
}

const COLUMNS: &str = "id, pair_id, entity, scope, source_system, source_id, target_system, target_id, \
matched_by, draft_digest, created_at";

impl From<Row> for Link {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            pair_id: row.pair_id.into(),
            entity: row.entity.into(),
            scope: row.scope,
            source: End {
                system: row.source_system.into(),
                id: row.source_id,
            },
            target: End {
                system: row.target_system.into(),
                id: row.target_id,
            },
            matched_by: row.matched_by,
            draft_digest: row.draft_digest,
            created_at: Timestamp(row.created_at),
        }
    }
}

/// The link of a source record.
///
/// # Errors
/// `Database`.
pub async fn of_source(
    scope: &Scope,
    pair: PairId,
    entity: &Entity,
    source_id: &str,
) -> Result<Option<Link>, StoreError> {
    of(scope, "source_id", pair, entity, source_id).await
}

/// The link of a target record; one of them, where many source records share it.
///
/// # Errors
/// `Database`.
pub async fn of_target(
    scope: &Scope,
    pair: PairId,
    entity: &Entity,
    target_id: &str,
) -> Result<Option<Link>, StoreError> {
    of(scope, "target_id", pair, entity, target_id).await
}

async fn of(
    scope: &Scope,
    side: &'static str,
    pair: PairId,
    entity: &Entity,
    id: &str,
) -> Result<Option<Link>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM link WHERE tenant_id = $1 AND pair_id = $2 AND entity = $3 AND {side} = $4 AND alias = 0"
    );
    let values = [
        scope.tenant_value(),
        pair.0.into(),
        entity.as_str().into(),
        id.into(),
    ];
    let row: Option<Row> = scope.one(&sql, values).await?;
    Ok(row.map(Link::from))
}

/// Links of the parts of a target record, in the order in which they were made; the first `limit` of them.
///
/// # Errors
/// `Database`.
pub async fn of_parts(
    scope: &Scope,
    pair: PairId,
    target_id: &str,
    limit: u32,
) -> Result<Vec<Link>, StoreError> {
    let mut values: Vec<Value> = vec![
        scope.tenant_value(),
        pair.0.into(),
        beginning(&format!("{target_id}/")).into(),
    ];
    let marks: Vec<String> = PARTS
        .iter()
        .map(|entity| {
            values.push(entity.as_str().into());
            format!("${}", values.len())
        })
        .collect();
    let sql = format!(
        "SELECT {COLUMNS} FROM link WHERE tenant_id = $1 AND pair_id = $2 AND entity IN ({}) AND alias = 0 \
         AND target_id LIKE $3 ESCAPE '!' ORDER BY id LIMIT {limit}",
        marks.join(", ")
    );
    let rows: Vec<Row> = scope.all(&sql, values).await?;
    Ok(rows.into_iter().map(Link::from).collect())
}

/// A pattern of everything that begins so, with nothing in it that `LIKE` would read as its own.
fn beginning(text: &str) -> String {
    let mut pattern = String::new();
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// What a link is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLink {
    pub pair: PairId,
    pub entity: Entity,
    /// Company and division where the target key lives.
    pub place: String,
    pub source: End,
    pub target: End,
    pub matched_by: String,
    pub draft_digest: Option<String>,
}

/// Columns of one link in [`put_all`].
const COLUMNS_PUT: usize = 12;
/// Links of one statement.
const LINKS_MAX: usize = 500;

/// Makes a link, or moves the one that its source record has.
///
/// # Errors
/// `Taken` when the target record is another source record's.
pub async fn put(scope: &Scope, link: NewLink) -> Result<(), StoreError> {
    put_all(scope, std::slice::from_ref(&link)).await
}

/// Makes links, or moves those that their source records have.
///
/// # Errors
/// `Taken` when a target record is another source record's.
pub async fn put_all(scope: &Scope, links: &[NewLink]) -> Result<(), StoreError> {
    let put = put_free(scope, links).await?;
    if put < u64::try_from(links.len()).unwrap_or(u64::MAX) {
        return Err(StoreError::Taken("this target record"));
    }
    Ok(())
}

/// The same, leaving out those whose target record is another source record's. Gives how many were put.
///
/// # Errors
/// `Database`.
pub async fn put_free(scope: &Scope, links: &[NewLink]) -> Result<u64, StoreError> {
    let mut put = 0_u64;
    for some in links.chunks(LINKS_MAX) {
        let values: Vec<Value> = some.iter().flat_map(|link| row(scope, link)).collect();
        put = put.saturating_add(scope.run(&put_sql(some.len()), values).await?);
    }
    Ok(put)
}

fn row(scope: &Scope, link: &NewLink) -> [Value; COLUMNS_PUT] {
    [
        scope.tenant_value(),
        LinkId::generate().0.into(),
        link.pair.0.into(),
        link.entity.as_str().into(),
        link.place.clone().into(),
        link.source.system.as_str().into(),
        link.source.id.clone().into(),
        link.target.system.as_str().into(),
        link.target.id.clone().into(),
        link.matched_by.clone().into(),
        link.draft_digest.clone().into(),
        scope.now().0.into(),
    ]
}

/// Links whose target is another source record's are left out, which the count of rows tells. Shared targets are
/// everybody's.
fn put_sql(links: usize) -> String {
    let shared: Vec<String> = SHARED
        .iter()
        .map(|entity| format!("'{}'", entity.as_str()))
        .collect();
    let shared = shared.join(", ");
    format!(
        "INSERT INTO link (tenant_id, id, pair_id, entity, scope, source_system, source_id, target_system, target_id,
           matched_by, draft_digest, created_at, alias)
         SELECT new.*, 0 FROM (VALUES {}) AS new
         WHERE (SELECT 1 FROM link AS other WHERE other.tenant_id = new.column1
           AND other.pair_id = new.column3 AND other.entity = new.column4 AND other.target_id = new.column9
           AND other.alias = 0 AND other.source_id <> new.column7 AND other.entity NOT IN ({shared}) LIMIT 1) IS NULL
         ON CONFLICT (tenant_id, pair_id, entity, source_id) WHERE alias = 0 DO UPDATE SET
           scope = excluded.scope, target_system = excluded.target_system, target_id = excluded.target_id,
           matched_by = CASE WHEN link.target_id = excluded.target_id THEN link.matched_by
             ELSE excluded.matched_by END,
           draft_digest = excluded.draft_digest",
        marks(links, COLUMNS_PUT)
    )
}

/// Takes the link of a source record away. Gives whether there was one.
///
/// # Errors
/// `Database`.
pub async fn remove(
    scope: &Scope,
    pair: PairId,
    entity: &Entity,
    source_id: &str,
) -> Result<bool, StoreError> {
    let sql = "DELETE FROM link WHERE tenant_id = $1 AND pair_id = $2 AND entity = $3 AND source_id = $4 AND alias = 0";
    let values = [
        scope.tenant_value(),
        pair.0.into(),
        entity.as_str().into(),
        source_id.into(),
    ];
    Ok(scope.run(sql, values).await? > 0)
}

/// Notes that the target holds this draft now.
///
/// # Errors
/// `Database`.
pub async fn note_draft(scope: &Scope, link: LinkId, digest: &str) -> Result<(), StoreError> {
    scope
        .run(
            "UPDATE link SET draft_digest = $3 WHERE tenant_id = $1 AND id = $2",
            [scope.tenant_value(), link.0.into(), digest.into()],
        )
        .await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct Keys {
    source_id: String,
    target_id: String,
}

/// Source and target keys of every link of an entity.
///
/// # Errors
/// `Database`.
pub async fn keys(
    scope: &Scope,
    pair: PairId,
    entity: &Entity,
) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "SELECT source_id, target_id FROM link WHERE tenant_id = $1 AND pair_id = $2 AND entity = $3 AND alias = 0";
    let values = [scope.tenant_value(), pair.0.into(), entity.as_str().into()];
    let rows: Vec<Keys> = scope.all(sql, values).await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.source_id, row.target_id))
        .collect())
}

/// Which links a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub pair: Option<PairId>,
    pub entity: Option<String>,
    pub source_id: Option<String>,
    pub target_id: Option<String>,
}

/// A page of links, oldest first, after one of them.
///
/// # Errors
/// `Database`.
pub async fn list(
    scope: &Scope,
    filter: &Filter,
    after: Option<LinkId>,
    limit: u32,
) -> Result<Vec<Link>, StoreError> {
    let mut sql = format!("SELECT {COLUMNS} FROM link WHERE tenant_id = $1");
    let mut values: Vec<Value> = vec![scope.tenant_value()];
    let conditions: [(&str, Option<Value>); 5] = [
        ("pair_id =", filter.pair.map(|pair| pair.0.into())),
        ("entity =", filter.entity.clone().map(Value::from)),
        ("source_id =", filter.source_id.clone().map(Value::from)),
        ("target_id =", filter.target_id.clone().map(Value::from)),
        ("id >", after.map(|id| id.0.into())),
    ];
    for (condition, value) in conditions {
        if let Some(value) = value {
            values.push(value);
            sql.push_str(&format!(" AND {condition} ${}", values.len()));
        }
    }
    sql.push_str(&format!(" ORDER BY id LIMIT {limit}"));
    let rows: Vec<Row> = scope.all(&sql, values).await?;
    Ok(rows.into_iter().map(Link::from).collect())
}
