//! A real browser, without a window, for what only a browser can tell.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use thirtyfour::common::capabilities::chrome::ChromeCapabilities;
use thirtyfour::{ChromiumLikeCapabilities, DesiredCapabilities, WebDriver};

use super::watchdog::{self, Watchdog};
use super::{free_port, http};

/// A cold start on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// Laptop size; tests of the narrow layout ask for their own.
const WINDOW: &str = "--window-size=1280,900";
/// Runs as root, asks nobody outside this machine for anything, and begins with nothing remembered.
const SWITCHES: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-crash-reporter",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
];

/// Ends the group `$1`, then removes the profile `$2`, which a dying browser still writes.
const END: &str = r#"
kill -s KILL -- "-$1"
for _ in 1 2 3 4 5 6 7 8 9 10; do
  kill -s 0 -- "-$1" || break
  sleep 0.1
done
rm -rf "$2"
"#;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scripts {
    On,
    Off,
}

/// One browser with its driver. Dropped, both end and what they wrote goes.
pub struct Browser {
    pub driver: WebDriver,
    /// Of the driver's program.
    address: String,
    process: Child,
    _end: Watchdog,
    _profile: TempDir,
}

impl Browser {
    pub async fn open(scripts: Scripts) -> Self {
        let profile = tempfile::Builder::new()
            .prefix("mlc-browser-")
            .tempdir()
            .expect("a temporary folder");
        let port = free_port();
        // A group of their own, so that one signal reaches the driver and every process of the browser.
        let process = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("Chromium's driver (chromedriver) is not here; scripts/test installs it");
        let group = process.id().to_string();
        let end = watchdog::at_the_end(END, &[&group, &profile.path().to_string_lossy()]);
        let address = format!("http://127.0.0.1:{port}");
        wait_until_ready(&address).await;
        let driver = WebDriver::new(address.clone(), capabilities(&profile, scripts))
            .await
            .expect("Chromium opens; scripts/test installs it");
        Browser {
            driver,
            address,
            process,
            _end: end,
            _profile: profile,
        }
    }

    /// Sends the browser a command of its own protocol.
    pub async fn command(&self, name: &str, parameters: serde_json::Value) {
        let session = self.driver.session_id();
        let sent = http::client()
            .post(format!(
                "{}/session/{session}/goog/cdp/execute",
                self.address
            ))
            .json(&json!({"cmd": name, "params": parameters}))
            .send()
            .await
            .expect("the driver answers");
        assert!(sent.status().is_success(), "{name}: {}", sent.status());
    }

    /// Keeps a picture of the page in the build's temporary folder, and says where.
    pub async fn picture(&self, name: &str) -> PathBuf {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pictures");
        std::fs::create_dir_all(&folder).expect("the build's folder can be written");
        let file = folder.join(format!("{name}.png"));
        self.driver
            .screenshot(&file)
            .await
            .expect("the browser draws the page");
        file
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The rest of the group goes with the watchdog, which is dropped next.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn capabilities(profile: &TempDir, scripts: Scripts) -> ChromeCapabilities {
    let mut wanted = DesiredCapabilities::chrome();
    let folder = format!("--user-data-dir={}", profile.path().display());
    for switch in SWITCHES.iter().copied().chain([WINDOW, folder.as_str()]) {
        wanted.add_arg(switch).expect("a switch is text");
    }
    if scripts == Scripts::Off {
        // 2 is "block" in Chromium's own settings.
        let preferences = json!({"profile.managed_default_content_settings.javascript": 2});
        wanted
            .add_experimental_option("prefs", preferences)
            .expect("preferences are JSON");
    }
    wanted
}

async fn wait_until_ready(address: &str) {
    let client = http::client();
    let began = Instant::now();
    while began.elapsed() < READY_WITHIN {
        if client.get(format!("{address}/status")).send().await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("chromedriver did not answer in {READY_WITHIN:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_draws_a_page_and_obeys_the_script_switch() {
    let page =
        "data:text/html,<title>before</title><h1>Hello</h1><script>document.title='after'</script>";
    for (scripts, title) in [(Scripts::On, "after"), (Scripts::Off, "before")] {
        let browser = Browser::open(scripts).await;
        browser.driver.goto(page).await.expect("the page opens");
        assert_eq!(browser.driver.title().await.expect("a title"), title);
        let picture = browser.picture(&format!("browser_{title}")).await;
        assert!(std::fs::metadata(picture).expect("a picture").len() > 1_000);
    }
}
