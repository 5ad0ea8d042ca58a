//! Every line of SQL. A row of a tenant is reached through a [`Scope`], and only through one.
//!
//! Work is done in *units*: a unit is a function that gets a scope, runs statements and nothing else,
//! and is committed with the audit events it told, or not at all. Units of all callers share commits
//! ([`writer`]). Reads that change nothing use a scope of their own ([`Store::read`]).

pub mod api_token;
pub mod audit;
pub mod body;
pub mod catalogue;
mod chain;
pub mod chore;
mod commit;
pub mod connection;
pub mod cursor;
pub mod data_key;
pub mod dry_run;
pub mod effect;
mod error;
pub mod exchange;
pub mod failure;
pub mod foreseen;
mod held;
pub mod hint;
pub mod idempotency;
mod kept;
pub mod key_rotation;
pub mod known_project;
pub mod link;
pub mod mapping;
pub mod member;
pub mod migrate;
pub mod node;
mod open;
pub mod outbox;
pub mod pair;
mod presence;
pub mod readback;
pub mod record;
mod rows;
pub mod run;
mod scope;
pub mod search;
pub mod session;
pub mod sweep;
pub mod tally;
pub mod threshold;
pub mod throttle;
pub mod vendor_token;
pub mod wait;
pub mod watch;
pub mod work;

pub use chain::HeadSigner;
pub use commit::Commits;
pub use error::StoreError;
pub use open::{Options, Store};
pub use presence::Presence;
pub use scope::Scope;
