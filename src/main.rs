//! The program: everything is in the library, which tests can reach too.

use std::process::ExitCode;

fn main() -> ExitCode {
    // First of all: whatever opens a TLS connection later finds its cryptography installed. It is refused
    // only where it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    ml_connector::app::run()
}
