//! Rows of a table as RFC 4180 writes them, safe to open in a spreadsheet: a text that one would take for a
//! formula gets a quotation mark in front, which reading takes off again.

/// What a spreadsheet begins a formula or a command with, in both widths.
const FORMULA: &[char] = &[
    '=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
];
const QUOTE: char = '\'';

/// One line without its end.
pub(super) fn row<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    cells.join(",")
}

fn cell(text: &str) -> String {
    let guarded = if is_guarded(text) {
        format!("{QUOTE}{text}")
    } else {
        text.to_owned()
    };
    if guarded.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

/// Numbers stay as they are. A text that begins with the mark itself gets one more, so that taking one off
/// is always right.
fn is_guarded(text: &str) -> bool {
    let is_number = text.strip_prefix('-').is_some_and(|digits| {
        !digits.is_empty()
            && digits
                .chars()
                .all(|letter| letter.is_ascii_digit() || letter == '.')
    });
    text.starts_with(QUOTE) || (text.starts_with(FORMULA) && !is_number)
}

/// The cells of one line; none where its quotation marks do not match.
pub(super) fn cells(line: &str) -> Option<Vec<String>> {
    let mut cells = Vec::new();
    let mut rest = line;
    loop {
        let (cell, after) = match rest.strip_prefix('"') {
            Some(quoted) => in_quotes(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let (plain, after) = rest.split_at(end);
                (plain.to_owned(), after)
            }
        };
        cells.push(plain(cell));
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Some(cells),
            None => return None,
        }
    }
}

/// Up to the closing mark; two marks stand for one.
fn in_quotes(mut rest: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    loop {
        let (before, after) = rest.split_once('"')?;
        text.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                text.push('"');
                rest = more;
            }
            None => return Some((text, after)),
        }
    }
}

fn plain(cell: String) -> String {
    match cell.strip_prefix(QUOTE) {
        Some(text) if text.starts_with(QUOTE) || text.starts_with(FORMULA) => text.to_owned(),
        _ => cell,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn formulas_open_inert_and_everything_reads_back() {
        for (text, written) in [
            ("plain", "plain"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("say \"so\"", "\"say \"\"so\"\"\""),
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
            ("'=1", "''=1"),
            ("=1,2", "\"'=1,2\""),
        ] {
            assert_eq!(cell(text), written, "{text:?}");
            assert_eq!(cells(written).unwrap(), [text], "{written:?}");
        }
        let all = ["=1", "a,b", "", "\"", "'"];
        assert_eq!(cells(&row(all)).unwrap(), all);
    }

    #[test]
    fn marks_that_do_not_match_are_noticed() {
        assert_eq!(cells("\"open"), None);
        assert_eq!(cells("\"a\"b,c"), None);
        assert_eq!(cells("a,,b").unwrap(), ["a", "", "b"]);
    }
}
