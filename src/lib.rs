//! ml-connector.

pub mod sandbox;
