//! What is stored is found again by its tenant, and by nobody else.

use std::time::Duration;

use ml_connector::domain::connection::{AuthFault, Connection, Ping, PingStep, Setting};
use ml_connector::domain::fault::{Fault, Issue};
use ml_connector::domain::ids::{DataKeyId, TenantId};
use ml_connector::domain::mapping::{MappingKind, Row, Verdict};
use ml_connector::domain::member::Actor;
use ml_connector::domain::pair::{Pair, PairStatus};
use ml_connector::domain::records::Project;
use ml_connector::store::connection::SealedCredential;
use ml_connector::store::data_key::KeptKey;
use ml_connector::store::vendor_token::{self, NewToken};
use ml_connector::store::{
    Scope, Store, StoreError, connection, cursor, data_key, known_project, mapping, pair,
};

use super::{connection as a_connection, pair as a_pair, start, store, tenant};
use crate::support::database::{TestDatabase, both};

both!(
    a_connection_is_kept_changed_and_removed,
    a_token_is_won_by_one_and_never_goes_back,
    data_keys_count_what_they_seal,
    pairs_come_due_and_stop,
    a_mapping_is_replaced_whole_and_remembers_what_was_found,
    nothing_is_seen_from_another_tenant,
);

/// Runs one unit as the product itself.
macro_rules! unit {
    ($store:expr, $tenant:expr, $scope:ident => $body:expr) => {
        $store
            .write($tenant, &Actor::worker(), move |$scope: &Scope| {
                Box::pin(async move { $body })
            })
            .await
    };
}

async fn kept(store: &Store, tenant: TenantId, connection: &Connection) {
    let connection = connection.clone();
    unit!(store, tenant, scope => connection::insert(scope, &connection, &[SealedCredential {
        name: "client_secret".into(),
        sealed: vec![1, 2, 3],
    }]).await)
    .unwrap();
}

async fn kept_pair(store: &Store, tenant: TenantId) -> Pair {
    let (erp, project) = (a_connection("infor_m3"), a_connection("procore"));
    kept(store, tenant, &erp).await;
    kept(store, tenant, &project).await;
    let pair = a_pair(&erp, &project);
    let new = pair.clone();
    unit!(store, tenant, scope => pair::insert(scope, &new).await).unwrap();
    pair
}

async fn a_connection_is_kept_changed_and_removed(database: TestDatabase) {
    let store = store(&database).await;
    let tenant = tenant(&store).await;
    let (first, second) = (a_connection("procore"), a_connection("infor_m3"));
    kept(&store, tenant, &first).await;
    kept(&store, tenant, &second).await;

    let found = connection::find(&store.read(tenant).await.unwrap(), first.id)
        .await
        .unwrap();
    assert_eq!(found.credentials["client_secret"], start());
    assert_eq!(found.version, 1);
    let page = connection::list(&store.read(tenant).await.unwrap(), Some(first.id), 10)
        .await
        .unwrap();
    assert_eq!(page.len(), 1);
    assert_eq!(page[0].id, second.id);

    let ping = Ping {
        ok: true,
        at: start(),
        steps: vec![PingStep::well("address", 3, "found")],
    };
    let (of, result) = (found.clone(), ping.clone());
    assert!(
        unit!(store, tenant, scope => connection::set_ping(scope, &of, &result).await).unwrap()
    );
    let of = found.clone();
    let fault = AuthFault {
        fault: Fault::Auth {
            code: "invalid_client".into(),
            message: "no".into(),
        },
        since: start(),
        tries: 1,
        next_try_at: start().plus(Duration::from_secs(60)),
    };
    let refused = fault.clone();
    unit!(store, tenant, scope => connection::set_auth_fault(scope, &of, Some(&refused)).await)
        .unwrap();
    let tested = connection::find(&store.read(tenant).await.unwrap(), first.id)
        .await
        .unwrap();
    assert_eq!(tested.last_ping, Some(ping.clone()));
    assert_eq!(tested.auth_fault, Some(fault));

    let mut changed = tested.clone();
    changed
        .settings
        .0
        .insert("company_id".into(), Setting::Text("42".into()));
    let new = changed.clone();
    unit!(store, tenant, scope => connection::revise(scope, &new).await).unwrap();
    let after = connection::find(&store.read(tenant).await.unwrap(), first.id)
        .await
        .unwrap();
    assert_eq!(after.settings.text("company_id"), Some("42"));
    assert_eq!(
        (after.version, after.last_ping, after.auth_fault),
        (2, None, None)
    );

    let stale = changed.clone();
    let again = unit!(store, tenant, scope => connection::revise(scope, &stale).await);
    assert!(matches!(again, Err(StoreError::Stale(_))), "{again:?}");
    let late = changed.clone();
    assert!(
        !unit!(store, tenant, scope => connection::set_ping(scope, &late, &ping).await).unwrap(),
        "a test of the old version says nothing about the new one"
    );

    let id = first.id;
    unit!(store, tenant, scope => connection::remove(scope, id).await).unwrap();
    let scope = store.read(tenant).await.unwrap();
    let gone = connection::find(&scope, id).await;
    assert!(matches!(gone, Err(StoreError::Missing(_))), "{gone:?}");
    assert!(
        connection::credentials(&scope, id)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(connection::name(&scope, id).await.unwrap(), "Our procore");
}

async fn a_token_is_won_by_one_and_never_goes_back(database: TestDatabase) {
    let store = store(&database).await;
    let tenant = tenant(&store).await;
    let connection = a_connection("procore");
    kept(&store, tenant, &connection).await;
    let id = connection.id;
    let win = async |seen| {
        unit!(store, tenant, scope => vendor_token::win(scope, id, seen, 60).await).unwrap()
    };
    let new = |replaces| NewToken {
        sealed: vec![9],
        expires_at: start(),
        replaces,
    };

    assert!(win(0).await);
    assert!(!win(0).await, "somebody is at it");
    let scope = store.read(tenant).await.unwrap();
    let seen = vendor_token::find(&scope, id).await.unwrap().unwrap();
    assert!(seen.is_refreshing && seen.sealed.is_none());
    drop(scope);

    let token = new(0);
    let generation =
        unit!(store, tenant, scope => vendor_token::keep(scope, id, token).await).unwrap();
    assert_eq!(generation, 1);
    assert!(!win(0).await, "the token was renewed since");
    assert!(win(1).await);

    // Settings change while the second log-in is under way: what it brings must not be used.
    unit!(store, tenant, scope => vendor_token::forget(scope, id).await).unwrap();
    let token = new(1);
    let late = unit!(store, tenant, scope => vendor_token::keep(scope, id, token).await);
    assert!(matches!(late, Err(StoreError::Stale(_))), "{late:?}");
    assert!(win(2).await);
    unit!(store, tenant, scope => vendor_token::give_up(scope, id, 2).await).unwrap();
    assert!(win(2).await);
}

async fn data_keys_count_what_they_seal(database: TestDatabase) {
    let store = store(&database).await;
    let tenant = tenant(&store).await;
    let reserve = async || {
        unit!(store, tenant, scope => data_key::reserve(scope, 100).await)
            .unwrap()
            .map(|key| (key.id, key.uses))
    };
    assert_eq!(reserve().await, None);
    let key = |uses| KeptKey {
        id: DataKeyId::generate(),
        master_version: 1,
        wrapped: vec![7; 60],
        uses,
    };
    let (old, new) = (key(5), key(0));
    let kept_old = old.clone();
    unit!(store, tenant, scope => data_key::insert(scope, &kept_old).await).unwrap();
    assert_eq!(reserve().await, Some((old.id, 5)));
    assert_eq!(reserve().await, Some((old.id, 105)));
    let kept_new = new.clone();
    unit!(store, tenant, scope => data_key::insert(scope, &kept_new).await).unwrap();
    assert_eq!(reserve().await, Some((new.id, 0)));
    let found = data_key::find(&store.read(tenant).await.unwrap(), old.id)
        .await
        .unwrap();
    assert_eq!((found.wrapped, found.uses), (old.wrapped, 205));
}

async fn pairs_come_due_and_stop(database: TestDatabase) {
    let store = store(&database).await;
    let tenant = tenant(&store).await;
    let pair = kept_pair(&store, tenant).await;
    let id = pair.id;
    let due = async |at| {
        let scope = store.read(tenant).await.unwrap();
        pair::due(&scope, at).await.unwrap().len()
    };
    let at = start().plus(Duration::from_secs(60));
    assert_eq!(due(at).await, 0, "a draft is never due");
    unit!(store, tenant, scope => pair::set_status(scope, id, PairStatus::Active, Some(at)).await)
        .unwrap();
    assert_eq!((due(start()).await, due(at).await), (0, 1));
    let removed = unit!(store, tenant, scope => pair::remove(scope, id).await);
    assert!(
        matches!(removed, Err(StoreError::Missing(_))),
        "it is active"
    );

    let mut changed = pair.clone();
    changed.settings.name = "Site office".into();
    let new = changed.clone();
    unit!(store, tenant, scope => pair::revise(scope, &new).await).unwrap();
    let stale = unit!(store, tenant, scope => pair::revise(scope, &changed).await);
    assert!(matches!(stale, Err(StoreError::Stale(_))), "{stale:?}");

    unit!(store, tenant, scope => pair::set_status(scope, id, PairStatus::Paused, None).await)
        .unwrap();
    unit!(store, tenant, scope => pair::set_next_run(scope, id, Some(at)).await).unwrap();
    assert_eq!(due(at).await, 0, "a paused pair stays still");
    let flow_until = at;
    unit!(store, tenant, scope => cursor::set(scope, id, "vendors", flow_until).await).unwrap();
    unit!(store, tenant, scope => pair::remove(scope, id).await).unwrap();

    let scope = store.read(tenant).await.unwrap();
    assert!(matches!(
        pair::find(&scope, id).await,
        Err(StoreError::Missing(_))
    ));
    assert_eq!(
        pair::find_kept(&scope, id).await.unwrap().settings.name,
        "Site office"
    );
    assert!(pair::list(&scope, None, 10).await.unwrap().is_empty());
    let of = pair::of_connection(&scope, pair.erp_connection_id).await;
    assert!(of.unwrap().is_empty(), "a removed pair uses nothing");
    assert_eq!(cursor::find(&scope, id, "vendors").await.unwrap(), Some(at));
}

fn row(code: &str, account: &str) -> Row {
    let side = |name: &str, value: &str| [(name.to_owned(), value.to_owned())].into();
    Row {
        id: None,
        project_side: side("cost_code", code),
        erp_side: side("ait1", account),
        note: String::new(),
    }
}

async fn a_mapping_is_replaced_whole_and_remembers_what_was_found(database: TestDatabase) {
    let store = store(&database).await;
    let tenant = tenant(&store).await;
    let id = kept_pair(&store, tenant).await.id;
    let kind = MappingKind::CostCodes;
    // More rows than one statement takes.
    let many: Vec<Row> = (0..1201)
        .map(|number| row(&format!("03-{number:04}"), "5100"))
        .collect();
    let new = many.clone();
    let replaced =
        unit!(store, tenant, scope => mapping::replace(scope, id, kind, &new).await).unwrap();
    assert_eq!(
        (replaced.added, replaced.removed, replaced.kept),
        (1201, 0, 0)
    );

    let scope = store.read(tenant).await.unwrap();
    let tables = mapping::tables(&scope, id).await.unwrap();
    let codes: Vec<&str> = tables
        .rows(kind)
        .iter()
        .map(|row| row.project_side["cost_code"].as_str())
        .collect();
    assert_eq!(codes.len(), 1201);
    assert!(codes.is_sorted(), "rows keep their order");
    let unverified = mapping::unverified(&scope, id, 2).await.unwrap();
    assert_eq!(mapping::pairs_unverified(&scope).await.unwrap(), [id]);
    drop(scope);

    let verdict = Verdict {
        found: vec![("account".into(), "Concrete".into())],
        issues: vec![],
    };
    let bad = Verdict {
        found: vec![],
        issues: vec![Issue::new("ait1", "unknown", "there is no such account")],
    };
    let verdicts = vec![
        (unverified[0].1.id.unwrap(), verdict.clone()),
        (unverified[1].1.id.unwrap(), bad.clone()),
    ];
    unit!(store, tenant, scope => mapping::set_verdicts(scope, &verdicts).await).unwrap();
    let scope = store.read(tenant).await.unwrap();
    let standing = mapping::standing(&scope, id).await.unwrap()[&kind];
    assert_eq!(
        (standing.rows, standing.faulty, standing.unverified),
        (1201, 1, 1199)
    );
    drop(scope);

    // The first row stays, the second gets another account, the rest goes.
    let new = vec![row("03-0001", "5200"), row("03-0000", "5100")];
    let replaced =
        unit!(store, tenant, scope => mapping::replace(scope, id, kind, &new).await).unwrap();
    assert_eq!(
        (replaced.added, replaced.removed, replaced.kept),
        (1, 1200, 1)
    );
    let scope = store.read(tenant).await.unwrap();
    let rows = mapping::rows(&scope, id, kind).await.unwrap();
    assert_eq!(rows[0].verdict, None, "another account is another question");
    assert_eq!(rows[1].verdict, Some(verdict));
    let page = mapping::page(&scope, id, kind, 0, 10).await.unwrap();
    assert_eq!(page.len(), 1);
    assert_eq!(page[0].row.project_side["cost_code"], "03-0000");
    drop(scope);

    let put = row("03-0000", "5300");
    let same = put.clone();
    assert!(unit!(store, tenant, scope => mapping::put(scope, id, kind, &put).await).unwrap());
    assert!(!unit!(store, tenant, scope => mapping::put(scope, id, kind, &same).await).unwrap());
    let scope = store.read(tenant).await.unwrap();
    let tables = mapping::tables(&scope, id).await.unwrap();
    assert_eq!(tables.rows(kind)[1].erp_side["ait1"], "5300");
    assert_eq!(
        pair::find(&scope, id).await.unwrap().version,
        4,
        "two replacements and one row"
    );
}

async fn nothing_is_seen_from_another_tenant(database: TestDatabase) {
    let store = store(&database).await;
    let (mine, other) = (tenant(&store).await, tenant(&store).await);
    let pair = kept_pair(&store, mine).await;
    let (id, erp) = (pair.id, pair.erp_connection_id);
    let kind = MappingKind::CostCodes;
    let project = Project {
        key: "7".into(),
        number: None,
        name: "Bridge".into(),
        active: true,
    };
    unit!(store, mine, scope => {
        mapping::replace(scope, id, kind, &[row("1", "5100")]).await?;
        known_project::upsert(scope, erp, &[project]).await?;
        cursor::set(scope, id, "vendors", start()).await?;
        vendor_token::win(scope, erp, 0, 60).await
    })
    .unwrap();

    let scope = store.read(other).await.unwrap();
    assert!(connection::find(&scope, erp).await.is_err());
    assert!(connection::name(&scope, erp).await.is_err());
    assert!(connection::list(&scope, None, 10).await.unwrap().is_empty());
    assert!(
        connection::credentials(&scope, erp)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(pair::find(&scope, id).await.is_err());
    assert!(pair::find_kept(&scope, id).await.is_err());
    assert!(pair::list(&scope, None, 10).await.unwrap().is_empty());
    assert!(pair::active(&scope).await.unwrap().is_empty());
    assert!(pair::of_connection(&scope, erp).await.unwrap().is_empty());
    assert!(mapping::rows(&scope, id, kind).await.unwrap().is_empty());
    assert!(mapping::tables(&scope, id).await.unwrap().0.is_empty());
    assert!(mapping::unverified(&scope, id, 9).await.unwrap().is_empty());
    assert!(mapping::pairs_unverified(&scope).await.unwrap().is_empty());
    assert!(mapping::standing(&scope, id).await.unwrap().is_empty());
    assert!(known_project::list(&scope, erp).await.unwrap().is_empty());
    assert_eq!(cursor::find(&scope, id, "vendors").await.unwrap(), None);
    assert_eq!(vendor_token::find(&scope, erp).await.unwrap(), None);
    drop(scope);

    let missing = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::Missing(_))), "{result:?}");
    };
    missing(unit!(store, other, scope => connection::rename(scope, erp, "Mine").await));
    missing(unit!(store, other, scope => connection::remove(scope, erp).await));
    missing(
        unit!(store, other, scope => pair::set_status(scope, id, PairStatus::Active, None).await),
    );
    missing(unit!(store, other, scope => pair::bump(scope, id).await));
    missing(unit!(store, other, scope => pair::remove(scope, id).await));
    let replaced = unit!(store, other, scope => mapping::replace(scope, id, kind, &[]).await);
    assert!(replaced.is_err());

    let scope = store.read(mine).await.unwrap();
    assert_eq!(mapping::rows(&scope, id, kind).await.unwrap().len(), 1);
    assert_eq!(
        connection::find(&scope, erp).await.unwrap().name,
        "Our infor_m3"
    );
    assert_eq!(known_project::list(&scope, erp).await.unwrap().len(), 1);
}
