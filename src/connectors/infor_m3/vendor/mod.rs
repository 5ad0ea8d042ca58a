//! Suppliers: found by number, tax id or name; made from a template under a number of ours.
//!
//! Target only. M3 is master: an existing supplier is linked and never changed. The number is chosen by us, so
//! a second one cannot be made. Source: Infor ION API Gateway and M3 MI REST facts, read 2026-11-22 (CRS620MI).

mod chain;
mod contact;
mod draft;
mod find;
mod search;
mod watch;

use super::lookup;
use crate::contract::{
    Answer, Draft, Found, Progress, Refs, Repeat, Session, Step, Upcoming, Writes,
};
use crate::domain::connection::Settings;
use crate::domain::fault::{Fault, Issue};
use crate::domain::plan::Change;
use crate::domain::record::WaitingFor;
use crate::domain::records::Vendor;
use crate::domain::tag::WriteTag;
pub(super) use chain::ACTIVE;
use draft::SupplierDraft;

pub(super) struct Suppliers;

impl Writes<Vendor> for Suppliers {
    fn draft(
        &self,
        record: &Vendor,
        settings: &Settings,
        refs: &Refs<'_>,
    ) -> Result<Draft, Vec<Issue>> {
        draft::draft(record, settings, refs)
    }

    fn lacking<'a>(
        &'a self,
        _session: &'a Session,
        _draft: &'a Draft,
    ) -> Answer<'a, Vec<WaitingFor>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn find<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        _tag: &'a WriteTag,
    ) -> Answer<'a, Found> {
        Box::pin(async move { find::find(session, &SupplierDraft::of(draft)?).await })
    }

    fn differences<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        target_id: &'a str,
    ) -> Answer<'a, Vec<Change>> {
        Box::pin(async move {
            let draft = SupplierDraft::of(draft)?;
            let row =
                lookup::supplier(session, target_id)
                    .await?
                    .ok_or_else(|| Fault::Missing {
                        what: "supplier".to_owned(),
                        message: format!("supplier {target_id} no longer exists in M3"),
                    })?;
            Ok(draft.differences(&row))
        })
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
        Box::pin(async move { chain::step(session, &SupplierDraft::of(draft)?, at).await })
    }

    fn check<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        at: &'a Progress,
    ) -> Answer<'a, Step> {
        Box::pin(async move { chain::proof(session, &SupplierDraft::of(draft)?, at).await })
    }

    fn undo<'a>(&'a self, _session: &'a Session, _at: &'a Progress) -> Answer<'a, ()> {
        // Every step stays: a half-made supplier is found by its number and finished.
        Box::pin(async { Ok(()) })
    }

    fn repeat(&self) -> Repeat {
        Repeat::Enforced
    }
}
