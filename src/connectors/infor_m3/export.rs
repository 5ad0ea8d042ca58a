//! Queries over one table by EXPORTMI, which some tenants withhold.
//!
//! Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (EXPORTMI): one table a query, keywords in
//! lower case, only `and` and `or`; the company is the call's, and conditions see all divisions only from the
//! company's own level.

use super::client::{self, mi};
use super::reply::Row;
use crate::contract::Session;
use crate::domain::fault::Fault;

/// Parts of a row; a row that holds it inside a value is left out.
const SEPARATOR: &str = "|";

/// Rows of a query, under the field names without their table's prefix.
///
/// # Errors
/// `Rejected` when the connection may not or shall not use it; those of the call.
pub(super) async fn select(
    session: &Session,
    query: &str,
    rows_max: u32,
) -> Result<Vec<Row>, Fault> {
    if session.settings.text("exportmi") == Some("off") {
        return Err(Fault::rejected(
            "settings/exportmi",
            "switched_off",
            "EXPORTMI is switched off on the connection",
        ));
    }
    let fields = [
        ("SEPC", SEPARATOR.to_owned()),
        ("HDRS", "1".to_owned()),
        ("QERY", query.to_owned()),
    ];
    let call = mi("EXPORTMI", "Select", fields)
        .list(rows_max, &[])
        .in_division("");
    Ok(split(&client::list(session, &call).await?))
}

/// Whether a text can stand between quotes in a query and mean only itself.
pub(super) fn is_literal(text: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./ ".contains(letter);
    !text.is_empty() && text.chars().count() <= 36 && text.chars().all(is_plain)
}

/// The first row names the columns: `IAPUNO` is PUNO of the table whose prefix is IA.
fn split(rows: &[Row]) -> Vec<Row> {
    let mut texts = rows.iter().filter_map(|row| row.text("REPL"));
    let names: Vec<String> = texts
        .next()
        .unwrap_or_default()
        .split(SEPARATOR)
        .map(|name| name.trim().chars().skip(2).collect())
        .collect();
    texts
        .map(|text| text.split(SEPARATOR).map(str::to_owned).collect::<Vec<_>>())
        .filter(|parts| parts.len() == names.len())
        .map(|parts| Row::from_pairs(names.iter().cloned().zip(parts)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_split_by_their_first() {
        let row = |text: &str| Row::from_pairs([("REPL".to_owned(), text.to_owned())]);
        let found = split(&[
            row("IAPUNO|IAYRE1"),
            row("700 | MLC-1"),
            row("701|a|b"),
            row("702|"),
        ]);
        let texts: Vec<_> = found
            .iter()
            .map(|row| (row.text("PUNO"), row.text("YRE1")))
            .collect();
        assert_eq!(texts, [(Some("700"), Some("MLC-1")), (Some("702"), None)]);
        assert_eq!(split(&[]), []);
    }

    #[test]
    fn only_plain_texts_go_into_a_query() {
        for (text, want) in [
            ("PO-12/3.a_b", true),
            ("O'Brien", false),
            ("", false),
            ("a\n", false),
            ("x;y", false),
        ] {
            assert_eq!(is_literal(text), want, "{text}");
        }
    }
}
