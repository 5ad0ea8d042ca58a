//! Every connector against its vendor's simulator, over real HTTP and through the guarded way out.

pub mod bed;
mod codes;
pub mod infor_m3;
pub mod procore;
