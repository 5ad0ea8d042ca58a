//! Seals and opens credentials. Nothing else holds a key.
//!
//! A master key, kept outside the database, wraps one data key per tenant; data keys seal single fields.
//! Each sealed value names the key it needs, and opens only in the place it was sealed for: the tenant,
//! table, row and field are authenticated with it, so that a value moved elsewhere does not open. The
//! room also makes every random token, and hashes passwords. It stores nothing.

mod cipher;
mod data_key;
mod error;
mod guess;
mod mac;
mod master;
pub mod password;
mod place;
pub mod token;
mod weak;
mod wrap;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use data_key::{DataKey, Sealed};
pub use error::VaultError;
pub use mac::Purpose;
pub use master::{BadMasterKeys, MasterKeys};
pub use place::Place;
pub use wrap::{OtherKeys, Vault, WrappedKey};
