//! The server: its threads, its limits, and how it ends.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use tokio::task::JoinHandle;

use super::site::{Config, SharedSite, Site};
use super::{edge, routes};
use crate::desk::Desk;

const THREADS: usize = 2;
/// A request's head has to be here by then.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// An idle connection is closed after so long.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Connections of one thread; more wait in the system's own queue.
const CONNECTIONS_MAX: usize = 4_096;
const QUEUE_MAX: u32 = 1_024;
/// Requests under way may finish when the server is told to stop.
const LAST_WORDS_SECONDS: u64 = 5;

/// A server that answers.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    handle: ServerHandle,
    ended: JoinHandle<io::Result<()>>,
}

/// Listens and answers, on threads of its own. Call it inside the async runtime.
///
/// # Errors
/// The address is taken or not ours.
pub fn server(desk: Desk, config: Config) -> io::Result<Running> {
    let listener = TcpListener::bind(config.listen)?;
    let address = listener.local_addr()?;
    let site: SharedSite = Site::new(desk, config);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::new(SharedSite::clone(&site)))
            .wrap(from_fn(edge::around))
            .configure(routes::mount)
    })
    .workers(THREADS)
    .backlog(QUEUE_MAX)
    .max_connections(CONNECTIONS_MAX)
    .client_request_timeout(HEAD_WITHIN)
    .client_disconnect_timeout(Duration::from_secs(2))
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(LAST_WORDS_SECONDS)
    .disable_signals()
    .listen(listener)?
    .run();
    let handle = server.handle();
    Ok(Running {
        address,
        handle,
        ended: tokio::spawn(server),
    })
}

impl Running {
    /// Where it listens, with the port that was chosen when none was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, lets requests under way finish, and ends.
    pub async fn stop(self) {
        self.handle.stop(true).await;
        // Its own failure was logged; there is nothing left to stop.
        let _ = self.ended.await;
    }

    /// Waits until it has ended by itself, which it should not.
    ///
    /// # Errors
    /// Why it ended.
    pub async fn ended(&mut self) -> io::Result<()> {
        match (&mut self.ended).await {
            Ok(ended) => ended,
            Err(_) => Err(io::Error::other("the web server's task was lost")),
        }
    }
}
