//! One thing in a vendor's books has one write at a time, whichever record intends it.

use ml_connector::domain::ids::{EffectId, RecordId};
use ml_connector::domain::system::Entity;
use ml_connector::store::StoreError;
use ml_connector::store::effect::{self, Effect, EffectState};

use super::{Bench, seen};
use crate::support::database::{TestDatabase, both};

both!(an_identity_is_written_by_one_record_at_a_time);

fn intended(record: RecordId, state: EffectState) -> Effect {
    Effect {
        id: EffectId::generate(),
        record,
        place: "books/100".into(),
        entity: Entity::new("commitment"),
        natural_key: "MLC-1".into(),
        state,
        operation: "make order".into(),
        attempt: 1,
        fence: 1,
        draft_digest: "d".into(),
        progress: r#"{"next":"line","index":1,"keys":{},"notes":[]}"#.into(),
        send_deadline: None,
        quiet_until: None,
        absent_seen: 0,
        counted: 0,
    }
}

impl Bench {
    async fn intend(&self, effect: Effect) -> Result<(), StoreError> {
        self.write(move |scope| Box::pin(async move { effect::save(scope, &effect).await }))
            .await
    }
}

async fn an_identity_is_written_by_one_record_at_a_time(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    bench.hint(vec![seen("10"), seen("11")]).await;
    let (first, second) = (
        bench.record("10").await.record.id,
        bench.record("11").await.record.id,
    );
    for state in [
        EffectState::Open,
        EffectState::Intent,
        EffectState::Ambiguous,
        EffectState::Accepted,
    ] {
        bench.intend(intended(first, state)).await.unwrap();
        let taken = bench.intend(intended(second, EffectState::Intent)).await;
        assert!(
            matches!(taken, Err(StoreError::Taken("this write"))),
            "{state}: {taken:?}"
        );
    }
    // Elsewhere it is another thing.
    let elsewhere = Effect {
        place: "books/200".into(),
        ..intended(second, EffectState::Intent)
    };
    bench.intend(elsewhere).await.unwrap();
    assert_eq!(bench.count("effect").await, 2);
    for state in [EffectState::Rejected, EffectState::Confirmed] {
        bench.intend(intended(first, state)).await.unwrap();
        bench.intend(intended(second, state)).await.unwrap();
    }
    bench
        .intend(intended(first, EffectState::Intent))
        .await
        .unwrap();
    let scope = bench.scope().await;
    let entity = Entity::new("commitment");
    let found = effect::of_identity(&scope, "books/100", &entity, "MLC-1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.record, found.state), (first, EffectState::Intent));
    assert_eq!(
        effect::of_record(&scope, first).await.unwrap().unwrap().id,
        found.id
    );
}
