//! The pages and the API over HTTP, as anybody outside meets them.

mod accounts;
mod api;
mod codes;
mod edge;
mod forms;
mod live;
mod matrix;
pub mod records;
mod tenants;
