//! Wiring: configuration, telemetry, start and stop. The only room that sees every other; it decides nothing.

mod account;
mod audit;
mod boot;
pub mod cli;
pub mod config;
mod demo;
mod dispatch;
mod hardening;
mod heads;
pub mod keys;
mod nodes;
mod private;
mod rotate;
mod sandboxes;
pub mod telemetry;

pub use dispatch::run;
