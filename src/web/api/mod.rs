//! The JSON API. A handler is: the call, what it brought, one act, one view.

pub mod call;
pub mod given;
pub mod me;
pub mod tokens;
