//! One file per canonical record: on which key it is found, what it needs first, when it may leave.
//! Declarations and pure functions; a flow names no system.

mod cost_code;
pub mod declaration;
mod flow;
mod gate;
mod order;
mod vendor;

pub use cost_code::COST_CODE;
pub use declaration::{PairDeclaration, PairFlow, Policy, PolicyKind, RecordKind, Side, SideName};
pub use flow::{Afterwards, Facts, Flow, Linked, lane};
pub use gate::{Gate, Rules};
pub use order::ORDER;
pub use vendor::{VENDOR, twin_key};
