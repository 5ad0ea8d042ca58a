//! The program: everything is in the library, which tests can reach too.

use std::process::ExitCode;

/// A third of the time of a busy node was spent in the system's allocator (`scripts/bench`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // First of all: whatever opens a TLS connection later finds its cryptography installed. It is refused
    // only where it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    ml_connector::app::run()
}
