//! Which programs and transactions exist, and what their fields look like.
//!
//! `programs/programs.txt` holds three lines a transaction: its name, its inputs, its outputs. A field is
//! `NAME:` type (`A` text, `N` number, `D` date) and length, then `~` when the length is not
//! enforced and `*` when the input is mandatory.
//! Source: M3 MI field lists (`infor-m3-mi.json`), read 2026-11-22. Its note says to enforce a
//! length only where it is known from an output of the same program, and for SUNO, PUNO, ITNO.

use std::collections::BTreeMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("programs/programs.txt");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Date,
}

/// One field of a transaction.
#[derive(Debug)]
pub(super) struct Field {
    pub name: &'static str,
    pub kind: Kind,
    /// In characters; unknown for a few inputs.
    pub length: Option<usize>,
    pub is_enforced: bool,
    pub is_mandatory: bool,
}

/// One transaction of one program.
#[derive(Debug)]
pub(super) struct Transaction {
    pub program: &'static str,
    pub name: &'static str,
    pub inputs: Vec<Field>,
    pub outputs: Vec<Field>,
}

/// The transactions of each program, in the order of the table.
type Catalog = BTreeMap<&'static str, Vec<Transaction>>;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let mut catalog = Catalog::new();
    let mut lines = TABLE.lines();
    while let (Some(names), Some(inputs), Some(outputs)) =
        (lines.next(), lines.next(), lines.next())
    {
        let (program, name) = names.split_once(' ').unwrap_or((names, ""));
        let transaction = Transaction {
            program,
            name,
            inputs: fields(inputs.trim_start_matches('<')),
            outputs: fields(outputs.trim_start_matches('>')),
        };
        catalog.entry(program).or_default().push(transaction);
    }
    catalog
});

pub(super) fn programs() -> impl Iterator<Item = &'static str> {
    CATALOG.keys().copied()
}

/// The transactions of a program; nothing when there is no such program.
pub(super) fn transactions(program: &str) -> Option<&'static [Transaction]> {
    CATALOG.get(program).map(Vec::as_slice)
}

pub(super) fn find(program: &str, transaction: &str) -> Option<&'static Transaction> {
    let mut all = transactions(program)?.iter();
    all.find(|known| known.name == transaction)
}

impl Kind {
    /// The vendor's letter.
    pub(super) fn letter(self) -> &'static str {
        match self {
            Self::Text => "A",
            Self::Number => "N",
            Self::Date => "D",
        }
    }
}

fn fields(line: &'static str) -> Vec<Field> {
    line.split_whitespace().filter_map(field).collect()
}

fn field(text: &'static str) -> Option<Field> {
    let (name, shape) = text.split_once(':')?;
    let kind = match shape.chars().next()? {
        'N' => Kind::Number,
        'D' => Kind::Date,
        _ => Kind::Text,
    };
    let digits = shape.trim_matches(|c: char| !c.is_ascii_digit());
    Some(Field {
        name,
        kind,
        length: digits.parse().ok(),
        is_enforced: !shape.contains('~'),
        is_mandatory: shape.contains('*'),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        let read: usize = CATALOG.values().map(Vec::len).sum();
        assert_eq!(read * 3, TABLE.lines().count());
        let words = TABLE.split_whitespace().filter(|word| word.contains(':'));
        let all = CATALOG.values().flatten();
        let fields: usize = all.map(|t| t.inputs.len() + t.outputs.len()).sum();
        assert_eq!(fields, words.count());
    }

    #[test]
    fn a_field_says_what_is_enforced() {
        let add_line = find("PPS370MI", "AddLine").unwrap();
        let named = |name: &str| {
            let mut inputs = add_line.inputs.iter();
            inputs.find(|field| field.name == name).unwrap()
        };
        let quantity = named("ORQA");
        assert_eq!((quantity.kind, quantity.length), (Kind::Number, Some(17)));
        assert!(quantity.is_mandatory && !quantity.is_enforced);
        assert!(named("ITNO").is_enforced && !named("PNLI").is_mandatory);
        assert_eq!(named("COCE").length, None);
        assert!(find("PPS200MI", "AddHead").is_none());
    }
}
