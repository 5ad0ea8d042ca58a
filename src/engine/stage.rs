//! Where a record travels: in the books, or in a dry run. The way is the same; what may be touched is not.

use std::future::Future;

use super::settle::Settled;
use super::travel::{Stop, Trip, Went};
use super::write;
use crate::contract::{Canonical, Draft, Looks, Progress, Session, Writes};
use crate::domain::system::Entity;
use crate::store::record::Work;
use crate::store::{self, Scope, StoreError};

/// What a trip may touch, and what becomes of what it finds.
pub(super) trait Stage<E: Canonical>: Send + Sync + Sized {
    /// The target's port, as far as it is handed out.
    type Port: Looks<E>;
    /// The session with the target.
    type Target: AsRef<Session> + Send + Sync;

    /// The target record of a source record of another flow.
    fn target_of(
        trip: &Trip<'_, E, Self>,
        scope: &Scope,
        entity: &Entity,
        source_id: &str,
    ) -> impl Future<Output = Result<Option<String>, StoreError>> + Send;

    /// Whether another source record has the same name.
    fn has_twin(
        trip: &Trip<'_, E, Self>,
        work: &Work,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// The write is decided, and nothing more is asked.
    fn begin(
        trip: &Trip<'_, E, Self>,
        work: Work,
        settled: Settled,
        draft: Draft,
        at: Progress,
    ) -> impl Future<Output = Result<Went, Stop>> + Send;

    /// Keeps how the record stands.
    fn settle(
        trip: &Trip<'_, E, Self>,
        work: Work,
        settled: Settled,
    ) -> impl Future<Output = Result<Went, StoreError>> + Send;
}

/// In the books.
pub(super) struct Live;

impl<E: Canonical> Stage<E> for Live {
    type Port = &'static dyn Writes<E>;
    type Target = Session;

    async fn target_of(
        trip: &Trip<'_, E, Self>,
        scope: &Scope,
        entity: &Entity,
        source_id: &str,
    ) -> Result<Option<String>, StoreError> {
        let link = store::link::of_source(scope, trip.ends.pair.id, entity, source_id).await?;
        Ok(link.map(|link| link.target.id))
    }

    async fn has_twin(trip: &Trip<'_, E, Self>, work: &Work) -> Result<bool, StoreError> {
        let scope = trip.turn.engine.store.read(trip.turn.tenant).await?;
        store::record::has_twin(&scope, work).await
    }

    async fn begin(
        trip: &Trip<'_, E, Self>,
        work: Work,
        settled: Settled,
        draft: Draft,
        at: Progress,
    ) -> Result<Went, Stop> {
        write::begin(trip, work, settled, draft, at).await
    }

    async fn settle(
        trip: &Trip<'_, E, Self>,
        work: Work,
        settled: Settled,
    ) -> Result<Went, StoreError> {
        let settled = settled.with_exchanges(&[&trip.source, &trip.target]);
        trip.turn.settle(&trip.before, work, settled).await?;
        Ok(Went::Settled)
    }
}
