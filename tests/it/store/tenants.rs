//! Two tenants with the same vendor ids, names and keys never meet.

use ml_connector::domain::audit::Happened;
use ml_connector::domain::ids::{EffectId, RecordId};
use ml_connector::domain::link::End;
use ml_connector::domain::mapping::MappingKind;
use ml_connector::domain::record::{State, WaitingFor};
use ml_connector::domain::run::Trigger;
use ml_connector::domain::system::{Entity, SystemId};
use ml_connector::store::effect::{Effect, EffectState};
use ml_connector::store::link::NewLink;
use ml_connector::store::{
    StoreError, audit, body, cursor, effect, exchange, link, mapping, pair, record, run, search,
    wait, work,
};

use super::{Bench, due, seen};
use crate::support::database::{TestDatabase, both};

both!(nothing_is_seen_or_changed_across_tenants);

const COMMITMENT: Entity = Entity::new("commitment");

/// The same things, under the same keys, in each tenant.
async fn furnish(bench: &Bench) -> RecordId {
    bench.hint(vec![seen("10")]).await;
    let id = bench.rest("10", State::Waiting).await.record.id;
    let pair = bench.pair;
    bench
        .write(move |scope| {
            Box::pin(async move {
                let end = |system, id: &str| End {
                    system: SystemId::new(system),
                    id: id.into(),
                };
                link::put(
                    scope,
                    NewLink {
                        pair,
                        entity: COMMITMENT,
                        place: "books/100".into(),
                        source: end("procore", "10"),
                        target: end("infor_m3", "ORDER1"),
                        matched_by: "created".into(),
                        draft_digest: None,
                    },
                )
                .await?;
                wait::set(
                    scope,
                    pair,
                    id,
                    &[WaitingFor::new("vendor", "1", "vendor 1")],
                )
                .await?;
                effect::save(
                    scope,
                    &Effect {
                        id: EffectId::generate(),
                        record: id,
                        place: "books/100".into(),
                        entity: COMMITMENT,
                        natural_key: "MLC-1".into(),
                        state: EffectState::Intent,
                        operation: "make order".into(),
                        attempt: 1,
                        fence: 1,
                        draft_digest: "d".into(),
                        progress: "{}".into(),
                        send_deadline: None,
                        quiet_until: None,
                        absent_seen: 0,
                        counted: 0,
                    },
                )
                .await?;
                body::keep(scope, "the same text".to_owned());
                exchange::keep(scope, id, 1, 1, "[]".to_owned());
                cursor::set(scope, pair, "commitments", scope.now()).await?;
                run::open(
                    scope,
                    pair,
                    vec!["commitments".into()],
                    false,
                    Trigger::Person,
                )
                .await?;
                scope.tell(Happened::new("record.linked", "record", "10"));
                Ok(())
            })
        })
        .await
        .unwrap();
    id
}

async fn nothing_is_seen_or_changed_across_tenants(database: TestDatabase) {
    let ours = Bench::begin(&database).await;
    let theirs = Bench::beside(ours.store.clone()).await;
    let our_record = furnish(&ours).await;
    let their_record = furnish(&theirs).await;
    let (our_pair, their_pair) = (ours.pair, theirs.pair);
    let their_run = {
        let scope = theirs.scope().await;
        run::open_of_pair(&scope, their_pair)
            .await
            .unwrap()
            .unwrap()
            .run
            .id
    };

    // Reads with their ids from our side find nothing.
    let scope = ours.scope().await;
    let missing = |error: StoreError| assert!(matches!(error, StoreError::Missing(_)), "{error:?}");
    missing(record::find(&scope, their_record).await.unwrap_err());
    missing(pair::find(&scope, their_pair).await.unwrap_err());
    missing(run::find(&scope, their_run).await.unwrap_err());
    assert!(
        record::of_source(&scope, their_pair, "commitments", "10")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        link::of_source(&scope, their_pair, &COMMITMENT, "10")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        link::of_target(&scope, their_pair, &COMMITMENT, "ORDER1")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        effect::of_record(&scope, their_record)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        cursor::find(&scope, their_pair, "commitments")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        run::open_of_pair(&scope, their_pair)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        exchange::of_record(&scope, their_record, 10).await.unwrap(),
        []
    );
    assert_eq!(record::count_of_run(&scope, their_run).await.unwrap(), []);
    assert_eq!(
        ml_connector::store::tally::by_state(&scope, Some(their_pair))
            .await
            .unwrap(),
        []
    );
    assert_eq!(
        mapping::rows(&scope, their_pair, MappingKind::Items)
            .await
            .unwrap(),
        []
    );
    let list = search::records(&scope, &Default::default(), None, 100)
        .await
        .unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].record.id, our_record);
    assert_eq!(
        link::list(&scope, &Default::default(), None, 100)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(run::all_open(&scope).await.unwrap().len(), 1);
    assert_eq!(run::list(&scope, None, None, 100).await.unwrap().len(), 1);
    let mine = effect::of_identity(&scope, "books/100", &COMMITMENT, "MLC-1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(mine.record, our_record);
    let order = audit::Order::NewestFirst;
    let trail = audit::list(&scope, &Default::default(), order, None, 100)
        .await
        .unwrap();
    assert_eq!(
        trail
            .iter()
            .filter(|event| event.action == "record.linked")
            .count(),
        1
    );
    let lanes = record::due_lanes(&scope, due(2, ours.now()), "", 10)
        .await
        .unwrap();
    assert_eq!(lanes, []);
    drop(scope);

    // Writes with their ids from our side change nothing of theirs.
    let before = theirs.record("10").await;
    let changed = ours
        .write(move |scope| {
            Box::pin(async move {
                missing(record::make_due(scope, their_record).await.unwrap_err());
                assert_eq!(wait::release(scope, their_pair, "vendor", "1").await?, 0);
                assert_eq!(wait::release_kind(scope, their_pair, "vendor").await?, 0);
                wait::clear(scope, their_record).await?;
                assert_eq!(record::wake_pair(scope, their_pair).await?, 0);
                cursor::forget(scope, their_pair).await?;
                assert!(!link::remove(scope, their_pair, &COMMITMENT, "10").await?);
                record::leave_run(scope, their_run).await?;
                run::postpone(scope, their_run, None).await?;
                record::recover(scope).await?;
                missing(pair::bump(scope, their_pair).await.unwrap_err());
                // Our own vendor appears: their record waits for theirs.
                wait::release(scope, our_pair, "vendor", "1").await
            })
        })
        .await
        .unwrap();
    assert_eq!(changed, 1);
    assert_eq!(ours.record("10").await.record.state, State::Pending);
    assert_eq!(theirs.record("10").await, before);
    assert_eq!(theirs.count("wait").await, 1);
    assert_eq!(theirs.count("cursor").await, 1);
    let scope = theirs.scope().await;
    assert!(
        link::of_source(&scope, their_pair, &COMMITMENT, "10")
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(
        run::find(&scope, their_run).await.unwrap().due_at,
        Some(theirs.now())
    );
    drop(scope);

    // Leases are the tenant's own.
    let lease = ours
        .write(|scope| Box::pin(work::take(scope, "a")))
        .await
        .unwrap()
        .unwrap();
    assert!(
        theirs
            .write(|scope| Box::pin(work::take(scope, "b")))
            .await
            .unwrap()
            .is_some()
    );
    let stolen = theirs
        .write(move |scope| Box::pin(async move { work::end(scope, &lease, None).await }))
        .await;
    stolen.unwrap();
    assert!(
        ours.write(|scope| Box::pin(work::take(scope, "c")))
            .await
            .unwrap()
            .is_none()
    );
}
