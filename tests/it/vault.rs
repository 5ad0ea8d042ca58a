//! The real program refuses to start on a key or a setting that does not work: at once, with the reason,
//! and without a trace on the disk.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ml_connector::engine::Keyring;
use ml_connector::vault::{MasterKeys, Place, Sealed, Vault};
use sea_orm::ConnectionTrait;

use super::connections;
use super::support::database::{Engine, TestDatabase, both};

/// S18 of SECURITY-RELIABILITY.
const REFUSED_WITHIN: Duration = Duration::from_secs(5);

const GOOD: &str = "v1:k4bB6mX7pG4oZ2xE0cJ8uQ1rT5yW9sD3fH6gL0nV+aM=";

/// Runs `migrate` in a folder, with nothing but these settings.
fn migrate(folder: &Path, settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ml-connector"));
    command.arg("migrate").current_dir(folder).env_clear();
    command.envs(settings.iter().copied());
    command.output().expect("the program starts")
}

#[test]
fn a_key_that_does_not_work_stops_the_start() {
    let shared = tempfile::tempdir().unwrap();
    let open = shared.path().join("open.key");
    fs::write(&open, GOOD).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    let nowhere = shared.path().join("nowhere.key");
    let zeros = format!("v1:{}=", "A".repeat(43));
    let default = "v1:Y2hhbmdlLW1lLWNoYW5nZS1tZS0xMjM0NTY3ODkwISE=";
    let again = format!("{GOOD},{GOOD}");
    for (settings, says) in [
        (
            [("MLC_MASTER_KEY", "v1:c2hvcnQ=")],
            "it must have exactly 32",
        ),
        ([("MLC_MASTER_KEY", &zeros)], "all zeros"),
        ([("MLC_MASTER_KEY", default)], "sample files"),
        ([("MLC_MASTER_KEY", &again)], "twice"),
        ([("MLC_MASTER_KEY", "secret")], "no version in front"),
        ([("MLC_MASTER_KEY", "")], "empty"),
        (
            [("MLC_MASTER_KEY_FILE", open.to_str().unwrap())],
            "chmod 600",
        ),
        (
            [("MLC_MASTER_KEY_FILE", nowhere.to_str().unwrap())],
            "cannot be read",
        ),
        ([("MLC_LISTEN", "somewhere")], "MLC_LISTEN"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let began = Instant::now();
        let answer = migrate(folder.path(), &settings);
        let told = String::from_utf8(answer.stderr).unwrap();
        assert_eq!(answer.status.code(), Some(2), "{settings:?}: {told}");
        assert!(told.contains(says), "{settings:?}: {told}");
        assert!(began.elapsed() < REFUSED_WITHIN, "{settings:?}");
        let written = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(written, 0, "{settings:?}");
    }
}

#[test]
fn the_first_start_makes_a_key_and_a_lost_one_stops_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let first = migrate(folder.path(), &[]);
    let told = String::from_utf8(first.stderr).unwrap();
    assert!(first.status.success(), "{told}");
    assert!(
        told.contains("WARN") && told.contains("master key was made"),
        "{told}"
    );
    let key = folder.path().join("data/master.key");
    let mode = fs::metadata(&key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // The key itself is told to nobody.
    let list = fs::read_to_string(&key).unwrap();
    assert!(!told.contains(list.trim_start_matches("v1:")));
    assert!(migrate(folder.path(), &[]).status.success());

    fs::remove_file(&key).unwrap();
    let lost = migrate(folder.path(), &[]);
    assert_eq!(lost.status.code(), Some(2));
    assert!(String::from_utf8(lost.stderr).unwrap().contains("is gone"));
    assert!(!key.exists());
}

both!(
    the_schema_comes_up_as_often_as_it_is_asked,
    a_worn_data_key_is_replaced_by_itself,
);

async fn the_schema_comes_up_as_often_as_it_is_asked(database: TestDatabase) {
    let folder = tempfile::tempdir().unwrap();
    let settings = [("MLC_DATABASE_URL", database.url.as_str())];
    for _ in 0..2 {
        let answer = migrate(folder.path(), &settings);
        let told = String::from_utf8(answer.stderr).unwrap();
        assert!(answer.status.success(), "{told}");
        assert!(told.contains("up to date"), "{told}");
    }
    // The key of a database that several programs share is not for one of them to make.
    let has_key = folder.path().join("data/master.key").exists();
    assert_eq!(has_key, database.engine == Engine::Sqlite);
}

/// S16: long before nonces could repeat, a tenant gets another data key, and nobody notices.
async fn a_worn_data_key_is_replaced_by_itself(database: TestDatabase) {
    let store = connections::store(&database).await;
    let tenant = connections::tenant(&store).await;
    let masters = MasterKeys::parse(&MasterKeys::generate().unwrap()).unwrap();
    let vault = Arc::new(Vault::new(masters));
    let place = Place {
        tenant,
        table: "credential",
        row: tenant.0,
        field: "secret",
    };
    let first = Keyring::new(store.clone(), Arc::clone(&vault));
    first.seal(&place, b"first").await.unwrap();
    let tx = connections::of_tenant(&store, tenant).await;
    let nearly = (1_u64 << 28) - 3;
    tx.execute_unprepared(&format!("UPDATE data_key SET uses = {nearly}"))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let keyring = Keyring::new(store.clone(), vault);
    let mut ids = Vec::new();
    for number in 0..10_u8 {
        let sealed = keyring.seal(&place, &[number]).await.unwrap();
        assert_eq!(*keyring.open(&place, &sealed).await.unwrap(), [number]);
        ids.push(Sealed::from_bytes(sealed).key_id().unwrap());
    }
    ids.dedup();
    assert_eq!(
        ids.len(),
        2,
        "one key for the first three, another for the rest"
    );
}
