//! What a list is asked to leave out.
//!
//! Source: Procore filtering tutorial, read 2026-11-22. Assumed: a range holds both its ends, a
//! single date is that day, and lists are taken as `[1,2]`, as `1,2` and repeated.

use time::{Duration, OffsetDateTime};

use super::refuse;
use super::shape::moment;
use crate::sandbox::kit::{Call, Reply};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    from: OffsetDateTime,
    to: OffsetDateTime,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Deleted {
    #[default]
    Without,
    With,
    Only,
}

/// The filters that several lists share; each list uses those it has.
#[derive(Debug, Default)]
pub(super) struct Filters {
    updated: Option<Range>,
    created: Option<Range>,
    ids: Vec<String>,
    origin_ids: Vec<String>,
    statuses: Vec<String>,
    deleted: Deleted,
}

impl Filters {
    pub(super) fn read(call: &Call) -> Result<Self, Reply> {
        let deleted = match call.query("filters[include_deleted]") {
            Some("with") => Deleted::With,
            Some("only") => Deleted::Only,
            _ => Deleted::Without,
        };
        Ok(Self {
            updated: range(call, "updated_at")?,
            created: range(call, "created_at")?,
            ids: values(call, "id"),
            origin_ids: texts(call, "origin_id"),
            statuses: values(call, "status"),
            deleted,
        })
    }

    pub(super) fn admit_times(&self, created: OffsetDateTime, updated: OffsetDateTime) -> bool {
        let is_in = |range: Option<Range>, at| range.is_none_or(|range| range.holds(at));
        is_in(self.created, created) && is_in(self.updated, updated)
    }

    pub(super) fn admit_id(&self, id: i64) -> bool {
        self.ids.is_empty() || self.ids.contains(&id.to_string())
    }

    pub(super) fn admit_origin(&self, origin_id: Option<&str>) -> bool {
        let is_asked = |origin: &str| self.origin_ids.iter().any(|asked| asked == origin);
        self.origin_ids.is_empty() || origin_id.is_some_and(is_asked)
    }

    pub(super) fn admit_status(&self, status: &str) -> bool {
        self.statuses.is_empty() || self.statuses.iter().any(|asked| asked == status)
    }

    pub(super) fn admit_deleted(&self, is_deleted: bool) -> bool {
        match self.deleted {
            Deleted::Without => !is_deleted,
            Deleted::With => true,
            Deleted::Only => is_deleted,
        }
    }
}

impl Range {
    fn holds(self, at: OffsetDateTime) -> bool {
        self.from <= at && at <= self.to
    }
}

/// Every value of `filters[name]` and `filters[name][]`, lists taken apart.
pub(super) fn values(call: &Call, name: &str) -> Vec<String> {
    let parts = texts(call, name);
    let parts = parts.iter().flat_map(|text| {
        let inner = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        inner.unwrap_or(text).split(',')
    });
    let bare = parts.map(|part| part.trim().trim_matches('"').to_owned());
    bare.filter(|part| !part.is_empty()).collect()
}

fn texts(call: &Call, name: &str) -> Vec<String> {
    let single = format!("filters[{name}]");
    let listed = format!("filters[{name}][]");
    let mut texts = call.queries(&single);
    texts.extend(call.queries(&listed));
    texts.into_iter().map(str::to_owned).collect()
}

fn range(call: &Call, name: &str) -> Result<Option<Range>, Reply> {
    let key = format!("filters[{name}]");
    let Some(text) = call.query(&key) else {
        return Ok(None);
    };
    let read = read_range(text).ok_or_else(|| refuse::bad_request(&key, "is not a date range"));
    read.map(Some)
}

fn read_range(text: &str) -> Option<Range> {
    let text = text.trim().trim_matches('"');
    let (from, to) = text.split_once("...").unwrap_or((text, text));
    Some(Range {
        from: read_end(from, false)?,
        to: read_end(to, true)?,
    })
}

/// A moment, or a date that stands for its first or last second in UTC.
fn read_end(text: &str, is_last: bool) -> Option<OffsetDateTime> {
    let text = text.trim().trim_matches('"');
    let at = moment(text);
    let utc = at.or_else(|| moment(&format!("{text}Z")));
    utc.or_else(|| {
        let start = moment(&format!("{text}T00:00:00Z"))?;
        let whole_day = if is_last {
            Duration::seconds(86_399)
        } else {
            Duration::ZERO
        };
        Some(start + whole_day)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn asking(pairs: &[(&str, &str)]) -> Call {
        let query = pairs
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        Call {
            query: query.collect(),
            ..Call::default()
        }
    }

    #[test]
    fn ranges_hold_both_ends() {
        let at = |text| moment(text).unwrap();
        for text in [
            "2026-11-01T00:00:00Z...2026-11-02T10:00:00Z",
            "\"2026-11-01...2026-11-02\"",
            "2026-10-31T17:00:00-07:00...2026-11-02T10:00:00",
        ] {
            let range = read_range(text).unwrap();
            assert!(range.holds(at("2026-11-01T00:00:00Z")), "{text}");
            assert!(range.holds(at("2026-11-02T10:00:00Z")), "{text}");
            assert!(!range.holds(at("2026-10-31T23:59:59Z")), "{text}");
            assert!(!range.holds(at("2026-11-03T00:00:00Z")), "{text}");
        }
        assert_eq!(read_range("yesterday...today"), None);
        let call = asking(&[("filters[updated_at]", "yesterday")]);
        assert_eq!(Filters::read(&call).unwrap_err().status, 400);
    }

    #[test]
    fn lists_come_in_three_ways() {
        for pairs in [
            &[("filters[id]", "[1, 2]")][..],
            &[("filters[id]", "1,2")][..],
            &[("filters[id][]", "1"), ("filters[id][]", "2")][..],
        ] {
            let filters = Filters::read(&asking(pairs)).unwrap();
            assert!(filters.admit_id(1) && filters.admit_id(2) && !filters.admit_id(3));
        }
    }
}
