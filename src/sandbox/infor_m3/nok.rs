//! What M3 says when it refuses.
//!
//! Source: M3 MI REST response shapes and message codes, read 2026-11-22. Assumed: the texts.

/// A refused transaction: the vendor's kind of error, its message code, the field and the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Nok {
    pub kind: &'static str,
    pub code: &'static str,
    pub field: &'static str,
    pub message: String,
}

const REFUSED: &str = "ServerReturnedNOK";
const NOT_FOUND: &str = "TransactionNotFound";

impl Nok {
    /// A business refusal.
    pub(super) fn refused(code: &'static str, field: &'static str, message: String) -> Self {
        Self {
            kind: REFUSED,
            code,
            field,
            message,
        }
    }

    /// The generic answer for a key that leads nowhere.
    pub(super) fn no_record(field: &'static str) -> Self {
        Self::refused("XRE0103", field, "Record does not exist".to_owned())
    }

    pub(super) fn record_exists(field: &'static str) -> Self {
        Self::refused("XRE0104", field, "The record already exists".to_owned())
    }

    pub(super) fn no_supplier(field: &'static str, number: &str) -> Self {
        let text = format!("Supplier number {number} does not exist");
        Self::refused("WSU0103", field, text)
    }

    pub(super) fn no_item(number: &str) -> Self {
        let text = format!("Item number {number} does not exist");
        Self::refused("WIT0103", "ITNO", text)
    }

    pub(super) fn no_order(number: &str) -> Self {
        let text = format!("Purchase order number {number} does not exist");
        Self::refused("WPU0803", "PUNO", text)
    }

    pub(super) fn no_line(number: &str) -> Self {
        let text = format!("Purchase order line {number} does not exist");
        Self::refused("WPN0103", "PNLI", text)
    }

    pub(super) fn mandatory(field: &'static str) -> Self {
        Self {
            kind: "MandatoryInputFieldNotFound",
            code: "",
            field,
            message: format!("Mandatory input field {field} is missing"),
        }
    }

    pub(super) fn too_long(field: &'static str, length: usize) -> Self {
        Self {
            kind: "InputFieldTooLong",
            code: "",
            field,
            message: format!("Input field {field} is longer than {length} characters"),
        }
    }

    pub(super) fn no_transaction(program: &str, transaction: &str) -> Self {
        Self {
            kind: NOT_FOUND,
            code: "",
            field: "",
            message: format!("Transaction {transaction} not found in program {program}"),
        }
    }

    /// Assumed: no public page shows how M3 words this, or with which code.
    pub(super) fn not_authorised(program: &str) -> Self {
        let text = format!("User is not authorised to program {program}");
        Self::refused("", "", text)
    }

    pub(super) fn unreadable(reason: &str) -> Self {
        Self::refused(
            "CPF9898",
            "",
            format!("The request cannot be read: {reason}"),
        )
    }
}
