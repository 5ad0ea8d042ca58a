//! Cost codes on the whole road: linked, waiting for a row, waiting for M3, and released by themselves.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ml_connector::desk::{mapping, suggestion};
use ml_connector::domain::mapping::{MappingKind, Row, Side};
use ml_connector::domain::record::State;
use ml_connector::sandbox::infor_m3;
use ml_connector::sandbox::procore::{self, UNMAPPED_COST_CODE};
use ml_connector::store::chore::{self, Word};
use ml_connector::store::link::Filter;
use ml_connector::store::record::Work;
use ml_connector::store::{self};
use serde_json::json;

use super::setting::Setting;
use crate::support::database::{TestDatabase, both};

both!(
    codes_are_linked_or_wait_and_are_released_by_themselves,
    a_code_follows_its_row_and_its_source,
);

const PATIENCE: Duration = Duration::from_secs(90);

fn row(project_side: &[(&str, &str)], erp_side: &[(&str, &str)]) -> Row {
    let side = |cells: &[(&str, &str)]| -> Side {
        cells
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    Row {
        id: None,
        project_side: side(project_side),
        erp_side: side(erp_side),
        note: String::new(),
    }
}

/// What each code of a text is in, and what it waits for.
async fn standing(road: &Setting, code: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for work in road.records().await {
        let record = &work.record;
        if record.flow.as_str() == "cost_codes" && record.number.as_deref() == Some(code) {
            let waits: Vec<String> = record
                .waiting_for
                .iter()
                .map(|wait| format!("{}={}", wait.kind, wait.key))
                .collect();
            *found
                .entry(
                    format!("{} {}", record.state, waits.join(","))
                        .trim()
                        .to_owned(),
                )
                .or_default() += 1;
        }
    }
    found
}

async fn order(road: &Setting, number: &str) -> Work {
    let mut records = road.records().await.into_iter();
    records
        .find(|work| work.record.number.as_deref() == Some(number))
        .unwrap()
}

async fn map_more(road: &Setting, more: Row) {
    let scope = road.scope().await;
    let known = store::mapping::rows(&scope, road.pair, MappingKind::CostCodes)
        .await
        .unwrap();
    drop(scope);
    let mut rows: Vec<Row> = known.into_iter().map(|checked| checked.row).collect();
    rows.retain(|row| row.project_side != more.project_side);
    rows.push(more);
    let of = (road.pair, MappingKind::CostCodes);
    mapping::replace(&road.desk, &road.caller, of, rows)
        .await
        .unwrap();
}

fn one(word: &str, count: usize) -> BTreeMap<String, usize> {
    BTreeMap::from([(word.to_owned(), count)])
}

async fn codes_are_linked_or_wait_and_are_released_by_themselves(database: TestDatabase) {
    let road = Setting::begin(&database).await;
    road.move_codes().await;
    road.run_flows(&["vendors", "cost_codes", "commitments"])
        .await;
    road.settle(PATIENCE).await;
    let projects = procore::PROJECT_IDS.len();
    let unmapped = format!("{UNMAPPED_COST_CODE} / O");
    assert_eq!(standing(&road, "03-300 / M").await, one("linked", projects));
    assert_eq!(
        standing(&road, "SJ-01 / 03-300 / M").await,
        one("linked", 1)
    );
    assert_eq!(
        standing(&road, &unmapped).await,
        one(
            &format!("waiting cost_codes={UNMAPPED_COST_CODE}"),
            projects
        )
    );
    assert_eq!(
        standing(&road, "16-100 / M").await,
        one("waiting dimension=1/51620", projects)
    );
    assert_eq!(
        standing(&road, "32-900 / S").await,
        one("waiting dimension=1/53230", projects)
    );
    // One look a value, however many codes name it.
    let asked = road.calls_of_the_erp("GetAccountID").await;
    assert!(asked < 200, "{asked} look-ups");

    // A row appears: the codes and the order that waited for it go on.
    assert_eq!(
        order(&road, "PO-24101-006").await.record.state,
        State::Waiting
    );
    map_more(
        &road,
        row(
            &[("cost_code", UNMAPPED_COST_CODE)],
            &[("ait1", "60100"), ("ait2", "4100")],
        ),
    )
    .await;
    road.settle(PATIENCE).await;
    assert_eq!(standing(&road, &unmapped).await, one("linked", projects));
    assert_eq!(
        order(&road, "PO-24101-006").await.record.state,
        State::Succeeded
    );

    // Accounts appear in M3: noticed without a click, at the next look and by the next run.
    let waiting_order = order(&road, "PO-26011-002").await;
    assert_eq!(waiting_order.record.state, State::Waiting);
    assert_eq!(waiting_order.record.waiting_for[0].key, "1/51620");
    road.tell_the_erp("accounts/1/51620/open", json!({})).await;
    let pair = road.pair;
    road.desk
        .store()
        .write(road.caller.tenant_id, &road.caller.actor, move |scope| {
            Box::pin(async move { chore::hasten_known(scope, pair, Word::Watch).await })
        })
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let before = road.calls_of_the_erp("GetAccountID").await;
    road.settle(PATIENCE).await;
    assert_eq!(standing(&road, "16-100 / M").await, one("linked", projects));
    assert_eq!(
        order(&road, "PO-26011-002").await.record.state,
        State::Succeeded
    );
    let looked = road.calls_of_the_erp("GetAccountID").await - before;
    assert!(looked < 30, "{looked} look-ups for a handful of values");
    road.tell_the_erp("accounts/1/53230", json!({"ACR2": "0"}))
        .await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    road.run_flows(&["cost_codes"]).await;
    road.settle(PATIENCE).await;
    assert_eq!(standing(&road, "32-900 / S").await, one("linked", projects));

    // Many codes are one account, and nothing was written for any of them.
    let scope = road.scope().await;
    let filter = Filter {
        entity: Some("cost_code".to_owned()),
        target_id: Some("50320/4200".to_owned()),
        ..Filter::default()
    };
    let links = store::link::list(&scope, &filter, None, 100).await.unwrap();
    drop(scope);
    // Two codes of every project and one of a sub job.
    assert_eq!(links.len(), 2 * projects + 1);
    assert!(links.iter().all(|link| link.matched_by == "mapping"));
    coverage_is_known(&road).await;
    a_closed_account_is_noticed(&road).await;
    let ledger = road.ledger_of_the_erp().await;
    let written = ledger["data"].as_array().unwrap().iter();
    assert!(
        written
            .filter_map(|entry| entry["operation"].as_str())
            .all(|operation| !operation.starts_with("CRS630MI"))
    );
}

async fn a_code_follows_its_row_and_its_source(database: TestDatabase) {
    let road = Setting::begin(&database).await;
    road.move_codes().await;
    road.run_flows(&["cost_codes"]).await;
    road.settle(PATIENCE).await;
    let targets = async |code: &str| {
        let records = road.records().await;
        let mut found: Vec<String> = records
            .iter()
            .filter(|work| work.record.number.as_deref() == Some(code))
            .filter_map(|work| work.record.target.as_ref())
            .map(|target| target.id.clone())
            .collect();
        found.sort();
        found.dedup();
        found
    };
    let account = infor_m3::codes()
        .into_iter()
        .find(|code| (code.cost_code, code.cost_type) == ("03-300", "M"))
        .unwrap();
    let before = format!("{}/{}", account.account, account.cost_center);
    assert_eq!(targets("03-300 / M").await, [before.as_str()]);
    // Another row for one project: only its code moves.
    let project = procore::PROJECT_IDS[0].to_string();
    map_more(
        &road,
        row(
            &[
                ("cost_code", "03-300"),
                ("cost_type", "M"),
                ("project_id", &project),
            ],
            &[("ait1", "60100")],
        ),
    )
    .await;
    road.settle(PATIENCE).await;
    assert_eq!(targets("03-300 / M").await, [before.as_str(), "60100"]);
    // A value that the account demands is missing: the row is to be mended.
    map_more(
        &road,
        row(
            &[
                ("cost_code", "03-300"),
                ("cost_type", "M"),
                ("project_id", &project),
            ],
            &[("ait1", &account.account)],
        ),
    )
    .await;
    road.settle(PATIENCE).await;
    assert_eq!(targets("03-300 / M").await, [before.as_str()]);
    let waiting = road.records_in(State::Waiting).await;
    let demanded = waiting
        .iter()
        .find(|work| work.record.number.as_deref() == Some("03-300 / M"))
        .unwrap();
    assert_eq!(demanded.record.waiting_for[0].kind, "cost_codes");
    assert!(
        demanded.record.explanation.contains("dimension 2"),
        "{}",
        demanded.record.explanation
    );
    // A code that is closed in the source is left out; a new one travels with the next run.
    let made = road
        .tell_the_source(
            "wbs_codes",
            json!({"cost_code": "03-300", "cost_type": "E", "name": "Concrete pumps"}),
            201,
        )
        .await;
    assert_eq!(made["flat_code"], "03-300.E");
    let closed = demanded.record.source.id.clone();
    road.tell_the_source(
        &format!("wbs_codes/{closed}"),
        json!({"status": "inactive"}),
        200,
    )
    .await;
    road.run_flows(&["cost_codes"]).await;
    road.settle(PATIENCE).await;
    assert_eq!(
        standing(&road, "03-300 / E").await,
        one("waiting cost_codes=03-300", 1)
    );
    let records = road.records().await;
    let left = records
        .iter()
        .find(|work| work.record.source.id == closed)
        .unwrap();
    assert_eq!(left.record.state, State::Ignored);
    assert_eq!(left.record.reason.as_deref(), Some("inactive"));
}

/// Budgets were read beside the run; the rows of now say how much of them is mapped.
async fn coverage_is_known(road: &Setting) {
    let found = suggestion::coverage(&road.desk, &road.caller, road.pair)
        .await
        .unwrap();
    assert_eq!(found.len(), procore::PROJECT_IDS.len());
    for project in found {
        assert_eq!(project.view.as_deref(), Some("Standard budget"));
        assert!(project.currency.is_some() && project.name.is_some());
        assert!(project.coverage.total > 20, "{:?}", project.coverage);
        assert_eq!(
            project.coverage.percent(),
            Some(100),
            "{:?}",
            project.coverage
        );
    }
    let of = (road.pair, MappingKind::CostCodes);
    let scope = road.scope().await;
    let rows = store::mapping::rows(&scope, road.pair, MappingKind::CostCodes)
        .await
        .unwrap();
    drop(scope);
    let all: Vec<Row> = rows.into_iter().map(|checked| checked.row).collect();
    let is_labor = |row: &Row| {
        row.project_side
            .get("cost_type")
            .is_some_and(|kind| kind == "L")
    };
    let rest: Vec<Row> = all.iter().filter(|row| !is_labor(row)).cloned().collect();
    mapping::replace(&road.desk, &road.caller, of, rest)
        .await
        .unwrap();
    let found = suggestion::coverage(&road.desk, &road.caller, road.pair)
        .await
        .unwrap();
    for project in found {
        let percent = project.coverage.percent().unwrap();
        assert!((50..100).contains(&percent), "{percent}");
        let kinds = project.coverage.unmapped.iter();
        assert!(kinds.clone().all(|line| line.coding.cost_type == "L"));
    }
    mapping::replace(&road.desk, &road.caller, of, all)
        .await
        .unwrap();
    road.settle(PATIENCE).await;
}

/// An account that is closed in M3 after its codes were linked: they wait for it, and their links are gone.
async fn a_closed_account_is_noticed(road: &Setting) {
    let account = infor_m3::codes()
        .into_iter()
        .find(|code| (code.cost_code, code.cost_type) == ("14-200", "S"))
        .unwrap()
        .account;
    let close = format!("accounts/1/{account}/close");
    road.tell_the_erp(&close, json!({})).await;
    let pair = road.pair;
    road.desk
        .store()
        .write(road.caller.tenant_id, &road.caller.actor, move |scope| {
            Box::pin(async move { chore::hasten(scope, pair, Word::Catalogue, scope.now()).await })
        })
        .await
        .unwrap();
    let wanted = one(
        &format!("waiting dimension=1/{account}"),
        procore::PROJECT_IDS.len(),
    );
    let began = Instant::now();
    while standing(road, "14-200 / S").await != wanted {
        road.settle(PATIENCE).await;
        assert!(
            began.elapsed() < PATIENCE,
            "{:?}",
            standing(road, "14-200 / S").await
        );
    }
    let scope = road.scope().await;
    let filter = Filter {
        entity: Some("cost_code".to_owned()),
        target_id: Some(format!("{account}/4200")),
        ..Filter::default()
    };
    let links = store::link::list(&scope, &filter, None, 10).await.unwrap();
    assert!(links.is_empty(), "{links:?}");
}
