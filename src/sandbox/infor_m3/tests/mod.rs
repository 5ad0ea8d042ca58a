//! The simulator over real HTTP, as a connector meets it.

mod bed;
mod doors;
mod lists;
mod orders;
mod shapes;
mod suppliers;
