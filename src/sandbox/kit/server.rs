//! Puts a simulator on a loopback port, on a thread of its own.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::{Bytes, Data, PayloadConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

use super::bench::Bench;
use super::fault::{Fault, Kind};
use super::reply::drop_connection;
use super::{Call, Reply, Simulator};

/// Longer than any client keeps an idle connection, so that a closed one is always a fault.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
const REQUEST_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A simulator that answers. Stops when dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    handle: ServerHandle,
}

impl Running {
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// `http://127.0.0.1:port`, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops at once; open connections are cut.
    pub async fn stop(self) {
        self.handle.stop(false).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The order to stop is sent when the future is made; only its end would be awaited.
        drop(self.handle.stop(false));
    }
}

/// Starts `simulator` on `127.0.0.1:port`; port 0 takes any free one. Works inside and outside
/// of an async runtime.
///
/// # Errors
/// The port is taken, or no thread can be had.
pub fn serve<S: Simulator>(port: u16, simulator: S) -> io::Result<Running> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let address = listener.local_addr()?;
    let bench = Arc::new(Mutex::new(Bench::new(simulator)));
    let (started, start) = mpsc::channel();
    thread::Builder::new()
        .name(format!("sandbox-{}", address.port()))
        .spawn(move || {
            let system = actix_web::rt::System::new();
            let ended = system.block_on(async move {
                let server = listen(bench, listener)?;
                // Nobody is left to tell when the receiver is gone.
                let _ = started.send(server.handle());
                server.await
            });
            if let Err(error) = ended {
                tracing::error!(%error, "a sandbox ended");
            }
        })?;
    let handle = start
        .recv()
        .map_err(|_| io::Error::other("the sandbox did not start"))?;
    Ok(Running { address, handle })
}

type Shared<S> = Arc<Mutex<Bench<S>>>;

fn listen<S: Simulator>(
    bench: Shared<S>,
    listener: TcpListener,
) -> io::Result<actix_web::dev::Server> {
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::new(bench.clone()))
            .app_data(PayloadConfig::new(REQUEST_BYTES_MAX))
            .default_service(web::to(answer::<S>))
    });
    let server = server
        .workers(1)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(1)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}

async fn answer<S: Simulator>(
    bench: Data<Shared<S>>,
    request: HttpRequest,
    body: Bytes,
) -> HttpResponse {
    let call = Call::read(&request, body);
    if let Some(name) = call.path.strip_prefix("/_sandbox/") {
        return lock(&bench).control(name, &call).send();
    }
    let met = lock(&bench).meet(&call);
    match met {
        Some(fault) => suffer(&bench, &call, fault).await,
        None => lock(&bench).apply(&call).send(),
    }
}

async fn suffer<S: Simulator>(bench: &Shared<S>, call: &Call, fault: Fault) -> HttpResponse {
    let pause = Duration::from_millis(fault.ms);
    match fault.kind {
        Kind::Delay => {
            actix_web::rt::time::sleep(pause).await;
            lock(bench).apply(call).send()
        }
        Kind::DelayAfter => {
            let reply = lock(bench).apply(call);
            actix_web::rt::time::sleep(pause).await;
            reply.send()
        }
        Kind::ResetBefore => drop_connection(),
        Kind::ResetAfter => {
            lock(bench).apply(call);
            drop_connection()
        }
        Kind::ExpireToken => {
            let mut bench = lock(bench);
            bench.expire_tokens();
            bench.apply(call).send()
        }
        Kind::Throttle => lock(bench).throttled(fault.retry_after.unwrap_or(1)).send(),
        Kind::Status | Kind::Body => {
            let mut bench = lock(bench);
            if fault.applied {
                bench.apply(call);
            }
            let own = bench.refusal(fault.status.unwrap_or(500));
            drop(bench);
            send_faulty(&fault, own)
        }
    }
}

/// The answer of a `status` or `body` fault; `own` is the vendor's, used when none is given.
fn send_faulty(fault: &Fault, own: Reply) -> HttpResponse {
    let mut reply = match (&fault.body, fault.kind) {
        (Some(body), Kind::Status) => given(fault, body, 500),
        (Some(body), _) => given(fault, body, 200),
        (None, Kind::Status) => own,
        (None, _) => given(fault, &serde_json::Value::from(""), 200),
    };
    if let Some(seconds) = fault.retry_after {
        reply = reply.header("Retry-After", &seconds.to_string());
    }
    match fault.bytes {
        Some(length) => reply.send_padding(length),
        None if fault.cut => reply.send_cut(),
        None => reply.send(),
    }
}

fn given(fault: &Fault, body: &serde_json::Value, usual: u16) -> Reply {
    let text = body
        .as_str()
        .map_or_else(|| body.to_string(), str::to_owned);
    let usual_type = if text.trim_start().starts_with('<') {
        "text/html; charset=utf-8"
    } else {
        "application/json; charset=utf-8"
    };
    let content_type = fault.content_type.as_deref().unwrap_or(usual_type);
    Reply::text(fault.status.unwrap_or(usual), content_type, text)
}

/// A simulator that panicked under the lock is still looked at: its state is what tests need.
fn lock<S>(bench: &Mutex<Bench<S>>) -> MutexGuard<'_, Bench<S>> {
    bench.lock().unwrap_or_else(PoisonError::into_inner)
}
