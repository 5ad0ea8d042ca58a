//! What a call to the REST interface asks for, in either version and either form.
//!
//! Source: M3 API REST forms and parameters, read 2026-11-22: matrix parameters on the last part
//! of the path, most of them as query names too; one program and many transactions a bulk call.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::sandbox::kit::Call;

/// Rows of a list when nothing is said.
const MAX_RECORDS_USUAL: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Old,
    Single,
    Bulk,
}

/// One call: transactions of one program, and how they are to be answered.
#[derive(Debug)]
pub(super) struct Request {
    pub form: Form,
    pub program: String,
    pub items: Vec<Item>,
    pub manner: Manner,
}

/// One transaction as it was asked for.
#[derive(Debug)]
pub(super) struct Item {
    pub transaction: String,
    pub record: Vec<(String, String)>,
    /// The wanted output fields; empty = all.
    pub columns: Vec<String>,
}

/// What goes for all transactions of a call.
#[derive(Debug, Default)]
pub(super) struct Manner {
    pub company: Option<String>,
    /// Present but blank is the company-wide division.
    pub division: Option<String>,
    /// `None` = all.
    pub max_records: Option<usize>,
    pub drops_blanks: bool,
    pub trims: bool,
}

#[derive(Deserialize)]
struct Bulk {
    program: String,
    #[serde(default)]
    cono: Value,
    divi: Option<String>,
    #[serde(default, rename = "maxReturnedRecords")]
    max_records: Value,
    #[serde(default, rename = "excludeEmptyValues")]
    drops_blanks: Value,
    #[serde(default, rename = "rightTrim")]
    trims: Value,
    transactions: Vec<BulkItem>,
}

#[derive(Deserialize)]
struct BulkItem {
    transaction: String,
    #[serde(default)]
    record: Map<String, Value>,
    #[serde(default, rename = "selectedColumns")]
    columns: Vec<String>,
}

/// Names without their records, to match faults with.
#[derive(Deserialize)]
struct Names {
    program: String,
    transactions: Vec<Name>,
}

#[derive(Deserialize)]
struct Name {
    transaction: String,
}

impl Request {
    /// A single call; `last` is the last part of the path, with its matrix parameters.
    pub(super) fn single(form: Form, call: &Call, program: &str, last: &str) -> Self {
        let mut parts = last.split(';');
        let transaction = parts.next().unwrap_or_default().to_owned();
        let matrix = parts.map(|part| part.split_once('=').unwrap_or((part, "")));
        let query = call
            .query
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let mut manner = Manner::usual();
        let mut columns = Vec::new();
        let mut record = Vec::new();
        for (name, value) in query.chain(matrix) {
            if name.starts_with(|first: char| first.is_ascii_uppercase()) {
                record.push((name.to_owned(), value.to_owned()));
            } else if name == "returncols" {
                columns = value
                    .split(',')
                    .map(|name| name.trim().to_owned())
                    .collect();
            } else {
                manner.take(name, value);
            }
        }
        columns.retain(|name| !name.is_empty());
        Self {
            form,
            program: program.to_owned(),
            items: vec![Item {
                transaction,
                record,
                columns,
            }],
            manner,
        }
    }

    /// Several transactions in the body of a POST.
    ///
    /// # Errors
    /// The parser's words.
    pub(super) fn bulk(call: &Call) -> Result<Self, String> {
        let bulk: Bulk = serde_json::from_slice(&call.body).map_err(|error| error.to_string())?;
        let mut manner = Manner::usual();
        for (name, value) in &call.query {
            manner.take(name, value);
        }
        for (name, value) in [
            ("cono", &bulk.cono),
            ("maxrecs", &bulk.max_records),
            ("excludempty", &bulk.drops_blanks),
            ("righttrim", &bulk.trims),
        ] {
            if !value.is_null() {
                manner.take(name, &plain(value));
            }
        }
        manner.division = bulk.divi.or(manner.division);
        let items = bulk.transactions.into_iter().map(|item| Item {
            transaction: item.transaction,
            record: item
                .record
                .iter()
                .map(|(name, value)| (name.clone(), plain(value)))
                .collect(),
            columns: item.columns,
        });
        Ok(Self {
            form: Form::Bulk,
            program: bulk.program,
            items: items.collect(),
            manner,
        })
    }
}

/// Program and first transaction of a bulk body.
pub(super) fn bulk_names(body: &[u8]) -> Option<(String, String)> {
    let names: Names = serde_json::from_slice(body).ok()?;
    let first = names.transactions.into_iter().next()?;
    Some((names.program, first.transaction))
}

impl Manner {
    fn usual() -> Self {
        Self {
            max_records: Some(MAX_RECORDS_USUAL),
            ..Self::default()
        }
    }

    /// A parameter; names that mean nothing are let pass, as the vendor does.
    fn take(&mut self, name: &str, value: &str) {
        match name {
            "cono" => self.company = Some(value.trim().to_owned()),
            "divi" => self.division = Some(value.trim().to_owned()),
            "maxrecs" => {
                let count = value.trim().parse().unwrap_or(MAX_RECORDS_USUAL);
                self.max_records = (count > 0).then_some(count);
            }
            "excludempty" | "excludeempty" => self.drops_blanks = value == "true",
            "righttrim" => self.trims = value == "true",
            _ => {}
        }
    }
}

/// A JSON value as the text that M3 sees.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn call(query: &[(&str, &str)], body: &'static str) -> Call {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Call {
            query: query.iter().map(owned).collect(),
            body: body.into(),
            ..Call::default()
        }
    }

    #[test]
    fn matrix_and_query_parameters_are_one() {
        let call = call(&[("SUNO", "1"), ("cono", "100"), ("_rid", "7")], "");
        let last = "LstLine;maxrecs=0;returncols=PUNO, PNLI;divi=;excludempty=true";
        let request = Request::single(Form::Single, &call, "PPS200MI", last);
        assert_eq!(request.items[0].transaction, "LstLine");
        assert_eq!(request.items[0].record, [("SUNO".into(), "1".into())]);
        assert_eq!(request.items[0].columns, ["PUNO", "PNLI"]);
        let manner = request.manner;
        assert_eq!(manner.company.as_deref(), Some("100"));
        assert_eq!(manner.division.as_deref(), Some(""));
        assert_eq!((manner.max_records, manner.drops_blanks), (None, true));
    }

    #[test]
    fn a_bulk_body_may_hold_numbers() {
        let body = r#"{"program":"PPS370MI","cono":100,"maxReturnedRecords":5,"new":1,"transactions":
            [{"transaction":"AddLine","record":{"ORQA":1.50,"ITNO":"X"}},{"transaction":"AddText"}]}"#;
        let request = Request::bulk(&call(&[("divi", "AAA")], body)).unwrap();
        assert_eq!(request.items.len(), 2);
        let record = &request.items[0].record;
        assert!(record.contains(&("ORQA".into(), "1.50".into())));
        assert_eq!(request.manner.max_records, Some(5));
        assert_eq!(request.manner.division.as_deref(), Some("AAA"));
        let names = bulk_names(body.as_bytes()).unwrap();
        assert_eq!(names, ("PPS370MI".into(), "AddLine".into()));
        assert!(Request::bulk(&call(&[], "{}")).is_err());
    }
}
