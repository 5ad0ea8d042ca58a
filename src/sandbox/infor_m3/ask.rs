//! One transaction, checked against the field lists and ready to be answered.
//!
//! Source: M3 MI data formats, read 2026-11-22: everything is text, dates are YYYYMMDD, numbers
//! have a point, keys are upper case, blank is left out.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::catalog::{Field, Kind, Transaction};
use super::nok::Nok;
use super::request::{Form, Item, Manner};
use super::seed;
use super::settings::Settings;
use super::shape;

/// Values by the vendor's field names.
pub(super) type Fields = BTreeMap<&'static str, String>;

/// Fields that hold codes or keys, which M3 keeps in capitals; in order, to be searched.
const KEYS: [&str; 44] = [
    "ADID", "AGNT", "AIT1", "AIT2", "AIT3", "AIT4", "AIT5", "AIT6", "AIT7", "AITM", "APGM", "BAOR",
    "BUYE", "CSCD", "CUCD", "DIVI", "ECAR", "ELNO", "EMKY", "EMTP", "FACI", "FILE", "FRSU", "ITNO",
    "LNCD", "MINM", "MODL", "MSGN", "ORTY", "PPUN", "PROJ", "PRSU", "PUNO", "PURC", "PUUN", "PYME",
    "RESP", "STEM", "STKY", "SUNO", "TEDL", "TEPY", "TOSU", "WHLO",
];

/// A checked transaction with what was given to it.
pub(super) struct Ask {
    pub transaction: &'static Transaction,
    pub given: Fields,
    /// The division of the call, where it names one.
    pub division: Option<String>,
    pub max_records: usize,
    shown: Vec<&'static Field>,
    manner: Shown,
}

/// How values are written.
struct Shown {
    drops_blanks: bool,
    pads: bool,
    comma: bool,
}

/// One record of an answer, in the order of the field list.
#[derive(Debug, Default)]
pub(super) struct Row(pub Vec<(&'static Field, String)>);

/// An accepted transaction.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub rows: Vec<Row>,
    /// The key of what was written, for the ledger.
    pub wrote: Option<String>,
}

pub(super) type Outcome = Result<Answer, Nok>;

impl Ask {
    /// # Errors
    /// What M3 says about a missing, overlong or malformed field, or a foreign company.
    pub(super) fn check(
        transaction: &'static Transaction,
        item: &Item,
        (form, manner): (Form, &Manner),
        settings: &Settings,
    ) -> Result<Self, Nok> {
        let given = checked(transaction, &item.record)?;
        check_company(manner.company.as_deref())?;
        check_company(given.get("CONO").map(String::as_str))?;
        check_division(manner.division.as_deref())?;
        let is_shown = |field: &&Field| {
            let mut wanted = item.columns.iter();
            item.columns.is_empty() || wanted.any(|name| name.eq_ignore_ascii_case(field.name))
        };
        Ok(Self {
            transaction,
            given,
            division: manner.division.clone(),
            max_records: manner.max_records.unwrap_or(usize::MAX),
            shown: transaction.outputs.iter().filter(is_shown).collect(),
            manner: Shown {
                drops_blanks: manner.drops_blanks,
                pads: settings.padded && (form == Form::Old || !manner.trims),
                comma: settings.decimal_comma,
            },
        })
    }

    /// The value of an input, empty when it was left out.
    pub(super) fn text(&self, name: &str) -> &str {
        self.given.get(name).map_or("", String::as_str)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// A numeric input, 0 when it was left out.
    pub(super) fn number(&self, name: &str) -> Decimal {
        shape::decimal(self.text(name))
    }

    /// A whole number, 0 when it was left out or is none.
    pub(super) fn count(&self, name: &str) -> i64 {
        self.text(name).parse().unwrap_or_default()
    }

    /// The wanted fields of one record; unset numbers are 0.
    pub(super) fn row(&self, value: impl Fn(&'static str) -> Option<String>) -> Row {
        let pairs = self.shown.iter().map(|field| {
            let value = value(field.name);
            let value = value.unwrap_or_else(|| match field.kind {
                Kind::Number => "0".to_owned(),
                Kind::Text | Kind::Date => String::new(),
            });
            (*field, self.written(field, value))
        });
        let is_kept = |(_, value): &(&Field, String)| {
            !self.manner.drops_blanks || !value.trim_end().is_empty()
        };
        Row(pairs.filter(is_kept).collect())
    }

    fn written(&self, field: &Field, value: String) -> String {
        let value = match field.kind {
            Kind::Number if self.manner.comma => value.replace('.', ","),
            _ => value,
        };
        match field.length {
            Some(length) if self.manner.pads && field.kind == Kind::Text => {
                format!("{value:<length$}")
            }
            _ => value,
        }
    }

    /// An answer of one record.
    pub(super) fn one(&self, value: impl Fn(&'static str) -> Option<String>) -> Answer {
        Answer {
            rows: vec![self.row(value)],
            wrote: None,
        }
    }

    /// An answer of one record of stored fields.
    pub(super) fn stored(&self, fields: &Fields) -> Answer {
        self.one(|name| fields.get(name).cloned())
    }

    /// A list of records, cut at what was asked for.
    pub(super) fn list<T>(
        &self,
        found: impl Iterator<Item = T>,
        value: impl Fn(&T, &'static str) -> Option<String>,
    ) -> Answer {
        let found = found.take(self.max_records);
        Answer {
            rows: found
                .map(|item| self.row(|name| value(&item, name)))
                .collect(),
            wrote: None,
        }
    }
}

impl Answer {
    /// A write that answers one empty record.
    pub(super) fn written(key: String) -> Self {
        Self {
            rows: vec![Row::default()],
            wrote: Some(key),
        }
    }

    /// The same answer, of a write.
    pub(super) fn wrote(mut self, key: String) -> Self {
        self.wrote = Some(key);
        self
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (field, value) in &self.0 {
            map.serialize_entry(field.name, value)?;
        }
        map.end()
    }
}

/// Known fields that were filled; unknown names are passed over.
fn checked(transaction: &'static Transaction, record: &[(String, String)]) -> Result<Fields, Nok> {
    let mut given = Fields::new();
    for field in &transaction.inputs {
        let mut named = record.iter();
        let found = named.find(|(name, _)| name.eq_ignore_ascii_case(field.name));
        let value = found.map_or("", |(_, value)| value.trim_end());
        if !value.is_empty() {
            given.insert(field.name, checked_value(field, value)?);
        } else if field.is_mandatory {
            return Err(Nok::mandatory(field.name));
        }
    }
    Ok(given)
}

fn checked_value(field: &'static Field, value: &str) -> Result<String, Nok> {
    if let Some(length) = field.length.filter(|_| field.is_enforced)
        && value.chars().count() > length
    {
        return Err(Nok::too_long(field.name, length));
    }
    match field.kind {
        Kind::Number if !shape::is_number(value) => {
            let text = format!("{value} is not a number");
            Err(Nok::refused("XNU0000", field.name, text))
        }
        Kind::Date if !shape::is_date(value) => {
            let text = format!("{value} is not a date");
            Err(Nok::refused("XDT0001", field.name, text))
        }
        Kind::Text if KEYS.binary_search(&field.name).is_ok() => Ok(value.to_uppercase()),
        _ => Ok(value.to_owned()),
    }
}

/// Assumed: the code for a division that there is not.
fn check_division(division: Option<&str>) -> Result<(), Nok> {
    match division {
        None | Some("" | seed::DIVI) => Ok(()),
        Some(_) => Err(Nok::no_record("DIVI")),
    }
}

fn check_company(company: Option<&str>) -> Result<(), Nok> {
    match company {
        None | Some("" | "0" | seed::CONO) => Ok(()),
        Some(other) => {
            let text = format!("User is not authorised for company {other}");
            Err(Nok::refused("XAU0008", "CONO", text))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::catalog;
    use super::*;

    fn check(program: &str, transaction: &str, record: &[(&str, &str)]) -> Result<Fields, Nok> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let record: Vec<_> = record.iter().map(owned).collect();
        checked(catalog::find(program, transaction).unwrap(), &record)
    }

    #[test]
    fn inputs_are_checked_field_by_field() {
        let line = |field, value| {
            let record = [
                ("MSGN", "PE1"),
                ("ITNO", "x1"),
                ("ORQA", "1"),
                (field, value),
            ];
            check("PPS370MI", "AddLine", &record).map_err(|nok| (nok.kind, nok.code, nok.field))
        };
        let given = line("pitd", "  Text  ").unwrap();
        assert_eq!(given.get("PITD").unwrap(), "  Text");
        assert_eq!(given.get("ITNO").unwrap(), "X1");
        for (field, value, want) in [
            ("PNLI", "1000", ("InputFieldTooLong", "", "PNLI")),
            ("PUPR", "1,5", ("ServerReturnedNOK", "XNU0000", "PUPR")),
            (
                "DWDT",
                "2026-01-01",
                ("ServerReturnedNOK", "XDT0001", "DWDT"),
            ),
            ("DWDT", "20260231", ("ServerReturnedNOK", "XDT0001", "DWDT")),
        ] {
            assert_eq!(line(field, value).unwrap_err(), want, "{field}={value}");
        }
        let bare = check("PPS370MI", "AddLine", &[("MSGN", "PE1"), ("ITNO", "  ")]);
        assert_eq!(bare.unwrap_err(), Nok::mandatory("ITNO"));
    }

    #[test]
    fn keys_can_be_searched() {
        assert!(KEYS.is_sorted());
    }
}
