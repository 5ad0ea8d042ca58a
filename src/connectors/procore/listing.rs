//! What listings have in common: where they go on, what tells a change, what a lost record means.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::client::{Ask, Client, Rows};
use super::fault;
use super::paging;
use super::reading;
use super::tool::Tool;
use crate::contract::{ListScope, Page, Seen, SourceKey};
use crate::domain::fault::Fault;
use crate::domain::tag::digest;

/// Digits of a digest that tell one state of a record from another.
const DIGEST_DIGITS: usize = 12;

/// Where a listing goes on. Opaque to everybody else.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// Which of several lists; empty where there is one.
    pub place: String,
    pub page: u32,
    /// The key of the first row of the page before: a page that begins so again is no progress.
    pub first: Option<String>,
    /// Projects on the way whose lists are not shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<String>,
}

impl Cursor {
    /// The first page of a list.
    pub(super) fn start(place: &str) -> Self {
        Self {
            place: place.to_owned(),
            page: 1,
            first: None,
            hidden: Vec::new(),
        }
    }

    /// The same listing, at the first page of another list.
    pub(super) fn at(self, place: &str) -> Self {
        Self {
            hidden: self.hidden,
            ..Self::start(place)
        }
    }

    /// Notes a project whose list is not shown.
    pub(super) fn hide(&mut self, project: String) {
        if !self.hidden.contains(&project) {
            self.hidden.push(project);
        }
    }

    /// # Errors
    /// `Broken` when the text is none of ours.
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        serde_json::from_str(text).map_err(|_| Fault::Broken {
            code: "unknown_cursor".to_owned(),
            message: "the listing cannot go on from where it was; it starts anew".to_owned(),
        })
    }

    pub(super) fn written(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Where this list goes on after `found`.
    ///
    /// # Errors
    /// `Broken` when the page repeats the one before.
    pub(super) fn after(&self, found: &Rows) -> Result<Option<Self>, Fault> {
        let first = paging::first_key(&found.rows);
        if first.is_some() && first == self.first {
            return Err(paging::repeated(self.page));
        }
        Ok(found.next.map(|page| Self {
            place: self.place.clone(),
            page,
            first,
            hidden: self.hidden.clone(),
        }))
    }
}

/// Where a listing stands that has gone through every list.
const END: &str = "end";

/// The lists of the projects in scope, in order.
pub(super) struct Round {
    tool: Tool,
    places: Vec<String>,
    /// Projects whose keys are none of Procore's.
    strangers: Vec<String>,
    projects: usize,
}

impl Round {
    /// `lists` gives the places of one project's lists.
    pub(super) fn of(scope: &ListScope, tool: Tool, lists: impl Fn(i64) -> Vec<String>) -> Self {
        let (mut places, mut strangers) = (Vec::new(), Vec::new());
        for key in &scope.projects {
            match number(key) {
                Ok(project) => places.extend(lists(project)),
                Err(_) => strangers.push(key.clone()),
            }
        }
        Self {
            tool,
            places,
            strangers,
            projects: scope.projects.len(),
        }
    }

    pub(super) fn start(&self) -> Cursor {
        let mut cursor = Cursor::start(self.places.first().map_or(END, String::as_str));
        cursor.hidden.clone_from(&self.strangers);
        cursor
    }

    /// Every list was gone through.
    pub(super) fn is_over(&self, cursor: &Cursor) -> bool {
        cursor.place == END
    }

    /// The list after the cursor's; none when all were gone through and shown.
    pub(super) fn following(&self, cursor: Cursor) -> Option<Cursor> {
        let mut rest = self
            .places
            .iter()
            .skip_while(|other| **other != cursor.place);
        match rest.nth(1) {
            Some(next) => Some(cursor.at(next)),
            None if cursor.hidden.is_empty() => None,
            None => Some(cursor.at(END)),
        }
    }

    /// What was shown has been listed; what was not keeps the listing from being complete.
    pub(super) fn end(&self, cursor: &Cursor) -> Result<Page<Seen>, Fault> {
        let hidden = &cursor.hidden;
        if hidden.is_empty() {
            return Ok(Page {
                rows: Vec::new(),
                next: None,
            });
        }
        if hidden.len() == self.projects {
            return Err(fault::hidden(self.tool));
        }
        Err(Fault::Missing {
            what: "project_not_visible".to_owned(),
            message: format!(
                "{} of these projects are not shown: {}. The other projects were listed. {} Or take \
                 them out of the mapping",
                self.tool.label(),
                hidden.join(", "),
                Tool::Projects.remedy()
            ),
        })
    }
}

/// A list of the company: all its rows have an empty place.
pub(super) async fn company_page(
    client: &Client<'_>,
    ask: &Ask,
    after: Option<&str>,
    seen: impl Fn(&Map<String, Value>) -> (String, Option<String>),
) -> Result<Page<Seen>, Fault> {
    let cursor = match after {
        Some(text) => Cursor::read(text)?,
        None => Cursor::start(""),
    };
    let found = client.page(ask, cursor.page).await?;
    let next = cursor.after(&found)?;
    let rows = found.rows.iter().map(|row| {
        let (id, fields) = keyed(row)?;
        let (version, project_key) = seen(fields);
        Ok(Seen {
            key: SourceKey {
                id,
                place: String::new(),
            },
            version,
            project_key,
            name: fields
                .get("name")
                .and_then(Value::as_str)
                .map(str::to_owned),
        })
    });
    Ok(Page {
        rows: rows.collect::<Result<_, Fault>>()?,
        next: next.map(|cursor| cursor.written()),
    })
}

/// A row of a list with its key.
///
/// # Errors
/// `Broken` when it has none: leaving it out would lose a record without a word.
pub(super) fn keyed(row: &Value) -> Result<(String, &Map<String, Value>), Fault> {
    let id = row.get("id").and_then(reading::key);
    id.zip(row.as_object()).ok_or_else(|| Fault::Broken {
        code: "row_without_id".to_owned(),
        message: "a row of a Procore list has no id".to_owned(),
    })
}

/// The vendor's own key as a number, so that no text of others becomes part of an address.
///
/// # Errors
/// `Missing` when it is no number: no such record can exist.
pub(super) fn number(key: &str) -> Result<i64, Fault> {
    key.parse().map_err(|_| Fault::Missing {
        what: "not_found".to_owned(),
        message: format!("`{key}` is no Procore id: those are whole numbers"),
    })
}

/// What a record that answers 404 means. It is gone only if the same list still shows something;
/// otherwise the right to see it may be what is gone.
///
/// # Errors
/// `Missing` when nothing is shown at all.
pub(super) async fn gone(client: &Client<'_>, what: &str, neighbours: Ask) -> Result<(), Fault> {
    if client.shows_any(neighbours).await? {
        return Ok(());
    }
    Err(Fault::Missing {
        what: "not_visible".to_owned(),
        message: format!(
            "Procore shows neither this {what} nor any other: it was deleted, or the service account lost \
             the right to see it"
        ),
    })
}

/// The version word: when it was last changed, and a digest of `texts` and `amounts`, because
/// the vendor's times have seconds only.
///
/// Source: Procore "Date and time", read 2026-11-22.
pub(super) fn version(fields: &Map<String, Value>, texts: &[&str], amounts: &[&str]) -> String {
    let value = |path: &&str| {
        let mut parts = path.split('/');
        let first = parts.next().and_then(|name| fields.get(name));
        parts.fold(first, |value, name| value.and_then(|value| value.get(name)))
    };
    let text = |path| match value(path) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let amount = |path| match value(path).and_then(reading::decimal) {
        // How many zeros trail differs between a list and a single record.
        Some(amount) => amount.normalize().to_string(),
        None => text(path),
    };
    let words: Vec<String> = texts
        .iter()
        .map(text)
        .chain(amounts.iter().map(amount))
        .collect();
    let digest = digest(words.join("\u{1f}").as_bytes());
    let short = digest.get(..DIGEST_DIGITS).unwrap_or(&digest);
    format!("{} {short}", text(&"updated_at"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn version_of(value: &Value) -> String {
        version(
            value.as_object().unwrap(),
            &["status", "vendor/id"],
            &["grand_total"],
        )
    }

    #[test]
    fn a_version_moves_with_what_matters() {
        let base = json!({"updated_at": "2026-02-02T11:22:33Z", "status": "Approved",
            "grand_total": "12500.0", "vendor": {"id": 7}, "unknown": 1});
        let word = version_of(&base);
        assert!(word.starts_with("2026-02-02T11:22:33Z "));
        let same = [("grand_total", json!("12500.00")), ("unknown", json!([2]))];
        let other = [
            ("grand_total", json!("12500.01")),
            ("status", json!("Draft")),
            ("vendor", json!({"id": 8})),
            ("updated_at", json!("2026-02-02T11:22:34Z")),
        ];
        let with = |name: &str, value: &Value| {
            let mut changed = base.clone();
            changed[name] = value.clone();
            version_of(&changed)
        };
        for (name, value) in same {
            assert_eq!(with(name, &value), word, "{name}");
        }
        for (name, value) in other {
            assert_ne!(with(name, &value), word, "{name}");
        }
    }

    #[test]
    fn cursors_come_back_as_they_were() {
        let cursor = Cursor {
            place: "316001/subcontract".to_owned(),
            page: 7,
            first: Some("9930001".to_owned()),
            hidden: vec!["8".to_owned()],
        };
        let again = Cursor::read(&cursor.written()).unwrap();
        assert_eq!(
            (again.place.as_str(), again.page),
            ("316001/subcontract", 7)
        );
        assert_eq!(Cursor::read("page 7").unwrap_err().code(), "unknown_cursor");
    }

    #[test]
    fn a_round_goes_through_every_list_of_every_project() {
        let scope = ListScope {
            projects: vec!["7".to_owned(), "Harbor".to_owned(), "8".to_owned()],
            ..ListScope::default()
        };
        let lists = |project| vec![format!("{project}/a"), format!("{project}/b")];
        let round = Round::of(&scope, Tool::Commitments, lists);
        let (mut at, mut gone) = (Some(round.start()), Vec::new());
        while let Some(cursor) = at.filter(|cursor| !round.is_over(cursor)) {
            gone.push(cursor.place.clone());
            at = round.following(cursor);
        }
        assert_eq!(gone, ["7/a", "7/b", "8/a", "8/b"]);
        // A project whose key is none of Procore's keeps the round from being whole.
        let end = round.end(&round.start()).unwrap_err();
        assert_eq!(end.code(), "project_not_visible");
        assert!(end.to_string().contains("Harbor"), "{end}");
    }

    #[test]
    fn a_page_that_repeats_is_no_progress() {
        let found = |id: i64| Rows {
            rows: vec![json!({"id": id}), json!({"id": 99})],
            total: None,
            next: Some(9),
        };
        let cursor = Cursor::start("").after(&found(1)).unwrap().unwrap();
        assert_eq!(cursor.page, 9);
        assert_eq!(cursor.after(&found(1)).unwrap_err().class(), "broken");
        assert!(cursor.after(&found(2)).unwrap().is_some());
    }

    #[test]
    fn keys_of_others_never_reach_an_address() {
        assert_eq!(number("42").unwrap(), 42);
        assert_eq!(number("42/../../me").unwrap_err().class(), "missing");
    }
}
