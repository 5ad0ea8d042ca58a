//! From a program's refusal to a fault.
//!
//! Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (message codes worth coding for). Messages
//! come in the user's language: codes decide, texts are only shown.

use super::super::kit::fault::no_answer;
use super::reply::Nok;
use crate::contract::Call;
use crate::domain::fault::{Fault, Issue};

/// Somebody else works on the same record: nothing was done, later may work.
const TRY_LATER: &[&str] = &["XAD0001", "XUP0001", "XDE0001", "XO_1130"];
/// The user lacks a right, or is not known or not active.
const NO_RIGHT: &[&str] = &["XAU0008", "WUS0503", "X_01003"];
/// Kinds of refusal that are found before the transaction runs.
const NEVER_RAN: &[&str] = &[
    "TransactionNotFound",
    "MandatoryInputFieldNotFound",
    "InputFieldTooLong",
];

impl Nok {
    /// The record asked for is not there.
    pub(super) fn is_absent(&self) -> bool {
        let is_known = ["XRE0103", "XIM0039"].contains(&self.code.as_str());
        // An unknown user is a missing right, not a missing record.
        is_known || (self.has_family_ending("03") && !NO_RIGHT.contains(&self.code.as_str()))
    }

    /// The record to be made is there already.
    pub(super) fn is_duplicate(&self) -> bool {
        self.code == "XRE0104" || self.has_family_ending("04")
    }

    /// The program or the transaction does not exist here.
    pub(super) fn is_unknown_transaction(&self) -> bool {
        self.kind == "TransactionNotFound"
    }

    /// Found before the transaction ran, so nothing can have happened.
    pub(super) fn never_ran(&self) -> bool {
        NEVER_RAN.contains(&self.kind.as_str())
    }

    /// `W` and two letters name a table, two digits a field, and the last two what is wrong with it: 01
    /// invalid, 02 must be entered, 03 does not exist, 04 exists already.
    fn has_family_ending(&self, ending: &str) -> bool {
        let code = self.code.as_bytes();
        matches!(code, [b'W', .., a, b] if code.len() == 7 && a.is_ascii_digit() && b.is_ascii_digit())
            && self.code.ends_with(ending)
    }

    /// The stable word: the message code, else the kind of refusal.
    fn word(&self) -> &str {
        [self.code.as_str(), self.kind.as_str()]
            .into_iter()
            .find(|word| !word.is_empty())
            .unwrap_or("refused")
    }
}

/// What a refusal leads to. `operation` is `PROGRAM/Transaction`.
pub(super) fn refused(operation: &str, nok: &Nok) -> Fault {
    let code = nok.word().to_owned();
    let message = sentence(operation, nok);
    if TRY_LATER.contains(&nok.code.as_str()) {
        return Fault::Transient { code, message };
    }
    if NO_RIGHT.contains(&nok.code.as_str()) {
        return Fault::Auth { code, message };
    }
    if nok.is_duplicate() {
        return Fault::Conflict { code, message };
    }
    Fault::Rejected {
        issues: vec![Issue::new(nok.field.clone(), code, message)],
    }
}

/// What a broken-off call leads to: after a write nobody knows, unless the reason is one that is found
/// before anything runs.
pub(super) fn terminated(call: Call, operation: &str, nok: &Nok) -> Fault {
    if nok.never_ran() {
        return refused(operation, nok);
    }
    no_answer(
        call,
        "terminated",
        format!("{operation} was broken off by M3: {}", says(nok)),
    )
}

fn sentence(operation: &str, nok: &Nok) -> String {
    if nok.is_unknown_transaction() {
        return format!(
            "M3 has no {operation} ({}): name the program that this M3 uses in mi_programs, or ask its \
             administrator to make it available",
            says(nok)
        );
    }
    let code = if nok.code.is_empty() || nok.message.contains(&nok.code) {
        String::new()
    } else {
        format!(" ({})", nok.code)
    };
    format!("{operation}: {}{code}", says(nok))
}

fn says(nok: &Nok) -> &str {
    match (nok.message.as_str(), nok.kind.as_str()) {
        ("", "") => "refused without a reason",
        ("", kind) => kind,
        (message, _) => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nok(kind: &str, code: &str, message: &str) -> Nok {
        Nok {
            kind: kind.to_owned(),
            code: code.to_owned(),
            field: "SUNO".to_owned(),
            message: message.to_owned(),
        }
    }

    #[test]
    fn every_code_has_its_consequence() {
        for (kind, code, class, absent, duplicate) in [
            ("ServerReturnedNOK", "XRE0103", "rejected", true, false),
            ("ServerReturnedNOK", "WSU0103", "rejected", true, false),
            ("ServerReturnedNOK", "WPU0803", "rejected", true, false),
            ("ServerReturnedNOK", "WRI0103", "rejected", true, false),
            ("ServerReturnedNOK", "XIM0039", "rejected", true, false),
            ("ServerReturnedNOK", "XRE0104", "conflict", false, true),
            ("ServerReturnedNOK", "WSU0104", "conflict", false, true),
            ("ServerReturnedNOK", "WSU0101", "rejected", false, false),
            ("ServerReturnedNOK", "XPO0002", "rejected", false, false),
            ("ServerReturnedNOK", "WUS0503", "auth", false, false),
            ("ServerReturnedNOK", "XAU0008", "auth", false, false),
            ("ServerReturnedNOK", "XUP0001", "transient", false, false),
            ("ServerReturnedNOK", "XO_1130", "transient", false, false),
            ("ServerReturnedNOK", "CPF9898", "rejected", false, false),
            ("TransactionNotFound", "", "rejected", false, false),
            ("InputFieldTooLong", "", "rejected", false, false),
            ("", "", "rejected", false, false),
        ] {
            let nok = nok(kind, code, "no");
            assert_eq!(refused("P/T", &nok).class(), class, "{code}");
            assert_eq!(
                (nok.is_absent(), nok.is_duplicate()),
                (absent, duplicate),
                "{code}"
            );
        }
    }

    #[test]
    fn a_broken_off_write_is_unknown_unless_it_cannot_have_run() {
        let ran = nok("ServerReturnedNOK", "", "stopped");
        assert_eq!(terminated(Call::Write, "P/T", &ran).class(), "ambiguous");
        assert_eq!(terminated(Call::Read, "P/T", &ran).class(), "transient");
        let never = nok("TransactionNotFound", "", "not there");
        assert_eq!(terminated(Call::Write, "P/T", &never).class(), "rejected");
    }

    #[test]
    fn people_read_their_words_and_ours() {
        let fault = refused(
            "CRS620MI/GetBasicData",
            &nok("ServerReturnedNOK", "WSU0103", "Supplier X does not exist"),
        );
        assert_eq!(
            fault,
            Fault::rejected(
                "SUNO",
                "WSU0103",
                "CRS620MI/GetBasicData: Supplier X does not exist (WSU0103)"
            )
        );
        let unknown = refused(
            "PPS370MI/StartEntry",
            &nok("TransactionNotFound", "", "gone"),
        );
        assert!(unknown.to_string().contains("mi_programs"));
    }
}
