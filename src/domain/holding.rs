//! What a target holds of a record that we wrote, as far as it is compared: read back, kept, compared again.

use serde::{Deserialize, Serialize};

use super::plan::Change;

/// Fields of a target record by their labels for people, in reading order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    pub facts: Vec<(String, String)>,
    /// Why no new document may name it, in words; none while it is open. Not compared.
    pub closed: Option<String>,
}

impl Holding {
    /// Adds a field that the target shows; one that it does not show is left out.
    pub fn note(&mut self, label: impl Into<String>, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            self.facts.push((label.into(), value.into()));
        }
    }

    /// A field's value.
    #[must_use]
    pub fn value(&self, label: &str) -> Option<&str> {
        let mut facts = self.facts.iter();
        let found = facts.find(|(known, _)| known == label);
        found.map(|(_, value)| value.as_str())
    }

    /// Where the target, which holds `now`, no longer holds this: its value first.
    #[must_use]
    pub fn differences(&self, now: &Self) -> Vec<Change> {
        let change = |label: &str, from: Option<&str>, to: Option<&str>| Change {
            field: label.to_owned(),
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
            why: "changed there since it was last read back".to_owned(),
        };
        let kept = self.facts.iter().filter_map(|(label, value)| {
            let theirs = now.value(label);
            (theirs != Some(value)).then(|| change(label, theirs, Some(value)))
        });
        let new = now
            .facts
            .iter()
            .filter(|(label, _)| self.value(label).is_none())
            .map(|(label, value)| change(label, Some(value), None));
        kept.chain(new).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(facts: &[(&str, &str)]) -> Holding {
        let mut holding = Holding::default();
        for (label, value) in facts {
            holding.note(*label, Some(*value));
        }
        holding
    }

    #[test]
    fn what_is_other_gone_or_new_differs_and_nothing_else() {
        let ours = holding(&[("Supplier", "A"), ("Line 1", "5"), ("Line 2", "7")]);
        for (theirs, want) in [
            (
                vec![("Supplier", "A"), ("Line 1", "5"), ("Line 2", "7")],
                vec![],
            ),
            (
                vec![("Line 2", "7"), ("Line 1", "5"), ("Supplier", "A")],
                vec![],
            ),
            (
                vec![("Supplier", "A"), ("Line 1", "6"), ("Line 2", "7")],
                vec![("Line 1", Some("6"), Some("5"))],
            ),
            (
                vec![("Supplier", "A"), ("Line 1", "5")],
                vec![("Line 2", None, Some("7"))],
            ),
            (
                vec![
                    ("Supplier", "A"),
                    ("Line 1", "5"),
                    ("Line 2", "7"),
                    ("Line 3", "1"),
                ],
                vec![("Line 3", Some("1"), None)],
            ),
        ] {
            let found = ours.differences(&holding(&theirs));
            let found: Vec<_> = found
                .iter()
                .map(|change| {
                    let value = |side: &'_ Option<String>| side.clone();
                    (
                        change.field.as_str(),
                        value(&change.from),
                        value(&change.to),
                    )
                })
                .collect();
            let want: Vec<_> = want
                .into_iter()
                .map(|(label, from, to): (&str, Option<&str>, Option<&str>)| {
                    (label, from.map(str::to_owned), to.map(str::to_owned))
                })
                .collect();
            assert_eq!(found, want, "{theirs:?}");
        }
    }

    #[test]
    fn a_closed_target_does_not_differ() {
        let open = holding(&[("Name", "A")]);
        let closed = Holding {
            closed: Some("blocked".to_owned()),
            ..open.clone()
        };
        assert_eq!(open.differences(&closed), []);
    }
}
