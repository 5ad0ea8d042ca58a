//! A door between the program and a simulated system: it can be shut, swallow what comes, let half of it
//! through, and it remembers what was said.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How the door stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    Open,
    /// Requests whose head or body holds this text arrive cut in half, and no answer comes.
    Halves(&'static str),
    /// The same requests are swallowed whole.
    Swallows(&'static str),
}

struct Shared {
    to: SocketAddr,
    door: Mutex<Door>,
    heard: Mutex<Vec<u8>>,
    /// Requests that were halved or swallowed.
    kept: Mutex<usize>,
}

pub struct Gate {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: Option<JoinHandle<()>>,
}

impl Gate {
    pub async fn before(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            to,
            door: Mutex::new(Door::Open),
            heard: Mutex::default(),
            kept: Mutex::default(),
        });
        let serving = Some(tokio::spawn(serve(listener, Arc::clone(&shared))));
        Gate {
            address,
            shared,
            serving,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn set(&self, door: Door) {
        *self.shared.door.lock().unwrap() = door;
    }

    /// Requests that did not get through whole.
    pub fn kept(&self) -> usize {
        *self.shared.kept.lock().unwrap()
    }

    /// Everything that was sent to the system.
    pub fn heard(&self) -> String {
        String::from_utf8_lossy(&self.shared.heard.lock().unwrap()).into_owned()
    }

    /// Nobody listens any more: new connections are refused, and those that are open are cut.
    pub fn shut(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }

    /// Listens again at the same address.
    pub async fn open(&mut self) {
        let listener = TcpListener::bind(self.address)
            .await
            .expect("the same port again");
        self.serving = Some(tokio::spawn(serve(listener, Arc::clone(&self.shared))));
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    // Ends its connections with itself.
    let mut passing = tokio::task::JoinSet::new();
    loop {
        let (near, _) = listener.accept().await.expect("a connection");
        passing.spawn(pass(near, Arc::clone(&shared)));
    }
}

async fn pass(near: TcpStream, shared: Arc<Shared>) {
    let Ok(far) = TcpStream::connect(shared.to).await else {
        return;
    };
    let (mut near_in, mut near_out) = near.into_split();
    let (mut far_in, mut far_out) = far.into_split();
    let back = tokio::spawn(async move { tokio::io::copy(&mut far_in, &mut near_out).await });
    let mut block = vec![0; 64 * 1024];
    while let Ok(count) = near_in.read(&mut block).await {
        let part = &block[..count];
        if part.is_empty() {
            break;
        }
        shared.heard.lock().unwrap().extend_from_slice(part);
        let door = *shared.door.lock().unwrap();
        let sent = match door {
            Door::Halves(text) | Door::Swallows(text) if holds(part, text) => {
                *shared.kept.lock().unwrap() += 1;
                if door == Door::Halves(text) {
                    far_out.write_all(&part[..part.len() / 2]).await.ok();
                    far_out.flush().await.ok();
                }
                // The rest never comes, and neither does an answer.
                std::future::pending::<()>().await;
                Ok(())
            }
            _ => far_out.write_all(part).await,
        };
        if sent.is_err() {
            break;
        }
    }
    back.abort();
}

fn holds(part: &[u8], text: &str) -> bool {
    part.windows(text.len())
        .any(|window| window == text.as_bytes())
}
