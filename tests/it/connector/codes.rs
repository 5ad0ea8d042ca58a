//! Cost codes, catalogues and budgets: both connectors against their simulators.

use ml_connector::connectors::{infor_m3, procore};
use ml_connector::contract::{ListScope, Page, Seen, SourceKey};
use ml_connector::domain::catalogue::Offer;
use ml_connector::domain::clock::Timestamp;
use ml_connector::domain::mapping::MappingKind;
use ml_connector::domain::records::CostCode;
use ml_connector::sandbox::infor_m3 as m3;
use ml_connector::sandbox::procore::{
    self as source, CLIENT_ID, CLIENT_SECRET, COMPANY_ID, PROJECT_IDS,
};
use serde_json::json;

use super::bed::Bed;

fn projects_bed(budget_view: &str) -> Bed {
    let running = source::start(source::Options::default()).unwrap();
    let (url, company) = (running.url(), COMPANY_ID.to_string());
    let settings = [
        ("company_id", company.as_str()),
        ("api_base_url", url.as_str()),
        ("login_base_url", url.as_str()),
        ("budget_view", budget_view),
    ];
    let settings: Vec<(&str, &str)> = settings
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let credentials = [("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)];
    Bed::new(&procore::CONNECTOR, running, &settings, &credentials)
}

fn books_bed() -> Bed {
    let running = m3::start(m3::Options { port: 0, seed: 1 }).unwrap();
    let ionapi = m3::ionapi(&running.url());
    let settings = [
        ("cono", m3::CONO),
        ("divi", m3::DIVI),
        ("requests_per_minute", "0"),
    ];
    let credentials = [("ionapi", ionapi.as_str())];
    Bed::new(&infor_m3::CONNECTOR, running, &settings, &credentials)
}

fn scope(since: Option<&str>) -> ListScope {
    ListScope {
        projects: PROJECT_IDS.iter().map(ToString::to_string).collect(),
        since: since.map(|at| at.parse().unwrap()),
        until: Timestamp::default(),
    }
}

async fn listed(bed: &Bed, scope: &ListScope) -> Vec<Seen> {
    let lists = bed.connector.ports.cost_code.lists.unwrap();
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

async fn read(bed: &Bed, key: &SourceKey) -> Option<CostCode> {
    let reads = bed.connector.ports.cost_code.reads.unwrap();
    let read = reads.read(&bed.session, key).await.unwrap()?;
    let again = reads.translate(&read.raw, &bed.session.settings).unwrap();
    assert_eq!(again, read.record);
    Some(read.record)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_code_is_listed_once_and_read_without_a_call_of_its_own() {
    for shows_segments in [true, false] {
        let bed = projects_bed("");
        bed.tell(
            "settings",
            json!({"page_size_max": 7, "wbs_segments": shows_segments}),
        )
        .await;
        let seen = listed(&bed, &scope(None)).await;
        let calls = bed.calls("wbs_codes").await;
        assert!(seen.len() > 200, "{}", seen.len());
        let mut codes = Vec::new();
        for one in &seen {
            codes.push(read(&bed, &one.key).await.unwrap());
        }
        assert_eq!(
            bed.calls("wbs_codes").await,
            calls,
            "rows serve their records"
        );
        let texts: Vec<String> = codes.iter().map(|code| code.coding.to_string()).collect();
        let count = |text: &str| texts.iter().filter(|known| *known == text).count();
        assert_eq!(count("03-300 / M"), PROJECT_IDS.len());
        assert_eq!(count("SJ-01 / 03-300 / M"), 1, "{shows_segments}");
        assert!(
            codes
                .iter()
                .all(|code| code.active && !code.coding.cost_type.is_empty())
        );
        // A window shows what changed; what is gone is gone only beside others.
        assert!(
            listed(&bed, &scope(Some("2026-11-25T00:00:00Z")))
                .await
                .len()
                < seen.len()
        );
        let key = SourceKey {
            id: "1".to_owned(),
            place: PROJECT_IDS[0].to_string(),
        };
        assert_eq!(read(&bed, &key).await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_whose_codes_are_hidden_keeps_no_other_back() {
    let bed = projects_bed("");
    bed.tell("settings", json!({"permitted_projects": &PROJECT_IDS[..2]}))
        .await;
    let lists = bed.connector.ports.cost_code.lists.unwrap();
    let (mut rows, mut after) = (0, None::<String>);
    let fault = loop {
        match lists
            .changed(&bed.session, &scope(None), after.as_deref())
            .await
        {
            Ok(page) => {
                rows += page.rows.len();
                after = Some(page.next.unwrap());
            }
            Err(fault) => break fault,
        }
    };
    assert!(rows > 50);
    assert_eq!(fault.code(), "project_not_visible");
    assert!(
        fault.to_string().contains(&PROJECT_IDS[4].to_string()),
        "{fault}"
    );
}

async fn offers(bed: &Bed, kind: MappingKind) -> Vec<Offer> {
    let projects = scope(None).projects;
    let offers = bed.connector.offers.unwrap();
    offers.offers(&bed.session, kind, &projects).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_is_read_from_the_view_that_shows_it() {
    let project = PROJECT_IDS[0].to_string();
    for (setting, hidden, view) in [
        ("", json!([]), Some("Standard budget")),
        ("71001", json!([]), Some("Cash flow")),
        ("", json!(["budget_views"]), None),
    ] {
        let bed = projects_bed(setting);
        bed.tell("settings", json!({"hidden": hidden, "page_size_max": 9}))
            .await;
        let offers = bed.connector.offers.unwrap();
        let budget = offers
            .budget(&bed.session, &project)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(budget.view.as_deref(), view);
        assert!(budget.lines.len() > 30, "{}", budget.lines.len());
        let planned = budget.lines.iter().filter(|line| !line.amount.is_zero());
        assert_eq!(planned.count() > 0, view == Some("Standard budget"));
        assert!(
            budget
                .lines
                .iter()
                .any(|line| line.coding.to_string() == "03-300 / M")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_source_lists_what_it_has() {
    let bed = projects_bed("");
    for (kind, count) in [
        (MappingKind::Vendors, 37),
        (MappingKind::Projects, 5),
        (MappingKind::Items, 5),
        (MappingKind::Units, 14),
        (MappingKind::Currencies, 0),
    ] {
        assert_eq!(offers(&bed, kind).await.len(), count, "{kind}");
    }
    let codes = offers(&bed, MappingKind::CostCodes).await;
    assert!(codes.iter().any(|offer| {
        offer.side.get("sub_job").is_some_and(|job| job == "SJ-01") && !offer.name.is_empty()
    }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_list_what_is_open_and_say_when_it_opens() {
    let bed = books_bed();
    let accounts = offers(&bed, MappingKind::CostCodes).await;
    let has = |offers: &[Offer], account: &str| {
        offers
            .iter()
            .any(|offer| offer.side.get("ait1").is_some_and(|known| known == account))
    };
    assert!(has(&accounts, "60100"));
    assert!(!has(&accounts, "51620"), "a locked account is no proposal");
    for (kind, least) in [
        (MappingKind::Vendors, 40),
        (MappingKind::Projects, 2),
        (MappingKind::Units, 14),
        (MappingKind::PaymentTerms, 4),
        (MappingKind::Currencies, 6),
    ] {
        assert!(offers(&bed, kind).await.len() >= least, "{kind}");
    }
    let keys = [
        "1/60100",
        "1/51620",
        "1/53230",
        "2/4100",
        "3/GROUP",
        "1@BBB/60100",
        "x",
    ];
    let keys: Vec<String> = keys.iter().map(|&key| key.to_owned()).collect();
    let verifies = bed.connector.verifies.unwrap();
    let open = verifies.are_open(&bed.session, &keys).await.unwrap();
    assert_eq!(open, [true, false, false, true, true, false, false]);
    bed.tell("infor_m3/accounts/1/51620/open", json!({})).await;
    bed.tell("infor_m3/accounts/1/53230", json!({})).await;
    bed.tell("infor_m3/accounts/2/4100", json!({"VTDT": "20200101"}))
        .await;
    bed.session.facts.forget();
    let open = verifies.are_open(&bed.session, &keys).await.unwrap();
    assert_eq!(open, [true, true, true, false, true, false, false]);
}
