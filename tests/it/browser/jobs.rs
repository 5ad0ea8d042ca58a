//! The user's four jobs: sign up and add credentials, ping, view the trail, retry what failed.

use ml_connector::connectors;
use ml_connector::domain::clock::Pace;
use ml_connector::domain::pair::Approval;
use ml_connector::sandbox::{infor_m3, procore};

use super::tab::Tab;
use crate::support::app::{PASSWORD, TestApp, Wanted};
use crate::support::browser::Scripts;
use crate::support::database::{Engine, TestDatabase};
use crate::web::records::Travelled;

async fn product() -> TestApp {
    TestApp::start_as(Wanted {
        connectors: connectors::ALL,
        pace: Pace::new(60),
        ..Wanted::default()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_signs_up_adds_credentials_and_tests_them() {
    signs_up_and_connects(Scripts::On).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn and_the_same_without_scripts() {
    signs_up_and_connects(Scripts::Off).await;
}

async fn signs_up_and_connects(scripts: Scripts) {
    let app = product().await;
    let options = procore::Options {
        port: 0,
        seed: 1,
        limits: false,
    };
    let source = procore::start(options).unwrap();
    let erp = infor_m3::start(infor_m3::Options { port: 0, seed: 1 }).unwrap();
    let tab = Tab::open(&app, scripts).await;

    tab.go("/").await;
    tab.press("Sign up").await;
    tab.fill("company", "Front Range Builders").await;
    tab.fill("name", "Ada").await;
    tab.fill("email", "ada@example.com").await;
    tab.fill("password", PASSWORD).await;
    tab.press("Open the account").await;
    tab.sees("First steps").await;

    tab.press("Connections").await;
    tab.press("Connect Procore").await;
    tab.choose("environment", "Sandbox").await;
    tab.fill("credentials.client_id", procore::CLIENT_ID).await;
    tab.fill("credentials.client_secret", "wrong-secret").await;
    tab.fill("settings.company_id", &procore::COMPANY_ID.to_string())
        .await;
    tab.press("More settings (7)").await;
    tab.fill("settings.api_base_url", &source.url()).await;
    tab.fill("settings.login_base_url", &source.url()).await;
    tab.press("Save and test").await;
    tab.sees("The test failed").await;
    let failed = tab.find(".step[data-state='failed']").await;
    let failed = failed.text().await.unwrap();
    assert!(failed.contains("Log-in"), "{failed}");

    tab.press("Change").await;
    tab.fill("credentials.client_secret", procore::CLIENT_SECRET)
        .await;
    tab.press("Save and test").await;
    tab.sees("The test went well").await;
    let page = tab.browser.driver.source().await.unwrap();
    assert!(
        !page.contains(procore::CLIENT_SECRET),
        "secrets are never shown"
    );

    tab.go("/connections/new?system=infor_m3").await;
    tab.choose("environment", "Sandbox").await;
    tab.paste("credentials.ionapi", "{\"ti\": \"X\"").await;
    tab.fill("settings.cono", infor_m3::CONO).await;
    tab.press("Save and test").await;
    tab.sees("need").await;
    let error = tab.find("[id='credentials.ionapi-error']").await;
    assert!(!error.text().await.unwrap().is_empty());
    tab.paste("credentials.ionapi", &infor_m3::ionapi(&erp.url()))
        .await;
    for (name, value) in [
        ("settings.divi", infor_m3::DIVI),
        ("settings.facility", infor_m3::FACILITY),
        ("settings.warehouse", infor_m3::WAREHOUSE),
        ("settings.batch_origin", infor_m3::BATCH_ORIGIN),
    ] {
        if !tab
            .find(&format!("[name='{name}']"))
            .await
            .is_displayed()
            .await
            .unwrap()
        {
            tab.find("#more > summary").await.click().await.unwrap();
        }
        tab.fill(name, value).await;
    }
    tab.press("Save and test").await;
    tab.sees("The test went well").await;

    tab.go("/audit").await;
    tab.sees("Connection tested").await;
    tab.sees("Account opened").await;
    tab.sees("Ada").await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_found_understood_and_retried() {
    let database = TestDatabase::empty(Engine::Sqlite, "retry").await;
    let road = Travelled::begin(database, Approval::Automatic).await;
    let tab = Tab::open(&road.app, Scripts::On).await;
    tab.sign_in(&road.account).await;

    tab.sees("To mend").await;
    tab.find(".need[data-state='failed']")
        .await
        .click()
        .await
        .unwrap();
    tab.sees("Needs a mend").await;
    tab.find("[data-queue] tbody a")
        .await
        .click()
        .await
        .unwrap();
    tab.sees("What happened").await;
    tab.sees("would not take it").await;
    assert_eq!(
        tab.find(".verdict")
            .await
            .attr("data-state")
            .await
            .unwrap()
            .unwrap(),
        "failed"
    );

    tab.press("Retry").await;
    tab.sees("Its source is read again.").await;
    tab.sees("Queued").await;
    // The page follows by itself once the work is done.
    road.settle().await;
    tab.sees("Needs a mend").await;
    tab.sees("Retried by a person").await;
    road.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_approved_and_rejected_one_by_one() {
    let database = TestDatabase::empty(Engine::Sqlite, "approve").await;
    let road = Travelled::begin(database, Approval::Review).await;
    let before = road.in_state("commitments", "held").await.len();
    assert!(before >= 3);
    let tab = Tab::open(&road.app, Scripts::Off).await;
    tab.sign_in(&road.account).await;

    tab.go("/approvals").await;
    tab.sees(&format!("Approve {before} records")).await;
    tab.find("[data-queue] tbody a")
        .await
        .click()
        .await
        .unwrap();
    tab.sees("The exact write").await;
    tab.press("Approve this write").await;
    tab.sees("was approved; it is written next.").await;
    tab.press("Reject").await;
    tab.sees("Say why").await;
    tab.fill("reason", "Wrong cost code").await;
    tab.press("Reject").await;
    tab.sees("was rejected.").await;
    road.settle().await;
    assert_eq!(road.in_state("commitments", "held").await.len(), before - 2);

    tab.go("/approvals").await;
    tab.press(&format!("Approve {} records", before - 2)).await;
    tab.sees("This will touch").await;
    tab.press(&format!("Approve {} records", before - 2)).await;
    tab.sees("approved; they are written next.").await;
    tab.sees("Nothing waits for approval").await;
    road.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_mapped_and_a_pair_is_made_by_hand() {
    let database = TestDatabase::empty(Engine::Sqlite, "map").await;
    let road = Travelled::begin(database, Approval::Automatic).await;
    let tab = Tab::open(&road.app, Scripts::Off).await;
    tab.sign_in(&road.account).await;

    let unmapped = async || {
        let waiting = road.in_state("commitments", "waiting").await;
        let for_codes = |record: &&serde_json::Value| record["reason"] == "cost_codes";
        waiting.iter().filter(for_codes).count()
    };
    assert_eq!(unmapped().await, 1);
    tab.go(&format!("/pairs/{}/mappings/cost_codes", road.road.pair))
        .await;
    let rows = tab.ask_count("tbody tr").await;
    let blank = rows - 5;
    tab.fill(&format!("row.{blank}.project.cost_code"), "99-999")
        .await;
    tab.press("Save the table").await;
    tab.sees("must be filled").await;
    tab.fill(&format!("row.{blank}.erp.ait1"), "50150").await;
    tab.press("Save the table").await;
    tab.sees("Saved.").await;
    road.settle().await;
    assert_eq!(unmapped().await, 0);

    tab.go("/pairs/new").await;
    tab.fill("name", "By hand").await;
    tab.choose("project_connection_id", "procore").await;
    tab.choose("erp_connection_id", "infor_m3").await;
    tab.fill("schedule.time_zone", "Nowhere/Land").await;
    tab.press("Make the pair").await;
    tab.sees("is not an IANA time zone").await;
    tab.fill("schedule.time_zone", "America/Denver").await;
    tab.press("Make the pair").await;
    tab.sees("Before it can run").await;
    tab.press("Activate").await;
    tab.sees("No dry run was made yet").await;
    tab.tick("without_dry_run").await;
    tab.press("Activate").await;
    tab.sees("It was not activated").await;
    tab.sees("No project is in scope").await;
    road.app.stop().await;
}
