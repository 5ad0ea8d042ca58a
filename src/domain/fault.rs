//! Why something did not work, classified by what happens next.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One thing wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// Path in the record or form: `lines/3/unit`, `credentials/ionapi`.
    pub field: String,
    /// Stable word for programs: `unmapped`, `too_long`, or the vendor's own code.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

impl Issue {
    #[must_use]
    pub fn new(
        field: impl Into<String>,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            field: field.into(),
            code: code.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.field, self.message)
        }
    }
}

/// The outcome of a call that did not work. A variant exists only where the engine acts differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "class", rename_all = "snake_case")]
pub enum Fault {
    /// Nothing happened; later may work.
    #[error("{message}")]
    Transient { code: String, message: String },
    /// Too fast: the whole connection slows down.
    #[error("{message}")]
    RateLimited {
        #[serde(rename = "retry_after_ms", with = "as_ms")]
        retry_after: Duration,
        message: String,
    },
    /// Logging in failed, or a right is missing.
    #[error("{message}")]
    Auth { code: String, message: String },
    /// The target refuses these data.
    #[error("{}", first(issues))]
    Rejected { issues: Vec<Issue> },
    /// Changed, or exists, since we looked.
    #[error("{message}")]
    Conflict { code: String, message: String },
    /// A thing we point at is gone.
    #[error("{message}")]
    Missing { what: String, message: String },
    /// Sent, and no usable answer: it may or may not have landed.
    #[error("{message}")]
    Ambiguous { code: String, message: String },
    /// The reply breaks its documented shape.
    #[error("{message}")]
    Broken { code: String, message: String },
}

impl Fault {
    /// A refusal for one reason.
    #[must_use]
    pub fn rejected(field: &str, code: &str, message: impl Into<String>) -> Self {
        Self::Rejected {
            issues: vec![Issue::new(field, code, message)],
        }
    }

    /// The class as the API names it.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Transient { .. } => "transient",
            Self::RateLimited { .. } => "rate_limited",
            Self::Auth { .. } => "auth",
            Self::Rejected { .. } => "rejected",
            Self::Conflict { .. } => "conflict",
            Self::Missing { .. } => "missing",
            Self::Ambiguous { .. } => "ambiguous",
            Self::Broken { .. } => "broken",
        }
    }

    /// A stable word for programs and for grouping.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Transient { code, .. }
            | Self::Auth { code, .. }
            | Self::Conflict { code, .. }
            | Self::Ambiguous { code, .. }
            | Self::Broken { code, .. } => code,
            Self::RateLimited { .. } => "rate_limited",
            Self::Missing { what, .. } => what,
            Self::Rejected { issues } => issues.first().map_or("rejected", |issue| &issue.code),
        }
    }

    /// What records are grouped by that are mended together: class, code and field. Lines count as one field.
    #[must_use]
    pub fn cause(&self) -> String {
        let mut parts = vec![self.class().to_owned(), self.code().to_owned()];
        if let Some(issue) = self.issues().first() {
            parts.extend(issue.field.split('/').map(any_line).map(str::to_owned));
        }
        parts.retain(|part| !part.is_empty());
        parts.join("/")
    }

    /// What is wrong with which field; empty where no field is to blame.
    #[must_use]
    pub fn issues(&self) -> &[Issue] {
        match self {
            Self::Rejected { issues } => issues,
            _ => &[],
        }
    }
}

/// A number in a path is a line's place.
fn any_line(part: &str) -> &str {
    if part.chars().all(|letter| letter.is_ascii_digit()) && !part.is_empty() {
        "*"
    } else {
        part
    }
}

fn first(issues: &[Issue]) -> String {
    match issues {
        [] => "refused without a reason".to_owned(),
        [only] => only.to_string(),
        [head, rest @ ..] => format!("{head} (and {} more)", rest.len()),
    }
}

mod as_ms {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(wait: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

/// Every value, or every reason why not: nothing is reported one at a time.
///
/// # Errors
/// All issues of all items, in order.
pub fn all_or_issues<T>(
    items: impl IntoIterator<Item = Result<T, Vec<Issue>>>,
) -> Result<Vec<T>, Vec<Issue>> {
    let (mut values, mut issues) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            Ok(value) => values.push(value),
            Err(found) => issues.extend(found),
        }
    }
    if issues.is_empty() {
        Ok(values)
    } else {
        Err(issues)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_that_are_mended_together_have_one_cause() {
        let refused = |field: &str| Fault::rejected(field, "XRE0103", "says").cause();
        assert_eq!(refused("lines/1/PUUN"), refused("lines/12/PUUN"));
        assert_eq!(refused("lines/1/PUUN"), "rejected/XRE0103/lines/*/PUUN");
        assert_ne!(refused("lines/1/PUUN"), refused("lines/1/ITNO"));
        assert_eq!(refused(""), "rejected/XRE0103");
        let auth = Fault::Auth {
            code: "http_401".to_owned(),
            message: "whatever it says".to_owned(),
        };
        assert_eq!(auth.cause(), "auth/http_401");
        assert_eq!(
            Fault::Rejected { issues: vec![] }.cause(),
            "rejected/rejected"
        );
    }
}
