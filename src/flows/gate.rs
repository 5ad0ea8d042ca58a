//! Which source records may leave: chosen statuses, start date, scope.

use time::Date;

use crate::domain::pair::plain_status;

/// What a customer chose, as far as leaving the source is concerned.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// Empty: every status may leave.
    pub statuses: &'a [String],
    pub start_date: Option<Date>,
    /// Another record in scope needs this one, so age is no reason to leave it out.
    pub is_needed: bool,
    /// Only records that another one needs.
    pub used_only: bool,
}

/// Whether a record may leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    Open,
    /// Left out, with a stable word and a sentence.
    Shut {
        reason: &'static str,
        says: String,
    },
}

impl Rules<'_> {
    /// The gate for a status.
    #[must_use]
    pub fn status(&self, status: &str) -> Gate {
        let is_chosen = self.statuses.is_empty()
            || self
                .statuses
                .iter()
                .any(|chosen| plain_status(chosen) == plain_status(status));
        if is_chosen {
            return Gate::Open;
        }
        Gate::Shut {
            reason: "status_not_selected",
            says: format!(
                "Left out: its status is {}, and this pair moves {} only. It is looked at again when the status changes.",
                if status.is_empty() { "not set" } else { status },
                self.statuses.join(", ")
            ),
        }
    }

    /// The gate for a date: nothing older than the pair's start.
    #[must_use]
    pub fn dated(&self, date: Option<Date>) -> Gate {
        match (self.start_date, date) {
            (Some(start), Some(date)) if date < start && !self.is_needed => Gate::Shut {
                reason: "before_start_date",
                says: format!(
                    "Left out: it is dated {date}, before the pair's start date {start}."
                ),
            },
            _ => Gate::Open,
        }
    }
}

impl Gate {
    /// The first gate that is shut.
    #[must_use]
    pub fn and(self, next: impl FnOnce() -> Gate) -> Gate {
        match self {
            Gate::Open => next(),
            shut @ Gate::Shut { .. } => shut,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn statuses_and_dates_shut_the_gate() {
        let statuses = vec!["Approved".to_owned()];
        let rules = Rules {
            statuses: &statuses,
            start_date: Some(date!(2026 - 11 - 01)),
            is_needed: false,
            used_only: false,
        };
        for (status, dated, want) in [
            ("approved", Some(date!(2026 - 11 - 01)), None),
            (
                "Draft",
                Some(date!(2026 - 11 - 02)),
                Some("status_not_selected"),
            ),
            (
                "APPROVED",
                Some(date!(2026 - 10 - 31)),
                Some("before_start_date"),
            ),
            ("Approved", None, None),
        ] {
            let gate = rules.status(status).and(|| rules.dated(dated));
            let reason = match gate {
                Gate::Open => None,
                Gate::Shut { reason, .. } => Some(reason),
            };
            assert_eq!(reason, want, "{status} {dated:?}");
        }
        let needed = Rules {
            is_needed: true,
            ..rules
        };
        assert_eq!(needed.dated(Some(date!(2020 - 01 - 01))), Gate::Open);
    }
}
