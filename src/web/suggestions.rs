//! Proposals for a mapping table, each with its score and its reason; a person accepts one, some, or all above a score.

use askama::Template;

use super::id::Id;
use super::mappings::{KindWord, table_title};
use super::page::{self, Answer, Flash, Form, Shell, Visit, say};
use super::problem::Problem;
use crate::desk::{DeskError, pair, suggestion};
use crate::domain::ids::PairId;
use crate::domain::mapping::{Column, Columns, MappingKind, Row, Side};
use crate::domain::member::Scope;
use crate::domain::suggest::Suggestion;
use crate::domain::tag::digest;

/// Proposals of one page; accepted ones make room.
const SHOWN_MAX: usize = 200;
/// What is good enough to be accepted unseen, in one click.
const SURE: u8 = 80;

#[derive(Template)]
#[template(path = "mappings/suggestions.html")]
struct Show {
    shell: Shell,
    pair: String,
    pair_name: String,
    kind: &'static str,
    title: &'static str,
    project_title: &'static str,
    erp_title: &'static str,
    lines: Vec<Line>,
    more: usize,
    sure: usize,
    sure_score: u8,
    read_at: String,
    can_change: bool,
}

struct Line {
    /// Names the proposal in the form.
    word: String,
    project: String,
    project_name: String,
    erp: String,
    erp_name: String,
    score: u8,
    reason: String,
}

fn kind_of(word: &KindWord) -> Result<MappingKind, Problem> {
    let kind = word.as_str().parse();
    kind.map_err(|_| Problem::missing("mapping table"))
}

/// What tells one proposal from another: both its sides.
fn word(row: &Row) -> String {
    let sides = serde_json::to_string(&(&row.project_side, &row.erp_side)).unwrap_or_default();
    digest(sides.as_bytes())
}

fn in_words(columns: &[Column], side: &Side) -> String {
    let cells = columns.iter().filter_map(|column| {
        let text = side.get(column.name)?;
        Some(format!("{} {text}", column.label))
    });
    cells.collect::<Vec<_>>().join(", ")
}

impl Line {
    fn of(columns: &Columns, found: &Suggestion) -> Self {
        Self {
            word: word(&found.row),
            project: in_words(columns.project_side, &found.row.project_side),
            project_name: found.project_name.clone(),
            erp: in_words(columns.erp_side, &found.row.erp_side),
            erp_name: found.erp_name.clone(),
            score: found.score,
            reason: found.reason.clone(),
        }
    }
}

/// `GET /pairs/{id}/mappings/{kind}/suggestions`.
///
/// # Errors
/// `missing`.
pub async fn show(visit: Visit, id: Id<PairId>, kind: KindWord) -> Answer {
    let (id, kind) = (id.0, kind_of(&kind)?);
    let found = suggestion::proposed(visit.desk(), visit.caller(), (id, kind)).await?;
    let shown = pair::find(visit.desk(), visit.caller(), id).await?;
    let engine = &visit.desk().engine;
    let declared = engine
        .pair_kind(&shown.pair.kind)
        .ok_or_else(Problem::ours)?;
    let columns = declared
        .mappings
        .iter()
        .find(|columns| columns.kind == kind);
    let columns = columns.ok_or_else(|| Problem::missing("mapping table"))?;
    let all = &found.suggestions;
    page::show(&Show {
        shell: visit.shell("pairs"),
        pair: id.to_string(),
        pair_name: shown.pair.settings.name,
        kind: kind.as_str(),
        title: table_title(kind),
        project_title: declared.project.title,
        erp_title: declared.erp.title,
        lines: all
            .iter()
            .take(SHOWN_MAX)
            .map(|found| Line::of(columns, found))
            .collect(),
        more: all.len().saturating_sub(SHOWN_MAX),
        sure: all.iter().filter(|found| found.score >= SURE).count(),
        sure_score: SURE,
        read_at: found.read_at.map(say::time).unwrap_or_default(),
        can_change: visit.caller().may(Scope::Operate),
    })
}

/// `POST /pairs/{id}/mappings/{kind}/suggestions`: accepts what was chosen.
///
/// # Errors
/// As the desk's.
pub async fn accept(mut visit: Visit, id: Id<PairId>, kind: KindWord) -> Answer {
    let form = Form::from(std::mem::take(&mut visit.fields));
    let (id, kind) = (id.0, kind_of(&kind)?);
    let to = format!("/pairs/{id}/mappings/{kind}/suggestions");
    let one = form.value("one").to_owned();
    let is_chosen = |found: &Suggestion| {
        let word = word(&found.row);
        if !one.is_empty() {
            return word == one;
        }
        if form.value("all") == "sure" {
            return found.score >= SURE;
        }
        form.has("chosen", &word)
    };
    let of = (id, kind);
    let flash = match suggestion::accept(visit.desk(), visit.caller(), of, is_chosen).await {
        Ok(0) => Flash::error("Nothing was chosen, or it is not proposed any more."),
        Ok(added) => {
            let count = u64::try_from(added).unwrap_or(0);
            Flash::done(format!(
                "{} accepted. What waited for them goes on by itself.",
                say::plural(count, "proposal", "proposals")
            ))
        }
        Err(DeskError::Invalid(issues)) => {
            let says: Vec<String> = issues.into_iter().map(|issue| issue.message).collect();
            Flash::error(format!("Nothing was changed: {}", says.join("; ")))
        }
        Err(DeskError::Blocked(blockers)) => {
            let says: Vec<String> = blockers
                .into_iter()
                .map(|blocker| blocker.message)
                .collect();
            Flash::error(says.join(" "))
        }
        Err(other) => return Err(other.into()),
    };
    Ok(flash.go(&visit.site, to))
}

/// `POST /pairs/{id}/mappings/{kind}/load`: both systems are asked for their codes.
///
/// # Errors
/// `missing`.
pub async fn load(visit: Visit, id: Id<PairId>, kind: KindWord) -> Answer {
    let (id, kind) = (id.0, kind_of(&kind)?);
    suggestion::load(visit.desk(), visit.caller(), id).await?;
    let to = format!("/pairs/{id}/mappings/{kind}/suggestions");
    let says = "Both systems are asked for their codes. Look again in a moment.";
    Ok(Flash::done(says.to_owned()).go(&visit.site, to))
}
