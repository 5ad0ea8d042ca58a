//! Purchase orders: a batch entry of one head and its lines, finished once, then looked for until it is there.
//!
//! Target only. M3 gives the number; our tag stands in YRE1. Money in the order's currency.
//! Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (PPS370MI, PPS200MI, PPSSPPMI).

mod chain;
mod draft;
mod find;
mod head;
mod lacking;
mod line;
mod people;
mod proof;
mod quantity;

use crate::contract::{
    Answer, Draft, Found, Progress, Refs, Repeat, Session, Step, Upcoming, Writes,
};
use crate::domain::connection::Settings;
use crate::domain::fault::Issue;
use crate::domain::plan::Change;
use crate::domain::record::WaitingFor;
use crate::domain::records::Order;
use crate::domain::system::Entity;
use crate::domain::tag::WriteTag;
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
        Box::pin(async move { find::find(session, &OrderDraft::of(draft)?, tag).await })
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

    fn place(&self, draft: &Draft, settings: &Settings) -> Option<String> {
        let draft = OrderDraft::of(draft).ok()?;
        Some(accept::place_in(settings, &draft.division))
    }

    fn upcoming(&self, draft: &Draft, at: &Progress) -> Upcoming {
        chain::upcoming(draft, at)
    }

    fn step<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        at: &'a Progress,
    ) -> Answer<'a, Step> {
        Box::pin(async move { chain::step(session, &OrderDraft::of(draft)?, at).await })
    }

    fn check<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        at: &'a Progress,
    ) -> Answer<'a, Step> {
        Box::pin(async move { proof::proof(session, &OrderDraft::of(draft)?, at).await })
    }

    fn undo<'a>(&'a self, session: &'a Session, at: &'a Progress) -> Answer<'a, ()> {
        Box::pin(async move { chain::undo(session, at).await })
    }

    fn repeat(&self) -> Repeat {
        Repeat::Lookup
    }
}
