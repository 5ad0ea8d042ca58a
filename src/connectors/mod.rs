//! One folder per external system. This file is the list.

pub mod infor_m3;
pub mod kit;
pub mod procore;
