//! The engine against two fakes with memories and bad manners, on both databases, with a clock that is
//! moved by hand. What counts is the books: each record once, or visibly parked.

#[allow(dead_code, reason = "a kit for tests that come and go")]
mod books;
#[allow(dead_code, reason = "a kit for tests that come and go")]
mod manners;
mod road;
#[allow(dead_code, reason = "a kit for tests that come and go")]
mod sites;
#[allow(dead_code, reason = "a kit for tests that come and go")]
mod world;
mod writes;
