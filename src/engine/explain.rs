//! Sentences that a clerk understands: what happened, why, and what to do where.

use std::fmt::Write as _;

use crate::domain::clock::Timestamp;
use crate::domain::fault::Fault;
use crate::domain::plan::Change;
use crate::domain::record::WaitingFor;

/// How a link was found, as people say it.
#[must_use]
pub fn matched_by(word: &str) -> &str {
    match word {
        "write_tag" => "our own reference",
        "number" => "its number",
        "tax_id" => "its tax id",
        "name" => "its name",
        "person" => "a person's choice",
        "mapping" => "the mapping table",
        other => other,
    }
}

/// Several things as a list for people: `a, b and c`.
#[must_use]
pub fn listed<T: std::fmt::Display>(things: &[T]) -> String {
    match things {
        [] => String::new(),
        [only] => only.to_string(),
        [head @ .., last] => {
            let head: Vec<String> = head.iter().map(ToString::to_string).collect();
            format!("{} and {last}", head.join(", "))
        }
    }
}

/// What a record waits for.
#[must_use]
pub fn waiting(waits: &[WaitingFor]) -> String {
    const SHOWN: usize = 5;
    let labels: Vec<&str> = waits.iter().map(|wait| wait.label.as_str()).collect();
    match labels.get(..SHOWN) {
        Some(first) if labels.len() > SHOWN => format!(
            "Waiting for {} and {} more. It goes on by itself.",
            first.join(", "),
            labels.len() - SHOWN
        ),
        _ => format!("Waiting for {}. It goes on by itself.", listed(&labels)),
    }
}

/// A fault that ended the record's travel for now.
#[must_use]
pub fn failed(fault: &Fault, system: &str) -> String {
    match fault {
        Fault::Rejected { issues } => match issues.as_slice() {
            [] => format!("{system} refused it without saying why."),
            [only] => format!("{system} would not take it: {only}"),
            [first, rest @ ..] => format!(
                "{system} would not take it for {} reasons; the first: {first}",
                rest.len() + 1
            ),
        },
        Fault::Auth { message, .. } => format!(
            "{system} refused the log-in: {message} Open the connection, mend it and test it; then this goes on by itself."
        ),
        Fault::Missing { message, .. } => format!("Something it points at is gone: {message}"),
        Fault::Conflict { message, .. } => {
            format!("It was changed in {system} at the same time: {message}")
        }
        Fault::Broken { message, .. } => {
            format!("{system} answered in a form we do not know, so nothing was written: {message}")
        }
        Fault::Transient { message, .. } | Fault::RateLimited { message, .. } => {
            format!("{system} could not be reached for too long: {message} Retry when it is back.")
        }
        Fault::Ambiguous { message, .. } => {
            format!(
                "{system} gave no usable answer, so it is not known whether it was written: {message}"
            )
        }
    }
}

/// A write of which nobody knows whether it landed, and that a person must look after.
#[must_use]
pub fn unknown(fault: &Fault, system: &str) -> String {
    format!(
        "It is not known whether it was written to {system}: {fault}. Look there; then link it, say that it is to be written again, or put it aside."
    )
}

/// A fault after which it is tried again by itself.
#[must_use]
pub fn retrying(fault: &Fault, system: &str, attempt: u32, of: u32, at: Timestamp) -> String {
    format!(
        "{system} did not do it ({fault}). Attempt {attempt} of {of}; next at {}.",
        at.whole_seconds()
    )
}

/// Differences between the two sides after they were linked.
#[must_use]
pub fn differences(changes: &[Change], target: &str) -> String {
    const SHOWN: usize = 3;
    let mut text = String::new();
    for change in changes.iter().take(SHOWN) {
        let shown = |value: &Option<String>| {
            let value = value.as_deref().filter(|text| !text.trim().is_empty());
            value.unwrap_or("nothing").to_owned()
        };
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            " {}: {target} has {}, the source has {}.",
            change.field,
            shown(&change.from),
            shown(&change.to),
        );
    }
    if changes.len() > SHOWN {
        let _ = write!(text, " And {} more.", changes.len() - SHOWN);
    }
    text
}

/// Fields that were changed in the target since they were last read back.
#[must_use]
pub fn changed_there(changes: &[Change], target: &str) -> String {
    const SHOWN: usize = 5;
    let mut text = String::new();
    for change in changes.iter().take(SHOWN) {
        let nothing = || "nothing".to_owned();
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            " {}: {target} has {}, it was {}.",
            change.field,
            change.from.clone().unwrap_or_else(nothing),
            change.to.clone().unwrap_or_else(nothing),
        );
    }
    if changes.len() > SHOWN {
        let _ = write!(text, " And {} more.", changes.len() - SHOWN);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_as_people_write_them() {
        assert_eq!(listed::<&str>(&[]), "");
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    }

    #[test]
    fn long_waits_are_counted() {
        let waits: Vec<WaitingFor> = (0..7)
            .map(|at| WaitingFor::new("items", at.to_string(), format!("item {at}")))
            .collect();
        assert_eq!(
            waiting(&waits),
            "Waiting for item 0, item 1, item 2, item 3, item 4 and 2 more. It goes on by itself."
        );
    }
}
