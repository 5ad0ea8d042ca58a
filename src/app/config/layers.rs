//! The places that settings come from, one over the other.

use std::collections::BTreeMap;
use std::path::Path;

use figment::Provider;
use figment::providers::{Env, Format, Toml};
use figment::value::Value;
use zeroize::Zeroizing;

use super::problem::Problem;
use crate::app::private;

/// The file that is read from the folder the program was started in.
pub const FILE: &str = "ml-connector.toml";

/// What stands in front of a setting's name in the environment.
const PREFIX: &str = "MLC_";

/// Every setting, as the file names it; in the environment in capitals behind `MLC_`.
const NAMES: &[&str] = &[
    "allow_private_targets",
    "data_dir",
    "database_admin_url",
    "database_url",
    "dev",
    "listen",
    "log",
    "log_format",
    "mail_from",
    "master_key",
    "master_key_file",
    "metrics_listen",
    "otlp_endpoint",
    "public_url",
    "signup",
    "smtp_url",
    "time_scale",
    "trusted_proxies",
    "vendor_hosts",
    "worker_concurrency",
];

/// Settings by name, zeroed when dropped: some are secret.
type Named = BTreeMap<String, Zeroizing<String>>;

/// What the command line set, by the setting's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags(pub Vec<(&'static str, Option<String>)>);

/// All layers, values still as text.
pub(super) struct Layers {
    /// The strongest first.
    layers: [Named; 3],
    pub problems: Vec<Problem>,
    /// Said when the log is there; nothing is refused for them.
    pub warnings: Vec<String>,
}

impl Layers {
    /// Flags, this process's environment, and the settings file of a folder.
    pub fn of_process(flags: Flags, folder: &Path) -> Self {
        let environment = Env::prefixed(PREFIX)
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value))
            .collect();
        Self::new(flags, environment, &folder.join(FILE))
    }

    pub fn new(flags: Flags, environment: BTreeMap<String, String>, file: &Path) -> Self {
        let mut layers = Self {
            layers: Default::default(),
            problems: Vec::new(),
            warnings: Vec::new(),
        };
        let flags = flags
            .0
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), Zeroizing::new(value?))))
            .collect();
        let environment: Named = environment
            .into_iter()
            .map(|(name, value)| (name.to_lowercase(), Zeroizing::new(value)))
            .collect();
        for name in environment.keys().filter(|name| !is_known(name)) {
            layers.warnings.push(format!(
                "{} is no setting of this program and was not read",
                variable(name)
            ));
        }
        let file = layers.file(file);
        layers.layers = [flags, environment, file];
        layers
    }

    /// The value of the strongest layer that has one. An empty text counts as not set.
    pub fn take(&mut self, name: &str) -> Option<Zeroizing<String>> {
        let mut found = None;
        for layer in &mut self.layers {
            let value = layer.remove(name).filter(|value| !value.trim().is_empty());
            found = found.or(value);
        }
        found
    }

    /// Whether a layer names the setting, though with nothing behind it, and none has a value.
    pub fn is_blank(&self, name: &str) -> bool {
        let mut values = self
            .layers
            .iter()
            .filter_map(|layer| layer.get(name))
            .peekable();
        values.peek().is_some() && values.all(|value| value.trim().is_empty())
    }

    /// Notes what is wrong with a setting.
    pub fn problem(&mut self, name: &str, says: impl Into<String>) {
        self.problems.push(Problem {
            variable: variable(name),
            says: says.into(),
        });
    }

    fn file(&mut self, path: &Path) -> Named {
        let mut named = Named::new();
        if !path.exists() {
            return named;
        }
        let values = match Toml::file_exact(path).data() {
            Ok(profiles) => profiles.into_values().next().unwrap_or_default(),
            Err(error) => {
                // The lines after the first quote the file, which may hold a secret.
                let error = error.to_string();
                let place = error.lines().next().unwrap_or_default();
                let says = format!("it cannot be read: {place}");
                self.problems.push(in_file(says));
                return named;
            }
        };
        for (name, value) in values {
            if !is_known(&name) {
                self.problems.push(in_file(format!(
                    "`{name}` is no setting; mend or remove the line"
                )));
            } else if let Some(text) = text(&value) {
                named.insert(name, Zeroizing::new(text));
            } else {
                self.problems.push(in_file(format!(
                    "`{name}` must be a text, a number, true or false, or a list of texts"
                )));
            }
        }
        if named.contains_key("master_key")
            && std::fs::metadata(path).is_ok_and(|file| private::is_open_to_others(&file))
        {
            let says = "it holds a master key and others can read it; run `chmod 600` on it";
            self.problems.push(in_file(says.to_owned()));
        }
        named
    }
}

/// `listen` is `MLC_LISTEN`.
pub(super) fn variable(name: &str) -> String {
    format!("{PREFIX}{}", name.to_uppercase())
}

fn is_known(name: &str) -> bool {
    NAMES.contains(&name)
}

fn in_file(says: String) -> Problem {
    Problem {
        variable: FILE.to_owned(),
        says,
    }
}

/// A value of the file as the environment would have it: lists are separated by commas.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(_, text) => Some(text.clone()),
        Value::Bool(_, yes) => Some(yes.to_string()),
        Value::Num(_, number) => number
            .to_i128()
            .map(|whole| whole.to_string())
            .or_else(|| number.to_u128().map(|whole| whole.to_string())),
        Value::Array(_, items) => {
            let texts: Option<Vec<String>> = items.iter().map(text).collect();
            texts.map(|texts| texts.join(","))
        }
        Value::Char(..) | Value::Empty(..) | Value::Dict(..) => None,
    }
}
