//! Testing a connection: what the service account sees, and what an administrator must grant it.
//!
//! Source: Procore "Troubleshooting", read 2026-11-22: what the account may not see answers 403, but also
//! 404 or an empty list. So an empty list where something must be is a finding, too.

use serde_json::Value;

use super::client::{Ask, Client, Rows};
use super::order::Orders;
use super::reading;
use super::tool::Tool;
use super::vendor::Vendors;
use crate::contract::{Answer, ListScope, Probe, Probes, Reads, Session, SourceKey};
use crate::domain::clock::Timestamp;
use crate::domain::connection::PingStep;
use crate::domain::fault::Fault;
use crate::domain::money::plain;
use crate::domain::records::{Order, OrderKind, Vendor};

/// Tests company, rights and a sample.
pub(super) struct Steps;

/// Projects that are looked into until something is found: a project may be new and empty.
const PROJECTS_TRIED: usize = 3;
/// Names of companies or projects that are shown in a finding.
const NAMES_SHOWN: usize = 5;
/// The one flow that needs neither commitments nor codes.
const VENDORS_FLOW: &str = "vendors";

impl Probes for Steps {
    fn probe<'a>(&'a self, session: &'a Session, probe: Probe<'a>) -> Answer<'a, Vec<PingStep>> {
        Box::pin(async move {
            let client = Client::of(session)?;
            let mut steps = vec![company(&client).await];
            // In a company that is not open to us nothing else can be told apart.
            if steps.iter().all(|step| step.ok) {
                steps.extend(inside(&client, probe).await);
            }
            Ok(steps)
        })
    }
}

async fn inside(client: &Client<'_>, probe: Probe<'_>) -> Vec<PingStep> {
    let (step, projects) = projects(client).await;
    let mut steps = vec![step];
    let (step, vendor) = directory(client).await;
    steps.push(step);
    let mut sample = vendor.map(Sample::Vendor);
    let needs_contracts =
        probe.flows.is_empty() || probe.flows.iter().any(|flow| *flow != VENDORS_FLOW);
    if needs_contracts && !projects.is_empty() {
        let (step, contract) = commitments(client, &projects).await;
        steps.push(step);
        steps.push(cost_codes(client, &projects).await);
        sample = contract.map(Sample::Contract).or(sample);
    }
    if let Some(sample) = sample {
        steps.push(sample_read(client, sample).await);
    }
    steps
}

/// What a sample read reads.
enum Sample {
    Vendor(SourceKey),
    Contract(SourceKey),
}

struct Started<'c, 'a> {
    client: &'c Client<'a>,
    name: &'static str,
    tool: Tool,
    at: Timestamp,
}

impl<'c, 'a> Started<'c, 'a> {
    fn now(client: &'c Client<'a>, name: &'static str, tool: Tool) -> Self {
        Self {
            client,
            name,
            tool,
            at: client.now(),
        }
    }

    fn ms(&self) -> u64 {
        let passed = self.client.now().since(self.at);
        u64::try_from(passed.as_millis()).unwrap_or(u64::MAX)
    }

    fn well(&self, detail: impl Into<String>) -> PingStep {
        PingStep::well(self.name, self.ms(), detail)
    }

    fn badly(&self, detail: impl Into<String>) -> PingStep {
        PingStep::badly(self.name, self.ms(), detail, self.tool.remedy())
    }

    fn failed(&self, fault: &Fault) -> PingStep {
        let hint = match fault {
            Fault::Auth { .. } | Fault::Missing { .. } => self.tool.remedy(),
            Fault::Transient { .. } | Fault::RateLimited { .. } => {
                "Procore could not answer just now; test again in a few minutes."
            }
            _ => "Check the API address; if it is right, Procore answered in an unexpected way.",
        };
        PingStep::badly(self.name, self.ms(), fault.to_string(), hint)
    }
}

async fn company(client: &Client<'_>) -> PingStep {
    let started = Started::now(client, "company", Tool::Company);
    let companies = match client.all(&Ask::companies()).await {
        Ok(companies) => companies,
        Err(fault) => return started.failed(&fault),
    };
    let is_ours = |company: &&Value| {
        let id = company.get("id").and_then(reading::key);
        id.as_deref() == Some(client.company())
    };
    match companies.iter().find(is_ours) {
        Some(company) => started.well(name_of(company)),
        None => started.badly(format!(
            "company {} is not among those that the app sees: {}",
            client.company(),
            named(&companies)
        )),
    }
}

async fn projects(client: &Client<'_>) -> (PingStep, Vec<i64>) {
    let started = Started::now(client, "permission:projects", Tool::Projects);
    let ask = Ask::projects(&ListScope::default(), client.company());
    match client.page(&ask, 1).await {
        Err(fault) => (started.failed(&fault), Vec::new()),
        Ok(found) if found.rows.is_empty() => (started.badly("no project is shown"), Vec::new()),
        Ok(found) => {
            let ids = found.rows.iter().filter_map(number_of);
            let ids = ids.take(PROJECTS_TRIED).collect();
            let detail = format!("{} projects: {}", count(&found), named(&found.rows));
            (started.well(detail), ids)
        }
    }
}

async fn directory(client: &Client<'_>) -> (PingStep, Option<SourceKey>) {
    let started = Started::now(client, "permission:directory", Tool::Directory);
    let ask = Ask::vendors(&ListScope::default(), client.company()).per_page(1);
    match client.page(&ask, 1).await {
        Err(fault) => (started.failed(&fault), None),
        Ok(found) => match found.rows.first().and_then(number_of) {
            None => (started.badly("no vendor is shown"), None),
            Some(id) => {
                let key = SourceKey {
                    id: id.to_string(),
                    place: String::new(),
                };
                let detail = format!("{} active vendors", count(&found));
                (started.well(detail), Some(key))
            }
        },
    }
}

async fn commitments(client: &Client<'_>, projects: &[i64]) -> (PingStep, Option<SourceKey>) {
    let started = Started::now(client, "permission:commitments", Tool::Commitments);
    for project in projects {
        for kind in [OrderKind::PurchaseOrder, OrderKind::Subcontract] {
            let ask = Ask::contracts(kind, *project, &ListScope::default()).per_page(1);
            let found = match client.page(&ask, 1).await {
                Ok(found) => found,
                Err(fault) => return (started.failed(&fault), None),
            };
            if let Some(id) = found.rows.first().and_then(number_of) {
                let detail = format!("{} {}s in project {project}", count(&found), kind.title());
                let key = SourceKey {
                    id: id.to_string(),
                    place: format!("{project}/{}", kind.as_str()),
                };
                return (started.well(detail), Some(key));
            }
        }
    }
    let detail = "the lists answer and are empty in the projects looked at; if there are commitments, the \
                  permission is missing";
    (started.well(detail), None)
}

/// The codes are asked for as WBS codes, and where a company has none of those, as cost codes.
async fn cost_codes(client: &Client<'_>, projects: &[i64]) -> PingStep {
    let started = Started::now(client, "permission:cost_codes", Tool::CostCodes);
    let mut refused = None;
    for project in projects {
        for ask in [Ask::wbs_codes(*project), Ask::cost_codes(*project)] {
            match client.page(&ask.per_page(1), 1).await {
                Ok(found) if found.rows.is_empty() => {}
                Ok(found) => {
                    return started.well(format!("{} codes in project {project}", count(&found)));
                }
                Err(fault) => refused = Some(fault),
            }
        }
    }
    match refused {
        Some(fault) => started.failed(&fault),
        None => started.badly("no code is shown in the projects looked at"),
    }
}

async fn sample_read(client: &Client<'_>, sample: Sample) -> PingStep {
    let session = client.session();
    match sample {
        Sample::Contract(key) => {
            let started = Started::now(client, "sample_read", Tool::Commitments);
            match Reads::<Order>::read(&Orders, session, &key).await {
                Ok(Some(read)) => started.well(order_in_words(&read.record)),
                Ok(None) => started.well(format!("contract {} is deleted", key.id)),
                Err(fault) => started.failed(&fault),
            }
        }
        Sample::Vendor(key) => {
            let started = Started::now(client, "sample_read", Tool::Directory);
            match Reads::<Vendor>::read(&Vendors, session, &key).await {
                Ok(Some(read)) => started.well(format!("vendor {}", read.record.name)),
                Ok(None) => started.well(format!("vendor {} is gone", key.id)),
                Err(fault) => started.failed(&fault),
            }
        }
    }
}

fn order_in_words(order: &Order) -> String {
    let currency = order.currency.as_ref().map(|code| code.as_str());
    format!(
        "{} {}, {} lines, {} {}",
        order.kind.title(),
        order.number,
        order.lines.len(),
        plain(order.total),
        currency.unwrap_or_default()
    )
    .trim_end()
    .to_owned()
}

/// As many as the vendor counts; without a count, at least those on the page.
fn count(found: &Rows) -> String {
    match (found.total, found.next) {
        (Some(total), _) => total.to_string(),
        (None, None) => found.rows.len().to_string(),
        (None, Some(_)) => format!("{} or more", found.rows.len()),
    }
}

fn number_of(row: &Value) -> Option<i64> {
    row.get("id").and_then(reading::key)?.parse().ok()
}

fn name_of(row: &Value) -> String {
    let name = row.get("name").and_then(Value::as_str).unwrap_or("?");
    let id = row.get("id").and_then(reading::key).unwrap_or_default();
    format!("{name} ({id})")
}

fn named(rows: &[Value]) -> String {
    if rows.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<String> = rows.iter().take(NAMES_SHOWN).map(name_of).collect();
    let rest = rows.len().saturating_sub(names.len());
    match rest {
        0 => names.join(", "),
        rest => format!("{} and {rest} more", names.join(", ")),
    }
}
