//! Procore: vendors, commitments and projects are read from it.
