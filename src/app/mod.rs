//! Wiring: configuration, telemetry, start and stop. The only room that sees every other; it decides nothing.

pub mod cli;
pub mod config;
mod dispatch;
mod hardening;
pub mod keys;
mod private;
pub mod telemetry;

pub use dispatch::run;
