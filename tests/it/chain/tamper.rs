//! Every kind of tampering, each on a database of its own, seen over the API.

use ml_connector::audit::Head;
use ml_connector::desk::trail;
use serde_json::Value;

use super::{Intruder, tell};
use crate::support::app::{Account, TestApp, Wanted};
use crate::support::database::{TestDatabase, both};

both!(
    whatever_is_done_to_the_chain_is_named,
    a_forger_without_the_key_cannot_sign_the_end,
);

/// Events in the chain besides those that opening an account tells.
const TOLD: u32 = 20;

async fn verified(account: &Account) -> Value {
    account.api.get("/api/v1/audit/verify", 200).await
}

/// What is done, and the number that must be named. `N` is the last event's.
const CASES: &[(&str, &str, i64)] = &[
    ("change", "UPDATE audit_event SET action = 'x' WHERE {t} AND seq = 7", 7),
    ("change the time", "UPDATE audit_event SET at = at + 1 WHERE {t} AND seq = 7", 7),
    ("change a detail", "UPDATE audit_detail SET detail = '{}' WHERE {t} AND seq = 7", 7),
    ("change a name", "UPDATE audit_detail SET actor_name = 'Eve' WHERE {t} AND seq = 7", 7),
    ("delete", "DELETE FROM audit_event WHERE {t} AND seq = 7", 7),
    ("delete the first", "DELETE FROM audit_event WHERE {t} AND seq = 1", 1),
    (
        "insert",
        "INSERT INTO audit_event SELECT tenant_id, seq + 1, at, actor_kind, actor_id, action, subject_kind, subject_id,
           run_id, detail_hash, prev_hash, hash FROM audit_event WHERE {t} AND seq = (SELECT max(seq) FROM audit_event WHERE {t})",
        0,
    ),
    (
        "swap",
        "UPDATE audit_event SET seq = 1000 WHERE {t} AND seq = 7;UPDATE audit_event SET seq = 7 WHERE {t} AND seq = 8;
         UPDATE audit_event SET seq = 8 WHERE {t} AND seq = 1000",
        7,
    ),
    ("truncate", "DELETE FROM audit_event WHERE {t} AND seq > 15", 16),
    (
        "truncate with the head",
        "DELETE FROM audit_event WHERE {t} AND seq > 15;
         UPDATE audit_head SET seq = 15, hash = (SELECT hash FROM audit_event WHERE {t} AND seq = 15) WHERE {t}",
        16,
    ),
    (
        "truncate without a signature",
        "DELETE FROM audit_event WHERE {t} AND seq > 15;
         UPDATE audit_head SET seq = 15, hash = (SELECT hash FROM audit_event WHERE {t} AND seq = 15), signature = 'v1:00'
         WHERE {t}",
        16,
    ),
    (
        "truncate and take the head away",
        "DELETE FROM audit_event WHERE {t} AND seq > 15;DELETE FROM audit_head WHERE {t}",
        16,
    ),
];

async fn whatever_is_done_to_the_chain_is_named(database: TestDatabase) {
    let app = TestApp::start_on(database, Wanted::default()).await;
    for (what, statements, seq) in CASES {
        let account = app.account("Acme").await;
        let tenant = account.created.tenant_id;
        tell(app.desk.store(), tenant, TOLD).await;
        let before = verified(&account).await;
        let last = before["head"]["seq"].as_i64().unwrap();
        assert_eq!(
            (&before["ok"], before["first_broken"].as_i64()),
            (&true.into(), None)
        );
        assert_eq!(before["events"].as_i64(), Some(last));
        let intruder = Intruder::at(app.database(), tenant).await;
        intruder.run(statements).await;
        intruder.leave().await;
        let after = verified(&account).await;
        let expected = match *what {
            "insert" => last + 1,
            _ => *seq,
        };
        assert_eq!(after["ok"], false, "{what}: {after}");
        assert_eq!(after["first_broken"], expected, "{what}: {after}");
        // Each sign-in counts against the source that all of them come from.
        if *what == "change" {
            let page = app.signed_in(&account).await.get("/audit/verify").await;
            assert!(page.text.contains("event 7 was changed"), "{}", page.text);
        }
    }
    // What happened to the others is none of this one's.
    let account = app.account("Zenith").await;
    assert_eq!(verified(&account).await["ok"], true);
    let page = app.signed_in(&account).await.get("/audit/verify").await;
    assert!(page.text.contains("The chain holds"), "{}", page.text);
    app.stop().await;
}

/// Somebody who knows the rules cuts the end off and takes the signature away. Where a head is known
/// outside, that is seen by the head; and erasing details breaks nothing.
async fn a_forger_without_the_key_cannot_sign_the_end(database: TestDatabase) {
    let app = TestApp::start_on(database, Wanted::default()).await;
    let account = app.account("Acme").await;
    let tenant = account.created.tenant_id;
    tell(app.desk.store(), tenant, TOLD).await;
    let whole = trail::verify(&app.desk, tenant, &[]).await.unwrap();
    let kept: Vec<Head> = vec![whole.head.clone()];
    let intruder = Intruder::at(app.database(), tenant).await;
    intruder
        .run("DELETE FROM audit_detail WHERE {t} AND seq IN (5, 6)")
        .await;
    let erased = trail::verify(&app.desk, tenant, &kept).await.unwrap();
    assert!(erased.holds());
    assert_eq!((erased.erased, erased.events), (2, whole.events));
    intruder
        .run(
            "DELETE FROM audit_event WHERE {t} AND seq > 15;DELETE FROM audit_detail WHERE {t} AND seq > 15;
             UPDATE audit_head SET seq = 15, hash = (SELECT hash FROM audit_event WHERE {t} AND seq = 15),
               signature = NULL WHERE {t}",
        )
        .await;
    let cut = trail::verify(&app.desk, tenant, &kept).await.unwrap();
    assert_eq!(cut.first_broken.unwrap().seq, 16);
    // The chain goes on from where it was cut, past the head that is known outside.
    tell(app.desk.store(), tenant, TOLD).await;
    let anew = trail::verify(&app.desk, tenant, &kept).await.unwrap();
    assert_eq!(anew.first_broken.unwrap().seq, whole.head.seq);
    intruder.leave().await;
    app.stop().await;
}
