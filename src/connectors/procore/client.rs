//! The only file that knows Procore's addresses: paths, queries, the company header, pages.
//!
//! Source: Procore REST reference and "Pagination", read 2026-11-22.

use serde_json::{Map, Value};
use url::Url;

use super::fault::{self, Asked};
use super::paging;
use super::tool::Tool;
use crate::connectors::kit::json;
use crate::contract::{Body, Call, ListScope, Method, Request, Response, Session};
use crate::domain::clock::Timestamp;
use crate::domain::connection::Settings;
use crate::domain::fault::Fault;
use crate::domain::records::OrderKind;

/// Seconds that a call may take, unless the connection says otherwise.
pub(super) const TIMEOUT_SECONDS: u32 = 30;
/// A record that changed at a vendor whose clock is ahead of ours is not to be missed: a window reaches
/// this far beyond its end.
const AHEAD_SECONDS: u64 = 24 * 3600;

/// One read, without its page.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    tool: Tool,
    /// As the vendor's reference names it.
    operation: &'static str,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    per_page: u32,
}

impl Ask {
    fn new(tool: Tool, operation: &'static str, path: &[&str]) -> Self {
        Self {
            tool,
            operation,
            path: path.iter().map(|part| (*part).to_owned()).collect(),
            query: Vec::new(),
            per_page: paging::PER_PAGE,
        }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// The same list, this many rows at once.
    pub(super) fn per_page(mut self, per_page: u32) -> Self {
        self.per_page = per_page;
        self
    }

    /// What changed since, to the second.
    fn in_window(self, scope: &ListScope) -> Self {
        let Some(since) = scope.since else {
            return self;
        };
        let until = scope
            .until
            .plus(std::time::Duration::from_secs(AHEAD_SECONDS));
        self.with("filters[updated_at]", range(since, until))
    }

    pub(super) fn companies() -> Self {
        Self::new(Tool::Company, "List Companies", &["v1.0", "companies"])
    }

    /// Closed projects too: an order may belong to one.
    pub(super) fn projects(scope: &ListScope, company: &str) -> Self {
        Self::new(Tool::Projects, "List Projects", &["v1.0", "projects"])
            .with("company_id", company)
            .with("filters[by_status]", "All")
            .per_page(paging::PROJECTS_PER_PAGE)
            .in_window(scope)
    }

    pub(super) fn project(id: i64, company: &str) -> Self {
        let id = id.to_string();
        Self::new(Tool::Projects, "Show Project", &["v1.0", "projects", &id])
            .with("company_id", company)
    }

    pub(super) fn vendors(scope: &ListScope, company: &str) -> Self {
        Self::new(
            Tool::Directory,
            "List Company Vendors",
            &["v1.0", "vendors"],
        )
        .with("company_id", company)
        .with("view", "extended")
        .in_window(scope)
    }

    pub(super) fn vendor(id: i64, company: &str) -> Self {
        let id = id.to_string();
        Self::new(
            Tool::Directory,
            "Show Company Vendor",
            &["v1.0", "vendors", &id],
        )
        .with("company_id", company)
        .with("view", "extended")
    }

    /// Deleted ones too: what is deleted is told apart from what is hidden.
    pub(super) fn contracts(kind: OrderKind, project: i64, scope: &ListScope) -> Self {
        let (resource, operation) = match kind {
            OrderKind::PurchaseOrder => (PURCHASE_ORDERS, "List Purchase Order Contracts"),
            OrderKind::Subcontract => (WORK_ORDERS, "List Work Order Contracts"),
        };
        Self::new(Tool::Commitments, operation, &["v1.0", resource])
            .with("project_id", project.to_string())
            .with("view", "extended")
            .with("filters[include_deleted]", "with")
            .in_window(scope)
    }

    pub(super) fn contract(kind: OrderKind, project: i64, id: i64) -> Self {
        let (resource, operation) = match kind {
            OrderKind::PurchaseOrder => (PURCHASE_ORDERS, "Show Purchase Order Contract"),
            OrderKind::Subcontract => (WORK_ORDERS, "Show Work Order Contract"),
        };
        let id = id.to_string();
        Self::new(Tool::Commitments, operation, &["v1.0", resource, &id])
            .with("project_id", project.to_string())
    }

    /// The schedule of values, not the subcontractor's own breakdown of it.
    pub(super) fn lines(kind: OrderKind, project: i64, id: i64) -> Self {
        let (resource, operation) = match kind {
            OrderKind::PurchaseOrder => {
                (PURCHASE_ORDERS, "List Purchase Order Contract Line Items")
            }
            OrderKind::Subcontract => (WORK_ORDERS, "List Work Order Contract Line Items"),
        };
        let id = id.to_string();
        let path = ["v1.0", resource, &id, "line_items"];
        Self::new(Tool::Commitments, operation, &path).with("project_id", project.to_string())
    }

    /// What changed since; without a window every code, those that are not active any more included.
    pub(super) fn changed_wbs_codes(project: i64, scope: &ListScope) -> Self {
        Self::wbs_codes(project).in_window(scope)
    }

    pub(super) fn units(company: &str) -> Self {
        let path = ["v1.0", "companies", company, "uoms"];
        Self::new(Tool::Reference, "List Units Of Measure", &path)
    }

    pub(super) fn budget_views(project: i64) -> Self {
        Self::new(Tool::Budget, "List Budget Views", &["v1.0", "budget_views"])
            .with("project_id", project.to_string())
    }

    pub(super) fn budget_columns(view: i64, project: i64) -> Self {
        let view = view.to_string();
        let path = ["v1.0", "budget_views", &view, "budget_detail_columns"];
        Self::new(Tool::Budget, "List Budget Detail Columns", &path)
            .with("project_id", project.to_string())
    }

    /// Rows with a budget line and rows without one.
    pub(super) fn budget_rows(view: i64, project: i64) -> Self {
        let view = view.to_string();
        let path = ["v1.0", "budget_views", &view, "detail_rows"];
        Self::new(Tool::Budget, "List Budget View Detail Rows", &path)
            .with("project_id", project.to_string())
            .with("budget_row_type", "all")
    }

    pub(super) fn cost_types(company: &str) -> Self {
        Self::new(
            Tool::CostCodes,
            "List Line Item Types",
            &["v1.0", "line_item_types"],
        )
        .with("company_id", company)
    }

    pub(super) fn wbs_codes(project: i64) -> Self {
        let project = project.to_string();
        let path = [
            "v1.0",
            "projects",
            &project,
            "work_breakdown_structure",
            "wbs_codes",
        ];
        Self::new(Tool::CostCodes, "List WBS Codes", &path)
    }

    pub(super) fn cost_codes(project: i64) -> Self {
        Self::new(Tool::CostCodes, "List Cost Codes", &["v1.0", "cost_codes"])
            .with("project_id", project.to_string())
    }

    pub(super) fn sub_jobs(project: i64) -> Self {
        Self::new(Tool::Reference, "List Sub Jobs", &["v1.0", "sub_jobs"])
            .with("project_id", project.to_string())
    }

    pub(super) fn tax_codes(company: &str) -> Self {
        Self::new(Tool::Reference, "List Tax Codes", &["v1.0", "tax_codes"])
            .with("company_id", company)
            .per_page(paging::TAX_CODES_PER_PAGE)
    }
}

const PURCHASE_ORDERS: &str = "purchase_order_contracts";
const WORK_ORDERS: &str = "work_order_contracts";

/// Both ends belong to the range; the vendor keeps whole seconds, so the later end is rounded up.
///
/// Source: Procore "Filtering on list actions", read 2026-11-22.
fn range(since: Timestamp, until: Timestamp) -> String {
    let last = Timestamp(until.0.saturating_add(Timestamp::SECOND - 1)).whole_seconds();
    format!("{}...{last}", since.whole_seconds())
}

/// One page of a list.
#[derive(Debug)]
pub(super) struct Rows {
    pub rows: Vec<Value>,
    /// How many the whole list has, where the vendor says it.
    pub total: Option<u64>,
    pub next: Option<u32>,
}

/// A session that speaks Procore.
pub(super) struct Client<'a> {
    session: &'a Session,
    base: Url,
    company: String,
}

impl<'a> Client<'a> {
    /// # Errors
    /// `Rejected` when the settings name no API address or no company.
    pub(super) fn of(session: &'a Session) -> Result<Self, Fault> {
        Ok(Self {
            session,
            base: address(&session.settings, "api_base_url")?,
            company: company(&session.settings)?.to_owned(),
        })
    }

    pub(super) fn session(&self) -> &'a Session {
        self.session
    }

    pub(super) fn company(&self) -> &str {
        &self.company
    }

    pub(super) fn now(&self) -> Timestamp {
        self.session.clock.now()
    }

    /// One object.
    ///
    /// # Errors
    /// `Missing` on 404, otherwise as `fault.rs` says; `Broken` when the body is no such object.
    pub(super) async fn one(&self, ask: &Ask) -> Result<Map<String, Value>, Fault> {
        let response = self.send(ask, &[]).await?;
        match json::parse(Call::Read, &response)? {
            // Some refusals come with a success status: they have words instead of an id.
            Value::Object(fields) if fields.contains_key("id") => Ok(fields),
            other => Err(fault::unexpected_body(ask.operation, &other)),
        }
    }

    /// One page of a list.
    ///
    /// # Errors
    /// `Auth` when the list is hidden, otherwise as `fault.rs` says; `Broken` when the body is no list,
    /// or the list never ends.
    pub(super) async fn page(&self, ask: &Ask, page: u32) -> Result<Rows, Fault> {
        let asked = paging::Asked {
            page,
            per_page: ask.per_page,
        };
        let paging = [
            ("page", page.to_string()),
            ("per_page", ask.per_page.to_string()),
        ];
        let response = match self.send(ask, &paging).await {
            Err(Fault::Missing { .. }) => return Err(fault::hidden(ask.tool)),
            answer => answer?,
        };
        match json::parse(Call::Read, &response)? {
            Value::Array(rows) => Ok(Rows {
                next: paging::next(asked, rows.len(), &response)?,
                total: paging::total(&response),
                rows,
            }),
            other => Err(fault::unexpected_body(ask.operation, &other)),
        }
    }

    /// A whole list, each row once.
    ///
    /// # Errors
    /// Those of [`Client::page`]; `Transient` when the list changed while it was read.
    pub(super) async fn all(&self, ask: &Ask) -> Result<Vec<Value>, Fault> {
        let mut all: Vec<Value> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let (mut total, mut first, mut next) = (None, None, Some(1));
        while let Some(page) = next {
            let found = self.page(ask, page).await?;
            let key = paging::first_key(&found.rows);
            if key.is_some() && key == first {
                match found.total {
                    Some(_) => return Err(paging::repeated(page)),
                    // A list that knows no pages answers the same to each.
                    None => break,
                }
            }
            first = key;
            total = found.total.or(total);
            next = found.next;
            let fresh = found.rows.into_iter().filter(|row| {
                let key = row.get("id").and_then(super::reading::key);
                key.is_none_or(|key| seen.insert(key))
            });
            all.extend(fresh);
        }
        let counted = u64::try_from(all.len()).unwrap_or(u64::MAX);
        match total {
            Some(total) if total != counted => Err(Fault::Transient {
                code: "list_changed".to_owned(),
                message: format!(
                    "{} gave {counted} rows of {total}: it changed while it was read",
                    ask.operation
                ),
            }),
            _ => Ok(all),
        }
    }

    /// Whether the service account sees anything in a list: what tells "gone" from "hidden".
    ///
    /// # Errors
    /// Those of [`Client::page`], except that a hidden list is simply not seen.
    pub(super) async fn shows_any(&self, list: Ask) -> Result<bool, Fault> {
        match self.page(&list.per_page(1), 1).await {
            Ok(found) => Ok(!found.rows.is_empty()),
            Err(refused) if fault::is_hiding(&refused) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    async fn send(&self, ask: &Ask, paging: &[(&'static str, String)]) -> Result<Response, Fault> {
        let url = self.url(ask, paging);
        let build = || Request {
            method: Method::Get,
            url: url.clone(),
            headers: vec![("Procore-Company-Id", self.company.clone())],
            bearer: None,
            body: Body::None,
            call: Call::Read,
            timeout: self.session.timeout(TIMEOUT_SECONDS),
            operation: ask.operation.to_owned(),
            private: false,
        };
        let response = self.session.send_authorized(build).await?;
        if response.is_success() {
            return Ok(response);
        }
        let asked = Asked {
            call: Call::Read,
            tool: ask.tool,
        };
        Err(fault::fault(asked, &response, self.now()))
    }

    fn url(&self, ask: &Ask, paging: &[(&'static str, String)]) -> Url {
        let parts = ask.path.iter().map(String::as_str);
        let mut url = under(&self.base, std::iter::once("rest").chain(parts));
        url.query_pairs_mut()
            .extend_pairs(&ask.query)
            .extend_pairs(paging);
        url
    }
}

/// The address of the token endpoint.
///
/// # Errors
/// `Rejected` when the settings name no log-in address.
pub(super) fn token_url(settings: &Settings) -> Result<Url, Fault> {
    let base = address(settings, "login_base_url")?;
    Ok(under(&base, ["oauth", "token"]))
}

/// The company in whose name every call is made.
pub(super) fn company(settings: &Settings) -> Result<&str, Fault> {
    settings.text("company_id").ok_or_else(|| {
        Fault::rejected(
            "settings/company_id",
            "missing",
            "this connection has no company id",
        )
    })
}

fn address(settings: &Settings, name: &str) -> Result<Url, Fault> {
    let text = settings.text(name).unwrap_or_default();
    Url::parse(text).map_err(|_| {
        Fault::rejected(
            &format!("settings/{name}"),
            "not_an_address",
            format!("`{text}` is not an address such as https://api.procore.com"),
        )
    })
}

/// Path parts below a base, each encoded as one part.
fn under<'p>(base: &Url, parts: impl IntoIterator<Item = &'p str>) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(parts);
    }
    url
}
