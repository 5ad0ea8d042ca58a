//! Seals and opens credentials. Nothing else holds a key.
