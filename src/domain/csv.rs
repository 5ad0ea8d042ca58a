//! Rows of a table as RFC 4180 writes them, safe to open in a spreadsheet: a text that one would take for a formula
//! gets a quotation mark in front.

/// What a spreadsheet begins a formula or a command with, in both widths.
pub const FORMULA: &[char] = &[
    '=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
];
/// Stands before what would be one.
pub const QUOTE: char = '\'';

/// One row with its line end.
#[must_use]
pub fn row<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    format!("{}\r\n", cells.join(","))
}

fn cell(text: &str) -> String {
    let guarded = if is_guarded(text) {
        format!("{QUOTE}{text}")
    } else {
        text.to_owned()
    };
    // Blanks at the ends are lost by some programs, and by our own reader, unless they are quoted.
    if guarded.contains([',', '"', '\n', '\r']) || guarded.trim() != guarded {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

/// Numbers stay as they are. A text that begins with the mark itself gets one more, so that whoever takes one off
/// is always right.
fn is_guarded(text: &str) -> bool {
    let is_number = text.strip_prefix('-').is_some_and(|digits| {
        let is_part = |letter: char| letter.is_ascii_digit() || letter == '.';
        !digits.is_empty() && digits.chars().all(is_part)
    });
    text.starts_with(QUOTE) || (text.starts_with(FORMULA) && !is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_open_inert() {
        for (text, written) in [
            ("plain", "plain"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("say \"so\"", "\"say \"\"so\"\"\""),
            ("a\nb", "\"a\nb\""),
            ("=1+1", "'=1+1"),
            ("+49 30 1", "'+49 30 1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"),
            ("-12.50", "-12.50"),
            ("-", "'-"),
            ("\tx", "'\tx"),
            ("\rx", "\"'\rx\""),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("'quoted", "''quoted"),
        ] {
            assert_eq!(cell(text), written, "{text:?}");
        }
        assert_eq!(row(["a", "=b", ""]), "a,'=b,\r\n");
    }
}
