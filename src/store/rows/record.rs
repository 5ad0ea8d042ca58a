//! One record as a row.

use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::column::{Column, json, optional_json};
use crate::domain::clock::Timestamp;
use crate::domain::money::Money;
use crate::domain::record::{ExternalRef, Record};
use crate::store::StoreError;
use crate::store::record::Work;

/// Every column that is read, in one list for every statement.
pub(in crate::store) const COLUMNS: &str = "id, pair_id, flow, state, substate, reason, explanation, flags, number, \
counterparty, twin_key, project_key, project, amount, currency, source_system, source_entity, source_id, source_place, \
source_version, seen_version, source_at, target_system, target_entity, target_id, attempts, due_at, first_failed_at, \
rank, lane, fault, waiting_for, plan_action, snapshot_digest, draft_digest, changes_digest, candidates_digest, \
approved_digest, approved_by, wish, pair_version, run_id, outcome, first_seen_at, updated_at, revision";

#[derive(Debug, FromQueryResult)]
pub(in crate::store) struct RecordRow {
    id: Uuid,
    pair_id: Uuid,
    flow: String,
    state: String,
    substate: Option<String>,
    reason: Option<String>,
    explanation: String,
    flags: String,
    number: Option<String>,
    counterparty: Option<String>,
    twin_key: Option<String>,
    project_key: Option<String>,
    project: Option<String>,
    amount: Option<i64>,
    currency: Option<String>,
    source_system: String,
    source_entity: String,
    source_id: String,
    source_place: String,
    source_version: Option<String>,
    seen_version: String,
    source_at: i64,
    target_system: Option<String>,
    target_entity: Option<String>,
    target_id: Option<String>,
    attempts: i64,
    due_at: Option<i64>,
    first_failed_at: Option<i64>,
    rank: i64,
    lane: String,
    fault: Option<String>,
    waiting_for: String,
    plan_action: Option<String>,
    snapshot_digest: Option<String>,
    draft_digest: Option<String>,
    changes_digest: Option<String>,
    candidates_digest: Option<String>,
    approved_digest: Option<String>,
    approved_by: Option<String>,
    wish: Option<String>,
    pair_version: i64,
    run_id: Option<Uuid>,
    outcome: Option<String>,
    first_seen_at: i64,
    updated_at: i64,
    revision: i64,
}

const fn column(name: &'static str) -> Column {
    Column::new("record", name)
}

impl RecordRow {
    pub(in crate::store) fn into_work(self) -> Result<Work, StoreError> {
        let money = match (self.amount, &self.currency) {
            (Some(units), Some(code)) => Some(Money::from_ten_thousandths(
                units,
                column("currency").parse(code)?,
            )),
            _ => None,
        };
        let target = match (self.target_system, self.target_entity, self.target_id) {
            (Some(system), Some(entity), Some(id)) => Some(ExternalRef {
                system: system.into(),
                entity: entity.into(),
                id,
            }),
            _ => None,
        };
        let record = Record {
            id: self.id.into(),
            pair_id: self.pair_id.into(),
            flow: self.flow.into(),
            state: column("state").parse(&self.state)?,
            substate: self.substate,
            reason: self.reason,
            explanation: self.explanation,
            flags: json(column("flags"), &self.flags)?,
            number: self.number,
            counterparty: self.counterparty,
            project: self.project,
            money,
            source: ExternalRef {
                system: self.source_system.into(),
                entity: self.source_entity.into(),
                id: self.source_id,
            },
            source_version: self.source_version,
            target,
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            next_attempt_at: self.due_at.map(Timestamp),
            waiting_for: json(column("waiting_for"), &self.waiting_for)?,
            fault: optional_json(column("fault"), self.fault.as_deref())?,
            run_id: self.run_id.map(Into::into),
            first_seen_at: Timestamp(self.first_seen_at),
            updated_at: Timestamp(self.updated_at),
        };
        Ok(Work {
            record,
            source_place: self.source_place,
            seen_version: self.seen_version,
            source_at: Timestamp(self.source_at),
            project_key: self.project_key,
            twin_key: self.twin_key,
            rank: u8::try_from(self.rank).unwrap_or(u8::MAX),
            lane: self.lane,
            plan_action: self
                .plan_action
                .as_deref()
                .map(|word| column("plan_action").parse(word))
                .transpose()?,
            snapshot_digest: self.snapshot_digest,
            draft_digest: self.draft_digest,
            changes_digest: self.changes_digest,
            candidates_digest: self.candidates_digest,
            approved_digest: self.approved_digest,
            approved_by: self.approved_by,
            wish: optional_json(column("wish"), self.wish.as_deref())?,
            pair_version: self.pair_version,
            revision: self.revision,
            first_failed_at: self.first_failed_at.map(Timestamp),
            outcome: self
                .outcome
                .as_deref()
                .map(|word| column("outcome").parse(word))
                .transpose()?,
        })
    }
}
