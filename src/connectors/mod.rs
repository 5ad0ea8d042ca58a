//! One folder per external system. This file is the list.

pub mod infor_m3;
pub mod kit;
pub mod procore;

/// Hosts that vendors' own clouds live under, on https; the operator may add others.
pub const VENDOR_HOSTS: &[&str] = &[
    "procore.com",
    "procoregov.com",
    "inforcloudsuite.com",
    "ifs.cloud",
];
