//! The batch in which orders are entered before M3 makes them.
//!
//! Source: PPS370 batch entry and PPS090 batch origins, read 2026-11-22: status 10 is entry in
//! progress, 20 finished, 23 with errors, 25 validated, 90 transferred.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;

use super::ask::Fields;
use super::order::Line;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Entering,
    Finished,
    Faulty,
    Validated,
    Transferred,
}

pub(super) struct Batch {
    pub number: String,
    pub origin: String,
    pub status: Status,
    /// By order number.
    pub heads: BTreeMap<String, Entered>,
    /// What M3 tells people, and no transaction.
    pub messages: Vec<String>,
}

/// One order of a batch.
#[derive(Default)]
pub(super) struct Entered {
    /// Its lines are for an order that is there already.
    pub is_existing: bool,
    pub fields: Fields,
    pub lines: BTreeMap<u32, Line>,
    pub texts: Vec<Fields>,
    pub addresses: Vec<Fields>,
}

/// All batches, the number series, and what is to be worked on when.
pub(super) struct Batches {
    by_number: BTreeMap<String, Batch>,
    waiting: BTreeSet<(OffsetDateTime, String)>,
    last_message: u64,
    last_order: u64,
}

impl Default for Batches {
    /// The series go on from the samples of the vendor's page.
    fn default() -> Self {
        Self {
            by_number: BTreeMap::new(),
            waiting: BTreeSet::new(),
            last_message: 12_344,
            last_order: 7_000_122,
        }
    }
}

impl Batches {
    pub(super) fn len(&self) -> usize {
        self.by_number.len()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Batch> {
        self.by_number.values()
    }

    pub(super) fn start(&mut self, origin: &str) -> String {
        self.last_message += 1;
        let number = format!("PE{:013}", self.last_message);
        let batch = Batch {
            number: number.clone(),
            origin: origin.to_owned(),
            status: Status::Entering,
            heads: BTreeMap::new(),
            messages: Vec::new(),
        };
        self.by_number.insert(number.clone(), batch);
        number
    }

    /// The next of the order series. A number that is not used is lost.
    pub(super) fn new_order_number(&mut self) -> String {
        self.last_order += 1;
        self.last_order.to_string()
    }

    pub(super) fn get(&self, number: &str) -> Option<&Batch> {
        self.by_number.get(number)
    }

    pub(super) fn get_mut(&mut self, number: &str) -> Option<&mut Batch> {
        self.by_number.get_mut(number)
    }

    pub(super) fn delete(&mut self, number: &str) {
        self.by_number.remove(number);
    }

    pub(super) fn work_later(&mut self, number: &str, at: OffsetDateTime) {
        self.waiting.insert((at, number.to_owned()));
    }

    /// A batch that is to be worked on by now.
    pub(super) fn due(&mut self, now: OffsetDateTime) -> Option<String> {
        let (at, _) = self.waiting.first()?;
        if *at > now {
            return None;
        }
        self.waiting.pop_first().map(|(_, number)| number)
    }
}

impl Status {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Entering => "10",
            Self::Finished => "20",
            Self::Faulty => "23",
            Self::Validated => "25",
            Self::Transferred => "90",
        }
    }
}
