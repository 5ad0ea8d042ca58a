//! From an HTTP answer to rows, a refusal or a fault.

use super::super::kit::fault::{by_status, no_answer, sample, unusable};
use super::super::kit::json;
use super::fault::terminated;
use super::reply::{self, Nok, Reply, Row};
use crate::contract::{Call, Response};
use crate::domain::clock::Timestamp;
use crate::domain::fault::Fault;

pub(super) fn envelope(call: Call, answer: &Response) -> Result<Reply, Fault> {
    let body = json::parse(call, answer)?;
    reply::read(&body).ok_or_else(|| {
        unusable(
            call,
            "answer_unknown",
            format!("the answer is none of M3's: {}", sample(&answer.body)),
        )
    })
}

pub(super) fn read(
    operation: &str,
    now: Timestamp,
    call: Call,
    answer: &Response,
) -> Result<Result<Vec<Row>, Nok>, Fault> {
    // A refusal is in a 200 or in a 400; other statuses are the gateway's, whatever they carry.
    if !answer.is_success() && ![400, 404].contains(&answer.status) {
        return Err(by_status(
            call,
            answer,
            now,
            gateway_says(operation, answer),
        ));
    }
    let envelope = match envelope(call, answer) {
        Err(_) if !answer.is_success() => {
            let says = gateway_says(operation, answer);
            return Err(by_status(call, answer, now, says));
        }
        envelope => envelope?,
    };
    match envelope {
        Reply::Rows(rows) => Ok(Ok(rows)),
        Reply::Refused(nok) => Ok(Err(nok)),
        // A read that names its reason has had its answer.
        Reply::Terminated(nok) if call == Call::Read && !nok.code.is_empty() => Ok(Err(nok)),
        Reply::Terminated(nok) => Err(terminated(call, operation, &nok)),
        Reply::Missing => Err(no_answer(
            call,
            "result_missing",
            format!("{operation}: the answer has no result for it"),
        )),
    }
}

fn gateway_says(operation: &str, answer: &Response) -> String {
    let advice = match answer.status {
        401 => "the gateway refuses the access token",
        403 => {
            "the service account may not call this: grant its user the program, and the app the M3 suite"
        }
        404 => "the gateway does not know this path: check the tenant, and that the M3 suite is on",
        429 => "the gateway's limit of calls is reached",
        _ => "the gateway gave no answer of M3's",
    };
    format!(
        "{operation}: {advice} (status {}, {})",
        answer.status,
        sample(&answer.body)
    )
}
