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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use serde_json::{Value, json};
    use time::OffsetDateTime;

    use super::*;

    /// Counts what is posted to it.
    #[derive(Default)]
    struct Counter(u64);

    impl Simulator for Counter {
        fn answer(&mut self, call: &Call, _now: OffsetDateTime) -> Reply {
            if call.method == "POST" {
                self.0 += 1;
                return Reply::json(201, &json!({"count": self.0})).wrote(self.0);
            }
            Reply::json(200, &json!({"count": self.0}))
        }
        fn reset(&mut self) {
            self.0 = 0;
        }
        fn expire_tokens(&mut self) {}
        fn state(&self) -> Value {
            json!({"count": self.0})
        }
    }

    struct Bed {
        running: Running,
        client: reqwest::Client,
    }

    impl Bed {
        // The product's guarded client belongs to another room.
        #[allow(clippy::disallowed_methods)]
        fn start() -> Self {
            let _ = rustls::crypto::ring::default_provider().install_default();
            Self {
                running: serve(0, Counter::default()).unwrap(),
                client: reqwest::Client::builder().no_proxy().build().unwrap(),
            }
        }

        async fn post(&self, path: &str, body: Value) -> reqwest::Result<(u16, String)> {
            let url = format!("{}{path}", self.running.url());
            let sent = self.client.post(url).body(body.to_string()).send().await?;
            Ok((sent.status().as_u16(), sent.text().await?))
        }

        async fn get(&self, path: &str) -> Value {
            let url = format!("{}{path}", self.running.url());
            let text = self.client.get(url).send().await.unwrap().text().await;
            serde_json::from_str(&text.unwrap()).unwrap()
        }

        async fn fault(&self, fault: Value) {
            assert_eq!(self.post("/_sandbox/faults", fault).await.unwrap().0, 200);
        }

        async fn count(&self) -> Value {
            self.get("/").await["count"].clone()
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_dropped_connection_is_a_transport_error_applied_or_not() {
        let bed = Bed::start();
        bed.fault(json!({"kind": "reset_before", "match": {"method": "POST"}}))
            .await;
        let error = bed.post("/things", json!({"n": 1})).await.unwrap_err();
        assert!(error.is_request(), "{error:?}");
        assert_eq!(bed.count().await, 0);

        bed.fault(json!({"kind": "reset_after", "match": {"path": "/things"}}))
            .await;
        assert!(bed.post("/things", json!({"n": 2})).await.is_err());
        assert_eq!(bed.count().await, 1);
        assert_eq!(bed.post("/things", json!({"n": 3})).await.unwrap().0, 201);

        let ledger = bed.get("/_sandbox/ledger").await;
        assert_eq!(ledger["data"][0]["request"], json!({"n": 2}));
        assert_eq!(ledger["data"][1]["key"], "2");
        let state = bed.get("/_sandbox/state").await;
        assert_eq!(state["calls"]["POST /things"], 3);
        bed.running.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn bodies_are_spoiled_on_demand() {
        let bed = Bed::start();
        bed.fault(json!({"kind": "body", "body": "<h1>Maintenance</h1>"}))
            .await;
        let (status, text) = bed.post("/", json!({})).await.unwrap();
        assert_eq!((status, text.as_str()), (200, "<h1>Maintenance</h1>"));

        bed.fault(json!({"kind": "body", "body": "{\"count\":", "cut": true}))
            .await;
        let error = bed.post("/", json!({})).await.unwrap_err();
        assert!(error.is_body() || error.is_decode(), "{error:?}");

        bed.fault(json!({"kind": "body", "bytes": 52_428_800}))
            .await;
        assert_eq!(bed.post("/", json!({})).await.unwrap().1.len(), 52_428_800);

        bed.fault(json!({"kind": "body"})).await;
        assert_eq!(bed.post("/", json!({})).await.unwrap().1, "");
        assert_eq!(bed.count().await, 0);

        bed.fault(json!({"kind": "status", "status": 503, "retry_after": 7, "applied": true}))
            .await;
        assert_eq!(bed.post("/", json!({})).await.unwrap().0, 503);
        assert_eq!(bed.count().await, 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_late_answer_leaves_the_others_alone() {
        let bed = Bed::start();
        bed.fault(json!({"kind": "delay_after", "ms": 60_000, "match": {"method": "POST"}}))
            .await;
        let url = format!("{}/slow", bed.running.url());
        let slow = bed
            .client
            .post(url)
            .timeout(Duration::from_millis(300))
            .send();
        assert!(slow.await.unwrap_err().is_timeout());
        assert_eq!(bed.count().await, 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_mistyped_fault_is_refused_and_reset_forgets_all() {
        let bed = Bed::start();
        let typo = json!({"kind": "status", "statsu": 500});
        assert_eq!(bed.post("/_sandbox/faults", typo).await.unwrap().0, 422);
        bed.post("/", json!({})).await.unwrap();
        bed.fault(json!({"kind": "reset_before", "times": 0})).await;
        assert!(bed.post("/", json!({})).await.is_err());
        bed.post("/_sandbox/reset", json!({})).await.unwrap();
        assert_eq!(bed.count().await, 0);
        assert_eq!(bed.get("/_sandbox/ledger").await["data"], json!([]));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_taken_port_is_an_error_and_a_dropped_sandbox_frees_it() {
        let first = serve(0, Counter::default()).unwrap();
        let port = first.port();
        assert!(serve(port, Counter::default()).is_err());
        first.stop().await;
        assert!(serve(port, Counter::default()).is_ok());
    }
}
