//! One folder per external system. This file is the list.

pub mod infor_m3;
pub mod kit;
pub mod procore;

use crate::contract::Connector;

/// Every system, in the order in which forms offer them.
pub static ALL: &[&Connector] = &[&procore::CONNECTOR, &infor_m3::CONNECTOR];

/// Hosts that vendors' own clouds live under, on https; the operator may add others.
pub const VENDOR_HOSTS: &[&str] = &[
    "procore.com",
    "procoregov.com",
    "inforcloudsuite.com",
    "ifs.cloud",
];
