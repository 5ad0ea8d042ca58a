//! Procore, simulated: the calls that reading vendors and commitments needs, and those that
//! change them, so that a test can play the people at the source.
//!
//! One port serves the login host and the API host. Written from `Procore REST API: facts for a
//! client, a simulator and a webhook receiver`, read 2026-11-22. Tokens are asked for with
//! [`CLIENT_ID`] and [`CLIENT_SECRET`]; the company is [`COMPANY_ID`].
//!
//! The control desk of [`super::kit`] is here with the switches of `settings.rs`, and the direct
//! changes of `command.rs` under `/_sandbox/procore/`.

mod access;
mod body;
mod budget;
mod code;
mod command;
mod company;
mod contract;
mod contract_view;
mod filter;
mod limits;
mod line;
mod page;
mod planting;
mod project;
mod reference;
mod refuse;
mod routes;
mod seed;
mod settings;
mod shape;
mod simulator;
mod sync;
mod vendor;
mod world;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;

pub use seed::{
    BLOCKED_VENDOR_ID, CLIENT_ID, CLIENT_SECRET, COMPANY_ID, COMPANY_NAME, COST_CODES, COST_TYPES,
    LOOK_ALIKE_VENDOR_IDS, PROJECT_IDS, SUB_JOB, UNMAPPED_COST_CODE, USER_ID, USER_LOGIN,
};
pub use simulator::{Options, start};
