//! The engine against two fakes with memories and bad manners, on both databases, with a clock that is
//! moved by hand. What counts is the books: each record once, or visibly parked.

mod approval;
mod books;
mod chain;
mod crash;
mod four_eyes;
mod joins;
mod lanes;
mod manners;
mod outage;
mod people;
mod rehearsal;
mod road;
mod runs;
mod sites;
mod unknown;
mod waiting;
mod world;
mod writes;
