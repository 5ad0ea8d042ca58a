//! Where a supplier is and how it is reached, as M3 keeps it.

use super::draft::{EMAIL_TYPE, Email, Fields, NAME_CHARACTERS_MAX, fitted};
use crate::domain::connection::Settings;
use crate::domain::records::{Address, Vendor};

/// Assumed: the e-mail type of suppliers; another one is named in `supplier_defaults`.
const EMAIL_TYPE_DEFAULT: &str = "02";
const ADDRESS_ID: &str = "MAIN";
const STREET_LINES: [&str; 4] = ["ADR1", "ADR2", "ADR3", "ADR4"];

/// As written where it fits the 16 characters, else its digits up to an extension; a longer one is no number
/// that M3 can keep.
pub(super) fn phone(text: &str) -> Option<String> {
    let text = text.trim();
    if text.chars().count() <= 16 {
        return Some(text.to_owned());
    }
    let plain: String = text
        .chars()
        .take_while(|letter| !letter.is_alphabetic())
        .filter(|letter| letter.is_ascii_digit() || *letter == '+')
        .collect();
    (plain.len() <= 16).then_some(plain)
}

/// ISO code of two letters; a country's name is not guessed at.
pub(super) fn country(text: &str) -> Option<String> {
    let code = text.trim().to_uppercase();
    (code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase())).then_some(code)
}

/// ECAR keeps two characters: a subdivision's code without its country.
pub(super) fn region(text: &str) -> Option<String> {
    let code = text.trim().to_uppercase();
    let code = code.rsplit('-').next().unwrap_or_default();
    (!code.is_empty() && code.chars().count() <= 2).then(|| code.to_owned())
}

/// None without a country, which M3 demands of every address.
pub(super) fn address(source: &Address, settings: &Settings, fields: &Fields) -> Option<Fields> {
    let says_something =
        source.street.is_some() || source.city.is_some() || source.postal_code.is_some();
    let country = fields.get("CSCD").filter(|_| says_something)?;
    let mut address = Fields::new();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            address.insert(name.to_owned(), value);
        }
    };
    put(
        "ADTE",
        Some(settings.text_or("address_type", "1").to_owned()),
    );
    put("ADID", Some(ADDRESS_ID.to_owned()));
    put("PRIA", Some("1".to_owned()));
    put("CSCD", Some(country.clone()));
    put("SUNM", fields.get("SUNM").cloned());
    for (name, line) in STREET_LINES
        .iter()
        .zip(street_lines(source.street.as_deref()))
    {
        put(name, Some(line));
    }
    let trimmed = |text: &Option<String>| text.as_deref().map(str::trim).map(str::to_owned);
    put("TOWN", trimmed(&source.city).map(|city| fitted(&city, 20)));
    put("ECAR", source.region.as_deref().and_then(region));
    put("PONO", trimmed(&source.postal_code));
    Some(address)
}

/// The street over at most four lines of 36: its own lines, else cut at words.
fn street_lines(street: Option<&str>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in street.unwrap_or_default().lines().map(str::trim) {
        for word in part.split_whitespace() {
            let goes_on = lines
                .last()
                .filter(|line| !line.is_empty())
                .map(|line| format!("{line} {word}"));
            match goes_on.filter(|line| line.chars().count() <= NAME_CHARACTERS_MAX) {
                Some(longer) => {
                    lines.pop();
                    lines.push(longer);
                }
                None => {
                    lines.retain(|line| !line.is_empty());
                    lines.push(fitted(word, NAME_CHARACTERS_MAX));
                }
            }
        }
        // A blank line keeps the next part from joining this one.
        lines.push(String::new());
    }
    lines.retain(|line| !line.is_empty());
    lines.truncate(STREET_LINES.len());
    lines
}

pub(super) fn email(vendor: &Vendor, settings: &Settings) -> Option<Email> {
    let address = vendor.email.as_deref().map(str::trim)?;
    // CRS111 keeps 60 characters, and half an address is none.
    (!address.is_empty() && address.chars().count() <= 60).then(|| Email {
        kind: settings
            .entry("supplier_defaults", EMAIL_TYPE)
            .unwrap_or(EMAIL_TYPE_DEFAULT)
            .to_owned(),
        address: address.to_owned(),
    })
}
