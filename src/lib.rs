//! Moves vendors, orders and invoices between Procore and an ERP: nothing lost, nothing written twice.

pub mod contract;
pub mod domain;
pub mod sandbox;
