//! A vendor as a supplier: pure mapping.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::reply::Row;
use super::contact::{address, country, email, phone, region};
use crate::contract::{Draft, Refs};
use crate::domain::connection::Settings;
use crate::domain::fault::{Fault, Issue};
use crate::domain::name::{plain_number, shortened};
use crate::domain::plan::Change;
use crate::domain::records::Vendor;

/// MI field names and values.
pub(super) type Fields = BTreeMap<String, String>;

/// What AddSupplier cannot do without, beside number, name and country.
/// Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (CRS620MI).
const MANDATORY: &[&str] = &[
    "SUTY", "ECAR", "LNCD", "DTFM", "MEPF", "SUCL", "QUCL", "ORTY", "TEDL", "MODL", "TEAF", "TEPA",
    "DT4T", "DTCD", "CUCD", "CRTP", "TEPY", "PYME", "ATPR", "ACRF",
];
/// Settings in the table of defaults that are no fields of a supplier.
pub(super) const EMAIL_TYPE: &str = "EMTP";
pub(super) const NAME_CHARACTERS_MAX: usize = 36;

/// Everything that is sent to make a supplier, and what it is looked for by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SupplierDraft {
    /// The number that we choose.
    pub supplier: String,
    /// The supplier that is copied; none when AddSupplier is used.
    pub template: Option<String>,
    pub fields: Fields,
    pub address: Option<Fields>,
    pub email: Option<Email>,
    /// The source's whole name; `fields` may hold a shortened one.
    pub name: String,
    /// The number that the source says M3 knows it by.
    pub number: Option<String>,
    pub tax_id: Option<String>,
    pub country: Option<String>,
    pub postal_code: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Email {
    pub kind: String,
    pub address: String,
}

impl SupplierDraft {
    /// Reads a stored draft.
    pub(super) fn of(draft: &Draft) -> Result<Self, Fault> {
        Self::deserialize(&draft.payload).map_err(|error| Fault::Broken {
            code: "draft_unreadable".to_owned(),
            message: format!("the stored write cannot be read: {error}"),
        })
    }

    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// Where a supplier differs from what the source says. What the source does not say does not differ.
    pub(super) fn differences(&self, row: &Row) -> Vec<Change> {
        let same_text = |ours: &str, theirs: &str| ours.trim().eq_ignore_ascii_case(theirs);
        let same_number = |ours: &str, theirs: &str| plain_number(ours) == plain_number(theirs);
        [
            ("SUNM", "Name", false),
            ("CSCD", "Country", false),
            ("VRNO", "Tax id", true),
            ("PHNO", "Phone", true),
        ]
        .into_iter()
        .filter_map(|(name, label, is_number)| {
            let ours = self.field(name)?;
            let theirs = row.text(name).unwrap_or_default();
            let is_same = if is_number {
                same_number(ours, theirs)
            } else {
                same_text(ours, theirs)
            };
            (!is_same).then(|| Change {
                field: label.to_owned(),
                from: Some(theirs.to_owned()),
                to: Some(ours.to_owned()),
                why: "source".to_owned(),
            })
        })
        .collect()
    }
}

/// See [`Writes::draft`](crate::contract::Writes::draft).
pub(super) fn draft(
    vendor: &Vendor,
    settings: &Settings,
    refs: &Refs<'_>,
) -> Result<Draft, Vec<Issue>> {
    let mut issues = Vec::new();
    let mut keep = |issue: Option<Issue>| issues.extend(issue);
    let name = vendor.name.trim();
    keep(
        name.is_empty()
            .then(|| Issue::new("name", "required", "the vendor has no name")),
    );
    let tax_id = vendor
        .tax_id
        .as_deref()
        .map(str::trim)
        .filter(|id| !id.is_empty());
    keep(tax_id.and_then(|id| too_long("tax_id", id, 16)));
    let postal = vendor.address.postal_code.as_deref().map(str::trim);
    keep(postal.and_then(|code| too_long("address/postal_code", code, 10)));
    let fields = fields(vendor, settings, name, tax_id);
    let template = template(settings, &fields);
    keep(template.clone().err());
    if !issues.is_empty() {
        return Err(issues);
    }
    let draft = SupplierDraft {
        supplier: supplier_number(&vendor.key, refs),
        template: template.unwrap_or_default(),
        address: address(&vendor.address, settings, &fields),
        email: email(vendor, settings),
        country: fields.get("CSCD").cloned(),
        fields,
        name: name.to_owned(),
        number: vendor.number.clone(),
        tax_id: tax_id.map(str::to_owned),
        postal_code: postal.filter(|code| !code.is_empty()).map(str::to_owned),
    };
    let people = changes(&draft, vendor, settings);
    let payload = serde_json::to_value(&draft)
        .map_err(|error| vec![Issue::new("", "draft_unwritable", error.to_string())])?;
    Ok(Draft::new(payload, people, draft.supplier, None))
}

/// The template that is copied; none when the defaults are enough for AddSupplier.
fn template(settings: &Settings, fields: &Fields) -> Result<Option<String>, Issue> {
    if let Some(template) = settings.text("supplier_template") {
        return Ok(Some(template.to_owned()));
    }
    let missing: Vec<&str> = MANDATORY
        .iter()
        .chain(&["CSCD"])
        .copied()
        .filter(|name| !fields.contains_key(*name))
        .collect();
    if missing.is_empty() {
        return Ok(None);
    }
    Err(Issue::new(
        "settings/supplier_template",
        "missing_setting",
        format!(
            "M3 needs a supplier to copy new ones from: set supplier_template on the connection (or give \
             supplier_defaults for {})",
            missing.join(", ")
        ),
    ))
}

fn fields(vendor: &Vendor, settings: &Settings, name: &str, tax_id: Option<&str>) -> Fields {
    let mut fields: Fields = settings
        .entries("supplier_defaults")
        .filter(|(name, value)| *name != EMAIL_TYPE && !value.trim().is_empty())
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            fields.insert(name.to_owned(), value);
        }
    };
    put("SUNM", Some(fitted(name, NAME_CHARACTERS_MAX)));
    put("ALSU", Some(search_key(name)));
    put("PHNO", vendor.phone.as_deref().and_then(phone));
    put("CSCD", vendor.address.country.as_deref().and_then(country));
    put("ECAR", vendor.address.region.as_deref().and_then(region));
    put("VRNO", tax_id.map(str::to_owned));
    fields
}

/// A text within a width, cut at a word where it must be.
pub(super) fn fitted(text: &str, characters_max: usize) -> String {
    shortened(text, characters_max).unwrap_or_else(|| text.to_owned())
}

/// The first letters and digits, by which people type it.
fn search_key(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .flat_map(char::to_uppercase)
        .take(10)
        .collect()
}

fn too_long(field: &str, value: &str, characters_max: usize) -> Option<Issue> {
    (value.chars().count() > characters_max).then(|| {
        Issue::new(
            field,
            "too_long",
            format!("`{value}` is longer than the {characters_max} characters that M3 keeps, and is never cut"),
        )
    })
}

/// `PC` and the vendor's id in base 36, so that a repeat meets the first one.
/// Source: FLOWS.md §2.1, read 2026-11-22.
fn supplier_number(key: &str, refs: &Refs<'_>) -> String {
    let digits = key
        .parse::<u64>()
        .ok()
        .map(base_36)
        .filter(|digits| digits.len() <= 8);
    // A key that is no number, or too large a one, lends its tag's digits: as stable, and as particular.
    let digits = digits.unwrap_or_else(|| {
        let tag = refs.tag.as_str();
        tag.get(tag.len().saturating_sub(8)..)
            .unwrap_or(tag)
            .to_owned()
    });
    format!("PC{digits}")
}

fn base_36(mut number: u64) -> String {
    const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut digits = Vec::new();
    loop {
        let at = usize::try_from(number % 36).unwrap_or_default();
        digits.extend(DIGITS.get(at).copied().map(char::from));
        number /= 36;
        if number == 0 {
            return digits.iter().rev().collect();
        }
    }
}

/// The same for people, in reading order.
fn changes(draft: &SupplierDraft, vendor: &Vendor, settings: &Settings) -> Vec<Change> {
    const LABELS: &[(&str, &str)] = &[
        ("SUNM", "Name"),
        ("ALSU", "Search key"),
        ("VRNO", "Tax id"),
        ("PHNO", "Phone"),
        ("CSCD", "Country"),
        ("ECAR", "Region"),
    ];
    let change = |field: &str, to: &str, why: &str| Change {
        field: field.to_owned(),
        from: None,
        to: Some(to.to_owned()),
        why: why.to_owned(),
    };
    let mut people = vec![change(
        "Supplier",
        &draft.supplier,
        "chosen from the vendor's id",
    )];
    people.extend(
        draft
            .template
            .as_deref()
            .map(|template| change("Copied from", template, "setting supplier_template")),
    );
    for (name, value) in &draft.fields {
        let label = LABELS
            .iter()
            .find(|(field, _)| field == name)
            .map_or(name.as_str(), |(_, label)| label);
        let is_default = settings.entry("supplier_defaults", name).map(str::trim) == Some(value);
        let why = match name.as_str() {
            _ if is_default => "setting supplier_defaults",
            "SUNM" if *value != vendor.name.trim() => "source, shortened to 36 characters",
            _ => "source",
        };
        people.push(change(label, value, why));
    }
    // Reading order: the labelled ones as listed, then the defaults.
    people.sort_by_key(|change| match change.field.as_str() {
        "Supplier" => 0,
        "Copied from" => 1,
        field => LABELS
            .iter()
            .position(|(_, label)| *label == field)
            .map_or(usize::MAX, |at| at.saturating_add(2)),
    });
    for (name, value) in draft.address.iter().flatten() {
        people.push(change(&format!("Address · {name}"), value, "source"));
    }
    people.extend(
        draft
            .email
            .as_ref()
            .map(|email| change("E-mail", &email.address, "source")),
    );
    people
}
