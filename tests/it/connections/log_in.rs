//! Log-ins: one at a time, ahead of the end, not in a loop; and what is sealed stays where it belongs.

use std::sync::Arc;
use std::time::Duration;

use ml_connector::contract::Token;
use ml_connector::domain::connection::Connection;
use ml_connector::domain::fault::Fault;
use ml_connector::domain::ids::TenantId;
use ml_connector::domain::member::Actor;
use ml_connector::engine::{Engine, EngineError, connect, session};
use ml_connector::store::connection::SealedCredential;
use ml_connector::store::{StoreError, connection};
use ml_connector::vault::{Place, VaultError};

use super::fake::{self, FakeNetwork, Mood};
use super::{connection as a_connection, engine, tenant};
use crate::support::database::{TestDatabase, both};

both!(
    fifty_callers_cause_one_log_in,
    a_token_is_renewed_ahead_of_its_end_and_after_a_refusal,
    a_wrong_password_is_not_tried_in_a_loop,
    a_silent_system_is_asked_once_by_all_who_wait,
    new_secrets_never_meet_an_old_session,
    what_is_sealed_opens_in_its_place_alone,
    a_good_test_is_kept_and_ends_the_pause,
);

const SECRET: &str = "canary-secret-7741";

/// A connection whose secret is sealed as the product seals it.
async fn ready(engine: &Engine, tenant: TenantId) -> Connection {
    let connection = Connection {
        settings: fake::settings(),
        ..a_connection("procore")
    };
    let place = Place {
        tenant,
        table: "credential",
        row: connection.id.0,
        field: "client_secret",
    };
    let sealed = engine
        .keyring
        .seal(&place, SECRET.as_bytes())
        .await
        .unwrap();
    let new = connection.clone();
    engine
        .store
        .write(tenant, &Actor::worker(), move |scope| {
            Box::pin(async move {
                let credential = SealedCredential {
                    name: "client_secret".into(),
                    sealed,
                };
                connection::insert(scope, &new, &[credential]).await
            })
        })
        .await
        .unwrap();
    connection
}

async fn token(engine: &Engine, tenant: TenantId, connection: &Connection) -> Result<Token, Fault> {
    let session = session::open(engine, tenant, connection).unwrap();
    session.tokens.current().await
}

async fn fifty_callers_cause_one_log_in(database: TestDatabase) {
    let network = FakeNetwork::new();
    let engine = engine(&database, &network).await;
    // A second node on the same database; it shares nothing in memory.
    let other = super::another(&engine, &network);
    let tenant = tenant(&engine.store).await;
    let connection = Arc::new(ready(&engine, tenant).await);
    let callers = (0..50).map(|number| {
        let engine = if number % 2 == 0 { &engine } else { &other }.clone();
        let connection = Arc::clone(&connection);
        tokio::spawn(async move { token(&engine, tenant, &connection).await.unwrap() })
    });
    for caller in futures::future::join_all(callers).await {
        let token = caller.unwrap();
        assert_eq!(
            (token.value.open().as_str(), token.generation),
            ("token-1", 1)
        );
    }
    assert_eq!(network.logins(), 1);
}

async fn a_token_is_renewed_ahead_of_its_end_and_after_a_refusal(database: TestDatabase) {
    let network = FakeNetwork::new();
    let engine = engine(&database, &network).await;
    let tenant = tenant(&engine.store).await;
    let connection = ready(&engine, tenant).await;
    let next = async || {
        token(&engine, tenant, &connection)
            .await
            .unwrap()
            .generation
    };

    assert_eq!(next().await, 1);
    engine.clock.advance(Duration::from_secs(3600 - 61));
    assert_eq!(next().await, 1);
    engine.clock.advance(Duration::from_secs(1));
    assert_eq!(next().await, 2, "a minute before its end");

    // Short-lived tokens keep three quarters of their life.
    network
        .lifetime_seconds
        .store(40, std::sync::atomic::Ordering::SeqCst);
    engine.clock.advance(Duration::from_secs(3600));
    assert_eq!(next().await, 3);
    engine.clock.advance(Duration::from_secs(29));
    assert_eq!(next().await, 3);

    // Many are told at once that the third is refused: one renewal serves all.
    let session = Arc::new(session::open(&engine, tenant, &connection).unwrap());
    let renewals = (0..20).map(|_| {
        let session = Arc::clone(&session);
        tokio::spawn(async move { session.tokens.renew(3).await.unwrap().generation })
    });
    for renewal in futures::future::join_all(renewals).await {
        assert_eq!(renewal.unwrap(), 4);
    }
    assert_eq!(network.logins(), 4);
}

async fn a_wrong_password_is_not_tried_in_a_loop(database: TestDatabase) {
    let network = FakeNetwork::new();
    network.is(Mood::Refuses);
    let engine = engine(&database, &network).await;
    let other = super::another(&engine, &network);
    let tenant = tenant(&engine.store).await;
    let connection = ready(&engine, tenant).await;
    for engine in [&engine, &other, &engine, &other] {
        let refused = token(engine, tenant, &connection).await;
        assert!(matches!(refused, Err(Fault::Auth { .. })), "{refused:?}");
    }
    assert_eq!(network.logins(), 1);
    // Each refusal doubles the pause: 1, 2, 4 minutes.
    let mut tries = Vec::new();
    for _ in 0..15 {
        engine.clock.advance(Duration::from_secs(60));
        assert!(token(&engine, tenant, &connection).await.is_err());
        tries.push(network.logins());
    }
    assert_eq!(tries, [2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5]);
    let kept = find(&engine, tenant, &connection).await.auth_fault.unwrap();
    assert_eq!(kept.tries, 5);

    // A person who asks is not put off by the long pause, but is by the short one.
    network.is(Mood::Well);
    let asked = session::open_for_person(&engine, tenant, &connection).unwrap();
    assert!(asked.tokens.current().await.is_err());
    engine.clock.advance(Duration::from_secs(3));
    assert!(asked.tokens.current().await.is_ok());
    assert_eq!(network.logins(), 6);
    assert_eq!(find(&engine, tenant, &connection).await.auth_fault, None);
}

async fn find(engine: &Engine, tenant: TenantId, connection: &Connection) -> Connection {
    let scope = engine.store.read(tenant).await.unwrap();
    connection::find(&scope, connection.id).await.unwrap()
}

async fn a_silent_system_is_asked_once_by_all_who_wait(database: TestDatabase) {
    let network = FakeNetwork::new();
    network.is(Mood::Silent);
    let engine = engine(&database, &network).await;
    let tenant = tenant(&engine.store).await;
    let connection = Arc::new(ready(&engine, tenant).await);
    let callers = (0..20).map(|_| {
        let (engine, connection) = (engine.clone(), Arc::clone(&connection));
        tokio::spawn(async move { token(&engine, tenant, &connection).await })
    });
    for caller in futures::future::join_all(callers).await {
        let refused = caller.unwrap();
        assert!(
            matches!(refused, Err(Fault::Transient { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(network.logins(), 1);
    assert_eq!(find(&engine, tenant, &connection).await.auth_fault, None);
    network.is(Mood::Well);
    engine.clock.advance(Duration::from_secs(2));
    assert!(token(&engine, tenant, &connection).await.is_ok());
}

async fn new_secrets_never_meet_an_old_session(database: TestDatabase) {
    let network = FakeNetwork::new();
    let engine = engine(&database, &network).await;
    let tenant = tenant(&engine.store).await;
    let connection = ready(&engine, tenant).await;
    let old = session::open(&engine, tenant, &connection).unwrap();
    let revised = connection.clone();
    engine
        .store
        .write(tenant, &Actor::worker(), move |scope| {
            Box::pin(async move { connection::revise(scope, &revised).await })
        })
        .await
        .unwrap();
    let refused = old.tokens.current().await.unwrap_err();
    assert_eq!(refused.code(), "connection_changed");
    assert_eq!(network.logins(), 0, "nothing was sent");
    let now = find(&engine, tenant, &connection).await;
    assert!(token(&engine, tenant, &now).await.is_ok());
}

async fn what_is_sealed_opens_in_its_place_alone(database: TestDatabase) {
    let network = FakeNetwork::new();
    let engine = engine(&database, &network).await;
    let (mine, other) = (tenant(&engine.store).await, tenant(&engine.store).await);
    let connection = ready(&engine, mine).await;
    let sealed = {
        let scope = engine.store.read(mine).await.unwrap();
        connection::credentials(&scope, connection.id)
            .await
            .unwrap()
    };
    let sealed = sealed[0].sealed.clone();
    assert!(!sealed.windows(6).any(|bytes| bytes == b"canary"));
    let place = Place {
        tenant: mine,
        table: "credential",
        row: connection.id.0,
        field: "client_secret",
    };
    let opened = engine.keyring.open(&place, &sealed).await.unwrap();
    assert_eq!(opened.as_slice(), SECRET.as_bytes());
    let elsewhere = a_connection("procore").id.0;
    let mut flipped = sealed.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for (why, place, sealed) in [
        (
            "another tenant",
            Place {
                tenant: other,
                ..place
            },
            &sealed,
        ),
        (
            "another row",
            Place {
                row: elsewhere,
                ..place
            },
            &sealed,
        ),
        (
            "another field",
            Place {
                field: "file",
                ..place
            },
            &sealed,
        ),
        (
            "another table",
            Place {
                table: "vendor_token",
                ..place
            },
            &sealed,
        ),
        ("a flipped bit", place, &flipped),
    ] {
        let refused = engine.keyring.open(&place, sealed).await;
        let is_broken = matches!(&refused, Err(EngineError::Vault(VaultError::Broken)));
        assert!(is_broken, "{why}: {refused:?}");
    }
    assert_eq!(
        super::told(&engine.store, mine, "secret.unreadable").await,
        4
    );
    assert_eq!(
        super::told(&engine.store, other, "secret.unreadable").await,
        1
    );
}

async fn a_good_test_is_kept_and_ends_the_pause(database: TestDatabase) {
    let network = FakeNetwork::new();
    network.is(Mood::Refuses);
    let engine = engine(&database, &network).await;
    let tenant = tenant(&engine.store).await;
    let connection = ready(&engine, tenant).await;
    let ping = async || {
        connect::ping(&engine, tenant, &Actor::command(), connection.id)
            .await
            .unwrap()
    };
    let bad = ping().await;
    let names: Vec<(&str, bool)> = bad
        .steps
        .iter()
        .map(|step| (step.name.as_str(), step.ok))
        .collect();
    assert_eq!(names, [("address", true), ("tls", true), ("token", false)]);
    assert!(!bad.ok && bad.steps[2].hint.is_some());
    assert_eq!(
        find(&engine, tenant, &connection).await.last_ping,
        Some(bad)
    );

    network.is(Mood::Well);
    engine.clock.advance(Duration::from_secs(3));
    let good = ping().await;
    assert!(good.ok, "{good:?}");
    assert_eq!(
        good.steps[4].detail, "commitments,cost_codes,vendors",
        "before there is a pair, everything that the system could serve is probed"
    );
    let now = find(&engine, tenant, &connection).await;
    assert!(now.is_tested() && now.auth_fault.is_none());
    assert_eq!(
        super::told(&engine.store, tenant, "connection.tested").await,
        2
    );

    let unknown = connect::ping(&engine, tenant, &Actor::command(), a_connection("x").id).await;
    assert!(matches!(
        unknown,
        Err(EngineError::Store(StoreError::Missing(_)))
    ));
}
