//! One throw-away PostgreSQL cluster for the whole run, started by the first test that asks.
//!
//! It listens on a loopback port, forgets everything at the end, and gives out databases owned by a role
//! without superuser rights, so that row-level security binds the tests as it binds a customer.

use std::fs;
use std::io::{Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sea_orm::{ConnectionTrait, Database, TransactionTrait};

use super::free_port;
use super::watchdog::{self, Watchdog};

/// The role that owns every test database. It may create roles and databases, and bypasses nothing.
const OWNER: &str = "mlc_owner";
/// Room for every test thread's pools at once.
const CONNECTIONS_MAX: u32 = 400;
/// A free port can be taken before the server binds it.
const START_TRIES: u32 = 5;

struct Cluster {
    port: u16,
    password: String,
    _end: Watchdog,
}

static CLUSTER: LazyLock<Cluster> = LazyLock::new(Cluster::start);
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A fresh empty database, as its URL. The name is for reading; a number keeps it unique.
pub async fn database(name: &str) -> String {
    create(name, "template0").await
}

/// A copy of a database that [`database`] gave out. Nobody may be connected to the original.
pub async fn database_like(template_url: &str, name: &str) -> String {
    let template = template_url.rsplit('/').next().expect("a URL has a path");
    create(name, template).await
}

async fn create(name: &str, template: &str) -> String {
    let number = DATABASES.fetch_add(1, Ordering::Relaxed);
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .take(40)
        .collect();
    let database = format!("t{number}_{}", plain.to_ascii_lowercase());
    let statement = format!("CREATE DATABASE {database} TEMPLATE {template}");
    execute(&url("postgres"), &statement).await;
    url(&database)
}

async fn execute(url: &str, statement: &str) {
    let connection = Database::connect(url)
        .await
        .expect("the cluster answers its owner");
    connection
        .execute_unprepared(statement)
        .await
        .unwrap_or_else(|problem| panic!("{statement}: {problem}"));
    connection.close().await.expect("the connection closes");
}

fn url(database: &str) -> String {
    let cluster = &*CLUSTER;
    format!(
        "postgres://{OWNER}:{}@127.0.0.1:{}/{database}",
        cluster.password, cluster.port
    )
}

impl Cluster {
    fn start() -> Self {
        let programs = programs();
        let folder = folder();
        let data = folder.join("data");
        // Says "stop" to a server that may be starting or gone, then leaves no trace.
        let end = watchdog::at_the_end(
            "$1 \"$2/pg_ctl\" stop -m immediate -w -D \"$3/data\"; rm -rf \"$3\"",
            &[as_who(), &path(&programs), &path(&folder)],
        );
        run(as_server(&programs.join("initdb")).args([
            "--username=postgres",
            "--auth-local=peer",
            "--auth-host=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "-D",
            &path(&data),
        ]));
        let password = uuid::Uuid::new_v4().simple().to_string();
        create_owner(&programs, &data, &password);
        let port = (0..START_TRIES)
            .find_map(|_| serve(&programs, &folder))
            .unwrap_or_else(|| panic!("PostgreSQL does not start:\n{}", log(&folder)));
        Cluster {
            port,
            password,
            _end: end,
        }
    }
}

/// Creates the owner in single-user mode, so that no superuser ever needs a password.
fn create_owner(programs: &Path, data: &Path, password: &str) {
    let script = format!("CREATE ROLE {OWNER} LOGIN CREATEROLE CREATEDB PASSWORD '{password}'\n");
    let mut input = tempfile::tempfile().expect("a temporary file");
    input
        .write_all(script.as_bytes())
        .and_then(|()| input.rewind())
        .expect("the temporary file can be written");
    run(as_server(&programs.join("postgres"))
        .args(["--single", "-D", &path(data), "postgres"])
        .stdin(input));
}

/// Starts the server and gives its port; `None` where it did not come up.
fn serve(programs: &Path, folder: &Path) -> Option<u16> {
    let port = free_port();
    // Nothing here has to survive a power cut.
    let options = format!(
        "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='{}' \
         -c max_connections={CONNECTIONS_MAX} -c fsync=off -c synchronous_commit=off \
         -c full_page_writes=off -c autovacuum=off",
        folder.display()
    );
    let started = as_server(&programs.join("pg_ctl"))
        .args(["start", "-w", "-t", "60", "-D", &path(&folder.join("data"))])
        .args(["-l", &path(&folder.join("log")), "-o", &options])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    started.expect("pg_ctl runs").success().then_some(port)
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}

/// The folder of the server's programs, newest version first. Debian keeps them out of `PATH`.
fn programs() -> PathBuf {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut versions: Vec<PathBuf> = debian.flatten().map(|entry| entry.path()).collect();
    versions.sort_by_key(|path| std::cmp::Reverse(version(path)));
    let listed = std::env::var_os("PATH").unwrap_or_default();
    versions
        .into_iter()
        .map(|version| version.join("bin"))
        .chain(std::env::split_paths(&listed))
        .find(|folder| folder.join("initdb").is_file())
        .expect("PostgreSQL's programs (initdb, pg_ctl) are not here; scripts/test installs them")
}

fn version(folder: &Path) -> u32 {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.parse().unwrap_or_default()
}

/// A folder that the server's user owns.
fn folder() -> PathBuf {
    let folder = tempfile::Builder::new()
        .prefix("mlc-postgres-")
        .tempdir()
        .expect("a temporary folder")
        .keep();
    if is_root() {
        run(Command::new("chown").args(["postgres:", &path(&folder)]));
    }
    folder
}

/// The server refuses to run as root.
fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn as_who() -> &'static str {
    if is_root() {
        "runuser -u postgres --"
    } else {
        ""
    }
}

fn as_server(program: &Path) -> Command {
    let mut command = match is_root() {
        true => {
            let mut runuser = Command::new("runuser");
            runuser.args(["-u", "postgres", "--"]).arg(program);
            runuser
        }
        false => Command::new(program),
    };
    command.current_dir("/").stdin(Stdio::null());
    command
}

fn run(command: &mut Command) {
    let answer = command.output().expect("the program starts");
    assert!(
        answer.status.success(),
        "{command:?}: {}\n{}",
        answer.status,
        String::from_utf8_lossy(&answer.stderr)
    );
}

fn path(path: &Path) -> String {
    path.to_str().expect("a plain path").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn row_level_security_binds_the_owner_of_a_database() {
    let url = database("row_level_security").await;
    let connection = Database::connect(&url).await.expect("the database answers");
    let script = "CREATE TABLE things (tenant_id text NOT NULL, name text NOT NULL);
        ALTER TABLE things ENABLE ROW LEVEL SECURITY;
        ALTER TABLE things FORCE ROW LEVEL SECURITY;
        CREATE POLICY own ON things USING (tenant_id = current_setting('app.tenant_id', true));
        SET app.tenant_id = 'a';
        INSERT INTO things VALUES ('a', 'crane');
        SET app.tenant_id = 'b';";
    // One connection, so that the settings hold for the statements after them.
    let one = connection.begin().await.expect("a transaction");
    one.execute_unprepared(script)
        .await
        .expect("the script runs");
    let foreign = one
        .execute_unprepared("UPDATE things SET name = 'taken'")
        .await
        .expect("an update without a match is no error");
    assert_eq!(foreign.rows_affected(), 0);
    one.execute_unprepared("INSERT INTO things VALUES ('a', 'planted')")
        .await
        .expect_err("a row of another tenant is refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_can_be_copied() {
    let original = database("original").await;
    execute(&original, "CREATE TABLE marks AS SELECT 1 AS mark").await;
    let copy = database_like(&original, "copy").await;
    execute(&copy, "DROP TABLE marks").await;
    execute(&original, "DROP TABLE marks").await;
}
