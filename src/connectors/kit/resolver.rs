//! Looks names up and leaves out every address that may not be called. What is left is what is dialled.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::guard::Rules;

/// A name led only to addresses that may not be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no address of this host may be called")]
pub(super) struct Refused;

/// The resolver of every client.
#[derive(Debug, Clone)]
pub(super) struct Guarded {
    pub rules: Arc<Rules>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = Arc::clone(&self.rules);
        Box::pin(async move {
            // The client puts the URL's own port in place of this one.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses = admitted(&rules, found)?;
            let addresses: Addrs = Box::new(addresses.into_iter());
            Ok(addresses)
        })
    }
}

/// The addresses that may be dialled.
///
/// # Errors
/// When there are none.
pub(super) fn admitted(
    rules: &Rules,
    found: impl Iterator<Item = SocketAddr>,
) -> Result<Vec<SocketAddr>, Refused> {
    let addresses: Vec<SocketAddr> = found
        .filter(|address| rules.admits_address(address.ip()))
        .collect();
    if addresses.is_empty() {
        return Err(Refused);
    }
    Ok(addresses)
}
