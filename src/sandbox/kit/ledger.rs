//! Every write a simulator accepted, in order: what a test compares with what it wanted written.

use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::clock::rfc3339;
use super::{Call, Reply};

/// One accepted write.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Counts from 1 without gaps.
    pub sequence: usize,
    /// The sandbox's time, RFC 3339.
    pub at: String,
    pub method: String,
    pub path: String,
    /// Query parameters in the order given.
    pub query: Vec<(String, String)>,
    /// The vendor's name of the write, where the path does not say it.
    pub operation: Option<String>,
    pub request: Value,
    /// The key of what was made or changed.
    pub key: String,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: Vec<Entry>,
}

impl Ledger {
    pub(super) fn record(&mut self, call: &Call, reply: &Reply, now: OffsetDateTime) {
        for wrote in &reply.wrote {
            self.entries.push(Entry {
                sequence: self.entries.len() + 1,
                at: rfc3339(now),
                method: call.method.clone(),
                path: call.path.clone(),
                query: call.query.clone(),
                operation: wrote.operation.clone(),
                request: wrote.request.clone().unwrap_or_else(|| call.recorded()),
                key: wrote.key.clone(),
            });
        }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}
