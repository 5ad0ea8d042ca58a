//! One source record is one target record.

use ml_connector::domain::link::End;
use ml_connector::domain::system::{Entity, SystemId};
use ml_connector::store::StoreError;
use ml_connector::store::link::{self, Filter, NewLink};

use super::Bench;
use crate::support::database::{TestDatabase, both};

both!(
    a_link_moves_but_is_never_shared,
    links_are_listed_page_by_page,
);

const VENDOR: Entity = Entity::new("vendor");

impl Bench {
    async fn link(&self, entity: Entity, source: &str, target: &str) -> Result<(), StoreError> {
        let end = |system, id: &str| End {
            system: SystemId::new(system),
            id: id.to_owned(),
        };
        let new = NewLink {
            pair: self.pair,
            entity,
            place: "books/100".into(),
            source: end("procore", source),
            target: end("infor_m3", target),
            matched_by: "number".into(),
            draft_digest: Some(format!("digest of {source}")),
        };
        self.write(move |scope| Box::pin(async move { link::put(scope, new).await }))
            .await
    }

    async fn target_of(&self, source: &str) -> Option<String> {
        let scope = self.scope().await;
        let found = link::of_source(&scope, self.pair, &VENDOR, source)
            .await
            .unwrap();
        found.map(|link| link.target.id)
    }
}

async fn a_link_moves_but_is_never_shared(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    bench.link(VENDOR, "1", "S1").await.unwrap();
    bench.link(VENDOR, "1", "S1").await.unwrap();
    assert_eq!(bench.count("link").await, 1);
    let taken = bench.link(VENDOR, "2", "S1").await;
    assert!(
        matches!(taken, Err(StoreError::Taken("this target record"))),
        "{taken:?}"
    );
    assert_eq!(bench.target_of("2").await, None);
    bench.link(VENDOR, "1", "S9").await.unwrap();
    assert_eq!(bench.target_of("1").await.as_deref(), Some("S9"));
    assert_eq!(bench.count("link").await, 1);
    // The old target is free now.
    bench.link(VENDOR, "2", "S1").await.unwrap();
    // Another kind of record may carry the same keys.
    bench
        .link(Entity::new("commitment"), "1", "S1")
        .await
        .unwrap();
    let scope = bench.scope().await;
    let back = link::of_target(&scope, bench.pair, &VENDOR, "S9")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (back.source.id.as_str(), back.scope.as_str()),
        ("1", "books/100")
    );
    assert_eq!(back.draft_digest.as_deref(), Some("digest of 1"));
}

async fn links_are_listed_page_by_page(database: TestDatabase) {
    let bench = Bench::begin(&database).await;
    for number in 0..25 {
        bench
            .link(VENDOR, &format!("{number:02}"), &format!("S{number:02}"))
            .await
            .unwrap();
    }
    let scope = bench.scope().await;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = link::list(&scope, &Filter::default(), after, 10)
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        seen.extend(page.into_iter().map(|link| link.source.id));
    }
    let all: Vec<String> = (0..25).map(|number| format!("{number:02}")).collect();
    assert_eq!(seen, all);
    let one = Filter {
        target_id: Some("S07".into()),
        ..Filter::default()
    };
    assert_eq!(link::list(&scope, &one, None, 10).await.unwrap().len(), 1);
    let none = Filter {
        entity: Some("commitment".into()),
        ..Filter::default()
    };
    assert_eq!(link::list(&scope, &none, None, 10).await.unwrap(), []);
}
