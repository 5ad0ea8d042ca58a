//! Events of the trail as people read them.

use crate::domain::clock::Timestamp;
use crate::store::audit::Event;

/// One event as pages show it.
pub struct Told {
    pub seq: i64,
    pub at: String,
    pub when: String,
    pub title: String,
    /// Which glyph and tone it has.
    pub state: &'static str,
    pub actor: String,
    pub actor_kind: String,
    pub actor_id: String,
    pub action: String,
    pub subject_kind: String,
    pub subject_id: String,
    pub href: String,
    pub facts: Vec<(String, String)>,
    pub order: Timestamp,
}

impl Told {
    #[must_use]
    pub fn new(event: &Event) -> Self {
        let facts = event.beside.as_ref().map(|beside| beside.facts());
        let actor = event
            .beside
            .as_ref()
            .map(|beside| beside.actor_name.clone());
        let (title, state) = title(&event.action);
        Self {
            seq: event.seq,
            at: event.at.to_string(),
            when: super::page::say::time_exact(event.at),
            title: title.map_or_else(|| plain(&event.action), str::to_owned),
            state,
            actor: actor.unwrap_or_else(|| "erased".to_owned()),
            actor_kind: event.actor_kind.clone(),
            actor_id: event.actor_id.clone(),
            action: event.action.clone(),
            href: href(&event.subject_kind, &event.subject_id),
            subject_kind: event.subject_kind.clone(),
            subject_id: event.subject_id.clone(),
            facts: facts.unwrap_or_default(),
            order: event.at,
        }
    }

    /// A fact by its name.
    #[must_use]
    pub fn fact(&self, name: &str) -> &str {
        let found = self.facts.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }
}

/// Where the subject of an event is shown; empty where it has no page.
fn href(kind: &str, id: &str) -> String {
    match kind {
        "record" => format!("/records/{id}"),
        "run" => format!("/runs/{id}"),
        "connection" => format!("/connections/{id}"),
        "pair" => format!("/pairs/{id}"),
        _ => String::new(),
    }
}

/// The action in words, and its glyph.
fn title(action: &str) -> (Option<&'static str>, &'static str) {
    let (title, state) = match action {
        "write.intent" => ("About to be written", "syncing"),
        "write.accepted" => ("Accepted by the other system, not yet verified", "waiting"),
        "write.confirmed" => ("Written and verified", "succeeded"),
        "write.rejected" => ("Refused by the other system", "failed"),
        "write.unknown" => ("No usable answer; it is looked for", "warning"),
        "record.linked" => ("Linked to an existing record", "linked"),
        "record.checked" => ("Checked in the other system", "succeeded"),
        "record.waiting" => ("Waits", "waiting"),
        "record.held" => ("Asks for approval", "held"),
        "record.review" => ("Asks for a match", "review"),
        "record.retrying" => ("Will be tried again", "retrying"),
        "record.failed" => ("Needs a mend", "failed"),
        "record.ignored" => ("Put aside", "ignored"),
        "record.approved" => ("Approved", "succeeded"),
        "record.rejected" => ("Rejected", "failed"),
        "record.retried" => ("Retried by a person", "pending"),
        "record.replayed" => ("Replayed by a person", "pending"),
        "record.matched" => ("Matched by a person", "linked"),
        "record.said_new" => ("Said to be new by a person", "pending"),
        "mapping.changed" => ("Mapping changed", "unchanged"),
        "link.set" => ("Link set", "linked"),
        "connection.created" => ("Connection added", "succeeded"),
        "connection.changed" => ("Connection changed", "unchanged"),
        "connection.tested" => ("Connection tested", "succeeded"),
        "connection.removed" => ("Connection removed", "cancelled"),
        "connection.login_refused" => ("Log-in refused by the other system", "failed"),
        "connection.login_restored" => ("Log-in works again", "succeeded"),
        "key.rewrapped" => ("Sealed by another version of the master key", "succeeded"),
        "secret.unreadable" => ("A stored secret does not open", "failed"),
        "pair.created" => ("Pair made", "draft"),
        "pair.changed" => ("Pair changed", "unchanged"),
        "pair.activated" => ("Pair activated", "active"),
        "pair.paused" => ("Pair paused", "paused"),
        "pair.removed" => ("Pair removed", "cancelled"),
        "run.started" => ("Run started", "running"),
        "run.closed" => ("Run ended", "succeeded"),
        "run.failed" => ("Run failed", "failed"),
        "run.cancelled" => ("Run cancelled", "cancelled"),
        "token.created" => ("API token made", "succeeded"),
        "token.revoked" => ("API token revoked", "cancelled"),
        "tenant.created" => ("Account opened", "succeeded"),
        "member.signed_in" => ("Signed in", "ok"),
        "member.password_changed" => ("Password changed", "succeeded"),
        "session.revoked" => ("Signed out in another browser", "none"),
        "member.signed_out" => ("Signed out", "none"),
        "sign_in.refused" => ("Sign-in refused", "failed"),
        "sign_in.paused" => ("Sign-in paused after too many guesses", "stopped"),
        "access.refused" => ("Access refused", "failed"),
        "audit.exported" => ("Trail exported", "succeeded"),
        _ => return (None, "none"),
    };
    (Some(title), state)
}

/// An action that has no words of its own yet: `thing.happened` as `Thing happened`.
fn plain(action: &str) -> String {
    let mut words = action.replace(['.', '_'], " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

/// Every action that has words, for the filter of the trail.
#[must_use]
pub fn actions() -> &'static [&'static str] {
    &[
        "access.refused",
        "audit.exported",
        "connection.changed",
        "connection.created",
        "connection.login_refused",
        "connection.login_restored",
        "connection.removed",
        "connection.tested",
        "mapping.changed",
        "member.signed_in",
        "member.signed_out",
        "pair.activated",
        "pair.changed",
        "pair.created",
        "pair.paused",
        "pair.removed",
        "record.approved",
        "record.failed",
        "record.held",
        "record.ignored",
        "record.linked",
        "record.rejected",
        "record.replayed",
        "record.retried",
        "record.waiting",
        "run.closed",
        "run.started",
        "sign_in.refused",
        "token.created",
        "token.revoked",
        "write.confirmed",
        "write.intent",
        "write.rejected",
        "write.unknown",
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_of_the_filter_has_words() {
        for action in actions() {
            assert!(title(action).0.is_some(), "{action}");
        }
        assert_eq!(plain("thing.was_done"), "Thing was done");
    }
}
