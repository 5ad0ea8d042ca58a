//! One file per canonical record: on which key it is found, what it needs first, when it may leave.
//! Declarations and pure functions; a flow names no system.
