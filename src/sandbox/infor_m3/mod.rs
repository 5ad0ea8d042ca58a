//! A simulated Infor gateway with an M3 behind it: the calls that reading and writing suppliers
//! and purchase orders needs.
//!
//! One port serves the authorisation server and the gateway. Written from `Infor ION API Gateway +
//! M3 MI REST: facts for the connector and the simulator` and its field lists, read 2026-11-22.
//! [`ionapi()`] gives the file that lets a program in; the company is [`CONO`].
//!
//! The control desk of [`super::kit`] is here. Direct changes are those of `command.rs`, under
//! `/_sandbox/infor_m3/`: a stopped batch is released there, a supplier blocked, an account or an
//! item made. The switches of `/_sandbox/settings`, with what they are at the start:
//!
//! | switch | start | does |
//! | --- | --- | --- |
//! | `v1`, `v2` | true | the version of the REST interface answers; else 404 |
//! | `v2_errors_in_200` | false | a refused single call of v2 is HTTP 200, not 400 |
//! | `padded`, `decimal_comma` | false | values padded to their width; numbers with a comma |
//! | `token_seconds` | 7200 | how long a token lives |
//! | `refresh_tokens` | false | refresh tokens are given and taken |
//! | `logins_per_minute`, `logins_per_day`, `tokens_per_day` | 20, 1000, 100 | more are 429; 0 = any |
//! | `calls_per_minute` | 0 | more are 429; 0 = any |
//! | `retry_after_on_429` | false | a 429 says how long to wait |
//! | `exportmi` | true | `EXPORTMI` may be used |
//! | `withheld`, `withheld_status` | none, 403 | programs or `PROGRAM/Transaction`s not authorised |
//! | `missing` | none | the same, not there at all |
//! | `search_lag_seconds` | 10 | until the search transactions find what was written |
//! | `batch_delay_seconds` | 2 | between FinishEntry and the order |
//! | `batch_origins` | `{"PROCORE":2,"REVIEW":1}` | 2 makes orders, 1 stops at status 20 |
//! | `strict_entry` | true | AddHead and AddLine refuse unknown codes at once; else the batch does |
//! | `custom_fields` | none | files that `CUSEXTMI` may extend |

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
    ABSENT_CODE, BATCH_ORIGIN, BLOCKED_SUPPLIER, BUYER, CLOSED_ITEM, COMPANY_NAME, CONO, CodeFacts,
    DIVI, FACILITY, LOCAL_CURRENCY, LOCKED_COST_CODE, LOOK_ALIKE_SUPPLIER, ORDER_TYPE,
    PRELIMINARY_TEMPLATE, ProjectFacts, REFUSED_UNIT, SUBCONTRACT_ORDER_TYPE, SUPPLIER_TEMPLATE,
    USER, WAITING_BATCH_ORIGIN, WAREHOUSE, codes, items, projects,
};
pub use simulator::{Options, start};
