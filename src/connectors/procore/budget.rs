//! What a project plans, from the detail rows of a budget view.
//!
//! Source: Procore REST reference, budget views, detail columns and detail rows v1.0, read 2026-11-22: there is no
//! list of budget lines. Assumed: a view shows the original budget when one of its columns is called so, and the
//! columns of all projects' views are alike.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::client::{Ask, Client};
use super::code;
use super::fault;
use super::listing;
use super::lookup;
use super::reading::{self, Issues, Reading};
use crate::domain::catalogue::{Budget, BudgetLine};
use crate::domain::fault::Fault;
use crate::domain::records::{Coding, CostCode};

const AMOUNT: &str = "original_budget_amount";

/// The budget of one project; its active codes where no view shows one.
pub(super) async fn budget(client: &Client<'_>, project: i64) -> Result<Budget, Fault> {
    let codes = codes(client, project).await?;
    let Some((view, name)) = view(client, project).await? else {
        return Ok(of_codes(&codes));
    };
    let rows = match client.all(&Ask::budget_rows(view, project)).await {
        Err(refused) if fault::is_hiding(&refused) => return Ok(of_codes(&codes)),
        rows => rows?,
    };
    let types = lookup::cost_types(client).await?;
    let issues = Issues::default();
    let mut currency = None;
    let lines = rows.iter().filter_map(|row| {
        let reading = Reading::of(&issues, row, "");
        currency = currency.take().or_else(|| reading.currency_if_any());
        let amount = row.get(AMOUNT).and_then(reading::decimal);
        let (coding, name) = coding(&reading, &codes, types.as_object())?;
        Some(BudgetLine {
            coding,
            name,
            amount: amount.unwrap_or_default(),
        })
    });
    let lines = lines.collect();
    Ok(Budget {
        view: Some(name),
        currency: currency.map(|code| code.as_str().to_owned()),
        lines,
    })
}

fn of_codes(codes: &[CostCode]) -> Budget {
    let lines = codes
        .iter()
        .filter(|code| code.active)
        .map(|code| BudgetLine {
            coding: code.coding.clone(),
            name: code.name.clone(),
            amount: Decimal::ZERO,
        });
    Budget {
        view: None,
        currency: None,
        lines: lines.collect(),
    }
}

/// Every code of a project, those that are not active any more included: budgets keep them.
pub(super) async fn codes(client: &Client<'_>, project: i64) -> Result<Vec<CostCode>, Fault> {
    let mut codes = Vec::new();
    for row in code::all(client, project).await? {
        let raw = code::whole(client, project, row).await?;
        // What cannot be read shows itself in its own record.
        codes.extend(code::translated(&raw).ok());
    }
    Ok(codes)
}

/// The view of the settings, else the first that shows the original budget.
async fn view(client: &Client<'_>, project: i64) -> Result<Option<(i64, String)>, Fault> {
    let views = match client.all(&Ask::budget_views(project)).await {
        Err(refused) if fault::is_hiding(&refused) => return Ok(None),
        views => views?,
    };
    let wanted = client.session().settings.text("budget_view");
    for row in &views {
        let (key, fields) = listing::keyed(row)?;
        let id = listing::number(&key)?;
        let name = fields.get("name").and_then(Value::as_str);
        let found = (id, name.unwrap_or(&key).to_owned());
        let is_it = match wanted {
            Some(wanted) => wanted.trim() == key,
            None => shows_budget(client, id, project).await?,
        };
        if is_it {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

async fn shows_budget(client: &Client<'_>, view: i64, project: i64) -> Result<bool, Fault> {
    let fact = format!("budget_view/{view}");
    let facts = &client.session().facts;
    if let Some(known) = facts.recall(&fact, client.now(), lookup::KEPT) {
        return Ok(known == Value::Bool(true));
    }
    let shows = match client.page(&Ask::budget_columns(view, project), 1).await {
        Ok(found) => found.rows.iter().any(is_amount),
        // Without its columns, its rows tell.
        Err(refused) if fault::is_hiding(&refused) => {
            let rows = client
                .page(&Ask::budget_rows(view, project).per_page(1), 1)
                .await?;
            rows.rows.iter().any(|row| row.get(AMOUNT).is_some())
        }
        Err(other) => return Err(other),
    };
    facts.remember(&fact, client.now(), Value::Bool(shows));
    Ok(shows)
}

fn is_amount(column: &Value) -> bool {
    let plain = |name: &str| {
        let text = column.get(name).and_then(Value::as_str).unwrap_or_default();
        text.to_lowercase().replace([' ', '_'], "")
    };
    ["id", "name"].iter().any(|name| {
        let text = plain(name);
        text == AMOUNT.replace('_', "") || text == "originalbudget"
    })
}

/// The code of a row: by its WBS code, else put together from the cost code's text and the type.
fn coding(
    row: &Reading<'_>,
    codes: &[CostCode],
    types: Option<&Map<String, Value>>,
) -> Option<(Coding, String)> {
    let name = row.text_if_any("cost_code").unwrap_or_default();
    let known = row
        .key_if_any("wbs_code_id")
        .and_then(|id| codes.iter().find(|code| code.key == id));
    if let Some(code) = known {
        return Some((code.coding.clone(), code.name.clone()));
    }
    let cost_type = row
        .key_if_any("category_id")
        .and_then(|id| types?.get(&id)?.as_str().map(str::to_owned));
    // Assumed: `03-300 - Concrete`, the code before its name.
    let cost_code = name.split(" - ").next().unwrap_or_default().trim();
    (!cost_code.is_empty()).then(|| {
        let coding = Coding {
            cost_code: cost_code.to_owned(),
            cost_type: cost_type.unwrap_or_default(),
            sub_job: String::new(),
        };
        (coding, name.clone())
    })
}
