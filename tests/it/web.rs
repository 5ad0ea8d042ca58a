//! The pages and the API over HTTP, as anybody outside meets them.

mod accounts;
mod api;
mod edge;
mod forms;
mod matrix;
mod records;
