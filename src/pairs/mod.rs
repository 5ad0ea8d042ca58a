//! One file per kind of pair: which flows, in which direction, who is master, with which defaults.

mod infor_m3_procore;

use crate::flows::PairDeclaration;

/// Every kind of pair.
pub static PAIRS: &[&PairDeclaration] = &[&infor_m3_procore::PAIR];
