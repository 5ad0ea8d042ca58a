//! One call as a simulator sees it.

use actix_web::HttpRequest;
use actix_web::web::Bytes;
use serde_json::Value;

/// Method, path, query, headers and body of one request. Names of headers are lower case.
#[derive(Debug, Clone, Default)]
pub struct Call {
    pub method: String,
    /// Without the query, still percent-encoded.
    pub path: String,
    /// Decoded, in the order given.
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Call {
    pub(super) fn read(request: &HttpRequest, body: Bytes) -> Self {
        let headers = request.headers().iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        Self {
            method: request.method().as_str().to_owned(),
            path: request.uri().path().to_owned(),
            query: pairs(request.query_string().as_bytes()),
            headers: headers.collect(),
            body,
        }
    }

    /// The parts of the path, percent-decoded, without empty ones.
    #[must_use]
    pub fn segments(&self) -> Vec<String> {
        let parts = self.path.split('/').filter(|part| !part.is_empty());
        parts.map(decode).collect()
    }

    /// The first value of a query parameter.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Every value of a repeated query parameter.
    #[must_use]
    pub fn queries(&self, name: &str) -> Vec<&str> {
        let named = self.query.iter().filter(|(key, _)| key == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The first header of this name, which is given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The token after `Bearer`, if there is one.
    #[must_use]
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// The body as JSON; an empty body is `null`.
    ///
    /// # Errors
    /// The parser's words when the body is not JSON.
    pub fn json(&self) -> Result<Value, String> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.body).map_err(|error| error.to_string())
    }

    /// The body as an urlencoded form.
    #[must_use]
    pub fn form(&self) -> Vec<(String, String)> {
        pairs(&self.body)
    }

    /// The body as the ledger keeps it: JSON, else a form as an object, else text.
    pub(super) fn recorded(&self) -> Value {
        if let Ok(value) = self.json() {
            return value;
        }
        let kind = self.header("content-type").unwrap_or_default();
        if kind.starts_with("application/x-www-form-urlencoded") {
            let fields = self.form().into_iter();
            return fields
                .map(|(name, text)| (name, Value::from(text)))
                .collect();
        }
        Value::from(String::from_utf8_lossy(&self.body).into_owned())
    }

    /// The method and the path with numbers as `{n}`, under which calls are counted.
    pub(super) fn route(&self) -> String {
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let parts = self.path.split('/');
        let named: Vec<&str> = parts
            .map(|part| if is_number(part) { "{n}" } else { part })
            .collect();
        format!("{} {}", self.method, named.join("/"))
    }
}

fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(encoded).into_owned().collect()
}

/// A plus sign in a path is itself, unlike in a query.
fn decode(part: &str) -> String {
    let kept = part.replace('+', "%2B");
    let mut decoded = url::form_urlencoded::parse(kept.as_bytes());
    match decoded.next() {
        Some((name, value)) if value.is_empty() => name.into_owned(),
        _ => part.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(path: &str) -> Call {
        Call {
            method: "GET".into(),
            path: path.into(),
            ..Call::default()
        }
    }

    #[test]
    fn a_path_is_split_and_decoded() {
        let parts = call("/rest//v1.0/a%2Fb/c+d/e=f").segments();
        assert_eq!(parts, ["rest", "v1.0", "a/b", "c+d", "e=f"]);
    }

    #[test]
    fn calls_are_counted_without_their_numbers() {
        assert_eq!(call("/vendors/17/x9").route(), "GET /vendors/{n}/x9");
    }

    #[test]
    fn the_bearer_word_has_no_case() {
        let mut call = call("/");
        call.headers
            .push(("authorization".into(), "bearer abc".into()));
        assert_eq!(call.bearer(), Some("abc"));
        call.headers = vec![("authorization".into(), "Basic abc".into())];
        assert_eq!(call.bearer(), None);
    }
}
