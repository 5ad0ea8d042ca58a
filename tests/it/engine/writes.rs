//! The fake ERP's ports: vendors in one final step, orders in the chain that a test chooses.

use ml_connector::contract::{
    Answer, Call, Draft, Found, Progress, Refs, Repeat, Session, Step, Upcoming, Weight, Writes,
    Written,
};
use ml_connector::domain::connection::Settings;
use ml_connector::domain::fault::{Fault, Issue};
use ml_connector::domain::plan::Change;
use ml_connector::domain::record::WaitingFor;
use ml_connector::domain::records::{Order, Vendor};
use ml_connector::domain::system::Entity;
use ml_connector::domain::tag::WriteTag;
use serde_json::json;

use super::books::{Books, Chain};

/// The vendors' port.
pub struct BookVendors(pub &'static Books);
/// The orders' port.
pub struct BookOrders(pub &'static Books);

impl Writes<Vendor> for BookVendors {
    fn draft(&self, vendor: &Vendor, _: &Settings, _: &Refs<'_>) -> Result<Draft, Vec<Issue>> {
        if vendor.name.is_empty() {
            return Err(vec![
                Issue::new("name", "missing", "it has no name"),
                Issue::new("address", "missing", "it has no address"),
            ]);
        }
        let payload = json!({ "name": vendor.name, "phone": vendor.phone });
        Ok(Draft::new(
            payload,
            vec![],
            format!("S-{}", vendor.key),
            None,
        ))
    }

    fn lacking<'a>(&'a self, _: &'a Session, _: &'a Draft) -> Answer<'a, Vec<WaitingFor>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn find<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        _: &'a WriteTag,
    ) -> Answer<'a, Found> {
        Box::pin(self.0.find(
            (session, "find vendor"),
            ("vendor", &draft.natural_key),
            &draft.payload,
            "name",
        ))
    }

    fn differences<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        target_id: &'a str,
    ) -> Answer<'a, Vec<Change>> {
        Box::pin(
            self.0
                .compare((session, "compare vendor"), target_id, &draft.payload),
        )
    }

    fn upcoming(&self, draft: &Draft, _: &Progress) -> Upcoming {
        Upcoming {
            operation: "make vendor".into(),
            weight: Weight::Final,
            target_key: Some(draft.natural_key.clone()),
        }
    }

    fn step<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        _: &'a Progress,
    ) -> Answer<'a, Step> {
        Box::pin(async move {
            let operation = ("vendor", "make vendor");
            let made = self
                .0
                .make(session, operation, &draft.natural_key, &draft.payload);
            Ok(done(made.await?, Vec::new()))
        })
    }

    fn check<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        _: &'a Progress,
    ) -> Answer<'a, Step> {
        Box::pin(async move {
            self.0
                .manners
                .call(session, "check vendor", Call::Read)
                .await?;
            match self.0.doc_of("vendor", &draft.natural_key) {
                Some(doc) => Ok(done(doc.id, Vec::new())),
                None => Err(Fault::rejected("", "not_there", "it is not in the books")),
            }
        })
    }

    fn undo<'a>(&'a self, session: &'a Session, at: &'a Progress) -> Answer<'a, ()> {
        Box::pin(self.0.undo(session, at))
    }

    fn repeat(&self) -> Repeat {
        *self.0.repeat.lock().unwrap()
    }
}

impl BookOrders {
    async fn take_step(
        &self,
        session: &Session,
        draft: &Draft,
        at: &Progress,
    ) -> Result<Step, Fault> {
        let books = self.0;
        let lines = draft.payload["lines"].as_array().map_or(0, Vec::len);
        let make = |operation: &'static str| {
            books.make(
                session,
                ("order", operation),
                &draft.natural_key,
                &draft.payload,
            )
        };
        match (books.chain(), at.next.as_str()) {
            (Chain::One, _) => {
                let id = make("make order").await?;
                Ok(self.made(draft, at.clone().with_key("id", id)))
            }
            (Chain::Batch, "") => {
                let batch = books.open_batch(session, "start order").await?;
                let at = at.then("line", 0).with_key("batch", batch);
                Ok(Step::More { at, durable: true })
            }
            (Chain::Batch, "line") => {
                let batch = at.key("batch").unwrap();
                books.add_to_batch(session, "order line", batch).await?;
                let next = if at.index + 1 < lines {
                    "line"
                } else {
                    "finish"
                };
                let at = at.then(next, at.index + 1);
                Ok(Step::More { at, durable: false })
            }
            (Chain::Batch, _) => {
                let held = books.lines_of_batch(at.key("batch").unwrap());
                assert_eq!(held, Some(lines), "a batch is finished with all its lines");
                let id = make("finish order").await?;
                Ok(self.made(draft, at.then("check", 0).with_key("id", id)))
            }
            (Chain::Documents, "") => {
                let id = make("order head").await?;
                let at = at.then("line", 0).with_key("id", id);
                Ok(Step::More { at, durable: true })
            }
            (Chain::Documents, _) => {
                let id = at.key("id").unwrap();
                books.add_line(session, "document line", id).await?;
                if at.index + 1 < lines {
                    let at = at.then("line", at.index + 1);
                    return Ok(Step::More { at, durable: true });
                }
                Ok(self.made(draft, at.clone()))
            }
        }
    }

    /// There at once, or taken for later.
    fn made(&self, draft: &Draft, at: Progress) -> Step {
        let id = at.key("id").unwrap().to_owned();
        if self.0.doc(&id).is_none() {
            let waiting_for = format!("order {id} to be created by the ERP's own job");
            return Step::Accepted { at, waiting_for };
        }
        let keys = draft.payload["lines"]
            .as_array()
            .unwrap()
            .iter()
            .enumerate();
        let parts = keys
            .map(|(index, line)| {
                let source = line["key"].as_str().unwrap().to_owned();
                (Entity::new("order_line"), source, format!("{id}/{index}"))
            })
            .collect();
        done(id, parts)
    }
}

fn done(target_id: String, parts: Vec<(Entity, String, String)>) -> Step {
    Step::Done(Box::new(Written {
        target_id,
        parts,
        notes: vec!["Read back.".into()],
        held: None,
    }))
}

impl Writes<Order> for BookOrders {
    fn draft(&self, order: &Order, _: &Settings, refs: &Refs<'_>) -> Result<Draft, Vec<Issue>> {
        let vendor = order.vendor_key.as_deref().unwrap_or_default();
        let Some(vendor) = refs.target(&Entity::new("vendor"), vendor) else {
            return Err(vec![Issue::new(
                "vendor",
                "unlinked",
                "its vendor is not linked",
            )]);
        };
        if order.lines_total() != order.total {
            return Err(vec![Issue::new(
                "total",
                "totals_disagree",
                "the lines do not add up to the total",
            )]);
        }
        let lines: Vec<_> = order
            .lines
            .iter()
            .map(|line| json!({ "key": line.key, "amount": line.amount.to_string() }))
            .collect();
        let payload = json!({
            "tag": refs.tag.as_str(), "number": order.number, "vendor": vendor,
            "lines": lines, "total": order.total.to_string(),
        });
        Ok(Draft::new(
            payload,
            vec![],
            refs.tag.to_string(),
            order.money(),
        ))
    }

    fn lacking<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
    ) -> Answer<'a, Vec<WaitingFor>> {
        Box::pin(async move {
            self.0
                .manners
                .call(session, "vendor status", Call::Read)
                .await?;
            let vendor = draft.payload["vendor"].as_str().unwrap_or_default();
            let is_blocked = self.0.blocked.lock().unwrap().iter().any(|id| id == vendor);
            let label = format!("supplier {vendor} to be released in the books");
            Ok(is_blocked
                .then(|| WaitingFor::new("vendor", format!("blocked/{vendor}"), label))
                .into_iter()
                .collect())
        })
    }

    fn find<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        tag: &'a WriteTag,
    ) -> Answer<'a, Found> {
        Box::pin(self.0.find(
            (session, "find order"),
            ("order", tag.as_str()),
            &draft.payload,
            "number",
        ))
    }

    fn differences<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        target_id: &'a str,
    ) -> Answer<'a, Vec<Change>> {
        Box::pin(
            self.0
                .compare((session, "compare order"), target_id, &draft.payload),
        )
    }

    fn upcoming(&self, _: &Draft, at: &Progress) -> Upcoming {
        let (operation, weight) = match (self.0.chain(), at.next.as_str()) {
            (Chain::One, _) => ("make order", Weight::Final),
            (Chain::Batch, "") => ("start order", Weight::Harmless),
            (Chain::Batch, "line") => ("order line", Weight::Harmless),
            (Chain::Batch, _) => ("finish order", Weight::Final),
            (Chain::Documents, "") => ("order head", Weight::Final),
            (Chain::Documents, _) => ("document line", Weight::Final),
        };
        Upcoming {
            operation: operation.into(),
            weight,
            target_key: at.key("id").or(at.key("batch")).map(str::to_owned),
        }
    }

    fn step<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        at: &'a Progress,
    ) -> Answer<'a, Step> {
        Box::pin(self.take_step(session, draft, at))
    }

    fn check<'a>(
        &'a self,
        session: &'a Session,
        draft: &'a Draft,
        at: &'a Progress,
    ) -> Answer<'a, Step> {
        Box::pin(async move {
            self.0
                .manners
                .call(session, "check order", Call::Read)
                .await?;
            let made = self.0.doc_of("order", &draft.natural_key);
            let at = match made {
                Some(doc) => at.clone().with_key("id", doc.id),
                None => at.clone(),
            };
            Ok(self.made(draft, at))
        })
    }

    fn undo<'a>(&'a self, session: &'a Session, at: &'a Progress) -> Answer<'a, ()> {
        Box::pin(self.0.undo(session, at))
    }

    fn repeat(&self) -> Repeat {
        *self.0.repeat.lock().unwrap()
    }
}
