//! Infor CloudSuite M3, through the ION API gateway and the MI programs.
//!
//! Read: "Infor ION API Gateway and M3 MI REST facts" with its program lists and examples, 2026-11-22.

mod accept;
mod answer;
mod auth;
mod changed;
mod client;
mod code;
mod dimension;
mod export;
mod fault;
mod form;
mod ionapi;
mod lookup;
mod number;
mod offers;
mod order;
mod probe;
mod reply;
mod vendor;
mod verify;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests;

use crate::contract::{Connector, Port, Ports};
use crate::domain::system::SystemId;

/// Calls a minute that the gateway is assumed to allow. Source: the brief's 100-500 a minute, by
/// Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (gateway limits).
const REQUESTS_PER_MINUTE: u32 = 100;

/// The system.
pub static CONNECTOR: Connector = Connector {
    system: SystemId::new("infor_m3"),
    title: "Infor CloudSuite M3",
    form: form::FORM,
    accept: accept::accept,
    addresses: accept::addresses,
    place: accept::place,
    requests_per_minute: |settings| {
        settings
            .number("requests_per_minute")
            .unwrap_or(REQUESTS_PER_MINUTE)
    },
    // No rate figures are documented in answers; 429 and Retry-After are obeyed by the wire.
    allowance: |_, _| None,
    logs_in: &auth::PasswordGrant,
    probes: &probe::Connection,
    verifies: Some(&verify::Codes),
    hooks: None,
    offers: Some(&offers::MasterData),
    ports: Ports {
        vendor: Port::target(&vendor::Suppliers).watched(&vendor::Suppliers),
        cost_code: Port::target(&code::Accounts),
        order: Port::target(&order::PurchaseOrders).watched(&order::PurchaseOrders),
        ..Ports::CLOSED
    },
};
