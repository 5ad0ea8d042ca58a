//! Mapping tables as files: taken away, brought back changed, with a report of every row that is wrong.

use askama::Template;

use super::api::mappings::file;
use super::id::Id;
use super::mappings::{KindWord, table_title};
use super::page::{self, Answer, Flash, Form, Shell, Visit, say};
use super::problem::Problem;
use crate::desk::{DeskError, mapping, pair};
use crate::domain::fault::Issue;
use crate::domain::ids::PairId;
use crate::domain::mapping::{Columns, ERP_WORD, MappingKind, PROJECT_WORD};
use crate::domain::table_text;

/// Faults that are shown; a file with more has one cause.
const SHOWN_MAX: usize = 200;

#[derive(Template)]
#[template(path = "mappings/upload.html")]
struct Upload {
    shell: Shell,
    form: Form,
    pair: String,
    pair_name: String,
    kind: &'static str,
    title: &'static str,
    header: String,
    faults: Vec<Fault>,
    more: usize,
}

/// One thing that is wrong with the file.
struct Fault {
    /// `Row 3`, as people count below the header; empty for the file as a whole.
    place: String,
    message: String,
}

fn kind_of(word: &KindWord) -> Result<MappingKind, Problem> {
    let kind = word.as_str().parse();
    kind.map_err(|_| Problem::missing("mapping table"))
}

/// `GET /pairs/{id}/mappings/{kind}/file`.
///
/// # Errors
/// `missing`.
pub async fn download(visit: Visit, id: Id<PairId>, kind: KindWord) -> Answer {
    let kind = kind_of(&kind)?;
    let (columns, rows) = mapping::whole(visit.desk(), visit.caller(), (id.0, kind)).await?;
    Ok(file(kind, &table_text::written(columns, &rows)))
}

/// `GET /pairs/{id}/mappings/{kind}/upload`.
///
/// # Errors
/// `missing`.
pub async fn new(visit: Visit, id: Id<PairId>, kind: KindWord) -> Answer {
    let kind = kind_of(&kind)?;
    page::show(&drawn(&visit, (id.0, kind), Form::default(), Vec::new()).await?)
}

/// `POST /pairs/{id}/mappings/{kind}/upload`.
///
/// # Errors
/// As the desk's; the file is shown again with what is wrong with it.
pub async fn upload(mut visit: Visit, id: Id<PairId>, kind: KindWord) -> Answer {
    let form = Form::from(std::mem::take(&mut visit.fields));
    let kind = kind_of(&kind)?;
    let of = (id.0, kind);
    let columns = mapping::columns(visit.desk(), visit.caller(), id.0, kind).await?;
    let refused = match table_text::read(columns, form.value("text").as_bytes()) {
        Err(issues) => issues,
        Ok(rows) => match mapping::replace(visit.desk(), visit.caller(), of, rows).await {
            Ok(replaced) => {
                let count = |rows: usize| u64::try_from(rows).unwrap_or(0);
                let says = format!(
                    "{} added, {} removed, {} kept. What waited for them goes on by itself.",
                    say::plural(count(replaced.added), "row", "rows"),
                    count(replaced.removed),
                    count(replaced.kept)
                );
                let to = format!("/pairs/{}/mappings/{kind}", id.0);
                return Ok(Flash::done(says).go(&visit.site, to));
            }
            Err(DeskError::Invalid(issues)) => issues,
            Err(DeskError::Blocked(blockers)) => blockers
                .into_iter()
                .map(|blocker| Issue::new("", &blocker.code, blocker.message))
                .collect(),
            Err(other) => return Err(other.into()),
        },
    };
    page::again(&drawn(&visit, of, form, refused).await?)
}

async fn drawn(
    visit: &Visit,
    (id, kind): (PairId, MappingKind),
    form: Form,
    issues: Vec<Issue>,
) -> Result<Upload, Problem> {
    let columns = mapping::columns(visit.desk(), visit.caller(), id, kind).await?;
    let shown = pair::find(visit.desk(), visit.caller(), id).await?;
    let more = issues.len().saturating_sub(SHOWN_MAX);
    Ok(Upload {
        shell: visit.shell("pairs"),
        form,
        pair: id.to_string(),
        pair_name: shown.pair.settings.name,
        kind: kind.as_str(),
        title: table_title(kind),
        header: header(columns),
        faults: issues.into_iter().take(SHOWN_MAX).map(fault).collect(),
        more,
    })
}

fn header(columns: &Columns) -> String {
    let project = columns.project_side.iter();
    let erp = columns.erp_side.iter();
    project
        .map(|column| format!("{PROJECT_WORD}.{}", column.name))
        .chain(erp.map(|column| format!("{ERP_WORD}.{}", column.name)))
        .chain(["note".to_owned()])
        .collect::<Vec<_>>()
        .join(",")
}

fn fault(issue: Issue) -> Fault {
    let number = issue.field.strip_prefix("/rows/").and_then(|rest| {
        let at: usize = rest.split('/').next()?.parse().ok()?;
        Some(at.saturating_add(1))
    });
    Fault {
        place: number.map_or_else(String::new, |number| format!("Row {number}")),
        message: issue.message,
    }
}
