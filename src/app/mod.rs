//! Wiring: configuration, telemetry, start and stop. The only room that sees every other; it decides nothing.

mod account;
mod boot;
pub mod cli;
pub mod config;
mod demo;
mod dispatch;
mod hardening;
pub mod keys;
mod private;
mod sandboxes;
pub mod telemetry;

pub use dispatch::run;
