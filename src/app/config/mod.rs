//! Every setting, read once: flags before the environment (`MLC_*`) before `ml-connector.toml` before the
//! defaults. All problems are reported together, each with the name of its variable and what to do.
//!
//! A secret has no default and no flag: a command line is seen by everybody on the machine.

mod layers;
mod parse;
mod problem;
mod read;
mod settings;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use layers::{FILE, Flags};
pub use problem::{Problem, Problems};
pub use read::{Setup, read};
pub use settings::{
    Config, KeySource, Log, LogFormat, Mail, Server, Storage, Telemetry, VendorRules, Work,
};
