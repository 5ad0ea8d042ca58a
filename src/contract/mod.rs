//! What the engine may ask of any system: to list, to read, to write, to be tested.
//!
//! A connector is stateless: it gets a [`Session`], talks through its wire, and returns data or a
//! [`Fault`](crate::domain::fault::Fault). It keeps nothing, waits for nothing and retries nothing:
//! deciding is the engine's work.
//!
//! *Capability is an open port.* What a connector does not list in its [`Ports`] is closed, and forms,
//! matrices and pages are computed from that.

mod connector;
mod draft;
mod hook;
mod port;
mod reading;
mod redact;
mod session;
mod watch;
mod wire;

pub use connector::{Connector, Credentials, FreshToken, LogsIn, Offers, Probe, Probes, Verifies};
pub use draft::{
    Amendment, Amends, Before, Draft, Existing, Found, Need, Progress, Refs, Repeat, Step, TOO_FAR,
    Upcoming, Weight, Written,
};
pub use hook::{Hooks, News, NotNews, Standing, Subject, Wanted};
pub use port::{
    Canonical, ListScope, Lists, Page, Port, Ports, Read, Reads, Seen, SourceKey, Writes,
};
pub use reading::{Looking, Looks, ReadSession};
pub use session::{Exchange, Facts, Session, Token, Tokens};
pub use watch::{Noticed, Watches};
pub use wire::{
    Allowance, Answer, Body, Call, Line, Method, Network, Reached, Request, Response, Wire,
};

pub use crate::domain::mapping::Verdict;
