//! The shared transport: the guarded way out to the network, paces, paging and redaction.
