//! Infor CloudSuite M3: suppliers and purchase orders are written to it.
