//! Cleaning up after a test run however it ends. The test runner calls nothing at its exit, and a
//! killed process cannot; a shell that waits for our end of a pipe to close outlives both.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// Runs a shell script when this value is dropped or this process is gone, whichever comes first.
/// A drop waits until the script has ended.
#[must_use]
pub struct Watchdog {
    shell: Child,
}

/// The script sees `arguments` as `$1`, `$2`, …
pub fn at_the_end(script: &str, arguments: &[&str]) -> Watchdog {
    let shell = Command::new("sh")
        .args(["-c", &format!("cat >/dev/null\n{script}"), "watchdog"])
        .args(arguments)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Its own group, so that an interrupt at the terminal does not end it before its work.
        .process_group(0)
        .spawn()
        .expect("sh starts");
    Watchdog { shell }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // Waiting closes our end of the pipe first, which is what the shell waits for.
        self.shell.wait().ok();
    }
}

#[test]
fn the_script_has_run_when_the_watchdog_is_dropped() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mark = folder.path().join("mark");
    let path = mark.to_str().expect("a plain path").to_owned();
    let watchdog = at_the_end("echo \"$1\" >\"$2\"", &["done", &path]);
    assert!(!mark.exists());
    drop(watchdog);
    assert_eq!(std::fs::read_to_string(&mark).expect("the mark"), "done\n");
}
