//! Dry runs against fakes with bad manners: nothing is written, and each record is told once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ml_connector::desk::record::Act;
use ml_connector::desk::run::{Wanted, start};
use ml_connector::domain::ids::RunId;
use ml_connector::domain::plan::{Action, Foreseen};
use ml_connector::domain::record::State;
use ml_connector::domain::run::RunState;
use ml_connector::engine::Ended;
use ml_connector::store;
use serde_json::json;

use super::manners::{Gate, Manner, refused, too_fast, unreachable};
use super::sites::{order, vendor};
use super::world::{HOUR, World};
use crate::support::database::{TestDatabase, both};

both!(
    trouble_with_one_record_is_told_in_its_row,
    a_dry_run_goes_on_after_its_worker_died,
    what_would_be_made_counts_as_linked,
    names_that_two_share_and_targets_that_two_want_are_for_people,
    what_is_being_written_or_was_decided_is_left_alone,
    a_slow_system_makes_a_dry_run_rest_and_nothing_is_lost,
    a_listing_that_fails_fails_the_dry_run,
    a_dry_run_that_hangs_keeps_nothing_waiting,
    old_reports_are_forgotten,
);

impl World {
    async fn rehearse(&self, full: bool) -> RunId {
        let wanted = Wanted {
            flows: None,
            full,
            dry_run: true,
        };
        start(&self.desk, &self.caller, self.pair, wanted)
            .await
            .unwrap()
    }

    async fn foreseen(&self, run: RunId) -> BTreeMap<String, Foreseen> {
        let filter = store::foreseen::Filter::default();
        let rows = store::foreseen::list(&self.scope().await, run, &filter, None, 10_000)
            .await
            .unwrap();
        let count = rows.len();
        let by_source: BTreeMap<String, Foreseen> = rows
            .into_iter()
            .map(|(_, row)| (format!("{} {}", row.flow, row.source.id), row))
            .collect();
        assert_eq!(by_source.len(), count, "a record was told twice");
        by_source
    }

    /// Makes a dry run to its end, and gives what it says. Whatever was there before is as it was.
    async fn rehearsed(&self, full: bool) -> BTreeMap<String, Foreseen> {
        let (records, writes) = (self.records().await, self.books.ledger().len());
        let run = self.rehearse(full).await;
        self.pass(HOUR).await;
        let ended = self.run_of(run).await;
        assert!(ended.ended_at.is_some(), "{ended:?}");
        assert_eq!(self.records().await, records);
        assert_eq!(self.books.ledger().len(), writes, "something was written");
        self.foreseen(run).await
    }
}

fn actions(rows: &BTreeMap<String, Foreseen>) -> Vec<(&str, Action)> {
    rows.iter()
        .map(|(name, row)| (name.as_str(), row.action))
        .collect()
}

async fn trouble_with_one_record_is_told_in_its_row(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    for key in ["10", "11", "12", "13"] {
        world.sites.put_order(order(key));
    }
    let fails = |fault| Manner::Fails(fault);
    // Two calls of four are out of luck once; which records they belong to is all the same.
    world.sites.manners.will("read order", fails(unreachable()));
    world.books.manners.will("find order", fails(unreachable()));
    let rows = world.rehearsed(false).await;
    let of_orders = rows
        .values()
        .filter(|row| row.flow.as_str() == "commitments");
    assert!(of_orders.clone().count() == 4);
    assert!(
        of_orders.clone().all(|row| row.action == Action::Create),
        "{rows:#?}"
    );
    // One that is refused, one that stays out of reach, and one that meets a defect.
    world.books.manners.will("find order", fails(refused()));
    world.sites.manners.will("read order", Manner::Panics);
    let run = world.rehearse(false).await;
    world.pass(HOUR).await;
    let rows = world.foreseen(run).await;
    let codes: Vec<&str> = rows
        .values()
        .filter(|row| row.action == Action::Fail)
        .map(|row| row.issues[0].code.as_str())
        .collect();
    assert_eq!(codes.len(), 2, "{rows:#?}");
    for code in ["XPO0002", "defect"] {
        assert!(codes.contains(&code), "{codes:?}");
    }
    let ended = world.run_of(run).await;
    assert_eq!(ended.state, RunState::Partial);
    assert_eq!(ended.flows["commitments"].failed, 2);
    assert_eq!(ended.flows["commitments"].created, 2);
    for _ in 0..20 {
        world.books.manners.will("find order", fails(unreachable()));
    }
    let run = world.rehearse(false).await;
    world.pass(HOUR).await;
    let ended = world.run_of(run).await;
    assert!(ended.ended_at.is_some(), "a dry run does not try for ever");
    assert!(world.books.docs("order").is_empty());
    world.sync().await;
    world.pass(HOUR).await;
    assert_eq!(world.books.docs("order").len(), 4);
    world.check().await;
}

async fn a_dry_run_goes_on_after_its_worker_died(database: TestDatabase) {
    for operation in [
        "list vendors",
        "list orders",
        "read order",
        "vendor status",
        "find order",
    ] {
        let world = World::of_its_own(&database, "dies").await;
        for key in 10..20 {
            world.sites.put_order(order(&key.to_string()));
        }
        *world.sites.page_size.lock().unwrap() = 3;
        let manners = match operation {
            "vendor status" | "find order" => &world.books.manners,
            _ => &world.sites.manners,
        };
        let gate = Gate::new();
        if operation != "list vendors" {
            manners.goes_well(operation);
        }
        manners.will(operation, Manner::WaitsFor(gate.clone()));
        let records = world.records().await;
        let run = world.rehearse(true).await;
        let (engine, tenant) = (world.engine().clone(), world.tenant());
        let slice = tokio::spawn(async move { engine.work_tenant(tenant, "dying").await });
        gate.reached().await;
        slice.abort();
        let _ = slice.await;
        world.expire_lease().await;
        let second = world.second();
        for _ in 0..100 {
            match second.work_tenant(tenant, "second").await.unwrap() {
                Ended::DueNow => {}
                Ended::Until(Some(next)) if world.run_of(run).await.ended_at.is_none() => {
                    let left = next.since(world.now());
                    world.advance(left.min(Duration::from_secs(60)));
                }
                Ended::Until(_) => break,
                Ended::NotOurs => panic!("the dead worker's lease is still held"),
            }
        }
        let ended = world.run_of(run).await;
        assert_eq!(ended.state, RunState::Succeeded, "{operation}");
        let rows = world.foreseen(run).await;
        assert_eq!(rows.len(), 11, "{operation}: {:?}", actions(&rows));
        let created = rows.values().filter(|row| row.action == Action::Create);
        assert_eq!(created.count(), 10, "{operation}");
        assert_eq!(rows["vendors 1"].action, Action::None);
        assert_eq!(world.records().await, records, "{operation}");
        assert!(world.books.docs("order").is_empty(), "{operation}");
    }
}

async fn what_would_be_made_counts_as_linked(database: TestDatabase) {
    let world = World::begin(&database).await;
    world.sites.put_vendor(vendor("1", "Stone"));
    world.sites.put_vendor(vendor("2", "Wood"));
    world.sites.put_order(order("10"));
    let rows = world.rehearsed(false).await;
    assert_eq!(
        actions(&rows),
        [
            ("commitments 10", Action::Create),
            ("vendors 1", Action::Create),
            ("vendors 2", Action::Create)
        ]
    );
    // Only what an order needs: the vendor is left out at first, and asked for by its order.
    world
        .settings(|settings| {
            let rules = &mut settings.policies.rules;
            rules.insert("vendors".into(), "used".into());
        })
        .await;
    let mut strange = order("11");
    strange.vendor_key = Some("9".into());
    world.sites.put_order(strange);
    let rows = world.rehearsed(false).await;
    assert_eq!(
        actions(&rows),
        [
            ("commitments 10", Action::Create),
            ("commitments 11", Action::Wait),
            ("vendors 1", Action::Create),
            ("vendors 2", Action::Skip),
            // The source does not show it, so nothing is known of it.
            ("vendors 9", Action::Skip)
        ]
    );
    assert_eq!(rows["commitments 11"].waiting_for[0].key, "9");
    world.sync().await;
    world.pass(HOUR).await;
    let standing = world.standing().await;
    assert_eq!(
        world.order("10").await.record.state,
        State::Succeeded,
        "{standing:#?}"
    );
    assert_eq!(world.order("11").await.record.state, State::Waiting);
    assert_eq!(world.vendor("2").await.record.state, State::Ignored);
    assert_eq!(world.vendor("9").await.record.state, State::Ignored);
}

async fn names_that_two_share_and_targets_that_two_want_are_for_people(database: TestDatabase) {
    let world = World::begin(&database).await;
    world
        .books
        .key_in("vendor", "M1", json!({ "name": "Stone" }));
    world
        .books
        .key_in("vendor", "M2", json!({ "name": "Wood" }));
    for (key, name) in [("1", "Stone"), ("2", "Stone"), ("3", "Wood"), ("4", "")] {
        world.sites.put_vendor(vendor(key, name));
    }
    let rows = world.rehearsed(false).await;
    assert_eq!(
        actions(&rows),
        [
            ("vendors 1", Action::Review),
            ("vendors 2", Action::Review),
            ("vendors 3", Action::Link),
            ("vendors 4", Action::Fail)
        ]
    );
    assert_eq!(rows["vendors 1"].candidates[0].target_id, "M1");
    assert_eq!(rows["vendors 3"].target_id.as_deref(), Some("M2"));
    assert_eq!(rows["vendors 4"].issues.len(), 2);
    world.sync().await;
    for (key, state) in [
        ("1", State::Review),
        ("2", State::Review),
        ("3", State::Linked),
        ("4", State::Failed),
    ] {
        assert_eq!(world.vendor(key).await.record.state, state, "{key}");
    }
}

async fn what_is_being_written_or_was_decided_is_left_alone(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    for key in ["10", "11", "12"] {
        world.sites.put_order(order(key));
    }
    world.asks_for_approval().await;
    world.sync().await;
    let (rejected, ignored) = (world.order("10").await, world.order("11").await);
    let no = Act::Reject {
        reason: "not ours".into(),
    };
    world.do_with(&rejected, no).await;
    let aside = Act::Ignore {
        reason: "later".into(),
    };
    world.do_with(&ignored, aside).await;
    world.books.manners.will("make order", Manner::LosesAnswer);
    *world.books.search_lag.lock().unwrap() = Duration::from_secs(120);
    let held = world.order("12").await;
    world.do_with(&held, Act::Approve { digest: None }).await;
    let flags = world.order("12").await.record.flags;
    assert_eq!(flags, ["outcome_unknown"]);
    let run = world.rehearse(false).await;
    world.work().await;
    let rows = world.foreseen(run).await;
    let of = |key: &str| &rows[&format!("commitments {key}")];
    assert_eq!(of("10").action, Action::Fail);
    assert_eq!(of("10").reason.as_deref(), Some("rejected"));
    assert_eq!(of("11").action, Action::Skip);
    assert_eq!(of("11").reason.as_deref(), Some("ignored_by_person"));
    assert_eq!(of("12").action, Action::Wait);
    assert_eq!(of("12").reason.as_deref(), Some("in_writing"));
    // Everything looked at again, the rejected one comes back for approval; what was put aside does not.
    let run = world.rehearse(true).await;
    world.work().await;
    let rows = world.foreseen(run).await;
    assert_eq!(rows["commitments 10"].action, Action::Create);
    assert_eq!(rows["commitments 11"].action, Action::Skip);
    world.pass(HOUR * 3).await;
    assert_eq!(world.order("12").await.record.state, State::Succeeded);
    assert_eq!(world.books.docs("order").len(), 1);
    world.check().await;
}

async fn a_slow_system_makes_a_dry_run_rest_and_nothing_is_lost(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    for key in 10..16 {
        world.sites.put_order(order(&key.to_string()));
    }
    for _ in 0..3 {
        world.sites.manners.goes_well("read order");
    }
    world
        .sites
        .manners
        .will("read order", Manner::Fails(too_fast(20)));
    world
        .sites
        .manners
        .will("list orders", Manner::Fails(too_fast(20)));
    let began = world.now();
    let rows = world.rehearsed(false).await;
    let created = rows.values().filter(|row| row.action == Action::Create);
    assert_eq!(created.count(), 6, "{rows:#?}");
    assert!(world.now().since(began) >= Duration::from_secs(40));
}

async fn a_listing_that_fails_fails_the_dry_run(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    world.sites.put_order(order("10"));
    world
        .sites
        .manners
        .will("list orders", Manner::Fails(refused()));
    let run = world.rehearse(false).await;
    world.pass(HOUR).await;
    let ended = world.run_of(run).await;
    assert_eq!(ended.state, RunState::Failed);
    assert!(ended.note.unwrap().contains("could not be listed"));
    let rows = world.foreseen(run).await;
    assert_eq!(actions(&rows), [("vendors 1", Action::None)]);
}

async fn a_dry_run_that_hangs_keeps_nothing_waiting(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    world.sites.put_order(order("10"));
    let gate = Gate::new();
    let hangs = Manner::WaitsFor(gate.clone());
    world.books.manners.will("find order", hangs);
    let run = world.rehearse(false).await;
    let (engine, tenant) = (world.engine().clone(), world.tenant());
    let slice = tokio::spawn(async move { engine.work_tenant(tenant, "test").await });
    gate.reached().await;
    // Longer than a turn lasts by itself.
    tokio::time::sleep(Duration::from_secs(6)).await;
    world.run().await;
    let patience = Instant::now() + Duration::from_secs(20);
    loop {
        let scope = world.scope().await;
        let found = store::record::of_source(&scope, world.pair, "commitments", "10").await;
        let state = found.unwrap().map(|work| work.record.state);
        if state == Some(State::Succeeded) {
            break;
        }
        assert!(Instant::now() < patience, "{state:?}");
        drop(scope);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(world.run_of(run).await.ended_at, None);
    gate.open();
    slice.await.unwrap().unwrap();
    world.pass(HOUR).await;
    assert!(world.run_of(run).await.ended_at.is_some());
    assert_eq!(world.books.docs("order").len(), 1);
    world.check().await;
}

async fn old_reports_are_forgotten(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    let run = world.rehearse(true).await;
    world.work().await;
    assert_eq!(world.foreseen(run).await.len(), 1);
    world.advance(HOUR * 24 * 29);
    let second = world.rehearse(true).await;
    world.work().await;
    assert_eq!(world.foreseen(run).await.len(), 1);
    world.advance(HOUR * 24 * 2);
    let third = world.rehearse(true).await;
    world.work().await;
    assert_eq!(world.foreseen(run).await.len(), 0);
    for later in [second, third] {
        assert_eq!(world.foreseen(later).await.len(), 1);
    }
    let counts = &world.run_of(run).await.flows["vendors"];
    assert_eq!(counts.seen, 1, "the run itself stays");
}
