//! From text to settings: each value parsed, each default filled in, then what must hold between them.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::layers::{Flags, Layers, variable};
use super::parse;
use super::problem::Problems;
use super::settings::{
    Config, KeySource, Log, LogFormat, Mail, Server, Storage, Telemetry, VendorRules, Work,
};
use crate::domain::clock::Pace;
use crate::domain::member::SignUp;
use crate::domain::secret::Secret;

/// The database's file in the data directory.
const DATABASE_FILE: &str = "ml-connector.db";

/// A day of waits in a second and a half is fast enough for every test.
const TIME_SCALE_MAX: u32 = 100_000;

/// More slices than this only wait for each other.
const CONCURRENCY_MAX: usize = 1_024;

/// What the settings are read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    Normal,
    /// Its own folder, database and key, apart from what else is kept here.
    Demo,
}

/// Reads every setting of this process, its file in the current folder included.
///
/// # Errors
/// Every problem at once.
pub fn read(flags: Flags, setup: Setup) -> Result<Config, Problems> {
    from_layers(Layers::of_process(flags, Path::new(".")), setup)
}

pub(super) fn from_layers(mut layers: Layers, setup: Setup) -> Result<Config, Problems> {
    let work = work(&mut layers);
    let server = server(&mut layers);
    let config = Config {
        vendors: vendors(&mut layers, &server, &work),
        storage: storage(&mut layers, setup),
        keys: KeySource::Generated,
        mail: mail(&mut layers),
        log: log(&mut layers),
        telemetry: telemetry(&mut layers),
        server,
        work,
        warnings: Vec::new(),
    };
    let keys = keys(&mut layers, setup);
    if !layers.problems.is_empty() {
        return Err(Problems(layers.problems));
    }
    Ok(Config {
        keys,
        warnings: layers.warnings,
        ..config
    })
}

fn server(layers: &mut Layers) -> Server {
    let listen = layers
        .parse("listen", parse::address)
        .unwrap_or_else(|| parse::loopback(8080));
    Server {
        listen,
        public: layers.parse("public_url", parse::public_url),
        trusted_proxies: layers
            .parse("trusted_proxies", parse::proxies)
            .unwrap_or_default(),
        sign_up: layers
            .parse("signup", parse::sign_up)
            .unwrap_or(SignUp::Open),
    }
}

fn storage(layers: &mut Layers, setup: Setup) -> Storage {
    let data_dir = layers
        .take("data_dir")
        .map_or_else(|| "./data".into(), |dir| PathBuf::from(dir.trim()));
    let (data_dir, given) = match setup {
        Setup::Normal => (data_dir, layers.parse("database_url", parse::database_url)),
        Setup::Demo => {
            layers.leave(&["database_url", "database_admin_url"]);
            (data_dir.join("demo"), None)
        }
    };
    let embedded = || {
        let file = data_dir.join(DATABASE_FILE);
        (Secret::new(parse::sqlite_url(&file)), Some(file))
    };
    let (database_url, database_file) = given.unwrap_or_else(embedded);
    let admin = layers.parse("database_admin_url", parse::admin_url);
    if admin.is_some() && database_file.is_some() {
        layers.problem(
            "database_admin_url",
            "only PostgreSQL has roles; remove it, or set MLC_DATABASE_URL to a `postgres://` address",
        );
    }
    Storage {
        data_dir,
        database_url,
        database_admin_url: admin,
        database_file,
    }
}

fn keys(layers: &mut Layers, setup: Setup) -> KeySource {
    if setup == Setup::Demo {
        layers.leave(&["master_key", "master_key_file"]);
        return KeySource::Generated;
    }
    for name in ["master_key", "master_key_file"] {
        // An empty secret is an accident of whoever injects it, never a choice.
        if layers.is_blank(name) {
            layers.problem(
                name,
                "it is set, but empty; give the key or remove the setting",
            );
        }
    }
    match (layers.take("master_key"), layers.take("master_key_file")) {
        (Some(_), Some(_)) => {
            layers.problem(
                "master_key",
                "MLC_MASTER_KEY_FILE is set too; keep one of them",
            );
            KeySource::Generated
        }
        (Some(list), None) => KeySource::Given(secret(list)),
        (None, Some(file)) => KeySource::File(PathBuf::from(file.trim())),
        (None, None) => KeySource::Generated,
    }
}

fn vendors(layers: &mut Layers, server: &Server, work: &Work) -> VendorRules {
    let hosts = layers
        .parse("vendor_hosts", parse::host_rules)
        .unwrap_or_default();
    let allow_private_targets = layers
        .parse("allow_private_targets", parse::yes_or_no)
        .unwrap_or(false);
    let is_public = server
        .public
        .as_ref()
        .is_some_and(|url| url.scheme() == "https");
    if allow_private_targets && is_public && !work.is_dev {
        layers.problem(
            "allow_private_targets",
            "it lets every customer reach this network, and MLC_PUBLIC_URL is https, so this is no test; \
             remove it, or set MLC_DEV=1 if it is one after all",
        );
    }
    VendorRules {
        hosts,
        allow_private_targets,
    }
}

fn work(layers: &mut Layers) -> Work {
    let is_dev = layers.parse("dev", parse::yes_or_no).unwrap_or(false);
    let scale = layers
        .parse("time_scale", |text| parse::whole(text, 1, TIME_SCALE_MAX))
        .unwrap_or(1);
    if scale != 1 && !is_dev {
        layers.problem(
            "time_scale",
            "it shortens the waits that keep vendors safe; remove it, or set MLC_DEV=1 in a test",
        );
    }
    let concurrency = layers
        .parse("worker_concurrency", |text| {
            parse::whole(text, 1, CONCURRENCY_MAX)
        })
        .unwrap_or(32);
    Work {
        concurrency,
        pace: Pace::new(scale),
        is_dev,
    }
}

fn mail(layers: &mut Layers) -> Mail {
    let smtp_url = layers.parse("smtp_url", parse::smtp_url);
    let sender = layers.parse("mail_from", parse::sender);
    if smtp_url.is_some() && sender.is_none() {
        layers.problem(
            "mail_from",
            "MLC_SMTP_URL is set, so mails need a sender; set it too",
        );
    }
    Mail { smtp_url, sender }
}

fn log(layers: &mut Layers) -> Log {
    let filter = layers.parse("log", parse::log_filter);
    let format = layers.parse("log_format", parse::log_format);
    Log {
        filter: filter.unwrap_or_else(|| "info".to_owned()),
        format: format.unwrap_or(LogFormat::Human),
    }
}

fn telemetry(layers: &mut Layers) -> Telemetry {
    let metrics_listen = layers.parse("metrics_listen", parse::address_or_off);
    Telemetry {
        metrics_listen: metrics_listen.unwrap_or_else(|| Some(parse::loopback(9464))),
        otlp_endpoint: layers.parse("otlp_endpoint", parse::web_address),
    }
}

impl Layers {
    /// The parsed value; a problem is noted and counts as not set, so that the others are found too.
    fn parse<T, P: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, P>,
    ) -> Option<T> {
        let text = self.take(name)?;
        match parse(text.trim()) {
            Ok(value) => Some(value),
            Err(says) => {
                self.problem(name, says.to_string());
                None
            }
        }
    }

    /// Takes settings away that the demo must not touch, and says so.
    fn leave(&mut self, names: &[&str]) {
        for name in names {
            if self.take(name).is_some() {
                self.warnings.push(format!(
                    "{} is not read: the demo keeps its own database and key",
                    variable(name)
                ));
            }
        }
    }
}

fn secret(text: Zeroizing<String>) -> Secret<String> {
    Secret::new(text.trim().to_owned())
}
