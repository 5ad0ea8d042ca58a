//! What a program answered: rows, or a refusal. Both may come in a 200 or a 400, in two generations of
//! envelopes.
//!
//! Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (response shapes).

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use super::super::kit::json;
use super::number;

/// One record: field names and values without padding. Blank values are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row(BTreeMap<String, String>);

impl Row {
    /// A field's text; nothing when it is absent or blank.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A field's text, blank when absent.
    pub(super) fn text_or_blank(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    /// A field's number; nothing when it is absent, blank or no number.
    pub(super) fn number(&self, name: &str) -> Option<Decimal> {
        self.text(name).and_then(number::parse)
    }

    /// Whether a numeric switch is on; blank is off.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.number(name).is_some_and(|value| !value.is_zero())
    }

    pub(super) fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let plain = pairs
            .into_iter()
            .map(|(name, value)| (name, value.trim().to_owned()));
        Self(plain.filter(|(_, value)| !value.is_empty()).collect())
    }
}

/// The program's refusal, in its own words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Nok {
    /// `ServerReturnedNOK`, `MandatoryInputFieldNotFound`, …
    pub kind: String,
    /// The message code, `XRE0103` for instance.
    pub code: String,
    pub field: String,
    pub message: String,
}

/// An answer that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    Rows(Vec<Row>),
    Refused(Nok),
    /// The call was broken off: what it did before is not told.
    Terminated(Nok),
    /// It says nothing about the one transaction that was asked for.
    Missing,
}

/// Reads the envelope of one transaction; nothing when it is no envelope at all.
pub(super) fn read(body: &Value) -> Option<Reply> {
    let object = body.as_object()?;
    if body.get("wasTerminated").is_some_and(json::is_true) {
        let first = body.pointer("/results/0").and_then(second_generation_error);
        let whole = || nok(body, ["terminationErrorType", "", "", "terminationReason"]);
        return Some(Reply::Terminated(first.unwrap_or_else(whole)));
    }
    if let Some(error) = second_generation_error(body) {
        return Some(Reply::Refused(error));
    }
    if let Some(results) = object.get("results").and_then(Value::as_array) {
        return Some(result(body, results));
    }
    if object.contains_key("MIRecord")
        || object.contains_key("@type")
        || object.contains_key("ErrorMessage")
    {
        return Some(first_generation(body));
    }
    // A terminated or failed call may leave the results out.
    object
        .contains_key("nrOfFailedTransactions")
        .then_some(Reply::Missing)
}

/// `results[0]`: the only transaction of the call.
fn result(body: &Value, results: &[Value]) -> Reply {
    let Some(first) = results.first() else {
        return Reply::Missing;
    };
    if let Some(error) = second_generation_error(first) {
        return Reply::Refused(error);
    }
    if json::field(body, "nrOfFailedTransactions").is_some_and(|count| count != "0") {
        return Reply::Refused(Nok::default());
    }
    let records = first.get("records").and_then(Value::as_array);
    Reply::Rows(records.into_iter().flatten().map(record).collect())
}

fn record(record: &Value) -> Row {
    let fields = record.as_object().into_iter().flatten();
    Row::from_pairs(fields.filter_map(|(name, value)| Some((name.clone(), json::text(value)?))))
}

fn second_generation_error(value: &Value) -> Option<Nok> {
    let names = ["errorType", "errorCode", "errorField", "errorMessage"];
    let says_error = ["errorType", "errorCode", "errorMessage"]
        .iter()
        .any(|name| json::field(value, name).is_some());
    says_error.then(|| nok(value, names))
}

fn first_generation(body: &Value) -> Reply {
    const NAMES: [&str; 4] = ["@type", "@code", "@field", "Message"];
    if json::field(body, "@type").is_some() || json::field(body, "@code").is_some() {
        return Reply::Refused(nok(body, NAMES));
    }
    // An error after rows were delivered: the rows are not whole and are thrown away.
    if let Some(error) = body.get("ErrorMessage").filter(|error| !error.is_null()) {
        return Reply::Refused(match error {
            Value::String(message) => Nok {
                message: plain(message),
                ..Nok::default()
            },
            error => nok(error, NAMES),
        });
    }
    let records = one_or_many(body.get("MIRecord"));
    Reply::Rows(
        records
            .into_iter()
            .map(|record| {
                let pairs = one_or_many(record.get("NameValue")).into_iter();
                Row::from_pairs(pairs.filter_map(|pair| {
                    Some((json::field(pair, "Name")?, json::field(pair, "Value")?))
                }))
            })
            .collect(),
    )
}

/// A list of one may come as the one.
fn one_or_many(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(one @ Value::Object(_)) => vec![one],
        _ => Vec::new(),
    }
}

fn nok(value: &Value, [kind, code, field, message]: [&str; 4]) -> Nok {
    let text = |name: &str| plain(&json::field(value, name).unwrap_or_default());
    Nok {
        kind: text(kind),
        code: text(code),
        field: text(field),
        message: text(message),
    }
}

/// Messages come padded with many blanks.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(pairs: &[(&str, &str)]) -> Row {
        Row::from_pairs(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    fn refused(kind: &str, code: &str, field: &str, message: &str) -> Reply {
        Reply::Refused(Nok {
            kind: kind.to_owned(),
            code: code.to_owned(),
            field: field.to_owned(),
            message: message.to_owned(),
        })
    }

    #[test]
    fn both_generations_are_read() {
        let cases = [
            (
                json!({"results": [{"transaction": "Get", "records": [{"SUNO": "A  ", "STAT": 20, "VRNO": ""}]}],
                    "wasTerminated": "false", "nrOfSuccessfullTransactions": 1, "nrOfFailedTransactions": 0}),
                Reply::Rows(vec![row(&[("SUNO", "A"), ("STAT", "20")])]),
            ),
            (
                json!({"results": [{"transaction": "Upd"}]}),
                Reply::Rows(vec![]),
            ),
            (
                json!({"results": [{"transaction": "Upd", "records": [{}]}]}),
                Reply::Rows(vec![Row::default()]),
            ),
            (
                json!({"results": [{"transaction": "Get", "errorMessage": "no    such", "errorType": "ServerReturnedNOK",
                    "errorCode": "WSU0103", "errorField": "SUNO", "errorCfg": ""}], "nrOfFailedTransactions": 1}),
                refused("ServerReturnedNOK", "WSU0103", "SUNO", "no such"),
            ),
            (
                json!({"errorType": "TransactionNotFound", "errorMessage": "x", "results": []}),
                refused("TransactionNotFound", "", "", "x"),
            ),
            (
                json!({"results": [{"transaction": "X"}], "nrOfFailedTransactions": "1"}),
                Reply::Refused(Nok::default()),
            ),
            (
                json!({"results": [], "nrOfFailedTransactions": 0}),
                Reply::Missing,
            ),
            (json!({"nrOfFailedTransactions": 1}), Reply::Missing),
            (
                json!({"results": [], "wasTerminated": "true", "terminationErrorType": "T", "terminationReason": "r"}),
                Reply::Terminated(Nok {
                    kind: "T".into(),
                    message: "r".into(),
                    ..Nok::default()
                }),
            ),
            (
                json!({"Program": "P", "MIRecord": [{"RowIndex": 0, "NameValue":
                    [{"Name": "SUNO", "Value": "A      "}, {"Name": "VRNO", "Value": " "}]}]}),
                Reply::Rows(vec![row(&[("SUNO", "A")])]),
            ),
            (
                json!({"Program": "P", "MIRecord": {"NameValue": {"Name": "SUNO", "Value": "A"}}}),
                Reply::Rows(vec![row(&[("SUNO", "A")])]),
            ),
            (
                json!({"MIRecord": [{"NameValue": []}]}),
                Reply::Rows(vec![Row::default()]),
            ),
            (
                json!({"@type": "ServerReturnedNOK", "@code": "XRE0103", "@cfg": "  ", "@field": "SUNO", "Message": "gone   "}),
                refused("ServerReturnedNOK", "XRE0103", "SUNO", "gone"),
            ),
            (
                json!({"MIRecord": [{"NameValue": []}], "ErrorMessage":
                    {"Message": "Failed", "@type": "ServerReturnedNOK", "@code": "CPF9898", "@cfg": null, "@field": "RCNT"}}),
                refused("ServerReturnedNOK", "CPF9898", "RCNT", "Failed"),
            ),
        ];
        for (body, want) in cases {
            assert_eq!(read(&body), Some(want), "{body}");
        }
        for body in [
            json!([]),
            json!("x"),
            json!(null),
            json!({"error": "Unauthorized"}),
            json!({}),
        ] {
            assert_eq!(read(&body), None, "{body}");
        }
    }
}
