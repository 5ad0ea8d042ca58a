//! Refused access is told in the trail, but a script that is refused a thousand times a minute is told once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::{Desk, DeskError};
use crate::domain::audit::Happened;
use crate::domain::clock::Timestamp;
use crate::domain::ids::TenantId;
use crate::domain::member::Caller;

/// Callers remembered at once; more would be an attack on memory.
const REMEMBERED_MAX: usize = 10_000;
const MINUTE: i64 = 60 * Timestamp::SECOND;

/// Who was refused when, so that repeats fold into one event a minute.
#[derive(Debug, Default)]
pub struct Refusals {
    latest: Mutex<HashMap<(TenantId, String), Folded>>,
}

#[derive(Debug, Clone, Copy)]
struct Folded {
    minute: i64,
    more: u64,
}

impl Refusals {
    /// Tells that a caller was refused; `what` names the request, `why` the missing right.
    ///
    /// # Errors
    /// `Store`.
    pub async fn tell(
        &self,
        desk: &Desk,
        caller: &Caller,
        what: String,
        why: &'static str,
    ) -> Result<(), DeskError> {
        let minute = desk.store().clock().now().0.div_euclid(MINUTE);
        let who = (caller.tenant_id, caller.actor.id.clone());
        let Some(folded) = self.fold(who, minute) else {
            return Ok(());
        };
        let subject = (caller.actor.kind == "token", caller.actor.id.clone());
        desk.store()
            .write(caller.tenant_id, &caller.actor, move |scope| {
                Box::pin(async move {
                    let kind = if subject.0 { "token" } else { "member" };
                    scope.tell(
                        Happened::new("access.refused", kind, subject.1)
                            .with("request_line", what)
                            .with("missing", why)
                            .with("more_before", folded),
                    );
                    Ok(())
                })
            })
            .await
    }

    /// None when this minute was told already; else how many were folded before.
    fn fold(&self, who: (TenantId, String), minute: i64) -> Option<u64> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.len() >= REMEMBERED_MAX && !latest.contains_key(&who) {
            latest.retain(|_, folded| folded.minute == minute);
        }
        let more = match latest.get_mut(&who) {
            Some(folded) if folded.minute == minute => {
                folded.more = folded.more.saturating_add(1);
                return None;
            }
            Some(folded) => folded.more,
            None => 0,
        };
        latest.insert(who, Folded { minute, more: 0 });
        Some(more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_fold_into_one_event_a_minute() {
        let refusals = Refusals::default();
        let who = || (TenantId::NIL, "a".to_owned());
        assert_eq!(refusals.fold(who(), 1), Some(0));
        assert_eq!(refusals.fold(who(), 1), None);
        assert_eq!(refusals.fold(who(), 1), None);
        assert_eq!(refusals.fold((TenantId::NIL, "b".to_owned()), 1), Some(0));
        assert_eq!(refusals.fold(who(), 3), Some(2));
    }
}
