//! The Procore connector against the simulated Procore.

use ml_connector::connectors::procore::CONNECTOR;
use ml_connector::contract::{ListScope, Lists, Page, Reads, Seen};
use ml_connector::domain::clock::Timestamp;
use ml_connector::domain::fault::Fault;
use ml_connector::domain::mapping::{MappingKind, Row, Side};
use ml_connector::domain::money::plain;
use ml_connector::domain::records::{Order, Project, Vendor};
use ml_connector::sandbox::procore::{
    self, CLIENT_ID, CLIENT_SECRET, COMPANY_ID, Options, PROJECT_IDS,
};
use serde_json::{Value, json};

use super::bed::Bed;

fn bed() -> Bed {
    bed_with(Options::default(), &COMPANY_ID.to_string(), CLIENT_SECRET)
}

fn bed_with(options: Options, company: &str, secret: &str) -> Bed {
    let running = procore::start(options).unwrap();
    let url = running.url();
    let settings = [
        ("company_id", company),
        ("api_base_url", url.as_str()),
        ("login_base_url", url.as_str()),
        ("timeout_seconds", "3"),
    ];
    let credentials = [("client_id", CLIENT_ID), ("client_secret", secret)];
    Bed::new(&CONNECTOR, running, &settings, &credentials)
}

fn vendors() -> (&'static dyn Lists, &'static dyn Reads<Vendor>) {
    let port = &CONNECTOR.ports.vendor;
    (port.lists.unwrap(), port.reads.unwrap())
}

fn orders() -> (&'static dyn Lists, &'static dyn Reads<Order>) {
    let port = &CONNECTOR.ports.order;
    (port.lists.unwrap(), port.reads.unwrap())
}

fn everything() -> ListScope {
    ListScope {
        projects: PROJECT_IDS.iter().map(ToString::to_string).collect(),
        since: None,
        until: Timestamp::default(),
    }
}

fn window(since: &str, until: &str) -> ListScope {
    ListScope {
        since: Some(since.parse().unwrap()),
        until: until.parse().unwrap(),
        ..everything()
    }
}

async fn listed(bed: &Bed, lists: &dyn Lists, scope: &ListScope) -> Vec<Seen> {
    let (mut rows, mut after) = (Vec::new(), None::<String>);
    loop {
        let page: Page<Seen> = lists
            .changed(&bed.session, scope, after.as_deref())
            .await
            .unwrap();
        rows.extend(page.rows);
        match page.next {
            Some(next) => after = Some(next),
            None => return rows,
        }
    }
}

async fn order(bed: &Bed, seen: &Seen) -> Result<Option<Order>, Fault> {
    let read = orders().1.read(&bed.session, &seen.key).await?;
    Ok(read.map(|read| read.record))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_vendor_is_listed_once_and_read_in_one_call() {
    let bed = bed();
    bed.tell("settings", json!({"page_size_max": 7})).await;
    let (lists, reads) = vendors();
    let seen = listed(&bed, lists, &everything()).await;
    assert_eq!(seen.len(), 37);
    assert_eq!(bed.calls("vendors").await, 6);
    for seen in &seen {
        let read = reads.read(&bed.session, &seen.key).await.unwrap().unwrap();
        assert_eq!(
            (read.version, &read.record.key),
            (seen.version.clone(), &seen.key.id)
        );
        assert!(read.record.active);
    }
    assert_eq!(bed.calls("vendors").await, 6 + 37);
    assert_eq!(bed.logins.count(), 1);
    let deep = &seen
        .iter()
        .find(|seen| seen.key.id == "562949953421377")
        .unwrap()
        .key;
    let read = reads.read(&bed.session, deep).await.unwrap().unwrap();
    assert_eq!(read.record.tax_id.as_deref(), Some("91-1234567"));
    assert_eq!(read.record.address.region.as_deref(), Some("WA"));
    assert_eq!(
        reads.translate(&read.raw, &bed.session.settings).unwrap(),
        read.record
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_adds_up() {
    let bed = bed();
    bed.tell("settings", json!({"page_size_max": 2})).await;
    let seen = listed(&bed, orders().0, &everything()).await;
    assert_eq!(seen.len(), 31);
    for seen in &seen {
        let read = orders()
            .1
            .read(&bed.session, &seen.key)
            .await
            .unwrap()
            .unwrap();
        let order = read.record;
        assert_eq!(read.version, seen.version, "{}", order.number);
        assert_eq!(order.lines_total(), order.total, "{}", order.number);
        assert_eq!(Some(&order.project_key), seen.project_key.as_ref());
        let currency = if order.number.contains("26003") {
            "CAD"
        } else {
            "USD"
        };
        assert_eq!(order.currency.unwrap().as_str(), currency);
        let places: Vec<u32> = order.lines.iter().map(|line| line.position).collect();
        assert!(
            (1..)
                .zip(&places)
                .all(|(place, position)| place == *position)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_brings_only_what_changed() {
    let bed = bed();
    let hour = window("2026-11-24T12:00:00Z", "2026-11-24T13:00:00Z");
    bed.tell(
        "clock",
        json!({"now": "2026-11-24T12:30:00Z", "frozen": true}),
    )
    .await;
    assert!(listed(&bed, vendors().0, &hour).await.is_empty());
    assert!(listed(&bed, orders().0, &hour).await.is_empty());
    bed.tell("procore/vendors/5511007", json!({"zip": "80539"}))
        .await;
    bed.tell("procore/contracts/9940033", json!({"status": "Approved"}))
        .await;
    let seen = listed(&bed, vendors().0, &hour).await;
    assert_eq!(seen.len(), 1);
    assert!(seen[0].version.starts_with("2026-11-24T12:30:00Z "));
    let seen = listed(&bed, orders().0, &hour).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(
        order(&bed, &seen[0]).await.unwrap().unwrap().status,
        "Approved"
    );

    // A change within the same second still has another version.
    let first = seen[0].version.clone();
    bed.tell("procore/contracts/9940033", json!({"title": "Other"}))
        .await;
    assert_ne!(listed(&bed, orders().0, &hour).await[0].version, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sub_job_is_part_of_the_code() {
    let bed = bed();
    let project = PROJECT_IDS[4];
    let lines = json!([
        {"wbs_code": "SJ-01.03-300.M", "quantity": "2", "unit_cost": "5"},
        {"wbs_code": "03-300.M", "quantity": "1", "unit_cost": "0.5"},
    ]);
    let body = json!({"project_id": project, "lines": lines});
    let made = bed.tell("procore/contracts", body).await;
    let id = made["ids"][0].to_string();
    let seen = listed(&bed, orders().0, &everything()).await;
    let seen = seen.iter().find(|seen| seen.key.id == id).unwrap();
    for _ in 0..2 {
        let order = order(&bed, seen).await.unwrap().unwrap();
        let codings: Vec<String> = order
            .lines
            .iter()
            .map(|line| line.coding.to_string())
            .collect();
        assert_eq!(codings, ["SJ-01 / 03-300 / M", "03-300 / M"]);
        assert_eq!(plain(order.total), "10.50");
    }
    assert_eq!(bed.calls("sub_jobs").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_is_nothing_and_hidden_is_unknown() {
    let bed = bed();
    let seen = listed(&bed, orders().0, &everything()).await;
    let draft = seen.iter().find(|seen| seen.key.id == "9930005").unwrap();
    bed.desk
        .delete("/_sandbox/procore/contracts/9930005", 204)
        .await;
    assert_eq!(order(&bed, draft).await.unwrap(), None);
    let still = listed(&bed, orders().0, &everything()).await;
    assert_eq!(still.len(), seen.len());

    bed.tell("settings", json!({"hidden": ["purchase_order_contracts"]}))
        .await;
    let fault = order(&bed, draft).await.unwrap_err();
    assert_eq!((fault.class(), fault.code()), ("missing", "not_visible"));
    bed.tell(
        "settings",
        json!({"hidden": [], "permitted_projects": [PROJECT_IDS[1]]}),
    )
    .await;
    let (mut after, mut found) = (None::<String>, 0);
    let fault = loop {
        let page = orders()
            .0
            .changed(&bed.session, &everything(), after.as_deref())
            .await;
        match page {
            Ok(page) => {
                found += page.rows.len();
                after = Some(
                    page.next
                        .expect("a listing that is not complete ends in a fault"),
                );
            }
            Err(fault) => break fault,
        }
    };
    assert_eq!(found, 7);
    assert_eq!(
        (fault.class(), fault.code()),
        ("missing", "project_not_visible")
    );
    assert!(fault.to_string().contains("permitted projects"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_renewed_once() {
    let bed = bed();
    listed(&bed, vendors().0, &everything()).await;
    assert_eq!(bed.logins.count(), 1);
    bed.tell(
        "faults",
        json!({"kind": "expire_token", "match": {"path": "/rest/v1.0/vendors"}}),
    )
    .await;
    assert_eq!(listed(&bed, vendors().0, &everything()).await.len(), 37);
    assert_eq!(bed.logins.count(), 2);

    // Refused for good: one new token, then the vendor's word counts.
    bed.tell(
        "faults",
        json!({"kind": "status", "status": 401, "times": 2, "match": {"path": "/rest/"}}),
    )
    .await;
    let fault = vendors()
        .0
        .changed(&bed.session, &everything(), None)
        .await
        .unwrap_err();
    assert_eq!((fault.class(), fault.code()), ("auth", "unauthorized"));
    assert_eq!(bed.logins.count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_slows_the_whole_connection_down() {
    let bed = bed();
    listed(&bed, vendors().0, &everything()).await;
    let before = bed.calls("/rest/").await;
    bed.tell("faults", json!({"kind": "throttle", "retry_after": 30}))
        .await;
    for _ in 0..3 {
        let fault = vendors()
            .0
            .changed(&bed.session, &everything(), None)
            .await
            .unwrap_err();
        let Fault::RateLimited { retry_after, .. } = fault else {
            panic!("{fault:?}");
        };
        assert!(
            (20..=31).contains(&retry_after.as_secs()),
            "{retry_after:?}"
        );
    }
    assert_eq!(bed.calls("/rest/").await, before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vendors_own_window_is_kept() {
    let options = Options {
        limits: true,
        ..Options::default()
    };
    let bed = bed_with(options, &COMPANY_ID.to_string(), CLIENT_SECRET);
    let mut faults = Vec::new();
    for _ in 0..40 {
        let page = vendors().0.changed(&bed.session, &everything(), None).await;
        faults.extend(page.err());
    }
    // The 25 of a spike window were used, and no call was made that had to be refused.
    assert_eq!(faults.len(), 15);
    assert!(faults.iter().all(|fault| fault.class() == "rate_limited"));
    assert_eq!(bed.calls("/rest/").await, 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn spoiled_answers_become_faults() {
    let bed = bed();
    let seen = listed(&bed, orders().0, &everything()).await;
    let key = &seen[0].key;
    let table = [
        (
            json!({"kind": "body", "body": "<h1>Maintenance</h1>"}),
            "broken",
        ),
        (json!({"kind": "body", "body": ""}), "broken"),
        (
            json!({"kind": "body", "body": "{\"id\":9930001,\"number\":", "cut": true}),
            "transient",
        ),
        (
            json!({"kind": "body", "body": "{\"id\":9930001,\"number\":"}),
            "broken",
        ),
        (
            json!({"kind": "body", "body": {"errors": "Something went wrong"}}),
            "broken",
        ),
        (
            json!({"kind": "body", "body": {"id": 9930001, "number": "PO-1"}}),
            "broken",
        ),
        (json!({"kind": "body", "bytes": 52_428_800}), "broken"),
        (json!({"kind": "status", "status": 500}), "transient"),
        (
            json!({"kind": "status", "status": 502, "body": "<html>Bad gateway</html>"}),
            "transient",
        ),
        (json!({"kind": "status", "status": 503}), "transient"),
        (json!({"kind": "status", "status": 403}), "auth"),
        (json!({"kind": "status", "status": 422}), "rejected"),
        (
            json!({"kind": "status", "status": 302, "body": ""}),
            "broken",
        ),
        (json!({"kind": "reset_before"}), "transient"),
        (json!({"kind": "delay", "ms": 4000}), "transient"),
    ];
    for (fault, class) in table {
        let mut fault_told = fault.clone();
        fault_told["match"] =
            json!({"path": format!("/rest/v1.0/purchase_order_contracts/{}", key.id)});
        bed.tell("faults", fault_told).await;
        // The fault meets the head; its lines are only asked for when that went well.
        let found = orders().1.read(&bed.session, key).await;
        assert_eq!(found.unwrap_err().class(), class, "{fault}");
        bed.desk.delete("/_sandbox/faults", 204).await;
    }
    assert!(order(&bed, &seen[0]).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_fields_and_other_spellings_pass() {
    let bed = bed();
    let seen = listed(&bed, vendors().0, &everything()).await;
    let key = &seen[0].key;
    let right = vendors().1.read(&bed.session, key).await.unwrap().unwrap();
    let mut strange = right.raw.clone();
    strange["id"] = json!(key.id);
    strange["is_active"] = json!("true");
    strange["brand_new"] = json!({"deep": [{"er": 1.50}]});
    strange.as_object_mut().unwrap().remove("fax_number");
    bed.tell("faults", json!({"kind": "body", "body": strange}))
        .await;
    let read = vendors().1.read(&bed.session, key).await.unwrap().unwrap();
    assert_eq!(read.record, right.record);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_loops_is_stopped() {
    let bed = bed();
    let page: Vec<Value> = (1..=500).map(|id| json!({ "id": id })).collect();
    bed.tell(
        "faults",
        json!({"kind": "body", "body": page, "times": 0, "match": {"path": "/rest/"}}),
    )
    .await;
    let scope = everything();
    let first = vendors()
        .0
        .changed(&bed.session, &scope, None)
        .await
        .unwrap();
    let again = vendors()
        .0
        .changed(&bed.session, &scope, first.next.as_deref())
        .await;
    assert_eq!(again.unwrap_err().code(), "endless_list");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_of_a_good_connection_is_all_well() {
    let bed = bed();
    let steps = bed.probe(&["vendors", "commitments"]).await;
    let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
    let wanted = [
        "company",
        "permission:projects",
        "permission:directory",
        "permission:commitments",
        "permission:cost_codes",
        "sample_read",
    ];
    assert_eq!(names, wanted);
    for step in &steps {
        assert!(step.ok && step.hint.is_none(), "{step:?}");
    }
    assert!(steps[0].detail.contains("Front Range Builders"));
    assert!(steps[1].detail.starts_with("5 projects"));
    assert!(steps[2].detail.starts_with("37 active vendors"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_names_the_right_that_is_missing() {
    let table = [
        (
            json!({"forbidden": ["vendors"]}),
            "permission:directory",
            "the tool Directory",
        ),
        (
            json!({"hidden": ["vendors"]}),
            "permission:directory",
            "the tool Directory",
        ),
        (
            json!({"permitted_projects": []}),
            "permission:projects",
            "permitted projects",
        ),
        (
            json!({"forbidden": ["work_order_contracts", "purchase_order_contracts"]}),
            "permission:commitments",
            "the tool Commitments",
        ),
        (
            json!({"forbidden": ["wbs_codes", "cost_codes"]}),
            "permission:cost_codes",
            "the tool Admin",
        ),
        (
            json!({"forbidden": ["companies"]}),
            "company",
            "installs the app",
        ),
    ];
    for (settings, name, grant) in table {
        let bed = bed();
        bed.tell("settings", settings).await;
        let steps = bed.probe(&[]).await;
        let bad: Vec<_> = steps.iter().filter(|step| !step.ok).collect();
        assert_eq!(bad.len(), 1, "{name}: {steps:?}");
        assert_eq!(bad[0].name, name);
        assert!(
            bad[0].hint.as_ref().unwrap().contains(grant),
            "{:?}",
            bad[0]
        );
    }
    let bed = bed_with(Options::default(), "77", CLIENT_SECRET);
    let steps = bed.probe(&[]).await;
    assert_eq!(steps.len(), 1);
    assert!(steps[0].detail.contains("not connected to this company"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_said_and_not_shown() {
    let bed = bed_with(Options::default(), &COMPANY_ID.to_string(), "canary-secret");
    let fault = vendors()
        .0
        .changed(&bed.session, &everything(), None)
        .await
        .unwrap_err();
    assert_eq!((fault.class(), fault.code()), ("auth", "invalid_client"));
    assert!(fault.to_string().contains("environment"));
    let kept = format!("{fault:?} {:?}", bed.session.take_exchanges());
    assert!(!kept.contains("canary-secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_names_nobody_is_told() {
    let bed = bed();
    let known = listed(&bed, vendors().0, &everything()).await;
    let row = |column: &str, id: &str| Row {
        id: None,
        project_side: Side::from([(column.to_owned(), id.to_owned())]),
        erp_side: Side::new(),
        note: String::new(),
    };
    let verify = async |kind, rows: &[Row]| {
        let verifies = CONNECTOR.verifies.unwrap();
        verifies.verify(&bed.session, kind, rows).await.unwrap()
    };
    let rows = [
        row("vendor_id", &known[0].key.id),
        row("vendor_id", "99999999999"),
        row("vendor_id", "SUPPLIER-1"),
    ];
    let verdicts = verify(MappingKind::Vendors, &rows).await;
    assert_eq!(verdicts[0].issues, []);
    assert_eq!(verdicts[0].found[0].0, "Vendor");
    for unknown in &verdicts[1..] {
        let issue = &unknown.issues[0];
        assert_eq!(
            (issue.field.as_str(), issue.code.as_str()),
            ("vendor_id", "not_in_procore")
        );
    }
    let rows = [
        row("project_id", &PROJECT_IDS[0].to_string()),
        row("project_id", "77"),
    ];
    let verdicts = verify(MappingKind::Projects, &rows).await;
    assert_eq!((verdicts[0].issues.len(), verdicts[1].issues.len()), (0, 1));
    // Codes are not looked up here.
    let verdicts = verify(MappingKind::CostCodes, &[row("cost_code", "x")]).await;
    assert_eq!(verdicts[0].issues, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_are_named_without_a_call_each() {
    let bed = bed();
    let port = &CONNECTOR.ports.project;
    let seen = listed(&bed, port.lists.unwrap(), &everything()).await;
    let reads: &dyn Reads<Project> = port.reads.unwrap();
    let mut numbers = Vec::new();
    for seen in &seen {
        let read = reads.read(&bed.session, &seen.key).await.unwrap().unwrap();
        numbers.extend(read.record.number);
    }
    assert_eq!(numbers, ["24-101", "25-014", "25-027", "26-003", "26-011"]);
    assert_eq!(bed.calls("projects").await, 1);
}
