//! Canonical records: the narrow accounting model that both sides of a pair are translated to.
//!
//! A field enters when two systems understand it and a flow uses it; required means not `Option`;
//! codes are strings for ever.

pub mod cost_code;
pub mod order;
pub mod project;
pub mod vendor;

pub use cost_code::{Coding, CostCode};
pub use order::{Order, OrderKind, OrderLine};
pub use project::Project;
pub use vendor::{Address, Vendor};
