//! The audit chain: canonical form, hashing, verifying. Pure: it stores nothing and knows no clock.
//!
//! Each event's hash covers its canonical form, which holds the hash of the event before: nothing can be
//! changed, removed, added or moved without breaking every later hash. The last hash, the head, is
//! signed and kept elsewhere too, so that a cut-off end shows. What may have to be forgotten (the actor's
//! name and the details) lies beside the chain, which holds only its salted digest: erased, the chain
//! still holds.

mod canonical;
mod chain;
mod event;
pub mod export;
pub mod heads;
mod table;
mod verify;
mod visible;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use chain::chain;
pub use event::{Beside, Event, Head, SALT_BYTES};
pub use verify::{Broken, Verified, Verifier, Why, verify};
pub use visible::{is_deceptive, visible};
