//! Moves vendors, orders and invoices between Procore and an ERP: nothing lost, nothing written twice.
//!
#![doc = include_str!("ARCHITECTURE.md")]

pub mod app;
pub mod audit;
pub mod connectors;
pub mod contract;
pub mod desk;
pub mod domain;
pub mod engine;
pub mod flows;
pub mod jobs;
pub mod pairs;
pub mod sandbox;
pub mod store;
pub mod vault;
pub mod web;
