//! What to do with a record, from what is known. Pure: looking things up comes before, doing after.

use crate::contract::{Existing, Found, Progress};
use crate::domain::plan::{Candidate, Change};
use crate::flows::Afterwards;
use crate::store::record::Wish;

/// What a look-up and a person's word lead to, for a record that is not linked yet.
#[derive(Debug, Clone, PartialEq)]
pub enum Course {
    /// Surely not there: write it.
    Create,
    /// A chain of ours was begun: go on there.
    Resume(Progress),
    /// It is there: link without a write. The differences are shown, never written.
    Adopt {
        target_id: String,
        matched_by: String,
        differences: Vec<Change>,
    },
    /// A person must choose.
    Review {
        candidates: Vec<Candidate>,
        says: &'static str,
    },
    /// The look-up could not run: nothing may be concluded from it.
    Unknown(String),
}

/// Chooses the course.
#[must_use]
pub fn course(found: Found, wish: Option<&Wish>, afterwards: Afterwards) -> Course {
    match (found, wish) {
        (Found::Unsure(why), _) => Course::Unknown(why),
        (Found::None, _) => Course::Create,
        (Found::Many(_), Some(Wish::Create)) => Course::Create,
        (Found::Many(candidates), _) => Course::Review {
            candidates,
            says: "More than one record of the target may be this one.",
        },
        (Found::One(existing), wish) => one(*existing, wish, afterwards),
    }
}

fn one(existing: Existing, wish: Option<&Wish>, afterwards: Afterwards) -> Course {
    if existing.is_ours {
        return match existing.resume {
            Some(at) => Course::Resume(at),
            None if existing.differences.is_empty() || afterwards == Afterwards::TargetIsMaster => {
                adopt(existing)
            }
            None => differs(
                existing,
                "The target holds a record with our own reference whose content differs.",
            ),
        };
    }
    if wish == Some(&Wish::Create) {
        return Course::Create;
    }
    if existing.differences.is_empty() || afterwards == Afterwards::TargetIsMaster {
        return adopt(existing);
    }
    differs(
        existing,
        "The target holds a record with the same key and other content.",
    )
}

fn adopt(existing: Existing) -> Course {
    Course::Adopt {
        target_id: existing.target_id,
        matched_by: existing.matched_by.to_owned(),
        differences: existing.differences,
    }
}

fn differs(existing: Existing, says: &'static str) -> Course {
    Course::Review {
        candidates: vec![candidate(existing)],
        says,
    }
}

/// What was found, as a person compares it.
#[must_use]
pub fn candidate(existing: Existing) -> Candidate {
    let facts = existing
        .differences
        .into_iter()
        .map(|change| (change.field, change.from.unwrap_or_default()))
        .collect();
    Candidate {
        target_id: existing.target_id,
        matched_by: existing.matched_by.to_owned(),
        score: 90,
        facts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn existing(is_ours: bool, resume: Option<Progress>, differs: bool) -> Found {
        let change = Change {
            field: "Name".into(),
            from: Some("a".into()),
            to: Some("b".into()),
            why: "source".into(),
        };
        Found::One(Box::new(Existing {
            target_id: "7".into(),
            matched_by: "number",
            is_ours,
            resume,
            differences: if differs { vec![change] } else { vec![] },
        }))
    }

    fn word(course: &Course) -> &'static str {
        match course {
            Course::Create => "create",
            Course::Resume(_) => "resume",
            Course::Adopt { .. } => "adopt",
            Course::Review { .. } => "review",
            Course::Unknown(_) => "unknown",
        }
    }

    #[test]
    fn a_course_follows_from_what_was_found() {
        use Afterwards::{Frozen, TargetIsMaster};
        let many = || Found::Many(vec![]);
        let create = Some(Wish::Create);
        let table = [
            (Found::None, None, Frozen, "create"),
            (Found::Unsure("no right".into()), None, Frozen, "unknown"),
            (
                Found::Unsure("no right".into()),
                create.clone(),
                Frozen,
                "unknown",
            ),
            (many(), None, Frozen, "review"),
            (many(), create.clone(), Frozen, "create"),
            (
                existing(true, Some(Progress::start()), true),
                None,
                Frozen,
                "resume",
            ),
            (existing(true, None, false), None, Frozen, "adopt"),
            (existing(true, None, true), None, Frozen, "review"),
            (existing(true, None, true), create.clone(), Frozen, "review"),
            (existing(true, None, true), None, TargetIsMaster, "adopt"),
            (existing(false, None, false), None, Frozen, "adopt"),
            (existing(false, None, true), None, Frozen, "review"),
            (
                existing(false, None, true),
                create.clone(),
                Frozen,
                "create",
            ),
            (existing(false, None, true), None, TargetIsMaster, "adopt"),
            (
                existing(false, None, false),
                create,
                TargetIsMaster,
                "create",
            ),
        ];
        for (at, (found, wish, afterwards, want)) in table.into_iter().enumerate() {
            assert_eq!(
                word(&course(found, wish.as_ref(), afterwards)),
                want,
                "row {at}"
            );
        }
    }
}
