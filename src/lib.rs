//! ml-connector.
