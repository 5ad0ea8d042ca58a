//! The search index: it lags behind writes, and it is all that the search transactions look at.
//!
//! Source: M3 search transactions, read 2026-11-22: `FIELD:value`, a star at the end for the
//! beginning of a word. Assumed: words without a field are looked for in all of them, several
//! terms must all be found, `OR` joins alternatives, quotes hold a phrase together.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;

use time::OffsetDateTime;

/// A field and what it holds.
type Entry = (&'static str, String);

/// Documents by the words of their fields.
#[derive(Default)]
pub(super) struct Search {
    fields: &'static [&'static str],
    documents: BTreeMap<String, Vec<Entry>>,
    words: BTreeSet<(&'static str, String, String)>,
    /// What was written, and when the index will know.
    waiting: VecDeque<(OffsetDateTime, String)>,
}

/// One term: a field or all of them, and the beginning of a word or a whole one.
#[derive(Debug, PartialEq, Eq)]
struct Term {
    field: Option<String>,
    text: String,
    is_beginning: bool,
}

impl Search {
    pub(super) fn over(fields: &'static [&'static str]) -> Self {
        Self {
            fields,
            ..Self::default()
        }
    }

    /// The document was written; the index learns of it at `known_at`.
    pub(super) fn notice(&mut self, id: &str, known_at: OffsetDateTime) {
        self.waiting.push_back((known_at, id.to_owned()));
    }

    /// A written document that the index is to learn by now.
    pub(super) fn due(&mut self, now: OffsetDateTime) -> Option<String> {
        let (known_at, _) = self.waiting.front()?;
        if *known_at > now {
            return None;
        }
        self.waiting.pop_front().map(|(_, id)| id)
    }

    /// The document as it is now; no fields take it away.
    pub(super) fn learn(&mut self, id: &str, value: impl Fn(&'static str) -> Option<String>) {
        for (field, word) in self.documents.remove(id).unwrap_or_default() {
            self.words.remove(&(field, word, id.to_owned()));
        }
        let mut entries = Vec::new();
        for field in self.fields {
            let text = value(field).unwrap_or_default().to_uppercase();
            let mut words: BTreeSet<&str> = words(&text).collect();
            words.insert(text.trim());
            words.remove("");
            entries.extend(words.into_iter().map(|word| (*field, word.to_owned())));
        }
        for (field, word) in &entries {
            self.words.insert((*field, word.clone(), id.to_owned()));
        }
        if !entries.is_empty() {
            self.documents.insert(id.to_owned(), entries);
        }
    }

    /// The documents that a query finds, in the order of their ids.
    pub(super) fn find(&self, query: &str) -> BTreeSet<String> {
        let alternatives = query.split(" OR ");
        alternatives
            .flat_map(|part| self.all_of(&terms(part)))
            .collect()
    }

    fn all_of(&self, terms: &[Term]) -> BTreeSet<String> {
        let mut found: Option<BTreeSet<String>> = None;
        for term in terms {
            let more = self.one(term);
            found = Some(match found {
                Some(before) => before.intersection(&more).cloned().collect(),
                None => more,
            });
        }
        found.unwrap_or_default()
    }

    /// A value is found whole; else every word of it must be there.
    fn one(&self, term: &Term) -> BTreeSet<String> {
        let whole = self.with_word(term, &term.text);
        let words: Vec<&str> = words(&term.text).collect();
        if !whole.is_empty() || words.len() < 2 {
            return whole;
        }
        let mut sets = words.iter().map(|word| self.with_word(term, word));
        let first = sets.next().unwrap_or_default();
        sets.fold(first, |all, more| {
            all.intersection(&more).cloned().collect()
        })
    }

    fn with_word(&self, term: &Term, word: &str) -> BTreeSet<String> {
        let is_asked = |field: &&&str| {
            let asked = term.field.as_deref();
            asked.is_none_or(|asked| asked.eq_ignore_ascii_case(field))
        };
        let fits = |found: &str| found == word || (term.is_beginning && found.starts_with(word));
        let fields = self.fields.iter().filter(is_asked);
        let found = fields.flat_map(|field| {
            let start = (*field, word.to_owned(), String::new());
            let range = self.words.range((Bound::Included(start), Bound::Unbounded));
            range
                .take_while(move |(named, found, _)| named == field && fits(found))
                .map(|(_, _, id)| id.clone())
        });
        found.collect()
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

/// The terms of one alternative. A backslash takes a sign's special meaning away.
fn terms(query: &str) -> Vec<Term> {
    let mut pieces = vec![String::new()];
    let mut is_quoted = false;
    let mut signs = query.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '"' => is_quoted = !is_quoted,
            ' ' if !is_quoted => pieces.push(String::new()),
            _ => {
                let sign = if sign == '\\' {
                    signs.next()
                } else {
                    Some(sign)
                };
                if let Some(piece) = pieces.last_mut() {
                    piece.extend(sign);
                }
            }
        }
    }
    pieces.retain(|piece| !piece.is_empty() && piece != "AND");
    pieces.iter().map(|piece| term(piece)).collect()
}

fn term(piece: &str) -> Term {
    let is_field = |name: &str| name.len() == 4 && name.bytes().all(|b| b.is_ascii_alphanumeric());
    let (field, text) = match piece.split_once(':') {
        Some((name, text)) if is_field(name) => (Some(name.to_owned()), text),
        _ => (None, piece),
    };
    Term {
        field,
        text: text.trim_end_matches('*').trim().to_uppercase(),
        is_beginning: text.ends_with('*'),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use time::Duration;

    fn index() -> Search {
        let mut search = Search::over(&["SUNO", "SUNM", "VRNO"]);
        for (id, name, tax) in [
            ("1", "Acme Steel Ltd", "84-1029384"),
            ("2", "ACME Steel, Limited", ""),
            ("3", "O'Brien & Daughters", "84-9012387"),
        ] {
            search.learn(id, |field| match field {
                "SUNO" => Some(id.to_owned()),
                "SUNM" => Some(name.to_owned()),
                _ => Some(tax.to_owned()),
            });
        }
        search
    }

    #[test]
    fn queries_find_words_beginnings_and_whole_values() {
        let search = index();
        for (query, want) in [
            ("SUNM:acme*", "1 2"),
            ("SUNM:Acme", "1 2"),
            ("SUNM:Acm", ""),
            ("SUNM:\"Acme Steel Ltd\"", "1"),
            ("SUNM:Acme Lim*", "2"),
            ("SUNM:ACME AND SUNM:LTD", "1"),
            ("VRNO:84-1029384", "1"),
            ("VRNO:84\\-1029384", "1"),
            ("VRNO:84-1029384 OR SUNO:3", "1 3"),
            ("SUNM:O\\'Brien*", "3"),
            ("steel", "1 2"),
            ("CSCD:US", ""),
            ("", ""),
        ] {
            let found: Vec<String> = search.find(query).into_iter().collect();
            assert_eq!(found.join(" "), want, "{query}");
        }
    }

    #[test]
    fn a_document_is_known_late_and_forgotten_whole() {
        let mut search = index();
        let now = OffsetDateTime::UNIX_EPOCH;
        search.notice("4", now + Duration::seconds(10));
        assert_eq!(search.due(now), None);
        assert_eq!(
            search.due(now + Duration::seconds(10)).as_deref(),
            Some("4")
        );
        assert_eq!(search.due(now + Duration::seconds(10)), None);
        search.learn("1", |_| None);
        assert!(search.find("SUNM:Acme*").contains("2"));
        assert!(!search.find("SUNM:Acme*").contains("1"));
    }
}
