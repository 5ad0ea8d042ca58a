//! Pages and the JSON API. A handler is: scope, parse, one call, answer.
//!
//! `routes.rs` lists every route with who may use it; `edge.rs` and `gate.rs` hold what is true for all
//! of them. Pages lie beside this file, one a resource; the API's resources lie in `api/`.

mod account;
pub mod api;
mod approvals;
mod assets;
mod audit;
mod body;
mod connections;
mod cookie;
mod cross_references;
mod dashboard;
pub mod doc;
mod edge;
mod events;
pub mod fields;
mod gate;
mod health;
mod id;
mod idempotency;
mod landing;
mod live;
mod mapping_file;
mod mappings;
mod names;
mod network;
mod openapi;
pub mod page;
mod paging;
mod pairs;
pub mod problem;
mod records;
mod report;
pub mod routes;
mod runs;
mod server;
mod sign_in;
mod sign_up;
mod site;
mod suggestions;
mod tokens;

pub use network::{Network, NotANetwork};
pub use openapi::openapi;
pub use server::{Running, server};
pub use site::{Config, Signup};
