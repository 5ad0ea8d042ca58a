//! A contract that changed after its order was made: through the gate, to the order, to the cent.

use std::time::Duration;

use ml_connector::desk::record::Act;
use ml_connector::domain::pair::Approval;
use ml_connector::domain::plan::Action;
use ml_connector::domain::record::{DIVERGED, State};
use ml_connector::store::record::Work;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::setting::Setting;
use crate::support::database::{TestDatabase, both};
use crate::support::http::Api;

const PATIENCE: Duration = Duration::from_secs(90);

both!(
    a_changed_contract_is_asked_for_and_then_changes_its_order,
    goods_that_came_already_keep_an_order_as_it_is,
    an_answer_that_is_lost_in_the_middle_of_a_change_makes_no_second_line,
);

/// A contract with its order, made by approval.
struct Ordered {
    road: Setting,
    order: Work,
    number: String,
    contract: String,
}

async fn ordered(database: &TestDatabase, approval: Approval) -> Ordered {
    let road = Setting::asking(database, approval).await;
    road.sync().await;
    if approval == Approval::Review {
        for held in road.orders_in(State::Held).await {
            road.decide(&held, Act::Approve { digest: None }).await;
        }
        road.settle(PATIENCE).await;
    }
    let mut chosen = None;
    for order in road.orders_in(State::Succeeded).await {
        let number = order.record.target.clone().unwrap().id;
        if road.m3_order(&number).await["lines"]
            .as_array()
            .unwrap()
            .len()
            >= 2
        {
            chosen = Some((order, number));
            break;
        }
    }
    let (order, number) = chosen.expect("an order of two lines");
    Ordered {
        contract: order.record.source.id.clone(),
        road,
        order,
        number,
    }
}

impl Ordered {
    async fn procore(&self, path: &str, body: Value, status: u16) -> Value {
        let path = format!("/_sandbox/procore/contracts/{}{path}", self.contract);
        Api::new(&self.road.source.url())
            .post(&path, body, status)
            .await
    }

    /// The lines of the contract that M3 has a line for, as the source shows them: id and amount.
    async fn line_keys(&self) -> Vec<String> {
        let scope = self.road.scope().await;
        let parts = ml_connector::store::link::of_parts(&scope, self.road.pair, &self.number, 100);
        let mut parts = parts.await.unwrap();
        parts.sort_by(|left, right| left.target.id.cmp(&right.target.id));
        parts.into_iter().map(|part| part.source.id).collect()
    }

    /// Somebody changes a line of the contract, and the contract is as approved as before.
    async fn revise(&self, line: &str, amount: &str) {
        self.procore(
            &format!("/lines/{line}"),
            json!({"amount": amount, "quantity": amount, "unit_cost": "1.00"}),
            200,
        )
        .await;
        self.procore("", json!({"title": format!("Revised to {amount}")}), 200)
            .await;
        self.road.sync().await;
    }

    async fn now(&self) -> Work {
        self.road.again(&self.order).await
    }

    /// What a line of the order in M3 amounts to.
    async fn amount(&self, line: usize) -> Decimal {
        let order = self.road.m3_order(&self.number).await;
        let text = order["lines"][line]["fields"]["LNAM"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        text.parse().unwrap_or_default()
    }

    async fn lines(&self) -> usize {
        self.road.m3_order(&self.number).await["lines"]
            .as_array()
            .unwrap()
            .len()
    }
}

async fn a_changed_contract_is_asked_for_and_then_changes_its_order(database: TestDatabase) {
    let made = ordered(&database, Approval::Review).await;
    let keys = made.line_keys().await;
    made.revise(&keys[0], "4321.07").await;
    let held = made.now().await;
    assert_eq!(
        held.record.state,
        State::Held,
        "{}",
        held.record.explanation
    );
    assert_eq!(held.plan_action, Some(Action::Update));
    assert_eq!(
        made.road.writes_of_m3("PPS200MI/UpdLine").await,
        0,
        "nothing before the yes"
    );

    made.road
        .decide(
            &held,
            Act::Approve {
                digest: held.draft_digest.clone(),
            },
        )
        .await;
    made.road.settle(PATIENCE).await;
    let done = made.now().await;
    assert_eq!(
        (done.record.state, done.record.flags.len()),
        (State::Succeeded, 0),
        "{}",
        done.record.explanation
    );
    assert_eq!(made.amount(0).await, "4321.07".parse().unwrap());
    assert_eq!(made.road.writes_of_m3("PPS200MI/UpdLine").await, 1);
    // It is our own change: nothing differs, and nothing more is sent.
    made.road.sync().await;
    made.road.sync().await;
    let still = made.now().await;
    assert_eq!(
        (still.record.state, still.record.flags.len()),
        (State::Succeeded, 0),
        "{}",
        still.record.explanation
    );
    assert_eq!(made.road.writes_of_m3("PPS200MI/UpdLine").await, 1);
}

async fn goods_that_came_already_keep_an_order_as_it_is(database: TestDatabase) {
    let made = ordered(&database, Approval::Automatic).await;
    let keys = made.line_keys().await;
    let line = &made.road.m3_order(&made.number).await["lines"][0]["fields"]["PNLI"];
    let path = format!("orders/{}/lines/{}", made.number, line.as_str().unwrap());
    made.road
        .tell_m3(&path, json!({"RVQA": "50", "PUST": "50"}))
        .await;
    let before = made.amount(0).await;
    made.revise(&keys[0], "12.34").await;
    let shown = made.now().await;
    assert_eq!(
        (shown.record.state, shown.record.flags.clone()),
        (State::Succeeded, vec![DIVERGED.to_owned()]),
        "{}",
        shown.record.explanation
    );
    for value in ["50 is received", "12.34"] {
        assert!(
            shown.record.explanation.contains(value),
            "{}",
            shown.record.explanation
        );
    }
    assert_eq!(made.amount(0).await, before);
    assert_eq!(made.road.writes_of_m3("PPS200MI/UpdLine").await, 0);
}

async fn an_answer_that_is_lost_in_the_middle_of_a_change_makes_no_second_line(
    database: TestDatabase,
) {
    let made = ordered(&database, Approval::Automatic).await;
    let keys = made.line_keys().await;
    let lines = made.lines().await;
    let erp = Api::new(&made.road.erp.url());
    for transaction in ["UpdLine", "FinishEntry"] {
        let fault =
            json!({"kind": "reset_after", "times": 1, "match": {"transaction": transaction}});
        erp.post("/_sandbox/faults", fault, 200).await;
    }
    let source = Api::new(&made.road.source.url());
    let state = source.get("/_sandbox/state", 200).await;
    let copied = line_of(&state, &keys[0]).expect("the line in the source");
    let mut added = json!({"amount": "77.10", "quantity": "77.10", "unit_cost": "1.00", "description": "One more"});
    added["wbs_code_id"] = copied["wbs_code"]["id"].clone();
    added["uom"] = copied["uom"].clone();
    made.procore("/lines", added, 201).await;
    made.revise(&keys[0], "1000.01").await;
    made.road.settle(PATIENCE).await;
    let done = made.now().await;
    assert_eq!(
        (done.record.state, done.record.flags.len()),
        (State::Succeeded, 0),
        "{}",
        done.record.explanation
    );
    assert_eq!(made.lines().await, lines + 1, "one line more, not two");
    assert_eq!(made.amount(0).await, "1000.01".parse().unwrap());
    assert_eq!(made.amount(lines).await, "77.10".parse().unwrap());
    assert_eq!(made.road.told(&made.order, "write.unknown").await.len(), 2);
}

fn line_of(state: &Value, key: &str) -> Option<Value> {
    match state {
        Value::Object(fields) => {
            let is_it = fields
                .get("id")
                .is_some_and(|id| id.to_string().trim_matches('"') == key);
            let is_line = fields.contains_key("holder");
            if is_it && is_line {
                return Some(state.clone());
            }
            fields.values().find_map(|value| line_of(value, key))
        }
        Value::Array(items) => items.iter().find_map(|value| line_of(value, key)),
        _ => None,
    }
}
