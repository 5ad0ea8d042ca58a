//! The engine against two fakes with memories and bad manners, on both databases, with a clock that is
//! moved by hand. What counts is the books: each record once, or visibly parked.

mod books;
mod manners;
mod road;
mod sites;
mod world;
mod writes;
