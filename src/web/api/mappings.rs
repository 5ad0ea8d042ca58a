//! Mapping tables over the API: read in pages, replaced whole.

use std::collections::BTreeMap;

use actix_web::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::call::{Answer, Call, ok};
use super::given;
use crate::desk::mapping;
use crate::domain::fault::Issue;
use crate::domain::ids::PairId;
use crate::domain::mapping::{CheckedRow, MappingKind, Row, Side};
use crate::domain::table_text;
use crate::web::id::Id;
use crate::web::problem::Problem;

/// One row.
#[derive(Debug, Serialize, ToSchema)]
pub struct MappingRow {
    pub procore: BTreeMap<String, String>,
    pub erp: BTreeMap<String, String>,
    pub note: String,
    /// When the ERP was last asked about it; null until it was.
    pub verified_at: Option<String>,
    /// What the ERP knows about it: an account's name, an item's unit.
    pub found: BTreeMap<String, String>,
    /// What the ERP has against it.
    pub issues: Vec<RowIssue>,
}

/// One thing that is wrong with a row.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowIssue {
    /// The column.
    pub field: String,
    pub code: String,
    pub message: String,
}

/// A row to be kept.
#[derive(Debug, ToSchema)]
#[allow(
    dead_code,
    reason = "told in the OpenAPI document; columns depend on the table"
)]
pub struct NewMappingRow {
    pub procore: BTreeMap<String, String>,
    pub erp: BTreeMap<String, String>,
    pub note: Option<String>,
}

/// What a replacement did.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplacedView {
    /// Rows in the table now.
    pub rows: usize,
    pub added: usize,
    pub removed: usize,
    pub kept: usize,
}

impl From<CheckedRow> for MappingRow {
    fn from(checked: CheckedRow) -> Self {
        let verdict = checked.verdict.unwrap_or_default();
        let issue = |issue: Issue| RowIssue {
            field: issue.field,
            code: issue.code,
            message: issue.message,
        };
        Self {
            procore: checked.row.project_side,
            erp: checked.row.erp_side,
            note: checked.row.note,
            verified_at: checked.verified_at.map(|at| at.to_string()),
            found: verdict.found.into_iter().collect(),
            issues: verdict.issues.into_iter().map(issue).collect(),
        }
    }
}

/// The table that an address names.
pub(super) fn kind(request: &HttpRequest) -> Result<MappingKind, Problem> {
    let word = request.match_info().query("kind");
    word.parse().map_err(|_| Problem::missing("mapping table"))
}

/// `GET /api/v1/pairs/{id}/mappings/{kind}`.
///
/// # Errors
/// `missing`.
pub async fn list(call: Call, id: Id<PairId>, request: HttpRequest) -> Answer {
    let kind = kind(&request)?;
    if wants_file(&call, &request)? {
        let (columns, rows) = mapping::whole(call.desk(), &call.caller, (id.0, kind)).await?;
        return Ok(file(kind, &table_text::written(columns, &rows)));
    }
    let paging = call.paging()?;
    let after: i64 = paging.before()?.unwrap_or(-1);
    let of = (id.0, kind);
    let rows = mapping::page(call.desk(), &call.caller, of, (after, paging.one_more())).await?;
    let numbered = rows.into_iter().zip(after.saturating_add(1)..);
    let page = paging.cut(numbered.collect(), |(_, position)| position.to_string());
    ok(&page.map(|(row, _)| MappingRow::from(row)))
}

/// `PUT /api/v1/pairs/{id}/mappings/{kind}`.
///
/// # Errors
/// As the desk's.
pub async fn replace(call: Call, id: Id<PairId>, request: HttpRequest) -> Answer {
    let kind = kind(&request)?;
    let rows = if is_text(&request) {
        let columns = mapping::columns(call.desk(), &call.caller, id.0, kind).await?;
        table_text::read(columns, &call.body).map_err(Problem::invalid)?
    } else {
        rows(&call.body)?
    };
    let count = rows.len();
    let replaced = mapping::replace(call.desk(), &call.caller, (id.0, kind), rows).await?;
    ok(&ReplacedView {
        rows: count,
        added: replaced.added,
        removed: replaced.removed,
        kept: replaced.kept,
    })
}

/// Whether the whole table is wanted as a file.
fn wants_file(call: &Call, request: &HttpRequest) -> Result<bool, Problem> {
    match call.query.given("format") {
        Some("csv") => Ok(true),
        Some("json") => Ok(false),
        Some(_) => {
            let says = "Write `json` or `csv`.";
            Err(Problem::invalid(vec![Issue::new(
                "format", "unknown", says,
            )]))
        }
        None => Ok(header(request, &ACCEPT).starts_with("text/csv")),
    }
}

fn is_text(request: &HttpRequest) -> bool {
    header(request, &CONTENT_TYPE).starts_with("text/csv")
}

fn header(request: &HttpRequest, name: &HeaderName) -> String {
    let value = request.headers().get(name);
    let text = value.and_then(|value| value.to_str().ok());
    text.unwrap_or_default().trim().to_ascii_lowercase()
}

/// A table as a file to keep.
pub fn file(kind: MappingKind, text: &str) -> HttpResponse {
    let name = format!("attachment; filename=\"{kind}.csv\"");
    HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, name))
        .body(text.to_owned())
}

fn rows(body: &[u8]) -> Result<Vec<Row>, Problem> {
    let Value::Array(entries) = given::parse(body)? else {
        let says = "Send an array of rows.";
        return Err(Problem::invalid(vec![Issue::new("", "wrong_type", says)]));
    };
    let (mut rows, mut issues) = (Vec::with_capacity(entries.len()), Vec::new());
    for (at, entry) in entries.into_iter().enumerate() {
        match row(entry) {
            Ok(row) => rows.push(row),
            Err((code, says)) => issues.push(Issue::new(format!("/rows/{at}"), code, says)),
        }
    }
    if issues.is_empty() {
        Ok(rows)
    } else {
        Err(Problem::invalid(issues))
    }
}

type Wrong = (&'static str, String);

/// What a row is shown with besides; may be sent back and is not read.
const SHOWN: [&str; 3] = ["verified_at", "found", "issues"];

fn row(entry: Value) -> Result<Row, Wrong> {
    let Value::Object(entry) = entry else {
        return Err((
            "wrong_type",
            "A row is an object with procore and erp.".to_owned(),
        ));
    };
    let mut row = Row {
        id: None,
        project_side: Side::new(),
        erp_side: Side::new(),
        note: String::new(),
    };
    for (name, value) in entry {
        match (name.as_str(), value) {
            ("procore", value) => row.project_side = side("procore", value)?,
            ("erp", value) => row.erp_side = side("erp", value)?,
            ("note", value) => row.note = cell("note", &value)?,
            (name, _) if SHOWN.contains(&name) => {}
            (name, _) => {
                let says =
                    format!("{name} is not a part of a row; the parts are procore, erp and note.");
                return Err(("unknown_column", says));
            }
        }
    }
    Ok(row)
}

fn side(name: &str, value: Value) -> Result<Side, Wrong> {
    let object: Map<String, Value> = match value {
        Value::Null => Map::new(),
        Value::Object(object) => object,
        _ => return Err(("wrong_type", format!("{name} is an object of columns."))),
    };
    object
        .into_iter()
        .map(|(column, value)| {
            let text = cell(&format!("{name}.{column}"), &value)?;
            Ok((column, text))
        })
        .collect()
}

/// Values are texts, as they are: leading zeros and blanks inside count.
fn cell(at: &str, value: &Value) -> Result<String, Wrong> {
    match value {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.trim().to_owned()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(("wrong_type", format!("{at} is a text."))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_they_are_shown() {
        let body =
            br#"[{"procore":{"cost_code":"007 1","cost_type":null},"erp":{"ait1":5100},"note":"n",
            "found":{},"issues":[],"verified_at":null}]"#;
        let rows = rows(body).unwrap();
        let row = rows.first().unwrap();
        assert_eq!(row.project_side.get("cost_code").unwrap(), "007 1");
        assert_eq!(row.erp_side.get("ait1").unwrap(), "5100");
        assert_eq!(row.note, "n");
        assert_eq!(super::rows(b"[]").unwrap(), []);
    }

    #[test]
    fn every_bad_row_is_told() {
        let body = br#"[1,{"procore":[]},{"erp":{"a":{}}},{"colour":"red"},{"procore":{}}]"#;
        let problem = rows(body).unwrap_err();
        let pointers: Vec<&str> = problem.errors.iter().map(|e| e.pointer.as_str()).collect();
        assert_eq!(pointers, ["/rows/0", "/rows/1", "/rows/2", "/rows/3"]);
        assert_eq!(rows(b"{}").unwrap_err().kind.status, 422);
    }
}
