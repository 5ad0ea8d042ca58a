//! The JSON object that a call brought, read field by field, so that every wrong field is told at once.
//! Fields that nobody reads change nothing.

use serde_json::{Map, Value};

use crate::domain::fault::Issue;
use crate::web::problem::Problem;

/// What was given, and what is wrong with it so far.
#[derive(Debug)]
pub struct Given {
    object: Map<String, Value>,
    issues: Vec<Issue>,
}

impl Given {
    /// Reads a body; none, or `null`, is an empty object.
    ///
    /// # Errors
    /// `malformed`, where it is no JSON object; `invalid`, where a text holds what none can.
    pub fn read(body: &[u8]) -> Result<Self, Problem> {
        let object = if body.is_empty() {
            Map::new()
        } else {
            match parse(body)? {
                Value::Object(object) => object,
                Value::Null => Map::new(),
                _ => return Err(Problem::malformed("Send a JSON object.")),
            }
        };
        Ok(Self {
            object,
            issues: Vec::new(),
        })
    }

    /// Whether the field was named at all, be it with `null`.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    /// A value of any kind; None when it was not given or is `null`.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// A text. Numbers are taken as they are written: ids of vendors come in both forms.
    pub fn text(&mut self, name: &str) -> Option<String> {
        match self.value(name) {
            None => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(_) => self.wrong(name, "Send a text."),
        }
    }

    /// A text that must be there; empty, with an issue, when it is not.
    pub fn needed(&mut self, name: &str, says: &str) -> String {
        if self.value(name).is_none() {
            self.issues.push(Issue::new(name, "missing", says));
            return String::new();
        }
        self.text(name).unwrap_or_default()
    }

    /// `true` or `false`.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        match self.value(name) {
            None => None,
            Some(Value::Bool(flag)) => Some(*flag),
            Some(_) => self.wrong(name, "Send true or false."),
        }
    }

    /// A whole number.
    pub fn number(&mut self, name: &str) -> Option<u32> {
        let text = match self.value(name) {
            None => return None,
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(_) => return self.wrong(name, "Send a whole number."),
        };
        match text.parse() {
            Ok(number) => Some(number),
            Err(_) => self.wrong(name, "Send a whole number."),
        }
    }

    /// A list of texts.
    pub fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.value(name)?;
        let texts: Option<Vec<String>> = value.as_array().and_then(|items| {
            let text = |item: &Value| match item {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            };
            items.iter().map(text).collect()
        });
        match texts {
            Some(texts) => Some(texts),
            None => self.wrong(name, "Send a list of texts."),
        }
    }

    /// Adds something that is wrong.
    pub fn tell(&mut self, issue: Issue) {
        self.issues.push(issue);
    }

    fn wrong<T>(&mut self, name: &str, says: &str) -> Option<T> {
        self.issues.push(Issue::new(name, "wrong_type", says));
        None
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// 422 with everything that was wrong.
    pub fn done(self) -> Result<(), Problem> {
        if self.issues.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(self.issues))
        }
    }
}

/// Any JSON value.
///
/// # Errors
/// `malformed`, where it is no JSON; `invalid`, where a text holds what none can.
pub fn parse(body: &[u8]) -> Result<Value, Problem> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| Problem::malformed(format!("The body is not JSON: {error}.")))?;
    match nul_at(&value, String::new()) {
        Some(pointer) => Err(Problem::invalid(vec![Issue::new(
            pointer,
            "malformed",
            "A text holds the character U+0000.",
        )])),
        None => Ok(value),
    }
}

/// Where a text holds a NUL, which no database keeps.
fn nul_at(value: &Value, at: String) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then_some(at),
        Value::Array(items) => {
            let mut numbered = items.iter().enumerate();
            numbered.find_map(|(index, item)| nul_at(item, format!("{at}/{index}")))
        }
        Value::Object(object) => object.iter().find_map(|(name, item)| {
            if name.contains('\0') {
                return Some(at.clone());
            }
            nul_at(item, format!("{at}/{name}"))
        }),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_they_come() {
        let body = br#"{"name":"x","cono":100,"id":"007","dry":true,"days":"30","flows":["a",2],"gone":null}"#;
        let mut given = Given::read(body).unwrap();
        assert_eq!(given.text("name").as_deref(), Some("x"));
        assert_eq!(given.text("cono").as_deref(), Some("100"));
        assert_eq!(given.text("id").as_deref(), Some("007"));
        assert_eq!(given.flag("dry"), Some(true));
        assert_eq!(given.number("days"), Some(30));
        assert_eq!(given.texts("flows").unwrap(), ["a", "2"]);
        assert_eq!(given.text("gone"), None);
        assert!(given.has("gone") && !given.has("absent"));
        given.done().unwrap();
    }

    #[test]
    fn every_wrong_field_is_told() {
        let body = br#"{"name":{},"dry":"yes","days":-1,"flows":[{}]}"#;
        let mut given = Given::read(body).unwrap();
        given.text("name");
        given.flag("dry");
        given.number("days");
        given.texts("flows");
        given.needed("other", "Say it.");
        let problem = given.done().unwrap_err();
        let pointers: Vec<&str> = problem.errors.iter().map(|e| e.pointer.as_str()).collect();
        assert_eq!(pointers, ["/name", "/dry", "/days", "/flows", "/other"]);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for (body, status) in [
            (&b"{"[..], 400),
            (b"[]", 400),
            (b"\"x\"", 400),
            (b"\xff", 400),
            (br#"{"a":{"b":["x\u0000"]}}"#, 422),
        ] {
            assert_eq!(Given::read(body).unwrap_err().kind.status, status);
        }
        assert!(Given::read(b"").is_ok() && Given::read(b"null").is_ok());
        let deep = "[".repeat(100_000);
        assert!(Given::read(deep.as_bytes()).is_err());
    }
}
