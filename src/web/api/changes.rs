//! What a dry run foresees, over the API: page by page, or whole as a file.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::Bytes;
use futures::stream::unfold;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{Answer, Call, ok, text};
use super::records::{CandidateView, ChangeView, IssueView, TargetRef, WaitView};
use crate::desk::Desk;
use crate::domain::csv;
use crate::domain::fault::Issue;
use crate::domain::ids::{RecordId, RunId, TenantId};
use crate::domain::money::plain;
use crate::domain::plan::{Action, Change, Foreseen};
use crate::store::foreseen::{self, Filter};
use crate::store::run;
use crate::web::fields::Fields;
use crate::web::id::Id;
use crate::web::problem::Problem;

/// What would be done with one source record.
#[derive(Debug, Serialize, ToSchema)]
pub struct ForeseenView {
    pub flow: String,
    pub source: TargetRef,
    pub number: Option<String>,
    pub counterparty: Option<String>,
    pub project: Option<String>,
    /// A decimal.
    pub amount: Option<String>,
    pub currency: Option<String>,
    /// `create, update, link, none, wait, skip, review, fail`.
    pub action: &'static str,
    /// What would be written, or where the two sides differ.
    pub changes: Vec<ChangeView>,
    /// Why it would fail.
    pub issues: Vec<IssueView>,
    /// What a person would have to choose from.
    pub candidates: Vec<CandidateView>,
    pub waiting_for: Vec<WaitView>,
    /// Of what it would be linked to, or is.
    pub target_id: Option<String>,
    /// Of the exact write: approval would bind to the same one.
    pub digest: Option<String>,
    pub reason: Option<String>,
    /// A sentence for people.
    pub explanation: String,
}

impl From<Foreseen> for ForeseenView {
    fn from(row: Foreseen) -> Self {
        // A key that was only chosen names nothing that could be looked up.
        let is_there = matches!(row.action, Action::Link | Action::None);
        Self {
            flow: row.flow.to_string(),
            source: TargetRef {
                system: row.source.system.to_string(),
                entity: row.source.entity.to_string(),
                id: row.source.id,
            },
            number: row.number,
            counterparty: row.counterparty,
            project: row.project,
            amount: row.money.as_ref().map(|money| plain(money.amount)),
            currency: row.money.map(|money| money.currency.to_string()),
            action: row.action.as_str(),
            changes: row.changes.into_iter().map(ChangeView::from).collect(),
            issues: row.issues.iter().map(IssueView::from).collect(),
            candidates: row
                .candidates
                .into_iter()
                .map(CandidateView::from)
                .collect(),
            waiting_for: row.waiting_for.iter().map(WaitView::from).collect(),
            target_id: row.target_id.filter(|_| is_there),
            digest: row.digest,
            reason: row.reason,
            explanation: row.explanation,
        }
    }
}

/// Reads `flow` and `action`; an action may come more than once, or as a list with commas.
///
/// # Errors
/// 422 for an action that there is not.
pub fn filter(query: &Fields) -> Result<Filter, Problem> {
    let words = query.all("action").flat_map(|list| list.split(','));
    let (mut actions, mut issues) = (Vec::new(), Vec::new());
    for word in words.map(str::trim).filter(|word| !word.is_empty()) {
        match word.parse::<Action>() {
            Ok(action) => actions.push(action),
            Err(unknown) => issues.push(Issue::new("action", "unknown", format!("{unknown}."))),
        }
    }
    if !issues.is_empty() {
        return Err(Problem::invalid(issues));
    }
    Ok(Filter {
        flow: query.given("flow").map(str::to_owned),
        actions,
    })
}

/// In which form the rows are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Pages of JSON.
    Pages,
    JsonLines,
    Csv,
}

/// Reads `format`, else what the sender accepts.
///
/// # Errors
/// 422 for a format that there is not.
pub fn form(query: &Fields, request: &HttpRequest) -> Result<Form, Problem> {
    let accepts = request.headers().get(ACCEPT);
    let accepts = accepts.and_then(|kind| kind.to_str().ok()).unwrap_or("");
    match query.given("format") {
        Some("json") => Ok(Form::Pages),
        Some("jsonl") => Ok(Form::JsonLines),
        Some("csv") => Ok(Form::Csv),
        Some(_) => {
            let says = "Write `json`, `jsonl` or `csv`.";
            Err(Problem::invalid(vec![Issue::new(
                "format", "unknown", says,
            )]))
        }
        None if accepts.starts_with("text/csv") => Ok(Form::Csv),
        None if accepts.starts_with("application/x-ndjson") => Ok(Form::JsonLines),
        None => Ok(Form::Pages),
    }
}

/// `GET /api/v1/runs/{id}/changes`.
///
/// # Errors
/// `missing`; `not_now` for a run that is no dry run; `invalid`.
pub async fn list(call: Call, id: Id<RunId>, request: HttpRequest) -> Answer {
    let filter = filter(&call.query)?;
    let form = form(&call.query, &request)?;
    let paging = call.paging()?;
    let scope = call.desk().store().read(call.caller.tenant_id).await?;
    only_dry(run::find(&scope, id.0).await?.run.dry_run)?;
    if form != Form::Pages {
        return Ok(whole(
            call.desk(),
            call.caller.tenant_id,
            id.0,
            filter,
            form,
        ));
    }
    let after = paging.before()?;
    let found = foreseen::list(&scope, id.0, &filter, after, paging.one_more()).await?;
    let page = paging.cut(found, |(id, _)| id.to_string());
    ok(&page.map(|(_, row)| ForeseenView::from(row)))
}

/// Only a dry run foresees anything.
///
/// # Errors
/// `not_now`.
pub fn only_dry(is_dry: bool) -> Result<(), Problem> {
    if is_dry {
        return Ok(());
    }
    let says = "This run was no dry run. What it did is in its records: GET /records?run=…";
    Err(Problem::not_now("not_dry", says))
}

/// Rows of one piece of a file.
const PIECE: u32 = 200;

/// Every row that the filter matches, as a file.
#[must_use]
pub fn whole(
    desk: &Desk,
    tenant: TenantId,
    run: RunId,
    filter: Filter,
    form: Form,
) -> HttpResponse {
    let (kind, ending) = match form {
        Form::Csv => ("text/csv; charset=utf-8", "csv"),
        Form::Pages | Form::JsonLines => ("application/x-ndjson; charset=utf-8", "jsonl"),
    };
    let name = format!("attachment; filename=\"dry-run-{run}.{ending}\"");
    let file = File {
        desk: desk.clone(),
        tenant,
        run,
        filter,
        form,
        is_begun: false,
        after: None,
    };
    let pieces = unfold(file, |mut file| async move {
        let piece = match file.piece().await {
            Ok(piece) => Ok(Bytes::from(piece?)),
            Err(problem) => {
                tracing::error!(run = %file.run, "an export of a dry run was broken off");
                Err(actix_web::Error::from(problem))
            }
        };
        Some((piece, file))
    });
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CONTENT_DISPOSITION, name))
        .streaming(pieces)
}

struct File {
    desk: Desk,
    tenant: TenantId,
    run: RunId,
    filter: Filter,
    form: Form,
    is_begun: bool,
    after: Option<RecordId>,
}

impl File {
    /// The next piece; none at the end.
    async fn piece(&mut self) -> Result<Option<String>, Problem> {
        let mut piece = String::new();
        if !self.is_begun && self.form == Form::Csv {
            piece.push_str(&csv::row(COLUMNS.iter().copied()));
        }
        let scope = self.desk.store().read(self.tenant).await?;
        let rows = foreseen::list(&scope, self.run, &self.filter, self.after, PIECE).await?;
        drop(scope);
        self.after = rows.last().map(|(id, _)| *id).or(self.after);
        for (_, row) in rows {
            match self.form {
                Form::Csv => piece.push_str(&line(row)),
                Form::Pages | Form::JsonLines => {
                    piece.push_str(&text(&ForeseenView::from(row))?);
                    piece.push('\n');
                }
            }
        }
        self.is_begun = true;
        Ok(Some(piece).filter(|piece| !piece.is_empty()))
    }
}

const COLUMNS: &[&str] = &[
    "flow",
    "action",
    "source.system",
    "source.entity",
    "source.id",
    "number",
    "counterparty",
    "project",
    "amount",
    "currency",
    "target_id",
    "reason",
    "explanation",
    "changes",
    "issues",
    "waiting_for",
    "digest",
];

fn line(row: Foreseen) -> String {
    let changes = joined(&row.changes, changed);
    let issues = joined(&row.issues, ToString::to_string);
    let waits = joined(&row.waiting_for, |wait| wait.label.clone());
    let view = ForeseenView::from(row);
    let given = |text: &'_ Option<String>| text.clone().unwrap_or_default();
    let cells = [
        view.flow.clone(),
        view.action.to_owned(),
        view.source.system.clone(),
        view.source.entity.clone(),
        view.source.id.clone(),
        given(&view.number),
        given(&view.counterparty),
        given(&view.project),
        given(&view.amount),
        given(&view.currency),
        given(&view.target_id),
        given(&view.reason),
        view.explanation.clone(),
        changes,
        issues,
        waits,
        given(&view.digest),
    ];
    csv::row(cells.iter().map(String::as_str))
}

fn joined<T>(things: &[T], say: impl Fn(&T) -> String) -> String {
    things.iter().map(say).collect::<Vec<_>>().join("\n")
}

fn changed(change: &Change) -> String {
    let to = change.to.as_deref().unwrap_or("");
    match &change.from {
        Some(from) => format!("{}: {from} → {to}", change.field),
        None => format!("{}: {to}", change.field),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn filters_and_forms_are_read_from_an_address() {
        let of = |query: &str| Fields::read(query.as_bytes()).unwrap();
        let read = filter(&of("flow=vendors&action=create,link&action=wait")).unwrap();
        assert_eq!(read.flow.as_deref(), Some("vendors"));
        assert_eq!(read.actions, [Action::Create, Action::Link, Action::Wait]);
        assert_eq!(filter(&of("action=destroy")).unwrap_err().kind.status, 422);
        let bare = TestRequest::default().to_http_request();
        let csv = TestRequest::default()
            .insert_header(("Accept", "text/csv"))
            .to_http_request();
        for (query, request, want) in [
            ("", &bare, Some(Form::Pages)),
            ("format=csv", &bare, Some(Form::Csv)),
            ("format=jsonl", &csv, Some(Form::JsonLines)),
            ("", &csv, Some(Form::Csv)),
            ("format=xlsx", &bare, None),
        ] {
            assert_eq!(form(&of(query), request).ok(), want, "{query}");
        }
    }
}
