//! What the tests stand on: databases, the real program, a browser, an API client. `app` alone knows
//! the product's insides.

pub mod app;
pub mod browser;
pub mod database;
pub mod http;
pub mod postgres;
pub mod process;
pub mod site;
pub mod watchdog;

/// A loopback port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port is free");
    listener
        .local_addr()
        .expect("a bound socket has an address")
        .port()
}
