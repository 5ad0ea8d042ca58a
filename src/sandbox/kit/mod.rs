//! What every simulator is made of: a server, a ledger, faults on demand and a clock that moves.
//!
//! A simulator is a plain value that implements [`Simulator`]: one synchronous function from a
//! [`Call`] to a [`Reply`], without sockets. [`serve`] puts it on a loopback port. All its state
//! sits behind one lock, so calls are applied one at a time and the ledger has one order.
//!
//! The control desk, the same for every simulator; bodies and answers are JSON:
//!
//! | call | does |
//! | --- | --- |
//! | `GET /_sandbox/ledger` | `{"data":[…]}`: every accepted write in order |
//! | `GET /_sandbox/state` | the clock, calls counted by route, and what the simulator holds |
//! | `POST /_sandbox/faults` | arms a [`Fault`]; `GET` lists the armed ones, `DELETE` disarms all |
//! | `POST /_sandbox/clock` | `{"advance_seconds":n}`, `{"now":"RFC 3339"}`, `{"frozen":bool}`; `GET` reads it |
//! | `POST /_sandbox/settings` | changes the simulator's own switches; `GET` reads them |
//! | `POST /_sandbox/reset` | back to the seed: objects, ledger, faults, clock, settings, counters |
//!
//! Other paths under `/_sandbox/` go to [`Simulator::command`].

mod bench;
mod call;
mod clock;
mod fault;
mod ledger;
mod random;
mod reply;
mod server;
mod simulator;

pub use call::Call;
pub use clock::Clock;
pub use fault::{Fault, Kind, Match};
pub use ledger::Entry;
pub use random::Random;
pub use reply::{Reply, Wrote};
pub use server::{Running, serve};
pub use simulator::{Operation, Simulator};
