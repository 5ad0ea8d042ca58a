//! A fake ERP: what it holds, in memory, and a ledger of everything it ever accepted.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use ml_connector::contract::{Call, Existing, Found, Progress, Repeat, Session};
use ml_connector::domain::clock::{Clock, Timestamp};
use ml_connector::domain::fault::Fault;
use ml_connector::domain::plan::{Candidate, Change};
use serde_json::Value;

use super::manners::{Gate, Manner, Manners, exists, no_answer};

/// What it holds.
#[derive(Debug, Clone)]
pub struct Doc {
    pub kind: &'static str,
    pub id: String,
    /// The natural key that it was made under; empty for what people keyed in.
    pub key: String,
    /// What the draft said.
    pub content: Value,
    pub lines: usize,
    pub at: Timestamp,
}

/// One accepted write.
#[derive(Debug, Clone)]
pub struct Entry {
    pub at: Timestamp,
    pub operation: &'static str,
    pub key: String,
}

/// How orders are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chain {
    /// One final step.
    One,
    /// Harmless steps, then a final one.
    Batch,
    /// Final steps only: a head, then line by line.
    Documents,
}

/// The system.
pub struct Books {
    pub manners: Manners,
    pub clock: Clock,
    pub chain: Mutex<Chain>,
    pub repeat: Mutex<Repeat>,
    /// Look-ups see what was made this long ago.
    pub search_lag: Mutex<Duration>,
    /// What was taken is there this much later; none is at once, and never is `None`.
    pub finish_takes: Mutex<Option<Duration>>,
    /// Vendors that no order may name for the time being.
    pub blocked: Mutex<Vec<String>>,
    shelves: Mutex<Shelves>,
}

#[derive(Default)]
struct Shelves {
    docs: BTreeMap<String, Doc>,
    /// Accepted, there later.
    late: Vec<(Timestamp, Doc)>,
    batches: BTreeMap<String, usize>,
    ledger: Vec<Entry>,
    undone: Vec<String>,
    number: u32,
}

impl Books {
    pub fn new(clock: Clock) -> Self {
        Self {
            manners: Manners::default(),
            clock,
            chain: Mutex::new(Chain::One),
            repeat: Mutex::new(Repeat::Lookup),
            search_lag: Mutex::default(),
            finish_takes: Mutex::new(Some(Duration::ZERO)),
            blocked: Mutex::default(),
            shelves: Mutex::default(),
        }
    }

    pub fn chain(&self) -> Chain {
        *self.chain.lock().unwrap()
    }

    pub fn is(&self, chain: Chain) {
        *self.chain.lock().unwrap() = chain;
    }

    pub fn repeats(&self, repeat: Repeat) {
        *self.repeat.lock().unwrap() = repeat;
    }

    fn with<T>(&self, take: impl FnOnce(&mut Shelves, Timestamp) -> T) -> T {
        let now = self.clock.now();
        let mut shelves = self.shelves.lock().unwrap();
        let (due, later) = shelves.late.drain(..).partition(|(at, _)| *at <= now);
        shelves.late = later;
        let due: Vec<(Timestamp, Doc)> = due;
        for (at, doc) in due {
            shelves.docs.insert(doc.id.clone(), Doc { at, ..doc });
        }
        take(&mut shelves, now)
    }

    pub fn docs(&self, kind: &str) -> Vec<Doc> {
        self.with(|shelves, _| {
            let docs = shelves.docs.values();
            docs.filter(|doc| doc.kind == kind).cloned().collect()
        })
    }

    pub fn doc(&self, id: &str) -> Option<Doc> {
        self.with(|shelves, _| shelves.docs.get(id).cloned())
    }

    /// What was made under a natural key.
    pub fn doc_of(&self, kind: &str, key: &str) -> Option<Doc> {
        let docs = self.docs(kind);
        docs.into_iter().find(|doc| doc.key == key)
    }

    pub fn ledger(&self) -> Vec<Entry> {
        self.with(|shelves, _| shelves.ledger.clone())
    }

    pub fn undone(&self) -> Vec<String> {
        self.with(|shelves, _| shelves.undone.clone())
    }

    /// A record is there twice, as if two workers had made it.
    pub fn double(&self, id: &str, twin: &str) {
        self.with(|shelves, _| {
            let mut doc = shelves.docs.get(id).cloned().expect("the record");
            doc.id = twin.into();
            shelves.docs.insert(twin.into(), doc);
        });
    }

    /// Somebody keys a record in by hand.
    pub fn key_in(&self, kind: &'static str, id: &str, content: Value) {
        self.with(|shelves, now| {
            let doc = Doc {
                kind,
                id: id.into(),
                key: String::new(),
                content,
                lines: usize::MAX,
                at: now,
            };
            shelves.docs.insert(id.into(), doc);
        });
    }

    /// A call that makes something: well, or as it was told to misbehave.
    pub async fn make(
        &self,
        session: &Session,
        (kind, operation): (&'static str, &'static str),
        key: &str,
        content: &Value,
    ) -> Result<String, Fault> {
        let manner = self.manners.call(session, operation, Call::Write).await?;
        let (manner, gate) = apart(manner);
        let enforced = *self.repeat.lock().unwrap() == Repeat::Enforced;
        let made = self.with(|shelves, now| {
            let is_there = |doc: &Doc| doc.kind == kind && doc.key == key;
            let mut late = shelves.late.iter().map(|(_, doc)| doc);
            if enforced && (shelves.docs.values().any(is_there) || late.any(is_there)) {
                return Err(exists());
            }
            if matches!(manner, Some(Manner::LosesRequest)) {
                return Err(no_answer());
            }
            shelves.number += 1;
            let doc = Doc {
                kind,
                id: format!("{}{}", kind.to_uppercase(), shelves.number),
                key: key.to_owned(),
                content: content.clone(),
                lines: 0,
                at: now,
            };
            shelves.ledger.push(Entry {
                at: now,
                operation,
                key: key.to_owned(),
            });
            let id = doc.id.clone();
            match manner {
                Some(Manner::DoesLate(wait)) => {
                    shelves.late.push((now.plus(wait), doc));
                    Err(no_answer())
                }
                Some(_) => {
                    shelves.docs.insert(id.clone(), doc);
                    Err(no_answer())
                }
                None => match *self.finish_takes.lock().unwrap() {
                    Some(Duration::ZERO) => {
                        shelves.docs.insert(id.clone(), doc);
                        Ok(id)
                    }
                    Some(wait) => {
                        shelves.late.push((now.plus(wait), doc));
                        Ok(id)
                    }
                    None => {
                        shelves.late.push((Timestamp(i64::MAX), doc));
                        Ok(id)
                    }
                },
            }
        });
        if let Some(gate) = gate {
            gate.pass().await;
        }
        made
    }

    /// A line of a document that is there already.
    pub async fn add_line(
        &self,
        session: &Session,
        operation: &'static str,
        id: &str,
    ) -> Result<(), Fault> {
        let manner = self.manners.call(session, operation, Call::Write).await?;
        let (manner, gate) = apart(manner);
        if matches!(manner, Some(Manner::LosesRequest)) {
            return Err(no_answer());
        }
        self.with(|shelves, now| {
            let doc = shelves.docs.get_mut(id).expect("the document is there");
            doc.lines += 1;
            let key = format!("{}/{}", doc.key, doc.lines);
            shelves.ledger.push(Entry {
                at: now,
                operation,
                key,
            });
        });
        if let Some(gate) = gate {
            gate.pass().await;
        }
        match manner {
            Some(_) => Err(no_answer()),
            None => Ok(()),
        }
    }

    /// An entry that moves nothing until it is finished.
    pub async fn open_batch(
        &self,
        session: &Session,
        operation: &'static str,
    ) -> Result<String, Fault> {
        let manner = self.manners.call(session, operation, Call::Write).await?;
        let (manner, gate) = apart(manner);
        let opened = self.with(|shelves, _| {
            shelves.number += 1;
            let batch = format!("B{}", shelves.number);
            shelves.batches.insert(batch.clone(), 0);
            match manner {
                Some(_) => Err(no_answer()),
                None => Ok(batch),
            }
        });
        if let Some(gate) = gate {
            gate.pass().await;
        }
        opened
    }

    pub async fn add_to_batch(
        &self,
        session: &Session,
        operation: &'static str,
        batch: &str,
    ) -> Result<(), Fault> {
        let manner = self.manners.call(session, operation, Call::Write).await?;
        let (manner, gate) = apart(manner);
        self.with(|shelves, _| {
            let lines = shelves.batches.get_mut(batch).expect("the batch is open");
            *lines += 1;
        });
        if let Some(gate) = gate {
            gate.pass().await;
        }
        match manner {
            Some(_) => Err(no_answer()),
            None => Ok(()),
        }
    }

    /// How many lines an open batch holds.
    pub fn lines_of_batch(&self, batch: &str) -> Option<usize> {
        self.with(|shelves, _| shelves.batches.get(batch).copied())
    }

    pub async fn undo(&self, session: &Session, at: &Progress) -> Result<(), Fault> {
        self.manners.call(session, "undo", Call::Write).await?;
        self.with(|shelves, _| {
            if let Some(batch) = at.key("batch") {
                shelves.batches.remove(batch);
                shelves.undone.push(batch.to_owned());
            }
        });
        Ok(())
    }

    /// What a search shows: by our key, then by a field that people would compare.
    pub async fn find(
        &self,
        (session, operation): (&Session, &'static str),
        (kind, key): (&'static str, &str),
        content: &Value,
        field: &'static str,
    ) -> Result<Found, Fault> {
        if self
            .manners
            .call(session, operation, Call::Read)
            .await?
            .is_some()
        {
            return Ok(Found::Unsure("the search could not run".into()));
        }
        let lag = *self.search_lag.lock().unwrap();
        let documents = self.chain() == Chain::Documents && kind == "order";
        Ok(self.with(|shelves, now| {
            let visible: Vec<&Doc> = shelves
                .docs
                .values()
                .filter(|doc| doc.kind == kind && doc.at.plus(lag) <= now)
                .collect();
            let mut ours = visible.iter().filter(|doc| doc.key == key);
            if ours.clone().count() > 1 {
                let candidate = |doc: &&Doc| Candidate {
                    target_id: doc.id.clone(),
                    matched_by: "write_tag".into(),
                    score: 100,
                    facts: Vec::new(),
                };
                return Found::Many(ours.map(candidate).collect());
            }
            if let Some(doc) = ours.next() {
                let wanted = content["lines"].as_array().map_or(0, Vec::len);
                let resume = (documents && doc.lines < wanted).then(|| {
                    Progress::start()
                        .then("line", doc.lines)
                        .with_key("id", &*doc.id)
                });
                return Found::One(Box::new(Existing {
                    target_id: doc.id.clone(),
                    matched_by: "write_tag",
                    is_ours: true,
                    resume,
                    differences: differences(&doc.content, content),
                }));
            }
            let plain = |value: &Value| value.as_str().unwrap_or("").to_lowercase();
            let alike: Vec<&&Doc> = visible
                .iter()
                .filter(|doc| plain(&doc.content[field]) == plain(&content[field]))
                .collect();
            match alike.as_slice() {
                [] => Found::None,
                [doc] => Found::One(Box::new(Existing {
                    target_id: doc.id.clone(),
                    matched_by: "name",
                    is_ours: false,
                    resume: None,
                    differences: differences(&doc.content, content),
                })),
                many => Found::Many(
                    many.iter()
                        .map(|doc| Candidate {
                            target_id: doc.id.clone(),
                            matched_by: "name".into(),
                            score: 50,
                            facts: vec![],
                        })
                        .collect(),
                ),
            }
        }))
    }

    /// Where a record differs from a draft.
    pub async fn compare(
        &self,
        (session, operation): (&Session, &'static str),
        id: &str,
        content: &Value,
    ) -> Result<Vec<Change>, Fault> {
        self.manners.call(session, operation, Call::Read).await?;
        match self.doc(id) {
            Some(doc) => Ok(differences(&doc.content, content)),
            None => Err(Fault::Missing {
                what: "target".into(),
                message: format!("there is no {id}"),
            }),
        }
    }
}

/// A manner, and the gate that the answer goes through.
fn apart(manner: Option<Manner>) -> (Option<Manner>, Option<Gate>) {
    match manner {
        Some(Manner::AnswersThrough(gate)) => (None, Some(gate)),
        manner => (manner, None),
    }
}

fn differences(held: &Value, wanted: &Value) -> Vec<Change> {
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    ["name", "number", "total", "lines"]
        .into_iter()
        .filter(|field| held[*field] != wanted[*field])
        .map(|field| Change {
            field: field.to_owned(),
            from: text(&held[field]),
            to: text(&wanted[field]),
            why: "source".into(),
        })
        .collect()
}
