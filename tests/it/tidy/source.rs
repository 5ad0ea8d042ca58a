//! The project's files as the laws read them: whole, without comments and literals, and without tests.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// One file. The three texts have the same length, so that an offset means the same place in each.
#[derive(Clone)]
pub struct Source {
    /// From the project's root, with `/`.
    pub path: String,
    /// As it stands on disk.
    pub text: String,
    /// Without what `#[cfg(test)]` covers.
    pub product: String,
    /// `product` without comments, and without what stands between quotes.
    pub code: String,
}

impl Source {
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let (path, text) = (path.into(), text.into());
        let bare = blank(&text, &comments_and_literals(&text));
        let mut tests = test_items(&bare);
        if is_test_file(&path) {
            tests.push(0..text.len());
        }
        let (product, code) = (blank(&text, &tests), blank(&bare, &tests));
        Source {
            path,
            text,
            product,
            code,
        }
    }

    /// `file:line` of an offset.
    pub fn place(&self, at: usize) -> String {
        let line = 1 + self.text.as_bytes()[..at]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        format!("{}:{line}", self.path)
    }
}

/// Fails with every offence, one a line.
pub fn report(law: &str, offences: Vec<String>) {
    let count = offences.len();
    assert!(
        offences.is_empty(),
        "{law}\n  {}\n{count} to mend",
        offences.join("\n  ")
    );
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn rust_files(folder: &str) -> Vec<Source> {
    files_under(folder, "rs")
}

/// The files with this extension under a folder, sorted by path; none where the folder is not there yet.
pub fn files_under(folder: &str, extension: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root().join(folder), extension, &mut found);
    found.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a source file is readable text");
        let relative = path
            .strip_prefix(root())
            .expect("it was found under the root");
        Source::new(relative.to_string_lossy().replace('\\', "/"), text)
    };
    found.into_iter().map(read).collect()
}

fn collect(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.expect("a folder can be listed").path()) {
        if path.is_dir() {
            collect(&path, extension, found);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

fn is_test_file(path: &str) -> bool {
    path.starts_with("tests/") || path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// The text with these ranges overwritten by blanks; line breaks stay.
fn blank(text: &str, ranges: &[Range<usize>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for range in ranges {
        for byte in &mut bytes[range.clone()] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    String::from_utf8(bytes).expect("ranges begin and end between characters")
}

/// What each `#[cfg(test)]` covers: up to the end of the block or statement that follows.
fn test_items(code: &str) -> Vec<Range<usize>> {
    code.match_indices("#[cfg(test)]")
        .map(|(start, _)| start..item_end(code, start))
        .collect()
}

fn item_end(code: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, byte) in code.as_bytes()[start..].iter().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth <= 1 => return start + offset + 1,
            b'}' => depth -= 1,
            b';' if depth == 0 => return start + offset + 1,
            _ => {}
        }
    }
    code.len()
}

/// Comments whole; strings and characters without their quotes.
fn comments_and_literals(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(text, at);
        if let Some(range) = end {
            at = range.end.max(at) + usize::from(range.start > at);
            ranges.push(range);
        } else {
            at += 1;
        }
    }
    ranges
}

/// The comment or literal that begins here, if one does.
fn literal_end(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = &text.as_bytes()[at..];
    let in_word = at > 0 && is_word(text.as_bytes()[at - 1]);
    match rest {
        [b'/', b'/', ..] => Some(at..at + find(rest, b"\n").unwrap_or(rest.len())),
        [b'/', b'*', ..] => Some(at..at + block_comment(rest)),
        [b'r', b'"' | b'#', ..] if !in_word => raw_string(rest).map(|r| at + r.start..at + r.end),
        [b'b', b'r', b'"' | b'#', ..] if !in_word => {
            raw_string(&rest[1..]).map(|r| at + 1 + r.start..at + 1 + r.end)
        }
        [b'"', ..] => Some(at + 1..at + quoted(rest, b'"')),
        [b'\'', b'\\', ..] => Some(at + 1..at + quoted(rest, b'\'')),
        [b'\'', ..] => {
            let character = text[at + 1..].chars().next()?;
            let end = at + 1 + character.len_utf8();
            (text.as_bytes().get(end) == Some(&b'\'')).then_some(at + 1..end)
        }
        _ => None,
    }
}

/// Offset of the closing quote.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    at.min(rest.len())
}

fn raw_string(rest: &[u8]) -> Option<Range<usize>> {
    let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
    let start = 1 + hashes + 1;
    if rest.get(start - 1) != Some(&b'"') {
        return None;
    }
    let close = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
    let end = find(&rest[start..], &close)?;
    Some(start..start + end)
}

fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] if depth == 1 => return at + 2,
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    rest.len()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[test]
fn comments_literals_and_tests_are_blanked_in_place() {
    let text = "use a; // crate::b\nlet s = \"crate::c \\\" d\"; let r = r#\"x\"y\"#; let c = '\"'; fn f<'a>() {}\n#[cfg(test)]\nmod tests { use crate::e; }\nuse z;";
    let source = Source::new("src/domain/x.rs", text);
    assert_eq!(source.code.len(), text.len());
    let squeezed: Vec<&str> = source.code.split_whitespace().collect();
    assert_eq!(
        squeezed.join(" "),
        "use a; let s = \" \"; let r = r#\" \"#; let c = ' '; fn f<'a>() {} use z;"
    );
    assert!(source.product.contains("// crate::b") && !source.product.contains("crate::e"));
    assert_eq!(
        source.place(source.code.rfind("use z").unwrap()),
        "src/domain/x.rs:5"
    );
}
