//! Walking a chain and naming the first event that does not hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::canonical;
use super::event::{Event, Head};

/// What is wrong with the first event that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The chain should have an event of this number, and has not.
    Missing,
    /// An event of this number is already behind us.
    Extra,
    /// It does not go on from the event before.
    Unchained,
    /// Its own fields were changed.
    Changed,
    /// The actor's name or the details were changed.
    DetailChanged,
    /// It holds by itself, but another event was signed under this number.
    Rewritten,
    /// The chain holds up to here, but its end is not signed by this installation: what followed was cut
    /// off, or the chain was written anew.
    Unsigned,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "is missing",
            Self::Extra => "stands where it does not belong",
            Self::Unchained => "does not go on from the event before it",
            Self::Changed => "was changed",
            Self::DetailChanged => "has changed details",
            Self::Rewritten => "is not the event that was signed",
            Self::Unsigned => {
                "and what follows was cut off, or all before it written anew: the end is not signed"
            }
        })
    }
}

/// The first event that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("event {seq} {why}")]
pub struct Broken {
    pub seq: i64,
    pub why: Why,
}

/// A chain that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub head: Head,
    /// Events walked.
    pub events: u64,
    /// Events of them whose details were erased: their digest stands, but nothing can be compared with it.
    pub erased: u64,
}

/// Verifies a chain event by event, so that a long one need not be in memory.
#[derive(Debug)]
pub struct Verifier {
    /// What was signed under each number. Two hashes under one number cannot both hold.
    signed: BTreeMap<i64, BTreeSet<String>>,
    reached: Verified,
}

impl Verifier {
    /// Goes on from `after` ([`Head::start`] for a whole chain). The chain must go through every signed
    /// head: this is what shows a cut-off end, and a chain that was written anew.
    #[must_use]
    pub fn after(after: Head, signed: impl IntoIterator<Item = Head>) -> Self {
        let mut by_seq: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
        for head in signed {
            by_seq.entry(head.seq).or_default().insert(head.hash);
        }
        let reached = Verified {
            head: after,
            events: 0,
            erased: 0,
        };
        Self {
            signed: by_seq,
            reached,
        }
    }

    /// How far it has come.
    #[must_use]
    pub fn reached(&self) -> &Verified {
        &self.reached
    }

    /// Takes the next event, in order of `seq`.
    ///
    /// # Errors
    /// Where the chain breaks. What follows says nothing.
    pub fn take(&mut self, event: &Event) -> Result<(), Broken> {
        let expected = self.reached.head.seq.saturating_add(1);
        if event.seq > expected {
            return Err(broken(expected, Why::Missing));
        }
        let why = if event.seq < expected {
            Some(Why::Extra)
        } else if event.prev_hash != self.reached.head.hash {
            Some(Why::Unchained)
        } else if event.hash != canonical::hash(event) {
            Some(Why::Changed)
        } else if is_detail_changed(event) {
            Some(Why::DetailChanged)
        } else if self.is_signed_otherwise(event) {
            Some(Why::Rewritten)
        } else {
            None
        };
        if let Some(why) = why {
            return Err(broken(event.seq, why));
        }
        self.reached.head = Head {
            seq: event.seq,
            hash: event.hash.clone(),
        };
        self.reached.events = self.reached.events.saturating_add(1);
        if event.beside.is_none() {
            self.reached.erased = self.reached.erased.saturating_add(1);
        }
        Ok(())
    }

    /// After the last event.
    ///
    /// # Errors
    /// `Missing`, where the chain ends before the last signed head.
    pub fn finish(self) -> Result<Verified, Broken> {
        match self.signed.last_key_value() {
            Some((seq, _)) if *seq > self.reached.head.seq => Err(broken(
                self.reached.head.seq.saturating_add(1),
                Why::Missing,
            )),
            _ => Ok(self.reached),
        }
    }

    fn is_signed_otherwise(&self, event: &Event) -> bool {
        self.signed
            .get(&event.seq)
            .is_some_and(|hashes| hashes.iter().any(|hash| *hash != event.hash))
    }
}

/// Verifies a whole chain, in order of `seq`.
///
/// # Errors
/// Where the chain breaks, or that it ends before the signed head.
pub fn verify<'e>(
    events: impl IntoIterator<Item = &'e Event>,
    signed: Option<&Head>,
) -> Result<Verified, Broken> {
    let mut verifier = Verifier::after(Head::start(), signed.cloned());
    for event in events {
        verifier.take(event)?;
    }
    verifier.finish()
}

fn is_detail_changed(event: &Event) -> bool {
    event
        .beside
        .as_ref()
        .is_some_and(|beside| canonical::detail_hash(beside) != event.detail_hash)
}

fn broken(seq: i64, why: Why) -> Broken {
    Broken { seq, why }
}
