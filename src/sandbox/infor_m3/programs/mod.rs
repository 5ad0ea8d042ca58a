//! The programs: what each transaction reads and writes, by what it is about.

mod account;
mod address;
mod custom;
mod email;
mod entry;
mod export;
mod export_query;
mod general;
mod item;
mod order;
mod order_change;
mod reference;
mod repository;
mod routes;
mod supplier;

pub(super) use routes::answer;
