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
    pub exchanges: Vec<Exchanges>,
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
    Ok(Whole {
        snapshot: body(&scope, work.snapshot_digest.as_deref()).await?,
        differences: body(&scope, work.changes_digest.as_deref())
            .await?
            .unwrap_or_default(),
        candidates: body(&scope, work.candidates_digest.as_deref())
            .await?
            .unwrap_or_default(),
        link: store::link::of_source(&scope, pair.id, &entity, source_id).await?,
        exchanges: store::exchange::of_record(&scope, id, EXCHANGES_MAX).await?,
        mapped,
        fields,
        pair,
        work,
    })
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
