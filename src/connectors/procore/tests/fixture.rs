//! The fixtures of this connector: what Procore shows, and what it is translated to.
//!
//! `tests/fixtures/procore/vendor/accents.json` has its `accents.want.json` beside it: `{"ok": record}` or
//! `{"issues": […]}`. `UPDATE=1` writes the second file anew; its change is read in review.

#![allow(
    clippy::disallowed_methods,
    reason = "whether fixtures are rewritten is no matter of the product's configuration"
)]

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::fault::Issue;

/// Translates every fixture of a folder and compares.
pub(super) fn check<T: Serialize>(
    folder: &str,
    translate: impl Fn(&Value) -> Result<T, Vec<Issue>>,
) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/procore")
        .join(folder);
    let cases = cases(&folder);
    assert!(!cases.is_empty(), "no fixtures in {}", folder.display());
    for case in cases {
        let found = match translate(&read(&case)) {
            Ok(record) => json!({ "ok": record }),
            Err(issues) => json!({ "issues": issues }),
        };
        let wanted = case.with_extension("want.json");
        if std::env::var_os("UPDATE").is_some() {
            let text = serde_json::to_string_pretty(&found).unwrap();
            fs::write(&wanted, text + "\n").unwrap();
        }
        assert_eq!(found, read(&wanted), "{}", case.display());
    }
}

fn cases(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut cases: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.to_string_lossy();
            name.ends_with(".json") && !name.ends_with(".want.json")
        })
        .collect();
    cases.sort();
    cases
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{}: {error}; UPDATE=1 writes it", path.display()));
    serde_json::from_str(&text).unwrap()
}
