//! What went wrong, as pages and the API both tell it: what happened, which field, what to do next.
//! The edge draws it (`edge.rs`): RFC 9457 for programs, the problem page for people.

use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::desk::DeskError;
use crate::domain::fault::{Fault, Issue};
use crate::domain::pair::Blocker;
use crate::store::StoreError;

/// One refused request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub kind: &'static Kind,
    /// A stable word for programs.
    pub code: &'static str,
    /// Why, in a sentence.
    pub says: String,
    /// One entry for every wrong field.
    pub errors: Vec<FieldError>,
    pub blockers: Vec<Blocker>,
    pub retry_after: Option<Duration>,
}

/// What all problems of one kind have in common.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    pub status: u16,
    code: &'static str,
    /// What happened, in a few words.
    pub title: &'static str,
    /// What to do about it; empty when nothing can be done.
    pub mend: &'static str,
}

const fn kind(status: u16, code: &'static str, title: &'static str, mend: &'static str) -> Kind {
    Kind {
        status,
        code,
        title,
        mend,
    }
}

#[rustfmt::skip]
mod kinds {
    use super::{Kind, kind};

    pub static MALFORMED: Kind = kind(400, "malformed", "Malformed request", "");
    pub static UNKNOWN_CALLER: Kind = kind(401, "unauthorized", "Not signed in", "");
    pub static FORBIDDEN: Kind = kind(403, "forbidden", "Not allowed",
        "Ask an owner of your account to do it, or to give you the right.");
    pub static FOREIGN_FORM: Kind = kind(403, "foreign_form", "This form is no longer valid",
        "Open the page again and send it once more.");
    pub static MISSING: Kind = kind(404, "not_found", "Not found",
        "It may have been removed, or the address is mistyped.");
    pub static WRONG_METHOD: Kind = kind(405, "method_not_allowed", "Not possible here", "");
    pub static TOO_SLOW: Kind = kind(408, "request_timeout", "Too slow", "");
    pub static NOT_NOW: Kind = kind(409, "conflict", "Not possible now", "");
    pub static TOO_LARGE: Kind = kind(413, "too_large", "Too large", "");
    pub static WRONG_TYPE: Kind = kind(415, "unsupported_media_type", "Unknown kind of body", "");
    pub static INVALID: Kind = kind(422, "invalid", "Some fields need a change", "");
    pub static TOO_FAST: Kind = kind(429, "too_many_requests", "Too many tries", "");
    pub static OURS: Kind = kind(500, "internal", "Something went wrong here",
        "Try again. If it happens again, tell the operator the number below.");
    pub static VENDOR: Kind = kind(502, "vendor", "The other system did not do it",
        "Test the connection: the test says which step fails and why.");
    pub static UNAVAILABLE: Kind = kind(503, "unavailable", "Not available at the moment",
        "Try again in a few seconds.");
}

/// One thing wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer to the field.
    pub pointer: String,
    /// A sentence for people.
    pub detail: String,
    /// A stable word for programs.
    pub code: String,
}

impl From<Issue> for FieldError {
    fn from(issue: Issue) -> Self {
        let pointer = match issue.field.as_str() {
            field if field.is_empty() || field.starts_with('/') => field.to_owned(),
            field => format!("/{field}"),
        };
        Self {
            pointer,
            detail: issue.message,
            code: issue.code,
        }
    }
}

impl Problem {
    fn new(kind: &'static Kind, says: impl Into<String>) -> Self {
        Self {
            kind,
            code: kind.code,
            says: says.into(),
            errors: Vec::new(),
            blockers: Vec::new(),
            retry_after: None,
        }
    }

    #[must_use]
    pub fn status(&self) -> StatusCode {
        // The kinds above hold statuses that exist.
        StatusCode::from_u16(self.kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The request cannot be read at all.
    #[must_use]
    pub fn malformed(says: impl Into<String>) -> Self {
        Self::new(&kinds::MALFORMED, says)
    }

    /// Nobody is signed in, or no token was sent that holds.
    #[must_use]
    pub fn unknown_caller(says: impl Into<String>) -> Self {
        Self::new(&kinds::UNKNOWN_CALLER, says)
    }

    /// Known, but not allowed.
    #[must_use]
    pub fn forbidden(says: impl Into<String>) -> Self {
        Self::new(&kinds::FORBIDDEN, says)
    }

    /// A form that did not come from our own page.
    #[must_use]
    pub fn foreign_form() -> Self {
        Self::new(
            &kinds::FOREIGN_FORM,
            "It was opened in another session, or it did not come from this site. Nothing was changed.",
        )
    }

    /// No such thing; the same for what belongs to somebody else.
    #[must_use]
    pub fn missing(what: &str) -> Self {
        Self::new(&kinds::MISSING, format!("There is no such {what}."))
    }

    #[must_use]
    pub fn wrong_method() -> Self {
        let says = "This address does not take this method.";
        Self::new(&kinds::WRONG_METHOD, says)
    }

    /// The state does not allow it.
    #[must_use]
    pub fn not_now(code: &'static str, says: impl Into<String>) -> Self {
        Self {
            code,
            ..Self::new(&kinds::NOT_NOW, says)
        }
    }

    #[must_use]
    pub fn too_large(limit: usize) -> Self {
        let says = format!("The body may have at most {} KiB.", limit / 1024);
        Self::new(&kinds::TOO_LARGE, says)
    }

    #[must_use]
    pub fn wrong_type(wanted: &str) -> Self {
        Self::new(&kinds::WRONG_TYPE, format!("Send the body as {wanted}."))
    }

    /// The body did not arrive in time.
    #[must_use]
    pub fn too_slow() -> Self {
        Self::new(&kinds::TOO_SLOW, "The request did not arrive in time.")
    }

    /// Fields are wrong, one entry each.
    #[must_use]
    pub fn invalid(issues: Vec<Issue>) -> Self {
        let says = match issues.as_slice() {
            [one] => one.message.clone(),
            many => format!("{} fields need a change.", many.len()),
        };
        Self {
            errors: issues.into_iter().map(FieldError::from).collect(),
            ..Self::new(&kinds::INVALID, says)
        }
    }

    #[must_use]
    pub fn too_fast(retry_after: Duration) -> Self {
        let minutes = retry_after.as_secs().div_ceil(60).max(1);
        let says = if minutes == 1 {
            "There were too many tries. Try again in a minute.".to_owned()
        } else {
            format!("There were too many tries. Try again in {minutes} minutes.")
        };
        Self {
            retry_after: Some(retry_after),
            ..Self::new(&kinds::TOO_FAST, says)
        }
    }

    /// Cannot be answered at the moment.
    #[must_use]
    pub fn unavailable(says: impl Into<String>) -> Self {
        Self {
            retry_after: Some(Duration::from_secs(5)),
            ..Self::new(&kinds::UNAVAILABLE, says)
        }
    }

    /// Our own fault. What it was stays in the log, under the request's number.
    #[must_use]
    pub fn ours() -> Self {
        Self::new(&kinds::OURS, "This is our fault, not yours.")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.title, self.says)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    /// Only the status: the edge knows how to draw the rest.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status())
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Missing(what) => Self::missing(what),
            DeskError::Invalid(issues) => Self::invalid(issues),
            DeskError::NotNow { code, message } => Self::not_now(code, message),
            DeskError::Blocked(blockers) => Self {
                blockers,
                ..Self::not_now(
                    "blocked",
                    "Something is missing before this pair can be activated.",
                )
            },
            DeskError::TooFast { retry_after } => Self::too_fast(retry_after),
            DeskError::Fault(fault) => Self::of_vendor(&fault),
            DeskError::Store(error) => error.into(),
            DeskError::Vault(error) => {
                tracing::error!(%error, "the vault refused");
                Self::ours()
            }
        }
    }
}

impl Problem {
    fn of_vendor(fault: &Fault) -> Self {
        match fault {
            Fault::RateLimited { retry_after, .. } => Self {
                retry_after: Some(*retry_after),
                ..Self::unavailable(fault.to_string())
            },
            _ => Self::new(&kinds::VENDOR, fault.to_string()),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing(what) => Self::missing(what),
            StoreError::Stale(_) | StoreError::Taken(_) => {
                let mut says = error.to_string();
                if let Some(first) = says.get_mut(..1) {
                    first.make_ascii_uppercase();
                }
                Self::not_now("stale", format!("{says}."))
            }
            StoreError::Stopping => Self::unavailable("The program is stopping."),
            StoreError::NotDone => Self::unavailable("Nothing was done. Try again."),
            StoreError::Database(ref cause) => {
                tracing::error!(%cause, "the database did not do it");
                Self::unavailable("The database does not answer.")
            }
            StoreError::Corrupt { .. } => {
                tracing::error!(%error, "a stored value cannot be read");
                Self::ours()
            }
        }
    }
}

/// RFC 9457, as the API answers every failure.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    pub detail: String,
    /// One entry for every wrong field; empty when no field is to blame.
    pub errors: Vec<FieldError>,
    pub request_id: String,
    /// What stands against activating a pair.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blockers: Vec<BlockerView>,
}

/// What stands against activating a pair.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BlockerView {
    pub code: String,
    pub message: String,
    pub subject: String,
}

impl From<Blocker> for BlockerView {
    fn from(blocker: Blocker) -> Self {
        Self {
            code: blocker.code,
            message: blocker.message,
            subject: blocker.subject,
        }
    }
}

impl ProblemBody {
    #[must_use]
    pub fn new(problem: &Problem, request_id: &str) -> Self {
        Self {
            kind: format!("urn:ml-connector:problem:{}", problem.code),
            title: problem.kind.title.to_owned(),
            status: problem.kind.status,
            detail: problem.says.clone(),
            errors: problem.errors.clone(),
            request_id: request_id.to_owned(),
            blockers: problem.blockers.iter().cloned().map(Into::into).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_status() {
        let blocker = Blocker {
            code: "a".into(),
            message: "b".into(),
            subject: "c".into(),
        };
        for (error, status) in [
            (DeskError::Missing("pair"), 404),
            (DeskError::invalid("name", "missing", "Enter a name."), 422),
            (DeskError::not_now("held", "Not held."), 409),
            (DeskError::Blocked(vec![blocker]), 409),
            (
                DeskError::TooFast {
                    retry_after: Duration::from_secs(61),
                },
                429,
            ),
            (
                DeskError::Fault(Fault::rejected("a", "b", "The supplier is blocked.")),
                502,
            ),
            (DeskError::Store(StoreError::Stale("the record")), 409),
            (DeskError::Store(StoreError::Stopping), 503),
        ] {
            let problem = Problem::from(error);
            assert_eq!(problem.kind.status, status, "{problem}");
            assert!(problem.says.ends_with('.'), "{problem}");
        }
    }

    #[test]
    fn fields_become_pointers() {
        for (field, pointer) in [("name", "/name"), ("/rows/3", "/rows/3"), ("", "")] {
            let error = FieldError::from(Issue::new(field, "x", "y"));
            assert_eq!(error.pointer, pointer);
        }
    }
}
