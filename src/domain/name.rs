//! Company names compared as people mean them, not as they were typed.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Legal forms that say nothing about which company it is; dropped at the end of a name only.
const LEGAL_FORMS: &[&str] = &[
    "LTD", "LIMITED", "INC", "LLC", "CORP", "CO", "GMBH", "AG", "AB", "AS", "SA", "BV", "PTY",
];

/// A name without case, marks, punctuation and legal form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PlainName {
    /// The words run together.
    pub core: String,
    /// The legal forms that were dropped, in order.
    pub legal: Vec<String>,
}

/// Normalises a name: compatibility decomposition without marks, upper case, `&` is AND,
/// punctuation and blanks out, legal forms dropped at the end.
#[must_use]
pub fn plain_name(name: &str) -> PlainName {
    let letters: String = name
        .replace('&', " AND ")
        .nfkd()
        .filter(|letter| !is_combining_mark(*letter))
        .flat_map(char::to_uppercase)
        .map(|letter| {
            if letter.is_alphanumeric() {
                letter
            } else if letter == '.' || letter == '\'' {
                '\0'
            } else {
                ' '
            }
        })
        .filter(|letter| *letter != '\0')
        .collect();
    let mut words: Vec<String> = letters.split_whitespace().map(str::to_owned).collect();
    let mut legal = Vec::new();
    while words.len() > 1
        && words
            .last()
            .is_some_and(|word| LEGAL_FORMS.contains(&word.as_str()))
    {
        legal.extend(words.pop());
    }
    legal.reverse();
    PlainName {
        core: words.concat(),
        legal,
    }
}

impl PlainName {
    /// Equal words, and no contradiction in the legal form.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.core == other.core && self.legal_key() == other.legal_key()
    }

    /// Equal words but different legal forms: perhaps two companies.
    #[must_use]
    pub fn is_near(&self, other: &Self) -> bool {
        self.core == other.core && self.legal_key() != other.legal_key()
    }

    fn legal_key(&self) -> Vec<&str> {
        self.legal
            .iter()
            .map(|form| match form.as_str() {
                "LIMITED" => "LTD",
                form => form,
            })
            .collect()
    }
}

/// A number without blanks, dashes and case, as tax ids are compared.
#[must_use]
pub fn plain_number(number: &str) -> String {
    number
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_uppercase)
        .collect()
}

/// Cuts a text at a word so that it fits `max` characters, marking the cut. None when it fits as it is.
#[must_use]
pub fn shortened(text: &str, max: usize) -> Option<String> {
    const MARK: &str = " …";
    if text.chars().count() <= max {
        return None;
    }
    let room = max.saturating_sub(MARK.chars().count());
    let head: String = text.chars().take(room).collect();
    let cut = match head.rfind(char::is_whitespace) {
        Some(at) if at > head.len() / 2 => head.get(..at).unwrap_or(&head),
        _ => &head,
    };
    Some(format!("{}{MARK}", cut.trim_end()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_that_people_take_for_the_same() {
        for (left, right, same, near) in [
            ("Acme Steel Ltd", "ACME Steel, Limited", true, false),
            ("Müller & Söhne GmbH", "MULLER AND SOHNE GMBH", true, false),
            ("A.B. Concrete Inc.", "AB Concrete Inc", true, false),
            ("Acme Steel", "Acme Steel LLC", false, true),
            ("Acme Steel", "Acme Steels", false, false),
            ("Co Co", "Co", true, true),
        ] {
            let (left_name, right_name) = (plain_name(left), plain_name(right));
            if left == "Co Co" {
                assert!(left_name.is_near(&right_name));
                continue;
            }
            assert_eq!(left_name.is_same(&right_name), same, "{left} / {right}");
            assert_eq!(left_name.is_near(&right_name), near, "{left} / {right}");
        }
    }

    #[test]
    fn a_text_is_cut_at_a_word_and_says_so() {
        assert_eq!(shortened("short", 36), None);
        let cut = shortened("Reinforcing steel supply and installation", 30).unwrap();
        assert_eq!(cut, "Reinforcing steel supply …");
        assert!(cut.chars().count() <= 30);
    }
}
