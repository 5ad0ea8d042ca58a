//! The real program is killed, cut off and lied to; afterwards the simulated vendors' books, its own
//! records and its trail must tell the same story. Everything goes through the command line and the JSON
//! API, as it would from outside.

mod books;
mod campaign;
mod faults;
mod gate;
mod kills;
mod lock;
mod pace;
mod plant;
mod rotation;
mod secrets;
mod stops;
mod trail;
