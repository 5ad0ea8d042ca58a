//! Purchase orders: a batch entry of one head and its lines, finished once, then looked for until it is there.
//!
//! Target only. M3 gives the number; our tag stands in YRE1. Money in the order's currency.
//! Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (PPS370MI, PPS200MI, PPSSPPMI).

mod amend;
mod chain;
mod change;
mod draft;
mod find;
mod head;
mod lacking;
mod line;
mod people;
mod proof;
mod quantity;
mod watch;

use crate::contract::{
    Amendment, Answer, Before, Draft, Found, Progress, Refs, Repeat, Session, Step, Upcoming,
    Writes,
};
use crate::domain::connection::Settings;
use crate::domain::fault::{Fault, Issue};
use crate::domain::plan::Change;
use crate::domain::record::WaitingFor;
use crate::domain::records::Order;
use crate::domain::system::Entity;
use crate::domain::tag::WriteTag;
use change::{ChangeDraft, Plan, Present};
use draft::OrderDraft;

use super::accept;

pub(super) struct PurchaseOrders;

impl Writes<Order> for PurchaseOrders {
    fn draft(
        &self,
        record: &Order,
        settings: &Settings,
        refs: &Refs<'_>,
    ) -> Result<Draft, Vec<Issue>> {
        draft::draft(record, settings, refs)
    }

    fn lacking<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
    ) -> Answer<'a, Vec<WaitingFor>> {
        Box::pin(async move { lacking::lacking(session, &OrderDraft::of(draft)?).await })
    }

    fn find<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        tag: &'a WriteTag,
    ) -> Answer<'a, Found> {
        Box::pin(async move {
            match ChangeDraft::of(draft)? {
                Some(change) => amend::find(session, &change).await,
                None => find::find(session, &OrderDraft::of(draft)?, tag).await,
            }
        })
    }

    fn differences<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        target_id: &'a str,
    ) -> Answer<'a, Vec<Change>> {
        Box::pin(
            async move { proof::differences(session, &OrderDraft::of(draft)?, target_id).await },
        )
    }

    fn parts<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        target_id: &'a str,
    ) -> Answer<'a, Vec<(Entity, String, String)>> {
        Box::pin(async move { proof::parts(session, &OrderDraft::of(draft)?, target_id).await })
    }

    fn amend<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        standing: Before<'a>,
    ) -> Answer<'a, Option<Amendment>> {
        Box::pin(async move { planned(session, draft, standing).await.map(Some) })
    }

    fn identity(&self, draft: &Draft, at: &Progress) -> Option<String> {
        let change = ChangeDraft::of(draft).ok()??;
        amend::identity(&change, at)
    }

    fn place(&self, draft: &Draft, settings: &Settings) -> Option<String> {
        let draft = OrderDraft::of(draft).ok()?;
        Some(accept::place_in(settings, &draft.division))
    }

    fn upcoming(&self, draft: &Draft, at: &Progress) -> Upcoming {
        match ChangeDraft::of(draft) {
            Ok(Some(change)) => amend::upcoming(&change, at),
            _ => chain::upcoming(draft, at),
        }
    }

    fn step<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        at: &'a Progress,
    ) -> Answer<'a, Step> {
        Box::pin(async move {
            match ChangeDraft::of(draft)? {
                Some(change) => amend::step(session, &change, at).await,
                None => chain::step(session, &OrderDraft::of(draft)?, at).await,
            }
        })
    }

    fn check<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        at: &'a Progress,
    ) -> Answer<'a, Step> {
        Box::pin(async move {
            match ChangeDraft::of(draft)? {
                Some(change) => amend::proof(session, &change, at).await,
                None => proof::proof(session, &OrderDraft::of(draft)?, at).await,
            }
        })
    }

    fn undo<'a>(&'a self, session: &'a Session, at: &'a Progress) -> Answer<'a, ()> {
        Box::pin(async move { chain::undo(session, at).await })
    }

    fn repeat(&self) -> Repeat {
        Repeat::Lookup
    }
}

/// What must be done to an order that is there.
async fn planned(
    session: &Session,
    draft: &Draft,
    standing: Before<'_>,
) -> Result<Amendment, Fault> {
    let wanted = OrderDraft::of(draft)?;
    let order = standing.target_id;
    let seen = proof::read(session, order)
        .await?
        .ok_or_else(|| Fault::Missing {
            what: "order".to_owned(),
            message: format!("order {order} no longer exists in M3"),
        })?;
    let written = standing
        .written
        .map(OrderDraft::of)
        .transpose()
        .ok()
        .flatten();
    let numbers = standing.parts.iter().filter_map(|(key, part)| {
        let number = part
            .strip_prefix(order)?
            .strip_prefix('/')?
            .split('/')
            .next()?;
        Some((key.clone(), number.parse().ok()?))
    });
    let numbers = numbers.collect();
    let present = Present {
        order,
        head: &seen.head,
        lines: &seen.lines,
        numbers: &numbers,
        written: written.as_ref(),
        by_batch: session.settings.text("change_order_lines") != Some("direct"),
    };
    if numbers.is_empty() {
        // Without knowing which line is which, it can only be compared.
        let differences = proof::differences(session, &wanted, order).await?;
        return Ok(match differences.is_empty() {
            true => Amendment::Same,
            false => Amendment::Stuck {
                differences,
                says: "it is not known which of its lines is which".to_owned(),
            },
        });
    }
    Ok(match change::plan(&wanted, &present) {
        Plan::Same => Amendment::Same,
        Plan::Stuck { differences, says } => Amendment::Stuck { differences, says },
        Plan::Change { change, people } => {
            let payload = serde_json::to_value(&change).map_err(|error| Fault::Broken {
                code: "draft_unwritable".to_owned(),
                message: error.to_string(),
            })?;
            let change = Draft::new(
                payload,
                people,
                draft.natural_key.clone(),
                draft.money.clone(),
            );
            Amendment::Change(Box::new(change.amending(order, draft)))
        }
    })
}
