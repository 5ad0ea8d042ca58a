//! What a simulator answers, and how it leaves the server.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use futures::{StreamExt, stream};
use serde_json::Value;

/// An accepted write, as the ledger is told of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wrote {
    /// The key of what the write made or changed.
    pub key: String,
    /// The part of the request that made it, when one call writes several; else the whole body.
    pub request: Option<Value>,
    /// What the vendor calls the write, when the path does not say it.
    pub operation: Option<String>,
}

/// Status, headers and body, and which writes were accepted.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    pub wrote: Vec<Wrote>,
}

impl Reply {
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json; charset=utf-8", body.to_string())
    }

    #[must_use]
    pub fn text(status: u16, content_type: &str, body: String) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body: Bytes::from(body),
            wrote: Vec::new(),
        }
    }

    /// No body at all.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The call was a write and it was accepted; `key` names what it made or changed.
    #[must_use]
    pub fn wrote(self, key: impl ToString) -> Self {
        self.wrote_part(Wrote {
            key: key.to_string(),
            ..Wrote::default()
        })
    }

    /// One of several writes in one call.
    #[must_use]
    pub fn wrote_part(mut self, wrote: Wrote) -> Self {
        self.wrote.push(wrote);
        self
    }

    fn head(&self) -> actix_web::HttpResponseBuilder {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        for (name, value) in &self.headers {
            response.append_header((name.as_str(), value.as_str()));
        }
        response
    }

    pub(super) fn send(self) -> HttpResponse {
        self.head().body(self.body)
    }

    /// Announces twice the length, sends the body once and drops the connection.
    pub(super) fn send_cut(self) -> HttpResponse {
        let announced = u64::try_from(self.body.len())
            .unwrap_or(u64::MAX / 2)
            .saturating_mul(2)
            .max(2);
        let mut head = self.head();
        let body = stream::iter([Ok(self.body)]).chain(stream::once(async {
            // The part already given must leave the socket before the connection ends.
            actix_web::rt::time::sleep(Duration::from_millis(50)).await;
            Err(dropped())
        }));
        head.body(SizedStream::new(announced, body))
    }

    /// The status and headers, then `length` bytes of blanks.
    pub(super) fn send_padding(self, length: u64) -> HttpResponse {
        const CHUNK: u64 = 64 * 1024;
        let blanks = Bytes::from(" ".repeat(64 * 1024));
        let chunks = stream::unfold(length, move |left| {
            let size = left.min(CHUNK);
            let chunk = blanks.slice(..usize::try_from(size).unwrap_or_default());
            async move { (left > 0).then(|| (Ok::<_, Infallible>(chunk), left - size)) }
        });
        self.head().body(SizedStream::new(length, chunks))
    }
}

/// Ends the connection without one byte of an answer: the server meets the body's error before
/// it has flushed the head, and gives the socket up.
pub(super) fn drop_connection() -> HttpResponse {
    let body = stream::iter([Err::<Bytes, _>(dropped())]);
    HttpResponse::Ok().body(SizedStream::new(1, body))
}

fn dropped() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "dropped by the sandbox")
}
