//! An exported part of a chain: one unbroken range, an event a line, as JSON or as a table. It can be
//! verified by itself: each line holds what its hash is made of, the first line's `prev_hash` is where the
//! range begins, and the last line says how far the range goes and is signed.

use std::io::{self, BufRead};

use serde::{Deserialize, Serialize};

use super::canonical::Facts;
use super::event::{Beside, Event, Head, SALT_BYTES};
use super::table;
use super::verify::{Broken, Verified, Verifier, Why};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{RunId, TenantId};

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An object a line.
    JsonLines,
    /// A table with a head line.
    Csv,
}

/// Stands on the last line: what the whole range is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub tenant_id: TenantId,
    pub first_seq: i64,
    pub last_seq: i64,
    pub exported_at: Timestamp,
    /// Over [`End::signed_form`]; proves that this installation exported it.
    pub signature: String,
}

impl End {
    /// What is signed: the range, from the hash before it to the hash it ends with.
    #[must_use]
    pub fn signed_form(&self, prev_hash: &str, last_hash: &str) -> String {
        format!(
            "export {} {} {} {prev_hash} {last_hash}",
            self.tenant_id, self.first_seq, self.last_seq
        )
    }
}

#[derive(Serialize, Deserialize)]
struct Line {
    seq: i64,
    at: Timestamp,
    actor: Actor,
    action: String,
    subject: Subject,
    run_id: Option<RunId>,
    /// Null once erased, and so the salt and the actor's name.
    detail: Option<Facts>,
    salt: Option<String>,
    detail_hash: String,
    prev_hash: String,
    hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    export: Option<End>,
}

#[derive(Serialize, Deserialize)]
struct Actor {
    kind: String,
    id: String,
    name: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Subject {
    kind: String,
    id: String,
}

const COLUMNS: [&str; 15] = [
    "seq",
    "at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "action",
    "subject_kind",
    "subject_id",
    "run_id",
    "detail",
    "salt",
    "detail_hash",
    "prev_hash",
    "hash",
    "export",
];

impl Format {
    /// What stands before the first event.
    #[must_use]
    pub fn head(self) -> String {
        match self {
            Self::JsonLines => String::new(),
            Self::Csv => format!("{}\r\n", table::row(COLUMNS)),
        }
    }

    /// One event with its line end; the last one of the range says so.
    #[must_use]
    pub fn line(self, event: &Event, end: Option<&End>) -> String {
        let line = Line::of(event, end);
        match self {
            // Texts and numbers always have a JSON form.
            Self::JsonLines => {
                let text = serde_json::to_string(&line).unwrap_or_default();
                format!("{text}\n")
            }
            Self::Csv => format!("{}\r\n", line.row(event)),
        }
    }
}

impl Line {
    fn of(event: &Event, end: Option<&End>) -> Self {
        let beside = event.beside.as_ref();
        Self {
            seq: event.seq,
            at: event.at,
            actor: Actor {
                kind: event.actor_kind.clone(),
                id: event.actor_id.clone(),
                name: beside.map(|beside| beside.actor_name.clone()),
            },
            action: event.action.clone(),
            subject: Subject {
                kind: event.subject_kind.clone(),
                id: event.subject_id.clone(),
            },
            run_id: event.run_id,
            detail: beside.map(|beside| Facts(beside.facts())),
            salt: beside.map(|beside| data_encoding::HEXLOWER.encode(&beside.salt)),
            detail_hash: event.detail_hash.clone(),
            prev_hash: event.prev_hash.clone(),
            hash: event.hash.clone(),
            export: end.cloned(),
        }
    }

    fn row(&self, event: &Event) -> String {
        let end = self.export.as_ref();
        let end = end.and_then(|end| serde_json::to_string(end).ok());
        let run = self.run_id.map(|run| run.to_string());
        let detail = event.beside.as_ref().map(|beside| beside.detail.as_str());
        table::row([
            self.seq.to_string().as_str(),
            &self.at.to_string(),
            &self.actor.kind,
            &self.actor.id,
            self.actor.name.as_deref().unwrap_or_default(),
            &self.action,
            &self.subject.kind,
            &self.subject.id,
            run.as_deref().unwrap_or_default(),
            detail.unwrap_or_default(),
            self.salt.as_deref().unwrap_or_default(),
            &self.detail_hash,
            &self.prev_hash,
            &self.hash,
            end.as_deref().unwrap_or_default(),
        ])
    }

    fn from_row(line: &str) -> Option<Self> {
        let cells: [String; 15] = table::cells(line)?.try_into().ok()?;
        let [
            seq,
            at,
            actor_kind,
            actor_id,
            actor_name,
            action,
            subject_kind,
            subject_id,
            run,
            detail,
            salt,
            detail_hash,
            prev_hash,
            hash,
            end,
        ] = cells;
        let is_erased = salt.is_empty();
        Some(Self {
            seq: seq.parse().ok()?,
            at: at.parse().ok()?,
            actor: Actor {
                kind: actor_kind,
                id: actor_id,
                name: (!is_erased).then_some(actor_name),
            },
            action,
            subject: Subject {
                kind: subject_kind,
                id: subject_id,
            },
            run_id: given(&run, |run| run.parse().ok())?,
            detail: if is_erased {
                None
            } else {
                Some(serde_json::from_str(&detail).ok()?)
            },
            salt: (!is_erased).then_some(salt),
            detail_hash,
            prev_hash,
            hash,
            export: given(&end, |end| serde_json::from_str(end).ok())?,
        })
    }

    fn into_event(self) -> Option<(Event, Option<End>)> {
        let beside = match (self.detail, self.salt, self.actor.name) {
            (Some(detail), Some(salt), Some(actor_name)) => Some(Beside {
                salt: salt_of(&salt)?,
                actor_name,
                detail: detail.text(),
            }),
            (None, None, None) => None,
            _ => return None,
        };
        let event = Event {
            seq: self.seq,
            at: self.at,
            actor_kind: self.actor.kind,
            actor_id: self.actor.id,
            action: self.action,
            subject_kind: self.subject.kind,
            subject_id: self.subject.id,
            run_id: self.run_id,
            detail_hash: self.detail_hash,
            prev_hash: self.prev_hash,
            hash: self.hash,
            beside,
        };
        Some((event, self.export))
    }
}

/// None of an empty cell; else what it reads as, and nothing at all where it cannot be read.
fn given<T>(cell: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    if cell.is_empty() {
        Some(None)
    } else {
        read(cell).map(Some)
    }
}

fn salt_of(text: &str) -> Option<[u8; SALT_BYTES]> {
    let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?;
    bytes.try_into().ok()
}

/// A file that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    pub verified: Verified,
    pub end: End,
    /// What `end.signature` must be the signature of.
    pub signed_form: String,
}

/// Why a file does not hold.
#[derive(Debug, thiserror::Error)]
pub enum NotWhole {
    #[error("the file cannot be read")]
    Unreadable(#[from] io::Error),
    #[error("there is no event in the file")]
    Empty,
    #[error("event {seq} cannot be read: line {line} of the file is not one of ours")]
    Garbled { line: u64, seq: i64 },
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error(
        "event {seq} is missing: the file does not say that it ends here, so its end was cut off"
    )]
    CutOff { seq: i64 },
}

impl NotWhole {
    /// The first number that does not hold, where there is one.
    #[must_use]
    pub fn seq(&self) -> Option<i64> {
        match self {
            Self::Unreadable(_) | Self::Empty => None,
            Self::Garbled { seq, .. } | Self::CutOff { seq } => Some(*seq),
            Self::Broken(broken) => Some(broken.seq),
        }
    }
}

/// Verifies an exported file by itself, line by line.
///
/// # Errors
/// The first thing that does not hold.
pub fn verify(file: impl BufRead) -> Result<Exported, NotWhole> {
    let mut reading: Option<Reading> = None;
    let mut format = None;
    for (index, line) in file.lines().enumerate() {
        let line = line?;
        let line = line.trim_start_matches('\u{feff}').trim_end_matches('\r');
        if line.trim().is_empty() {
            continue;
        }
        let format = *format.get_or_insert(if line.starts_with('{') {
            Format::JsonLines
        } else {
            Format::Csv
        });
        if reading.is_none() && format == Format::Csv && line == table::row(COLUMNS) {
            continue;
        }
        let number = u64::try_from(index).unwrap_or(u64::MAX).saturating_add(1);
        let garbled = NotWhole::Garbled {
            line: number,
            seq: reading.as_ref().map_or(1, Reading::next),
        };
        let read = match format {
            Format::JsonLines => serde_json::from_str::<Line>(line).ok(),
            Format::Csv => Line::from_row(line),
        };
        let (event, end) = read.and_then(Line::into_event).ok_or(garbled)?;
        let reading = reading.get_or_insert_with(|| Reading::from(&event));
        reading.take(&event, end)?;
    }
    reading.ok_or(NotWhole::Empty)?.finish()
}

/// A file on its way.
struct Reading {
    verifier: Verifier,
    first_seq: i64,
    prev_hash: String,
    end: Option<End>,
}

impl Reading {
    /// A part begins where its first line says; a whole chain begins where every chain does.
    fn from(first: &Event) -> Self {
        let before = match first.seq {
            1 => Head::start(),
            seq => Head {
                seq: seq.saturating_sub(1),
                hash: first.prev_hash.clone(),
            },
        };
        Self {
            first_seq: first.seq,
            prev_hash: before.hash.clone(),
            verifier: Verifier::after(before, []),
            end: None,
        }
    }

    fn next(&self) -> i64 {
        self.verifier.reached().head.seq.saturating_add(1)
    }

    fn take(&mut self, event: &Event, end: Option<End>) -> Result<(), NotWhole> {
        if self.end.is_some() {
            let (seq, why) = (event.seq, Why::Extra);
            return Err(Broken { seq, why }.into());
        }
        self.verifier.take(event)?;
        self.end = end;
        Ok(())
    }

    fn finish(self) -> Result<Exported, NotWhole> {
        let next = self.next();
        let end = self.end.ok_or(NotWhole::CutOff { seq: next })?;
        let verified = self.verifier.finish()?;
        let why = Why::Missing;
        if end.first_seq != self.first_seq {
            let seq = end.first_seq;
            return Err(Broken { seq, why }.into());
        }
        if end.last_seq != verified.head.seq {
            return Err(Broken { seq: next, why }.into());
        }
        let signed_form = end.signed_form(&self.prev_hash, &verified.head.hash);
        Ok(Exported {
            verified,
            end,
            signed_form,
        })
    }
}
