//! What a connection asks for, described so that a page or the API can check it without knowing the system.

/// How a field is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// Kept sealed, never shown again.
    Secret,
    /// A whole file's text, kept sealed.
    SecretFile,
    /// A whole number within bounds.
    Number {
        min: i64,
        max: i64,
    },
    /// One of a list.
    Choice(&'static [&'static str]),
    YesNo,
    /// Names and values (`UNIT=EA`, one a line on a page, an object in JSON).
    Table,
}

/// One field of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub label: &'static str,
    pub kind: Kind,
    pub required: bool,
    /// What it holds when it is left out; empty = nothing.
    pub default: &'static str,
    /// A sentence: where to find it, what it does.
    pub hint: &'static str,
}

/// Everything one system asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionForm {
    pub settings: &'static [Field],
    pub credentials: &'static [Field],
}
