//! A fake project system: vendors and orders in memory, listed page by page.

use std::collections::BTreeMap;
use std::sync::Mutex;

use ml_connector::contract::{
    Answer, Call, ListScope, Lists, Page, Read, Reads, Seen, Session, SourceKey,
};
use ml_connector::domain::clock::{Clock, Timestamp};
use ml_connector::domain::connection::Settings;
use ml_connector::domain::fault::Issue;
use ml_connector::domain::records::{Address, Coding, Order, OrderKind, OrderLine, Vendor};
use rust_decimal::Decimal;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::manners::Manners;

/// A record and when it was last changed.
type Shelf<E> = BTreeMap<String, (E, Timestamp)>;

/// The system.
pub struct Sites {
    pub manners: Manners,
    pub clock: Clock,
    pub page_size: Mutex<usize>,
    /// Every row of a page comes twice.
    pub stutters: Mutex<bool>,
    vendors: Mutex<Shelf<Vendor>>,
    orders: Mutex<Shelf<Order>>,
}

impl Sites {
    pub fn new(clock: Clock) -> Self {
        Self {
            manners: Manners::default(),
            clock,
            page_size: Mutex::new(100),
            stutters: Mutex::new(false),
            vendors: Mutex::default(),
            orders: Mutex::default(),
        }
    }

    pub fn put_vendor(&self, vendor: Vendor) {
        let row = (vendor.key.clone(), (vendor, self.clock.now()));
        self.vendors.lock().unwrap().insert(row.0, row.1);
    }

    pub fn put_order(&self, order: Order) {
        let row = (order.key.clone(), (order, self.clock.now()));
        self.orders.lock().unwrap().insert(row.0, row.1);
    }

    /// Changes an order in place.
    pub fn change_order(&self, key: &str, change: impl FnOnce(&mut Order)) {
        let mut order = self.order(key).expect("the order is there");
        change(&mut order);
        self.put_order(order);
    }

    pub fn order(&self, key: &str) -> Option<Order> {
        let orders = self.orders.lock().unwrap();
        orders.get(key).map(|(order, _)| order.clone())
    }

    pub fn remove_order(&self, key: &str) {
        self.orders.lock().unwrap().remove(key);
    }

    async fn page<E>(
        &self,
        (session, operation): (&Session, &'static str),
        shelf: &Mutex<Shelf<E>>,
        (scope, after): (&ListScope, Option<&str>),
        seen: impl Fn(&E, Timestamp) -> Option<Seen>,
    ) -> Result<Page<Seen>, ml_connector::domain::fault::Fault> {
        self.manners.call(session, operation, Call::Read).await?;
        let size = *self.page_size.lock().unwrap();
        let from: usize = after.map_or(0, |after| after.parse().expect("a place of ours"));
        let all: Vec<Seen> = shelf
            .lock()
            .unwrap()
            .values()
            .filter(|(_, at)| scope.since.is_none_or(|since| *at >= since) && *at <= scope.until)
            .filter_map(|(record, at)| seen(record, *at))
            .collect();
        let mut rows: Vec<Seen> = all.iter().skip(from).take(size).cloned().collect();
        if *self.stutters.lock().unwrap() {
            rows = rows
                .into_iter()
                .flat_map(|row| [row.clone(), row])
                .collect();
        }
        let next = (from + size < all.len()).then(|| (from + size).to_string());
        Ok(Page { rows, next })
    }

    async fn read<E: Clone + Serialize>(
        &self,
        (session, operation): (&Session, &'static str),
        shelf: &Mutex<Shelf<E>>,
        key: &SourceKey,
    ) -> Result<Option<Read<E>>, ml_connector::domain::fault::Fault> {
        self.manners.call(session, operation, Call::Read).await?;
        let found = shelf.lock().unwrap().get(&key.id).cloned();
        Ok(found.map(|(record, at)| Read {
            raw: serde_json::to_value(&record).unwrap(),
            record,
            version: at.to_string(),
        }))
    }
}

fn translated<E: DeserializeOwned>(raw: &Value) -> Result<E, Vec<Issue>> {
    serde_json::from_value(raw.clone())
        .map_err(|error| vec![Issue::new("", "unreadable", error.to_string())])
}

/// The vendors' port.
pub struct SiteVendors(pub &'static Sites);
/// The orders' port.
pub struct SiteOrders(pub &'static Sites);

impl Lists for SiteVendors {
    fn changed<'a>(
        &'a self,
        session: &'a Session,
        scope: &'a ListScope,
        after: Option<&'a str>,
    ) -> Answer<'a, Page<Seen>> {
        let seen = |vendor: &Vendor, at: Timestamp| {
            Some(Seen {
                key: key(&vendor.key),
                version: at.to_string(),
                project_key: None,
                name: Some(vendor.name.clone()),
            })
        };
        Box::pin(self.0.page(
            (session, "list vendors"),
            &self.0.vendors,
            (scope, after),
            seen,
        ))
    }
}

impl Lists for SiteOrders {
    fn changed<'a>(
        &'a self,
        session: &'a Session,
        scope: &'a ListScope,
        after: Option<&'a str>,
    ) -> Answer<'a, Page<Seen>> {
        let seen = move |order: &Order, at: Timestamp| {
            scope.projects.contains(&order.project_key).then(|| Seen {
                key: key(&order.key),
                version: at.to_string(),
                project_key: Some(order.project_key.clone()),
                name: None,
            })
        };
        Box::pin(self.0.page(
            (session, "list orders"),
            &self.0.orders,
            (scope, after),
            seen,
        ))
    }
}

impl Reads<Vendor> for SiteVendors {
    fn read<'a>(
        &'a self,
        session: &'a Session,
        key: &'a SourceKey,
    ) -> Answer<'a, Option<Read<Vendor>>> {
        Box::pin(self.0.read((session, "read vendor"), &self.0.vendors, key))
    }

    fn translate(&self, raw: &Value, _: &Settings) -> Result<Vendor, Vec<Issue>> {
        translated(raw)
    }
}

impl Reads<Order> for SiteOrders {
    fn read<'a>(
        &'a self,
        session: &'a Session,
        key: &'a SourceKey,
    ) -> Answer<'a, Option<Read<Order>>> {
        Box::pin(self.0.read((session, "read order"), &self.0.orders, key))
    }

    fn translate(&self, raw: &Value, _: &Settings) -> Result<Order, Vec<Issue>> {
        translated(raw)
    }
}

fn key(id: &str) -> SourceKey {
    SourceKey {
        id: id.to_owned(),
        place: String::new(),
    }
}

/// A vendor as the tests make them.
pub fn vendor(key: &str, name: &str) -> Vendor {
    Vendor {
        key: key.into(),
        name: name.into(),
        number: None,
        tax_id: None,
        phone: None,
        email: None,
        address: Address::default(),
        active: true,
        created_at: None,
    }
}

/// An approved order of two lines on project 7, for vendor 1.
pub fn order(key: &str) -> Order {
    let line = |position: u32, amount: i64| OrderLine {
        key: format!("{key}-{position}"),
        position,
        description: format!("Line {position}"),
        coding: Coding {
            cost_code: "03-300".into(),
            cost_type: "M".into(),
            sub_job: String::new(),
        },
        quantity: None,
        unit_price: None,
        amount: Decimal::from(amount),
        tax_code: None,
    };
    Order {
        key: key.into(),
        kind: OrderKind::PurchaseOrder,
        number: format!("PO-{key}"),
        title: format!("Order {key}"),
        status: "Approved".into(),
        vendor_key: Some("1".into()),
        vendor_name: Some("Stone".into()),
        project_key: "7".into(),
        currency: Some("USD".parse().expect("a currency")),
        order_date: None,
        delivery_date: None,
        completion_date: None,
        created_at: None,
        payment_terms: None,
        by_unit: false,
        lines: vec![line(1, 100), line(2, 250)],
        total: Decimal::from(350),
    }
}
