//! The audit chain: canonical form, hashing, verifying, exporting. Pure: it stores nothing.
