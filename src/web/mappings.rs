//! Mapping tables: rows are added, changed and removed in one plain form, page by page.

use askama::Template;

use super::id::Id;
use super::page::{self, Answer, Flash, Form, Shell, Visit, say};
use super::problem::Problem;
use crate::desk::{DeskError, mapping, pair};
use crate::domain::ids::{MappingId, PairId};
use crate::domain::mapping::{CheckedRow, Column, Columns, MappingKind, Row, Side};
use crate::domain::member::Scope;
use crate::store;

/// Rows of one page of the form.
const ROWS_SHOWN: u32 = 100;
/// Empty rows at its end.
const BLANK_ROWS: usize = 5;

/// A table as pages call it.
#[must_use]
pub fn table_title(kind: MappingKind) -> &'static str {
    match kind {
        MappingKind::Projects => "Projects",
        MappingKind::CostCodes => "Cost codes",
        MappingKind::Items => "Items",
        MappingKind::Vendors => "Vendors",
        MappingKind::Accounts => "Accounts",
        MappingKind::TaxCodes => "Tax codes",
        MappingKind::Units => "Units",
        MappingKind::PaymentTerms => "Payment terms",
        MappingKind::Currencies => "Currencies",
    }
}

#[derive(Template)]
#[template(path = "mappings/show.html")]
struct Show {
    shell: Shell,
    form: Form,
    pair: String,
    pair_name: String,
    kind: &'static str,
    title: &'static str,
    project_title: &'static str,
    erp_title: &'static str,
    tables: Vec<Tab>,
    project_columns: &'static [Column],
    erp_columns: &'static [Column],
    lines: Vec<Line>,
    after: i64,
    first: String,
    next: String,
    can_change: bool,
    is_empty: bool,
}

/// Another table of the same pair.
struct Tab {
    word: &'static str,
    label: &'static str,
    current: bool,
}

struct Line {
    /// Its place in the form's field names.
    at: usize,
    id: String,
    project: Vec<Cell>,
    erp: Vec<Cell>,
    note: Cell,
    state: &'static str,
    verdict: String,
    errors: Vec<String>,
    removed: bool,
}

struct Cell {
    name: String,
    label: &'static str,
    value: String,
}

/// `{kind}` of the address, for a pair that has such a table.
struct Table {
    pair: PairId,
    kind: MappingKind,
    columns: &'static Columns,
}

async fn table(visit: &Visit, id: PairId, word: &str) -> Result<Table, Problem> {
    let kind = word
        .parse()
        .map_err(|_| Problem::missing("mapping table"))?;
    let columns = mapping::columns(visit.desk(), visit.caller(), id, kind).await?;
    Ok(Table {
        pair: id,
        kind,
        columns,
    })
}

/// The kind of a mapping table in an address.
pub struct KindWord(String);

impl KindWord {
    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl actix_web::FromRequest for KindWord {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(
        request: &actix_web::HttpRequest,
        _: &mut actix_web::dev::Payload,
    ) -> Self::Future {
        let word = request.match_info().query("kind").to_owned();
        std::future::ready(Ok(Self(word)))
    }
}

/// `GET /pairs/{id}/mappings/{kind}`.
///
/// # Errors
/// `missing`.
pub async fn show(visit: Visit, id: Id<PairId>, kind: KindWord) -> Answer {
    let table = table(&visit, id.0, &kind.0).await?;
    let after = visit
        .query
        .given("after")
        .and_then(|after| after.parse().ok());
    let after = after.unwrap_or(-1);
    let mut found = mapping::page(
        visit.desk(),
        visit.caller(),
        (table.pair, table.kind),
        (after, ROWS_SHOWN.saturating_add(1)),
    )
    .await?;
    let shown = usize::try_from(ROWS_SHOWN).unwrap_or(usize::MAX);
    let is_more = found.len() > shown;
    found.truncate(shown);
    let mut lines: Vec<Line> = found
        .iter()
        .enumerate()
        .map(|(at, row)| Line::stored(at, table.columns, row))
        .collect();
    let is_empty = lines.is_empty() && after < 0;
    let blank = lines.len()..lines.len().saturating_add(BLANK_ROWS);
    lines.extend(blank.map(|at| Line::blank(at, table.columns)));
    let next = if is_more {
        let last = after.saturating_add(i64::from(ROWS_SHOWN));
        format!("/pairs/{}/mappings/{}?after={last}", table.pair, table.kind)
    } else {
        String::new()
    };
    let drawn = drawn(&visit, &table, Form::default(), lines, (after, next)).await?;
    page::show(&Show { is_empty, ..drawn })
}

async fn drawn(
    visit: &Visit,
    table: &Table,
    form: Form,
    lines: Vec<Line>,
    (after, next): (i64, String),
) -> Result<Show, Problem> {
    let shown = pair::find(visit.desk(), visit.caller(), table.pair).await?;
    let engine = &visit.desk().engine;
    let kind = engine
        .pair_kind(&shown.pair.kind)
        .ok_or_else(Problem::ours)?;
    let tables = kind.mappings.iter();
    Ok(Show {
        shell: visit.shell("pairs"),
        form,
        pair: table.pair.to_string(),
        pair_name: shown.pair.settings.name,
        kind: table.kind.as_str(),
        title: table_title(table.kind),
        project_title: kind.project.title,
        erp_title: kind.erp.title,
        tables: tables
            .map(|columns| Tab {
                word: columns.kind.as_str(),
                label: table_title(columns.kind),
                current: columns.kind == table.kind,
            })
            .collect(),
        project_columns: table.columns.project_side,
        erp_columns: table.columns.erp_side,
        lines,
        first: if after >= 0 {
            format!("/pairs/{}/mappings/{}", table.pair, table.kind)
        } else {
            String::new()
        },
        after,
        next,
        can_change: visit.caller().may(Scope::Operate),
        is_empty: false,
    })
}

impl Line {
    fn blank(at: usize, columns: &Columns) -> Self {
        let row = Row {
            id: None,
            project_side: Side::new(),
            erp_side: Side::new(),
            note: String::new(),
        };
        Self::of(at, columns, &row)
    }

    fn of(at: usize, columns: &Columns, row: &Row) -> Self {
        let cells = |side: &str, known: &'static [Column], values: &Side| {
            known
                .iter()
                .map(|column| Cell {
                    name: format!("row.{at}.{side}.{}", column.name),
                    label: column.label,
                    value: values.get(column.name).cloned().unwrap_or_default(),
                })
                .collect()
        };
        Self {
            at,
            id: row.id.map_or_else(String::new, |id| id.to_string()),
            project: cells("project", columns.project_side, &row.project_side),
            erp: cells("erp", columns.erp_side, &row.erp_side),
            note: Cell {
                name: format!("row.{at}.note"),
                label: "Note",
                value: row.note.clone(),
            },
            state: "none",
            verdict: String::new(),
            errors: Vec::new(),
            removed: false,
        }
    }

    fn stored(at: usize, columns: &Columns, checked: &CheckedRow) -> Self {
        let (state, verdict) = match &checked.verdict {
            None => ("not_run", "Is looked up soon".to_owned()),
            Some(verdict) if verdict.issues.is_empty() => {
                let found: Vec<String> = verdict
                    .found
                    .iter()
                    .map(|(name, value)| format!("{}: {value}", column_label(columns, name)))
                    .collect();
                let since = checked.verified_at.map(say::date).unwrap_or_default();
                let found = if found.is_empty() {
                    format!("Found, {since}")
                } else {
                    found.join(", ")
                };
                ("ok", found)
            }
            Some(verdict) => {
                let issues = verdict.issues.iter().map(|issue| issue.message.clone());
                ("failed", issues.collect::<Vec<_>>().join(" "))
            }
        };
        Self {
            state,
            verdict,
            ..Self::of(at, columns, &checked.row)
        }
    }
}

/// A column as people read it; what is no column keeps its name.
fn column_label<'a>(columns: &Columns, name: &'a str) -> &'a str {
    let mut known = columns.erp_side.iter().chain(columns.project_side);
    let found = known.find(|column| column.name == name);
    found.map_or(name, |column| column.label)
}

/// One row as it was typed.
struct Typed {
    row: Row,
    removed: bool,
}

impl Typed {
    fn is_blank(&self) -> bool {
        let is_empty = |side: &Side| side.values().all(|value| value.trim().is_empty());
        is_empty(&self.row.project_side) && is_empty(&self.row.erp_side)
    }
}

/// Every row of the form, in its order.
fn typed(form: &Form, columns: &Columns) -> Vec<Typed> {
    let count = form.value("rows").parse::<usize>().unwrap_or(0);
    let most = usize::try_from(ROWS_SHOWN).unwrap_or(usize::MAX);
    let rows = 0..count.min(most.saturating_add(BLANK_ROWS));
    let side = |at: usize, name: &str, known: &[Column]| -> Side {
        known
            .iter()
            .map(|column| {
                let value = form.value(&format!("row.{at}.{name}.{}", column.name));
                (column.name.to_owned(), value.to_owned())
            })
            .collect()
    };
    rows.map(|at| Typed {
        row: Row {
            id: form
                .value(&format!("row.{at}.id"))
                .parse::<MappingId>()
                .ok(),
            project_side: side(at, "project", columns.project_side),
            erp_side: side(at, "erp", columns.erp_side),
            note: form.value(&format!("row.{at}.note")).to_owned(),
        },
        removed: form.fields.is_on(&format!("row.{at}.remove")),
    })
    .collect()
}

/// The whole table with the rows of one page of the form in the place of those that it showed.
fn merged(stored: Vec<Row>, typed: &[Typed]) -> (Vec<Row>, Vec<Option<usize>>) {
    let mut places = vec![None; typed.len()];
    let mut rows = Vec::new();
    let of = |id: Option<MappingId>| {
        let id = id?;
        typed.iter().position(|line| line.row.id == Some(id))
    };
    let mut push = |rows: &mut Vec<Row>, at: usize| {
        if let Some(line) = typed.get(at)
            && !line.removed
            && !line.is_blank()
        {
            if let Some(place) = places.get_mut(at) {
                *place = Some(rows.len());
            }
            rows.push(line.row.clone());
        }
    };
    let known: Vec<Option<MappingId>> = stored.iter().map(|row| row.id).collect();
    for row in stored {
        match of(row.id) {
            Some(at) => push(&mut rows, at),
            None => rows.push(row),
        }
    }
    for (at, line) in typed.iter().enumerate() {
        let is_stored = line.row.id.is_some() && known.contains(&line.row.id);
        if !is_stored {
            push(&mut rows, at);
        }
    }
    (rows, places)
}

/// `POST /pairs/{id}/mappings/{kind}`: saves the rows of this page.
///
/// # Errors
/// As the desk's; rows are shown again, each with what is wrong with it.
pub async fn save(mut visit: Visit, id: Id<PairId>, kind: KindWord) -> Answer {
    let form = Form::from(std::mem::take(&mut visit.fields));
    let table = table(&visit, id.0, &kind.0).await?;
    let typed = typed(&form, table.columns);
    let scope = visit.desk().store().read(visit.caller().tenant_id).await?;
    let stored = store::mapping::rows(&scope, table.pair, table.kind).await?;
    drop(scope);
    let stored = stored.into_iter().map(|checked| checked.row).collect();
    let (rows, places) = merged(stored, &typed);
    let of = (table.pair, table.kind);
    let replaced = mapping::replace(visit.desk(), visit.caller(), of, rows).await;
    let to = format!("/pairs/{}/mappings/{}", table.pair, table.kind);
    match replaced {
        Ok(replaced) => {
            let added = u64::try_from(replaced.added).unwrap_or(0);
            let says = format!(
                "Saved. {} looked up in the background; what waited for them goes on by itself.",
                say::plural(added, "new row is", "new rows are")
            );
            Ok(Flash::done(says).go(&visit.site, to))
        }
        Err(DeskError::Blocked(blockers)) => {
            let says: Vec<String> = blockers
                .into_iter()
                .map(|blocker| blocker.message)
                .collect();
            Ok(Flash::error(says.join(" ")).go(&visit.site, to))
        }
        Err(error) => {
            let form = form.refused(error)?;
            let lines = lines_again(&form, table.columns, &typed, &places);
            let after = form.value("after").parse().unwrap_or(-1);
            let drawn = drawn(&visit, &table, form, lines, (after, String::new())).await?;
            page::again(&drawn)
        }
    }
}

/// The rows as they were typed; errors go to the row they belong to.
fn lines_again(
    form: &Form,
    columns: &Columns,
    typed: &[Typed],
    places: &[Option<usize>],
) -> Vec<Line> {
    let of_row = |at: usize| -> Vec<String> {
        let Some(place) = places.get(at).copied().flatten() else {
            return Vec::new();
        };
        let pointer = format!("/rows/{place}");
        let inside = format!("{pointer}/");
        form.errors()
            .iter()
            .filter(|issue| issue.field == pointer || issue.field.starts_with(&inside))
            .map(|issue| issue.message.clone())
            .collect()
    };
    let lines = typed.iter().enumerate().map(|(at, line)| {
        let errors = of_row(at);
        Line {
            state: if errors.is_empty() { "none" } else { "failed" },
            errors,
            removed: line.removed,
            ..Line::of(at, columns, &line.row)
        }
    });
    lines.collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn row(id: Option<MappingId>, code: &str) -> Row {
        Row {
            id,
            project_side: Side::from([("code".to_owned(), code.to_owned())]),
            erp_side: Side::new(),
            note: String::new(),
        }
    }

    fn line(id: Option<MappingId>, code: &str, removed: bool) -> Typed {
        Typed {
            row: row(id, code),
            removed,
        }
    }

    #[test]
    fn a_page_of_the_form_takes_the_place_of_the_rows_it_showed() {
        let ids: Vec<MappingId> = (0..4).map(|_| MappingId::generate()).collect();
        let stored = vec![
            row(Some(ids[0]), "a"),
            row(Some(ids[1]), "b"),
            row(Some(ids[2]), "c"),
            row(Some(ids[3]), "d"),
        ];
        let gone = MappingId::generate();
        let page = [
            line(Some(ids[1]), "b2", false),
            line(Some(ids[2]), "c", true),
            line(None, "new", false),
            line(None, "  ", false),
            // Somebody else removed it while the form was open: it is new again.
            line(Some(gone), "back", false),
        ];
        let (rows, places) = merged(stored, &page);
        let codes: Vec<&str> = rows
            .iter()
            .map(|row| row.project_side["code"].as_str())
            .collect();
        assert_eq!(codes, ["a", "b2", "d", "new", "back"]);
        assert_eq!(places, [Some(1), None, Some(3), None, Some(4)]);
    }
}
