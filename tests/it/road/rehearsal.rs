//! A dry run over the simulated company, and the real run after it: what was foreseen is what happens.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ml_connector::desk::record::{Act, act};
use ml_connector::desk::run::{self, Wanted};
use ml_connector::desk::{DeskError, DryRun, pair};
use ml_connector::domain::ids::RunId;
use ml_connector::domain::pair::{Approval, PairStatus};
use ml_connector::domain::plan::{Action, Foreseen};
use ml_connector::domain::record::State;
use ml_connector::domain::run::{Run, RunState};
use ml_connector::store::record::{Outcome, Work};
use ml_connector::store::{self, StoreError};
use serde_json::json;

use super::setting::Setting;
use crate::support::database::{TestDatabase, both};

both!(
    a_real_run_does_what_the_dry_run_foresaw,
    a_dry_run_is_ended_by_people_and_joined_on_the_same_terms,
    a_change_makes_a_dry_run_stale_and_a_later_start_does_not,
);

impl Setting {
    async fn draft(database: &TestDatabase) -> Self {
        let road = Self::asking(database, Approval::Review).await;
        let pair = road.pair;
        road.desk
            .store()
            .write(road.caller.tenant_id, &road.caller.actor, move |scope| {
                Box::pin(store::pair::set_status(
                    scope,
                    pair,
                    PairStatus::Draft,
                    None,
                ))
            })
            .await
            .unwrap();
        road
    }

    async fn start_dry_run(&self, flows: Option<&[&str]>, full: bool) -> RunId {
        let wanted = Wanted {
            flows: flows.map(|flows| flows.iter().map(|flow| (*flow).to_owned()).collect()),
            full,
            dry_run: true,
        };
        run::start(&self.desk, &self.caller, self.pair, wanted)
            .await
            .unwrap()
    }

    async fn run_of(&self, id: RunId) -> Run {
        store::run::find(&self.scope().await, id).await.unwrap().run
    }

    /// Works slices until the run is over.
    async fn come_to_the_end(&self, id: RunId) -> Run {
        let began = Instant::now();
        loop {
            let run = self.run_of(id).await;
            if run.ended_at.is_some() {
                return run;
            }
            assert!(began.elapsed() < Duration::from_secs(90), "{run:?}");
            self.desk
                .engine
                .work_tenant(self.caller.tenant_id, "test")
                .await
                .unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn foreseen(&self, id: RunId) -> Vec<Foreseen> {
        let rows = store::foreseen::list(
            &self.scope().await,
            id,
            &store::foreseen::Filter::default(),
            None,
            10_000,
        )
        .await
        .unwrap();
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// Nothing of the pair is there: no record, no link, no cursor; and nothing was written anywhere.
    async fn is_untouched(&self) {
        assert_eq!(self.records().await, []);
        let scope = self.scope().await;
        let links = store::link::list(&scope, &store::link::Filter::default(), None, 100).await;
        assert_eq!(links.unwrap(), []);
        for flow in ["vendors", "commitments"] {
            let cursor = store::cursor::find(&scope, self.pair, flow).await.unwrap();
            assert_eq!(cursor, None, "{flow}");
        }
        drop(scope);
        assert_eq!(self.ledger_of_the_erp().await["data"], json!([]));
        assert_eq!(self.ledger_of_the_source().await["data"], json!([]));
    }

    async fn approve_all(&self) {
        for held in self.records_in(State::Held).await {
            let yes = Act::Approve { digest: None };
            act(&self.desk, &self.caller, held.record.id, yes)
                .await
                .unwrap();
        }
    }
}

async fn a_real_run_does_what_the_dry_run_foresaw(database: TestDatabase) {
    let road = Setting::draft(&database).await;
    let id = road.start_dry_run(None, false).await;
    let dry = road.come_to_the_end(id).await;
    assert!(dry.dry_run);
    road.is_untouched().await;
    let rows = road.foreseen(id).await;
    for row in &rows {
        println!(
            "{} {} {:?} {:?} {} {}",
            row.flow, row.action, row.number, row.counterparty, row.source.id, row.explanation
        );
    }
    add_up(&dry, &rows);
    for action in [Action::Create, Action::Link, Action::Skip, Action::Wait] {
        assert!(rows.iter().any(|row| row.action == action), "{action}");
    }
    every_row_says_enough(&rows);
    pair::activate(&road.desk, &road.caller, road.pair, DryRun::Needed)
        .await
        .unwrap();
    road.settle(Duration::from_secs(90)).await;
    road.approve_all().await;
    road.settle(Duration::from_secs(90)).await;
    let mut records: BTreeMap<(String, String), Work> = road
        .records()
        .await
        .into_iter()
        .map(|work| {
            let record = &work.record;
            ((record.flow.to_string(), record.source.id.clone()), work)
        })
        .collect();
    for row in &rows {
        let key = (row.flow.to_string(), row.source.id.clone());
        let work = records.remove(&key).unwrap_or_else(|| panic!("{key:?}"));
        came_true(row, &work);
    }
    assert_eq!(records, BTreeMap::new());
    // Once more, now that everything is there: nothing would be written.
    let again = road.start_dry_run(None, true).await;
    road.come_to_the_end(again).await;
    for row in road.foreseen(again).await {
        let is_refused = row.number.as_deref() == Some(REFUSED);
        let may_be = [
            Action::None,
            Action::Skip,
            Action::Fail,
            Action::Wait,
            Action::Review,
        ];
        assert!(may_be.contains(&row.action) || is_refused, "{row:?}");
    }
}

/// The order that M3 refuses for a unit.
const REFUSED: &str = "PO-25027-003";

fn add_up(run: &Run, rows: &[Foreseen]) {
    let seen: u64 = run.flows.values().map(|counts| counts.seen).sum();
    assert_eq!(seen, u64::try_from(rows.len()).unwrap());
    for counts in run.flows.values() {
        let parts = counts.created
            + counts.updated
            + counts.linked
            + counts.unchanged
            + counts.waiting
            + counts.held
            + counts.review
            + counts.retrying
            + counts.failed
            + counts.ignored;
        assert_eq!(parts, counts.seen, "{counts:?}");
    }
}

fn every_row_says_enough(rows: &[Foreseen]) {
    for row in rows {
        assert!(!row.explanation.is_empty(), "{row:?}");
        match row.action {
            Action::Create => {
                assert!(
                    row.changes.iter().any(|change| change.to.is_some()),
                    "{row:?}"
                );
                assert!(row.digest.is_some(), "{row:?}");
                let is_order = row.flow.as_str() == "commitments";
                assert_eq!(row.money.is_some(), is_order, "{row:?}");
            }
            Action::Wait => assert!(!row.waiting_for.is_empty(), "{row:?}"),
            Action::Fail => assert!(!row.issues.is_empty(), "{row:?}"),
            Action::Skip => assert!(row.reason.is_some(), "{row:?}"),
            Action::Review => assert!(row.reason.is_some(), "{row:?}"),
            Action::Link => assert!(row.target_id.is_some(), "{row:?}"),
            Action::Update | Action::None => {}
        }
    }
}

/// What was said beforehand is what there is now.
fn came_true(row: &Foreseen, work: &Work) {
    let record = &work.record;
    let both = format!("{row:?}\n{record:?}");
    // What M3 says only when it is asked to write cannot be foreseen; it was asked for what was foreseen.
    let is_refused = record.reason.as_deref() == Some("XRE0103");
    let want = match row.action {
        Action::Create if is_refused => State::Failed,
        Action::Create => State::Succeeded,
        Action::Link => State::Linked,
        Action::Wait => State::Waiting,
        Action::Skip => State::Ignored,
        Action::Review => State::Review,
        Action::Fail => State::Failed,
        Action::Update | Action::None => panic!("a new pair cannot have this: {both}"),
    };
    assert_eq!(record.state, want, "{both}");
    assert_eq!(row.number, record.number, "{both}");
    assert_eq!(row.counterparty, record.counterparty, "{both}");
    assert_eq!(row.money, record.money, "{both}");
    match row.action {
        Action::Create => {
            let is_made = work.outcome == Some(Outcome::Created);
            assert!(is_made || is_refused, "{both}");
            assert_eq!(row.digest, work.draft_digest, "{both}");
        }
        Action::Link => {
            let target = record.target.as_ref().map(|target| target.id.clone());
            assert_eq!(row.target_id, target, "{both}");
            assert_eq!(row.digest, work.draft_digest, "{both}");
        }
        Action::Wait => assert_eq!(row.waiting_for, record.waiting_for, "{both}"),
        Action::Fail => {
            let fault = record.fault.as_ref().unwrap();
            let code = row.issues.first().map(|issue| issue.code.as_str());
            assert_eq!(code, Some(fault.code()), "{both}");
        }
        _ => assert_eq!(row.reason, record.reason, "{both}"),
    }
}

async fn a_dry_run_is_ended_by_people_and_joined_on_the_same_terms(database: TestDatabase) {
    let road = Setting::draft(&database).await;
    let first = road.start_dry_run(None, false).await;
    assert_eq!(road.start_dry_run(None, false).await, first);
    let second = road.start_dry_run(Some(&["vendors"]), false).await;
    assert_ne!(second, first);
    assert_eq!(road.run_of(first).await.state, RunState::Cancelled);
    let done = road.come_to_the_end(second).await;
    assert_eq!(done.flows.keys().collect::<Vec<_>>(), ["vendors"]);
    // Orders were not rehearsed.
    let refused = pair::activate(&road.desk, &road.caller, road.pair, DryRun::Needed).await;
    let Err(DeskError::Blocked(blockers)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(blockers.len(), 1);
    assert_eq!(blockers[0].code, "no_dry_run");
    let third = road.start_dry_run(Some(&["commitments"]), false).await;
    run::cancel(&road.desk, &road.caller, third).await.unwrap();
    let ended = road.run_of(third).await;
    assert_eq!(ended.state, RunState::Cancelled);
    assert!(run::cancel(&road.desk, &road.caller, third).await.is_err());
    road.is_untouched().await;
    // A vendor that an order needs is rehearsed with it.
    let fourth = road.start_dry_run(Some(&["commitments"]), false).await;
    road.come_to_the_end(fourth).await;
    let rows = road.foreseen(fourth).await;
    let is_vendor = |row: &&Foreseen| row.flow.as_str() == "vendors";
    assert!(rows.iter().any(|row| is_vendor(&row)));
    assert!(
        rows.iter()
            .any(|row| !is_vendor(&row) && row.action == Action::Create)
    );
    road.is_untouched().await;
    pair::activate(&road.desk, &road.caller, road.pair, DryRun::Needed)
        .await
        .unwrap();
}

async fn a_change_makes_a_dry_run_stale_and_a_later_start_does_not(database: TestDatabase) {
    let road = Setting::draft(&database).await;
    let id = road.start_dry_run(None, false).await;
    road.come_to_the_end(id).await;
    let is_blocked = async || {
        let shown = pair::find(&road.desk, &road.caller, road.pair)
            .await
            .unwrap();
        assert!(shown.dry_run.is_some());
        let (_, is_current) = shown.dry_run.unwrap();
        let is_blocked = !shown.blockers.is_empty();
        assert_eq!(is_current, !is_blocked);
        is_blocked
    };
    assert!(!is_blocked().await);
    let begin_at = async |date: Option<&str>| {
        let settings = ml_connector::desk::EnteredSettings {
            start_date: Some(date.map_or(json!(null), |date| json!(date))),
            ..Default::default()
        };
        let wanted = pair::ChangedPair {
            settings,
            ..Default::default()
        };
        pair::change(&road.desk, &road.caller, road.pair, wanted)
            .await
            .unwrap();
    };
    begin_at(Some("2025-01-01")).await;
    assert!(!is_blocked().await);
    begin_at(Some("2025-02-01")).await;
    assert!(!is_blocked().await);
    begin_at(Some("2024-02-01")).await;
    assert!(is_blocked().await);
    begin_at(None).await;
    assert!(is_blocked().await);
    let id = road.start_dry_run(None, false).await;
    road.come_to_the_end(id).await;
    assert!(!is_blocked().await);
    let pair_id = road.pair;
    road.desk
        .store()
        .write(road.caller.tenant_id, &road.caller.actor, move |scope| {
            Box::pin(async move {
                store::pair::bump(scope, pair_id).await?;
                Ok::<_, StoreError>(())
            })
        })
        .await
        .unwrap();
    assert!(is_blocked().await);
}
