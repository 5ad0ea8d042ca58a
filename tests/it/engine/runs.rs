//! Runs: opened by the clock, listed page by page, counted, and closed.

use ml_connector::desk::{pair as pairs, run as desk_runs};
use ml_connector::domain::pair::PairStatus;
use ml_connector::domain::record::State;
use ml_connector::domain::run::{Counts, Run, RunState, Trigger};
use ml_connector::domain::schedule::BusinessHours;
use ml_connector::store;

use super::manners::{Gate, Manner, refused, too_fast, unreachable};
use super::sites::{order, vendor};
use super::world::{DAY, HOUR, MINUTE, World};
use crate::support::database::{TestDatabase, both};

both!(
    the_clock_opens_runs_within_business_hours,
    pages_are_walked_and_the_cursor_follows_its_records,
    counts_add_up,
    a_listing_that_fails_is_tried_again_and_then_given_up,
    a_run_goes_on_listing_while_a_record_takes_long,
    a_person_ends_a_run_in_the_middle,
    a_paused_pair_rests_and_wakes_whole,
    a_removed_pair_keeps_nothing_going,
    nothing_in_scope_is_no_reason_to_forget,
);

fn sum(counts: &Counts) -> u64 {
    counts.created
        + counts.updated
        + counts.linked
        + counts.unchanged
        + counts.waiting
        + counts.held
        + counts.review
        + counts.retrying
        + counts.failed
        + counts.ignored
}

fn adds_up(run: &Run) {
    for (flow, counts) in &run.flows {
        assert_eq!(sum(counts), counts.seen, "{flow}: {counts:?}");
    }
}

impl World {
    async fn runs(&self) -> Vec<Run> {
        let scope = self.scope().await;
        let runs = store::run::list(&scope, None, None, 100).await.unwrap();
        runs.into_iter().map(|open| open.run).collect()
    }

    async fn cursor(&self, flow: &str) -> Option<ml_connector::domain::clock::Timestamp> {
        let scope = self.scope().await;
        store::cursor::find(&scope, self.pair, flow).await.unwrap()
    }

    async fn next_run_at(&self, at: Option<ml_connector::domain::clock::Timestamp>) {
        let pair = self.pair;
        self.write(move |scope| {
            Box::pin(async move {
                store::pair::set_next_run(scope, pair, at).await?;
                if let Some(at) = at {
                    scope.wake(at);
                }
                Ok(())
            })
        })
        .await;
    }
}

async fn the_clock_opens_runs_within_business_hours(database: TestDatabase) {
    let world = World::begin(&database).await;
    world
        .settings(|settings| {
            settings.schedule.every_minutes = 30;
            settings.schedule.time_zone = "America/Chicago".into();
            settings.schedule.business_hours = Some(BusinessHours {
                days: ["mon", "tue", "wed", "thu", "fri"]
                    .map(String::from)
                    .to_vec(),
                from: "07:00".into(),
                to: "09:00".into(),
            });
        })
        .await;
    // 09:00 UTC on a Tuesday is 03:00 in Chicago.
    let opening = "2026-11-24T13:00:00Z".parse().unwrap();
    world.next_run_at(Some(opening)).await;
    world.pass(4 * HOUR - MINUTE).await;
    assert_eq!(world.runs().await.len(), 0);
    world.pass(DAY).await;
    let runs = world.runs().await;
    let times: Vec<String> = runs
        .iter()
        .rev()
        .map(|run| run.queued_at.to_string())
        .collect();
    assert_eq!(
        times,
        [
            "2026-11-24T13:00:00Z",
            "2026-11-24T13:30:00Z",
            "2026-11-24T14:00:00Z",
            "2026-11-24T14:30:00Z",
        ]
    );
    for run in &runs {
        assert_eq!(
            (run.state, run.trigger),
            (RunState::Succeeded, Trigger::Schedule)
        );
        assert_eq!(
            run.note.as_deref(),
            Some("Nothing changed in the source since the last run.")
        );
    }
}

async fn pages_are_walked_and_the_cursor_follows_its_records(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    *world.sites.page_size.lock().unwrap() = 3;
    *world.sites.stutters.lock().unwrap() = true;
    for number in 10..20 {
        world.sites.put_order(order(&number.to_string()));
    }
    world.advance(HOUR);
    let before = world.cursor("commitments").await;
    // The third page fails twice: what was listed by then is kept, the cursor is not moved.
    for _ in 0..2 {
        world.sites.manners.goes_well("list orders");
    }
    world
        .sites
        .manners
        .will("list orders", Manner::Fails(too_fast(90)));
    world
        .sites
        .manners
        .will("list orders", Manner::Fails(unreachable()));
    let began = world.now();
    let run = world.run().await;
    world.work().await;
    assert_eq!(world.cursor("commitments").await, before);
    assert_eq!(world.records().await.len(), 7);
    assert_eq!(world.run_of(run).await.state, RunState::Running);
    // Somebody changes a record while the listing rests: it is after the cursor, wherever its page was.
    world.advance(MINUTE);
    world
        .sites
        .change_order("10", |order| order.number = "PO-10-B".into());
    world.pass(HOUR).await;
    assert_eq!(
        world.cursor("commitments").await,
        Some(began),
        "the start of the listing"
    );
    let closed = world.run_of(run).await;
    assert_eq!(closed.state, RunState::Succeeded, "{closed:?}");
    assert_eq!(closed.flows["commitments"].seen, 10);
    adds_up(&closed);
    assert_eq!(world.sites.manners.calls("list orders"), 1 + 4 + 2);
    let run = world.run().await;
    world.work().await;
    assert_eq!(
        world.run_of(run).await.flows["commitments"].seen,
        10,
        "the overlap shows them again"
    );
    world.check().await;
}

async fn counts_add_up(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    for number in 10..16 {
        world.sites.put_order(order(&number.to_string()));
    }
    world
        .sites
        .change_order("10", |order| order.status = "Draft".into());
    world
        .sites
        .change_order("11", |order| order.total = 1.into());
    world
        .sites
        .change_order("12", |order| order.lines[0].coding.cost_code = "99".into());
    world
        .books
        .key_in("order", "X", serde_json::json!({"number": "PO-13"}));
    world
        .books
        .manners
        .will("make order", Manner::Fails(refused()));
    world.sites.put_vendor(vendor("2", "Wood"));
    world
        .sites
        .put_vendor(ml_connector::domain::records::Vendor {
            active: false,
            ..vendor("3", "Gone")
        });
    let run = world.run().await;
    world.work().await;
    let run = world.run_of(run).await;
    assert_eq!(run.state, RunState::Partial);
    adds_up(&run);
    let counts = &run.flows["commitments"];
    assert_eq!(
        (
            counts.seen,
            counts.ignored,
            counts.failed,
            counts.waiting,
            counts.review,
            counts.created
        ),
        (6, 1, 2, 1, 1, 1)
    );
    let counts = &run.flows["vendors"];
    assert_eq!(
        (
            counts.seen,
            counts.created,
            counts.unchanged,
            counts.ignored
        ),
        (3, 1, 1, 1)
    );
    world.check().await;
}

async fn a_listing_that_fails_is_tried_again_and_then_given_up(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    *world.sites.page_size.lock().unwrap() = 2;
    for number in 10..14 {
        world.sites.put_order(order(&number.to_string()));
    }
    let gate = Gate::new();
    world
        .books
        .manners
        .will("make order", Manner::AnswersThrough(gate.clone()));
    gate.open();
    world.sites.manners.goes_well("list orders");
    for _ in 0..20 {
        let fault = ml_connector::domain::fault::Fault::Transient {
            code: "http_500".into(),
            message: "the system is in trouble".into(),
        };
        world
            .sites
            .manners
            .will("list orders", Manner::Fails(fault));
    }
    let before = world.cursor("commitments").await;
    let run = world.run().await;
    world.pass(DAY).await;
    let failed = world.run_of(run).await;
    assert_eq!(failed.state, RunState::Failed, "{failed:?}");
    assert!(failed.fault.is_some());
    assert!(
        failed
            .note
            .as_deref()
            .unwrap()
            .contains("could not be listed"),
        "{failed:?}"
    );
    adds_up(&failed);
    assert_eq!(
        failed.flows["commitments"].created, 2,
        "what was listed went its way"
    );
    assert_eq!(world.cursor("commitments").await, before);
    assert_eq!(world.told("run.failed").await.len(), 1);
    assert_eq!(world.sites.manners.calls("list orders"), 1 + 1 + 8);
    // The next run lists what this one did not reach.
    for _ in 0..20 {
        world.sites.manners.goes_well("list orders");
    }
    world.pass(DAY).await;
    let mut again = world.run().await;
    for _ in 0..20 {
        world.pass(HOUR).await;
        if world.run_of(again).await.state == RunState::Succeeded {
            break;
        }
        again = world.run().await;
    }
    assert_eq!(
        world.books.docs("order").len(),
        4,
        "{:#?}",
        world.standing().await
    );
    world.check().await;
}

async fn a_run_goes_on_listing_while_a_record_takes_long(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    *world.books.finish_takes.lock().unwrap() = Some(25 * MINUTE);
    world.sites.put_order(order("10"));
    let first = world.run().await;
    world.work().await;
    assert_eq!(world.order("10").await.record.state, State::Syncing);
    world.advance(5 * MINUTE);
    world.sites.put_order(order("11"));
    // The next pass joins the open run, and sees the new order.
    assert_eq!(world.run().await, first);
    world.work().await;
    assert_eq!(
        world.order("11").await.record.state,
        State::Syncing,
        "{:#?}",
        world.standing().await
    );
    world.pass(HOUR).await;
    let run = world.run_of(first).await;
    assert_eq!(run.state, RunState::Succeeded);
    assert_eq!(
        (
            run.flows["commitments"].seen,
            run.flows["commitments"].created
        ),
        (2, 2)
    );
    world.check().await;
}

async fn a_person_ends_a_run_in_the_middle(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    for number in 10..13 {
        world.sites.put_order(order(&number.to_string()));
    }
    let gate = Gate::new();
    world
        .sites
        .manners
        .will("list orders", Manner::WaitsFor(gate.clone()));
    let run = world.run().await;
    let work = world.work();
    let meanwhile = async {
        gate.reached().await;
        desk_runs::cancel(&world.desk, &world.caller, run)
            .await
            .unwrap();
        gate.open();
    };
    futures::join!(work, meanwhile);
    let ended = world.run_of(run).await;
    assert_eq!(ended.state, RunState::Cancelled);
    adds_up(&ended);
    // The tenant works on, and the next run sees everything.
    world.sync().await;
    assert_eq!(
        world.books.docs("order").len(),
        3,
        "{:#?}",
        world.standing().await
    );
    // Ended while its records are in work: they go on, and are not counted.
    *world.books.finish_takes.lock().unwrap() = Some(10 * MINUTE);
    world.sites.put_order(order("20"));
    let run = world.run().await;
    world.work().await;
    desk_runs::cancel(&world.desk, &world.caller, run)
        .await
        .unwrap();
    adds_up(&world.run_of(run).await);
    world.pass(HOUR).await;
    assert_eq!(world.order("20").await.record.state, State::Succeeded);
    world.check().await;
}

async fn a_paused_pair_rests_and_wakes_whole(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    world
        .map(
            ml_connector::domain::mapping::MappingKind::CostCodes,
            vec![],
        )
        .await;
    let supplier = world.vendor("1").await.record.target.unwrap().id;
    // One of each: due, taken by the ERP, trying again, waiting for the ERP.
    for key in ["10", "11", "12", "13"] {
        world.sites.put_order(order(key));
    }
    let mapped = vec![super::world::cost_code("03-300")];
    world
        .map(
            ml_connector::domain::mapping::MappingKind::CostCodes,
            mapped,
        )
        .await;
    *world.books.finish_takes.lock().unwrap() = Some(10 * MINUTE);
    world.books.manners.goes_well("make order");
    world.books.manners.will("make order", Manner::LosesRequest);
    world
        .books
        .manners
        .will("make order", Manner::Fails(unreachable()));
    world.sync().await;
    world.books.blocked.lock().unwrap().push(supplier);
    world.sites.put_order(order("14"));
    world.sync().await;
    assert_eq!(
        world.order("14").await.record.state,
        State::Waiting,
        "{:#?}",
        world.standing().await
    );
    world.advance(MINUTE);
    world.sites.put_order(order("15"));
    let run = world.run().await;
    pause(&world).await;
    let (calls, lists) = (
        world.books.manners.calls("find order"),
        world.sites.manners.calls("list orders"),
    );
    world.pass(5 * HOUR).await;
    assert_eq!(
        world.books.manners.calls("find order"),
        calls,
        "a paused pair asks nothing"
    );
    assert_eq!(
        world.sites.manners.calls("list orders"),
        lists,
        "a paused pair lists nothing"
    );
    let next = world.work().await;
    assert_eq!(
        next,
        None,
        "a paused pair is never due: {:#?}",
        world.standing().await
    );
    world.books.blocked.lock().unwrap().clear();
    activate(&world).await;
    world.pass(3 * HOUR).await;
    for key in ["10", "11", "12", "13", "14", "15"] {
        let work = world.order(key).await;
        assert_eq!(
            work.record.state,
            State::Succeeded,
            "{key}: {:#?}",
            world.standing().await
        );
    }
    assert_eq!(world.run_of(run).await.state, RunState::Succeeded);
    world.check().await;
}

/// As `desk::pair::pause` does it.
async fn pause(world: &World) {
    pairs::pause(&world.desk, &world.caller, world.pair)
        .await
        .unwrap();
}

/// As `desk::pair::activate` does it, without its blockers: the fakes are not tested connections.
async fn activate(world: &World) {
    let pair = world.pair;
    world
        .write(move |scope| {
            Box::pin(async move {
                store::pair::set_status(scope, pair, PairStatus::Active, None).await?;
                let flows = vec!["vendors".to_owned(), "commitments".to_owned()];
                store::run::open(scope, pair, flows, false, Trigger::Activation).await?;
                store::record::wake_pair(scope, pair).await
            })
        })
        .await;
}

async fn a_removed_pair_keeps_nothing_going(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    world.sites.put_order(order("10"));
    let run = world.run().await;
    pause(&world).await;
    pairs::remove(&world.desk, &world.caller, world.pair)
        .await
        .unwrap();
    assert_eq!(world.work().await, None);
    let ended = world.run_of(run).await;
    assert_eq!(ended.state, RunState::Cancelled);
    adds_up(&ended);
    assert_eq!(world.books.docs("order").len(), 0);
    // Another pair of the same tenant goes on as if nothing were.
    let other = world.another_pair().await;
    world
        .write(move |scope| {
            Box::pin(async move {
                let flows = vec!["vendors".to_owned(), "commitments".to_owned()];
                store::run::open(scope, other, flows, false, Trigger::Person).await
            })
        })
        .await;
    world.work().await;
    let work = world.of_pair(other, "commitments", "10").await;
    assert_eq!(
        work.record.state,
        State::Succeeded,
        "{:#?}",
        world.standing().await
    );
}

async fn nothing_in_scope_is_no_reason_to_forget(database: TestDatabase) {
    let world = World::with_vendor(&database).await;
    world
        .map(ml_connector::domain::mapping::MappingKind::Projects, vec![])
        .await;
    world.advance(DAY);
    world.sites.put_order(order("10"));
    let before = world.cursor("commitments").await;
    let run = world.run().await;
    world.work().await;
    assert_eq!(world.sites.manners.calls("list orders"), 1);
    assert_eq!(
        world.cursor("commitments").await,
        before,
        "nothing was listed"
    );
    let note = world.run_of(run).await.note.unwrap_or_default();
    assert!(note.contains("No project is mapped"), "{note}");
    world.advance(DAY);
    let seven = vec![super::world::project("7")];
    world
        .map(ml_connector::domain::mapping::MappingKind::Projects, seven)
        .await;
    world.sync().await;
    assert_eq!(
        world.order("10").await.record.state,
        State::Succeeded,
        "{:#?}",
        world.standing().await
    );
    world.check().await;
}
