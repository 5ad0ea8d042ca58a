//! The journal of intended writes: one row for each thing in a vendor's books that is ours to write.

use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use super::rows::Column;
use super::{Scope, StoreError};
use crate::closed_words;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{EffectId, RecordId};
use crate::domain::system::Entity;

closed_words! {
    /// How far one intended write has come.
    EffectState {
        /// Chosen, and nothing that matters was sent: a chain of harmless steps at most.
        Open => "open",
        /// A final step was about to be sent: it may or may not have been.
        Intent => "intent",
        /// Sent without a usable answer.
        Ambiguous => "ambiguous",
        /// Taken by the vendor, not finished there.
        Accepted => "accepted",
        Confirmed => "confirmed",
        Rejected => "rejected",
    }
}

impl EffectState {
    /// It may have been sent, and nobody knows what came of it.
    #[must_use]
    pub fn is_in_doubt(self) -> bool {
        matches!(self, Self::Intent | Self::Ambiguous | Self::Accepted)
    }
}

/// One intended write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    pub id: EffectId,
    pub record: RecordId,
    /// The physical target: host, company, division.
    pub place: String,
    pub entity: Entity,
    pub natural_key: String,
    pub state: EffectState,
    pub operation: String,
    pub attempt: u32,
    pub fence: i64,
    pub draft_digest: String,
    /// How far the chain of calls has come, in the connector's notation.
    pub progress: String,
    /// The latest moment that the last send was allowed to begin.
    pub send_deadline: Option<Timestamp>,
    pub quiet_until: Option<Timestamp>,
    /// Look-ups that found nothing since the quiet period ended.
    pub absent_seen: u32,
    /// Final steps of the chain that surely landed.
    pub counted: u32,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    record_id: Uuid,
    place: String,
    entity: String,
    natural_key: String,
    state: String,
    operation: String,
    attempt: i64,
    fence: i64,
    draft_digest: String,
    progress: String,
    send_deadline: Option<i64>,
    quiet_until: Option<i64>,
    absent_seen: i64,
    counted: i64,
}

const COLUMNS: &str = "id, record_id, place, entity, natural_key, state, operation, attempt, fence, draft_digest, \
progress, send_deadline, quiet_until, absent_seen, counted";

impl Row {
    fn into_effect(self) -> Result<Effect, StoreError> {
        Ok(Effect {
            id: self.id.into(),
            record: self.record_id.into(),
            place: self.place,
            entity: self.entity.into(),
            natural_key: self.natural_key,
            state: Column::new("effect", "state").parse(&self.state)?,
            operation: self.operation,
            attempt: u32::try_from(self.attempt).unwrap_or(u32::MAX),
            fence: self.fence,
            draft_digest: self.draft_digest,
            progress: self.progress,
            send_deadline: self.send_deadline.map(Timestamp),
            quiet_until: self.quiet_until.map(Timestamp),
            absent_seen: u32::try_from(self.absent_seen).unwrap_or(u32::MAX),
            counted: u32::try_from(self.counted).unwrap_or(u32::MAX),
        })
    }
}

/// The write of a record that must be looked after: the one that is in doubt, else the one that it last
/// intended.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn of_record(scope: &Scope, record: RecordId) -> Result<Option<Effect>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM effect WHERE tenant_id = $1 AND record_id = $2 \
         ORDER BY CASE WHEN state IN ('confirmed', 'rejected') THEN 1 ELSE 0 END, updated_at DESC LIMIT 1"
    );
    let row: Option<Row> = scope
        .one(&sql, [scope.tenant_value(), record.0.into()])
        .await?;
    row.map(Row::into_effect).transpose()
}

/// The write with an identity, whichever record intended it.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn of_identity(
    scope: &Scope,
    place: &str,
    entity: &Entity,
    natural_key: &str,
) -> Result<Option<Effect>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM effect WHERE tenant_id = $1 AND place = $2 AND entity = $3 AND natural_key = $4"
    );
    let values = [
        scope.tenant_value(),
        place.into(),
        entity.as_str().into(),
        natural_key.into(),
    ];
    let row: Option<Row> = scope.one(&sql, values).await?;
    row.map(Row::into_effect).transpose()
}

const SAVE: &str = "
INSERT INTO effect (tenant_id, id, record_id, place, entity, natural_key, state, operation, attempt, fence,
  draft_digest, progress, send_deadline, quiet_until, absent_seen, created_at, updated_at, counted)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16, $17)
ON CONFLICT (tenant_id, place, entity, natural_key) DO UPDATE SET
  record_id = excluded.record_id, state = excluded.state, operation = excluded.operation,
  attempt = excluded.attempt, fence = excluded.fence, draft_digest = excluded.draft_digest,
  progress = excluded.progress, send_deadline = excluded.send_deadline, quiet_until = excluded.quiet_until,
  absent_seen = excluded.absent_seen, counted = excluded.counted, updated_at = excluded.updated_at
WHERE effect.record_id = excluded.record_id OR effect.state IN ('confirmed', 'rejected')";

/// Keeps where a write stands.
///
/// # Errors
/// `Taken` when another record is writing the same thing at this moment.
pub async fn save(scope: &Scope, effect: &Effect) -> Result<(), StoreError> {
    let values: [Value; 17] = [
        scope.tenant_value(),
        effect.id.0.into(),
        effect.record.0.into(),
        effect.place.clone().into(),
        effect.entity.as_str().into(),
        effect.natural_key.clone().into(),
        effect.state.as_str().into(),
        effect.operation.clone().into(),
        i64::from(effect.attempt).into(),
        effect.fence.into(),
        effect.draft_digest.clone().into(),
        effect.progress.clone().into(),
        effect.send_deadline.map(|at| at.0).into(),
        effect.quiet_until.map(|at| at.0).into(),
        i64::from(effect.absent_seen).into(),
        scope.now().0.into(),
        i64::from(effect.counted).into(),
    ];
    match scope.run(SAVE, values).await? {
        0 => Err(StoreError::Taken("this write")),
        _ => Ok(()),
    }
}

const ADVANCE: &str = "
UPDATE effect SET state = $6, operation = $7, attempt = $8, fence = $9, progress = $10, send_deadline = $11,
  counted = $12, updated_at = $13
WHERE tenant_id = $1 AND place = $2 AND entity = $3 AND natural_key = $4 AND record_id = $5 AND EXISTS (
  SELECT 1 FROM record WHERE record.tenant_id = $1 AND record.id = $5 AND record.revision = $14)";

/// Keeps how far a write has come whose record stays as it is: between two steps of a chain.
///
/// # Errors
/// `RECORD_CHANGED` when somebody decided about the record meanwhile.
pub async fn advance(scope: &Scope, effect: &Effect, revision: i64) -> Result<(), StoreError> {
    let values: [Value; 14] = [
        scope.tenant_value(),
        effect.place.clone().into(),
        effect.entity.as_str().into(),
        effect.natural_key.clone().into(),
        effect.record.0.into(),
        effect.state.as_str().into(),
        effect.operation.clone().into(),
        i64::from(effect.attempt).into(),
        effect.fence.into(),
        effect.progress.clone().into(),
        effect.send_deadline.map(|at| at.0).into(),
        i64::from(effect.counted).into(),
        scope.now().0.into(),
        revision.into(),
    ];
    match scope.run(ADVANCE, values).await? {
        0 => Err(StoreError::RECORD_CHANGED),
        _ => Ok(()),
    }
}
