//! The JSON API. A handler is: the call, what it brought, one act, one view.

pub mod call;
pub mod changes;
pub mod connections;
pub mod failures;
pub mod given;
pub mod links;
pub mod made;
pub mod mappings;
pub mod me;
pub mod pairs;
pub mod records;
pub mod runs;
pub mod suggestions;
pub mod tokens;
pub mod trail;
