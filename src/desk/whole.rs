//! One record with everything that is kept beside it: what the source said, the exact write, who might
//! be the same, what was said to the vendors.

use serde::Deserialize;
use serde_json::Value;

use super::{Desk, DeskError};
use crate::domain::ids::RecordId;
use crate::domain::link::Link;
use crate::domain::member::Caller;
use crate::domain::pair::Pair;
use crate::domain::plan::{Candidate, Change};
use crate::store::exchange::Exchanges;
use crate::store::record::Work;
use crate::store::{self, Scope, StoreError};

/// Exchanges that are shown: the latest of them.
const EXCHANGES_MAX: u32 = 20;
/// Parts of one record that are shown.
const PARTS_MAX: u32 = 1_000;

/// One record, whole.
#[derive(Debug, Clone)]
pub struct Whole {
    pub work: Work,
    pub pair: Pair,
    /// The source record as it was last read, redacted; none before, or once erased.
    pub snapshot: Option<Value>,
    /// The exact write in the target's own notation.
    pub mapped: Option<Value>,
    /// The exact write field by field.
    pub fields: Vec<Change>,
    /// Where the target differs from it.
    pub differences: Vec<Change>,
    pub candidates: Vec<Candidate>,
    /// The cross-reference of the source record.
    pub link: Option<Link>,
    /// The same, with those of its parts and of the records that it names.
    pub links: Vec<Joined>,
    pub exchanges: Vec<Exchanges>,
}

/// A cross-reference around a record.
#[derive(Debug, Clone)]
pub struct Joined {
    pub link: Link,
    /// The record of its source side, where it has one of its own.
    pub record: Option<RecordId>,
}

/// The part of a kept write that people see.
#[derive(Deserialize)]
struct KeptDraft {
    payload: Value,
    fields: Vec<Change>,
}

/// One record, whole.
///
/// # Errors
/// `Missing`.
pub async fn find(desk: &Desk, caller: &Caller, id: RecordId) -> Result<Whole, DeskError> {
    let scope = desk.store().read(caller.tenant_id).await?;
    let work = store::record::find(&scope, id).await?;
    let pair = store::pair::find_kept(&scope, work.record.pair_id).await?;
    let draft: Option<KeptDraft> = body(&scope, work.draft_digest.as_deref()).await?;
    let (mapped, fields) = match draft {
        Some(draft) => (Some(draft.payload), draft.fields),
        None => (None, Vec::new()),
    };
    let entity = flow_entity(desk, &pair, work.record.flow.as_str())
        .unwrap_or_else(|| work.record.source.entity.clone());
    let source_id = &work.record.source.id;
    let snapshot: Option<Value> = body(&scope, work.snapshot_digest.as_deref()).await?;
    let link = store::link::of_source(&scope, pair.id, &entity, source_id).await?;
    let links = joined(
        desk,
        &scope,
        &pair,
        (&work, link.as_ref()),
        snapshot.as_ref(),
    )
    .await?;
    Ok(Whole {
        differences: body(&scope, work.changes_digest.as_deref())
            .await?
            .unwrap_or_default(),
        candidates: body(&scope, work.candidates_digest.as_deref())
            .await?
            .unwrap_or_default(),
        exchanges: store::exchange::of_record(&scope, id, EXCHANGES_MAX).await?,
        snapshot,
        mapped,
        fields,
        link,
        links,
        pair,
        work,
    })
}

/// The record's own cross-reference, those of its parts, and those of the records that it names.
async fn joined(
    desk: &Desk,
    scope: &Scope,
    pair: &Pair,
    (work, own): (&Work, Option<&Link>),
    snapshot: Option<&Value>,
) -> Result<Vec<Joined>, DeskError> {
    let mut links = Vec::new();
    if let Some(own) = own {
        links.push(Joined {
            link: own.clone(),
            record: Some(work.record.id),
        });
        let parts = store::link::of_parts(scope, pair.id, &own.target.id, PARTS_MAX).await?;
        links.extend(parts.into_iter().map(|link| Joined { link, record: None }));
    }
    let Some(snapshot) = snapshot else {
        return Ok(links);
    };
    let flow = work.record.flow.as_str();
    for (entity, key) in desk.engine.named_by(scope, pair, flow, snapshot).await? {
        let found = store::link::of_source(scope, pair.id, &entity, &key).await?;
        let Some(link) = found else { continue };
        let record = match desk.engine.flow_of(pair, &entity) {
            Some(flow) => store::record::of_source(scope, pair.id, flow, &key).await?,
            None => None,
        };
        links.push(Joined {
            link,
            record: record.map(|work| work.record.id),
        });
    }
    Ok(links)
}

/// What a flow's links join.
fn flow_entity(desk: &Desk, pair: &Pair, flow: &str) -> Option<crate::domain::system::Entity> {
    let kind = desk.engine.pair_kind(&pair.kind)?;
    kind.flow(flow).map(|flow| flow.entity.clone())
}

/// A kept body; none where there is none, or what is kept cannot be read any more.
async fn body<T: for<'de> Deserialize<'de>>(
    scope: &Scope,
    digest: Option<&str>,
) -> Result<Option<T>, StoreError> {
    let Some(digest) = digest else {
        return Ok(None);
    };
    let text = store::body::find(scope, digest).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}
