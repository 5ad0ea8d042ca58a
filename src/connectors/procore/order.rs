//! Commitments: purchase order contracts and work order contracts, each with its schedule of values.
//!
//! Source: Procore REST reference, purchase and work order contracts v1.0, read 2026-11-22. One shape, two
//! resources; the differences are the dates. Lines do not surely touch their contract's `updated_at`.

use serde_json::{Map, Value};

use super::client::{Ask, Client};
use super::fault::{self, unreadable};
use super::listing::{self, Cursor, Round};
use super::lookup;
use super::order_line;
use super::reading::{Issues, Reading};
use super::tool::Tool;
use crate::contract::{Answer, ListScope, Lists, Page, Read, Reads, Seen, Session, SourceKey};
use crate::domain::connection::Settings;
use crate::domain::fault::{Fault, Issue};
use crate::domain::records::{Order, OrderKind};

/// The commitments of the projects in scope.
pub(super) struct Orders;

const KINDS: [OrderKind; 2] = [OrderKind::PurchaseOrder, OrderKind::Subcontract];

/// What moves the version when it changes, beside the time of the change.
const TELLING: [&str; 11] = [
    "status",
    "number",
    "title",
    "accounting_method",
    "vendor/id",
    "contract_date",
    "delivery_date",
    "contract_estimated_completion_date",
    "payment_terms",
    "currency_configuration/currency_iso_code",
    "deleted_at",
];

pub(super) fn version(head: &Map<String, Value>) -> String {
    listing::version(head, &TELLING, &["grand_total"])
}

/// Where a contract is found: its project and which of the two resources. Written `316001/subcontract`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub project: i64,
    pub kind: OrderKind,
}

impl Place {
    fn read(text: &str) -> Result<Self, Fault> {
        let (project, kind) = text.split_once('/').unwrap_or((text, ""));
        let kind = KINDS.into_iter().find(|known| known.as_str() == kind);
        Ok(Self {
            project: listing::number(project)?,
            kind: kind.ok_or_else(|| Fault::Missing {
                what: "not_found".to_owned(),
                message: format!("`{text}` is no place of a Procore contract"),
            })?,
        })
    }

    fn written(self) -> String {
        format!("{}/{}", self.project, self.kind.as_str())
    }
}

impl Lists for Orders {
    fn changed<'a>(
        &'a self,
        session: &'a Session,
        scope: &'a ListScope,
        after: Option<&'a str>,
    ) -> Answer<'a, Page<Seen>> {
        Box::pin(async move {
            let round = Round::of(scope, Tool::Commitments, |project| {
                KINDS.map(|kind| Place { project, kind }.written()).to_vec()
            });
            let mut cursor = match after {
                Some(text) => Cursor::read(text)?,
                None => round.start(),
            };
            if round.is_over(&cursor) {
                return round.end(&cursor);
            }
            let place = Place::read(&cursor.place)?;
            let client = Client::of(session)?;
            let ask = Ask::contracts(place.kind, place.project, scope);
            let (rows, next) = match client.page(&ask, cursor.page).await {
                Ok(found) => {
                    let rows = found.rows.iter().map(|row| seen(row, place));
                    let rows = rows.collect::<Result<Vec<Seen>, Fault>>()?;
                    (rows, cursor.after(&found)?)
                }
                // One hidden project does not keep the others back.
                Err(refused) if fault::is_hiding(&refused) => {
                    cursor.hide(place.project.to_string());
                    (Vec::new(), None)
                }
                Err(other) => return Err(other),
            };
            let next = next.or_else(|| round.following(cursor));
            Ok(Page {
                rows,
                next: next.map(|cursor| cursor.written()),
            })
        })
    }
}

fn seen(row: &Value, place: Place) -> Result<Seen, Fault> {
    let (id, fields) = listing::keyed(row)?;
    Ok(Seen {
        key: SourceKey {
            id,
            place: place.written(),
        },
        version: version(fields),
        project_key: Some(place.project.to_string()),
        name: None,
    })
}

impl Reads<Order> for Orders {
    fn read<'a>(
        &'a self,
        session: &'a Session,
        key: &'a SourceKey,
    ) -> Answer<'a, Option<Read<Order>>> {
        Box::pin(async move {
            let client = Client::of(session)?;
            let place = Place::read(&key.place)?;
            let id = listing::number(&key.id)?;
            let Some(head) = head(&client, place, id).await? else {
                return Ok(None);
            };
            let ask = Ask::lines(place.kind, place.project, id);
            let lines = match client.all(&ask).await {
                // Deleted since its head was read; the next read says so.
                Err(fault) if fault.code() == "not_visible" => {
                    return Err(changed_meanwhile(fault));
                }
                lines => lines?,
            };
            let version = version(&head);
            let raw = whole(&client, place, head, lines).await?;
            let record = translated(&raw).map_err(|issues| unreadable("contract", issues))?;
            Ok(Some(Read {
                record,
                version,
                raw,
            }))
        })
    }

    fn translate(&self, raw: &Value, _settings: &Settings) -> Result<Order, Vec<Issue>> {
        translated(raw)
    }
}

/// The contract without its lines; nothing when it is deleted.
async fn head(
    client: &Client<'_>,
    place: Place,
    id: i64,
) -> Result<Option<Map<String, Value>>, Fault> {
    match client
        .one(&Ask::contract(place.kind, place.project, id))
        .await
    {
        Err(Fault::Missing { .. }) => {
            let neighbours = Ask::contracts(place.kind, place.project, &ListScope::default());
            listing::gone(client, place.kind.title(), neighbours).await?;
            Ok(None)
        }
        Ok(head) if head.get("deleted_at").is_some_and(|at| !at.is_null()) => Ok(None),
        answer => answer.map(Some),
    }
}

fn changed_meanwhile(fault: Fault) -> Fault {
    Fault::Transient {
        code: "changed_meanwhile".to_owned(),
        message: format!("the contract was shown, its lines were not: {fault}"),
    }
}

/// The snapshot: the head, its lines, and what the lines point at.
async fn whole(
    client: &Client<'_>,
    place: Place,
    mut head: Map<String, Value>,
    lines: Vec<Value>,
) -> Result<Value, Fault> {
    // The head shows lines too, but how many of them is nowhere promised.
    head.remove("line_items");
    let sub_jobs = lookup::sub_jobs(client, place.project, &lines).await?;
    let tax_codes = lookup::tax_codes(client, &lines).await?;
    let currency = lookup::currency(client, place.project, &head, &lines).await?;
    let whole = [
        ("kind", Value::from(place.kind.as_str())),
        ("project_id", Value::from(place.project)),
        ("head", Value::Object(head)),
        ("lines", Value::Array(lines)),
        ("sub_jobs", Value::Object(sub_jobs)),
        ("tax_codes", Value::Object(tax_codes)),
        ("project_currency", Value::from(currency)),
    ];
    let whole = whole.map(|(name, value)| (name.to_owned(), value));
    Ok(Value::Object(whole.into_iter().collect()))
}

pub(super) fn translated(raw: &Value) -> Result<Order, Vec<Issue>> {
    let issues = Issues::default();
    let whole = Reading::of(&issues, raw, "");
    let head = Reading::of(&issues, raw.get("head").unwrap_or(&NOTHING), "");
    let vendor = head.object("vendor");
    let project = head.object("project");
    let lines = order_line::lines(&issues, raw);
    let currency = head
        .currency_if_any()
        .or_else(|| order_line::currency(&issues, raw))
        .or_else(|| whole.code_if_any("project_currency"));
    let found = Order {
        key: head.key("id"),
        kind: kind(&issues, raw),
        number: head.text("number"),
        title: head.text_if_any("title").unwrap_or_default(),
        status: head.text("status"),
        vendor_key: vendor.as_ref().and_then(|vendor| vendor.key_if_any("id")),
        vendor_name: vendor.as_ref().and_then(vendor_name),
        project_key: project
            .and_then(|project| project.key_if_any("id"))
            .unwrap_or_else(|| whole.key("project_id")),
        currency,
        order_date: head.day_if_any("contract_date"),
        delivery_date: head.day_if_any("delivery_date"),
        completion_date: head.day_if_any("contract_estimated_completion_date"),
        created_at: head.moment_if_any("created_at"),
        payment_terms: head.text_if_any("payment_terms"),
        by_unit: by_unit(&issues, &head),
        lines,
        total: head.amount("grand_total"),
    };
    issues.finish(found)
}

static NOTHING: Value = Value::Null;

fn kind(issues: &Issues, raw: &Value) -> OrderKind {
    let kind = raw.get("kind").and_then(Value::as_str).unwrap_or_default();
    let known = KINDS.into_iter().find(|known| known.as_str() == kind);
    known.unwrap_or_else(|| {
        issues.note(Issue::new(
            "kind",
            "mistyped",
            "is neither of the two kinds",
        ));
        OrderKind::PurchaseOrder
    })
}

/// Lists and single records call it `company`, some embedded ones `name`.
fn vendor_name(vendor: &Reading<'_>) -> Option<String> {
    let names = ["company", "name"];
    names.iter().find_map(|name| vendor.text_if_any(name))
}

/// Without a word for it the amounts count: they are right whatever the method.
fn by_unit(issues: &Issues, head: &Reading<'_>) -> bool {
    let method = head.text_if_any("accounting_method").unwrap_or_default();
    match method.to_lowercase().as_str() {
        "unit" => true,
        "amount" | "" => false,
        _ => {
            let message = format!("`{method}` is neither amount nor unit");
            issues.note(Issue::new("accounting_method", "mistyped", message));
            false
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_again() {
        for project in [7, 8] {
            for kind in KINDS {
                let place = Place { project, kind };
                assert_eq!(Place::read(&place.written()).unwrap(), place);
            }
        }
        for text in ["", "7", "7/invoice", "x/subcontract", "7/subcontract/1"] {
            assert_eq!(Place::read(text).unwrap_err().class(), "missing", "{text}");
        }
    }
}
