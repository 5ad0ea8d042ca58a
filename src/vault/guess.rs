//! Passwords that are guessed first: the common ones, what people do to them, patterns, our own words.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::password::Refused;

/// Thirty thousand of them; lines that begin with `# ` hold the licence.
static COMMON: LazyLock<HashSet<&str>> =
    LazyLock::new(|| words(include_str!("lists/common_passwords.txt")));

/// Words that anybody who knows the product tries.
static PRODUCT: LazyLock<HashSet<&str>> =
    LazyLock::new(|| words(include_str!("lists/product_words.txt")));

/// Ways a finger walks over a keyboard or a mind over the alphabet, forwards.
const WALKS: &[&str] = &[
    "abcdefghijklmnopqrstuvwxyz",
    "1234567890",
    "0123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// A repeated piece of so few characters is a pattern, whatever it says.
const PIECE_MAX: usize = 4;

/// Whether a password, in lower case, is among those guessed first.
pub(super) fn check(password: &str) -> Result<(), Refused> {
    if is_common(password) || is_walk(password) {
        return Err(Refused::Common);
    }
    if is_product_words(password) {
        return Err(Refused::ProductWords);
    }
    Ok(())
}

fn words(list: &'static str) -> HashSet<&'static str> {
    list.lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# ") && *line != "#")
        .collect()
}

/// On the list, as it is, or as a piece said over and over, or with digits and marks put around it.
fn is_common(password: &str) -> bool {
    let length = password.chars().count();
    let core = password.trim_matches(|letter: char| !letter.is_alphabetic());
    let is_mostly_core = core.chars().count().saturating_mul(2) >= length;
    let piece = repeated_piece(password);
    let is_piece_short = piece.chars().count() <= PIECE_MAX;
    COMMON.contains(password)
        || is_mostly_core && COMMON.contains(core)
        || piece.len() < password.len() && (is_piece_short || COMMON.contains(piece))
}

/// The shortest beginning that, said over and over, gives the text; the text itself where there is none.
fn repeated_piece(text: &str) -> &str {
    let cuts = text.char_indices().map(|(at, _)| at).skip(1);
    cuts.filter_map(|at| Some((text.get(..at)?, text.get(at..)?)))
        // Shifted by one piece, a repeated text lies on itself.
        .find(|(_, rest)| text.starts_with(rest))
        .map_or(text, |(piece, _)| piece)
}

/// One walk from end to end, perhaps begun again, forwards or backwards.
fn is_walk(password: &str) -> bool {
    let backwards: String = password.chars().rev().collect();
    WALKS.iter().any(|walk| {
        let times = password.len().div_ceil(walk.len()).saturating_add(1);
        let walked = walk.repeat(times);
        walked.contains(password) || walked.contains(&backwards)
    })
}

/// Nothing but words of the product, with digits and marks between them.
fn is_product_words(password: &str) -> bool {
    let letters: String = password
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .collect();
    let mut reached = HashSet::from([0]);
    let mut has_word = false;
    for (at, letter) in letters.char_indices() {
        if !reached.contains(&at) {
            continue;
        }
        if letter.is_numeric() {
            reached.insert(at.saturating_add(letter.len_utf8()));
        }
        let rest = letters.get(at..).unwrap_or_default();
        for word in PRODUCT.iter().filter(|word| rest.starts_with(**word)) {
            reached.insert(at.saturating_add(word.len()));
            has_word = true;
        }
    }
    has_word && reached.contains(&letters.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_long_enough_and_holds_no_licence() {
        assert_eq!(COMMON.len(), 30_000);
        assert!(COMMON.contains("password") && !COMMON.iter().any(|word| word.contains("MIT")));
    }

    #[test]
    fn the_shortest_repeated_piece_is_found() {
        for (text, piece) in [
            ("abab", "ab"),
            ("ababa", "ab"),
            ("aaaa", "a"),
            ("abcd", "abcd"),
            ("\u{e4}\u{e4}", "\u{e4}"),
        ] {
            assert_eq!(repeated_piece(text), piece, "{text}");
        }
    }
}
