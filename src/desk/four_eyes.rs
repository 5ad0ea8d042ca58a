//! Four eyes, where a pair asks for it: whoever led to a write does not let it through. That is who last
//! changed the mapping and the settings it was made with, and who asked for its record to be worked again. The
//! trail says who that was; a token acts for the person who made it.

use std::collections::{BTreeMap, HashMap};

use crate::audit::Event;
use crate::domain::audit::Happened;
use crate::domain::ids::{MemberId, PairId, RecordId};
use crate::domain::member::Caller;
use crate::domain::pair::Pair;
use crate::store::record::Work;
use crate::store::{self, Scope, StoreError};

use super::{Desk, DeskError};

/// The policy that asks for it.
const POLICY: &str = "four_eyes";
/// Events of one thing that are looked through; what was changed before that many changes is old.
const EVENTS_MAX: u32 = 500;
/// Settings of a pair that no write is made from.
const NOT_IN_A_WRITE: [&str; 2] = ["name", "schedule"];
const OF_PAIR: &[&str] = &["pair.created", "pair.changed", "mapping.changed"];
const OF_CONNECTION: &[&str] = &["connection.created", "connection.changed"];
const OF_RECORD: &[&str] = &["record.retried", "record.replayed", "record.said_new"];

/// What one person has led to, looked up once a pair.
pub(super) struct FourEyes {
    member: MemberId,
    /// What they changed last of each pair; nothing for a pair that does not ask for four eyes.
    pairs: HashMap<PairId, Option<Vec<String>>>,
}

impl FourEyes {
    pub(super) fn of(caller: &Caller) -> Self {
        Self {
            member: caller.member_id,
            pairs: HashMap::new(),
        }
    }

    /// Why this person must not approve what a record is held with; none: they may.
    ///
    /// # Errors
    /// `Missing`, `Database`, `Corrupt`.
    pub(super) async fn bar(
        &mut self,
        scope: &Scope,
        work: &Work,
    ) -> Result<Option<String>, StoreError> {
        let pair = work.record.pair_id;
        if !self.pairs.contains_key(&pair) {
            let changed = self.changed_of(scope, pair).await?;
            self.pairs.insert(pair, changed);
        }
        let Some(Some(changed)) = self.pairs.get(&pair) else {
            return Ok(None);
        };
        let mut parts = changed.clone();
        if self.has_asked_for(scope, work.record.id).await? {
            parts.push("asked for it to be worked again".to_owned());
        }
        Ok(sentence(&parts))
    }

    async fn changed_of(
        &self,
        scope: &Scope,
        id: PairId,
    ) -> Result<Option<Vec<String>>, StoreError> {
        let pair = store::pair::find(scope, id).await?;
        if !pair.settings.policies.is_on(POLICY) {
            return Ok(None);
        }
        let mut latest = Latest::default();
        latest.take(&events(scope, id, OF_PAIR).await?, of_pair);
        for connection in connections(&pair) {
            let told = events(scope, connection.0, OF_CONNECTION).await?;
            latest.take(&told, |event| of_connection(event, connection.1));
        }
        let mut changed = Vec::new();
        for (part, (kind, actor)) in latest.0 {
            if self.is_theirs(scope, &kind, &actor).await? {
                changed.push(format!("changed {part}"));
            }
        }
        Ok(Some(changed))
    }

    async fn has_asked_for(&self, scope: &Scope, record: RecordId) -> Result<bool, StoreError> {
        let told = events(scope, record, OF_RECORD).await?;
        match told.first() {
            Some(last) => {
                self.is_theirs(scope, &last.actor_kind, &last.actor_id)
                    .await
            }
            None => Ok(false),
        }
    }

    async fn is_theirs(&self, scope: &Scope, kind: &str, actor: &str) -> Result<bool, StoreError> {
        match kind {
            "member" => Ok(actor == self.member.to_string()),
            "token" => {
                let Ok(token) = actor.parse() else {
                    return Ok(false);
                };
                match store::api_token::find(scope, token).await {
                    Ok(token) => Ok(token.member_id == self.member),
                    Err(StoreError::Missing(_)) => Ok(false),
                    Err(error) => Err(error),
                }
            }
            // The program, or its operator: nobody who approves.
            _ => Ok(false),
        }
    }
}

async fn events(
    scope: &Scope,
    subject: impl ToString,
    actions: &[&str],
) -> Result<Vec<Event>, StoreError> {
    store::audit::latest_of(scope, &subject.to_string(), actions, EVENTS_MAX).await
}

fn connections(pair: &Pair) -> [(crate::domain::ids::ConnectionId, &'static str); 2] {
    [
        (pair.erp_connection_id, "the ERP connection's settings"),
        (
            pair.project_connection_id,
            "the project connection's settings",
        ),
    ]
}

/// Who changed each part last.
#[derive(Default)]
struct Latest(BTreeMap<String, (String, String)>);

impl Latest {
    /// Takes in events, newest first.
    fn take(&mut self, events: &[Event], parts: impl Fn(&Event) -> Vec<String>) {
        for event in events {
            for part in parts(event) {
                let who = || (event.actor_kind.clone(), event.actor_id.clone());
                self.0.entry(part).or_insert_with(who);
            }
        }
    }
}

/// The parts of a pair that an event changed.
fn of_pair(event: &Event) -> Vec<String> {
    match event.action.as_str() {
        // What it was is erased; that it was something is not.
        _ if event.beside.is_none() => vec![setting("settings")],
        "pair.changed" => fields(event)
            .filter(|field| !NOT_IN_A_WRITE.contains(&field.as_str()))
            .map(|field| setting(&field))
            .collect(),
        "mapping.changed" => fact(event, "kind")
            .map(|kind| format!("the mapping of {}", kind.replace('_', " ")))
            .into_iter()
            .collect(),
        // Whoever made it chose everything that nobody has changed since.
        _ => ["flows", "projects", "start_date", "policies"]
            .map(setting)
            .to_vec(),
    }
}

fn setting(field: &str) -> String {
    format!("the pair's {}", field.replace('_', " "))
}

fn of_connection(event: &Event, part: &str) -> Vec<String> {
    let is_part = event.beside.is_none()
        || event.action == "connection.created"
        || fields(event).any(|name| name != "name");
    is_part.then(|| part.to_owned()).into_iter().collect()
}

fn fields(event: &Event) -> impl Iterator<Item = String> {
    let fields = fact(event, "fields").unwrap_or_default();
    let names: Vec<String> = fields
        .split(", ")
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    names.into_iter()
}

fn fact(event: &Event, name: &str) -> Option<String> {
    let facts = event.beside.as_ref()?.facts();
    facts
        .into_iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value)
}

fn sentence(parts: &[String]) -> Option<String> {
    let (last, others) = parts.split_last()?;
    let what = if others.is_empty() {
        last.clone()
    } else {
        format!("{} and {last}", others.join(", "))
    };
    Some(format!(
        "This pair asks for four eyes: you {what}, so somebody else must approve this write."
    ))
}

/// Why the caller must not approve a record; none: they may.
///
/// # Errors
/// `Missing`, `Store`.
pub async fn bar(
    desk: &Desk,
    caller: &Caller,
    record: RecordId,
) -> Result<Option<String>, DeskError> {
    let scope = desk.store().read(caller.tenant_id).await?;
    let work = store::record::find(&scope, record).await?;
    Ok(FourEyes::of(caller).bar(&scope, &work).await?)
}

/// An approval that was refused is told, although nothing was changed.
pub(super) async fn tell_refused(
    desk: &Desk,
    caller: &Caller,
    record: RecordId,
) -> Result<(), DeskError> {
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move {
                let told = Happened::new("record.approval_refused", "record", record);
                scope.tell(told.with("reason", POLICY));
                Ok(())
            })
        })
        .await
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::audit::Beside;
    use crate::domain::clock::Timestamp;

    fn event(action: &str, actor: &str, detail: &str) -> Event {
        Event {
            seq: 1,
            at: Timestamp(0),
            actor_kind: "member".into(),
            actor_id: actor.into(),
            action: action.into(),
            subject_kind: "pair".into(),
            subject_id: "p".into(),
            run_id: None,
            detail_hash: String::new(),
            prev_hash: String::new(),
            hash: String::new(),
            beside: Some(Beside {
                salt: [0; 16],
                actor_name: actor.into(),
                detail: detail.into(),
            }),
        }
    }

    #[test]
    fn who_changed_a_part_last_counts() {
        let mut latest = Latest::default();
        let told = [
            event("mapping.changed", "b", r#"{"kind":"units"}"#),
            event("pair.changed", "b", r#"{"fields":"name, policies"}"#),
            event("mapping.changed", "a", r#"{"kind":"cost_codes"}"#),
            event("mapping.changed", "b", r#"{"kind":"cost_codes"}"#),
            event("pair.created", "a", "{}"),
        ];
        assert_eq!(
            told[0].beside.as_ref().unwrap().facts(),
            [("kind".to_owned(), "units".to_owned())],
            "details read as they are kept"
        );
        latest.take(&told, of_pair);
        let of = |who: &str| -> Vec<&str> {
            let theirs = latest.0.iter().filter(|(_, (_, actor))| actor == who);
            theirs.map(|(part, _)| part.as_str()).collect()
        };
        assert_eq!(
            of("a"),
            [
                "the mapping of cost codes",
                "the pair's flows",
                "the pair's projects",
                "the pair's start date"
            ]
        );
        assert_eq!(of("b"), ["the mapping of units", "the pair's policies"]);
    }

    #[test]
    fn a_name_makes_no_write() {
        let renamed = event("connection.changed", "a", r#"{"fields":"name"}"#);
        assert!(of_connection(&renamed, "x").is_empty());
        let moved = event("connection.changed", "a", r#"{"fields":"facility, name"}"#);
        assert_eq!(of_connection(&moved, "x"), ["x"]);
    }

    #[test]
    fn the_sentence_says_what_they_did() {
        assert_eq!(sentence(&[]), None);
        let two = ["changed a".to_owned(), "asked".to_owned()];
        assert!(
            sentence(&two)
                .unwrap()
                .contains("you changed a and asked, so")
        );
    }
}
