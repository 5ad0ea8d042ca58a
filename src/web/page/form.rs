//! A form that came in: what was typed, and what is wrong with it. Everything but secrets is shown again.

use crate::desk::DeskError;
use crate::domain::fault::Issue;
use crate::web::fields::Fields;
use crate::web::problem::Problem;

/// One form, empty or filled in.
#[derive(Debug, Clone, Default)]
pub struct Form {
    pub fields: Fields,
    errors: Vec<Issue>,
}

impl From<Fields> for Form {
    fn from(fields: Fields) -> Self {
        Self {
            fields,
            errors: Vec::new(),
        }
    }
}

impl Form {
    /// What was typed.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.fields.get(name)
    }

    /// Whether a value was chosen among several of one name.
    #[must_use]
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.fields.all(name).any(|given| given == value)
    }

    /// What is wrong with a field; empty when nothing is.
    #[must_use]
    pub fn error(&self, name: &str) -> &str {
        let found = self.errors.iter().find(|issue| {
            let field = issue.field.trim_start_matches('/');
            field == name || field.replace('/', ".") == name
        });
        found.map_or("", |issue| &issue.message)
    }

    /// Every issue, for the pages that list them.
    #[must_use]
    pub fn errors(&self) -> &[Issue] {
        &self.errors
    }

    #[must_use]
    pub fn count(&self) -> usize {
        self.errors.len()
    }

    /// The form with its errors, where fields are to blame; any other refusal stays a problem.
    ///
    /// # Errors
    /// What no field is to blame for.
    pub fn refused(mut self, error: DeskError) -> Result<Self, Problem> {
        match error {
            DeskError::Invalid(issues) => {
                self.errors = issues.into_iter().map(as_sentence).collect();
                Ok(self)
            }
            other => Err(other.into()),
        }
    }

    /// Adds an error of the page's own.
    #[must_use]
    pub fn with(mut self, issues: Vec<Issue>) -> Self {
        self.errors.extend(issues);
        self
    }
}

/// Issues speak of their field without naming it; beside the field they stand as sentences.
fn as_sentence(mut issue: Issue) -> Issue {
    let mut letters = issue.message.chars();
    if let Some(first) = letters.next() {
        let rest = letters.as_str();
        issue.message = first.to_uppercase().chain(rest.chars()).collect();
    }
    if !issue.message.ends_with(['.', '?', '!', ':']) {
        issue.message.push('.');
    }
    issue
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_form_keeps_what_was_typed_and_says_what_is_wrong() {
        let form = Form::from(Fields::read(b"name=&scopes=read&scopes=admin").unwrap());
        let error = DeskError::Invalid(vec![
            Issue::new("name", "missing", "Enter a name."),
            Issue::new("settings/cono", "missing", "is needed to write"),
        ]);
        let form = form.refused(error).unwrap();
        assert_eq!(form.error("name"), "Enter a name.");
        assert_eq!(form.error("settings.cono"), "Is needed to write.");
        assert_eq!(form.error("scopes"), "");
        assert!(form.has("scopes", "admin") && !form.has("scopes", "approve"));
        assert_eq!(form.count(), 2);
        assert!(Form::default().refused(DeskError::Missing("pair")).is_err());
    }
}
