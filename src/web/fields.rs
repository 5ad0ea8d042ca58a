//! Names with values, as a form or a query string carries them.

use url::form_urlencoded;

use crate::domain::clock::{NotATime, Timestamp};

/// Every pair in order. A name may come more than once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

/// More pairs than any page of ours sends.
const PAIRS_MAX: usize = 20_000;

impl Fields {
    /// Reads `a=1&b=2`. None where a value holds what no text field can: a NUL.
    #[must_use]
    pub fn read(encoded: &[u8]) -> Option<Self> {
        let mut pairs = Vec::new();
        for (name, value) in form_urlencoded::parse(encoded).take(PAIRS_MAX) {
            if name.contains('\0') || value.contains('\0') {
                return None;
            }
            // Browsers send a line break as two characters.
            pairs.push((name.into_owned(), value.replace("\r\n", "\n")));
        }
        Some(Self(pairs))
    }

    /// The first value of a name; empty when it did not come.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// The first value of a name without blanks around it; None when nothing is left.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.get(name).trim()).filter(|value| !value.is_empty())
    }

    /// An instant. A plus sign that was not written as `%2B` arrives as a blank; it is meant as itself.
    #[must_use]
    pub fn instant(&self, name: &str) -> Option<Result<Timestamp, NotATime>> {
        let text = self.given(name)?;
        let parsed = text.parse().or_else(|error| {
            let with_plus = text.replace(' ', "+");
            with_plus.parse().map_err(|_| error)
        });
        Some(parsed)
    }

    /// Every value of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let found = self.0.iter().filter(move |(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether a box was ticked.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        !self.get(name).is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Adds a value beside any other of its name.
    pub fn add(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_owned(), value.into()));
    }

    /// Puts a value in the place of any other of its name.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value.into()));
    }

    /// `?a=1&b=2` without the empty ones, or nothing.
    #[must_use]
    pub fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        match query.finish() {
            query if query.is_empty() => query,
            query => format!("?{query}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_and_written() {
        let fields = Fields::read(b"q=a+b%26c&state=&flow=x&flow=y&on=on&text=a%0D%0Ab").unwrap();
        assert_eq!(fields.get("q"), "a b&c");
        assert_eq!(fields.given("state"), None);
        assert_eq!(fields.all("flow").collect::<Vec<_>>(), ["x", "y"]);
        assert!(fields.is_on("on") && !fields.is_on("off"));
        assert_eq!(fields.get("text"), "a\nb");
        assert_eq!(fields.query(), "?q=a+b%26c&flow=x&flow=y&on=on&text=a%0Ab");
        assert_eq!(Fields::default().query(), "");
        assert_eq!(Fields::read(b"a=%00"), None);
    }
}
