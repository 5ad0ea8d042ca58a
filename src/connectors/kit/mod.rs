//! The shared transport: the guarded way out to the network, paces, limits on answers, paging, and the
//! rules by which an answer becomes a fault.
//!
//! Nothing else builds an HTTP client, so no call can go around the address rules of [`Rules`].

mod body;
mod guard;
mod network;
mod pace;
mod ranges;
mod reach;
mod resolver;
mod tls;
mod wire;

pub mod fault;
pub mod json;
pub mod paging;

#[cfg(test)]
mod bypasses;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests;

pub use guard::{HostRule, Rules};
pub use network::HttpNetwork;
