//! The one test binary: every test that needs more than one file's own functions. One binary, because
//! each further one is another full link.

// Tests say what they expect and stop when it is not so; the rest of the house rules holds here too.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods
)]

mod browser;
mod chain;
mod connections;
mod connector;
mod crash;
mod engine;
mod isolation;
mod road;
mod store;
#[allow(dead_code, reason = "a kit for tests that come and go")]
mod support;
mod tidy;
mod vault;
mod web;
