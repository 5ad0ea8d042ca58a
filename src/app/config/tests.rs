//! Which layer wins, what the defaults are, and what is refused.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::layers::Layers;
use super::read::from_layers;
use super::*;
use crate::connectors::kit::HostRule;
use crate::domain::member::SignUp;

const NO_FILE: &str = "/nowhere/ml-connector.toml";

fn layers(environment: &[(&str, &str)], file: &Path) -> Layers {
    let environment: BTreeMap<String, String> = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Layers::new(Flags::default(), environment, file)
}

/// The settings of an environment alone, its names without `MLC_`.
fn of(environment: &[(&str, &str)]) -> Result<Config, Problems> {
    from_layers(layers(environment, Path::new(NO_FILE)), Setup::Normal)
}

/// The variables that are complained about.
fn refused(environment: &[(&str, &str)]) -> Vec<String> {
    let problems = of(environment).unwrap_err().0;
    problems
        .into_iter()
        .map(|problem| problem.variable)
        .collect()
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let config = of(&[]).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    let url = config.server.public_url(config.server.listen);
    assert_eq!(url, "http://127.0.0.1:8080");
    assert_eq!(config.server.sign_up, SignUp::Open);
    assert!(config.server.trusted_proxies.is_empty());
    assert_eq!(config.storage.data_dir, PathBuf::from("./data"));
    let database = config.storage.database_url.open().as_str();
    assert_eq!(database, "sqlite://./data/ml-connector.db?mode=rwc");
    assert!(matches!(config.keys, KeySource::Generated));
    assert!(config.vendors.hosts.is_empty() && !config.vendors.allow_private_targets);
    assert_eq!(config.work.concurrency, 32);
    assert_eq!(config.work.pace.rate(1), 1);
    assert!(!config.work.is_dev);
    assert_eq!(config.log.filter, "info");
    assert_eq!(config.log.format, LogFormat::Human);
    let metrics = config.telemetry.metrics_listen.unwrap();
    assert_eq!(metrics.to_string(), "127.0.0.1:9464");
    assert!(config.telemetry.otlp_endpoint.is_none() && config.mail.smtp_url.is_none());
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    let text = "listen = '127.0.0.1:1'\ndata_dir = 'file'\nworker_concurrency = 7\ndev = true\n\
                vendor_hosts = ['a.example', 'b.example:8443']\nsignup = 'closed'\n";
    fs::write(&file, text).unwrap();
    let flags = Flags(vec![
        ("listen", Some("127.0.0.1:3".to_owned())),
        ("data_dir", None),
    ]);
    let environment = [
        ("listen", "127.0.0.1:2"),
        ("data_dir", "environment"),
        ("signup", " "),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let layers = Layers::new(flags, environment.into(), &file);
    let config = from_layers(layers, Setup::Normal).unwrap();
    assert_eq!(config.server.listen.port(), 3);
    assert_eq!(config.storage.data_dir, PathBuf::from("environment"));
    assert_eq!(config.work.concurrency, 7);
    assert!(config.work.is_dev);
    // An empty text counts as not set.
    assert_eq!(config.server.sign_up, SignUp::Closed);
    let rule = |suffix: &str, port| HostRule {
        suffix: suffix.to_owned(),
        port,
    };
    assert_eq!(
        config.vendors.hosts,
        [rule("a.example", 443), rule("b.example", 8443)]
    );
}

#[test]
fn all_problems_are_told_at_once() {
    let problems = of(&[
        ("listen", "8080"),
        ("public_url", "connector.example.com"),
        ("worker_concurrency", "many"),
        ("signup", "maybe"),
        ("log_format", "xml"),
    ])
    .unwrap_err();
    let text = problems.to_string();
    for variable in [
        "MLC_LISTEN",
        "MLC_PUBLIC_URL",
        "MLC_WORKER_CONCURRENCY",
        "MLC_SIGNUP",
        "MLC_LOG_FORMAT",
    ] {
        assert!(
            text.contains(&format!("\n  {variable}: it must be")),
            "{text}"
        );
    }
    assert_eq!(problems.0.len(), 5);
}

#[test]
fn values_that_are_refused() {
    for (name, value) in [
        ("listen", "127.0.0.1"),
        ("listen", "example.com:80"),
        ("public_url", "ftp://example.com"),
        ("public_url", "https://example.com/connector"),
        ("public_url", "https://user:pass@example.com"),
        ("public_url", "https://example.com?x=1"),
        ("database_url", "mysql://host/db"),
        ("database_url", "sqlite::memory:"),
        ("database_url", "sqlite://x.db?mode=memory"),
        ("vendor_hosts", "https://erp.example.com"),
        ("vendor_hosts", "erp.example.com:0"),
        ("vendor_hosts", "erp.example.com:99999"),
        ("vendor_hosts", "ok.example, a b"),
        ("trusted_proxies", "10.0.0.1, proxy"),
        ("metrics_listen", "on"),
        ("worker_concurrency", "0"),
        ("worker_concurrency", "-1"),
        ("time_scale", "0"),
        ("time_scale", "1.5"),
        ("dev", "perhaps"),
        ("allow_private_targets", "2"),
        ("log", "info,=,="),
        ("otlp_endpoint", "collector:4317"),
        ("smtp_url", "mail.example.com"),
        ("mail_from", "nobody"),
        ("master_key", " "),
        ("master_key_file", ""),
    ] {
        let expected = format!("MLC_{}", name.to_uppercase());
        assert!(
            refused(&[(name, value)]).contains(&expected),
            "{name}={value}"
        );
    }
}

#[test]
fn values_that_are_understood() {
    for (name, value) in [
        ("listen", "localhost:0"),
        ("listen", "[::]:8080"),
        ("public_url", "https://connector.example.com/"),
        (
            "database_url",
            "postgresql://u:p@[::1]:5432/db?sslmode=require",
        ),
        ("database_url", "postgres:///db?host=/var/run/postgresql"),
        ("database_url", "sqlite:x.db"),
        ("vendor_hosts", "*.Example.COM., 127.0.0.1:8443,"),
        ("trusted_proxies", "10.0.0.1,::1"),
        ("metrics_listen", "off"),
        ("dev", "true"),
        ("time_scale", "1"),
        ("log", "warn,ml_connector::engine=debug"),
    ] {
        assert!(of(&[(name, value)]).is_ok(), "{name}={value}");
    }
    let config = of(&[("vendor_hosts", "*.Example.COM.")]).unwrap();
    assert_eq!(config.vendors.hosts, [HostRule::https("example.com")]);
}

#[test]
fn what_is_meant_for_tests_is_refused_in_production() {
    let private = ("allow_private_targets", "1");
    let public = ("public_url", "https://connector.example.com");
    let dev = ("dev", "1");
    assert_eq!(refused(&[private, public]), ["MLC_ALLOW_PRIVATE_TARGETS"]);
    assert!(of(&[private, public, dev]).is_ok());
    assert!(of(&[private]).unwrap().vendors.allow_private_targets);
    assert!(of(&[private, ("public_url", "http://127.0.0.1:8080")]).is_ok());

    assert_eq!(refused(&[("time_scale", "60")]), ["MLC_TIME_SCALE"]);
    let scaled = of(&[("time_scale", "60"), dev]).unwrap();
    let minute = Duration::from_secs(60);
    assert_eq!(scaled.work.pace.wait(minute), Duration::from_secs(1));
}

#[test]
fn the_rules_hold_the_vendors_own_clouds_and_what_was_added() {
    let config = of(&[("vendor_hosts", "erp.example.com:8443")]).unwrap();
    let rules = config.vendors.rules(vec![4010]);
    let added = HostRule {
        suffix: "erp.example.com".to_owned(),
        port: 8443,
    };
    assert_eq!(
        rules.allowed_hosts.len(),
        crate::connectors::VENDOR_HOSTS.len() + 1
    );
    assert!(rules.allowed_hosts.contains(&added));
    let own = &rules.allowed_hosts[..rules.allowed_hosts.len() - 1];
    assert!(own.iter().all(|rule| rule.port == 443));
    assert_eq!(rules.loopback_ports, [4010]);
}

#[test]
fn keys_come_from_one_place() {
    let given = of(&[("master_key", "v1:abc")]).unwrap();
    assert!(matches!(&given.keys, KeySource::Given(list) if list.open() == "v1:abc"));
    let file = of(&[("master_key_file", "/run/key")]).unwrap();
    assert!(matches!(&file.keys, KeySource::File(path) if path == Path::new("/run/key")));
    let both = [("master_key", "v1:abc"), ("master_key_file", "/run/key")];
    assert_eq!(refused(&both), ["MLC_MASTER_KEY"]);
    let postgres = of(&[("database_url", "postgres://u:p@h/d")]).unwrap();
    assert!(matches!(postgres.keys, KeySource::Generated));
    assert!(postgres.storage.database_file.is_none());
}

#[test]
fn database_files_are_found_behind_their_addresses() {
    let file = |url| of(&[("database_url", url)]).unwrap().storage.database_file;
    assert_eq!(file("sqlite:///a/b.db?mode=rwc"), Some("/a/b.db".into()));
    assert_eq!(file("sqlite://a%20b%3F.db"), Some("a b?.db".into()));
    assert_eq!(file("sqlite:x%.db"), Some("x%.db".into()));
    let odd = of(&[("data_dir", "/tmp/50% ok?")]).unwrap().storage;
    assert_eq!(
        odd.database_url.open(),
        "sqlite:///tmp/50%25 ok%3F/ml-connector.db?mode=rwc"
    );
    assert_eq!(file(odd.database_url.open()), odd.database_file);
    let admin = ("database_admin_url", "postgres://owner:p@h/d");
    assert_eq!(refused(&[admin]), ["MLC_DATABASE_ADMIN_URL"]);
    let both = of(&[admin, ("database_url", "postgres://u:p@h/d")]).unwrap();
    assert_eq!(both.storage.migration_url().open(), admin.1);
}

#[test]
fn the_demo_keeps_to_itself() {
    let environment = [
        ("data_dir", "/srv/data"),
        ("database_url", "postgres://u:p@h/d"),
        ("master_key", "v1:abc"),
    ];
    let layers = layers(&environment, Path::new(NO_FILE));
    let config = from_layers(layers, Setup::Demo).unwrap();
    assert_eq!(config.storage.data_dir, PathBuf::from("/srv/data/demo"));
    let file = config.storage.database_file.unwrap();
    assert_eq!(file, Path::new("/srv/data/demo/ml-connector.db"));
    assert!(matches!(config.keys, KeySource::Generated));
    assert_eq!(config.warnings.len(), 2, "{:?}", config.warnings);
}

#[test]
fn names_that_mean_nothing_are_told() {
    let config = of(&[("listne", "x")]).unwrap();
    assert!(config.warnings[0].starts_with("MLC_LISTNE "));

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    for (text, says) in [
        ("listne = 'x'", "`listne` is no setting"),
        ("[listen]\na = 1", "`listen` must be a text"),
        ("time_scale = 1.5", "`time_scale` must be a text"),
        (
            "master_key = 'canary",
            "it cannot be read: TOML parse error at line 1",
        ),
    ] {
        fs::write(&file, text).unwrap();
        let refused = from_layers(layers(&[], &file), Setup::Normal).unwrap_err();
        assert_eq!(refused.0.len(), 1, "{text}");
        assert_eq!(refused.0[0].variable, FILE);
        assert!(refused.0[0].says.starts_with(says), "{refused}");
        assert!(!refused.to_string().contains("canary"));
    }
}

#[test]
fn a_file_with_a_key_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    fs::write(&file, "master_key = 'v1:abc'").unwrap();
    for (bits, works) in [(0o644, false), (0o600, true)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(bits)).unwrap();
        let read = from_layers(layers(&[], &file), Setup::Normal);
        assert_eq!(read.is_ok(), works, "{bits:o}");
    }
}

#[test]
fn no_debug_form_shows_a_secret() {
    let config = of(&[
        ("database_url", "postgres://u:canary@h/d"),
        ("database_admin_url", "postgres://o:canary@h/d"),
        ("master_key", "v1:canary"),
        ("smtp_url", "smtps://u:canary@h"),
        ("mail_from", "a@b.example"),
    ]);
    assert!(!format!("{:?}", config.unwrap()).contains("canary"));
    let problems = of(&[
        ("database_url", "oracle://u:canary@h/d"),
        ("smtp_url", "http://u:canary@h"),
        ("public_url", "https://u:canary@h"),
    ]);
    let problems = problems.unwrap_err();
    assert!(!format!("{problems} {problems:?}").contains("canary"));
}
