//! The only way out: requests and responses as plain data, sent by a [`Wire`] that guards every address.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use url::Url;

use crate::domain::clock::Timestamp;
use crate::domain::fault::{Fault, Issue};
use crate::domain::secret::Secret;

/// What a port gives back: a value or a fault, later.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

/// Verbs in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Whether a lost answer matters. The verb does not tell: some vendors write with GET.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Read,
    Write,
}

/// What travels.
#[derive(Debug)]
pub enum Body {
    None,
    Json(Value),
    Form(Vec<(String, String)>),
}

/// One request.
#[derive(Debug)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: Vec<(&'static str, String)>,
    pub bearer: Option<Secret<String>>,
    pub body: Body,
    pub call: Call,
    /// The call's whole deadline, body included.
    pub timeout: Duration,
    /// The operation as people of that vendor name it, for logs and trails.
    pub operation: String,
    /// True for log-ins: neither body nor answer may be recorded.
    pub private: bool,
}

/// One answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Decompressed and within the size limit.
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of a header; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    /// 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Sends requests of one connection: refuses addresses that are not allowed, follows no redirect,
/// limits answers, keeps the connection's pace, and never sends anything twice.
///
/// # Errors
/// `Transient` when nothing was sent or a read failed; `Ambiguous` when a write may have landed;
/// `RateLimited` when the pace forbids sending now; `Rejected` when the address is not allowed.
pub trait Wire: Send + Sync {
    fn send(&self, request: Request) -> Answer<'_, Response>;
}

/// What a vendor's answer says about how much may still be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Calls left until `resets_at`.
    pub remaining: u32,
    pub resets_at: Timestamp,
}

/// One connection's way out, as [`Network::wire`] is asked for it.
#[derive(Debug, Clone)]
pub struct Line {
    /// Calls of equal names share one pace: the connection's id, or whatever the vendor counts by.
    pub name: String,
    /// The only addresses (scheme, host, port) that calls may go to.
    pub addresses: Vec<String>,
    /// Calls a minute; 0 = no limit of our own.
    pub requests_per_minute: u32,
    /// Reads the vendor's own figures from an answer.
    pub allowance: fn(&Response, Timestamp) -> Option<Allowance>,
    /// A person is waiting: may use the call in ten that is kept free of background work.
    pub interactive: bool,
}

/// The network as the engine gets it: address rules, connection pools and every connection's pace.
pub trait Network: Send + Sync {
    /// Checks an address that a person entered; sends nothing.
    ///
    /// # Errors
    /// Why calls may not go there; the issue's field is left empty for the caller to fill.
    fn check_address(&self, address: &str) -> Result<Url, Issue>;

    /// The wire of one connection. Cheap: pools and paces outlive it.
    fn wire(&self, line: &Line) -> Arc<dyn Wire>;

    /// Whether `address` can be reached: looks up the name, applies the address rules, connects, and
    /// for https completes the handshake. The two halves are timed apart for the steps `address` and `tls`.
    fn reach<'a>(&'a self, address: &'a str) -> Answer<'a, Reached>;
}

/// How long it took to get to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// Name look-up and connection.
    pub connected_in: Duration,
    /// The TLS handshake; none on plain http.
    pub secured_in: Option<Duration>,
}
