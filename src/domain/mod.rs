//! True without a network: the words of the product as plain data and pure functions.
//!
//! No I/O, no framework, no system of any vendor. Everything above this room speaks in these types.

pub mod audit;
pub mod catalogue;
pub mod clock;
pub mod connection;
pub mod csv;
pub mod delivery;
pub mod fault;
pub mod form;
pub mod holding;
pub mod ids;
pub mod link;
pub mod mapping;
pub mod member;
pub mod money;
pub mod name;
pub mod pair;
pub mod plan;
pub mod quantity;
pub mod record;
pub mod records;
pub mod run;
pub mod schedule;
pub mod secret;
pub mod suggest;
pub mod system;
pub mod table_text;
pub mod tag;
pub mod throttle;
pub mod token;
