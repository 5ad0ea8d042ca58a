//! The connector against fixtures and against a wire that answers from a script.

mod auth;
mod client;
mod fixture;
mod order;
mod probe;
mod project;
mod script;
mod vendor;
