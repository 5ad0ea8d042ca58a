//! A database of either engine for one test, and `both!`, which runs a test on each.

use tempfile::TempDir;

use super::postgres;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// An empty database, gone when this value is (SQLite) or when the run ends (PostgreSQL).
pub struct TestDatabase {
    pub engine: Engine,
    /// As `MLC_DATABASE_URL` takes it.
    pub url: String,
    _folder: Option<TempDir>,
}

impl TestDatabase {
    pub async fn empty(engine: Engine, name: &str) -> Self {
        match engine {
            Engine::Sqlite => {
                let folder = tempfile::tempdir().expect("a temporary folder");
                let file = folder.path().join("test.db");
                TestDatabase {
                    engine,
                    url: format!("sqlite://{}?mode=rwc", file.display()),
                    _folder: Some(folder),
                }
            }
            Engine::Postgres => TestDatabase {
                engine,
                url: postgres::database(name).await,
                _folder: None,
            },
        }
    }
}

/// Two tests, `name::sqlite` and `name::postgres`, from one `async fn name(database: TestDatabase)`:
///
/// ```ignore
/// both!(a_token_is_found_again);
/// async fn a_token_is_found_again(database: TestDatabase) { … }
/// ```
macro_rules! both {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            use $crate::support::database::{Engine, TestDatabase};

            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                super::$name(TestDatabase::empty(Engine::Sqlite, stringify!($name)).await).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                super::$name(TestDatabase::empty(Engine::Postgres, stringify!($name)).await).await;
            }
        }
    )+};
}
#[allow(unused_imports, reason = "a kit for tests that come and go")]
pub(crate) use both;

both!(both_engines_are_there);

async fn both_engines_are_there(database: TestDatabase) {
    use sea_orm::{ConnectionTrait, Database, DbBackend};
    let connection = Database::connect(&database.url)
        .await
        .expect("the database answers");
    let expected = match database.engine {
        Engine::Sqlite => DbBackend::Sqlite,
        Engine::Postgres => DbBackend::Postgres,
    };
    assert_eq!(connection.get_database_backend(), expected);
    connection
        .execute_unprepared("CREATE TABLE things (name text)")
        .await
        .expect("a table can be made");
}
