//! Every line of SQL. A row of a tenant is reached through a [`Scope`], and only through one.
//!
//! Work is done in *units*: a unit is a function that gets a scope, runs statements and nothing else,
//! and is committed with the audit events it told, or not at all. Units of all callers share commits
//! ([`writer`]). Reads that change nothing use a scope of their own ([`Store::read`]).

pub mod audit;
mod commit;
mod error;
mod open;
pub mod outbox;
mod scope;
pub mod threshold;

pub mod body;
pub mod effect;
pub mod exchange;
pub mod hint;
pub mod link;
pub mod migrate;
pub mod record;
mod rows;
pub mod run;
pub mod wait;
pub mod work;

pub use error::StoreError;
pub use open::{Options, Store};
pub use scope::Scope;
