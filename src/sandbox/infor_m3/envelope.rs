//! Answers in the shapes of both versions of the REST interface.
//!
//! Source: M3 API REST response shapes and recorded bodies, read 2026-11-22: all values are
//! strings; v1 and bulk calls carry refusals in HTTP 200, single calls of v2 in HTTP 400; the
//! counter's name has a double l.

use serde::Serialize;
use serde_json::{Value, json};

use super::ask::{Answer, Row};
use super::catalog::Transaction;
use super::nok::Nok;
use crate::sandbox::kit::Reply;

/// What a call's transactions came to. After a termination the later ones were not run.
#[derive(Default)]
pub(super) struct Done {
    pub results: Vec<(String, Result<Answer, Nok>)>,
    pub terminated: Option<Nok>,
}

#[derive(Serialize)]
struct Body<'a> {
    results: Vec<OneResult<'a>>,
    #[serde(rename = "wasTerminated")]
    was_terminated: bool,
    #[serde(flatten)]
    termination: Option<Termination<'a>>,
    #[serde(rename = "nrOfSuccessfullTransactions")]
    good: usize,
    #[serde(rename = "nrOfFailedTransactions")]
    failed: usize,
}

#[derive(Serialize)]
struct Termination<'a> {
    #[serde(rename = "terminationReason")]
    reason: &'a str,
    #[serde(rename = "terminationErrorType")]
    kind: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum OneResult<'a> {
    Good {
        transaction: &'a str,
        records: &'a [Row],
    },
    Refused {
        transaction: &'a str,
        #[serde(rename = "errorMessage")]
        message: &'a str,
        #[serde(rename = "errorType")]
        kind: &'a str,
        #[serde(rename = "errorCode")]
        code: &'a str,
        #[serde(rename = "errorField")]
        field: &'a str,
        #[serde(rename = "errorCfg")]
        configuration: &'a str,
    },
}

/// v2: one body for one transaction or many.
pub(super) fn answer(status: u16, done: &Done) -> Reply {
    let results = done
        .results
        .iter()
        .map(|(transaction, result)| match result {
            Ok(answer) => OneResult::Good {
                transaction,
                records: &answer.rows,
            },
            Err(nok) => OneResult::Refused {
                transaction,
                message: &nok.message,
                kind: nok.kind,
                code: nok.code,
                field: nok.field,
                configuration: "",
            },
        });
    let good = done.results.iter().filter(|(_, result)| result.is_ok());
    let good = good.count();
    let terminated = done.terminated.as_ref();
    let body = Body {
        results: results.collect(),
        was_terminated: terminated.is_some(),
        termination: terminated.map(|nok| Termination {
            reason: &nok.message,
            kind: nok.kind,
        }),
        good,
        failed: done.results.len() - good + usize::from(terminated.is_some()),
    };
    let text = serde_json::to_string(&body).unwrap_or_default();
    Reply::text(status, "application/json;charset=utf-8", text)
}

/// v1, accepted.
pub(super) fn old_answer(transaction: &Transaction, answer: &Answer) -> Reply {
    let first = answer.rows.first();
    let fields: Vec<Value> =
        first.map_or_else(Vec::new, |row| row.0.iter().map(metadata).collect());
    // A list of one field comes as that field alone.
    let fields = match fields.as_slice() {
        [only] => only.clone(),
        _ => Value::Array(fields),
    };
    let records = answer.rows.iter().enumerate();
    let records: Vec<Value> = records
        .map(|(index, row)| {
            let pairs = row.0.iter();
            let values: Vec<Value> = pairs
                .map(|(field, value)| json!({"Name": field.name, "Value": value}))
                .collect();
            json!({"RowIndex": index, "NameValue": values})
        })
        .collect();
    let body = json!({
        "Program": transaction.program,
        "Transaction": transaction.name,
        "Metadata": {"Field": fields},
        "MIRecord": records,
    });
    Reply::json(200, &body)
}

fn metadata((field, _): &(&super::catalog::Field, String)) -> Value {
    json!({
        "@name": field.name,
        "@type": field.kind.letter(),
        "@length": field.length.unwrap_or_default().to_string(),
        "@description": field.name,
    })
}

/// v1, refused: the message is padded with blanks.
pub(super) fn old_refusal(status: u16, nok: &Nok) -> Reply {
    let body = json!({
        "@type": nok.kind,
        "@code": nok.code,
        "@cfg": "  ",
        "@field": nok.field,
        "Message": format!("{:<70}", nok.message),
    });
    Reply::json(status, &body)
}
