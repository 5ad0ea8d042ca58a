//! Codes that mapping rows may name: a project's own codes, cost types, vendors, projects, units.
//!
//! Source: Procore REST reference, read 2026-11-22: WBS codes, line item types, vendors, projects and units of
//! measure. Payment terms are free text and currencies belong to projects: neither is listed anywhere.

use serde_json::Value;

use super::budget;
use super::client::{Ask, Client};
use super::fault;
use super::listing;
use super::reading::{Issues, Reading};
use super::vendor;
use crate::contract::{Answer, ListScope, Offers, Session};
use crate::domain::catalogue::{Budget, Offer};
use crate::domain::fault::Fault;
use crate::domain::mapping::MappingKind;

pub(super) struct Codes;

impl Offers for Codes {
    fn offers<'a>(
        &'a self,
        session: &'a Session,
        kind: MappingKind,
        projects: &'a [String],
    ) -> Answer<'a, Vec<Offer>> {
        Box::pin(async move {
            let client = Client::of(session)?;
            let company = client.company().to_owned();
            match kind {
                MappingKind::CostCodes => cost_codes(&client, projects).await,
                MappingKind::Items => rows(&client, &Ask::cost_types(&company), cost_type).await,
                MappingKind::Vendors => {
                    let ask = Ask::vendors(&ListScope::default(), &company);
                    rows(&client, &ask, vendor).await
                }
                MappingKind::Projects => {
                    let ask = Ask::projects(&ListScope::default(), &company);
                    rows(&client, &ask, project).await
                }
                MappingKind::Units => rows(&client, &Ask::units(&company), unit).await,
                MappingKind::Accounts
                | MappingKind::TaxCodes
                | MappingKind::PaymentTerms
                | MappingKind::Currencies => Ok(Vec::new()),
            }
        })
    }

    fn budget<'a>(&'a self, session: &'a Session, project: &'a str) -> Answer<'a, Option<Budget>> {
        Box::pin(async move {
            let client = Client::of(session)?;
            budget::budget(&client, listing::number(project)?)
                .await
                .map(Some)
        })
    }
}

async fn rows(
    client: &Client<'_>,
    ask: &Ask,
    offer: impl Fn(&Value) -> Option<Offer>,
) -> Result<Vec<Offer>, Fault> {
    Ok(client.all(ask).await?.iter().filter_map(offer).collect())
}

/// The active codes of every project, each with its project.
async fn cost_codes(client: &Client<'_>, projects: &[String]) -> Result<Vec<Offer>, Fault> {
    let mut offers = Vec::new();
    for key in projects {
        let Ok(project) = listing::number(key) else {
            continue;
        };
        let codes = match budget::codes(client, project).await {
            // One hidden project does not keep the others back.
            Err(refused) if fault::is_hiding(&refused) => continue,
            codes => codes?,
        };
        offers.extend(codes.into_iter().filter(|code| code.active).map(|code| {
            let coding = code.coding;
            Offer::new(
                [
                    ("cost_code", coding.cost_code),
                    ("cost_type", coding.cost_type),
                    ("sub_job", coding.sub_job),
                    ("project_id", code.project_key),
                ],
                &code.name,
            )
        }));
    }
    Ok(offers)
}

fn text(row: &Value, name: &str) -> Option<String> {
    let issues = Issues::default();
    Reading::of(&issues, row, "").text_if_any(name)
}

fn key(row: &Value) -> Option<String> {
    let issues = Issues::default();
    Reading::of(&issues, row, "").key_if_any("id")
}

fn cost_type(row: &Value) -> Option<Offer> {
    let name = text(row, "name").unwrap_or_default();
    Some(Offer::new([("cost_type", text(row, "code")?)], &name))
}

fn vendor(row: &Value) -> Option<Offer> {
    let vendor = vendor::translated(row).ok()?;
    let offer = Offer::new([("vendor_id", vendor.key)], &vendor.name);
    Some(
        offer
            .with("number", vendor.number.as_deref())
            .with("tax_id", vendor.tax_id.as_deref()),
    )
}

fn project(row: &Value) -> Option<Offer> {
    let offer = Offer::new([("project_id", key(row)?)], &text(row, "name")?);
    Some(
        offer
            .with("number", text(row, "project_number").as_deref())
            .with("town", text(row, "city").as_deref()),
    )
}

fn unit(row: &Value) -> Option<Offer> {
    let name = text(row, "name")?;
    Some(Offer::new([("code", name.clone())], &name))
}
