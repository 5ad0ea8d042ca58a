//! Characters that a line of a log or of the trail may not hold as they are.

use std::borrow::Cow;
use std::fmt::Write;

/// Writes out, as `\u{1b}`, what could break a line, colour a terminal or turn the reading direction.
/// Everything else stays as it is.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_deceptive) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len().saturating_add(16));
    for letter in text.chars() {
        if is_deceptive(letter) {
            // Writing to a string cannot fail.
            let _ = write!(written, "{}", letter.escape_unicode());
        } else {
            written.push(letter);
        }
    }
    Cow::Owned(written)
}

/// Controls (line ends, escape sequences), the other line ends of Unicode, marks that reorder text.
#[must_use]
pub fn is_deceptive(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_out_and_what_stays() {
        for (text, shown) in [
            ("Müller & Söhne — 建設", "Müller & Söhne — 建設"),
            ("one\r\ntwo", "one\\u{d}\\u{a}two"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("\u{9b}31mred", "\\u{9b}31mred"),
            ("gnp\u{202e}exe", "gnp\\u{202e}exe"),
            (
                "a\u{2028}b\u{2066}c\u{200f}",
                "a\\u{2028}b\\u{2066}c\\u{200f}",
            ),
            ("", ""),
        ] {
            assert_eq!(visible(text), shown);
        }
    }
}
