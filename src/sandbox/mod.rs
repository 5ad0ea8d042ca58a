//! The vendor simulators: each answers on its own loopback port in its vendor's wire format.
//!
//! They stand in for the vendors in the demo, in the `sandbox` command and in tests. They are
//! written from the vendors' pages and share nothing with the connectors, so that a mistake in
//! one is seen by the other. Beside the vendor's paths each has a control desk under
//! `/_sandbox/`, described in [`kit`].

pub mod infor_m3;
pub mod kit;
pub mod procore;
