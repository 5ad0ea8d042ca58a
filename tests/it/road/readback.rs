//! M3 is read, too: what people change there is shown, and a supplier that is closed there stops new orders.

use std::time::Duration;

use ml_connector::audit::Event;
use ml_connector::desk::record::{Act, act};
use ml_connector::domain::pair::Approval;
use ml_connector::domain::record::{BLOCKED, DIVERGED, State};
use ml_connector::store;
use ml_connector::store::record::Work;
use serde_json::{Value, json};

use super::setting::Setting;
use crate::support::database::{TestDatabase, both};
use crate::support::http::Api;

const PATIENCE: Duration = Duration::from_secs(90);

both!(
    a_closed_supplier_stops_new_orders_until_it_is_open_again,
    what_people_change_in_m3_is_shown_once_until_it_is_put_back,
);

impl Setting {
    pub async fn sync(&self) {
        self.run().await;
        self.settle(PATIENCE).await;
    }

    pub async fn tell_m3(&self, path: &str, body: Value) -> Value {
        let path = format!("/_sandbox/infor_m3/{path}");
        Api::new(&self.erp.url()).post(&path, body, 200).await
    }

    /// Events of a record, oldest first.
    pub async fn told(&self, work: &Work, action: &str) -> Vec<Event> {
        let scope = self.scope().await;
        let filter = store::audit::Filter {
            subject: Some(work.record.id.to_string()),
            ..Default::default()
        };
        let order = store::audit::Order::OldestFirst;
        let events = store::audit::list(&scope, &filter, order, None, 10_000)
            .await
            .unwrap();
        let events = events.into_iter().filter(|event| event.action == action);
        events.collect()
    }

    pub async fn again(&self, work: &Work) -> Work {
        let scope = self.scope().await;
        store::record::find(&scope, work.record.id).await.unwrap()
    }

    pub async fn orders_in(&self, state: State) -> Vec<Work> {
        let mut found = self.records_in(state).await;
        found.retain(|work| work.record.flow.as_str() == "commitments");
        found.sort_by(|left, right| left.record.source.id.cmp(&right.record.source.id));
        found
    }

    pub async fn m3_order(&self, number: &str) -> Value {
        let state = Api::new(&self.erp.url()).get("/_sandbox/state", 200).await;
        let mut orders = state["state"]["orders"].as_array().expect("orders").iter();
        let found = orders.find(|order| order["head"]["PUNO"] == number);
        found
            .cloned()
            .unwrap_or_else(|| panic!("no order {number}"))
    }

    pub async fn writes_of_m3(&self, operation: &str) -> usize {
        let ledger = self.ledger_of_the_erp().await;
        let entries = ledger["data"].as_array().unwrap().iter();
        entries
            .filter(|entry| entry["operation"] == operation)
            .count()
    }

    pub async fn decide(&self, work: &Work, what: Act) {
        act(&self.desk, &self.caller, work.record.id, what)
            .await
            .unwrap();
    }
}

fn supplier_of(work: &Work) -> impl Fn(&Work) -> bool {
    let name = work.record.counterparty.clone();
    move |vendor| vendor.record.flow.as_str() == "vendors" && vendor.record.counterparty == name
}

async fn a_closed_supplier_stops_new_orders_until_it_is_open_again(database: TestDatabase) {
    let road = Setting::asking(&database, Approval::Review).await;
    road.sync().await;
    let held = road.orders_in(State::Held).await;
    let order = held.first().expect("an order to approve").clone();
    let records = road.records().await;
    let vendor = records
        .into_iter()
        .find(supplier_of(&order))
        .expect("its vendor");
    let supplier = vendor.record.target.clone().expect("a supplier").id;

    road.tell_m3(&format!("suppliers/{supplier}/block"), json!({}))
        .await;
    road.sync().await;
    let shown = road.again(&order).await;
    assert_eq!(
        (shown.record.state, shown.record.flags.clone()),
        (State::Held, vec![BLOCKED.to_owned()])
    );
    assert!(
        shown.record.explanation.contains(&supplier),
        "{}",
        shown.record.explanation
    );
    let shown = road.again(&vendor).await;
    assert!(
        shown.record.flags.contains(&BLOCKED.to_owned()),
        "{:?}",
        shown.record.flags
    );
    assert_eq!(road.told(&order, "record.blocked").await.len(), 1);

    // Approved all the same: it waits, and nothing is entered.
    road.decide(&order, Act::Approve { digest: None }).await;
    road.settle(PATIENCE).await;
    let waits = road.again(&order).await;
    assert_eq!(
        waits.record.state,
        State::Waiting,
        "{}",
        waits.record.explanation
    );
    assert_eq!(waits.record.waiting_for[0].kind, "vendor");
    assert_eq!(road.writes_of_m3("PPS370MI/StartEntry").await, 0);

    road.tell_m3(&format!("suppliers/{supplier}/unblock"), json!({}))
        .await;
    road.sync().await;
    road.settle(PATIENCE).await;
    let done = road.again(&order).await;
    assert_eq!(
        done.record.state,
        State::Succeeded,
        "{}",
        done.record.explanation
    );
    assert_eq!(done.record.flags, Vec::<String>::new());
    let shown = road.again(&vendor).await;
    assert!(!shown.record.flags.contains(&BLOCKED.to_owned()));
}

async fn what_people_change_in_m3_is_shown_once_until_it_is_put_back(database: TestDatabase) {
    let road = Setting::begin(&database).await;
    road.sync().await;
    let order = road
        .orders_in(State::Succeeded)
        .await
        .first()
        .expect("an order")
        .clone();
    let number = order.record.target.clone().unwrap().id;
    let before = road.m3_order(&number).await;
    let line = &before["lines"][0]["fields"];
    let (line_number, quantity) = (&line["PNLI"], line["ORQA"].clone());
    let path = format!("orders/{number}/lines/{}", line_number.as_str().unwrap());
    // Our own writes are no differences.
    road.sync().await;
    for work in road.records().await {
        assert!(
            !work.record.flags.contains(&DIVERGED.to_owned()),
            "{}",
            work.record.explanation
        );
    }

    road.tell_m3(&path, json!({"ORQA": "7"})).await;
    road.sync().await;
    let shown = road.again(&order).await;
    assert_eq!(
        (shown.record.state, shown.record.flags.clone()),
        (State::Succeeded, vec![DIVERGED.to_owned()])
    );
    assert!(
        shown.record.explanation.contains("has 7, it was"),
        "{}",
        shown.record.explanation
    );
    road.sync().await;
    road.sync().await;
    assert_eq!(
        road.told(&order, "record.diverged").await.len(),
        1,
        "once, not each look"
    );
    assert_eq!(road.again(&order).await.record.flags, [DIVERGED]);

    road.tell_m3(&path, json!({"ORQA": quantity})).await;
    road.sync().await;
    road.settle(PATIENCE).await;
    let cleared = road.again(&order).await;
    assert_eq!(
        (cleared.record.state, cleared.record.flags.len()),
        (State::Succeeded, 0),
        "{}",
        cleared.record.explanation
    );
    assert_eq!(road.told(&order, "record.agrees").await.len(), 1);

    let vendors = road.records_in(State::Succeeded).await;
    let vendor = vendors
        .into_iter()
        .find(|work| work.record.flow.as_str() == "vendors")
        .expect("a vendor");
    let supplier = vendor.record.target.clone().unwrap().id;
    road.tell_m3(
        &format!("suppliers/{supplier}"),
        json!({"SUNM": "Renamed Ltd"}),
    )
    .await;
    road.sync().await;
    let shown = road.again(&vendor).await;
    assert_eq!(shown.record.flags, [DIVERGED]);
    assert!(
        shown.record.explanation.contains("Renamed Ltd"),
        "{}",
        shown.record.explanation
    );
}
