//! What is built into the program: `deny.toml` says what may be, the lock file and the crates' own
//! manifests say what is.

use std::process::Command;

use figment::Figment;
use figment::providers::{Format, Toml};
use serde::Deserialize;

use super::source::{report, root};

#[derive(Deserialize)]
struct Rules {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    #[serde(default)]
    deny_multiple_versions: bool,
    reason: String,
}

/// One package of the lock file or of `cargo metadata`; the first knows no licence.
#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
    license: Option<String>,
    license_file: Option<String>,
    #[serde(default)]
    manifest_path: std::path::PathBuf,
}

fn rules() -> Rules {
    let file = Figment::from(Toml::file_exact(root().join("deny.toml")));
    file.extract().expect("deny.toml reads as it should")
}

fn locked() -> Vec<Package> {
    let file = Figment::from(Toml::file_exact(root().join("Cargo.lock")));
    file.extract_inner("package")
        .expect("the lock file lists its packages")
}

#[test]
fn banned_crates_stay_out_of_the_lock_file() {
    let locked = locked();
    let broken = |ban: &Ban| {
        let versions: Vec<&str> = locked
            .iter()
            .filter(|package| package.name == ban.name)
            .map(|package| package.version.as_str())
            .collect();
        (versions.len() > usize::from(ban.deny_multiple_versions))
            .then(|| format!("{} {}: {}", ban.name, versions.join(", "), ban.reason))
    };
    report(
        "Cargo.lock holds no crate that deny.toml bans",
        rules().bans.deny.iter().filter_map(broken).collect(),
    );
}

#[test]
fn crates_come_from_the_registry_alone() {
    let offences = locked()
        .into_iter()
        .filter_map(|package| Some((package.name, package.source?)))
        .filter(|(_, source)| source != "registry+https://github.com/rust-lang/crates.io-index")
        .map(|(name, source)| format!("{name}: {source}"))
        .collect();
    report(
        "every crate comes from crates.io, none from git or another registry",
        offences,
    );
}

#[test]
fn licences_are_on_the_list() {
    let allow = rules().licenses.allow;
    let offences = built_packages()
        .into_iter()
        .filter(|package| package.source.is_some())
        .map(|package| (package_licence(&package), package))
        .filter(|(licence, _)| !is_allowed(licence, &allow))
        .map(|(licence, package)| format!("{} {}: {licence}", package.name, package.version))
        .collect();
    report("every crate's licence is allowed by deny.toml", offences);
}

/// The packages that this machine's build uses, as cargo describes them.
fn built_packages() -> Vec<Package> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let host = host_platform();
    let arguments = ["metadata", "--format-version=1", "--locked"];
    let answer = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--filter-platform", &host])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        answer.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&answer.stderr)
    );
    let metadata: Metadata = serde_json::from_slice(&answer.stdout).expect("cargo answers in JSON");
    metadata.packages
}

fn host_platform() -> String {
    let answer = Command::new(env!("CARGO")).arg("-vV").output();
    let text = String::from_utf8(answer.expect("cargo runs").stdout).expect("cargo writes text");
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("cargo -vV names the host").to_owned()
}

/// The licence expression; where the manifest only points to a file, what that file is.
fn package_licence(package: &Package) -> String {
    if let Some(expression) = &package.license {
        return expression.clone();
    }
    let file = package.license_file.as_ref().map(|name| {
        let folder = package
            .manifest_path
            .parent()
            .expect("a manifest lies in a folder");
        std::fs::read_to_string(folder.join(name)).unwrap_or_default()
    });
    match file {
        Some(text) if text.contains("Permission is hereby granted, free of charge") => "MIT".into(),
        _ => "no licence we can name".into(),
    }
}

/// Whether an SPDX expression can be met by the allowed licences. `/` is the old spelling of `OR`.
fn is_allowed(expression: &str, allow: &[String]) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest, allow) && rest.is_empty()
}

fn any_of(rest: &mut &[&str], allow: &[String]) -> bool {
    let mut allowed = all_of(rest, allow);
    while let ["OR", after @ ..] = *rest {
        *rest = after;
        allowed |= all_of(rest, allow);
    }
    allowed
}

fn all_of(rest: &mut &[&str], allow: &[String]) -> bool {
    let mut allowed = one(rest, allow);
    while let ["AND", after @ ..] = *rest {
        *rest = after;
        allowed &= one(rest, allow);
    }
    allowed
}

fn one(rest: &mut &[&str], allow: &[String]) -> bool {
    match *rest {
        ["(", after @ ..] => {
            *rest = after;
            let allowed = any_of(rest, allow);
            let closed = rest.first() == Some(&")");
            *rest = rest.get(1..).unwrap_or_default();
            allowed && closed
        }
        [name, "WITH", exception, after @ ..] => {
            *rest = after;
            allow.contains(&format!("{name} WITH {exception}"))
        }
        [name, after @ ..] => {
            *rest = after;
            allow.iter().any(|allowed| allowed == name)
        }
        [] => false,
    }
}

#[test]
fn licence_expressions_are_understood() {
    let allow = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "ISC"].map(String::from);
    let cases = [
        ("MIT", true),
        ("GPL-3.0", false),
        ("MIT/GPL-3.0", true),
        ("GPL-3.0 OR MIT", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR GPL-3.0) AND ISC", true),
        ("(MIT OR GPL-3.0) AND GPL-2.0", false),
        (
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR GPL-3.0",
            true,
        ),
        ("GPL-3.0 WITH LLVM-exception", false),
        ("(MIT", false),
        ("", false),
    ];
    for (expression, allowed) in cases {
        assert_eq!(is_allowed(expression, &allow), allowed, "{expression}");
    }
}
