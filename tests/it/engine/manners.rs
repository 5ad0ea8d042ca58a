//! How a fake system misbehaves: call by call, as it was told, and well again afterwards.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ml_connector::contract::{Body, Call, Method, Request, Session};
use ml_connector::domain::fault::Fault;
use tokio::sync::Semaphore;
use url::Url;

/// What one call does instead of going well.
#[derive(Clone)]
pub enum Manner {
    /// Nothing happens, and it says so.
    Fails(Fault),
    /// It is done, and the answer is lost.
    LosesAnswer,
    /// It is never done, and no answer comes.
    LosesRequest,
    /// No answer comes; it is done this much later.
    DoesLate(Duration),
    /// The connector has a defect.
    Panics,
    /// The call is not sent before the gate is opened.
    WaitsFor(Gate),
    /// It is done, and the answer comes once the gate is opened.
    AnswersThrough(Gate),
}

/// Holds a call until it is opened, and tells when the call has come.
#[derive(Clone)]
pub struct Gate {
    come: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Gate {
    pub fn new() -> Self {
        Self {
            come: Arc::new(Semaphore::new(0)),
            open: Arc::new(Semaphore::new(0)),
        }
    }

    /// Waits until a call stands before the gate.
    pub async fn reached(&self) {
        self.come.acquire().await.unwrap().forget();
    }

    pub fn open(&self) {
        self.open.add_permits(1);
    }

    pub async fn pass(&self) {
        self.come.add_permits(1);
        self.open.acquire().await.unwrap().forget();
    }
}

/// Manners by operation, and every call that was made.
#[derive(Default)]
pub struct Manners {
    told: Mutex<BTreeMap<&'static str, VecDeque<Option<Manner>>>>,
    calls: Mutex<Vec<&'static str>>,
    /// Every call takes so long.
    pub slow: Mutex<Duration>,
}

impl Manners {
    /// The next call of an operation behaves so.
    pub fn will(&self, operation: &'static str, manner: Manner) {
        let mut told = self.told.lock().unwrap();
        told.entry(operation).or_default().push_back(Some(manner));
    }

    /// The next call of an operation goes well.
    pub fn goes_well(&self, operation: &'static str) {
        let mut told = self.told.lock().unwrap();
        told.entry(operation).or_default().push_back(None);
    }

    /// Whatever an operation was told is over: it goes well from now on.
    pub fn is_well_again(&self, operation: &str) {
        self.told.lock().unwrap().remove(operation);
    }

    /// How often an operation was called.
    pub fn calls(&self, operation: &str) -> usize {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|name| **name == operation).count()
    }

    pub fn forget_calls(&self) {
        self.calls.lock().unwrap().clear();
    }

    /// Makes the call: what it should do instead of going well, or the fault that it ends in.
    pub async fn call(
        &self,
        session: &Session,
        operation: &'static str,
        call: Call,
    ) -> Result<Option<Manner>, Fault> {
        let manner = {
            let mut told = self.told.lock().unwrap();
            told.get_mut(operation)
                .and_then(VecDeque::pop_front)
                .flatten()
        };
        if let Some(Manner::WaitsFor(gate)) = &manner {
            gate.pass().await;
        }
        session.send(request(operation, call)).await?;
        self.calls.lock().unwrap().push(operation);
        let slow = *self.slow.lock().unwrap();
        if !slow.is_zero() {
            tokio::time::sleep(slow).await;
        }
        match manner {
            Some(Manner::Fails(fault)) => Err(fault),
            Some(Manner::Panics) => panic!("{operation} was told to panic"),
            Some(Manner::WaitsFor(_)) => Ok(None),
            manner => Ok(manner),
        }
    }
}

fn request(operation: &'static str, call: Call) -> Request {
    Request {
        method: Method::Post,
        url: Url::parse("https://fake.example/").unwrap(),
        headers: Vec::new(),
        bearer: None,
        body: Body::Json(serde_json::json!({ "operation": operation })),
        call,
        timeout: Duration::from_secs(5),
        operation: operation.to_owned(),
        private: false,
    }
}

pub fn unreachable() -> Fault {
    Fault::Transient {
        code: "unreachable".into(),
        message: "nobody answers".into(),
    }
}

pub fn no_answer() -> Fault {
    Fault::Ambiguous {
        code: "no_answer".into(),
        message: "the connection broke before an answer came".into(),
    }
}

pub fn too_fast(seconds: u64) -> Fault {
    Fault::RateLimited {
        retry_after: Duration::from_secs(seconds),
        message: "too many calls".into(),
    }
}

pub fn refused() -> Fault {
    Fault::rejected("lines/1", "XPO0002", "the account is closed")
}

pub fn exists() -> Fault {
    Fault::Conflict {
        code: "exists".into(),
        message: "it exists already".into(),
    }
}
