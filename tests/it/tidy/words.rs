//! Words, dates and signatures found in a file's text.

use super::source::{Source, is_word};

/// Every identifier or keyword with its offset.
pub fn identifiers(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + code[at..].find(|c: char| c.is_ascii_alphanumeric() || c == '_')?;
        let length = code[start..].bytes().take_while(|b| is_word(*b)).count();
        at = start + length;
        Some((start, &code[start..at]))
    })
}

/// Every part of every word, in lower case: `InforM3`, `infor_m3` and `infor-m3` are `infor` and `m3`.
pub fn parts(text: &str) -> impl Iterator<Item = (usize, String)> {
    identifiers(text).flat_map(|(at, word)| {
        let bounds = part_bounds(word.as_bytes());
        bounds
            .windows(2)
            .map(|pair| {
                (
                    at + pair[0],
                    word[pair[0]..pair[1]].trim_matches('_').to_lowercase(),
                )
            })
            .collect::<Vec<_>>()
    })
}

fn part_bounds(word: &[u8]) -> Vec<usize> {
    let begins = |at: &usize| {
        let (last, this) = (word[at - 1], word[*at]);
        let next_is_lower = word.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        last == b'_' || (this.is_ascii_uppercase() && (!last.is_ascii_uppercase() || next_is_lower))
    };
    let inner = (1..word.len()).filter(begins);
    std::iter::once(0)
        .chain(inner)
        .chain([word.len()])
        .collect()
}

/// The path of every `#[template(path = "…")]`, with its place.
pub fn template_paths(source: &Source) -> Vec<(String, String)> {
    source
        .code
        .match_indices("#[template(")
        .filter_map(|(at, _)| {
            let rest = &source.text[at..];
            let quoted = rest.split_once("path = \"")?.1;
            Some((source.place(at), quoted.split_once('"')?.0.to_owned()))
        })
        .collect()
}

/// What a line of a template holds that the content policy forbids.
pub fn inline_page_code(line: &str) -> Option<&'static str> {
    let line = line.to_lowercase();
    let handler = line.match_indices(" on").any(|(at, _)| {
        let name = line[at + 3..].split('=').next().unwrap_or_default();
        line[at + 3..].contains("=\"")
            && !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_lowercase())
    });
    match () {
        () if line.contains(" style=") || line.contains("<style") => Some("inline style"),
        () if line.contains("<script") && !line.contains("src=") => Some("inline script"),
        () if line.contains("javascript:") => Some("a script in a link"),
        () if handler => Some("an event handler in an attribute"),
        () => None,
    }
}

/// Every public async function outside `impl` blocks whose first parameter is no scope.
pub fn functions_without_scope(source: &Source) -> Vec<String> {
    let is_public_async = |line: &str| line.starts_with("pub") && line.contains("async fn ");
    let mut at = 0;
    let mut offences = Vec::new();
    for line in source.code.split_inclusive('\n') {
        if is_public_async(line) && !first_parameter(&source.code[at..]).contains("Scope") {
            offences.push(format!("{}: {}", source.place(at), line.trim()));
        }
        at += line.len();
    }
    offences
}

/// The first parameter of the signature that begins here, generics skipped.
fn first_parameter(signature: &str) -> &str {
    let from_name = signature
        .split_once("fn ")
        .map_or(signature, |(_, rest)| rest);
    let generics = matching_angle(from_name);
    let parameters = from_name[generics..]
        .split_once('(')
        .map_or("", |(_, rest)| rest);
    let end = parameters.find([',', ')']).unwrap_or(parameters.len());
    &parameters[..end]
}

/// Where the generics after a function's name end; 0 where it has none.
fn matching_angle(from_name: &str) -> usize {
    let opens = from_name.find(['<', '(']).unwrap_or(0);
    if !from_name[opens..].starts_with('<') {
        return 0;
    }
    let mut depth = 0_usize;
    let mut last = b' ';
    for (offset, byte) in from_name.bytes().enumerate().skip(opens) {
        match byte {
            b'<' => depth += 1,
            b'>' if last == b'-' => {}
            b'>' if depth == 1 => return offset + 1,
            b'>' => depth -= 1,
            _ => {}
        }
        last = byte;
    }
    0
}

/// Every `Source:` in a comment whose paragraph has no `read 20YY-MM-DD`.
pub fn undated_sources(source: &Source) -> Vec<String> {
    let lines: Vec<&str> = source.text.lines().collect();
    let is_comment = |line: &&&str| line.trim_start().starts_with("//");
    let undated = |index: &usize| {
        let Some((before, first)) = lines[*index].split_once("Source:") else {
            return false;
        };
        // Between quotes or backticks it is a word that is talked about.
        let inside = before.contains("//") && !before.ends_with(['`', '"']);
        let following = lines[index + 1..]
            .iter()
            .take_while(is_comment)
            .take_while(|line| !line.contains("Source:"));
        let paragraph: Vec<&str> = std::iter::once(first)
            .chain(following.copied())
            .take(4)
            .collect();
        inside && !has_date(&paragraph.join(" "))
    };
    (0..lines.len())
        .filter(undated)
        .map(|index| {
            format!(
                "{}:{}: {}",
                source.path,
                index + 1,
                lines[index].trim_start()
            )
        })
        .collect()
}

/// Whether the text says `read 20YY-MM-DD`.
fn has_date(text: &str) -> bool {
    let shape = |date: &[u8]| {
        date.len() == 10
            && date.starts_with(b"20")
            && date.iter().enumerate().all(|(index, byte)| match index {
                4 | 7 => *byte == b'-',
                _ => byte.is_ascii_digit(),
            })
    };
    text.match_indices("read ").any(|(at, found)| {
        let after = &text.as_bytes()[at + found.len()..];
        shape(after.get(..10).unwrap_or_default())
    })
}

#[test]
fn words_are_parted_at_case_and_marks() {
    let joined: Vec<String> = parts("InforM3 IFSCloud procore-id SHIFTS m3_order iM3s")
        .map(|(_, p)| p)
        .collect();
    assert_eq!(
        joined,
        [
            "infor", "m3", "ifs", "cloud", "procore", "id", "shifts", "m3", "order", "i", "m3s"
        ]
    );
}

#[test]
fn scopes_are_looked_for_in_the_first_parameter() {
    let code = "pub async fn a(scope: &Scope, id: Id) {}\npub async fn b<F: Fn(u8) -> u8>(\n    scope: &mut Scope) {}\npub async fn c(id: Id, scope: &Scope) {}\nasync fn d() {}\n";
    let found = functions_without_scope(&Source::new("src/store/x.rs", code));
    assert_eq!(
        found,
        ["src/store/x.rs:4: pub async fn c(id: Id, scope: &Scope) {}"]
    );
}

#[test]
fn a_source_needs_its_date() {
    let dated = Source::new(
        "src/a.rs",
        "//! Source: The Book,\n//! chapter 3, read 2026-11-22.\nlet x = \"Source:\";",
    );
    assert!(undated_sources(&dated).is_empty());
    let undated = Source::new("src/a.rs", concat!("//! Sou", "rce: The Book.\nlet x = 1;"));
    assert_eq!(undated_sources(&undated).len(), 1);
}

#[test]
fn inline_code_in_pages_is_seen() {
    let cases = [
        ("<p class=\"on\" data-on=\"x\">", false),
        ("<p style=\"color:red\">", true),
        ("<script src=\"/a.js\"></script>", false),
        ("<script>alert(1)</script>", true),
        ("<a onclick=\"x()\">", true),
        ("<p>Only on Monday: <b class=\"x\">", false),
    ];
    for (line, offends) in cases {
        assert_eq!(inline_page_code(line).is_some(), offends, "{line}");
    }
}
