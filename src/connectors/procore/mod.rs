//! Procore: vendors, commitments and projects are read from it.
//!
//! Read for it: `Procore REST API: facts for a client, a simulator and a webhook receiver` with its OpenAPI
//! document and examples, 2026-11-22. Source only: nothing here writes.

mod accept;
mod auth;
mod budget;
mod client;
mod code;
mod code_text;
mod fault;
mod form;
mod listing;
mod lookup;
mod offers;
mod order;
mod order_line;
mod pace;
mod paging;
mod probe;
mod project;
mod reading;
mod tool;
mod vendor;
mod verify;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests;

use crate::contract::{Connector, Port, Ports};
use crate::domain::system::SystemId;

/// Procore, as the list of connectors names it.
pub static CONNECTOR: Connector = Connector {
    system: SystemId::new("procore"),
    title: "Procore",
    form: form::FORM,
    accept: accept::accept,
    addresses: accept::addresses,
    place: accept::place,
    // The vendor's own headers say how much is left; its figures differ by contract.
    requests_per_minute: |_| 0,
    allowance: pace::allowance,
    logs_in: &auth::ClientCredentials,
    probes: &probe::Steps,
    verifies: Some(&verify::Keys),
    hooks: None,
    offers: Some(&offers::Codes),
    ports: Ports {
        project: Port::source(&project::Projects, &project::Projects),
        vendor: Port::source(&vendor::Vendors, &vendor::Vendors),
        cost_code: Port::source(&code::Codes, &code::Codes),
        order: Port::source(&order::Orders, &order::Orders),
    },
};
