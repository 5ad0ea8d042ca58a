//! Vendors of the company directory.
//!
//! Source: Procore REST reference, vendors v1.0, read 2026-11-22. Inactive vendors leave this list; they are
//! still shown by their id, which is how a deactivation is seen.

use serde_json::{Map, Value};

use super::client::{Ask, Client};
use super::fault::unreadable;
use super::listing;
use super::reading::{Issues, Reading};
use crate::contract::{Answer, ListScope, Lists, Page, Read, Reads, Seen, Session, SourceKey};
use crate::domain::connection::Settings;
use crate::domain::fault::{Fault, Issue};
use crate::domain::records::{Address, Vendor};

/// The vendors of one company.
pub(super) struct Vendors;

/// What moves the version when it changes, beside the time of the change.
const TELLING: [&str; 12] = [
    "name",
    "is_active",
    "origin_code",
    "business_register/identifier",
    "business_phone",
    "mobile_phone",
    "email_address",
    "address",
    "city",
    "state_code",
    "zip",
    "country_code",
];

fn version(fields: &Map<String, Value>) -> String {
    listing::version(fields, &TELLING, &[])
}

impl Lists for Vendors {
    fn changed<'a>(
        &'a self,
        session: &'a Session,
        scope: &'a ListScope,
        after: Option<&'a str>,
    ) -> Answer<'a, Page<Seen>> {
        Box::pin(async move {
            let client = Client::of(session)?;
            let ask = Ask::vendors(scope, client.company());
            listing::company_page(&client, &ask, after, |row| (version(row), None)).await
        })
    }
}

impl Reads<Vendor> for Vendors {
    fn read<'a>(
        &'a self,
        session: &'a Session,
        key: &'a SourceKey,
    ) -> Answer<'a, Option<Read<Vendor>>> {
        Box::pin(async move {
            let client = Client::of(session)?;
            let id = listing::number(&key.id)?;
            let fields = match client.one(&Ask::vendor(id, client.company())).await {
                Err(Fault::Missing { .. }) => {
                    let neighbours = Ask::vendors(&ListScope::default(), client.company());
                    listing::gone(&client, "vendor", neighbours).await?;
                    return Ok(None);
                }
                answer => answer?,
            };
            let version = version(&fields);
            let raw = Value::Object(fields);
            let record = translated(&raw).map_err(|issues| unreadable("company vendor", issues))?;
            Ok(Some(Read {
                record,
                version,
                raw,
            }))
        })
    }

    fn translate(&self, raw: &Value, _settings: &Settings) -> Result<Vendor, Vec<Issue>> {
        translated(raw)
    }
}

pub(super) fn translated(raw: &Value) -> Result<Vendor, Vec<Issue>> {
    let issues = Issues::default();
    let vendor = Reading::of(&issues, raw, "");
    let register = vendor.object("business_register");
    let found = Vendor {
        key: vendor.key("id"),
        name: vendor.text("name"),
        number: vendor.text_if_any("origin_code"),
        tax_id: register.and_then(|register| register.text_if_any("identifier")),
        phone: vendor
            .text_if_any("business_phone")
            .or_else(|| vendor.text_if_any("mobile_phone")),
        email: vendor.text_if_any("email_address"),
        address: Address {
            street: vendor.text_if_any("address"),
            city: vendor.text_if_any("city"),
            region: code(vendor.text_if_any("state_code")),
            postal_code: vendor.text_if_any("zip"),
            country: code(vendor.text_if_any("country_code")),
        },
        active: vendor.flag_or("is_active", true),
        created_at: vendor.moment_if_any("created_at"),
    };
    issues.finish(found)
}

/// ISO codes are upper case and without blanks around them.
fn code(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_uppercase())
}
