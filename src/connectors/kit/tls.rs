//! TLS as every call uses it: rustls with ring, certificates checked against the machine's own list.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// One configuration for all clients.
///
/// On a machine without any list of authorities every https call is refused, and plain http to the
/// demonstration's own sandboxes goes on working.
///
/// # Errors
/// When the provider offers no protocol version, which its own build decides.
pub(super) fn config() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = || {
        ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
    };
    match builder()?.with_platform_verifier() {
        Ok(ready) => Ok(ready.with_no_client_auth()),
        Err(error) => {
            tracing::warn!(%error, "no certificate authorities were found: https will be refused");
            Ok(builder()?
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth())
        }
    }
}
