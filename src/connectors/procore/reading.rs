//! Reads a JSON object field by field, and remembers everything that is wrong with it.
//!
//! Unknown fields are left alone; numbers may come as texts and the reverse; what is needed and not
//! there is an issue with its path. Source: Procore REST reference, read 2026-11-22: amounts are texts in
//! most replies and numbers in some, ids are numbers in v1 and texts in v2.

use std::cell::RefCell;

use rust_decimal::Decimal;
use serde_json::{Map, Value};
use time::Date;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::domain::clock::Timestamp;
use crate::domain::fault::Issue;
use crate::domain::money::Currency;

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// What was found wrong so far.
#[derive(Default)]
pub(super) struct Issues(RefCell<Vec<Issue>>);

impl Issues {
    pub(super) fn note(&self, issue: Issue) {
        self.0.borrow_mut().push(issue);
    }

    /// The value that was read, unless something was wrong: stand-ins for what could not be read never
    /// leave this room.
    ///
    /// # Errors
    /// Every issue, in reading order.
    pub(super) fn finish<T>(self, value: T) -> Result<T, Vec<Issue>> {
        let issues = self.0.into_inner();
        if issues.is_empty() {
            Ok(value)
        } else {
            Err(issues)
        }
    }
}

/// One object and where it lies.
pub(super) struct Reading<'a> {
    issues: &'a Issues,
    fields: Option<&'a Map<String, Value>>,
    path: String,
}

impl<'a> Reading<'a> {
    /// Begins at an object; anything else is an issue at `path`.
    pub(super) fn of(issues: &'a Issues, value: &'a Value, path: &str) -> Self {
        let fields = value.as_object();
        if fields.is_none() {
            issues.note(Issue::new(path, "mistyped", "is no object"));
        }
        Self {
            issues,
            fields,
            path: path.to_owned(),
        }
    }

    /// An object within; nothing when it is absent or null.
    pub(super) fn object(&self, name: &str) -> Option<Reading<'a>> {
        let value = self.value(name)?;
        Some(Reading::of(self.issues, value, &self.at(name)))
    }

    /// A field that is there and not null.
    fn value(&self, name: &str) -> Option<&'a Value> {
        self.fields?.get(name).filter(|value| !value.is_null())
    }

    /// The path of a field.
    pub(super) fn at(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}/{name}", self.path)
        }
    }

    fn mistyped<T>(&self, name: &str, wanted: &str) -> Option<T> {
        let found = self.value(name).map(kind).unwrap_or_default();
        let message = format!("should be {wanted} and is {found}");
        self.issues
            .note(Issue::new(self.at(name), "mistyped", message));
        None
    }

    /// Notes that a needed field has no value. Absent breaks the documented shape; empty is a gap that a
    /// person can fill.
    fn lacking(&self, name: &str) {
        // A parent that is no object has been noted already.
        let Some(fields) = self.fields else { return };
        let issue = if fields.contains_key(name) {
            Issue::new(self.at(name), "empty", "is empty")
        } else {
            Issue::new(self.at(name), "missing", "is missing")
        };
        self.issues.note(issue);
    }

    fn needed<T>(&self, name: &str, read: impl Fn() -> Option<T>) -> Option<T> {
        let found = read();
        let is_noted = found.is_none() && self.value(name).is_some_and(|value| !is_blank(value));
        if found.is_none() && !is_noted {
            self.lacking(name);
        }
        found
    }

    /// A key, as its digits.
    pub(super) fn key(&self, name: &str) -> String {
        self.needed(name, || self.key_if_any(name))
            .unwrap_or_default()
    }

    pub(super) fn key_if_any(&self, name: &str) -> Option<String> {
        let value = self.value(name).filter(|value| !is_blank(value))?;
        key(value).or_else(|| self.mistyped(name, "a whole number"))
    }

    /// A text that must not be blank.
    pub(super) fn text(&self, name: &str) -> String {
        self.needed(name, || self.text_if_any(name))
            .unwrap_or_default()
    }

    /// A text as it is; nothing when it is blank.
    pub(super) fn text_if_any(&self, name: &str) -> Option<String> {
        match self.value(name)? {
            value if is_blank(value) => None,
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => self.mistyped(name, "a text"),
        }
    }

    /// An exact decimal.
    pub(super) fn amount(&self, name: &str) -> Decimal {
        self.needed(name, || self.amount_if_any(name))
            .unwrap_or_default()
    }

    pub(super) fn amount_if_any(&self, name: &str) -> Option<Decimal> {
        let value = self.value(name).filter(|value| !is_blank(value))?;
        decimal(value).or_else(|| self.mistyped(name, "a decimal number of at most 28 digits"))
    }

    /// A calendar day. An instant stands for its day as written.
    pub(super) fn day_if_any(&self, name: &str) -> Option<Date> {
        let text = self.text_if_any(name)?;
        let day = text.trim().get(..10).unwrap_or(&text);
        Date::parse(day, DAY)
            .ok()
            .or_else(|| self.mistyped(name, "a day such as 2026-11-24"))
    }

    pub(super) fn moment_if_any(&self, name: &str) -> Option<Timestamp> {
        let text = self.text_if_any(name)?;
        moment(&text).or_else(|| self.mistyped(name, "a time such as 2026-11-24T15:04:05Z"))
    }

    pub(super) fn flag_or(&self, name: &str, usual: bool) -> bool {
        match self.value(name) {
            None => usual,
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(word)) if word == "true" => true,
            Some(Value::String(word)) if word == "false" => false,
            Some(_) => self.mistyped(name, "true or false").unwrap_or(usual),
        }
    }

    /// The code inside `currency_configuration`.
    ///
    /// Source: Procore REST reference, contracts and their line items, read 2026-11-22.
    pub(super) fn currency_if_any(&self) -> Option<Currency> {
        let configuration = self.object("currency_configuration")?;
        configuration.code_if_any("currency_iso_code")
    }

    /// A currency's code.
    pub(super) fn code_if_any(&self, name: &str) -> Option<Currency> {
        let code = self.text_if_any(name)?;
        code.parse()
            .ok()
            .or_else(|| self.mistyped(name, "a code of three letters"))
    }
}

/// An id as its digits.
pub(super) fn key(value: &Value) -> Option<String> {
    let number: i64 = match value {
        Value::Number(number) => number.as_i64()?,
        Value::String(digits) => digits.trim().parse().ok()?,
        _ => return None,
    };
    Some(number.to_string())
}

/// A decimal without loss: too many digits is no decimal.
pub(super) fn decimal(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let is_plain = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte))
    };
    let Some((digits, exponent)) = text.split_once(['e', 'E']) else {
        return is_plain(&text)
            .then(|| Decimal::from_str_exact(&text).ok())
            .flatten();
    };
    let digits = is_plain(digits).then_some(digits)?;
    let digits = Decimal::from_str_exact(digits).ok()?.normalize();
    shifted(digits, exponent.parse().ok()?)
}

/// `digits` × 10^`exponent`, exactly.
fn shifted(digits: Decimal, exponent: i32) -> Option<Decimal> {
    let scale = i32::try_from(digits.scale()).ok()?.checked_sub(exponent)?;
    if scale >= 0 {
        let scale = u32::try_from(scale).ok().filter(|scale| *scale <= 28)?;
        return Decimal::try_from_i128_with_scale(digits.mantissa(), scale).ok();
    }
    let power = 10_i128.checked_pow(scale.unsigned_abs())?;
    Decimal::try_from_i128_with_scale(digits.mantissa().checked_mul(power)?, 0).ok()
}

fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let exact = text.parse().ok();
    let utc = || format!("{text}Z").parse().ok();
    exact
        .or_else(utc)
        .or_else(|| format!("{text}T00:00:00Z").parse().ok())
}

fn is_blank(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.trim().is_empty())
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("\"{}\"", text.chars().take(40).collect::<String>()),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decimal_of(json_text: &str) -> Option<String> {
        let value: Value = serde_json::from_str(json_text).unwrap();
        decimal(&value).map(|decimal| decimal.to_string())
    }

    #[test]
    fn decimals_are_exact_or_none() {
        let table = [
            (r#""12500.0""#, Some("12500.0")),
            ("12500.00", Some("12500.00")),
            (r#"" -3.333 ""#, Some("-3.333")),
            ("0.1", Some("0.1")),
            ("1.25e3", Some("1250")),
            ("125E-4", Some("0.0125")),
            (r#""1,250.00""#, None),
            (r#""1_250""#, None),
            (r#""96.36%""#, None),
            (r#""""#, None),
            ("true", None),
            ("1e400", None),
            ("1e-400", None),
            ("123456789012345678901234567890", None),
            ("0.12345678901234567890123456789012", None),
        ];
        for (text, wanted) in table {
            assert_eq!(decimal_of(text).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn keys_are_digits_however_they_come() {
        for value in [json!(562_949_953_421_377_i64), json!("562949953421377")] {
            assert_eq!(key(&value).as_deref(), Some("562949953421377"));
        }
        for value in [json!("12/../3"), json!(1.5), json!(["1"]), json!("")] {
            assert_eq!(key(&value), None, "{value}");
        }
    }

    #[test]
    fn every_issue_is_named_with_its_path() {
        let body = json!({"id": {}, "number": "", "title": null, "amount": "ten",
            "vendor": [], "day": "soon", "at": "2026-02-30T00:00:00Z", "flag": 7});
        let issues = Issues::default();
        let reading = Reading::of(&issues, &body, "head");
        reading.key("id");
        reading.text("number");
        reading.text("title");
        reading.text("status");
        reading.amount("amount");
        reading.object("vendor").unwrap().key("id");
        reading.day_if_any("day");
        reading.moment_if_any("at");
        reading.flag_or("flag", true);
        let found = issues.finish(()).unwrap_err();
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|issue| (issue.field.as_str(), issue.code.as_str()))
            .collect();
        let wanted = [
            ("head/id", "mistyped"),
            ("head/number", "empty"),
            ("head/title", "empty"),
            ("head/status", "missing"),
            ("head/amount", "mistyped"),
            ("head/vendor", "mistyped"),
            ("head/day", "mistyped"),
            ("head/at", "mistyped"),
            ("head/flag", "mistyped"),
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn what_may_be_absent_is_nothing() {
        let body = json!({"text": "  ", "number": 7, "day": "2026-02-01T09:00:00Z",
            "at": "2026-02-01", "flag": "false"});
        let issues = Issues::default();
        let reading = Reading::of(&issues, &body, "");
        assert_eq!(reading.text_if_any("text"), None);
        assert_eq!(reading.text_if_any("number").as_deref(), Some("7"));
        assert_eq!(reading.amount_if_any("none"), None);
        assert_eq!(reading.day_if_any("day").unwrap().to_string(), "2026-02-01");
        assert_eq!(
            reading.moment_if_any("at").unwrap().to_string(),
            "2026-02-01T00:00:00Z"
        );
        assert!(!reading.flag_or("flag", true) && reading.flag_or("other", true));
        assert!(issues.finish(()).is_ok());
    }
}
