//! The query text of EXPORTMI: columns, one table, conditions.
//!
//! Source: EXPORTMI notes, read 2026-11-22: one table a query, keywords in lower case, only `and`
//! and `or`, columns are table prefix and field, `count(*)` counts. Assumed: which comparisons
//! there are; that a quote inside a literal is doubled.

use rust_decimal::Decimal;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Query {
    pub columns: Vec<String>,
    pub table: String,
    /// Alternatives, each of conditions that must all hold. None = everything.
    pub any_of: Vec<Vec<Condition>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub column: String,
    pub comparison: Comparison,
    pub value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Literal(String),
    Sign(String),
}

impl Query {
    /// # Errors
    /// What cannot be read, in words.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let (columns, rest) = text.split_once(" from ").ok_or("there is no from")?;
        let columns: Vec<String> = columns
            .split(',')
            .map(|name| name.trim().to_owned())
            .collect();
        let (table, conditions) = match rest.split_once(" where ") {
            Some((table, conditions)) => (table, tokens(conditions)?),
            None => (rest, Vec::new()),
        };
        Ok(Self {
            columns,
            table: table.trim().to_owned(),
            any_of: alternatives(&conditions)?,
        })
    }

    pub(super) fn counts(&self) -> bool {
        matches!(self.columns.as_slice(), [only] if only == "count(*)" || only == "count(#)")
    }
}

impl Condition {
    /// Numbers are compared as numbers, all else as text.
    pub(super) fn holds(&self, held: &str) -> bool {
        let held = held.trim_end();
        let wanted = self.value.trim_end();
        let numbers = (held.parse::<Decimal>(), wanted.parse::<Decimal>());
        let order = match numbers {
            (Ok(held), Ok(wanted)) => held.cmp(&wanted),
            _ => held.cmp(wanted),
        };
        match self.comparison {
            Comparison::Equal => order.is_eq(),
            Comparison::Unequal => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        }
    }
}

fn alternatives(tokens: &[Token]) -> Result<Vec<Vec<Condition>>, String> {
    let mut any_of = Vec::new();
    if tokens.is_empty() {
        return Ok(any_of);
    }
    for alternative in tokens.split(|token| is_word(token, "or")) {
        let parts = alternative.split(|token| is_word(token, "and"));
        let conditions: Result<Vec<Condition>, String> = parts.map(condition).collect();
        any_of.push(conditions?);
    }
    Ok(any_of)
}

fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(held) if held == word)
}

fn condition(tokens: &[Token]) -> Result<Condition, String> {
    let [
        Token::Word(column),
        Token::Sign(sign),
        Token::Word(value) | Token::Literal(value),
    ] = tokens
    else {
        return Err("a condition is a column, a comparison and a value".to_owned());
    };
    let comparison = match sign.as_str() {
        "=" => Comparison::Equal,
        "<>" | "!=" => Comparison::Unequal,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        _ => return Err(format!("there is no comparison {sign}")),
    };
    Ok(Condition {
        column: column.clone(),
        comparison,
        value: value.clone(),
    })
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut signs = text.chars().peekable();
    while let Some(first) = signs.next() {
        match first {
            ' ' => {}
            '\'' => {
                let mut literal = String::new();
                loop {
                    match signs.next() {
                        Some('\'') if signs.next_if_eq(&'\'').is_some() => literal.push('\''),
                        Some('\'') => break,
                        Some(sign) => literal.push(sign),
                        None => return Err("a literal has no end".to_owned()),
                    }
                }
                found.push(Token::Literal(literal));
            }
            '=' | '<' | '>' | '!' => {
                let mut sign = first.to_string();
                sign.extend(signs.next_if(|next| matches!(next, '=' | '>')));
                found.push(Token::Sign(sign));
            }
            _ => {
                let mut word = first.to_string();
                let is_inside = |next: &char| !matches!(next, ' ' | '\'' | '=' | '<' | '>' | '!');
                while let Some(next) = signs.next_if(is_inside) {
                    word.push(next);
                }
                found.push(Token::Word(word));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read() {
        let text = "IAPUNO, IAYRE1 from MPHEAD where IAYRE1 = 'O''Brien and co' and IALMDT>=20261122 or IASUNO<>'1'";
        let query = Query::read(text).unwrap();
        assert_eq!(query.columns, ["IAPUNO", "IAYRE1"]);
        assert_eq!((query.table.as_str(), query.any_of.len()), ("MPHEAD", 2));
        let first = &query.any_of[0];
        assert_eq!(first[0].value, "O'Brien and co");
        assert_eq!(first[1].comparison, Comparison::GreaterOrEqual);
        assert!(first[1].holds("20261123") && !first[1].holds("20261121"));
        assert_eq!(query.any_of[1][0].comparison, Comparison::Unequal);
        assert!(Query::read("count(*) from CIDMAS").unwrap().counts());
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for text in [
            "IAPUNO FROM MPHEAD",
            "IAPUNO from MPHEAD where IAYRE1 = 'x",
            "IAPUNO from MPHEAD where IAYRE1 like 'x'",
            "IAPUNO from MPHEAD where IAYRE1 = 'x' AND IASUNO = '1'",
            "IAPUNO from MPHEAD where",
            "IAPUNO from MPHEAD where IAYRE1 =",
        ] {
            let query = Query::read(text);
            let is_lost = query.as_ref().is_ok_and(|query| query.table.contains(' '));
            assert!(query.is_err() || is_lost, "{text}: {query:?}");
        }
    }
}
