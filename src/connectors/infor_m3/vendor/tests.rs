//! Suppliers, mapped and met.
