//! The real program as a process of its own, so that it can be killed where it hurts.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::watchdog::{self, Watchdog};
use super::{free_port, http};

/// Migrations on a cold machine included.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// The program promises ten seconds.
const STOPPED_WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How to start the program. One value can start it several times over the same data.
#[derive(Clone)]
pub struct Launch {
    folder: PathBuf,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
}

impl Launch {
    /// `serve`, with its data and its log in this folder and nothing of this machine's settings.
    pub fn new(folder: &Path) -> Self {
        let data = folder.join("data").display().to_string();
        let settings = [
            ("MLC_DATA_DIR", data.as_str()),
            ("MLC_METRICS_LISTEN", "off"),
            ("MLC_LOG_FORMAT", "json"),
        ];
        Launch {
            folder: folder.to_owned(),
            arguments: vec!["serve".to_owned()],
            environment: settings.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        }
    }

    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    pub fn set(mut self, variable: &str, value: &str) -> Self {
        self.environment
            .insert(variable.to_owned(), value.to_owned());
        self
    }

    /// Runs the program to its end and gives what it printed; a failure fails the test.
    pub fn run(&self) -> String {
        self.run_with("")
    }

    /// The same with a text on its standard input.
    pub fn run_with(&self, input: &str) -> String {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(input.as_bytes())
            .and_then(|()| file.rewind())
            .expect("the temporary file can be written");
        let answer = self
            .command()
            .stdin(file)
            .output()
            .expect("the program starts");
        assert!(
            answer.status.success(),
            "{:?}: {}\n{}",
            self.arguments,
            answer.status,
            String::from_utf8_lossy(&answer.stderr)
        );
        append(&self.folder.join("log"))
            .write_all(&answer.stderr)
            .expect("the log can be written");
        String::from_utf8(answer.stdout).expect("the program prints text")
    }

    /// Runs the program to its end, however it ends. Gives its exit code and everything it printed.
    pub fn end(&self) -> (i32, String) {
        let answer = self.command().output().expect("the program starts");
        append(&self.folder.join("log"))
            .write_all(&answer.stderr)
            .expect("the log can be written");
        let printed = [answer.stdout, answer.stderr].concat();
        let code = answer.status.code().expect("it ended by itself");
        (code, String::from_utf8_lossy(&printed).into_owned())
    }

    /// Starts a server on a free port and waits until it says that it is ready.
    pub async fn start(&self) -> Program {
        let mut program = self.begin();
        program.wait_until_ready().await;
        program
    }

    /// Starts the program and does not wait for anything.
    pub fn begin(&self) -> Program {
        let listen = format!("127.0.0.1:{}", free_port());
        let log = self.folder.join("log");
        let (out, errors) = (append(&log), append(&log));
        let child = self
            .command()
            .env("MLC_LISTEN", &listen)
            .stdout(out)
            .stderr(errors)
            .spawn()
            .expect("the program starts");
        let id = child.id().to_string();
        Program {
            url: format!("http://{listen}"),
            child,
            log,
            _end: watchdog::at_the_end("kill -s KILL -- \"$1\"", &[&id]),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ml-connector"));
        command
            .args(&self.arguments)
            .current_dir(&self.folder)
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null());
        command
    }
}

fn append(log: &Path) -> File {
    let file = OpenOptions::new().create(true).append(true).open(log);
    file.expect("the log can be written")
}

/// A running program; killed when dropped.
pub struct Program {
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub url: String,
    child: Child,
    log: PathBuf,
    _end: Watchdog,
}

impl Program {
    /// Everything it logged, earlier starts in the same folder included.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("the log can be read")
    }

    /// As a power cut would: no warning, no last words.
    pub fn kill(mut self) {
        self.child.kill().expect("the program can be killed");
        self.child.wait().expect("a killed program ends");
    }

    /// Stops its clock: it neither works nor answers, and does not know.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(mut self) -> ExitStatus {
        self.signal("TERM");
        let asked = Instant::now();
        while asked.elapsed() < STOPPED_WITHIN {
            if let Some(status) = self.child.try_wait().expect("the program can be asked") {
                return status;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        panic!("it did not stop in {STOPPED_WITHIN:?}:\n{}", self.log());
    }

    /// Waits until it has ended by itself, as at a planted crash.
    pub async fn ended(mut self, within: Duration) -> ExitStatus {
        let began = Instant::now();
        while began.elapsed() < within {
            if let Some(status) = self.child.try_wait().expect("the program can be asked") {
                return status;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        panic!("it did not end in {within:?}:\n{}", self.log());
    }

    async fn wait_until_ready(&mut self) {
        let client = http::client();
        let address = format!("{}/readyz", self.url);
        let began = Instant::now();
        while began.elapsed() < READY_WITHIN {
            if let Some(status) = self.child.try_wait().expect("the program can be asked") {
                panic!("it ended before it was ready ({status}):\n{}", self.log());
            }
            let answer = client.get(&address).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        panic!("it was not ready in {READY_WITHIN:?}:\n{}", self.log());
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("sh")
            .args(["-c", "kill -s \"$1\" \"$2\"", "kill", name])
            .arg(self.child.id().to_string())
            .status();
        assert!(
            sent.expect("sh starts").success(),
            "the program takes signals"
        );
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
