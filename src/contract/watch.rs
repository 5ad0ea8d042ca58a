//! Looking at what a target holds, beside the writes: what changed there, and what one record holds now.

use super::session::Session;
use super::wire::Answer;
use crate::domain::clock::Timestamp;
use crate::domain::holding::Holding;

/// What a target's list showed.
#[derive(Debug, Clone, Default)]
pub struct Noticed {
    /// Bare key of each record that may have changed, and a word that is another one after each change; an
    /// empty word says nothing.
    pub records: Vec<(String, String)>,
    /// On the target's own clock, read before the list was: where the next look begins.
    pub until: Timestamp,
    /// The list shows every kind of change that matters.
    pub is_whole: bool,
}

/// Looks at the records of a target that are ours to compare. Reads only.
pub trait Watches: Send + Sync {
    /// Records that changed at or after an instant of the target's own clock; none: only what time it is.
    fn noticed<'a>(&'a self, session: &'a Session, since: Option<Timestamp>)
    -> Answer<'a, Noticed>;

    /// What one record holds; nothing when it is not there. `known` is what it held before: a part that a list
    /// no longer shows is asked for by its key before it counts as gone.
    fn holds<'a>(
        &'a self,
        session: &'a Session,
        target_id: &'a str,
        known: Option<&'a Holding>,
    ) -> Answer<'a, Option<Holding>>;
}
