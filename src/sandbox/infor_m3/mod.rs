//! A simulated Infor gateway with an M3 behind it: the calls that reading and writing suppliers
//! and purchase orders needs.
//!
//! One port serves the authorisation server and the gateway. Written from `Infor ION API Gateway +
//! M3 MI REST: facts for the connector and the simulator` and its field lists, read 2026-11-22.
//! [`ionapi()`] gives the file that lets a program in; the company is [`CONO`].
//!
//! The control desk of [`super::kit`] is here with the switches of `settings.rs`: versions that
//! answer, token life and log-in quotas, calls a minute, EXPORTMI and other programs withheld or
//! missing, the lag of the search index, the delay of batches, batch origins that stop, when codes
//! are looked up, custom fields. Direct changes are those of `command.rs`, under
//! `/_sandbox/infor_m3/`: a stopped batch is released there, a supplier blocked, an account made.

mod access;
mod ask;
mod batch;
mod catalog;
mod command;
mod envelope;
mod ionapi;
mod limits;
mod nok;
mod order;
mod planting;
mod programs;
mod request;
mod rules;
mod search;
mod seed;
mod settings;
mod shape;
mod simulator;
mod supplier;
mod transfer;
mod world;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;

pub use ionapi::{TENANT, ionapi};
pub use seed::{
    BATCH_ORIGIN, BLOCKED_SUPPLIER, BUYER, CLOSED_ITEM, COMPANY_NAME, CONO, CodeFacts, DIVI,
    FACILITY, LOCAL_CURRENCY, LOCKED_COST_CODE, LOOK_ALIKE_SUPPLIER, ORDER_TYPE,
    PRELIMINARY_TEMPLATE, ProjectFacts, REFUSED_UNIT, SUBCONTRACT_ORDER_TYPE, SUPPLIER_TEMPLATE,
    USER, WAITING_BATCH_ORIGIN, WAREHOUSE, codes, items, projects,
};
pub use simulator::{Options, start};
